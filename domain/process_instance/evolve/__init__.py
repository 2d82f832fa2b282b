"""How each event changes the state of a process instance. Evolving decides nothing: live execution and replay share it.

One applier per event, by the concept it is about; the tables are put together here.
"""

from __future__ import annotations

from domain.errors import LogCorrupt
from domain.events import Event
from domain.process_instance.evolve import (
    calls,
    decisions,
    elements,
    incidents,
    instance,
    jobs,
    operations,
    thrown,
    user_tasks,
    waits,
)
from domain.process_instance.evolve.shared import Appliers
from domain.process_instance.state import ProcessInstance

APPLIERS: Appliers = {
    **instance.APPLIERS,
    **elements.APPLIERS,
    **waits.APPLIERS,
    **thrown.APPLIERS,
    **jobs.APPLIERS,
    **user_tasks.APPLIERS,
    **decisions.APPLIERS,
    **incidents.APPLIERS,
    **calls.APPLIERS,
    **operations.APPLIERS,
}


def evolve(state: ProcessInstance, event: Event, at: int = 0) -> None:
    """Apply one event (recorded at `at`, µs). Raises LogCorrupt for an event that is not an instance's."""
    applier = APPLIERS.get(type(event))
    if applier is None:
        raise LogCorrupt(f"{type(event).__name__} is not an event of a process instance")
    applier(state, event, at)
