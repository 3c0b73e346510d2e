"""
Random charts and random events, on python-statemachine's engines and on ours.

Everything that can be seen is compared: the order of callbacks and what each received, the configuration they saw,
results, exceptions and their texts, what waits in queues, history, the end, enabled events.
"""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from twin import ACCELERATED, OURS, STOCK, run
from twin_draw import lives


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
