"""
The guard expressions that most documents are made of, read by one pattern.

One comparison of a field with a value, or several joined by the same word, in the spelling that all tools read
alike. `_guards` has the whole grammar and gives the same for these.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, cast

from orca_bridge.definition import And, BoolLiteral, Expression, Or

from ._records import make_comparison, make_null_test, make_path, make_span, make_value

if TYPE_CHECKING:
    from ._source import Text
    from ._tokens import Sign

_TEST = re.compile(
    r"(ctx|context|event|payload)\.([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)"
    r" *(==|!=|<=|>=|<|>) *"
    r"(?:(\d{1,15}(?:\.\d{1,15})?)|(\"[^\"\\]*\"|'[^'\\]*')|(true|false|null))(?![\w.])",
    re.ASCII,
)
_JOIN = re.compile(r" +(and|or) +")
_CONSTANTS: dict[str, bool | None] = {"true": True, "false": False, "null": None}
_LITERALS = {"true": BoolLiteral(True), "false": BoolLiteral(False)}


def read_plain(text: Text) -> Expression | None:
    """Read an expression; None if it needs care."""
    value = text.value
    if text.moved is not None:
        return None
    match = _TEST.match(value)
    if match is None:
        return _LITERALS.get(value)
    tests: list[Expression] = []
    joint = ""
    while match is not None:
        test = _test(match, text.line, text.first)
        if test is None:
            return None
        tests.append(test)
        if match.end() == len(value):
            return _joined(tests, joint)
        join = _JOIN.match(value, match.end())
        if join is None or (joint and join[1] != joint):
            return None
        joint = join[1]
        match = _TEST.match(value, join.end())
    return None


def _joined(tests: list[Expression], joint: str) -> Expression:
    if not joint:
        return tests[0]
    return And(tuple(tests)) if joint == "and" else Or(tuple(tests))


def _test(match: re.Match[str], line: int, first: int) -> Expression | None:
    root_text, path_text, sign, number, string, word = match.groups()
    names = _names(path_text)
    if names[-1] == "length" and len(names) > 1:
        return None
    root: Literal["context", "event"] = "context" if root_text[0] == "c" else "event"
    start = first + match.start()
    path = make_path(root, names, make_span(line, start, first + match.end(2)), root_text)
    if word == "null":
        return make_null_test(path, sign == "!=") if sign in {"==", "!="} else None
    value = _CONSTANTS[word] if word else string[1:-1] if string else float(number) if "." in number else int(number)
    return make_comparison(path, cast("Sign", sign), make_value(value))


@lru_cache(maxsize=1024)
def _names(path: str) -> tuple[str, ...]:
    return tuple(path.split("."))
