"""SetVariables: create or overwrite variables at an element instance (or the process instance itself)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from commands.handling import Command, Context, Handler, Stream
from commands.instances import active_instance, check_variables, execution, stream_of
from domain.errors import NotFound
from domain.process_instance.variables import merge_upwards, set_in


class SetVariables(Command, frozen=True, kw_only=True):
    """element_instance_key: also a process instance's key. local: set them there; else where each is found upwards."""

    element_instance_key: int
    variables: dict[str, Any]
    local: bool = False


def decide(command: SetVariables, context: Context, streams: Sequence[Stream]) -> None:
    """Set the variables; what waits goes on waiting, unless for a condition that holds now."""
    (stream,) = streams
    state = active_instance(stream, "element instance", command.element_instance_key)
    local = command.element_instance_key - state.key
    if local not in state.elements:
        raise NotFound(f"no element instance with key '{command.element_instance_key}' is active")
    variables = check_variables(command.variables)
    if not variables:
        return
    x = execution(stream, context)
    if command.local:
        set_in(x, local, variables, local)
    else:
        merge_upwards(x, local, variables, local)
    x.run()


HANDLER = Handler(stream_of("element_instance_key"), decide)
