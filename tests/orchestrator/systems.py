"""
Systems as plain data, to be run by the reference interpreter and by the library alike.

Members are `"a"`, or `"m[k]"` in a collection `m`; in rules `"m[*]"` is every member of it, and `"m[=]"` the very one that
the rule is about. A target is `(member, event)` or `(joint event,)`. Conditions are `("in", member, state)`,
`("done", member)`, `("every" | "some" | "none", "m[*]", state or None for ended)`, `("not", one)`, `("and", ...)`,
`("or", ...)`.
"""

from __future__ import annotations

from typing import NamedTuple


class Transition(NamedTuple):
    """What one event does in one machine."""

    event: str | None
    """None: it is eventless."""
    sources: tuple
    target: str | None
    """None: it only runs callbacks."""
    cond: bool = True
    on: tuple = ()
    """The targets that the callback calls, one after another; None raises."""
    after: tuple = ()


class Machine(NamedTuple):
    """A flat machine; the first state is the initial one."""

    states: tuple
    finals: tuple
    transitions: tuple
    is_chart: bool = False

    @property
    def initial(self):
        """How it begins."""
        return Transition(None, (), self.states[0])


class Link(NamedTuple):
    """What follows from what."""

    name: str
    trigger: tuple
    """`("state" | "event", member, id)`, `("done", member)`, `("joint", name)` or `("when", condition)`."""
    effect: tuple
    """A target to send to, or `("call", *targets)`: a function that notes whom it is about, and calls them."""
    refused: str = "raise"
    given: tuple | None = None


class System(NamedTuple):
    """Members and the rules between them."""

    machines: dict
    links: tuple = ()
    guards: tuple = ()
    """Of `(name, target, condition)`."""
    joints: dict = {}
    """Of `(member, event)` pairs, by name."""
    limit: int = 1000


class Refused(Exception):
    """The name of an exception of the library, and what it is about."""


class Boom(Exception):
    """What a callback raises."""


def boom():
    raise Boom


# -- the same as Python source ---------------------------------------------------------------------------------------


def source_of(system, *, suffix="", is_async=False):
    """Write the system down as a user would; the suffix makes the names of its classes unique."""
    fields = {name.split("[")[0]: machine for name, machine in system.machines.items()}
    many = {name.split("[")[0] for name in system.machines if "[" in name}
    classes = [
        _machine_source(name, machine, name in many, suffix, is_async, is_first=number == 0)
        for number, (name, machine) in enumerate(fields.items())
    ]
    lines = [f"class S{suffix}(Orchestrator, max_deliveries={system.limit}):"]
    for name in fields:
        kind = f"M_{name}{suffix}"
        lines.append(
            f"    {name}: Members[{kind}] = machines({kind})"
            if name in many
            else f"    {name}: {kind} = machine(factory={kind})"
        )
    lines.append("    log: list = data(default_factory=list)")
    lines += [f"    {name} = together({', '.join(map(_place, parts))})" for name, parts in system.joints.items()]
    for name, target, condition in system.guards:
        lines.append(f"    {name} = guard({_place(target)}, {_condition(condition)})")
    functions = []
    for link in system.links:
        given = f".given({_condition(link.given)})" if link.given else ""
        if link.effect[0] == "call":
            functions += _function_source(link, is_async)
            effect = f".call({link.name}_call)"
        else:
            refused = "" if link.refused == "raise" else f", refused={link.refused!r}"
            effect = f".send({_place(link.effect)}{refused})"
        lines.append(f"    {link.name} = when({_trigger(link.trigger)}){given}{effect}")
    return "\n\n".join([*classes, *functions, "\n".join(lines)]) + "\n"


def _machine_source(name, machine, is_keyed, suffix, is_async, *, is_first):
    own = 'f"' + name + '[{member_key}]"' if is_keyed else repr(name)
    keyed = ", member_key" if is_keyed else ""
    has_calls = is_async and any(one.on or one.after for one in machine.transitions)
    lines = [
        f"class M_{name}{suffix}({'StateChart' if machine.is_chart else 'StateMachine'}):",
        "    validate_disconnected_states = validate_trap_states = validate_final_reachability = False",
    ]
    for state in machine.states:
        words = ["initial=True"] * (state == machine.states[0]) + ["final=True"] * (state in machine.finals)
        lines.append(f"    {state} = State({', '.join(words)})")
    events, bodies = {}, []
    for number, one in enumerate(machine.transitions):
        hooks = "" if one.cond else ', cond="never"'
        if one.event or one.on:
            hooks += f', on="t{number}_do"'
            noted = [f"orc.log.append(({own}, {one.event!r}))"] if one.event else []
            bodies += _method(f"t{number}_do", keyed, [*noted, *_acts(one.on, has_calls)], is_async=has_calls)
        if one.after:
            hooks += f', after="t{number}_then"'
            bodies += _method(f"t{number}_then", keyed, _acts(one.after, has_calls), is_async=has_calls)
        parts = [f"{source}.to({one.target}{hooks})" for source in one.sources]
        if one.event is None:
            lines += [f"    {part}" for part in parts]
        else:
            events.setdefault(one.event, []).extend(parts)
    lines += [f"    {event} = {' | '.join(parts)}" for event, parts in events.items()]
    lines += ["    def never(self): return False"] if any(not one.cond for one in machine.transitions) else []
    lines.append(f"    def on_enter_state(self, target{keyed}, orc): orc.log.append(({own}, 'in', target.id))")
    if is_async and is_first:
        lines.append("    async def before_transition(self): pass")
    return "\n".join([*lines, *bodies])


def _method(name, keyed, body, *, is_async):
    return [f"    {'async ' * is_async}def {name}(self{keyed}, orc): {'; '.join(body)}"]


def _acts(targets, is_awaited):
    return ["boom()" if one is None else "await " * is_awaited + f"orc.{_call(one)}()" for one in targets]


def _function_source(link, is_async):
    acts = _acts(link.effect[1:], is_async)
    noted = (
        f"orc.log.append(({link.name!r}, 'for', occurrence.address or (occurrence.key and f'm[{{occurrence.key}}]')))"
    )
    return [f"{'async ' * is_async}def {link.name}_call(orc, occurrence): {'; '.join([noted, *acts])}"]


def _call(target):
    member, *event = target
    name, _, key = member.rstrip("]").partition("[")
    return ".".join([f"{name}[{key!r}]" if key else name, *event])


def _place(target):
    member, *rest = target
    name, _, key = member.rstrip("]").partition("[")
    if key == "=":
        name = f"at({name}, lambda orc, occurrence: occurrence.key)"
    elif key:
        name = f"each({name})" if key == "*" else f"at({name}, {key!r})"
    return ".".join([name, *rest])


def _trigger(trigger):
    kind, *what = trigger
    if kind == "when":
        condition = what[0]
        if condition[0] == "and" and all(one[0] == "in" for one in condition[1:]):
            return ", ".join(_place((one[1].replace("[=]", "[*]"), one[2])) for one in condition[1:])
        return _condition(condition)
    return f"done({_place(what)})" if kind == "done" else _place(what)


def _condition(condition):
    kind, *what = condition
    if kind == "not":
        return f"~{_condition(what[0])}"
    if kind in ("and", "or"):
        return "(" + f" {'&' if kind == 'and' else '|'} ".join(map(_condition, what)) + ")"
    member, state = what[0].replace("[=]", "[*]"), what[1] if len(what) > 1 else None
    place = f"done({_place([member])})" if state is None else _place([member, state])
    return {"in": f"In({place})", "done": place}.get(kind, f"{kind}({place})")
