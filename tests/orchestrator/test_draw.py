"""Pictures of orchestrators and machines."""

from __future__ import annotations

import re
from textwrap import dedent, indent

import pytest
from pictured import Awkward, Awkwards, Desk, Material, Order, Plant, Player, Shop, Store
from statemachine import State, StateMachine

from statemachines_orchestrator import Members, Orchestrator, at, each, machine, machines, when
from statemachines_orchestrator.charts import read_chart
from statemachines_orchestrator.draw import link_map, machine_picture, picture
from statemachines_orchestrator.draw._survey import duration

MERMAID_TEXT = r"(?:[^\"#;:<>{}`*%&|\n]|#\d+;|<br/>|: )+"
MERMAID_ID = r"[A-Za-z]\w*"
STATE_DIAGRAM = re.compile(
    rf"stateDiagram-v2| *(?:state \"{MERMAID_TEXT}\" as {MERMAID_ID}(?: \{{)?|\}}|--"
    rf"|(?:\[\*\]|{MERMAID_ID}) --> (?:\[\*\]|{MERMAID_ID})(?: : {MERMAID_TEXT})?"
    rf"|note right of {MERMAID_ID} : {MERMAID_TEXT}"
    rf"|classDef \w+ [\w#:,-]+|class {MERMAID_ID}(?:,{MERMAID_ID})* \w+)"
)
FLOWCHART = re.compile(
    rf"flowchart LR| *(?:{MERMAID_ID}(?:\(\"{MERMAID_TEXT}\"\)|\[\[\"{MERMAID_TEXT}\"\]\]|\{{\{{\"{MERMAID_TEXT}\"\}}\}}"
    rf"|\[\"{MERMAID_TEXT}\"\]|>\"{MERMAID_TEXT}\"\])|subgraph {MERMAID_ID}\[\"{MERMAID_TEXT}\"\]|end"
    rf"|{MERMAID_ID} (?:-->|==>|-\.-|-\.->)(?:\|\"{MERMAID_TEXT}\"\|)? {MERMAID_ID}"
    rf"|classDef \w+ [\w#:,-]+|class {MERMAID_ID}(?:,{MERMAID_ID})* \w+)"
)


def first_of(orc):
    return "m1"


class Later(Orchestrator):
    gift: Unknown  # noqa: F821
    shop: Unknown  # noqa: F821
    order: Order = machine(factory=Order)

    wrap = when("gift.wanted").send(order.process)
    deliver = when(order.shipped).send("gift.arrive")
    outward = when(order.cancel).send("shop.order.cancel")


class Keyed(Orchestrator):
    materials: Members[Material] = machines(Material)
    order: Order = machine(factory=Order)

    one = when(order.process).send(at(materials, "m1").order)
    chosen = when(order.ship).send(at(materials, first_of).order)
    all_of_them = when(order.cancel).send(each(materials).order)
    arrived = when(each(materials).arrive).send(order.process)


def mermaid(orchestrator, *, configuration=None):
    return picture(orchestrator.__declaration__, "mermaid", configuration)


def dot(orchestrator, *, configuration=None):
    return picture(orchestrator.__declaration__, "dot", configuration)


def markdown(orchestrator, *, configuration=None):
    return picture(orchestrator.__declaration__, "md", configuration)


def part(text, begin, end="}"):
    """The lines from one that begins so to the next one that is so, without their indentation."""
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.strip().startswith(begin))
    depth = len(lines[start]) - len(lines[start].lstrip())
    stop = lines.index(" " * depth + end, start)
    return dedent("\n".join(lines[start : stop + 1]))


