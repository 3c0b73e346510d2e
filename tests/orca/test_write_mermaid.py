"""Machines as Mermaid diagrams."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from written import AWKWARD, NESTED, corpus_machines, machine_of

from orca_bridge.convert import all_states
from orca_bridge.write import mermaid

DOOR = """# machine Door
## events
- knock
- enter
- leave
## state shut [initial] "Nobody in"
- on_entry: lock
- timeout: 2m -> asleep
- ignore: leave
## state open
- on leave -> shut : lock
### state hall [initial]
### state room
## state asleep [final]
## transitions
| Source | Event | Guard  | Target | Action    |
|--------|-------|--------|--------|-----------|
| shut   | knock | known  | open   | greet     |
| shut   | knock | !known | shut   | count_try |
| hall   | enter |        | room   |           |
## guards
| Name  | Expression    |
|-------|---------------|
| known | `event.n < 3` |
"""

DOOR_DRAWN = """stateDiagram-v2
  direction LR
  state "shut<br/>Nobody in<br/>entry / lock<br/>ignore leave" as shut
  state "open" as open {
    state "hall" as open_hall
    state "room" as open_room
    [*] --> open_hall
    open_hall --> open_room : enter
  }
  state "asleep" as asleep
  [*] --> shut
  asleep --> [*]
  shut --> open : knock [known] / greet
  shut --> shut : knock [!known] / count_try
  open --> shut : leave / lock
  shut --> asleep : after 2m
"""

ARROW = re.compile(r"^ *(\S+) --> (\S+)(?: : (.*))?$", re.MULTILINE)
DECLARED = re.compile(r'^ *state "(.*)" as (\w+)(?: \{)?$', re.MULTILINE)


def arrows(text):
    return [(source, target, label) for source, target, label in ARROW.findall(text) if "[*]" not in (source, target)]


def ids(text):
    return [key for _, key in DECLARED.findall(text)]


class TestMermaid:
    def test_a_whole_diagram(self):
        """States with what they do, blocks for compound states, rows in order, then timeouts."""
        assert mermaid(machine_of(DOOR)) == DOOR_DRAWN

    def test_options(self):
        """The direction, and whether descriptions and actions are shown, can be chosen."""
        text = mermaid(machine_of(DOOR), direction="TB", descriptions=False, actions=False)

        assert "  direction TB\n" in text
        assert '  state "shut<br/>ignore leave" as shut\n' in text
        assert "  shut --> open : knock [known]\n" in text

    def test_regions(self):
        """Regions are blocks of their own, with dashes between them."""
        text = mermaid(machine_of(NESTED))

        assert "    }\n    --\n    state " in text
        assert "[*] --> p_left\n" not in text
        assert "[*] --> p_left_x\n" in text
        assert ("p", "closed", "done") in arrows(text)

    def test_arrows_across_borders(self):
        """An arrow that crosses a border stands outside of all blocks; between two blocks its source is lifted."""
        text = mermaid(machine_of(NESTED))

        assert "\n  idle --> p_left_y : jump\n" in text
        assert "\n  p --> c_inner_deep : from p.left.x#58; hop\n" in text
        assert "\n  p --> closed : from p.left.x#58; quit\n" not in text
        assert "\n  p_left_x --> closed : quit\n" in text

    def test_arrows_into_and_out_of_a_state(self):
        """An arrow between a state and one inside it is a loop on the outer one."""
        text = mermaid(machine_of(NESTED))

        assert "\n  c --> c : dive → c.inner.deep\n" in text
        assert "\n  c --> c : from c.inner.deep#58; rise\n" in text

    def test_several_loops(self):
        """Mermaid draws one loop of a state only, so that several of them are lines of its label too."""
        text = mermaid(machine_of(NESTED))

        assert 'state "c<br/>loop dive → c.inner.deep<br/>loop from c.inner.deep#58; rise" as c {' in text

    def test_what_no_arrow_shows(self):
        """Internal rows, invokes and what is raised are lines of the label."""
        text = mermaid(machine_of(NESTED))

        assert 'state "idle<br/>internal note [ctx.n #62; 1] / log<br/>invoke Child<br/>after 5s raises jump"' in text
        assert ("idle", "closed", "done Child") in arrows(text)
        assert ("idle", "c", "error Child") in arrows(text)

    def test_rows_of_any_state(self):
        """A row of source `*` starts at a state that stands for all of them."""
        text = mermaid(machine_of(NESTED))

        key = ids(text)[-1]
        assert f'  state "any state" as {key}\n' in text
        assert (key, "closed", "abort") in arrows(text)

    def test_awkward_names(self):
        """Names that differ get ids that differ, and none of them is a word of Mermaid."""
        found = machine_of(AWKWARD)
        keys = ids(mermaid(found))

        assert len({key.lower() for key in keys}) == len(keys) >= len(found.states)
        assert all(re.fullmatch(r"[A-Za-z]\w*", key, re.ASCII) for key in keys)
        assert not {"end", "state", "class", "note", "direction"} & {key.lower() for key in keys}
        assert not [key for key in keys if key.endswith(("_start", "_end"))]

    def test_awkward_texts(self):
        """What would end a label or begin something else is written as an entity."""
        text = mermaid(machine_of('# machine M\n## state a [initial] "x; direction TB <b> :: `y`"\n'))

        assert 'state "a<br/>x#59; #100;irection TB #60;b#62; #58;#58; #96;y#96;" as a' in text

    def test_deterministic(self):
        """The same machine gives the same text."""
        assert mermaid(machine_of(NESTED)) == mermaid(machine_of(NESTED))


@pytest.fixture(scope="module")
def texts():
    """Draws a diagram and returns all texts of the picture, without spaces."""
    mermaidx = pytest.importorskip("mermaidx", reason="needs the package mermaidx, which runs Mermaid itself")

    def draw(diagram):
        shown = "".join(ET.fromstring(mermaidx.render(diagram).svg()).itertext())  # noqa: S314 - our own
        return "".join(shown.replace("\N{ZERO WIDTH SPACE}", "").split())

    return draw


@pytest.mark.conformance
@pytest.mark.filterwarnings("ignore:Warning")  # about the width of letters
@pytest.mark.parametrize("document", [DOOR, NESTED, AWKWARD])
def test_mermaid_draws_it(texts, document):
    """Mermaid itself draws a diagram, with every name in it."""
    found = machine_of(document)
    shown = texts(mermaid(found))

    names = [state.name for state in all_states(found.states)]
    names += [row.event for row in found.transitions]
    assert [name for name in names if name not in shown] == []


@pytest.mark.conformance
@pytest.mark.parametrize(("name", "machine"), corpus_machines())
def test_every_document(name, machine):
    """In documents of others, every state is declared once and every row is an arrow or a line."""
    text = mermaid(machine)
    keys = ids(text)
    outcomes = sum(len(state.timeouts) for state in machine.states)

    assert len(keys) == len(set(keys))
    assert {key for source, target, _ in arrows(text) for key in (source, target)} <= set(keys)
    assert len(arrows(text)) + text.count("internal ") >= len(machine.transitions) + outcomes
