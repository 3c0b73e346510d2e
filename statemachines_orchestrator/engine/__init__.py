"""How one machine runs: pure plans, found once, and a thin shell of callbacks; with the hooks of an orchestrator."""

from ._accelerate import accelerate, keep_planned
from ._arrivals import has_strays, take_strays
from ._binding import source_of
from ._calls import process_call
from ._engines import AsyncMemberEngine, SyncMemberEngine
from ._events import QuickEvent
from ._host import Host
from ._install import can_adopt, engine_of, hand_on, host_of, install, lets_go, make_held, release
from ._invocations import current_cancellation
from ._member import MemberEngine, Saved, plain_trigger
from ._planned import SyncPlannedEngine
from ._planned_async import AsyncPlannedEngine
from ._programs import INITIAL_EVENT, Choice, PlanStatistics, Program, statistics_of
from ._trigger import stamp
from ._version import check_version

check_version()

__all__ = (
    "INITIAL_EVENT",
    "AsyncMemberEngine",
    "AsyncPlannedEngine",
    "Choice",
    "Host",
    "MemberEngine",
    "PlanStatistics",
    "Program",
    "QuickEvent",
    "Saved",
    "SyncMemberEngine",
    "SyncPlannedEngine",
    "accelerate",
    "can_adopt",
    "current_cancellation",
    "engine_of",
    "hand_on",
    "has_strays",
    "host_of",
    "install",
    "keep_planned",
    "lets_go",
    "make_held",
    "plain_trigger",
    "process_call",
    "release",
    "source_of",
    "stamp",
    "statistics_of",
    "take_strays",
)
