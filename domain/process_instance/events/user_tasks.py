"""Work for people."""

from __future__ import annotations

from typing import ClassVar

from domain.events import Event


class UserTaskCreated(Event, frozen=True):
    """A person has something to do. form_key: key of the deployed form or 0; external_form: one elsewhere."""

    topic: ClassVar[str] = "pi.user_task_created.1"
    local: int
    element: int
    element_id: str
    assignee: str = ""
    candidate_groups: list[str] = []
    candidate_users: list[str] = []
    due: int = 0
    follow_up: int = 0
    priority: int = 50
    form_key: int = 0
    external_form: str = ""


class UserTaskAssigned(Event, frozen=True):
    """The task has a (new) assignee; "" means it was released. action: the caller's word for it."""

    topic: ClassVar[str] = "pi.user_task_assigned.1"
    task: int
    assignee: str
    action: str = ""


class UserTaskUpdated(Event, frozen=True):
    """Attributes of the task changed; fields left at None were not touched."""

    topic: ClassVar[str] = "pi.user_task_updated.1"
    task: int
    candidate_groups: list[str] | None = None
    candidate_users: list[str] | None = None
    due: int | None = None
    follow_up: int | None = None
    priority: int | None = None
    action: str = ""


class UserTaskCompleted(Event, frozen=True):
    """The person finished the task."""

    topic: ClassVar[str] = "pi.user_task_completed.1"
    task: int
    action: str = ""
