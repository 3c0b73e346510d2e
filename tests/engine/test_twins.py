"""
Random charts and random events, on python-statemachine's engines and on ours.

What is drawn: atomic, final, compound and parallel states, three levels deep, with done data; shallow and deep
history; transitions that are external, internal, without a target, with several, by weight, eventless, by dotted
names, by wildcards, by done events and by `error.execution`; guards that are callbacks or texts, validators; both
base classes and every flag; callbacks of machine, model and listener for every group, `prepare_event` among them,
synchronous or not, which ask for any arguments and return, send, raise inside and outside, call, ask for what is
enabled, cancel, or fail; invocations by every kind of handler, child machines among them; events with
a delay, declared internal or with positional arguments. What is done: events by name and by method, only put, raised,
delayed, cancelled; listeners added between events; a state value written; threads of
invocations, and others, that speak between events or in the middle of one.

Everything that can be seen is compared: the order of callbacks and what each received, the configuration they saw,
results, exceptions and their texts, what waits in queues, history, the end, invocations, enabled events. Threads that
nobody holds back are in `test_threads`, where the order is chance and only what does not depend on it is compared.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from twin import ACCELERATED, OURS, PREPARED, STOCK, run
from twin_draw import lives


@pytest.mark.timeout(
    600 + settings.default.max_examples
)  # 500 charts under coverage on a busy machine, or 5,000 at night
@settings(
    deadline=None,
    max_examples=max(500, settings.default.max_examples),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(lives())
def test_same(life):
    """No random chart tells our engines from stock."""
    chart, steps = life

    stock = run(chart, steps, STOCK)
    assert run(chart, steps, OURS) == stock
    assert run(chart, steps, ACCELERATED) == stock
    assert run(chart, steps, PREPARED) == stock
