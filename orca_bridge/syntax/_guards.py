"""
Guard expressions: the grammar of language.md 6 as a recursive descent parser.

The first fault ends the parse of its expression; the next guard is read all the same. Comparisons come out
with the path on the left whatever side it was written on, so later layers meet one form.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, TypeAlias

from orca_bridge.definition import (
    And,
    BoolLiteral,
    Comparison,
    Else,
    Expression,
    GuardName,
    Not,
    NullTest,
    Operand,
    Or,
    Path,
    Truth,
    TypeExpression,
    Value,
)

from ._diagnostics import Diagnostic, Findings
from ._literals import unescaped
from ._source import Text, split_lines
from ._tokens import GuardFault, Sign, Token, comparison_sign, number_of, refusal, tokenize

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_DEEPEST = 64
_ROOTS: Mapping[str, Literal["context", "event"]] = MappingProxyType(
    {"ctx": "context", "context": "context", "event": "event", "payload": "event"}
)
_CONSTANTS: Mapping[str, bool | None] = MappingProxyType(
    {"true": True, "false": False, "null": None, "none": None, "nil": None}
)
_RESERVED = frozenset({"and", "or", "not", "is", "else", "in"})
_WORDS = frozenset({*_ROOTS, *_CONSTANTS, *_RESERVED})
_MIRRORED: Mapping[str, Sign] = MappingProxyType({"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="})
_DIRECTIONS = (frozenset({"<", "<="}), frozenset({">", ">="}), frozenset({"=="}))
_NOTHING: Mapping[str, TypeExpression] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class GuardScope:
    """The names an expression may use."""

    fields: Mapping[str, TypeExpression] = field(default_factory=dict)
    guards: Collection[str] = frozenset()
    in_cell: bool = False
    """A Guard cell: ``else`` is allowed, and a lone name must be a guard or field."""

    lines: Mapping[str, int] = field(default_factory=dict)
    """Where the guards are declared, as far as that is known."""

    def knows(self, name: str) -> bool:
        """Tell whether a name is declared."""
        return name in self.fields or name in self.guards


@dataclass(frozen=True, slots=True)
class GuardReading:
    """What `parse_guard` found."""

    expression: Expression | None
    """None if there is an error."""
    diagnostics: tuple[Diagnostic, ...]


def parse_guard(
    text: str,
    *,
    fields: Mapping[str, TypeExpression] = _NOTHING,
    guards: Collection[str] = frozenset(),
    in_cell: bool = False,
    name: str = "<string>",
) -> GuardReading:
    """
    Read one guard expression.

    Args:
        text: The expression, without back-ticks around it; only its first line is read.
        fields: The declared context fields.
        guards: The names of the declared guards.
        in_cell: Whether it is the Guard cell of a transition, where ``else`` is allowed and a lone name must
            be a guard or a field.
        name: How diagnostics call the file.
    """
    lines = split_lines(text)
    findings = Findings(name, lines)
    expression = read_guard(Text.at(lines[0]), GuardScope(fields, guards, in_cell), findings)
    return GuardReading(expression, findings.diagnostics())


def read_guard(text: Text, scope: GuardScope, findings: Findings) -> Expression | None:
    """Read one guard expression and report what is wrong with it."""
    if text.value in scope.guards and text.value.lower() not in _WORDS:
        # What most Guard cells hold, read without a parser.
        return GuardName(text.value, text.span)
    try:
        parser = _Parser(text, scope, findings)
        return parser.guard()
    except GuardFault as fault:
        findings.error(fault.code, fault.message, fault.text, fault.suggestion)
        return None


class _Parser:
    def __init__(self, text: Text, scope: GuardScope, findings: Findings) -> None:
        self.text = text
        self.scope = scope
        self.findings = findings
        self.tokens = tokenize(text)
        self.position = 0
        self.depth = 0

    # The tokens.

    @property
    def token(self) -> Token:
        return self.tokens[self.position]

    def at_end(self) -> bool:
        return self.token.kind == "end"

    def take(self) -> Token:
        token = self.token
        self.position += token.kind != "end"
        return token

    def accept(self, *words: str) -> bool:
        found = self.token.word in words
        self.position += found
        return found

    def left_over(self) -> GuardFault:
        following = self.tokens[min(self.position + 1, len(self.tokens) - 1)]
        return refusal(following if self.token.word == "not" and following.word == "in" else self.token)

    # The grammar, one method a rule.

    def guard(self) -> Expression:
        if self.at_end():
            raise GuardFault("the expression is empty", self.text, "write a condition, as in 'ctx.count < 3'")
        if self.scope.in_cell and self.token.word == "else" and len(self.tokens) == 2:  # noqa: PLR2004 - and the end
            return Else()
        found = self.disjunction()
        if not self.at_end():
            raise self.left_over()
        return found

    def disjunction(self) -> Expression:
        operands = [self.conjunction()]
        while self.accept("or", "||"):
            operands.append(self.conjunction())
        return operands[0] if len(operands) == 1 else Or(tuple(operands))

    def conjunction(self) -> Expression:
        operands = [self.negation()]
        while self.accept("and", "&&"):
            operands.append(self.negation())
        return operands[0] if len(operands) == 1 else And(tuple(operands))

    def negation(self) -> Expression:
        count = 0
        start = self.token
        while self.accept("not", "!"):
            count += 1
        if self.depth + count > _DEEPEST:
            raise _too_deep(start)
        found = self.test()
        return Not(found) if count % 2 else found

    def test(self) -> Expression:
        if self.token.word == "(":
            return self.parenthesis()
        start = self.token
        first = self.operand()
        if self.accept("is"):
            return self.nullness(first, start)
        if comparison_sign(self.token):
            return self.chain(first, start)
        return self.lone(first, start)

    def parenthesis(self) -> Expression:
        opening = self.take()
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _too_deep(opening)
        if self.token.word == ")":
            raise GuardFault("the parentheses are empty", opening.text, "write a condition between them")
        found = self.disjunction()
        if self.at_end():
            raise GuardFault("the parenthesis is not closed", opening.text, "add ')'")
        if not self.accept(")"):
            raise self.left_over()
        if comparison_sign(self.token):
            raise GuardFault("a parenthesis cannot be compared", opening.text, "write the path without parentheses")
        self.depth -= 1
        return found

    def nullness(self, operand: _Operand, start: Token) -> Expression:
        negated = self.accept("not")
        if self.token.word not in {"null", "none", "nil"}:
            message = "only 'null' can follow 'is'"
            raise GuardFault(message, self.token.text, "write '== value' to compare with another value")
        self.take()
        if isinstance(operand, Value):
            raise GuardFault("only a field can be null", start.text, "write a path, as in 'ctx.name is null'")
        return NullTest(self.compared(operand), negated)

    def chain(self, first: _Operand, start: Token) -> Expression:
        operands, starts = [first], [start]
        signs: list[Sign] = []
        while sign := comparison_sign(self.token):
            signs.append(sign)
            token = self.take()
            if len(signs) > 1 and not any(set(signs) <= direction for direction in _DIRECTIONS):
                message = "the comparisons of this chain point in different directions"
                raise GuardFault(message, token.text, "write two comparisons joined by 'and'")
            starts.append(self.token)
            operands.append(self.operand())
        resolved = [self.resolved(operands, signs, index) for index in range(len(operands))]
        pairs = zip(resolved, signs, resolved[1:], starts, strict=False)
        tests = tuple(self.comparison(left, sign, right, place) for left, sign, right, place in pairs)
        return tests[0] if len(tests) == 1 else And(tests)

    def resolved(self, operands: list[_Operand], signs: list[Sign], index: int) -> Operand:
        """Decide what an operand of a chain is; only a bare word leaves a choice."""
        operand = operands[index]
        if isinstance(operand, Value):
            return operand
        # `ctx.s == active` means the text; on the left, beside a literal and with "<" it is a field.
        is_text = index > 0 and not isinstance(operands[index - 1], Value) and set(signs) <= {"==", "!="}
        if is_text and isinstance(operand, _Word) and not self.scope.knows(operand.value):
            return Value(operand.value)
        return self.compared(operand)

    def compared(self, operand: Path | _Word) -> Path:
        """Turn a bare word beside a comparison into the field it names."""
        if isinstance(operand, Path):
            return operand
        if operand.value in self.scope.guards and operand.value not in self.scope.fields:
            message = f"{operand.value!r} is a guard and cannot be compared"
            suggestion = f"write {operand.value!r} or 'not {operand.value}' alone"
            raise GuardFault(message, operand.text, suggestion)
        return _path(operand)

    def comparison(self, left: Operand, sign: Sign, right: Operand, start: Token) -> Expression:
        if Value(None) in {left, right} and sign not in {"==", "!="}:
            message = f"'{sign}' cannot compare with null"
            raise GuardFault(message, start.text, "write '== null' or '!= null'")
        if isinstance(left, Value) and isinstance(right, Path):
            left, sign, right = right, _MIRRORED[sign], left
        if right == Value(None) and isinstance(left, Path):
            return NullTest(left, negated=sign == "!=")
        if isinstance(left, Value) and isinstance(right, Value):
            message = "this comparison has no field in it: its result is always the same"
            self.findings.warning("CONSTANT_GUARD", message, start.text, "compare a field, or write true or false")
        return Comparison(left, sign, right)

    # Operands.

    def operand(self) -> _Operand:
        token = self.take()
        if token.kind == "number":
            return Value(number_of(token))
        if token.kind == "string":
            return Value(unescaped(token.value[1:-1]))
        if token.word == "-" and self.token.kind == "number" and token.end == self.token.start:
            return Value(number_of(self.take(), "-"))
        if token.word == ")" and self.depth:
            raise GuardFault("something is missing before ')'", token.text, "write a condition or a value there")
        if token.kind != "name" or token.word in _RESERVED:
            raise refusal(token)
        if token.word in _CONSTANTS and self.token.word != ".":
            return Value(_CONSTANTS[token.word])
        return self.path(token)

    def path(self, first: Token) -> _Operand:
        names = [first, *self.segments()]
        if self.token.word in {"(", "["}:
            raise refusal(self.token)
        is_root = first.word in _ROOTS
        if is_root and len(names) == 1:
            # Also where a field is called so: its name alone would read otherwise than with something behind it.
            declared = first.value in self.scope.fields
            advice = f"write 'ctx.{first.value}'" if declared else f"name a field, as in '{first.value}.name'"
            raise GuardFault(f"{first.value!r} alone is no value", first.text, advice)
        text = self.text.cut(first.start, names[-1].end)
        self.refuse_subtraction(names[1] if is_root else first, text)
        if is_root:
            return Path(_ROOTS[first.word], tuple(name.value for name in names[1:]), text.span)
        if len(names) == 1:
            return _Word(first.value, text)
        return Path("context", tuple(name.value for name in names), text.span)

    def segments(self) -> Iterator[Token]:
        while self.accept("."):
            token = self.take()
            if token.kind != "name":
                raise GuardFault("a name is missing behind the dot", token.text, "write the field, as in 'ctx.name'")
            yield token

    def refuse_subtraction(self, token: Token, text: Text) -> None:
        """``count-1`` is a name to the grammar, but hardly to its author."""
        head, dash, tail = token.value.partition("-")
        if not dash or token.value in self.scope.fields or token.value in self.scope.guards:
            return
        if tail.isdecimal() or head in self.scope.fields:
            suggestion = "compute the value in an action and compare the field it sets"
            raise GuardFault("guards do not calculate", text, suggestion, "UNSUPPORTED_EXPRESSION")

    def lone(self, operand: _Operand, start: Token) -> Expression:
        """Read an operand that is compared with nothing."""
        if isinstance(operand, _Word):
            return self.word(operand)
        if isinstance(operand, Path):
            kind = self.scope.fields.get(operand.names[0]) if len(operand.names) == 1 else None
            return Truth(operand, declared_bool=operand.root == "context" and kind is not None and kind.kind == "bool")
        if isinstance(operand.value, bool):
            return BoolLiteral(operand.value)
        self.refuse_more()
        if isinstance(operand.value, str) and len(self.tokens) == 2:  # noqa: PLR2004 - and the end
            raise GuardFault("the whole expression is in quotes", start.text, "remove the quotes")
        raise GuardFault(f"{start.value} alone is no condition", start.text, "compare a field with it")

    def refuse_more(self) -> None:
        """Refuse what cannot follow an operand that stands alone."""
        if not self.at_end() and self.token.word not in {"and", "or", "&&", "||", ")"}:
            raise self.left_over()

    def word(self, word: _Word) -> Expression:
        if word.value in self.scope.guards:
            return GuardName(word.value, word.text.span)
        if self.scope.in_cell and word.value not in self.scope.fields:
            # In "x === 1" the sign is wrong, and x may well be a field.
            self.refuse_more()
            message = f"no guard or context field is called {word.value!r}"
            raise GuardFault(message, word.text, self.nearest(word.value), "UNKNOWN_GUARD")
        kind = self.scope.fields.get(word.value)
        return Truth(_path(word), declared_bool=kind is not None and kind.kind == "bool")

    def nearest(self, name: str) -> str:
        near = self.findings.nearest(name, [*self.scope.guards, *self.scope.fields])
        if near is None:
            return f"declare {name!r} in the guards section"
        line = self.scope.lines.get(near)
        return f"write {near!r}" + (f" (declared in line {line})" if line else "")


@dataclass(frozen=True, slots=True)
class _Word:
    """A name without dots and root: a guard, a field or the text itself, as its place decides."""

    value: str
    text: Text


_Operand: TypeAlias = Path | Value | _Word


def _path(word: _Word) -> Path:
    return Path("context", (word.value,), word.text.span)


def _too_deep(token: Token) -> GuardFault:
    return GuardFault(f"the expression nests deeper than {_DEEPEST}", token.text, "name a part of it as a guard")
