"""A machine class as one immutable description: what the layers above read."""

from ._callbacks import Callback
from ._chart import Chart
from ._read import read_chart
from ._records import Edge, Kind, Node

__all__ = ("Callback", "Chart", "Edge", "Kind", "Node", "read_chart")
