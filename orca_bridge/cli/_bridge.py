"""The bridge protocol on the command line: ``orca-bridge describe``, and ``run --bridge``, which other tools call."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

from orca_bridge.runtime import BridgeError, answer_invocation, descriptor_for, make_result
from orca_bridge.runtime.parser import machines_of

from ._files import add_name_option, chosen, read_document, sound, standard_input
from ._output import Refusal, say

if TYPE_CHECKING:
    import argparse

    from orca_bridge.runtime import MachineDef

__all__ = ("add_to", "answer")


def add_to(verbs: Any) -> None:
    """Add the verb to the command line."""
    parser: argparse.ArgumentParser = verbs.add_parser(
        "describe", help="say as JSON what a machine takes and gives when it is called over the bridge"
    )
    parser.add_argument("file", metavar="FILE", help="a document, or - for standard input")
    add_name_option(parser)
    parser.add_argument("--machine", metavar="M", help="this machine instead of the first")
    parser.set_defaults(run=describe)


def describe(options: argparse.Namespace) -> int:
    """Print the descriptor of one machine."""
    machines = _machines(options.file, options.name, options.machine)
    say(json.dumps(descriptor_for(machines[0]), indent=2, ensure_ascii=False))
    return 0


def answer(options: argparse.Namespace, actions: Any) -> int:
    """
    Answer the invocation on standard input.

    Args:
        options: Those of ``run``.
        actions: Handlers of the machine's actions.

    Raises:
        Refusal: There is no invocation that could be answered.
    """
    if options.file == "-":
        raise Refusal("run --bridge: the invocation comes from standard input, so the document has to be a file")
    machines = _machines(options.file, options.file, options.machine)
    try:
        # What actions print is not part of the answer.
        with redirect_stdout(sys.stderr):
            result = asyncio.run(answer_invocation(standard_input(), machines, actions, lenient=options.lenient))
    except BridgeError as error:
        raise Refusal(error, 1) from None
    say(_written(result))
    return 0


def _written(result: dict[str, Any]) -> str:
    try:
        return json.dumps(result, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        told = {"code": BridgeError.code, "message": f"only JSON values cross the bridge: {error}"}
        return json.dumps(make_result(result["final_state"], {}, told))


def _machines(file: str, name: str, wanted: str | None) -> list[MachineDef]:
    """Read the machines of a document, the one that is wanted first."""
    reading, called = read_document(file, name)
    document = sound(reading)
    if not document.machines:
        raise Refusal(f"{called} defines no machine", 1)
    (first, *_) = chosen(document.machines, wanted, called)
    machines = machines_of(document)
    return sorted(machines, key=lambda machine: machine.name != first.name)
