"""What the tests of the writers share: documents with every construct, and the documents of others."""

from __future__ import annotations

import os
import random
from contextlib import suppress
from pathlib import Path

import pytest
from statemachine.exceptions import TransitionNotAllowed

from orca_bridge.convert import machine_class
from orca_bridge.syntax import read

NESTED = """# machine Nested
## context
| Field | Type | Default |
|-------|------|---------|
| n     | int  | 0       |
## events
- jump
- hop
- quit
- dive
- rise
- note
- abort
- step
## state idle [initial]
- invoke: Child input: { n: ctx.n }
- on_done: closed
- on_error: c
- timeout: 5s -> jump
## state p [parallel, sync: all-final]
- on_done: closed
### region left
#### state x [initial]
#### state y [final]
### region right
#### state x [initial]
#### state z [final]
## state c
### state start [initial]
### state inner
#### state deep
#### state over
## state closed [final]
## transitions
| Source   | Event | Guard   | Target | Action |
|----------|-------|---------|--------|--------|
| idle     | note  | n > 1   |        | log    |
| idle     | jump  |         | left.y |        |
| p.left.x | hop   |         | deep   |        |
| p.left.x | quit  |         | closed |        |
| right.x  | step  |         | z      |        |
| c        | dive  |         | deep   |        |
| deep     | rise  |         | c      |        |
| *        | abort |         | closed |        |
## actions
| Name | Signature          |
|------|--------------------|
| log  | `(ctx) -> Context` |

---

# machine Child
## context
| Field | Type | Default |
|-------|------|---------|
| n     | int  | 0       |
## state only [initial]
## state gone [final]
## transitions
| Source | Event | Target |
|--------|-------|--------|
| only   | go    | gone   |
"""

AWKWARD = """# machine class
## events
- send
- class
- time-out
- größe
- end
## state end [initial]
## state state
### state start [initial]
### state a-b
### state a_b
## state a
### state b
## state a_b
## state class
## state note
## state direction
## state straße
## state End [final]
## transitions
| Source   | Event    | Target    |
|----------|----------|-----------|
| end      | send     | state     |
| state    | class    | a         |
| a        | time-out | a_b       |
| a_b      | größe    | class     |
| class    | send     | note      |
| note     | end      | direction |
| direction| send     | straße    |
| straße   | end      | End       |
"""

TRAFFIC = """# machine Traffic
## context
| Field | Type | Default |
|-------|------|---------|
| speed | int  | 2       |
| mode  | enum(day, night) | day |
## events
- next(by: string)
- stop
- go
- reset
## state red [initial]
- on_entry: log
- ignore: reset
## state yellow
- ignore: next
## state green
- on_exit: log
### state slow [initial]
### state fast
## state broken
## state gone [final]
## transitions
| Source | Event | Guard                | Target | Action |
|--------|-------|----------------------|--------|--------|
| red    | next  | event.by == "hand"   | yellow |        |
| red    | next  | else                 | slow   |        |
| red    | next  | !calm                | red    |        |
| red    | *     | calm                 |        | log    |
| yellow | next  | calm                 | red    |        |
| yellow | go    |                      | fast   |        |
| slow   | next  |                      | fast   |        |
| fast   | next  | ctx.mode == "day"    | slow   |        |
| green  | next  |                      | red    |        |
| green  | go    |                      | slow   | log    |
| fast   | stop  | quiet                | broken |        |
| broken |       | ctx.speed >= "2"     | red    |        |
| *      | reset | event.by == "clock"  | red    |        |
| *      | stop  | event.n > 50         | gone   |        |
## guards
| Name  | Expression                 |
|-------|----------------------------|
| calm  | `not ctx.speed > 3`        |
| quiet | `calm and event.by != "clock"` |
## actions
| Name | Signature          |
|------|--------------------|
| log  | `(ctx) -> Context` |
"""

CONVERTIBLE = TRAFFIC.replace("- ignore: reset\n", "").replace("- ignore: next\n", "")
"""The same, without what the converter refuses today."""

