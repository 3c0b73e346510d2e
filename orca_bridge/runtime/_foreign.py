"""Foreign children of a running machine: one process each, ended when nobody waits for it any more."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .bridge import BridgeError, not_started, result_from, runner_of, timed_out, wire_text

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from collections.abc import Mapping

__all__ = ("ForeignRunner",)

_GRACE = 2.0


@dataclass(frozen=True, slots=True)
class ForeignRunner:
    """How machines of one name are run by another tool."""

    argv: tuple[str, ...]
    descriptor: Mapping[str, Any] | None = None
    timeout: float = 30

    async def run(self, invocation: Mapping[str, Any]) -> dict[str, Any]:
        """
        Run a foreign machine without blocking anybody; cancelling this ends the process.

        Args:
            invocation: What `build_invocation` made.

        Raises:
            BridgeError: As for `dispatch_foreign`; or the descriptor does not allow the invocation.
        """
        check_invocation(invocation, self.descriptor)
        argv, sent = runner_of(self.argv), wire_text(invocation)
        try:
            process = await asyncio.create_subprocess_exec(*argv, stdin=PIPE, stdout=PIPE, stderr=PIPE)
        except OSError as error:
            raise not_started(argv, error) from None
        try:
            async with asyncio.timeout(self.timeout):
                output, complaint = await process.communicate(sent)
        except TimeoutError:
            raise timed_out(argv, self.timeout) from None
        finally:
            await _end(process)
        return result_from(process.returncode or 0, output, complaint)


def check_invocation(invocation: Mapping[str, Any], descriptor: Mapping[str, Any] | None) -> None:
    """
    Compare an invocation with what the foreign machine says it takes and gives.

    Raises:
        BridgeError: All that does not fit, in one message.
    """
    if descriptor is None:
        return
    takes = {one["name"]: one.get("type", "any") for one in descriptor.get("params", ())}
    gives = {one["name"] for one in descriptor.get("returns", ())}
    problems = [*_arguments(invocation["args"], takes)]
    for field, name in invocation["return_bindings"].items():
        if name not in gives:
            problems.append(f"{field!r} is bound to {name!r}, which it does not return ({_listed(gives)})")
    if invocation["shots"] is not None and not descriptor.get("measurement_bearing", False):
        problems.append("'shots' are for machines that measure, and it does not")
    if problems:
        raise BridgeError(f"foreign machine {invocation['child']!r} cannot be run so: {'; '.join(problems)}")


def _arguments(args: Mapping[str, Any], takes: Mapping[str, str]) -> list[str]:
    problems = []
    for name, value in args.items():
        if name not in takes:
            problems.append(f"it takes no {name!r} ({_listed(takes)})")
        elif not fits(value, takes[name]):
            problems.append(f"{name!r} is {takes[name]}, not {type(value).__name__}")
    return problems


def fits(value: object, wire_type: str) -> bool:
    """Tell whether a value is of a type of the protocol; null fits every type, a whole number also ``float``."""
    match wire_type:
        case "bool":
            return value is None or isinstance(value, bool)
        case "int":
            return value is None or (isinstance(value, int) and not isinstance(value, bool))
        case "float":
            return value is None or (isinstance(value, int | float) and not isinstance(value, bool))
        case "string":
            return value is None or isinstance(value, str)
        case "list":
            return value is None or isinstance(value, list | tuple)
        case _:
            return True


def _listed(names: object) -> str:
    found = ", ".join(sorted(map(str, names))) if isinstance(names, set | dict) else ""
    return f"known: {found}" if found else "it knows none"


async def _end(process: Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_GRACE):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
