"""How several machines run together: turns, steps, the driver, and copies of the whole."""

from ._calls import EventCall
from ._clock import Clock, MonotonicClock, Timed
from ._configuration import SystemConfiguration, configuration_of, is_ended
from ._copying import MemberRecord, blank, member_of, record_of, register, restore, with_own_model
from ._driver import Driver
from ._members import adopt, give_back, make_members
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
from ._timers import Timer, TimerQueue, TimerStatistics
from ._turns import Ticket, Turns

__all__ = (
    "Clock",
    "Driver",
    "EventCall",
    "EventHeld",
    "EventRefused",
    "Inspection",
    "LinkFired",
    "MemberRecord",
    "MonotonicClock",
    "Moved",
    "StepEnded",
    "StepStarted",
    "SystemConfiguration",
    "Ticket",
    "Timed",
    "Timer",
    "TimerChanged",
    "TimerQueue",
    "TimerStatistics",
    "Turns",
    "adopt",
    "blank",
    "configuration_of",
    "give_back",
    "is_ended",
    "make_members",
    "member_of",
    "record_from",
    "record_of",
    "record_to_mapping",
    "register",
    "restore",
    "with_own_model",
)
