"""The published names: where they are, and how they are called."""

import importlib
import inspect

import pytest

import orca_bridge.runtime

EXPORTED = """
    StateDef Transition GuardDef ActionSignature EffectDef ReturnDef InvokeDef MachineDef StateValue Context Effect
    EffectResult EffectStatus EventBus Event EventType get_event_bus OrcaMachine MachineNotActiveError TransitionResult
    parse_orca_md parse_orca_auto BRIDGE_PROTOCOL_VERSION BridgeError descriptor_for build_invocation make_result parse_result
    parse_invocation dispatch_foreign PersistenceAdapter AsyncPersistenceAdapter FilePersistence LogSink FileSink
    ConsoleSink MultiSink
"""

IN_MODULES = {
    "types": """
        RegionDef ParallelDef InvokeDef ReturnDef StateDef Transition GuardDef ActionSignature EffectDef MachineDef
        GuardExpression GuardTrue GuardFalse GuardCompare GuardAnd GuardOr GuardNot GuardNullcheck VariableRef ValueRef
        Effect EffectResult EffectStatus StateValue Context
    """,
    "bus": "EventType Event EventBus EventHandler EffectHandler get_event_bus reset_event_bus",
    "machine": "OrcaMachine TransitionResult MachineNotActiveError TransitionCallback ActionHandler",
    "parser": "ParseError parse_orca_md parse_orca_md_multi parse_orca_auto",
    "effects": """
        EffectType EffectRegistry NarrativeRequest NarrativeResponse MoveRequest MoveResponse SaveRequest SaveResponse
        LoadRequest LoadResponse default_narrative_handler default_effect_handler effect_handler register_effect_handlers
        get_effect_registry reset_effect_registry
    """,
    "persistence": "PersistenceAdapter AsyncPersistenceAdapter FilePersistence",
    "logging": "LogSink FileSink ConsoleSink MultiSink",
    "bridge": """
        BRIDGE_PROTOCOL_VERSION BridgeError descriptor_for build_invocation make_result parse_result parse_invocation
        dispatch_foreign
    """,
}

SIGNATURES = {
    "types.StateDef": "name is_initial=False is_final=False on_entry=None on_exit=None on_done=None description=None contains= parallel=None parent=None timeout=None ignored_events= invoke=None",
    "types.Transition": "source event target guard=None action=None",
    "types.ActionSignature": "name parameters return_type has_effect=False effect_type=None",
    "types.InvokeDef": "machine input=None on_done=None on_error=None returns=None shots=None",
    "types.MachineDef": "name context events states transitions guards= actions= effects= returns= version='0.1.0'",
    "types.EffectDef": "name input output",
    "types.Effect": "type payload=",
    "types.EffectResult": "status data=None error=None",
    "types.StateValue": "value",
    "types.TransitionResult": "taken from_state to_state=None to_state_leaf=None guard_failed=False error=None",
    "bus.Event": "type source event_name=None correlation_id=None timestamp= payload=",
    "bus.EventBus": "",
    "bus.EventBus.subscribe": "self event_type handler",
    "bus.EventBus.unsubscribe": "self event_type handler",
    "bus.EventBus.publish": "self event",
    "bus.EventBus.register_effect_handler": "self effect_type handler",
    "bus.EventBus.execute_effect": "self effect",
    "bus.EventBus.request_response": "self request_type request_payload response_type correlation_id=None timeout=5.0 source='orca'",
    "machine.OrcaMachine": "definition event_bus=None context=None on_transition=None persistence=None run_id=None",
    "machine.OrcaMachine.send": "self event payload=None",
    "machine.OrcaMachine.start": "self",
    "machine.OrcaMachine.stop": "self",
    "machine.OrcaMachine.snapshot": "self",
    "machine.OrcaMachine.restore": "self snap",
    "machine.OrcaMachine.resume": "self snap",
    "machine.OrcaMachine.load_or_start": "self",
    "machine.OrcaMachine.register_action": "self name handler",
    "machine.OrcaMachine.unregister_action": "self name",
    "machine.OrcaMachine.register_machines": "self machines",
    "machine.OrcaMachine.register_foreign_runner": "self machine_name runner_argv",
    "machine.OrcaMachine.start_child_machine": "self state_name invoke_def",
    "machine.OrcaMachine.stop_child_machine": "self state_name",
    "parser.parse_orca_md": "source",
    "parser.parse_orca_md_multi": "source",
    "parser.parse_orca_auto": "source filename=None",
    "effects.EffectRegistry.register": "self effect_type handler",
    "effects.EffectRegistry.execute": "self effect",
    "effects.register_effect_handlers": "registry handlers=None",
    "persistence.FilePersistence": "base_dir",
    "persistence.FilePersistence.save": "self run_id snapshot",
    "persistence.FilePersistence.load": "self run_id",
    "logging.FileSink": "path",
    "logging.ConsoleSink": "file=None",
    "logging.MultiSink": "*sinks",
    "bridge.build_invocation": "child args shots return_bindings",
    "bridge.make_result": "final_state returns error=None",
    "bridge.dispatch_foreign": "runner_argv invocation timeout=30",
}

AWAITED = {
    "publish",
    "execute_effect",
    "request_response",
    "start",
    "stop",
    "send",
    "restore",
    "resume",
    "load_or_start",
}


def found(place):
    module, *names = place.split(".")
    value = importlib.import_module(f"orca_bridge.runtime.{module}")
    for name in names:
        value = getattr(value, name)
    return value


class TestNames:
    def test_exported(self):
        """Every name that the published package exports is exported, and can be imported by it."""
        assert set(EXPORTED.split()) <= set(orca_bridge.runtime.__all__)

    @pytest.mark.parametrize("module", IN_MODULES)
    def test_modules(self, module):
        """The published modules have their names."""
        names = dir(importlib.import_module(f"orca_bridge.runtime.{module}"))

        assert set(IN_MODULES[module].split()) - set(names) == set()

    def test_event_types(self):
        """The published types of events have their values."""
        values = {one.name: one.value for one in orca_bridge.runtime.EventType}

        assert values["STATE_CHANGED"] == "orca.state.changed"
        assert values["SCHEDULING_QUERY_RESPONSE"] == "scheduling.query_response"
        assert len(values) == 14

    @pytest.mark.parametrize("place", SIGNATURES)
    def test_signatures(self, place):
        """What took arguments takes the same ones, in the same order; what was added is optional."""
        published = SIGNATURES[place].split()
        parameters = list(inspect.signature(found(place)).parameters.values())
        names = [f"*{one.name}" if one.kind is one.VAR_POSITIONAL else one.name for one in parameters]

        assert names[: len(published)] == [one.partition("=")[0] for one in published]
        assert all(one.default is not one.empty for one in parameters[len(published) :])
        for parameter, one in zip(parameters, published, strict=False):
            _, has_default, default = one.partition("=")
            assert not has_default or not default or repr(parameter.default) == default

    @pytest.mark.parametrize(
        "place", [one for one in SIGNATURES if one.startswith(("bus", "machine")) and one.rpartition(".")[2] in AWAITED]
    )
    def test_awaited(self, place):
        """What was awaited is awaited."""
        assert inspect.iscoroutinefunction(found(place))
