"""
Everything `orca_bridge` raises.

```
OrcaError
├── DocumentError            the text was read and has errors
├── DocumentFileError        the path cannot be a document (also an OSError)
├── UnknownMachineError      the document has no machine of that name (also a LookupError)
├── UnknownTableError        the document has no decision table of that name (also a LookupError)
├── NoMatchingRuleError      no rule of a decision table matches (also a LookupError)
├── ConversionError          the definition cannot become a machine
├── WritingError             the definition cannot be written in this form
├── MissingActionError       actions or effects without a handler
├── InvocationError          a state cannot invoke its machine
├── ContextFieldsError       a class for the context does not fit the document (also a TypeError)
├── ContextTypeError         a context value is not of its declared type (also a TypeError)
└── EventlessLoopError       rows without an event that never come to rest (also a RuntimeError)
```
"""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from .syntax import Diagnostic

__all__ = (
    "ContextFieldsError",
    "ContextTypeError",
    "ConversionError",
    "DocumentError",
    "DocumentFileError",
    "EventlessLoopError",
    "InvocationError",
    "MissingActionError",
    "NoMatchingRuleError",
    "OrcaError",
    "UnknownMachineError",
    "UnknownTableError",
    "WritingError",
)


def _nearest(name: str, known: Iterable[str]) -> str:
    """The known name that `name` was probably meant to be, or nothing."""
    return next(iter(get_close_matches(name, list(known), n=1)), "")


class OrcaError(Exception):
    """Base of every error of this package."""


class DocumentError(OrcaError):
    """
    Raised when a document has reading errors.

    The text is every problem, rendered with its line and a caret, so that one run shows all of them.

    Attributes:
        name: The name of the document.
        diagnostics: Everything the reader found, warnings included, in document order.
    """

    def __init__(self, name: str, diagnostics: Sequence[Diagnostic]) -> None:
        self.name: str = name
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)
        errors = [diagnostic for diagnostic in self.diagnostics if diagnostic.severity == "error"]
        count = "1 error" if len(errors) == 1 else f"{len(errors)} errors"
        super().__init__("\n".join([f"{name} has {count}:", *map(str, errors)]))

    def __reduce__(self) -> tuple[type[DocumentError], tuple[object, ...]]:
        return type(self), (self.name, self.diagnostics)


class DocumentFileError(OrcaError, OSError):
    """
    Raised when a path cannot be a document: nothing is there, it is a directory, or its suffix is another.

    Attributes:
        path: The path as it was given.
        reason: Why it was refused, as a sentence.
    """

    def __init__(self, path: str, reason: str) -> None:
        self.path: str = path
        self.reason: str = reason
        # A path is one line; a document that was taken for one is not quoted whole.
        first, *others = path.splitlines() or [""]
        super().__init__(f"{first}{' ...' if others else ''}: {reason}")

    def __reduce__(self) -> tuple[type[DocumentFileError], tuple[object, ...]]:
        return type(self), (self.path, self.reason)


class UnknownMachineError(OrcaError, LookupError):
    """
    Raised when a machine is asked for by a name that its document does not define.

    Attributes:
        document: The name of the document.
        machine: The name that was asked for.
        known: The machines that the document does define.
    """

    def __init__(self, document: str, machine: str, known: Sequence[str]) -> None:
        self.document: str = document
        self.machine: str = machine
        self.known: tuple[str, ...] = tuple(known)
        near = _nearest(machine, known)
        hint = f" Did you mean {near!r}?" if near else ""
        listed = ", ".join(map(repr, known)) or "none"
        super().__init__(f"{document} defines no machine {machine!r}.{hint} It defines: {listed}.")

    def __reduce__(self) -> tuple[type[UnknownMachineError], tuple[object, ...]]:
        return type(self), (self.document, self.machine, self.known)


class UnknownTableError(OrcaError, LookupError):
    """
    Raised when a decision table is asked for by a name that its document does not define.

    Attributes:
        document: The name of the document.
        table: The name that was asked for; None for any table at all.
        known: The tables that the document does define.
    """

    def __init__(self, document: str, table: str | None, known: Sequence[str]) -> None:
        self.document: str = document
        self.table: str | None = table
        self.known: tuple[str, ...] = tuple(known)
        near = _nearest(table or "", known)
        hint = f" Did you mean {near!r}?" if near else ""
        wanted = f"no decision table {table!r}" if table is not None else "no decision table"
        super().__init__(f"{document} defines {wanted}.{hint} It defines: {', '.join(map(repr, known)) or 'none'}.")

    def __reduce__(self) -> tuple[type[UnknownTableError], tuple[object, ...]]:
        return type(self), (self.document, self.table, self.known)


