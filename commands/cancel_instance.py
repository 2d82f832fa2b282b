"""CancelInstance: end a process instance with all that is active in it."""

from __future__ import annotations

from collections.abc import Sequence

from commands.handling import Command, Context, Handler, Stream
from commands.instances import active_instance, end_instance, stream_of
from domain.errors import InvalidState


class CancelInstance(Command, frozen=True, kw_only=True):
    """The instance, and why."""

    instance_key: int
    reason: str = ""


def decide(command: CancelInstance, context: Context, streams: Sequence[Stream]) -> None:
    """Terminate the active elements, innermost first, then the instance."""
    (stream,) = streams
    state = active_instance(stream, "process instance", command.instance_key)
    if state.parent_key:
        raise InvalidState(
            f"'{state.key}' was called by the instance '{state.parent_key}'; "
            f"cancel the root instance '{state.root_key}'"
        )
    end_instance(stream, context, command.reason)


HANDLER = Handler(stream_of("instance_key"), decide)
