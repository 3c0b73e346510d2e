"""
Guard expressions: the grammar of language.md 6 as a recursive descent parser.

The first fault ends the parse of its expression; the next guard is read all the same. Comparisons come out
with the path on the left whatever side it was written on, so later layers meet one form.
"""

from __future__ import annotations

import re
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

from ._diagnostics import BOTH, OL, ORP, Diagnostic, Findings
from ._literals import unescaped
from ._names import is_portable_name
from ._plain_guards import read_plain
from ._source import Text, split_lines
from ._tokens import GuardFault, Sign, Token, comparison_sign, number_of, refusal, tokenize

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

_DEEPEST = 64
_LONGEST = 10_000
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
_PLAIN = re.compile(r"\d+(?:\.\d+)?")
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


def is_word(name: str) -> bool:
    """Tell whether a name means something else at the beginning of an expression."""
    return name.lower() in _WORDS


def read_guard(text: Text, scope: GuardScope, findings: Findings) -> Expression | None:
    """Read one guard expression and report what is wrong with it."""
    if text.value in scope.guards and text.value.lower() not in _WORDS:
        # What most Guard cells hold, read without a parser.
        if not scope.in_cell:
            message = "other tools know no guards inside expressions"
            findings.portability("PORT_INLINE_GUARD", message, text, "write its expression")
        return GuardName(text.value, text.span)
    if len(text.value) > _LONGEST:
        message = f"the expression is longer than {_LONGEST} characters"
        findings.error("GUARD_SYNTAX", message, text.cut(0, 1), "name parts of it as guards")
        return None
    plain = None if findings.careful else read_plain(text) or _negated(text, scope)
    if plain is not None:
        return plain
    try:
        parser = _Parser(text, scope, findings)
        found = parser.guard()
    except GuardFault as fault:
        findings.error(fault.code, fault.message, fault.text, fault.suggestion)
        return None
    for remark in parser.remarks:
        findings.portability(*remark)
    return found


def _negated(text: Text, scope: GuardScope) -> Expression | None:
    """Read ``!name`` in a Guard cell; None for anything else."""
    name = text.value[1:]
    if text.value[:1] != "!" or not scope.in_cell or name not in scope.guards or not name.isidentifier():
        return None
    return None if is_word(name) else Not(GuardName(name, text.cut(1).span))