class TestMermaid:
    def test_shop(self) -> None:
        """A picture shows machines with their states, links and joint events between them, and guards where they act."""
        assert mermaid(Shop) == dedent("""\
            stateDiagram-v2
                state "order: Order" as order {
                    state "Waiting" as order_pending
                    state "Processing" as order_processing
                    state "Shipped" as order_shipped
                    state "Cancelled" as order_cancelled
                    [*] --> order_pending
                    order_shipped --> [*]
                    order_cancelled --> [*]
                    order_pending --> order_processing : process
                    order_pending --> order_cancelled : cancel
                    order_processing --> order_shipped : ship<br/>[paid_first#58; In(payment.captured)]
                    order_processing --> order_cancelled : cancel
                }
                state "payment: Payment" as payment {
                    state "Unpaid" as payment_unpaid
                    state "Authorized" as payment_authorized
                    state "Captured" as payment_captured
                    state "Voided" as payment_voided
                    [*] --> payment_unpaid
                    payment_captured --> [*]
                    payment_voided --> [*]
                    payment_unpaid --> payment_authorized : authorize
                    payment_unpaid --> payment_voided : void
                    payment_authorized --> payment_captured : capture
                    payment_authorized --> payment_voided : void
                }
                state "abort" as joint_abort
                joint_abort --> order : cancel
                joint_abort --> payment : void
                order_processing --> payment : charge → authorize
                classDef joint fill:#ede7f6,stroke:#5e35b1,stroke-width:2px
                class joint_abort joint
            """)

    def test_compound(self) -> None:
        """States lie inside states, and a history is marked by a letter."""
        assert part(mermaid(Plant), 'state "Playing"') == dedent("""\
            state "Playing" as player_playing {
                state "Intro" as player_intro
                state "Song" as player_song {
                    state "Verse<br/>(invokes)" as player_verse
                    state "Chorus" as player_chorus
                    [*] --> player_verse
                    player_verse --> player_chorus : turn
                    player_chorus --> player_verse : turn
                }
                state "H#42;" as player_last
                [*] --> player_intro
                player_intro --> player_song : begin
            }""")

    def test_parallel(self) -> None:
        """Regions are divided by a line, also in a machine of a nested orchestrator."""
        assert part(mermaid(Plant), 'state "Opened"') == dedent("""\
            state "Opened" as store_desk_opened {
                state "Lamp" as store_desk_lamp {
                    state "Dark" as store_desk_dark
                    state "Bright" as store_desk_bright
                    [*] --> store_desk_dark
                    store_desk_dark --> store_desk_bright : switch
                    store_desk_bright --> store_desk_dark : switch
                }
                --
                state "Drawer" as store_desk_drawer {
                    state "Inside" as store_desk_inside
                    state "Outside" as store_desk_outside
                    [*] --> store_desk_inside
                    store_desk_inside --> store_desk_outside : pull
                }
            }""")

    def test_rules(self) -> None:
        """Conditions, functions and joint events are knots; what cannot be drawn is a note."""
        lines = mermaid(Plant).splitlines()
        start = next(number for number, line in enumerate(lines) if "joint_closing" in line)

        assert dedent("\n".join(line for line in lines[start:] if "class" not in line)) == dedent("""\
            state "closing<br/>[closed_early: In(store.desk.opened)]" as joint_closing
            state "when In(order.cancelled) #38; In(player.playing)" as when_quiet
            state "call tell" as call_quiet
            state "when some(store.materials.here)" as when_again
            state "call tell" as call_again
            state "call tell" as call_closed
            player_off --> player_last : resume
            joint_closing --> order : cancel
            joint_closing --> player : stop
            joint_closing --> store_desk : lock
            order --> player : party#58; when done [In(player.off)] after 3 s [is_open] → start (hold)
            order_cancelled --> when_quiet
            player_playing --> when_quiet
            when_quiet --> call_quiet : quiet
            order --> player : applause#58; on cancel → note
            store_materials_here --> player : arrival → start (ignore)
            store_materials_here --> when_again
            when_again --> call_again : again
            joint_closing --> call_closed : closed
            player_broken --> joint_closing : close
            note right of player_playing : restart (internal) → Intro
            note right of store_desk_dark : light#58; after 5 s → switch (ignore)""")

    def test_collections(self) -> None:
        """A link says which members of a collection it is about."""
        text = mermaid(Keyed)

        assert "    order --> materials : one#58; on process → order of m1\n" in text
        assert "    order --> materials : chosen#58; on ship → order of first_of\n" in text
        assert "    order --> materials : all_of_them#58; on cancel → order of each\n" in text
        assert "    materials --> order : arrived#58; on arrive of each → process\n" in text

    def test_guard_by_a_function(self) -> None:
        """A guard that is a function is named where it acts."""
        assert "order_processing --> order_shipped : ship<br/>[working_hours#58; is_open]\n" in mermaid(Plant)

    def test_instance(self) -> None:
        """The active states of an instance are marked, and those of a collection counted."""
        text = mermaid(
            Plant,
            configuration={
                "order": {"processing"},
                "player": {"playing", "song", "verse"},
                "store.materials.a": {"here"},
                "store.materials[b]": {"here"},
                "store.materialsx": {"wanted"},
            },
        )

        assert "    class order_processing,player_verse,store_materials_here active\n" in text
        assert 'state "Here (2)" as store_materials_here' in text
        assert 'state "Wanted" as store_materials_wanted' in text

    def test_machine(self) -> None:
        """A machine can be drawn alone."""
        assert machine_picture(read_chart(Material), "mermaid", {"ordered"}) == dedent("""\
            stateDiagram-v2
                state "Wanted" as wanted
                state "Ordered" as ordered
                state "Here" as here
                [*] --> wanted
                here --> [*]
                wanted --> ordered : order
                ordered --> here : arrive
                classDef active fill:#ffd54a,stroke:#333,stroke-width:3px
                class ordered active
            """)

    def test_remarks(self) -> None:
        """Transitions that go the same way are one arrow; one that stays says so, and a guard of the machine is shown."""
        text = machine_picture(read_chart(Player), "mermaid")

        assert "    playing --> playing : again<br/>note (stays)\n" in text
        assert "    off --> broken : smash [is_weak]\n" in text

    @pytest.mark.parametrize("orchestrator", [Shop, Plant, Store, Awkwards])
    def test_syntax(self, orchestrator: type) -> None:
        """Every line is of a kind that Mermaid knows, whatever the texts of the user are."""
        wrong = [line for line in mermaid(orchestrator).splitlines() if not STATE_DIAGRAM.fullmatch(line)]

        assert wrong == []

    def test_awkward_texts(self) -> None:
        """What means something to Mermaid is written as a number."""
        text = mermaid(Awkwards)

        assert 'state "say #34;hi#34;" as end_s0' in text
        assert 'state "two<br/>lines" as end_s2' in text
        assert 'state "Ünïcödé 中" as end_s3' in text
        assert 'state "#60;b#62;bold#60;/b#62;#60;script#62;x#60;/script#62;" as end_s4' in text
        assert 'state "#100;irection TB" as end_s5' in text
        assert "[limit #60; 1 and name == 'x']" in text

    def test_names(self) -> None:
        """No word of Mermaid is a name, and no name is given twice, also if only the case differs."""
        text = machine_picture(read_chart(Awkward), "mermaid")
        names = re.findall(r'" as (\w+)', text)

        assert {"end_", "state_", "note_", "click_", "default_", "style_", "constructor_", "A", "a_2"} <= set(names)
        assert len({name.lower() for name in names}) == len(names)

    def test_names_without_letters(self) -> None:
        """Of a name in another alphabet, and of a number, a name is made all the same."""
        body = {"中": State(initial=True), "_1": State(), "文": State()}
        body |= {"go": body["中"].to(body["_1"]), "on": body["_1"].to(body["文"]), "back": body["文"].to(body["中"])}
        foreign = type("Foreign", (StateMachine,), body)

        assert "    n --> n1 : go\n    n1 --> n_2 : on\n    n_2 --> n : back\n" in machine_picture(
            read_chart(foreign), "mermaid"
        )


