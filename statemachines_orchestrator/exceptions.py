"""
Everything this package raises on its own account.

```
OrchestratorError
├── MistakeError                             several of one kind are raised together, see `problems`
│   ├── DefinitionError                      when a class is made
│   │   ├── NoMachinesOnOrchestratorError
│   │   ├── AnnotationIsNotAStateMachineError
│   │   ├── UnexpectedAnnotationTypeError
│   │   ├── FieldDefaultError
│   │   ├── ReservedNameError
│   │   ├── UnsoundMachineError
│   │   ├── DeadHookError
│   │   ├── CallbackParameterError
│   │   └── RuleError                        links, guards and joint events
│   │       ├── UnknownNameError
│   │       ├── WrongNameError
│   │       ├── LinkDefinitionError
│   │       │   └── LinkCycleError
│   │       ├── GuardDefinitionError
│   │       └── JointDefinitionError
│   └── ConstructionError                    when an instance is made
│       ├── ArgumentsError                   (a TypeError, too)
│       ├── NotAMachineError                 (a TypeError, too)
│       ├── MachineInUseError
│       ├── KeyTakenError
│       ├── EndlessNestingError
│       └── StateFieldIsNotUniqueError
├── UnknownMachineError                      (a LookupError, too)
├── UnknownEventError                        (a LookupError, too)
├── MemberAccessError                        (an AttributeError, too)
│   ├── MemberAssignmentError
│   ├── MemberNotMadeError
│   ├── RuleAssignmentError
│   └── DataDeletionError
├── GuardRefused                             (python-statemachine's TransitionNotAllowed, too)
├── LinkRefused                              (python-statemachine's TransitionNotAllowed, too)
├── JointEventRefused                        (python-statemachine's TransitionNotAllowed, too)
├── SharedEventError                         (a TypeError, too)
├── LinkLoopError                            (a RuntimeError, too)
├── SnapshotError                            (a ValueError, too)
│   ├── UnsavableError
│   ├── SnapshotFormatError
│   ├── SnapshotMismatchError
│   └── MigrationError
├── StepCancelledError
├── StepRunningError                         (a RuntimeError, too)
├── RecordFileError                          (a ValueError, too)
├── MissingExtraError                        (an ImportError, too)
└── DrawingError                             (a RuntimeError, too)
```

What a machine refuses is python-statemachine's `TransitionNotAllowed`, as without an orchestrator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from statemachine.exceptions import TransitionNotAllowed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = (
    "AnnotationIsNotAStateMachineError",
    "ArgumentsError",
    "CallbackParameterError",
    "ConstructionError",
    "DataDeletionError",
    "DeadHookError",
    "DefinitionError",
    "DrawingError",
    "EndlessNestingError",
    "FieldDefaultError",
    "GuardDefinitionError",
    "GuardRefused",
    "JointDefinitionError",
    "JointEventRefused",
    "KeyTakenError",
    "LinkCycleError",
    "LinkDefinitionError",
    "LinkLoopError",
    "LinkRefused",
    "MachineInUseError",
    "MemberAccessError",
    "MemberAssignmentError",
    "MemberNotMadeError",
    "MigrationError",
    "MissingExtraError",
    "MistakeError",
    "NoMachinesOnOrchestratorError",
    "NotAMachineError",
    "OrchestratorError",
    "RecordFileError",
    "ReservedNameError",
    "RuleAssignmentError",
    "RuleError",
    "SharedEventError",
    "SnapshotError",
    "SnapshotFormatError",
    "SnapshotMismatchError",
    "StateFieldIsNotUniqueError",
    "StepCancelledError",
    "StepRunningError",
    "UnexpectedAnnotationTypeError",
    "UnknownEventError",
    "UnknownMachineError",
    "UnknownNameError",
    "UnsavableError",
    "UnsoundMachineError",
    "WrongNameError",
)


class OrchestratorError(Exception):
    """Raised when something about an orchestrator is wrong; the base of all errors of this package."""


class MistakeError(OrchestratorError):
    """
    Raised when an orchestrator is declared or made wrongly.

    All mistakes are found in one go. The exception raised is the first of them, and `problems` lists all.

    Args:
        where: The dotted place of the mistake, such as ``Shop.order``.
        what: What is wrong there, as a sentence without its full stop.
        instead: What to write instead, as a sentence without its full stop.
    """

    def __init__(self, where: str, what: str, instead: str) -> None:
        super().__init__(where, what, instead)
        self.where = where
        self.what = what
        self.instead = instead
        self.problems: tuple[MistakeError, ...] = (self,)
        """This mistake and all that were found together with it, in the order of the declaration."""

    @classmethod
    def first_of(cls, problems: Sequence[MistakeError]) -> MistakeError:
        """Return the first of several mistakes, which then tells of all of them."""
        first = problems[0]
        first.problems = tuple(problems)
        return first

    @property
    def text(self) -> str:
        """This mistake alone, in one line."""
        stop = "" if self.instead.endswith(("?", ".")) else "."
        return f"{self.where}: {self.what}. {self.instead}{stop}"

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return self.text
        lines = [f"  {number}. {problem.text}" for number, problem in enumerate(self.problems, 1)]
        owner = self.where.partition(".")[0]
        return "\n".join([f"{owner} has {len(self.problems)} mistakes:", *lines])


class DefinitionError(MistakeError):
    """Raised when an orchestrator class is made and its declaration is wrong."""


class NoMachinesOnOrchestratorError(DefinitionError):
    """Raised when an orchestrator class that is not abstract declares no machine."""


class AnnotationIsNotAStateMachineError(DefinitionError):
    """Raised when a field is annotated with something that is no machine and is not declared with `data()`."""


class UnexpectedAnnotationTypeError(DefinitionError):
    """Raised when a field's annotation is no type at all."""


