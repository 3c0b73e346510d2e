"""
Decision tables as functions (semantics.md section 14).

A table is asked with a mapping. The rules are tried in order and the first one that matches gives the outputs. What is
missing or null matches only a cell that asks for nothing; kinds do not mix, as in guards.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from orca_bridge.exceptions import NoMatchingRuleError

from ._context_values import is_record, values_of

if TYPE_CHECKING:
    from orca_bridge.definition import CellTest, DecisionTable, NumberRange, TableRule

__all__ = ("Table", "snake_case", "table_handlers")

_CAPITAL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class Table:
    """
    A decision table that can be asked.

    ```python
    from orca_bridge import loads_table

    rates = loads_table('''
    # decision_table Rates

    ## conditions
    | Name   | Type      | Values |
    |--------|-----------|--------|
    | amount | int_range | 0..100 |

    ## actions
    | Name | Type    |
    |------|---------|
    | rate | decimal |

    ## rules
    | amount | → rate |
    |--------|--------|
    | 50+    | 0.1    |
    ''')

    assert rates(amount=60) == {"rate": 0.1}
    assert rates({"amount": 10}) is None
    ```

    Args:
        definition: What a document says about the table.
    """

    def __init__(self, definition: DecisionTable) -> None:
        self.definition: DecisionTable = definition
        self._rules = tuple((_match(rule), dict(rule.outputs)) for rule in definition.rules)

    def __repr__(self) -> str:
        counted = f"{len(self.definition.conditions)} conditions, {len(self._rules)} rules"
        return f"<Table {self.definition.name}: {counted}>"

    def __call__(self, inputs: Mapping[str, Any] | None = None, /, **more: Any) -> dict[str, Any] | None:
        """
        Find the first rule that matches.

        Args:
            inputs: A value for each condition; other keys are not looked at. A context will do.
            **more: The same, by keyword.

        Returns:
            The outputs that the rule sets, or None if no rule matches.
        """
        return self.evaluate({**(inputs or {}), **more})

    def evaluate(self, inputs: Mapping[str, Any]) -> dict[str, Any] | None:
        """Find the first rule that matches, and give the outputs that it sets; None if no rule matches."""
        for matches, outputs in self._rules:
            if matches(inputs):
                return dict(outputs)
        return None

    @property
    def action(self) -> Callable[[Any], dict[str, Any]]:
        """
        The table as the handler of an action: asked with the context, it gives what is merged into it.

        It raises `NoMatchingRuleError` if no rule matches, which is the event ``error.action.<name>`` for the machine.
        """

        def decide(ctx: Any) -> dict[str, Any]:
            values = values_of(ctx)
            found = self.evaluate(values)
            if found is None:
                names = [column.name for column in self.definition.conditions]
                raise NoMatchingRuleError(self.definition.name, {name: values.get(name) for name in names})
            return found

        return decide

    def guard(self, output: str | None = None, *values: Any) -> Callable[..., bool]:
        """
        The table as a guard for ``cond=`` of python-statemachine.

        It is asked with the fields of the machine's `context`, where it has one, and the payload of the event.

        Args:
            output: The output that decides; without it, whether any rule matches does.
            *values: What the output may be; without any, it has to be true.

        Raises:
            ValueError: The table has no such output.
        """
        known = [column.name for column in self.definition.outputs]
        if output is not None and output not in known:
            raise ValueError(f"table {self.definition.name!r} has no output {output!r}; it has: {', '.join(known)}")

        def holds(machine: Any = None, **payload: Any) -> bool:
            context = getattr(machine, "context", None)
            known = values_of(context) if isinstance(context, Mapping) or is_record(context) else {}
            found = self({**known, **payload})
            if found is None or output is None:
                return found is not None
            return found.get(output) in values if values else found.get(output) is True

        return holds


def snake_case(name: str) -> str:
    """Write the name of a table as functions are called: ``PaymentRouting`` is ``payment_routing``."""
    return re.sub(r"\W+", "_", _CAPITAL.sub("_", name)).strip("_").lower()


def table_handlers(tables: Iterable[DecisionTable]) -> dict[str, Callable[..., Any]]:
    """Give the tables as handlers, by the action names ``payment_routing`` and ``evaluate_payment_routing``."""
    found: dict[str, Callable[..., Any]] = {}
    for table in tables:
        name = snake_case(table.name)
        for action in (name, f"evaluate_{name}"):
            found.setdefault(action, Table(table).action)
    return found


def _match(rule: TableRule) -> Callable[[Mapping[str, Any]], bool]:
    tests = [(name, _test(cell)) for name, cell in rule.conditions]
    return lambda inputs: all(test(inputs.get(name)) for name, test in tests)


def _test(cell: CellTest) -> Callable[[Any], bool]:
    if cell.range is not None:
        bounds = cell.range
        return lambda value: _is_within(value, bounds)
    if not cell.values:
        return lambda _value: True
    if cell.negated:
        return lambda value: value is not None and not any(_is_equal(value, one) for one in cell.values)
    return lambda value: any(_is_equal(value, one) for one in cell.values)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)


def _is_equal(value: Any, wanted: str | float | bool) -> bool:
    if _is_number(value) and _is_number(wanted):
        return bool(_alike(value, wanted) == wanted)
    return type(value) is type(wanted) and bool(value == wanted)


def _alike(value: Any, wanted: Any) -> Any:
    """Let a Decimal be the number that a float is written as."""
    return float(value) if isinstance(value, Decimal) and isinstance(wanted, float) else value


def _is_within(value: Any, bounds: NumberRange) -> bool:
    if not _is_number(value) or value != value:  # noqa: PLR0124 - not a number is in no range
        return False
    low, high = bounds.low, bounds.high
    if low is not None and (value <= low if bounds.low_open else value < low):
        return False
    return high is None or bool(value < high if bounds.high_open else value <= high)