class TestDot:
    def test_machine(self) -> None:
        """States are boxes, the beginning is a point, and a final state has two borders."""
        text = machine_picture(read_chart(Material), "dot", {"ordered"})

        assert (
            indent(
                dedent("""\
            subgraph "cluster " {
                label="Material"; style=rounded; color="#888888";
                "wanted" [label="Wanted"];
                "start " [shape=point, fillcolor=black, width=0.12, height=0.12, label=""];
                "start " -> "wanted";
                "ordered" [label="Ordered", fillcolor="#ffd54a", penwidth=2.5];
                "here" [label="Here", peripheries=2];
            }
            "wanted" -> "ordered" [label="order"];
            "ordered" -> "here" [label="arrive"];
            """),
                "    ",
            )
            in text
        )

    def test_whole_machines(self) -> None:
        """An arrow to or from a machine ends at its border."""
        text = dot(Shop)

        assert (
            '"order.processing" -> "start payment" [label="charge → authorize", style=dashed, color="#1565c0", '
            'fontcolor="#1565c0", lhead="cluster payment"];'
        ) in text
        assert '"joint abort" -> "start order" [label="cancel", style=dashed' in text
        assert '"order.processing" -> "order.shipped" [label="ship\\n[paid_first: In(payment.captured)]"];' in text

    def test_areas(self) -> None:
        """An arrow to a state with states inside ends at its border; one that stays inside begins at a hidden point."""
        text = machine_picture(read_chart(Player), "dot", {"playing"})

        assert '"off" -> "start playing" [label="start", lhead="cluster playing"];' in text
        assert '"start playing" -> "off" [label="stop", ltail="cluster playing"];' in text
        assert '"inside playing" -> "intro" [label="restart (internal)"];' in text
        assert '"inside playing" -> "inside playing" [label="again\\nnote (stays)"];' in text
        assert '"inside playing" [shape=point, style=invis' in text
        assert '"last" [label="H*", shape=circle' in text
        assert 'label="Playing"; style="rounded,solid"; color="#c77700"; penwidth=2.5;' in text

    def test_regions(self) -> None:
        """Regions have a broken border, and a parallel state has no beginning of its own."""
        text = machine_picture(read_chart(Desk), "dot")

        assert 'label="Lamp"; style="rounded,dashed"' in text
        assert '"start opened"' not in text
        assert '"shut" -> "start opened.lamp"' not in text
        assert '"shut" -> "start lamp" [label="unlock", lhead="cluster opened"];' in text

    def test_nested(self) -> None:
        """A nested orchestrator is a box around its machines, and a collection has a bold border."""
        text = dot(Plant)

        assert 'label="store: Store"; style=rounded;' in text
        assert 'label="materials: any number of Material"; style="rounded,bold";' in text

    def test_awkward_texts(self) -> None:
        """What means something to Graphviz is escaped."""
        text = dot(Awkwards)

        assert '[label="say \\"hi\\""]' in text
        assert '[label="two\\nlines"]' in text
        assert '[label="back\\\\slash \\\\N"]' in text
        assert '[label="&amp;amp; #35;"]' in text
        assert text.encode()


