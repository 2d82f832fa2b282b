"""Work for people."""

from __future__ import annotations

from typing import Any, ClassVar

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


class UserTaskTransitionStarted(Event, frozen=True):
    """Something was asked of the task (moment: CREATING, ASSIGNING, UPDATING, COMPLETING), and its listeners decide
    first. Fields at None were not asked for; variables are set when it is done, at the element itself if
    `at_element`."""

    topic: ClassVar[str] = "pi.user_task_transition_started.1"
    task: int
    moment: str
    assignee: str | None = None
    candidate_groups: list[str] | None = None
    candidate_users: list[str] | None = None
    due: int | None = None
    follow_up: int | None = None
    priority: int | None = None
    action: str = ""
    variables: dict[str, Any] | None = None
    at_element: bool = False


class UserTaskCorrected(Event, frozen=True):
    """A listener corrected what was asked for; fields at None stay."""

    topic: ClassVar[str] = "pi.user_task_corrected.1"
    task: int
    assignee: str | None = None
    candidate_groups: list[str] | None = None
    candidate_users: list[str] | None = None
    due: int | None = None
    follow_up: int | None = None
    priority: int | None = None


class UserTaskTransitionEnded(Event, frozen=True):
    """The listeners have decided: what was asked for is done, or it is denied and the task is as it was before."""

    topic: ClassVar[str] = "pi.user_task_transition_ended.1"
    task: int
    moment: str
    denied: bool = False
    reason: str = ""
