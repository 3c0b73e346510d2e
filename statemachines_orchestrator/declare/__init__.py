"""What a user writes in a class body, as frozen data, and what is wrong with it."""

from ._arguments import bind, wrong_machine
from ._declaration import Declaration, declare
from ._fields import DataField, Field, MemberField, data, machine
from ._names import nearest

__all__ = (
    "DataField",
    "Declaration",
    "Field",
    "MemberField",
    "bind",
    "data",
    "declare",
    "machine",
    "nearest",
    "wrong_machine",
)