class TestMap:
    def test_mermaid(self) -> None:
        """A link map has a node for each machine, with the states that matter at the arrows."""
        assert link_map(Shop.__declaration__, "mermaid") == dedent("""\
            flowchart LR
                order("order: Order")
                payment("payment: Payment")
                joint_abort{{"abort"}}
                joint_abort ==>|"cancel"| order
                joint_abort ==>|"void"| payment
                order -->|"charge: processing → authorize"| payment
                payment -.->|"paid_first: allows ship"| order
                classDef joint fill:#ede7f6,stroke:#5e35b1,stroke-width:2px
                class joint_abort joint
            """)

    def test_dot(self) -> None:
        """The same in DOT."""
        text = link_map(Plant.__declaration__, "dot")

        assert '"order" [label="order: Order"];' in text
        assert '"store.materials" [label="materials: any number of Material", peripheries=2];' in text
        assert 'subgraph "cluster store" {' in text
        assert '"guard working_hours" -> "order" [' in text
        assert '"store.desk" -> "joint closing" [style=dotted' in text

    @pytest.mark.parametrize("orchestrator", [Shop, Plant, Store, Awkwards])
    def test_syntax(self, orchestrator: type) -> None:
        """Every line is of a kind that Mermaid knows."""
        text = link_map(orchestrator.__declaration__, "mermaid")

        assert [line for line in text.splitlines() if not FLOWCHART.fullmatch(line)] == []


