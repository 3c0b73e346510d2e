"""A machine class as one immutable description: what the layers above read."""

from ._chart import Callback, Chart, read_chart

__all__ = ("Callback", "Chart", "read_chart")
