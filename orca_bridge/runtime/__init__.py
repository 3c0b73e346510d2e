"""
The names of the published runtime, ``orca_runtime_python`` 0.1.27 to 0.1.30, on converted machines.

Code that was written for it runs after changing the import. What behaves otherwise on purpose is listed in the
documentation's page about the runtime.
"""

from ._codec import dump_snapshot, load_snapshot, register_codec
from ._inbound import answer_invocation
from ._snapshots import SnapshotError
from ._timers import Clock, LoopClock, ManualClock
from .bridge import (
    BRIDGE_PROTOCOL_VERSION,
    BridgeError,
    build_invocation,
    descriptor_for,
    dispatch_foreign,
    make_result,
    parse_invocation,
    parse_result,
)
from .bus import Event, EventBus, EventType, get_event_bus, reset_event_bus
from .effects import EffectRegistry, effect_handler, get_effect_registry, register_effect_handlers
from .logging import ConsoleSink, FileSink, LogSink, MultiSink
from .machine import OrcaMachine
from .parser import ParseError, parse_orca, parse_orca_auto, parse_orca_md, parse_orca_md_multi
from .persistence import AsyncPersistenceAdapter, FilePersistence, PersistenceAdapter
from .types import (
    ActionSignature,
    Context,
    Effect,
    EffectDef,
    EffectResult,
    EffectStatus,
    GuardAnd,
    GuardCompare,
    GuardDef,
    GuardExpression,
    GuardFalse,
    GuardNot,
    GuardNullcheck,
    GuardOr,
    GuardTrue,
    InvokeDef,
    MachineDef,
    MachineNotActiveError,
    ParallelDef,
    RegionDef,
    ReturnDef,
    StateDef,
    StateValue,
    Transition,
    TransitionResult,
    ValueRef,
    VariableRef,
)

__all__ = (
    "BRIDGE_PROTOCOL_VERSION",
    "ActionSignature",
    "AsyncPersistenceAdapter",
    "BridgeError",
    "Clock",
    "ConsoleSink",
    "Context",
    "Effect",
    "EffectDef",
    "EffectRegistry",
    "EffectResult",
    "EffectStatus",
    "Event",
    "EventBus",
    "EventType",
    "FilePersistence",
    "FileSink",
    "GuardAnd",
    "GuardCompare",
    "GuardDef",
    "GuardExpression",
    "GuardFalse",
    "GuardNot",
    "GuardNullcheck",
    "GuardOr",
    "GuardTrue",
    "InvokeDef",
    "LogSink",
    "LoopClock",
    "MachineDef",
    "MachineNotActiveError",
    "ManualClock",
    "MultiSink",
    "OrcaMachine",
    "ParallelDef",
    "ParseError",
    "PersistenceAdapter",
    "RegionDef",
    "ReturnDef",
    "SnapshotError",
    "StateDef",
    "StateValue",
    "Transition",
    "TransitionResult",
    "ValueRef",
    "VariableRef",
    "answer_invocation",
    "build_invocation",
    "descriptor_for",
    "dispatch_foreign",
    "dump_snapshot",
    "effect_handler",
    "get_effect_registry",
    "get_event_bus",
    "load_snapshot",
    "make_result",
    "parse_invocation",
    "parse_orca",
    "parse_orca_auto",
    "parse_orca_md",
    "parse_orca_md_multi",
    "parse_result",
    "register_codec",
    "register_effect_handlers",
    "reset_event_bus",
)
