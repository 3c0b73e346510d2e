"""Stock engines with one fault each: what compares engines has to find every one of them."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace

from statemachine.engines.async_ import AsyncEngine
from statemachine.engines.base import BaseEngine
from statemachine.engines.sync import SyncEngine
from statemachine.orderedset import OrderedSet

from conformance.engines import Engines

MUTANTS: dict[str, Engines] = {}


def mutant(fault: type) -> type:
    """Give both engines the fault; its docstring says what is wrong."""
    both = (type(f"{kind.__name__}{fault.__name__}", (fault, kind), {}) for kind in (SyncEngine, AsyncEngine))
    MUTANTS[fault.__name__] = Engines(*both)
    return fault


@mutant
class LeavesOuterFirst(BaseEngine):
    """Runs exit callbacks from the outside in."""

    def _prepare_exit_states(self, enabled_transitions):
        states, result = super()._prepare_exit_states(enabled_transitions)
        return states[::-1], result


@mutant
class EntersInnerFirst(BaseEngine):
    """Runs enter callbacks from the inside out."""

    def _prepare_entry_states(self, *args):
        states, *others = super()._prepare_entry_states(*args)
        return states[::-1], *others


@mutant
class ForgetsHistory(BaseEngine):
    """Records no history."""

    def _prepare_exit_states(self, enabled_transitions):
        before = self.sm.history_values.copy()
        found = super()._prepare_exit_states(enabled_transitions)
        self.sm.history_values = before
        return found


@mutant
class KeepsConflicts(BaseEngine):
    """Takes transitions that exclude each other."""

    def _filter_conflicting_transitions(self, transitions):
        return transitions


@mutant
class QueuesAllOutside(BaseEngine):
    """Has one queue only."""

    def put(self, trigger_data, internal=False):
        super().put(trigger_data, internal=False)


@mutant
class TakesWhenEnded(BaseEngine):
    """Accepts events after the end without a word."""

    def put(self, trigger_data, internal=False):
        if self.running:
            super().put(trigger_data, internal=internal)


@mutant
class KeepsQueueAfterError(BaseEngine):
    """Does not clear its queues when an action fails."""

    def clear(self):
        pass


@mutant
class ForgetsInternalEvents(BaseEngine):
    """Loses an internal event whenever another is there already."""

    def put(self, trigger_data, internal=False):
        if internal:
            self.internal_queue.clear()
        super().put(trigger_data, internal=internal)


@mutant
class KnowsNoCancel(BaseEngine):
    """Does not cancel events."""

    def cancel_event(self, send_id):
        pass


@mutant
class SaysNothingDone(BaseEngine):
    """Sends no done events."""

    def _handle_final_state(self, target, on_entry_result):
        if target.parent is None:
            super()._handle_final_state(target, on_entry_result)


@mutant
class DropsDoneData(BaseEngine):
    """Sends done events without their data."""

    def _handle_final_state(self, target, on_entry_result):
        super()._handle_final_state(target, [])


@mutant
class NeverEnds(BaseEngine):
    """Goes on after a final state at the top."""

    def _handle_final_state(self, target, on_entry_result):
        super()._handle_final_state(target, on_entry_result)
        self.running = True


@mutant
class ReentersItself(BaseEngine):
    """Enters the target of every internal transition, whatever the class says."""

    def _enters_target(self, transition):
        return True


@mutant
class NeverReentersItself(BaseEngine):
    """Enters the target of no internal transition to itself."""

    def _enters_target(self, transition):
        return not transition.internal and super()._enters_target(transition)


@mutant
class AlwaysAtOnce(BaseEngine):
    """Changes the configuration only when all is entered, for every class."""

    def _remove_state_from_configuration(self, state):
        pass


@mutant
class RaisesNoErrorEvents(BaseEngine):
    """Swallows what actions raise, one block at a time."""

    def _on_error_handler(self):
        return (lambda _: None) if self.sm.catch_errors_as_events else None


@mutant
class AnswersErrorsWithErrors(BaseEngine):
    """Lets an error while an error is handled be an event again."""

    def _send_error_execution(self, error, trigger_data):
        super()._send_error_execution(error, SimpleNamespace(event="other"))


@mutant
class ReversesConfiguration(BaseEngine):
    """Keeps the active states in the wrong order."""

    def _prepare_entry_states(self, *args):
        states, defaults, history, configuration = super()._prepare_entry_states(*args)
        return states, defaults, history, OrderedSet(reversed(list(configuration)))


@mutant
class EndsParallelEarly(BaseEngine):
    """Takes a parallel state for done when one region is."""

    def is_in_final_state(self, state):
        return super().is_in_final_state(state) or state.parent is not None


def sync_mutant(fault: type) -> type:
    """Give the synchronous engine a fault in code that the asynchronous one has for itself."""
    MUTANTS[fault.__name__] = Engines(fault, AsyncEngine)
    return fault


@sync_mutant
class DropsSource(SyncEngine):
    """Hands `source` to nobody."""

    def _get_args_kwargs(self, *args, **kwargs):
        found, keywords = super()._get_args_kwargs(*args, **kwargs)
        return found, {name: value for name, value in keywords.items() if name != "source"}


@sync_mutant
class DropsPositional(SyncEngine):
    """Hands on no positional argument."""

    def _get_args_kwargs(self, *args, **kwargs):
        return (), super()._get_args_kwargs(*args, **kwargs)[1]


@sync_mutant
class NamesNoTarget(SyncEngine):
    """Says `state` of the transition where it should be the state that is entered."""

    def _get_args_kwargs(self, transition, trigger_data, target=None, source=None):
        return super()._get_args_kwargs(transition, trigger_data, None, source)


@sync_mutant
class PreparesAgain(SyncEngine):
    """Prepares the arguments of every group anew."""

    def _get_args_kwargs(self, *args, **kwargs):
        self._cache.clear()
        return super()._get_args_kwargs(*args, **kwargs)


@sync_mutant
class SkipsValidators(SyncEngine):
    """Asks no validator."""

    def _conditions_match(self, transition, trigger_data):
        args, kwargs = self._get_args_kwargs(transition, trigger_data)
        return self.sm._callbacks.all(transition.cond.key, *args, on_error=self._on_error_handler(), **kwargs)


@sync_mutant
class MatchesWholeNames(SyncEngine):
    """Knows no dotted events and no wildcards."""

    def select_transitions(self, trigger_data):
        return self._select_transitions(trigger_data, lambda one, event: event in list(one.events))


@sync_mutant
class TakesLastMatch(SyncEngine):
    """Takes the last transition that matches."""

    def _first_transition_that_matches(self, state, trigger_data, predicate):
        found = None
        for one in [state, *state.ancestors()]:
            for transition in one.transitions:
                if not transition.initial and predicate(transition, trigger_data.event):
                    found = transition if self._conditions_match(transition, trigger_data) else found
        return found


@sync_mutant
class ReturnsLists(SyncEngine):
    """Returns a single result in a list."""

    def microstep(self, transitions, trigger_data):
        result = super().microstep(transitions, trigger_data)
        return result if result is None or isinstance(result, list) else [result]


@sync_mutant
class RunsAfterFirst(SyncEngine):
    """Swaps the first two groups of callbacks: `after` comes before `before`."""

    def _execute_transition_content(self, transitions, trigger_data, get_key, *args, **kwargs):
        names = {one.before.key: one.after.key for one in transitions}
        names |= {one.after.key: one.before.key for one in transitions}
        swapped = partial(_swapped, get_key, names)
        return super()._execute_transition_content(transitions, trigger_data, swapped, *args, **kwargs)


@sync_mutant
class RollsNothingBack(SyncEngine):
    """Leaves a machine where an error stopped it."""

    def _handle_error(self, error, trigger_data):
        try:
            super()._handle_error(error, trigger_data)
        finally:
            self.sm.configuration = OrderedSet(list(self.sm.configuration)[:1])


@sync_mutant
class EnablesAll(SyncEngine):
    """Asks no guard for the enabled events."""

    def enabled_events(self, *args, **kwargs):
        return self.sm.allowed_events


@sync_mutant
class ForgetsEventless(SyncEngine):
    """Takes no eventless transition."""

    def select_eventless_transitions(self, trigger_data):
        return OrderedSet()


@sync_mutant
class AnswersLast(SyncEngine):
    """Returns what the last event gave, not the first."""

    def _take_due_external_event(self, first_result):
        took, result = super()._take_due_external_event(self._sentinel)
        return took, first_result if result is self._sentinel else result


def _swapped(get_key, names, transition):
    key = get_key(transition)
    return names.get(key, key)
