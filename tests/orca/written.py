"""What the tests of the writers share: documents with every construct, and the documents of others."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

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


def machine_of(text, name="m.md"):
    """The first machine of a document."""
    found = read(text, name)
    assert found.document is not None, "\n".join(map(str, found.diagnostics))
    return found.document.machines[0]


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
