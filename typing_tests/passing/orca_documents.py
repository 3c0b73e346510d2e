"""The classes that documents are loaded as are known; what only the document declares is not checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from typing_extensions import assert_type

from orca_bridge import OrcaChart, OrcaSystem, loads, loads_orchestrator

TRIP = """
# machine Trip

## state idle [initial]
- on book -> booking
## state booking
- invoke: Hotel
- on_done: -> idle

---

# machine Hotel

## state asking [initial]
- on give -> given
## state given [final]
"""

TripSystem = loads_orchestrator(TRIP)
assert_type(TripSystem, type[OrcaSystem])

system = TripSystem()
system.trip.book()
assert_type(system.hotel, Any)
assert_type(system.machines["trip"].current_state_value, Any)
system.hotel["trip.booking"].give()

trip = loads(TRIP)()
trip.book()
assert_type(trip.children, Mapping[str, OrcaChart])
trip.children["booking"].give()
