"""UpdateUserTask: change a user task's candidates, dates or priority."""

from __future__ import annotations

from collections.abc import Sequence

from commands.handling import Command, Context, Handler, Stream
from commands.instances import TRANSITION, Transition, ask_listeners, find_idle_task, stream_of
from domain.bpmn.model import Moment
from domain.errors import InvalidArgument
from domain.process_instance import events as e
from domain.process_instance.elements.user_task import MAX_PRIORITY
from domain.process_instance.task_listeners import CHANGEABLE


class UpdateUserTask(Command, frozen=True, kw_only=True):
    """None leaves a field as it is; an empty list or 0 clears it. Dates in µs since the Unix epoch."""

    task_key: int
    candidate_groups: list[str] | None = None
    candidate_users: list[str] | None = None
    due: int | None = None
    follow_up: int | None = None
    priority: int | None = None
    action: str = ""


def decide(command: UpdateUserTask, context: Context, streams: Sequence[Stream]) -> Transition | None:
    """Record the change, or ask the task's listeners first."""
    task = find_idle_task(streams[0], command.task_key)
    if command.priority is not None and not 0 <= command.priority <= MAX_PRIORITY:
        raise InvalidArgument(
            f"priority must be a whole number from 0 to {MAX_PRIORITY}, not {command.priority}", "changeset.priority"
        )
    changes = {name: getattr(command, name) for name in CHANGEABLE}
    action = command.action or "update"
    moment = Moment.UPDATING
    asked = e.UserTaskTransitionStarted(task.local, moment, **changes, action=action)
    waits = ask_listeners(streams[0], context, command.task_key, moment, lambda: asked)
    if waits is None:
        streams[0].emit(e.UserTaskUpdated(task.local, **changes, action=action))
    return waits


HANDLER = Handler(stream_of("task_key"), decide, TRANSITION)
