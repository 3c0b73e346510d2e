"""The bridge protocol on the command line: ``orca-bridge describe``, and ``run --bridge``, which other tools call."""

from __future__ import annotations

import asyncio
import json
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Any

from orca_bridge.runtime import BridgeError, answer_invocation, descriptor_for, make_result
from orca_bridge.runtime.parser import machines_of

from ._files import read_document
from ._output import complain, say

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
    parser.add_argument("--name", default="<stdin>", help="what to call standard input; *.orca is brace text")
    parser.add_argument("--machine", metavar="M", help="this machine instead of the first")
    parser.set_defaults(run=describe)


def describe(options: argparse.Namespace) -> int:
    """Print the descriptor of one machine."""
    machines = _machines(options.file, options.name, options.machine)
    if isinstance(machines, int):
        return machines
    say(json.dumps(descriptor_for(machines[0]), indent=2, ensure_ascii=False))
    return 0


def answer(options: argparse.Namespace, actions: Any) -> int:
    """
    Answer the invocation on standard input; status 1 if it is none.

    Args:
        options: Those of ``run``.
        actions: Handlers of the machine's actions.
    """
    machines = _machines(options.file, options.file, options.machine)
    if isinstance(machines, int):
        return machines
    try:
        # What actions print is not part of the answer.
        with redirect_stdout(sys.stderr):
            result = asyncio.run(answer_invocation(sys.stdin.buffer.read(), machines, actions, lenient=options.lenient))
    except BridgeError as error:
        complain(error)
        return 1
    say(_written(result))
    return 0


def _written(result: dict[str, Any]) -> str:
    try:
        return json.dumps(result, ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        told = {"code": BridgeError.code, "message": f"only JSON values cross the bridge: {error}"}
        return json.dumps(make_result(result["final_state"], {}, told))


def _machines(file: str, name: str, wanted: str | None) -> list[MachineDef] | int:
    """Read the machines of a document, the one that is wanted first; or the exit status, after a message."""
    found = read_document(file, name)
    if found is None:
        return 2
    reading, called = found
    if reading.errors or reading.document is None:
        complain("\n".join(map(str, reading.errors)))
        return 1
    machines = machines_of(reading.document)
    chosen = [machine for machine in machines if wanted in (None, machine.name)][:1]
    if not chosen:
        listed = ", ".join(machine.name for machine in machines) or "no machine at all"
        complain(f"{called} defines no machine {wanted!r}; it defines: {listed}")
        return 2
    return [*chosen, *(machine for machine in machines if machine is not chosen[0])]
