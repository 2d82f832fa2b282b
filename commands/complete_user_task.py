"""CompleteUserTask: the person is done; the instance goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from commands.handling import Command, Context, Handler, Stream
from commands.instances import check_variables, execution, find_task, stream_of
from domain.process_instance import events as e


class CompleteUserTask(Command, frozen=True, kw_only=True):
    """The task and what was entered."""

    task_key: int
    variables: dict[str, Any] = {}
    action: str = ""


def decide(command: CompleteUserTask, context: Context, streams: Sequence[Stream]) -> None:
    """Complete the task, take in its variables, and run to the next wait state."""
    (stream,) = streams
    task = find_task(stream, command.task_key)
    variables = check_variables(command.variables)
    element = task.element
    stream.emit(e.UserTaskCompleted(task.local, command.action or "complete"))
    x = execution(stream, context)
    x.complete_with(element, variables)
    x.run()


HANDLER = Handler(stream_of("task_key"), decide)
