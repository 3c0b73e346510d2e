"""Steps as sequence diagrams."""

from __future__ import annotations

import re
from textwrap import dedent

from statemachines_orchestrator.draw import sequence
from statemachines_orchestrator.system import (
    EventHeld,
    EventRefused,
    LinkFired,
    Moved,
    StepEnded,
    StepStarted,
    TimerChanged,
)

STEP = [
    StepStarted(1, 0.0, "order", "process"),
    Moved(1, "order", "process", ("pending",), ("processing",), None),
    LinkFired(1, "Shop.charge", "order", "payment", "authorize"),
    Moved(1, "payment", "authorize", ("unpaid",), ("authorized",), "Shop.charge"),
    StepEnded(1, 0.0, "order=processing payment=authorized", None, put_back=False),
]


def body(*records):
    """The lines of a diagram after those that name who takes part."""
    lines = sequence(records).splitlines()
    return [line.strip() for line in lines[1:] if not re.match(r" +(actor|participant) ", line)]


class TestSequence:
    def test_step(self) -> None:
        """A step is an event from outside, moves, and events of links."""
        assert sequence(STEP) == dedent("""\
            sequenceDiagram
                actor outside as outside
                participant order as order
                participant payment as payment
                Note over outside,payment : step 1 at 0 s
                outside->>order : process
                Note over order : process#58; pending → processing
                order->>payment : authorize<br/>by Shop.charge
                Note over payment : authorize#58; unpaid → authorized<br/>by Shop.charge
                Note over outside,payment : step 1#58; order=processing payment=authorized
            """)

    def test_functions_and_conditions(self) -> None:
        """A link may call a function, and may be triggered by a condition of the system."""
        assert body(
            LinkFired(1, "Shop.tell", "order", "", None), LinkFired(1, "Shop.both", "", "order", "process")
        ) == ["Note over order : Shop.tell calls its function", "system->>order : process<br/>by Shop.both"]

    def test_refused(self) -> None:
        """A refusal goes back to whose move caused it, or outside."""
        why = 'payment is in "voided"; no'
        first, *_, last = body(
            EventRefused(1, "payment", "void", "over", None),
            LinkFired(1, "Shop.charge", "order", "payment", "authorize"),
            EventRefused(1, "payment", "authorize", why, "Shop.charge"),
        )

        assert first == "payment--xpayment : void is refused#58; over"
        assert last == "payment--xorder : authorize is refused#58; payment is in #34;voided#34;#59; no"
        assert "payment--xoutside : void is refused#58; over" in body(
            StepStarted(1, 0.0, "payment", "void"), EventRefused(1, "payment", "void", "over", None)
        )

    def test_waiting(self) -> None:
        """Held events, timers, and moves without an event, without a way or at the beginning are notes."""
        assert body(
            EventHeld(1, "Shop.charge", "payment", "authorize"),
            TimerChanged(1, "set", 2.5, "payment", "expire", None),
            TimerChanged(1, "fired", 2.5, "payment", None, "Shop.late"),
            Moved(1, "payment", None, ("a",), ("b",), None),
            Moved(1, "payment", "note", (), (), None),
            Moved(1, "payment", None, (), ("a", "b"), None),
        ) == [
            "Note over payment : authorize is held<br/>for Shop.charge",
            "Note over payment : expire#58; set, due at 2.5 s",
            "Note over payment : a timer#58; fired, due at 2.5 s<br/>of Shop.late",
            "Note over payment : no event#58; a → b",
            "Note over payment : note#58; #183; → #183;",
            "Note over payment : begins in a b",
        ]

    def test_failure(self) -> None:
        """A step that failed says with what, and whether it was put back."""
        moved = Moved(1, "order", "process", ("a",), ("b",), None)
        failed = StepEnded(1, 0.0, "order=a", "ValueError: no; end", put_back=True)
        kept = StepEnded(2, 0.0, "order=b", "ValueError", put_back=False)

        assert body(moved, failed, kept)[1:] == [
            "Note over order : step 1#58; failed and was put back#58; ValueError#58; no#59;<br/>end<br/>order=a",
            "Note over order : step 2#58; failed and was not put back#58; ValueError<br/>order=b",
        ]

    def test_names(self) -> None:
        """Members may be called as they like."""
        text = sequence([StepStarted(1, 0.0, "end", "e"), Moved(1, "store.parts[m-1]", "e", ("a",), ("b",), None)])

        assert "    participant end_ as end\n" in text
        assert "    participant store_parts_m_1 as store.parts[m-1]\n" in text
        assert "outside->>end_ : e" in text

    def test_nobody(self) -> None:
        """A step in which nobody takes part, and no step at all, are empty pictures."""
        start, end = StepStarted(1, 0.0, None, None), StepEnded(1, 0.0, "-", None, put_back=False)

        assert sequence([start, end]) == sequence([]) == "sequenceDiagram\n"