class NoMatchingRuleError(OrcaError, LookupError):
    """
    Raised when a decision table is the handler of an action and none of its rules matches.

    Attributes:
        table: The name of the table.
        inputs: What it was asked with.
    """

    def __init__(self, table: str, inputs: Mapping[str, object]) -> None:
        self.table: str = table
        self.inputs: dict[str, object] = dict(inputs)
        asked = ", ".join(f"{name}={value!r}" for name, value in self.inputs.items())
        super().__init__(f"no rule of the decision table {table!r} matches {asked}; add one that asks for nothing")

    def __reduce__(self) -> tuple[type[NoMatchingRuleError], tuple[object, ...]]:
        return type(self), (self.table, self.inputs)


class ConversionError(OrcaError):
    """
    Raised when a definition that could be read cannot become a machine.

    Attributes:
        machine: The name of the machine.
        problems: All of them, one sentence each.
        warnings: What the reader remarked on the machine; it often says where the problem comes from.
        diagnostics: What can be shown in the text of the document.
    """

    def __init__(
        self,
        machine: str,
        problems: Sequence[str],
        warnings: Sequence[Diagnostic] = (),
        diagnostics: Sequence[Diagnostic] = (),
    ) -> None:
        self.machine: str = machine
        self.problems: tuple[str, ...] = tuple(problems)
        self.warnings: tuple[Diagnostic, ...] = tuple(warnings)
        self.diagnostics: tuple[Diagnostic, ...] = tuple(diagnostics)
        # What can be shown in the text is not told in words as well.
        shown = tuple(f"{found.code}:" for found in self.diagnostics)
        told = [f"- {problem}" for problem in self.problems if not shown or not problem.startswith(shown)]
        lines = [f"machine {machine!r} cannot be converted:", *told, *map(str, self.diagnostics)]
        if warnings:
            lines += ["what the reader remarked:", *map(str, warnings)]
        super().__init__("\n".join(lines))

    @classmethod
    def of_several(cls, errors: Sequence[ConversionError]) -> ConversionError:
        """Make one error of those of several machines."""
        names = list(dict.fromkeys(error.machine for error in errors))
        return cls(
            ", ".join(names),
            [problem for error in errors for problem in error.problems],
            list(dict.fromkeys(warning for error in errors for warning in error.warnings)),
            sorted((found for error in errors for found in error.diagnostics), key=lambda one: (one.line, one.column)),
        )

    def __reduce__(self) -> tuple[type[ConversionError], tuple[object, ...]]:
        return type(self), (self.machine, self.problems, self.warnings, self.diagnostics)


class WritingError(OrcaError):
    """
    Raised when a definition cannot be written without loss in the form that was asked for.

    Attributes:
        name: The definition or file.
        reason: Why it cannot be written.
    """

    def __init__(self, name: str, reason: str) -> None:
        self.name: str = name
        self.reason: str = reason
        super().__init__(f"{name} cannot be written: {reason}")

    def __reduce__(self) -> tuple[type[WritingError], tuple[object, ...]]:
        return type(self), (self.name, self.reason)


