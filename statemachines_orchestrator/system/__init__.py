"""How several machines run together: turns, steps, the driver, and copies of the whole."""

from ._calls import EventCall
from ._clock import Clock, MonotonicClock, Timed, no_clock
from ._configuration import SystemConfiguration, configuration_of, is_ended
from ._copying import (
    SystemRecord,
    blank,
    describe_system,
    make_room,
    part_of,
    rebuild_system,
    register,
    with_own_models,
)
from ._driver import Driver, place
from ._effects import Sending
from ._lookup import enabled_addresses, send
from ._members import adopt, give_back, make_parts
from ._messages import add_at_rest, post, withdraw
from ._nesting import outer_driver
from ._occurrence import Occurrence
from ._records import (
    EventHeld,
    EventRefused,
    Inspection,
    LinkFired,
    Moved,
    StepEnded,
    StepStarted,
    TimerChanged,
    record_from,
    record_to_mapping,
)
from ._rest import DelayedLink, Firing
from ._scope import Scope
from ._shared import DelayedEvent
from ._timers import Timer, TimerQueue, TimerStatistics
from ._turns import Ticket, Turns

__all__ = (
    "Clock",
    "DelayedEvent",
    "DelayedLink",
    "Driver",
    "EventCall",
    "EventHeld",
    "EventRefused",
    "Firing",
    "Inspection",
    "LinkFired",
    "MonotonicClock",
    "Moved",
    "Occurrence",
    "Scope",
    "Sending",
    "StepEnded",
    "StepStarted",
    "SystemConfiguration",
    "SystemRecord",
    "Ticket",
    "Timed",
    "Timer",
    "TimerChanged",
    "TimerQueue",
    "TimerStatistics",
    "Turns",
    "add_at_rest",
    "adopt",
    "blank",
    "configuration_of",
    "describe_system",
    "enabled_addresses",
    "give_back",
    "is_ended",
    "make_parts",
    "make_room",
    "no_clock",
    "outer_driver",
    "part_of",
    "place",
    "post",
    "rebuild_system",
    "record_from",
    "record_to_mapping",
    "register",
    "send",
    "with_own_models",
    "withdraw",
)
