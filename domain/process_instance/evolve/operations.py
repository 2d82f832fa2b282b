"""What operators do to an instance as a whole."""

from __future__ import annotations

from domain.process_instance import events as e
from domain.process_instance.evolve.shared import Appliers
from domain.process_instance.state import ProcessInstance


def _suspended(state: ProcessInstance, event: e.InstanceSuspended, _: int) -> None:
    state.suspended, state.suspension_reason = True, event.reason


def _resumed(state: ProcessInstance, _event: e.InstanceResumed, _: int) -> None:
    state.suspended, state.suspension_reason = False, ""


APPLIERS: Appliers = {
    e.InstanceSuspended: _suspended,
    e.InstanceResumed: _resumed,
}
