"""CompleteUserTask: the person is done; the instance goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from commands.handling import Command, Context, Handler, Stream
from commands.instances import (
    TRANSITION,
    Transition,
    ask_listeners,
    check_variables,
    execution,
    find_idle_task,
    stream_of,
)
from domain.bpmn.model import Moment
from domain.process_instance import events as e


class CompleteUserTask(Command, frozen=True, kw_only=True):
    """The task and what was entered."""

    task_key: int
    variables: dict[str, Any] = {}
    action: str = ""


def decide(command: CompleteUserTask, context: Context, streams: Sequence[Stream]) -> Transition | None:
    """Complete the task, take in its variables, and run to the next wait state; or ask its listeners first."""
    (stream,) = streams
    key = command.task_key
    task = find_idle_task(stream, key)
    variables = check_variables(command.variables)
    action = command.action or "complete"
    waits = ask_listeners(
        stream,
        context,
        key,
        Moment.COMPLETING,
        lambda: e.UserTaskTransitionStarted(task.local, Moment.COMPLETING, action=action, variables=variables or None),
    )
    if waits is not None:
        return waits
    element = task.element
    stream.emit(e.UserTaskCompleted(task.local, action))
    x = execution(stream, context)
    x.complete_with(element, variables)
    x.run()
    return None


HANDLER = Handler(stream_of("task_key"), decide, TRANSITION)
