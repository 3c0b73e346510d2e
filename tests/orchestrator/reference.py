"""The rules of docs/semantics.md on links, guards and joint events, run naively over the plain data of `systems`."""

import re
from collections import defaultdict
from contextlib import suppress
from copy import deepcopy

from systems import Boom, Refused, Transition, boom


class Reference:
    def __init__(self, system):
        self.system = system
        self.active, self.held, self.log = dict.fromkeys(system.machines), [], []
        self.memory = self.truths()  # before the start

    def step(self, act, *arguments):
        """One event and all it causes; if it ends with an exception, everything is where it was before."""
        saved = deepcopy((self.active, self.held, self.memory))
        self.queues, self.busy, self.moves, self.line, self.later, self.count = defaultdict(list), set(), [], [], [], 0
        self.broken = None
        try:
            act(*arguments)
            self.settle()
        except Exception:
            self.active, self.held, self.memory = saved
            raise

    def start(self, *names):
        """All members exist first, and then enter their initial states in the order of their declaration."""
        for name in names or self.active:
            self.run(name)

    def call(self, *target):
        """Call an event or a joint event; each event of a joint event, called alone, is the joint event."""
        joint, parts = self.meant(target)
        names = {name for name, _ in parts}
        if joint is None:
            self.run(*target)
        elif names & self.busy:
            self.later.append(target)  # it happens at the next rest
        elif refused := self.start(*dict(parts)) or self.refusals(target):  # who has not begun yet does so first
            raise Refused("JointEventRefused", joint, *refused)
        else:
            chosen = [(*part, self.ask(*part)) for part in parts]  # everybody is asked, then all move
            self.busy |= names  # events for those that have not had their turn wait
            try:
                for name, event, transition in chosen:
                    self.busy.discard(name)
                    self.run(name, event, transition)
            except (Refused, Boom) as error:
                self.broken = self.broken or error  # half a joint event never stays
                raise
            finally:
                self.busy -= names
            self.moves.append((None, {("joint", joint)}))

    def run(self, name, event=None, chosen=None):
        """A machine in the middle of its own macrostep queues the event, and takes it right afterwards."""
        queue = self.queues[name]
        if event and self.ended(name):
            self.take(name, event, None)
        elif event:
            queue.insert(0 if chosen else len(queue), (event, chosen))
        if name in self.busy or self.ended(name):
            return
        self.busy.add(name)
        try:
            queue[:0] = [(None, self.system.machines[name].initial)] if self.active[name] is None else []
            while todo := [(None, one) for one in self.enabled(name, None)] or (not self.ended(name) and queue):
                self.take(name, *todo.pop(0))
        finally:
            queue.clear()  # what is left when the machine has failed or ended is dropped
            self.busy.discard(name)

    def take(self, name, event, chosen):
        """A StateMachine refuses an unknown event, a StateChart ignores it; what a guard forbids raises for both."""
        chosen = chosen or self.ask(name, event)
        if isinstance(chosen, Transition):
            self.move(name, event, chosen)
        elif chosen.args[0] == "GuardRefused" or not self.system.machines[name].is_chart:
            raise chosen

    def ask(self, name, event):
        """A guard is asked before the conditions of the machine, and only if the machine has a transition there."""
        for guard, target, condition in self.system.guards if self.enabled(name, event, asked=False) else ():
            if target[1:] == (event,) and name in self.named(target[0]) and not self.holds(condition, name):
                return Refused("GuardRefused", f"{name}.{event}", guard)
        return (self.enabled(name, event) or [Refused("TransitionNotAllowed", f"{name}.{event}")])[0]

    def enabled(self, name, event, *, asked=True):
        found = [one for one in self.system.machines[name].transitions if self.active[name] in one.sources]
        return [one for one in found if one.event == event and (one.cond or not asked)]

    def move(self, name, event, transition):
        """Inside `on` a StateMachine is in the state that it comes from, a StateChart in none."""
        is_chart, target = self.system.machines[name].is_chart, transition.target
        self.active[name] = None if is_chart and target else self.active[name]
        self.log += [(name, event)] if event else []
        self.callback(transition.on, is_chart)
        self.active[name] = target or self.active[name]
        self.log += [(name, "in", target)] if target else []
        happened = [("event", event), ("state", target), *[("done",)] * self.ended(name)]
        names = name, re.sub(r"\[.*", "[*]", name)
        self.moves.append((name, {(kind, one, *what) for kind, *what in happened for one in names}))
        self.callback(transition.after, is_chart)

    def callback(self, targets, is_chart=False):
        """Calls run at once, nested; errors in callbacks of a StateChart are handled by the machine."""
        with suppress(*(Refused, Boom) * is_chart):
            for target in targets:
                self.call(*target) if target else boom()

    def settle(self):
        """At each rest: links are queued; joint events that wait happen, else a held event, else the first link."""
        while not self.broken:
            self.queue_links()
            taken = self.later.pop(0) if self.later else self.take_held()
            if not taken and not self.line:
                return
            self.count += 1
            if self.count > self.system.limit:
                raise Refused("LinkLoopError")
            self.call(*taken) if taken else self.fire(*self.line.pop(0))
        raise self.broken

    def queue_links(self):
        """For each move the links that it triggers, in order; behind them what has begun to hold; given is asked now."""
        fired = [(one, about) for about, did in self.moves for one in self.system.links if one.trigger in did]
        before, self.memory, self.moves = self.memory, self.truths(), []
        fired += [begun for begun in before if self.memory[begun] and not before[begun]]
        self.line += [(one, about) for one, about in fired if self.holds(one.given, about)]

    def truths(self):
        """Which conditions of links hold; about members of a collection they are asked one by one."""
        waiting = [(one, one.trigger[1]) for one in self.system.links if one.trigger[0] == "when"]
        return {(one, about): self.holds(what, about) for one, what in waiting for about in self.subjects(what)}

    def subjects(self, condition):
        own = re.search(r"\w+\[(?==)", str(condition))
        return [one for one in self.active if one.startswith(own[0])] if own else [None]

    def take_held(self):
        """Held events are tried in order; one that is taken leaves the line; those of ended machines are dropped."""
        self.held = [one for one in self.held if len(one) == 1 or not self.ended(one[0])]
        taken = next((one for one in self.held if not self.refusals(one)), None)
        self.held = [one for one in self.held if one is not taken]
        return taken

    def fire(self, link, about):
        """A link has its effect; each member of a collection takes or refuses the event by itself."""
        member, *event = link.effect
        if member == "call":
            self.log.append((link.name, "for", about))
            self.callback(event)
            return
        for target in [(name, *event) for name in self.named(member, about)] if event else [link.effect]:
            if not self.refusals(target):
                self.call(*target)
            elif link.refused == "raise":
                raise Refused("LinkRefused", ".".join(target), link.name)
            elif link.refused == "hold":
                self.held.append(target)

    def meant(self, target):
        """The joint event, if any, and its parts: all, or of a collection the one member whose event was called."""
        named = self.named
        parts = {joint: [(one, e) for m, e in pairs for one in named(m)] for joint, pairs in self.system.joints.items()}
        if len(target) == 1:
            return target[0], parts[target[0]]
        found = [joint for joint in parts if target in parts[joint]]
        if len(found) > 1:
            raise Refused("SharedEventError", ".".join(target), *found)
        own = target[0].split("[")[0]
        kept = [one for joint in found for one in parts[joint] if one == target or own not in one[0].split("[")]
        return (found[0], kept) if found else (None, [target])

    def refusals(self, target):
        """Who refuses: guards of the joint event, then every part that a guard forbids or that has no transition."""
        joint, parts = self.meant(target)
        forbidden = [joint for _, goal, one in self.system.guards if goal == (joint,) and not self.holds(one)]
        return forbidden[:1] + [".".join(one) for one in parts if isinstance(self.ask(*one), Refused)]

    def ended(self, name):
        return self.active[name] in self.system.machines[name].finals

    def named(self, member, about=None):
        """Who is meant: one, every member of a collection, or the very one that the rule is about."""
        if member.endswith("[=]"):
            return [about]
        return [one for one in self.active if one == member or (member.endswith("[*]") and one.startswith(member[:-2]))]

    def holds(self, condition, about=None):
        kind, *what = condition or ("and",)
        if kind in ("not", "and", "or"):
            parts = [self.holds(one, about) for one in what]
            return not parts[0] if kind == "not" else (any if kind == "or" else all)(parts)
        member, state = (*what, None)[:2]
        true = [self.ended(name) if state is None else self.active[name] == state for name in self.named(member, about)]
        return not any(true) if kind == "none" else any(true) if kind in ("some", "in", "done") else all(true)