class TestMarkdown:
    def test_shop(self) -> None:
        """Tables show members, states, transitions, links, guards and joint events."""
        text = markdown(Shop, configuration={"order": {"pending"}})

        assert text.startswith(
            dedent("""\
            # Shop

            | member | class | active |
            | --- | --- | --- |
            | `order` | Order | **pending** |
            | `payment` | Payment |  |

            ## order

            | state | text | kind | inside |
            | --- | --- | --- | --- |
            | **`pending`** | Waiting | initial |  |
            """)
        )
        assert text.endswith(
            dedent("""\
            ## Links

            | link | what it does |
            | --- | --- |
            | `charge` | `when(order.processing).send(payment.authorize)` |

            ## Guards

            | guard | event | is allowed while |
            | --- | --- | --- |
            | `paid_first` | `order.ship` | `In(payment.captured)` |

            ## Joint events

            | joint event | all of these, or none |
            | --- | --- |
            | `abort` | `order.cancel`, `payment.void` |
            """)
        )

    def test_nested(self) -> None:
        """What a nested orchestrator declares stands under its address."""
        text = markdown(Plant, configuration={"store.materials.a": {"here"}, "store.materials.b": {"here"}})

        assert "## Links of store\n" in text
        assert "| `store.materials` | any number of Material | **here** (2) |" in text
        assert "| `verse` | Verse | initial, invokes | `song` |" in text
        assert "| `restart` | `playing` | `intro` (internal) |  |" in text

    def test_rows_are_whole(self) -> None:
        """No text of a user breaks a table."""
        lines = [line for line in markdown(Awkwards).splitlines() if line.startswith("|")]

        assert {len(re.findall(r"(?<!\\)\|", line)) for line in lines} == {3, 5}


class TestUnknown:
    @pytest.mark.parametrize("draw", [picture, link_map])
    def test_format(self, draw) -> None:
        """An unknown format is refused with the known ones."""
        with pytest.raises(ValueError) as caught:
            draw(Shop.__declaration__, "pdf")

        assert str(caught.value).startswith("'pdf' is no format of a picture: write one of 'mermaid', 'dot'")

    def test_format_of_a_machine(self) -> None:
        """That of a single machine, too."""
        with pytest.raises(ValueError, match=r"write one of 'mermaid', 'dot'$"):
            machine_picture(read_chart(Order), "md")

    def test_class(self) -> None:
        """A machine whose class shows later is an empty box, until the class is passed."""
        declaration = Later.__declaration__

        assert '    state "gift: Unknown" as gift\n' in picture(declaration, "mermaid")
        assert 'label="?"' in picture(declaration, "dot")
        assert 'state "Wanted" as gift_wanted' in picture(declaration, "mermaid", None, {"gift": Material})

    def test_links_of_a_class(self) -> None:
        """So are a nested orchestrator whose class shows later, and what is linked with machines in it."""
        unknown, known = mermaid(Later), picture(Later.__declaration__, "mermaid", None, {"gift": Material})

        assert "    gift --> order : wrap#58; on wanted → process\n" in unknown
        assert "    order_shipped --> gift : deliver → arrive\n" in unknown
        assert "    order --> shop : outward#58; on cancel → order.cancel\n" in unknown
        assert "    gift_wanted --> order : wrap → process\n" in known

    def test_machine_without_end(self) -> None:
        """A machine without final states and without events of its own is drawn, too."""

        class Lamp(StateMachine):
            on = State(initial=True)
            stay = on.to.itself()

        assert machine_picture(read_chart(Lamp), "mermaid") == dedent("""\
            stateDiagram-v2
                state "On" as on
                [*] --> on
                on --> on : stay
            """)


class TestLinksToItself:
    def test_a_loop(self):
        """A link from a machine's state to the machine itself is a loop there, and says its delay in whole units."""

        class Late(Orchestrator):
            order: Order = machine(factory=Order)
            late = when("order.pending").after(14 * 86_400).send("order.cancel")

        assert '"order.pending" -> "order.pending" [label="late: after 14 days → cancel"' in format(Late, "dot")
        assert str(Late.late) == "when(order.pending).after(1209600).send(order.cancel)"

    @pytest.mark.parametrize(
        ("seconds", "text"), [(0.0, "0 s"), (1.5, "1.5 s"), (60.0, "1 minute"), (7200.0, "2 hours"), (90.0, "90 s")]
    )
    def test_durations(self, seconds, text):
        """A time is given in the greatest unit in which it is whole."""
        assert duration(seconds) == text