EVERYTHING = """# machine Everything

> All there is, "quoted" and `ticked`.

## context
| Field | Type             | Default |
|-------|------------------|---------|
| n     | int              | 3       |
| rate  | decimal          | 0.5     |
| mode  | enum(fast, slow) |         |
| tags  | string[]         | ["a"]   |
| more  | map<string, int> | {"k": 1} |
| who   | string?          |         |
## events
- go
- pay(amount: decimal)
- done_now
- failed
## state wait [initial]
> First of all
- on_entry: mail
- on_exit: log
- invoke: Child input: { n: ctx.n, k: 4 } returns: { n: n }
- on_done: done_now
- on_error: failed
- timeout: 5s -> over : log
- timeout: 1m30s -> go
- ignore: failed
## state foreign
- invoke: Elsewhere input: { who: ctx.who } shots: 3
- on_done: over
## state any [parallel, sync: any-final]
- on_done: custom
### region r
- on_entry: log
- ignore: go
#### state x [initial]
#### state y [final]
### region s
#### state x [initial]
#### state y [final]
## state custom [parallel, sync: custom]
- on_done: go
### region r
#### state a [initial]
#### state b [final]
### region s
#### state c [initial]
#### state d [final]
## state over [final]
## transitions
| Source | Event            | Guard            | Target  | Action    |
|--------|------------------|------------------|---------|-----------|
| wait   | go               |                  | any     | mail      |
| wait   | timeout          | ready            | over    |           |
| wait   | pay              | event.amount > 5 | foreign |           |
| wait   | done_now         |                  | over    |           |
| r.x    | pay              |                  | r.y     | log, mail |
| wait   | error.action.log |                  | over    |           |
| *      | failed           |                  | over    |           |
## guards
| Name  | Expression                           |
|-------|--------------------------------------|
| ready | `ctx.n >= 3 and ctx.tags.length > 0` |
## actions
| Name | Signature                                |
|------|------------------------------------------|
| log  | `(ctx) -> Context`                       |
| mail | `(ctx, event) -> Context + Effect<Mail>` |

---

# machine Child
## context
| Field | Type | Default |
|-------|------|---------|
| n     | int  | 0       |
| k     | int  |         |
## state only [initial]
## state gone [final]
## transitions
| Source | Event | Target |
|--------|-------|--------|
| only   | go    | gone   |
"""


def document_of(text, name="m.md"):
    """What a text says."""
    found = read(text, name)
    assert not found.errors, "\n".join(map(str, found.errors))
    return found.document


def machine_of(text, name="m.md"):
    """The first machine of a document."""
    return document_of(text, name).machines[0]


def corpus_documents():
    """Documents of others, as test parameters; none without the folder that CORPUS_DIR names."""
    if not os.environ.get("CORPUS_DIR"):
        return [pytest.param("", None, marks=pytest.mark.skip(reason="CORPUS_DIR names no folder with documents"))]
    found = []
    for path in sorted((Path(os.environ["CORPUS_DIR"]) / "orca" / "corpus").glob("*/*.orca*")):
        document = read(path.read_bytes(), path.name).document
        found.append(pytest.param(path.name, document, id=path.name))
    return found


def corpus_machines():
    """Their machines, one by one."""
    found = [
        pytest.param(case.values[0], machine, id=f"{case.values[0]}-{machine.name}")
        for case in corpus_documents()
        if case.values[1] is not None
        for machine in case.values[1].machines
    ]
    return found or corpus_documents()


def events_of(machine, seed):
    """Random events with random payloads."""
    chance = random.Random(seed)  # noqa: S311 - not a secret
    names = [event.name for event in machine.events] + ["other"]
    fields = {"by": ["hand", "clock"], "amount": [0, 5, "7"], "n": [1, 99], "speed": [0, 9]}
    return [
        {"type": chance.choice(names)} | {name: chance.choice(values) for name, values in fields.items()}
        for _ in range(30)
    ]


class Idle(dict):
    """Handlers that do nothing, for every action."""

    def __contains__(self, name):
        return True

    def get(self, name, default=None):
        return lambda *_: None


def configurations(machine, events, others=()):
    """The leaf states of the converted machine, at the start and after each event; `others` are what it may invoke."""
    siblings = tuple((other, ()) for other in others)
    running = machine_class(machine, typing="off", siblings=siblings)(actions=Idle())
    seen = [[state.value for state in running.configuration if state.is_atomic]]
    for event in events:
        payload = {name: value for name, value in event.items() if name != "type"}
        with suppress(TransitionNotAllowed):
            running.send(event["type"], payload)
        seen.append([state.value for state in running.configuration if state.is_atomic])
    return seen
