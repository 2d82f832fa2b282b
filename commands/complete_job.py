"""CompleteJob: the worker did its work; the instance goes on. A listener's job may decide about what was asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from commands.handling import Command, Context, Handler, Stream
from commands.instances import check_variables, execution, find_job, not_thrown, stream_of
from domain.errors import InvalidArgument, InvalidState
from domain.process_instance import events as e
from domain.process_instance import listeners, task_listeners
from domain.process_instance.execution import Execution
from domain.process_instance.state import Job, JobKind


class Corrections(msgspec.Struct, frozen=True):
    """What a task listener corrects in what was asked of a task; None: nothing. Dates in µs, 0 clears."""

    assignee: str | None = None
    candidate_groups: list[str] | None = None
    candidate_users: list[str] | None = None
    due: int | None = None
    follow_up: int | None = None
    priority: int | None = None

    def given(self) -> dict[str, Any]:
        """Those that are not None."""
        return {name: value for name in self.__struct_fields__ if (value := getattr(self, name)) is not None}


class TaskResult(msgspec.Struct, frozen=True, tag="userTask"):
    """What a task listener decides: whether it denies what was asked for, and why; or what it corrects."""

    denied: bool = False
    reason: str = ""
    corrections: Corrections | None = None


class CompleteJob(Command, frozen=True, kw_only=True):
    """The job and what it resulted in."""

    job_key: int
    variables: dict[str, Any] = {}
    result: TaskResult | None = None


def decide(command: CompleteJob, context: Context, streams: Sequence[Stream]) -> None:
    """Complete the job, take in its variables, and run to the next wait state."""
    (stream,) = streams
    job = find_job(stream, command.job_key)
    not_thrown(job, command.job_key)
    variables = check_variables(command.variables)
    kind = job.role.kind if job.role is not None else JobKind.BPMN_ELEMENT
    if kind == JobKind.BPMN_ELEMENT and command.result is None:
        element = job.element
        stream.emit(e.JobCompleted(job.local))
        x = execution(stream, context)
        x.complete_with(element, variables)
    else:
        x = execution(stream, context)
        COMPLETE[kind](x, job, variables, command)
    x.run()


def _complete_element(x: Execution, job: Job, variables: dict[str, Any], command: CompleteJob) -> None:
    _no_decision(command, "a task")
    element = job.element
    x.emit(e.JobCompleted(job.local))
    x.complete_with(element, variables)


def _complete_listener(x: Execution, job: Job, variables: dict[str, Any], command: CompleteJob) -> None:
    _no_decision(command, "an execution listener")
    assert job.role is not None
    element, moment = job.element, job.role.moment
    x.emit(e.JobCompleted(job.local))
    listeners.completed(x, element, moment, variables)


def _no_decision(command: CompleteJob, what: str) -> None:
    """Clients may send an empty result for any job; one that says something belongs to a task listener."""
    result = command.result
    if result is not None and (not isinstance(result, TaskResult) or result.denied or result.corrections is not None):
        raise InvalidArgument(f"the job '{command.job_key}' is that of {what}; its result decides nothing", "result")


def _complete_task_listener(x: Execution, job: Job, variables: dict[str, Any], command: CompleteJob) -> None:
    """The next listener of the task, or what was asked for; or nothing of it, if this one denies it."""
    if variables:
        raise InvalidArgument("the job of a task listener takes no variables; it decides by its 'result'", "variables")
    result = command.result or TaskResult()
    if not isinstance(result, TaskResult):
        raise InvalidArgument("the result of a task listener is of the type 'userTask'", "result.type")
    task = x.state.tasks[x.state.elements[job.element].task]
    corrections = {} if result.corrections is None else result.corrections.given()
    if result.denied:
        if task.moment not in task_listeners.DENIABLE:
            raise InvalidArgument(
                f"{task.moment} of a user task cannot be denied; {', '.join(sorted(task_listeners.DENIABLE))} can be",
                "result.denied",
            )
        if corrections:
            raise InvalidArgument("a listener either denies or corrects, not both", "result.corrections")
    if "assignee" in corrections and task.moment == "CREATING" and task.wanted and task.wanted.assignee:
        raise InvalidState(
            f"the model names '{task.wanted.assignee}' as the assignee; correct it in an 'assigning' listener"
        )
    x.emit(e.JobCompleted(job.local, result.reason if result.denied else None))
    if result.denied:
        task_listeners.deny(x, task.local, result.reason)
        return
    if corrections:
        x.emit(e.UserTaskCorrected(task.local, **corrections))
    task_listeners.go_on(x, task.local)


COMPLETE: dict[str, Callable[[Execution, Job, dict[str, Any], CompleteJob], None]] = {
    JobKind.BPMN_ELEMENT: _complete_element,
    JobKind.EXECUTION_LISTENER: _complete_listener,
    JobKind.TASK_LISTENER: _complete_task_listener,
}

HANDLER = Handler(stream_of("job_key"), decide)
