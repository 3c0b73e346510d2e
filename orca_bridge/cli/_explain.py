"""``orca-bridge explain`` and ``codes``: what the findings of the reader mean."""

from __future__ import annotations

import json
import textwrap
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from ._codes import explanations
from ._output import Refusal, say, say_json

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator

    from ._codes import Explanation

__all__ = ("add_to",)

_WIDTH = 80


def add_to(verbs: Any) -> None:
    """Add both verbs to the command line."""
    explain: argparse.ArgumentParser = verbs.add_parser("explain", help="say what a code means, with an example")
    explain.add_argument("codes", nargs="+", metavar="CODE", help="a code, such as UNKNOWN_STATE")
    explain.add_argument("--json", action="store_true", help="print one JSON value")
    explain.set_defaults(run=_explain)
    codes: argparse.ArgumentParser = verbs.add_parser("codes", help="list all codes with their severity")
    codes.add_argument("--json", action="store_true", help="print one JSON value")
    codes.set_defaults(run=_codes)


def _explain(options: argparse.Namespace) -> int:
    found = [_find(code) for code in options.codes]
    if options.json:
        shown = [_as_json(one) for one in found]
        say_json(shown if len(shown) > 1 else shown[0])
    else:
        say("\n\n".join("\n".join(_lines(one)) for one in found))
    return 0


def _codes(options: argparse.Namespace) -> int:
    found = explanations().values()
    if options.json:
        say_json([{"code": one.code, "severity": one.severity, "category": one.category} for one in found])
        return 0
    width = max(len(one.code) for one in found)
    for one in found:
        say(f"{one.code:<{width}}  {one.severity:<8} {one.category}")
    return 0


def _find(code: str) -> Explanation:
    known = explanations()
    name = code.upper().replace("-", "_")
    if name in known:
        return known[name]
    near = get_close_matches(name, known, n=3)
    hint = f"is {' or '.join(near)} meant?" if near else "'orca-bridge codes' lists all of them"
    raise Refusal(f"there is no code {json.dumps(code)}; {hint}")


def _lines(one: Explanation) -> Iterator[str]:
    yield f"{one.code} ({one.severity}, {one.category})"
    yield ""
    yield from textwrap.wrap(one.meaning, _WIDTH)
    for title, text in (("Example", one.example), ("Instead", one.fix)):
        if text:
            yield ""
            yield f"{title}:"
            yield ""
            yield from (f"    {line}".rstrip() for line in text.split("\n"))


def _as_json(one: Explanation) -> dict[str, str]:
    return {
        "code": one.code,
        "severity": one.severity,
        "category": one.category,
        "meaning": one.meaning,
        "example": one.example,
        "fix": one.fix,
    }
