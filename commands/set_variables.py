"""SetVariables: create or overwrite variables at an element instance (or the process instance itself)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from commands.handling import Command, Context, Handler, Stream
from commands.instances import (
    TRANSITION,
    Transition,
    active_instance,
    ask_listeners,
    check_variables,
    execution,
    find_idle_task,
    stream_of,
)
from domain.bpmn.model import Moment
from domain.errors import NotFound
from domain.process_instance import events as e
from domain.process_instance.variables import merge_upwards, set_in


class SetVariables(Command, frozen=True, kw_only=True):
    """element_instance_key: also a process instance's key. local: set them there; else where each is found upwards."""

    element_instance_key: int
    variables: dict[str, Any]
    local: bool = False


def decide(command: SetVariables, context: Context, streams: Sequence[Stream]) -> Transition | None:
    """Set the variables; what waits goes on waiting, unless for a condition that holds now."""
    (stream,) = streams
    state = active_instance(stream, "element instance", command.element_instance_key)
    local = command.element_instance_key - state.key
    if local not in state.elements:
        raise NotFound(f"no element instance with key '{command.element_instance_key}' is active")
    variables = check_variables(command.variables)
    if not variables:
        return None
    task_local = state.elements[local].task
    if task_local:
        find_idle_task(stream, state.key + task_local)
        asked = e.UserTaskTransitionStarted(
            task_local, Moment.UPDATING, action="update", variables=variables, at_element=command.local
        )
        waits = ask_listeners(stream, context, state.key + task_local, Moment.UPDATING, lambda: asked)
        if waits is not None:
            return waits
    x = execution(stream, context)
    if command.local:
        set_in(x, local, variables, local)
    else:
        merge_upwards(x, local, variables, local)
    x.run()
    return None


HANDLER = Handler(stream_of("element_instance_key"), decide, TRANSITION)
