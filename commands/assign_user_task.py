"""AssignUserTask and UnassignUserTask: who does a user task."""

from __future__ import annotations

from collections.abc import Sequence

from commands.handling import Command, Context, Handler, Stream
from commands.instances import TRANSITION, Transition, ask_listeners, find_idle_task, stream_of
from domain.bpmn.model import Moment
from domain.errors import InvalidArgument, InvalidState
from domain.process_instance import events as e
from domain.process_instance.state import UserTask


class AssignUserTask(Command, frozen=True, kw_only=True):
    """allow_override: whether a task that has an assignee may get another (Camunda's default: yes)."""

    task_key: int
    assignee: str
    allow_override: bool = True
    action: str = ""


class UnassignUserTask(Command, frozen=True, kw_only=True):
    """Release the task: nobody is its assignee."""

    task_key: int
    action: str = ""


def decide_assign(command: AssignUserTask, context: Context, streams: Sequence[Stream]) -> Transition | None:
    """Record the assignee, or ask the task's listeners first."""
    task = find_idle_task(streams[0], command.task_key)
    if not command.assignee:
        raise InvalidArgument("assignee must name a user; to release the task, unassign it", "assignee")
    if task.assignee and task.assignee != command.assignee and not command.allow_override:
        raise InvalidState(f"the user task '{command.task_key}' is assigned to '{task.assignee}' already")
    return _assign(streams[0], context, task, command.assignee, command.action or "assign")


def decide_unassign(command: UnassignUserTask, context: Context, streams: Sequence[Stream]) -> Transition | None:
    """Record that nobody has it, or ask the task's listeners first."""
    task = find_idle_task(streams[0], command.task_key)
    if not task.assignee:
        return None
    return _assign(streams[0], context, task, "", command.action or "unassign")


def _assign(stream: Stream, context: Context, task: UserTask, assignee: str, action: str) -> Transition | None:
    moment, key = Moment.ASSIGNING, stream.state.key + task.local
    asked = e.UserTaskTransitionStarted(task.local, moment, assignee=assignee, action=action)
    waits = ask_listeners(stream, context, key, moment, lambda: asked)
    if waits is None:
        stream.emit(e.UserTaskAssigned(task.local, assignee, action))
    return waits


ASSIGN = Handler(stream_of("task_key"), decide_assign, TRANSITION)
UNASSIGN = Handler(stream_of("task_key"), decide_unassign, TRANSITION)
