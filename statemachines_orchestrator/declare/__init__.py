"""What a user writes in a class body, as frozen data, and what is wrong with it."""

from ._addresses import EACH, At, Each, MemberAddress, Place
from ._arguments import bind, wrong_machine, wrong_system
from ._collection import Members
from ._conditions import All, Any_, Condition, Done, Function, In, Not, Over, done, every, none, some
from ._declaration import Declaration, declaration_of, declare
from ._fields import DataField, Field, MachinesField, MemberField, SystemField, data, machine, machines
from ._kept import Kept
from ._keywords import Keywords
from ._links import (
    BoundJointEvent,
    Call,
    Guard,
    JointEvent,
    Link,
    OnCondition,
    OnDone,
    OnEvent,
    OnJoint,
    OnState,
    Send,
    guard,
    together,
    when,
)
from ._names import RESERVED_FIELDS, nearest
from ._references import at, each
from ._rules import Rules

__all__ = (
    "EACH",
    "RESERVED_FIELDS",
    "All",
    "Any_",
    "At",
    "BoundJointEvent",
    "Call",
    "Condition",
    "DataField",
    "Declaration",
    "Done",
    "Each",
    "Field",
    "Function",
    "Guard",
    "In",
    "JointEvent",
    "Kept",
    "Keywords",
    "Link",
    "MachinesField",
    "MemberAddress",
    "MemberField",
    "Members",
    "Not",
    "OnCondition",
    "OnDone",
    "OnEvent",
    "OnJoint",
    "OnState",
    "Over",
    "Place",
    "Rules",
    "Send",
    "SystemField",
    "at",
    "bind",
    "data",
    "declaration_of",
    "declare",
    "done",
    "each",
    "every",
    "guard",
    "machine",
    "machines",
    "nearest",
    "none",
    "some",
    "together",
    "when",
    "wrong_machine",
    "wrong_system",
)
