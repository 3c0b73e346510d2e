"""
The bridge protocol, version 1.0: how machines of one tool run as children of another's.

Three JSON objects cross: a *descriptor* says what a machine takes and gives, an *invocation* asks for a run, a
*result* answers it. Calling is in this module (`dispatch_foreign`), being called in `orca-bridge run --bridge`.
"""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

from orca_bridge.exceptions import OrcaError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from orca_bridge.definition import TypeExpression

    from .types import MachineDef

__all__ = (
    "BRIDGE_PROTOCOL_VERSION",
    "BridgeError",
    "build_invocation",
    "descriptor_for",
    "dispatch_foreign",
    "make_result",
    "not_started",
    "parse_invocation",
    "parse_result",
    "result_from",
    "runner_of",
    "timed_out",
    "wire_text",
)

BRIDGE_PROTOCOL_VERSION = "1.0"

_TIMEOUT = 30
_MAX_COMPLAINT = 300
_WIRE_TYPES = {"bool": "bool", "int": "int", "decimal": "float", "number": "float", "string": "string", "list": "list"}


class BridgeError(OrcaError):
    """
    Raised when a foreign machine cannot be run, or something that should be an envelope of the protocol is none.

    Attributes:
        code: ``BRIDGE_ERROR``, as it stands in results.
    """

    code = "BRIDGE_ERROR"


# -- envelopes ---------------------------------------------------------------------------------------------


def descriptor_for(machine: MachineDef) -> dict[str, Any]:
    """
    Describe what a machine takes and gives.

    Types are those that the document declares; for a machine that was built by hand, those of its start values.
    """
    origin = machine._origin
    declared = {field.name: field.type for field in origin.definition.context} if origin is not None else {}
    returned = {one.name: one.type for one in origin.definition.returns} if origin is not None else {}
    return {
        "protocol_version": BRIDGE_PROTOCOL_VERSION,
        "name": machine.name,
        "params": [
            {"name": name, "type": _wire_type(declared.get(name), value)} for name, value in machine.context.items()
        ],
        "returns": [
            {
                "name": one.name,
                "type": _wire_type(returned[one.name]) if one.name in returned else one.type,
                "statistics": list(one.statistics),
            }
            for one in machine.returns
        ],
        "measurement_bearing": False,
    }


def build_invocation(
    child: str, args: Mapping[str, Any], shots: int | None, return_bindings: Mapping[str, str]
) -> dict[str, Any]:
    """
    Make the envelope that asks for a run.

    Args:
        child: The name of the machine wanted.
        args: Its start values.
        shots: How often it is run, for machines that measure; None for others.
        return_bindings: Fields of the caller and, for each, the name of the returned value.
    """
    return {
        "protocol_version": BRIDGE_PROTOCOL_VERSION,
        "child": child,
        "args": dict(args),
        "shots": shots,
        "return_bindings": dict(return_bindings),
    }


