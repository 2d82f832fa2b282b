"""What the appliers share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from domain.errors import LogCorrupt
from domain.events import Event
from domain.process_instance.lifecycle import NEXT, Phase
from domain.process_instance.state import ElementInstance, ProcessInstance

Appliers = dict[type[Event], Callable[[ProcessInstance, Any, int], None]]
"""How each event changes the state; the last argument is when it was recorded (µs)."""


def move(element: ElementInstance, phase: Phase) -> None:
    """Put an element instance into a phase that the lifecycle allows after its present one."""
    if phase is not element.phase:
        if phase not in NEXT[element.phase]:
            raise LogCorrupt(
                f"element instance {element.local} of {element.element_id} cannot go from "
                f"{element.phase.name} to {phase.name}"
            )
        element.phase = phase


def claim(state: ProcessInstance, local: int) -> None:
    if local >= state.next_local:
        state.next_local = local + 1


def set_variables(state: ProcessInstance, scope: ElementInstance, values: dict[str, Any], locals_: list[int]) -> None:
    if scope.variables is None or scope.variable_locals is None:
        scope.variables, scope.variable_locals = {}, {}
    scope.variables.update(values)
    scope.variable_locals.update(zip(values, locals_, strict=True))
    if locals_:
        claim(state, max(locals_))