class MissingActionError(OrcaError):
    """
    Raised when a machine is made and actions of its document have no handler, nor have all of their effects.

    Attributes:
        machine: The name of the machine.
        missing: Every action that cannot run, in document order.
        available: Names of handlers that were given and belong to nothing.
        effects: For those of the actions that have effects, the types of effects without a handler.
        nearest: For some of the actions and effects, the handler whose name comes near.
    """

    def __init__(
        self,
        machine: str,
        missing: Sequence[str],
        available: Iterable[str] = (),
        effects: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.machine: str = machine
        self.missing: tuple[str, ...] = tuple(missing)
        self.available: tuple[str, ...] = tuple(available)
        self.effects: Mapping[str, tuple[str, ...]] = {name: tuple(kinds) for name, kinds in (effects or {}).items()}
        wanted = dict.fromkeys([*self.missing, *(kind for kinds in self.effects.values() for kind in kinds)])
        found = {name: _nearest(name, self.available) for name in wanted}
        self.nearest: Mapping[str, str] = {name: near for name, near in found.items() if near}
        named = ", ".join(self._named(name) for name in self.missing)
        advice = f"give actions={{{self.missing[0]!r}: function}} to load() or to the constructor"
        if self.effects:
            kind = next(iter(self.effects.values()))[0]
            advice += f"; the handler of an effect is called {kind!r} there"
        super().__init__(
            f"machine {machine!r} has no handler for {named}. Write a method of that name in a subclass, or {advice}."
        )

    def _named(self, name: str) -> str:
        near = f" (is {self.nearest[name]!r} meant to be it?)" if name in self.nearest else ""
        kinds = " and ".join(
            f"{kind!r}" + (f" (is {self.nearest[kind]!r} meant to be it?)" if kind in self.nearest else "")
            for kind in self.effects.get(name, ())
        )
        return f"{name!r}{near}" + (f" or its effect {kinds}" if kinds else "")

    def __reduce__(self) -> tuple[type[MissingActionError], tuple[object, ...]]:
        return type(self), (self.machine, self.missing, self.available, self.effects)


class InvocationError(OrcaError):
    """
    Raised when a state invokes a machine that cannot begin, and no row takes the event that says so.

    Attributes:
        machine: The machine whose state was entered.
        state: The path of the state.
        invoked: The machine that was to begin.
        code: What a row for the error finds as ``event.error.code``: ``UNKNOWN_MACHINE``, ``INVOKE_DEPTH`` or
            ``SHOTS_ON_CLASSICAL_CHILD``.
        reason: Why it cannot begin, and what to do.
    """

    def __init__(self, machine: str, state: str, invoked: str, code: str, reason: str) -> None:
        self.machine: str = machine
        self.state: str = state
        self.invoked: str = invoked
        self.code: str = code
        self.reason: str = reason
        super().__init__(f"state {state!r} of machine {machine!r} cannot invoke {invoked!r}: {reason}.")

    def __reduce__(self) -> tuple[type[InvocationError], tuple[object, ...]]:
        return type(self), (self.machine, self.state, self.invoked, self.code, self.reason)


class ContextFieldsError(OrcaError, TypeError):
    """
    Raised when a dataclass or a pydantic model is to be the context of a machine and does not fit its document.

    Attributes:
        machine: The name of the machine.
        context: The name of the class.
        problems: One sentence per field that is missing, too much, or of another type.
    """

    def __init__(self, machine: str, context: str, problems: Sequence[str]) -> None:
        self.machine: str = machine
        self.context: str = context
        self.problems: tuple[str, ...] = tuple(problems)
        lines = [f"{context} does not fit the context of machine {machine!r}:", *(f"- {one}" for one in self.problems)]
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type[ContextFieldsError], tuple[object, ...]]:
        return type(self), (self.machine, self.context, self.problems)


class ContextTypeError(OrcaError, TypeError):
    """
    Raised when, with ``typing="strict"``, a context value is not of its declared type.

    Attributes:
        machine: The name of the machine.
        problems: One sentence per field.
    """

    def __init__(self, machine: str, problems: Sequence[str]) -> None:
        self.machine: str = machine
        self.problems: tuple[str, ...] = tuple(problems)
        super().__init__(f"context of machine {machine!r}: {'; '.join(problems)}")

    def __reduce__(self) -> tuple[type[ContextTypeError], tuple[object, ...]]:
        return type(self), (self.machine, self.problems)


class EventlessLoopError(OrcaError, RuntimeError):
    """
    Raised when a machine goes on and on by itself, by eventless rows or by rows for its own done and error events.

    Attributes:
        machine: The name of the machine.
        limit: How many were taken.
        row: The row that would have been the next one.
    """

    def __init__(self, machine: str, limit: int, row: str) -> None:
        self.machine: str = machine
        self.limit: int = limit
        self.row: str = row
        super().__init__(
            f"machine {machine!r} took {limit} rows by itself and has not come to rest; the next one is {row}. "
            f"Give that row a guard that becomes false, or an event."
        )

    def __reduce__(self) -> tuple[type[EventlessLoopError], tuple[object, ...]]:
        return type(self), (self.machine, self.limit, self.row)