class FieldDefaultError(DefinitionError):
    """Raised when a field's default does not fit, or when fields are in an impossible order."""


class ReservedNameError(DefinitionError):
    """Raised when a name already means something to the orchestrator or to python-statemachine."""


class UnsoundMachineError(DefinitionError):
    """Raised when a member's class cannot run, for example because two of its states share an id."""


class DeadHookError(DefinitionError):
    """Raised when a method of a member's class looks like a hook, but no state or event ever calls it."""


class CallbackParameterError(DefinitionError):
    """Raised when a callback of a member asks for something that it can never receive."""


class RuleError(DefinitionError):
    """Raised when a link, a guard or a joint event is declared wrongly."""


class UnknownNameError(RuleError):
    """Raised when a rule names a member, a state or an event that does not exist."""


class WrongNameError(RuleError):
    """Raised when what a rule names cannot stand there, such as a state where an event is sent."""


class LinkDefinitionError(RuleError):
    """Raised when a link is unfinished, can never fire, or can never do what it says."""


class LinkCycleError(LinkDefinitionError):
    """Raised when links cause each other in a circle that no machine can end."""


class GuardDefinitionError(RuleError):
    """Raised when a guard can never allow its event."""


class JointDefinitionError(RuleError):
    """Raised when a joint event cannot happen."""


class ConstructionError(MistakeError):
    """Raised when an orchestrator cannot be made of what was passed; nothing that was passed is changed."""


class ArgumentsError(ConstructionError, TypeError):
    """Raised when arguments are missing, unknown or given twice."""


class NotAMachineError(ConstructionError, TypeError):
    """Raised when a member is given something that is no machine of its declared class."""


class MachineInUseError(ConstructionError):
    """Raised when a machine belongs to another orchestrator already, or is passed for two members."""


class KeyTakenError(ConstructionError):
    """Raised when a machine is added to a collection under a key that another one has."""


class EndlessNestingError(ConstructionError):
    """Raised when orchestrators are made as parts of each other without end."""


class StateFieldIsNotUniqueError(ConstructionError):
    """Raised when two members keep their state in the same field of the same model."""


class UnknownMachineError(OrchestratorError, LookupError):
    """Raised when an address names a member that the orchestrator does not have."""

    def __init__(self, owner: str, address: str, nearest: str | None, members: Sequence[str]) -> None:
        super().__init__(owner, address, nearest, members)
        self.owner = owner
        self.address = address
        self.nearest = nearest
        self.members: tuple[str, ...] = tuple(members)

    def __str__(self) -> str:
        hint = f" Did you mean {self.nearest!r}?" if self.nearest else ""
        known = ", ".join(self.members)
        return f"{self.owner} has no member for the address {self.address!r}.{hint} Its members are: {known}."


class UnknownEventError(OrchestratorError, LookupError):
    """Raised when an address names an event that the member does not declare."""

    def __init__(self, owner: str, member: str, event: str, nearest: str | None, events: Sequence[str]) -> None:
        super().__init__(owner, member, event, nearest, events)
        self.owner = owner
        self.member = member
        self.event = event
        self.nearest = nearest
        self.events: tuple[str, ...] = tuple(events)

    def __str__(self) -> str:
        hint = f" Did you mean '{self.member}.{self.nearest}'?" if self.nearest else ""
        known = ", ".join(self.events)
        if not self.event:
            return f"the address {self.member!r} names no event. Write {self.member}. and one of: {known}."
        return (
            f"{self.owner}.{self.member} declares no event {self.event!r}, so it can never take it.{hint} "
            f"Its events are: {known}."
        )


