"""SuspendInstance and ResumeInstance: an instance stands still, and goes on (domain/process_instance/suspension.py)."""

from __future__ import annotations

from collections.abc import Sequence

from commands.handling import Command, Context, Handler, Stream
from commands.instances import active_instance, execution, stream_of
from domain.errors import InvalidArgument, InvalidState
from domain.process_instance import suspension

MAX_REASON = 4_000


class SuspendInstance(Command, frozen=True, kw_only=True):
    """The instance, and why."""

    instance_key: int
    reason: str = ""


class ResumeInstance(Command, frozen=True, kw_only=True):
    """The instance, and why."""

    instance_key: int
    reason: str = ""


def suspend(command: SuspendInstance, _context: Context, streams: Sequence[Stream]) -> None:
    """Hold everything that waits. Raises InvalidState if it stands still already."""
    (stream,) = streams
    state = active_instance(stream, "process instance", command.instance_key)
    if state.suspended:
        raise InvalidState(f"the process instance '{state.key}' is suspended already")
    stream.emit(suspension.suspended(state, checked_reason(command.reason)))


def resume(command: ResumeInstance, context: Context, streams: Sequence[Stream]) -> None:
    """Let it go on; conditions that hold by now happen. Raises InvalidState if it is not suspended."""
    (stream,) = streams
    state = active_instance(stream, "process instance", command.instance_key)
    if not state.suspended:
        raise InvalidState(f"the process instance '{state.key}' is not suspended")
    stream.emit(suspension.resumed(state, checked_reason(command.reason)))
    x = execution(stream, context)
    x.variables_changed()
    x.run()


def checked_reason(reason: str) -> str:
    """The reason of an operation. Raises InvalidArgument if it is too long."""
    if len(reason) > MAX_REASON:
        raise InvalidArgument(f"a reason has at most {MAX_REASON} characters, not {len(reason)}", "reason")
    return reason


SUSPEND = Handler(stream_of("instance_key"), suspend)
RESUME = Handler(stream_of("instance_key"), resume)
