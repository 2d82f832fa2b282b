"""UpdateUserTask: change a user task's candidates, dates or priority."""

from __future__ import annotations

from collections.abc import Sequence

from commands.handling import Command, Context, Handler, Stream
from commands.instances import find_task, stream_of
from domain.errors import InvalidArgument
from domain.process_instance import events as e
from domain.process_instance.elements.user_task import MAX_PRIORITY


class UpdateUserTask(Command, frozen=True, kw_only=True):
    """None leaves a field as it is; an empty list or 0 clears it. Dates in µs since the Unix epoch."""

    task_key: int
    candidate_groups: list[str] | None = None
    candidate_users: list[str] | None = None
    due: int | None = None
    follow_up: int | None = None
    priority: int | None = None
    action: str = ""


def decide(command: UpdateUserTask, _context: Context, streams: Sequence[Stream]) -> None:
    """Record the change."""
    task = find_task(streams[0], command.task_key)
    if command.priority is not None and not 0 <= command.priority <= MAX_PRIORITY:
        raise InvalidArgument(
            f"priority must be a whole number from 0 to {MAX_PRIORITY}, not {command.priority}", "changeset.priority"
        )
    streams[0].emit(
        e.UserTaskUpdated(
            task.local,
            command.candidate_groups,
            command.candidate_users,
            command.due,
            command.follow_up,
            command.priority,
            command.action or "update",
        )
    )


HANDLER = Handler(stream_of("task_key"), decide)
