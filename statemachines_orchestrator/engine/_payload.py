"""The keywords of an event, and what callbacks receive of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ._host import Host

__all__ = ("Payload",)


class Payload(dict[str, Any]):
    """
    The keywords that an event was sent with; every copy of them has the orchestrator, too.

    python-statemachine copies an event's keywords for each callback and adds its own there. So the orchestrator
    reaches every callback, while the event itself stays as it was sent: what looks at an event as a whole (the
    `_event.data` of SCXML, a payload of Orca) finds nothing in it that nobody sent.
    """

    __slots__ = ("host", "key")
    # Attributes and no arguments: one is made for every event, and `dict` needs no constructor of ours.
    host: Host
    key: str | None
    """The machine's key in a collection."""

    def copy(self) -> dict[str, Any]:
        """Return the keywords of a callback."""
        keywords = dict(self)
        keywords[self.host.parameter] = self.host.orchestrator
        if self.key is not None:
            keywords["member_key"] = self.key
        return keywords