class MemberAccessError(OrchestratorError, AttributeError):
    """Raised when a member is read or written at the wrong time."""

    def __init__(self, owner: str, member: str) -> None:
        super().__init__(owner, member)
        self.owner = owner
        self.member = member


class MemberAssignmentError(MemberAccessError):
    """Raised when a member is replaced or deleted after the orchestrator was made."""

    def __str__(self) -> str:
        return (
            f"{self.owner}.{self.member} is a member, and members stay the same from the beginning to the end. "
            f"Make another {self.owner}, or send {self.member!r} an event."
        )


class MemberNotMadeError(MemberAccessError):
    """Raised when a member is read before it exists, while the orchestrator is being made."""

    def __str__(self) -> str:
        return (
            f"{self.owner}.{self.member} is not made yet. Members are made in the order of their declaration and "
            f"enter their initial states when all of them exist. A constructor of your own calls super().__init__() "
            f"first; @dataclass does not, and is not needed."
        )


class RuleAssignmentError(MemberAccessError):
    """Raised when a link, a guard, a joint event or the tuple of them is replaced after the class was made."""

    def __str__(self) -> str:
        return (
            f"{self.owner}.{self.member}: links, guards and joint events are written in the class body and stay as "
            f"they are. "
            f"What is to change while the system runs goes into a condition: .given(lambda orc: orc.some_data)."
        )


class DataDeletionError(MemberAccessError):
    """Raised when declared data is deleted."""

    def __str__(self) -> str:
        return f"{self.owner}.{self.member} is declared data and always has a value. Bind another one, such as None."


class GuardRefused(OrchestratorError, TransitionNotAllowed):  # noqa: N818 - it is a refusal, no mistake
    """
    Raised when a guard of the orchestrator forbids an event.

    Args:
        event: The event, as python-statemachine has it.
        configuration: The active states of the machine.
        address: The member's event, such as ``order.ship``.
        guard: The guard, such as ``Shop.paid_first``.
        needs: The condition that has to hold.
        case: What is the case instead.
    """

    def __init__(  # noqa: PLR0917 - as they are pickled
        self, event: Any, configuration: Any, address: str, guard: str, needs: str, case: str
    ) -> None:
        TransitionNotAllowed.__init__(self, event, configuration)
        self.address = address
        self.guard = guard
        self.needs = needs
        self.case = case
        self.args: tuple[Any, ...] = (event, configuration, address, guard, needs, case)

    def __str__(self) -> str:
        case = f", but {self.case}" if self.case else ", and that does not hold"
        return f"{self.address} is forbidden by the guard {self.guard}: it needs {self.needs}{case}."


class LinkRefused(OrchestratorError, TransitionNotAllowed):  # noqa: N818 - it is a refusal, no mistake
    """
    Raised when the event of a link is refused, and the link does not say what to do then.

    Args:
        event: The event, as python-statemachine has it.
        configuration: The active states of the machine.
        link: The link, as it was declared.
        address: The member's event, such as ``payment.authorize``.
        why: Why it was refused.
    """

    def __init__(self, event: Any, configuration: Any, link: str, address: str, why: str) -> None:
        TransitionNotAllowed.__init__(self, event, configuration)
        self.link = link
        self.address = address
        self.why = why
        self.args: tuple[Any, ...] = (event, configuration, link, address, why)

    def __str__(self) -> str:
        return (
            f"{self.address} was refused, sent by the link {self.link}: {self.why}. "
            f"Write refused='ignore' or refused='hold' if that may happen."
        )


class JointEventRefused(OrchestratorError, TransitionNotAllowed):  # noqa: N818 - it is a refusal, no mistake
    """
    Raised when somebody refuses to take part in a joint event; nobody has moved.

    Args:
        event: The first refused event, as python-statemachine has it; of a joint event that its own guard forbids
            the first one, None if nobody was to take part.
        configuration: The active states of the machine whose event it is.
        joint: The joint event, such as ``Shop.abort``.
        refusals: Why, by the address of each event that was refused.
    """

    def __init__(self, event: Any, configuration: Any, joint: str, refusals: Mapping[str, str]) -> None:
        TransitionNotAllowed.__init__(self, event, configuration)
        self.joint = joint
        self.refusals: dict[str, str] = dict(refusals)
        self.args: tuple[Any, ...] = (event, configuration, joint, self.refusals)

    def __str__(self) -> str:
        reasons = "; ".join(f"{address}: {why}" for address, why in self.refusals.items())
        return f"the joint event {self.joint} was refused, and nobody has moved. {reasons}."