def make_result(final_state: str, returns: Mapping[str, Any], error: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Make the envelope that answers an invocation; `error` has a ``code`` and a ``message``."""
    found = {"protocol_version": BRIDGE_PROTOCOL_VERSION, "final_state": final_state, "returns": dict(returns)}
    return found | ({"error": dict(error)} if error is not None else {})


def parse_invocation(data: str | bytes | Mapping[str, Any]) -> dict[str, Any]:
    """
    Read the envelope that asks for a run; keys that the protocol does not know are left out.

    Raises:
        BridgeError: It is none.
    """
    found = _envelope(data, "invocation")
    child = found.get("child")
    if not isinstance(child, str) or not child:
        raise BridgeError("the invocation names no child; write {'child': 'Name', ...}")
    return build_invocation(
        child,
        _object(found, "args", "invocation"),
        found.get("shots"),
        _object(found, "return_bindings", "invocation"),
    )


def parse_result(data: str | bytes | Mapping[str, Any]) -> dict[str, Any]:
    """
    Read the envelope that answers an invocation.

    Returns:
        The keys ``final_state``, ``returns`` and ``error``, which is None for a success.

    Raises:
        BridgeError: It is none.
    """
    found = _envelope(data, "result")
    error = found.get("error")
    return {
        "final_state": str(found.get("final_state") or ""),
        "returns": _object(found, "returns", "result"),
        "error": None if error is None else _object(found, "error", "result"),
    }


def _envelope(data: str | bytes | Mapping[str, Any], kind: str) -> Mapping[str, Any]:
    found: Any = data
    if isinstance(data, str | bytes):
        try:
            found = json.loads(data)
        except ValueError as error:
            raise BridgeError(f"the {kind} is no JSON: {error}") from None
    if not isinstance(found, dict):
        raise BridgeError(f"the {kind} is no JSON object, but a {type(found).__name__}")
    version = found.get("protocol_version")
    if version != BRIDGE_PROTOCOL_VERSION:
        raise BridgeError(
            f"the {kind} speaks version {version!r} of the bridge protocol, and this side {BRIDGE_PROTOCOL_VERSION!r}"
        )
    return found


def _object(envelope: Mapping[str, Any], key: str, kind: str) -> dict[str, Any]:
    found = envelope.get(key)
    if found is not None and not isinstance(found, dict):
        raise BridgeError(f"{key!r} of the {kind} is no JSON object, but a {type(found).__name__}")
    return dict(found or {})


def _wire_type(declared: TypeExpression | None, value: object = None) -> str:
    if declared is not None:
        return _WIRE_TYPES.get(declared.kind, "any")
    kinds = {bool: "bool", int: "int", float: "float", str: "string", list: "list"}
    return kinds.get(type(value), "any")


# -- calling -----------------------------------------------------------------------------------------------


def dispatch_foreign(
    runner_argv: Sequence[str], invocation: Mapping[str, Any], timeout: float = _TIMEOUT
) -> dict[str, Any]:
    """
    Run a foreign machine and wait for its result: the invocation goes to its standard input as JSON.

    Args:
        runner_argv: The program and its arguments; no shell is involved.
        invocation: What `build_invocation` made.
        timeout: How long to wait, in seconds.

    Returns:
        As `parse_result`.

    Raises:
        BridgeError: The program is missing, takes too long, or answers with something that is no result.
    """
    argv, sent = runner_of(runner_argv), wire_text(invocation)
    try:
        done = subprocess.run(argv, input=sent, capture_output=True, timeout=timeout, check=False)  # noqa: S603 - the user's program
    except subprocess.TimeoutExpired:
        raise timed_out(argv, timeout) from None
    except OSError as error:
        raise not_started(argv, error) from None
    return result_from(done.returncode, done.stdout, done.stderr)


def runner_of(argv: Sequence[str]) -> list[str]:
    """Check the command of a runner."""
    found = [] if isinstance(argv, str) else [str(part) for part in argv]
    if not found:
        raise BridgeError(f"a foreign runner is a list of a program and its arguments, not {argv!r}")
    return found


def wire_text(invocation: Mapping[str, Any]) -> bytes:
    """Write an invocation; only JSON values cross the bridge."""
    try:
        return json.dumps(invocation, allow_nan=False).encode()
    except (TypeError, ValueError) as error:
        raise BridgeError(f"only JSON values cross the bridge: {error}") from None


def result_from(status: int, output: bytes, complaint: bytes) -> dict[str, Any]:
    """Read what a runner has left behind; its exit status matters only where its output is no result."""
    try:
        return parse_result(output)
    except (BridgeError, UnicodeDecodeError) as error:
        if status == 0:
            raise BridgeError(str(error)) from None
    said = complaint.decode(errors="replace").strip()[:_MAX_COMPLAINT]
    raise BridgeError(f"foreign runner exited {status}: {said}")


def timed_out(argv: Sequence[str], timeout: float) -> BridgeError:
    """Say that a runner took too long."""
    return BridgeError(f"foreign runner {argv[0]!r} has not answered within {timeout:g}s")


def not_started(argv: Sequence[str], error: OSError) -> BridgeError:
    """Say that a runner could not be started."""
    if isinstance(error, FileNotFoundError):
        return BridgeError(f"foreign runner not found: {argv[0]!r}")
    return BridgeError(f"foreign runner {argv[0]!r} cannot be started: {error.strerror or error}")
