"""
A position in brace text, and the small things that are read at it.

Mistakes are reported where they stand and skipped to the end of their line, so that one of them costs one entry.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._brace_tokens import BraceToken, TokenList
    from ._diagnostics import Findings
    from ._source import Text

_OPERATORS = frozenset(
    {"and", "or", "not", "is", "&&", "||", "!", "==", "=", "!=", "<", "<=", ">", ">=", ".", "+", "-", "*", "/", "->"}
)
# A file with so many is no brace text; each costs as much as a good entry, and may be one character long.
_MOST_MISTAKES = 1000
# What may stand at the end of a line or at the start of the next, and joins the two.
_SPELLED = frozenset({"\N{NOT EQUAL TO}", "\N{LESS-THAN OR EQUAL TO}", "\N{GREATER-THAN OR EQUAL TO}"})


class Cursor:
    """Where the reader is."""

    def __init__(self, tokens: TokenList, findings: Findings) -> None:
        self.tokens = tokens
        self.all = tokens.all
        """The tokens, with no call in between."""
        self.findings = findings
        self.position = 0
        self.unclosed = False
        self.mistakes = 0

    def __repr__(self) -> str:
        """Say where it is."""
        return f"<Cursor at {self.position} of {len(self.tokens)}>"

    @property
    def token(self) -> BraceToken:
        """The token that is read next."""
        return self.all[self.position]

    def ahead(self, distance: int = 1) -> BraceToken:
        """Give a later token."""
        return self.all[self.position + distance]

    def at(self, *values: str) -> bool:
        """Tell whether the next token is one of these marks or words."""
        kind, value = self.all[self.position][:2]
        return value in values and kind != "string"

    def at_end(self) -> bool:
        """Tell whether the file ends here."""
        return self.all[self.position].kind == "end"

    def accept(self, *values: str) -> bool:
        """Step over one of these tokens if it comes next."""
        kind, value = self.all[self.position][:2]
        found = value in values and kind != "string"
        self.position += found
        return found

    def take(self) -> Text:
        """Step over a token and give its text."""
        text = self.tokens.text(self.position)
        self.position += not self.at_end()
        return text

    def since(self, start: int) -> Text:
        """Give the text from an earlier token up to here."""
        return self.tokens.text(start, self.position)

    def nothing(self) -> Text:
        """Give the empty text at the next token."""
        return self.tokens.text(self.position, self.position)

    # Mistakes.

    def fail(self, message: str, suggestion: str) -> None:
        """Report the next token, and skip to where an entry may begin."""
        if self.token.kind == "open":
            message, suggestion = "the text is not closed", f"end it with {self.token.value[0]}"
        self.mistakes += 1
        at = self.tokens.text(self.position)
        if self.mistakes > _MOST_MISTAKES:
            message = f"the rest of the file is not read: it has more than {_MOST_MISTAKES} mistakes above"
            self.findings.abandon("BRACE_SYNTAX", message, at)
            self.unclosed = True
            self.position = len(self.tokens) - 1
            return
        self.findings.error("BRACE_SYNTAX", message, at, suggestion)
        self.skip_line()

    def skip_line(self) -> None:
        """Step over the rest of a line, with the blocks that open on it, up to the end of the block around."""
        first = True
        while not self.at_end() and not self.at("}") and (first or not self.token.starts_line):
            first = False
            if self.at("{"):
                self.skip_block()
            else:
                self.position += 1

    def skip_block(self) -> None:
        """Step over a block with all in it."""
        closing = self.tokens.closing(self.position)
        if closing is None:
            self.report_unclosed(self.position)
            self.position = len(self.tokens) - 1
        else:
            self.position = closing + 1

    def report_unclosed(self, opening: int) -> None:
        """Report a block without an end."""
        message = "this block is not closed"
        self.findings.error("UNCLOSED_BLOCK", message, self.tokens.text(opening), "add '}' where it ends")

    # Small things.

    def enter(self) -> int | None:
        """Step into a block, or report that none begins."""
        if not self.at("{"):
            self.fail("a block is expected here", "begin it with '{'")
            return None
        self.position += 1
        return self.position - 1

    def inside(self, opening: int) -> bool:
        """Tell whether the block goes on; step over its end, and over commas between entries."""
        tokens = self.all
        while tokens[self.position].value in {",", ";"} and tokens[self.position].kind == "mark":
            self.position += 1
        kind, value = tokens[self.position][:2]
        if kind == "end":
            # The innermost open block is reported; those around it end with it.
            if self.tokens.closing(opening) is None and not self.unclosed:
                self.report_unclosed(opening)
            self.unclosed = True
            return False
        is_closed = value == "}" and kind == "mark"
        self.position += is_closed
        return not is_closed

    def reference(self) -> Text | None:
        """Read a name with dots, or ``*``; None if something else comes."""
        tokens, start = self.all, self.position
        kind, value = tokens[start][:2]
        if kind != "name" and value != "*":
            return None
        self.position += 1
        while tokens[self.position].value == "." and tokens[self.position + 1].kind == "name":
            self.position += 2
        return self.tokens.text(start, self.position)

    def names(self, separators: tuple[str, ...], following: tuple[str, ...]) -> Text:
        """Read a list of names, which ends where the next name begins an entry of its own."""
        start = self.position
        while self.reference() is not None:
            if self.token.value not in separators:
                break
            after = self.ahead()
            if (after.kind != "name" and after.value != "*") or self.ahead(2).value in following:
                break
            self.position += 1
        return self.since(start)

    def bracketed(self) -> bool:
        """Step over a pair of brackets with all in it; tell whether it was closed."""
        closing = self.tokens.closing(self.position)
        if closing is None:
            return False
        self.position = closing + 1
        return True

    def expression(self) -> Text:
        """Read an expression, which ends with its line unless something shows that it goes on."""
        start = self.position
        depth = 0
        while True:
            kind, value = self.all[self.position][:2]
            if kind == "end" or (value in {"}", "{"} and kind != "string"):
                break
            if self.position > start and depth <= 0 and self.expression_ends():
                break
            if value in {"(", ")"} and kind != "string":
                depth += 1 if value == "(" else -1
            self.position += 1
        return self.since(start)

    def expression_ends(self) -> bool:
        """Tell whether the next token belongs to the next entry."""
        token = self.token
        if token.value in {",", ";"} and token.kind != "string":
            return True
        if token.kind == "name" and self.ahead().value == ":":
            return True
        return token.starts_line and not _is_operator(token) and not _is_operator(self.all[self.position - 1])


def _is_operator(token: BraceToken) -> bool:
    return token.kind != "string" and (token.value.lower() in _OPERATORS or token.value in _SPELLED)
