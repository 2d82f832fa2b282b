"""Work for external workers."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from domain.events import Event

NEVER = (1 << 63) - 1
"""A time that does not come (µs): `available_at` of a job that an incident blocks."""


class JobRole(msgspec.Struct, frozen=True, array_like=True):
    """What a job is for, where that is not simply its task. kind and moment: by the names of the v2 API (JobKindEnum,
    JobListenerEventTypeEnum). headers: what the worker gets in place of the element's own headers."""

    kind: str = "BPMN_ELEMENT"
    moment: str = "UNSPECIFIED"
    headers: dict[str, str] = {}


class JobCreated(Event, frozen=True):
    """Work for an external worker became available. role: None for the job of a task with the headers of the model."""

    topic: ClassVar[str] = "pi.job_created.1"
    local: int
    element: int
    element_id: str
    type: str
    retries: int
    role: JobRole | None = None


class JobActivated(Event, frozen=True):
    """A worker took the job; after `deadline` another may."""

    topic: ClassVar[str] = "pi.job_activated.1"
    job: int
    worker: str
    deadline: int


class JobCompleted(Event, frozen=True):
    """The worker reported the job as done. denial: why a task listener denies what was asked for; None: it does not."""

    topic: ClassVar[str] = "pi.job_completed.1"
    job: int
    denial: str | None = None


class JobFailed(Event, frozen=True):
    """The worker reported failure; `retries` are left, the next may start at `retry_at`."""

    topic: ClassVar[str] = "pi.job_failed.1"
    job: int
    retries: int
    retry_at: int = 0
    message: str = ""


class JobErrorThrown(Event, frozen=True):
    """The worker reported a BPMN error."""

    topic: ClassVar[str] = "pi.job_error_thrown.1"
    job: int
    code: str
    message: str = ""
    caught_by: str = ""


class JobUpdated(Event, frozen=True):
    """The job's retries or its deadline were changed from outside (deadline 0: unchanged).

    available_at: from when a worker may take it now; NEVER while an incident blocks it.
    """

    topic: ClassVar[str] = "pi.job_updated.1"
    job: int
    retries: int
    available_at: int
    deadline: int = 0
