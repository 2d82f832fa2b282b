"""AssignUserTask and UnassignUserTask: who does a user task."""

from __future__ import annotations

from collections.abc import Sequence

from commands.handling import Command, Context, Handler, Stream
from commands.instances import find_task, stream_of
from domain.errors import InvalidArgument, InvalidState
from domain.process_instance import events as e


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


def decide_assign(command: AssignUserTask, _context: Context, streams: Sequence[Stream]) -> None:
    """Record the assignee."""
    task = find_task(streams[0], command.task_key)
    if not command.assignee:
        raise InvalidArgument("assignee must name a user; to release the task, unassign it", "assignee")
    if task.assignee and task.assignee != command.assignee and not command.allow_override:
        raise InvalidState(f"the user task '{command.task_key}' is assigned to '{task.assignee}' already")
    streams[0].emit(e.UserTaskAssigned(task.local, command.assignee, command.action or "assign"))


def decide_unassign(command: UnassignUserTask, _context: Context, streams: Sequence[Stream]) -> None:
    """Record that nobody has it."""
    task = find_task(streams[0], command.task_key)
    if task.assignee:
        streams[0].emit(e.UserTaskAssigned(task.local, "", command.action or "unassign"))


ASSIGN = Handler(stream_of("task_key"), decide_assign)
UNASSIGN = Handler(stream_of("task_key"), decide_unassign)
