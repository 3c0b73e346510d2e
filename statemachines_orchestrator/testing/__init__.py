"""For the tests of users: time that passes when the test says so."""

from ._clock import SimulatedClock

__all__ = ("SimulatedClock",)
