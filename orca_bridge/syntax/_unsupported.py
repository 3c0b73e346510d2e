"""The one error for constructs of the language that this version does not read yet."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from ._diagnostics import Findings
    from ._source import Text


def not_supported(findings: Findings, construct: str, at: Text, meanwhile: str) -> None:
    """Refuse a construct by name, and say what to do until it is supported."""
    message = f"{construct} is valid, but not supported by this version of orca_bridge"
    findings.error("NOT_SUPPORTED_YET", message, at, f"until then: {meanwhile}")


def not_supported_but_read(findings: Findings, construct: str, at: Text, meanwhile: str) -> None:
    """Warn of a construct that is skipped without changing what the machine does."""
    message = f"{construct} is valid, but ignored by this version of orca_bridge"
    findings.warning("NOT_SUPPORTED_YET", message, at, f"until then: {meanwhile}")
