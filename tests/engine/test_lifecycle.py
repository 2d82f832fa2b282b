"""The lifecycle table rules: a log that breaks it is refused, not followed."""

from __future__ import annotations

import pytest

from domain.errors import LogCorrupt
from domain.process_instance import events as e
from domain.process_instance.evolve import evolve
from domain.process_instance.lifecycle import Phase
from domain.process_instance.state import ProcessInstance


def waiting_task() -> ProcessInstance:
    """An instance whose element instance 1 waits for user task 2."""
    state = ProcessInstance(4096)
    for event in (
        e.InstanceCreated(1, "p", 1, {}, []),
        e.ElementActivated(1, "review", 0),
        e.UserTaskCreated(2, 1, "review"),
    ):
        evolve(state, event)
    return state


def test_an_element_instance_enters_waits_and_leaves() -> None:
    state = waiting_task()
    assert state.elements[1].phase is Phase.WAITING
    evolve(state, e.UserTaskCompleted(2))
    assert state.elements[1].phase is Phase.LEAVING


def test_one_that_leaves_cannot_wait_again() -> None:
    state = waiting_task()
    evolve(state, e.UserTaskCompleted(2))
    with pytest.raises(LogCorrupt, match="element instance 1 of review cannot go from LEAVING to WAITING"):
        evolve(state, e.JobCreated(3, 1, "review", "work", 3))
