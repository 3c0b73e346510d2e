"""
The machines under measurement once more, for those that stand alone.

Machines of a class that has members are made and run by us wherever they are, so what is called stock must be of a
class that never had any.
"""

from __future__ import annotations

import sys
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, Any

from . import _machines

if TYPE_CHECKING:
    from statemachine import StateChart

__all__ = ("stock",)


def _second_copy() -> Any:
    name = f"{__package__}._machines_alone"
    spec: Any = spec_from_file_location(name, _machines.__file__)
    module = sys.modules[name] = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_copy = _second_copy()


def stock(kind: type[StateChart[Any]]) -> Any:
    """Return the same class, which never has members."""
    return getattr(_copy, kind.__name__)