class _Parser:
    def __init__(self, text: Text, scope: GuardScope, findings: Findings) -> None:
        self.text = text
        self.scope = scope
        self.findings = findings
        self.tokens = tokenize(text)
        self.position = 0
        self.depth = 0
        self.remarks: list[tuple[str, str, Text, str, tuple[str, ...]]] = []
        """What other tools read otherwise; not worth saying of an expression that has to be changed anyway."""

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

    # What other tools read otherwise. In a Guard cell they know no expressions at all, which is said once there.

    def differs(self, code: str, message: str, at: Text, suggestion: str, tools: tuple[str, ...] = BOTH) -> None:
        if not self.scope.in_cell:
            self.remarks.append((code, message, at, suggestion, tools))

    def check_sign(self, token: Token, portable: str) -> None:
        """Warn of an operator that is not spelled as all tools know it."""
        if token.value != portable and not self.scope.in_cell:
            tools = ORP if token.value.isascii() and not token.value.isalpha() else BOTH
            message = f"other tools cut the expression at {token.value!r}, or drop it"
            self.differs("PORT_GUARD_OPERATOR", message, token.text, f"write {portable!r}", tools)

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
            self.check_sign(self.tokens[self.position - 1], "or")
            operands.append(self.conjunction())
        return operands[0] if len(operands) == 1 else Or(tuple(operands))

    def conjunction(self) -> Expression:
        operands = [self.negation()]
        while self.accept("and", "&&"):
            self.check_sign(self.tokens[self.position - 1], "and")
            operands.append(self.negation())
        return operands[0] if len(operands) == 1 else And(tuple(operands))

    def negation(self) -> Expression:
        count = 0
        start = self.token
        while self.accept("not", "!"):
            count += 1
            self.check_sign(self.tokens[self.position - 1], "not")
        if count > 1:
            self.differs("PORT_GUARD_OPERATOR", "other tools misread a double negation", start.text, "leave it out")
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
        self.check_sign(self.tokens[self.position - 1], "is")
        negated = self.accept("not")
        if self.token.word not in {"null", "none", "nil"}:
            message = "only 'null' can follow 'is'"
            raise GuardFault(message, self.token.text, "write '== value' to compare with another value")
        self.take()
        if isinstance(operand, Value):
            raise GuardFault("only a field can be null", start.text, "write a path, as in 'ctx.name is null'")
        if not (negated and self.at_end() and start is self.tokens[0]):
            message = "orca-lang stops at 'is' and takes this for 'is not null'"
            suggestion = f"write '{'!=' if negated else '=='} null'"
            self.differs("PORT_GUARD_NULL", message, start.text, suggestion, OL)
        return NullTest(self.compared(operand), negated)

    def chain(self, first: _Operand, start: Token) -> Expression:
        operands, starts = [first], [start]
        signs: list[Sign] = []
        while sign := comparison_sign(self.token):
            signs.append(sign)
            token = self.take()
            self.check_sign(token, sign)
            if len(signs) > 1 and not any(set(signs) <= direction for direction in _DIRECTIONS):
                message = "the comparisons of this chain point in different directions"
                raise GuardFault(message, token.text, "write two comparisons joined by 'and'")
            starts.append(self.token)
            operands.append(self.operand())
        resolved = [self.resolved(operands, signs, index) for index in range(len(operands))]
        if len(signs) > 1:
            message = "other tools do not read a chain of comparisons"
            self.differs("PORT_GUARD_OPERAND", message, start.text, "write comparisons joined by 'and'")
        elif isinstance(resolved[1], Path):
            self.check_operands(resolved[0], start)
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
            message = f"{operand.value!r} is no field, and is read as text here"
            self.differs("PORT_GUARD_OPERAND", message, operand.text, f'write "{operand.value}"')
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

    def check_operands(self, left: Operand, start: Token) -> None:
        """Warn of a comparison whose right side is a field."""
        if isinstance(left, Value):
            message = "other tools do not read a comparison with the value on the left"
            self.differs("PORT_GUARD_OPERAND", message, start.text, "write the field on the left")
        else:
            message = "orca-lang does not read a comparison of two fields"
            self.differs("PORT_GUARD_OPERAND", message, start.text, "compute the result in an action", OL)

    # Operands.

    def operand(self) -> _Operand:
        token = self.take()
        if token.kind == "number":
            if not token.value.isdecimal() and not _PLAIN.fullmatch(token.value):
                self.differs("PORT_GUARD_NUMBER", "other tools cut this number", token.text, "write digits only")
            return Value(number_of(token))
        if token.kind == "string":
            if "\\" in token.value:
                message = "orca-runtime-python ends the text at the backslash"
                self.differs("PORT_GUARD_OPERAND", message, token.text, "use the other quotation marks", ORP)
            return Value(unescaped(token.value[1:-1]))
        if token.word == "-" and self.token.kind == "number" and token.end == self.token.start:
            self.differs("PORT_GUARD_NUMBER", "orca-lang drops the sign", token.text, "compare with a field", OL)
            return Value(number_of(self.take(), "-"))
        if token.word == ")" and self.depth:
            raise GuardFault("something is missing before ')'", token.text, "write a condition or a value there")
        if token.kind != "name" or token.word in _RESERVED:
            raise refusal(token)
        if token.word in _CONSTANTS and self.token.word != ".":
            value = _CONSTANTS[token.word]
            self.check_sign(token, "null" if value is None else str(value).lower())
            return Value(value)
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
        self.check_path(names, text, is_root=is_root)
        if is_root:
            return Path(_ROOTS[first.word], tuple(name.value for name in names[1:]), text.span, first.value)
        if len(names) == 1:
            return _Word(first.value, text)
        return Path("context", tuple(name.value for name in names), text.span)

    def check_path(self, names: list[Token], text: Text, *, is_root: bool) -> None:
        if self.scope.in_cell:
            return
        if is_root and names[0].value != names[0].word:
            self.check_sign(names[0], names[0].word)
        if not is_portable_name(text.value):
            message = f"orca-lang cuts {text.value!r} at the first character that it does not know"
            self.differs("PORT_NAME", message, text, "use letters from A to Z, digits and '_'", OL)
        if names[-1].value == "length" and len(names) > 1 + is_root:
            message = "orca-runtime-python takes the length for null"
            self.differs("PORT_LENGTH", message, text, "keep the number in a field", ORP)

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
            is_bool = operand.root == "context" and kind is not None and kind.kind == "bool"
            return self.truth(operand, start.text, declared_bool=is_bool)
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

    def truth(self, path: Path, at: Text, *, declared_bool: bool) -> Truth:
        if declared_bool:
            message = "other tools only test that the field is not null, so 'false' passes"
            self.differs("PORT_BARE_PATH", message, at, "write '== true'")
        else:
            message = "a bare path is read as 'is not null'; the published grammar calls it a test of truth"
            self.differs("PORT_BARE_PATH", message, at, "write '!= null'", ())
        return Truth(path, declared_bool)

    def word(self, word: _Word) -> Expression:
        if word.value in self.scope.guards:
            message = "other tools know no guards inside expressions"
            self.differs("PORT_INLINE_GUARD", message, word.text, "write its expression")
            return GuardName(word.value, word.text.span)
        if self.scope.in_cell and word.value not in self.scope.fields:
            # In "x === 1" the sign is wrong, and x may well be a field.
            self.refuse_more()
            message = f"no guard or context field is called {word.value!r}"
            raise GuardFault(message, word.text, self.nearest(word.value), "UNKNOWN_GUARD")
        kind = self.scope.fields.get(word.value)
        return self.truth(_path(word), word.text, declared_bool=kind is not None and kind.kind == "bool")

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
