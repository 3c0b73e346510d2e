"""Guard expressions to tokens, and the refusal of everything that looks like an expression elsewhere."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, cast

from ._names import NAME_PATTERN

if TYPE_CHECKING:
    from ._source import Text

Sign: TypeAlias = Literal["==", "!=", "<", "<=", ">", ">="]
Kind: TypeAlias = Literal["number", "name", "string", "operator", "quote", "end"]

_TOKEN = re.compile(
    rf"""
      (?P<number> \.?\d (?: [\w.] | (?<=[eE]) [+-] (?=\d) )* )
    | (?P<name> {NAME_PATTERN} )
    | (?P<string> "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' )
    | (?P<operator> ===|!==|<>|=<|=>|=~|&&|\|\||==|!=|<=|>=|\*\*|//|->|[^\w\s"'] )
    | (?P<quote> ["'] )
    """,
    re.VERBOSE,
)
_NUMBER = re.compile(r"(?:\d+(?:_\d+)*(?:\.\d+(?:_\d+)*)?|\.\d+(?:_\d+)*)(?:[eE][+-]?\d+)?")
_COMPARISONS: dict[str, Sign] = {
    "==": "==",
    "=": "==",
    "!=": "!=",
    "\N{NOT EQUAL TO}": "!=",
    "<": "<",
    "<=": "<=",
    "\N{LESS-THAN OR EQUAL TO}": "<=",
    ">": ">",
    ">=": ">=",
    "\N{GREATER-THAN OR EQUAL TO}": ">=",
}
_LONGEST_NUMBER = 400
_CURLED = "\N{LEFT DOUBLE QUOTATION MARK}\N{RIGHT DOUBLE QUOTATION MARK}\N{DOUBLE LOW-9 QUOTATION MARK}"
_CURLED += "\N{LEFT SINGLE QUOTATION MARK}\N{RIGHT SINGLE QUOTATION MARK}\N{SINGLE LOW-9 QUOTATION MARK}"
_CURLED += "\N{LEFT-POINTING DOUBLE ANGLE QUOTATION MARK}\N{RIGHT-POINTING DOUBLE ANGLE QUOTATION MARK}`"
_COMPUTE = "compute the value in an action and compare the field it sets"
_ALTERNATIVES = "spell out the alternatives, as in 'ctx.a == 1 or ctx.a == 2'"

_MISSPELT = {
    "===": "==",
    "!==": "!=",
    "<>": "!=",
    "=<": "<=",
    "=>": ">=",
    "&": "and",
    "|": "or",
    "\N{LOGICAL AND}": "and",
    "\N{LOGICAL OR}": "or",
    "\N{NOT SIGN}": "not",
}
_UNSUPPORTED = (
    (frozenset({"+", "-", "*", "/", "%", "^", "**", "//"}), "guards do not calculate", _COMPUTE),
    (
        frozenset({"=~", "~", "matches", "match", "like", "startswith", "endswith"}),
        "guards match no patterns",
        _COMPUTE,
    ),
    (frozenset({"("}), "guards do not call functions", _COMPUTE),
    (frozenset({"["}), "guards do not index", _COMPUTE),
    (
        frozenset({"in", "contains", "includes", "has", "between"}),
        "guards do not look into lists",
        _ALTERNATIVES,
    ),
    (frozenset({"?", ":"}), "guards have no '? :'", "spell out the alternatives with 'and' and 'or'"),
)


class Token(NamedTuple):
    """One word, number, string or sign."""

    kind: Kind
    value: str
    """As written."""
    start: int
    """Where it begins in the expression."""
    word: str
    """In lower case if it is a word or sign, else nothing."""
    whole: Text
    """The expression."""

    @property
    def end(self) -> int:
        """Where it ends in the expression."""
        return self.start + len(self.value)

    @property
    def text(self) -> Text:
        """The token with its place."""
        return self.whole.cut(self.start, self.end)


class GuardFault(Exception):  # noqa: N818 - it never leaves the package
    """Raised inside the parser to say what is wrong with an expression."""

    def __init__(self, message: str, text: Text, suggestion: str, code: str = "GUARD_SYNTAX") -> None:
        self.message, self.text, self.suggestion, self.code = message, text, suggestion, code
        super().__init__(message)


def tokenize(text: Text) -> list[Token]:
    """
    Cut an expression into tokens; the last is the end.

    Raises:
        GuardFault: At a string without end and at typographic quotes.
    """
    # The pattern has an alternative for every character but white space, so nothing is skipped.
    tokens = [_token(match, text) for match in _TOKEN.finditer(text.value)]
    return [*tokens, Token("end", "", len(text.value), "", text)]


def _token(match: re.Match[str], text: Text) -> Token:
    start, value = match.start(), match[0]
    kind = cast("Kind", match.lastgroup)
    if kind in {"number", "string"}:
        return Token(kind, value, start, "", text)
    if kind == "quote":
        raise GuardFault("the string is not closed", text.cut(start), f"end it with {value}")
    if value in _CURLED:
        part = text.cut(start, match.end())
        raise GuardFault(f"{value} is no quotation mark here", part, 'write straight quotes, as in "text"')
    return Token(kind, value, start, value.lower(), text)


def number_of(token: Token, sign: str = "") -> int | float:
    """
    Read a number token.

    Raises:
        GuardFault: If it is none, such as ``1.2.3``, or too large.
    """
    if _NUMBER.fullmatch(token.value) is None or len(token.value) > _LONGEST_NUMBER:
        raise GuardFault(f"{token.value!r} is no number", token.text, "write digits with at most one point")
    plain = sign + token.value.replace("_", "")
    value = int(plain) if plain.lstrip("-").isdecimal() else float(plain)
    if value in {float("inf"), float("-inf")}:
        raise GuardFault(f"{token.value!r} is too large", token.text, "write a smaller number")
    return value


def comparison_sign(token: Token) -> Sign | None:
    """Give the comparison a token stands for, in its standard spelling."""
    return _COMPARISONS.get(token.value) if token.kind == "operator" else None


def refusal(token: Token) -> GuardFault:  # noqa: PLR0911 - one return a kind of mistake
    """Say why a token cannot stand where it does, and what to write instead."""
    word = token.word
    if token.kind == "end":
        return GuardFault("the expression ends too early", token.text, "complete it, as in 'ctx.count < 3'")
    if word in _MISSPELT:
        return GuardFault(f"{token.value!r} is not used here", token.text, f"write {_MISSPELT[word]!r}")
    if word in {"and", "or", "&&", "||", "is"} or (word and comparison_sign(token)):
        message = f"something is missing before {token.value!r}"
        return GuardFault(message, token.text, "write a condition or a value there")
    if word in {"not", "!"}:
        return GuardFault(f"{token.value!r} cannot stand here", token.text, "put it in front of the whole comparison")
    unsupported = _unsupported(word)
    if unsupported:
        message, suggestion = unsupported
        return GuardFault(message, token.text, suggestion, "UNSUPPORTED_EXPRESSION")
    if word == "else":
        return GuardFault("'else' must be the whole guard", token.text, "spell out the condition")
    if word == ")":
        return GuardFault("no parenthesis is open here", token.text, "remove ')' or open it before")
    if token.kind == "operator":
        return GuardFault(f"{token.value!r} means nothing here", token.text, "remove it")
    return GuardFault(f"{token.value!r} is left over", token.text, "write 'and' or 'or' before it, or remove it")


def _unsupported(word: str) -> tuple[str, str] | None:
    for words, message, suggestion in _UNSUPPORTED:
        if word in words:
            return message, suggestion
    return None
