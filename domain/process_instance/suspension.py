"""Suspension: an instance that stands still until it is resumed.

Its jobs are not given to workers and cannot be completed, its timers do not fire, its user tasks and incidents wait, no
condition is looked at and no delivery of another instance is taken; what others owe it waits with them. Timers whose
time came meanwhile fire as soon as it is resumed. Messages and signals pass it by, as Camunda 7 and Flowable have it: a
message that is still kept when it is resumed reaches it then, a signal does not. It can be cancelled, its variables can
be set, and it can be modified and migrated. It says nothing about the instances that it called, or that called it (as
in Camunda 8).
"""

from __future__ import annotations

from domain.process_instance import events as e
from domain.process_instance.state import Job, ProcessInstance, Subscription
from domain.process_instance.subscribing import MESSAGE, SIGNAL


def suspended(state: ProcessInstance, reason: str) -> e.InstanceSuspended:
    """The event that holds all that waits now."""
    return e.InstanceSuspended(reason, list(state.jobs), list(state.timers), [one.local for one in _outside(state)])


def resumed(state: ProcessInstance, reason: str) -> e.InstanceResumed:
    """The event that lets go of it."""
    jobs = [e.Available(job.local, available_from(job)) for job in state.jobs.values()]
    timers = [e.Available(timer.local, timer.due) for timer in state.timers.values()]
    return e.InstanceResumed(reason, jobs, timers, [e.Open(one.local, one.kind) for one in _outside(state)])


def _outside(state: ProcessInstance) -> list[Subscription]:
    """What it waits for from outside."""
    return [one for one in state.subscriptions.values() if one.kind in (MESSAGE, SIGNAL)]


def holds_up(*parties: ProcessInstance) -> bool:
    """Whether a delivery between these instances waits because one of them stands still."""
    return any(state.suspended for state in parties)


def available_from(job: Job) -> int:
    """From when (µs) workers may take a job, if its instance is not suspended; NEVER while it is blocked."""
    if job.incident or job.error_code or job.retries <= 0:
        return e.NEVER
    return max(job.deadline, job.available_at)