class SharedEventError(OrchestratorError, TypeError):
    """Raised when an event is called alone that belongs to several joint events."""

    def __init__(self, address: str, joints: Sequence[str]) -> None:
        super().__init__(address, joints)
        self.address = address
        self.joints: tuple[str, ...] = tuple(joints)

    def __str__(self) -> str:
        names = " and ".join(self.joints)
        return (
            f"{self.address} belongs to the joint events {names}, and happens only through one of them: call that one."
        )


class LinkLoopError(OrchestratorError, RuntimeError):
    """
    Raised when a step delivers more events than `max_deliveries`.

    Args:
        owner: Name of the orchestrator class.
        deliveries: How many events the step has delivered.
        cycle: The links that caused each other, in order; empty if no cycle was found.
    """

    def __init__(self, owner: str, deliveries: int, cycle: Sequence[str]) -> None:
        super().__init__(owner, deliveries, cycle)
        self.owner = owner
        self.deliveries = deliveries
        self.cycle: tuple[str, ...] = tuple(cycle)

    def __str__(self) -> str:
        lines = "".join(f"\n  {link}" for link in self.cycle)
        if not lines:
            return (
                f"a step of {self.owner} has delivered {self.deliveries} events and was put back. "
                f"Write class {self.owner}(Orchestrator, max_deliveries=...) if it needs more."
            )
        return (
            f"a step of {self.owner} has delivered {self.deliveries} events and was put back: "
            f"these links cause each other again and again:{lines}\n"
            f"End the circle with .given(...), or write max_deliveries=... in the class line if it ends later."
        )


class SnapshotError(OrchestratorError, ValueError):
    """
    Raised when a snapshot cannot be taken, read or restored; nothing has been changed.

    Args:
        what: What could not be done, as a sentence without its full stop.
        problems: Why: everything that was found, each as a sentence.
    """

    def __init__(self, what: str, problems: Sequence[str]) -> None:
        super().__init__(what, problems)
        self.what = what
        self.problems: tuple[str, ...] = tuple(problems)

    def __str__(self) -> str:
        if len(self.problems) == 1:
            return f"{self.what}: {self.problems[0]}"
        lines = [f"  {number}. {problem}" for number, problem in enumerate(self.problems, 1)]
        return "\n".join([f"{self.what}, for {len(self.problems)} reasons:", *lines])


class UnsavableError(SnapshotError):
    """Raised when a snapshot is taken and something cannot be saved."""


class SnapshotFormatError(SnapshotError):
    """Raised when a text is no snapshot: not a whole one, changed, or in the format of a later release."""


class SnapshotMismatchError(SnapshotError):
    """Raised when a snapshot of another class or definition is restored, or one that does not fit the class."""


class MigrationError(SnapshotError):
    """Raised when there is no way from the version of a snapshot to that of the class, or when the way fails."""


class StepCancelledError(OrchestratorError):
    """Raised for who waits for an event whose step was cancelled by another task."""

    def __str__(self) -> str:
        return "the task that delivered this event was cancelled, so its step was put back: the event has not happened"


class StepRunningError(OrchestratorError, RuntimeError):
    """Raised when something can only be done between steps."""

    def __init__(self, owner: str, doing: str) -> None:
        super().__init__(owner, doing)
        self.owner = owner
        self.doing = doing

    def __str__(self) -> str:
        return (
            f"{self.owner} is in the middle of a step, and that is no time to {self.doing}. "
            f"Do it when the event call has returned."
        )


class RecordFileError(OrchestratorError, ValueError):
    """Raised when a line that should hold a record of an observed step does not."""

    def __init__(self, source: str, line: int, why: str) -> None:
        super().__init__(source, line, why)
        self.source = source
        """The name of the file."""
        self.line = line
        """The number of the line, counted from 1."""
        self.why = why

    def __str__(self) -> str:
        return f"{self.source}, line {self.line}: {self.why}. Each line has to be what a JsonLinesObserver has written."


class MissingExtraError(OrchestratorError, ImportError):
    """Raised when something needs a package that is installed only on request."""

    def __init__(self, what: str, package: str, extra: str) -> None:
        super().__init__(what, package, extra)
        self.what = what
        self.package = package
        self.extra = extra

    def __str__(self) -> str:
        return (
            f"{self.what} needs the package {self.package}, which is not installed. "
            f"Install it with: pip install 'statemachines-orchestrator[{self.extra}]'."
        )


class DrawingError(OrchestratorError, RuntimeError):
    """Raised when the program that draws pictures fails."""

    def __init__(self, program: str, why: str) -> None:
        super().__init__(program, why)
        self.program = program
        self.why = why

    def __str__(self) -> str:
        return f"{self.program} has drawn no picture: {self.why}. The text of the picture is to be had without it."
