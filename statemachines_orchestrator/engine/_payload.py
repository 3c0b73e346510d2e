"""The keywords of an event, and what callbacks receive of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ("Payload",)


class Payload(dict[str, Any]):
    """
    The keywords that an event was sent with; every copy of them has the orchestrator, too.

    python-statemachine copies an event's keywords for each callback and adds its own there. So the orchestrator
    reaches every callback, while the event itself stays as it was sent: what looks at an event as a whole (the
    `_event.data` of SCXML, a payload of Orca) finds nothing in it that nobody sent.
    """

    __slots__ = ("injected",)
    # An attribute and no argument: one is made for every event, and `dict` needs no constructor of ours.
    injected: Mapping[str, Any]
    """What every callback of the machine may ask for."""

    def copy(self) -> dict[str, Any]:
        """Return the keywords of a callback."""
        return {**self, **self.injected}
