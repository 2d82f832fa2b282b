"""Work for external workers."""

from __future__ import annotations

from domain.process_instance import events as e
from domain.process_instance.evolve.shared import Appliers, claim, move
from domain.process_instance.lifecycle import Phase
from domain.process_instance.state import Job, JobKind, ProcessInstance

LISTENERS = frozenset({JobKind.EXECUTION_LISTENER, JobKind.TASK_LISTENER})


def _job_created(state: ProcessInstance, event: e.JobCreated, _: int) -> None:
    role = event.role
    state.jobs[event.local] = Job(event.local, event.element, event.type, event.retries, role=role)
    element = state.elements[event.element]
    element.job = event.local
    if role is None or role.kind not in LISTENERS:
        move(element, Phase.WAITING)
    claim(state, event.local)


def _job_activated(state: ProcessInstance, event: e.JobActivated, _: int) -> None:
    job = state.jobs[event.job]
    job.worker, job.deadline = event.worker, event.deadline


def _job_completed(state: ProcessInstance, event: e.JobCompleted, _: int) -> None:
    job = state.jobs.pop(event.job)
    element = state.elements[job.element]
    element.job = 0
    if job.role is None or job.role.kind == JobKind.BPMN_ELEMENT:
        move(element, Phase.LEAVING)
    elif job.role.kind in LISTENERS:
        element.listened += 1


def _job_failed(state: ProcessInstance, event: e.JobFailed, _: int) -> None:
    job = state.jobs[event.job]
    job.retries, job.available_at, job.worker, job.deadline = event.retries, event.retry_at, "", 0


def _job_error_thrown(state: ProcessInstance, event: e.JobErrorThrown, _: int) -> None:
    job = state.jobs[event.job]
    job.error_code, job.worker, job.deadline = event.code, "", 0


def _job_updated(state: ProcessInstance, event: e.JobUpdated, _: int) -> None:
    job = state.jobs[event.job]
    job.retries, job.available_at = event.retries, event.available_at
    if event.deadline:
        job.deadline = event.deadline


APPLIERS: Appliers = {
    e.JobCreated: _job_created,
    e.JobActivated: _job_activated,
    e.JobCompleted: _job_completed,
    e.JobFailed: _job_failed,
    e.JobErrorThrown: _job_error_thrown,
    e.JobUpdated: _job_updated,
}
