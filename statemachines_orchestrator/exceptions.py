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
│   │   └── CallbackParameterError
│   └── ConstructionError                    when an instance is made
│       ├── ArgumentsError                   (a TypeError, too)
│       ├── NotAMachineError                 (a TypeError, too)
│       ├── MachineInUseError
│       └── StateFieldIsNotUniqueError
├── UnknownMachineError                      (a LookupError, too)
├── UnknownEventError                        (a LookupError, too)
├── MemberAccessError                        (an AttributeError, too)
│   ├── MemberAssignmentError
│   ├── MemberNotMadeError
│   └── DataDeletionError
├── StepCancelledError
└── StepRunningError                         (a RuntimeError, too)
```

What a machine refuses is python-statemachine's `TransitionNotAllowed`, as without an orchestrator.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = (
    "AnnotationIsNotAStateMachineError",
    "ArgumentsError",
    "CallbackParameterError",
    "ConstructionError",
    "DataDeletionError",
    "DeadHookError",
    "DefinitionError",
    "FieldDefaultError",
    "MachineInUseError",
    "MemberAccessError",
    "MemberAssignmentError",
    "MemberNotMadeError",
    "MistakeError",
    "NoMachinesOnOrchestratorError",
    "NotAMachineError",
    "OrchestratorError",
    "ReservedNameError",
    "StateFieldIsNotUniqueError",
    "StepCancelledError",
    "StepRunningError",
    "UnexpectedAnnotationTypeError",
    "UnknownEventError",
    "UnknownMachineError",
    "UnsoundMachineError",
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


class ConstructionError(MistakeError):
    """Raised when an orchestrator cannot be made of what was passed; nothing that was passed is changed."""


class ArgumentsError(ConstructionError, TypeError):
    """Raised when arguments are missing, unknown or given twice."""


class NotAMachineError(ConstructionError, TypeError):
    """Raised when a member is given something that is no machine of its declared class."""


class MachineInUseError(ConstructionError):
    """Raised when a machine belongs to another orchestrator already, or is passed for two members."""


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


class DataDeletionError(MemberAccessError):
    """Raised when declared data is deleted."""

    def __str__(self) -> str:
        return f"{self.owner}.{self.member} is declared data and always has a value. Bind another one, such as None."


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
            f"{self.owner} is in the middle of a step, and half a step is not a state to {self.doing} from. "
            f"{self.doing.capitalize()} it when the event call has returned."
        )
