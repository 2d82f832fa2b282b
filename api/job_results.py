"""What a worker says of a job beyond its variables (v2 JobResult): the decision of a task listener."""

from __future__ import annotations

from typing import Any

import msgspec

from api.bodies import Body, Names, Priority, Text
from api.reading import decode
from api.times import micros_of
from commands.complete_job import Corrections, TaskResult
from domain.errors import InvalidArgument


class _Corrections(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """Other attributes are ignored, as in Camunda. An empty text or list clears, null leaves as it is."""

    assignee: Text | None = None
    due_date: str | None = None
    follow_up_date: str | None = None
    candidate_users: Names | None = None
    candidate_groups: Names | None = None
    priority: Priority | None = None


class _UserTask(Body, frozen=True):
    type: str = "userTask"
    denied: bool | None = None
    denied_reason: Text | None = None
    corrections: _Corrections | None = None


def job_result(result: dict[str, Any] | None) -> TaskResult | None:
    """The result in the body of a completion, None without one. Raises InvalidArgument naming the field."""
    if result is None:
        return None
    kind = result.get("type", "userTask")
    content = msgspec.json.encode(result)
    if kind == "userTask":
        return _task_result(decode(content, _UserTask))
    raise InvalidArgument(f"'result.type' is 'userTask', not {kind!r}", "result.type")


def _task_result(body: _UserTask) -> TaskResult:
    given = body.corrections
    corrections = None
    if given is not None:
        corrections = Corrections(
            given.assignee,
            given.candidate_groups,
            given.candidate_users,
            micros_of(given.due_date, "result.corrections.dueDate"),
            micros_of(given.follow_up_date, "result.corrections.followUpDate"),
            given.priority,
        )
    return TaskResult(bool(body.denied), body.denied_reason or "", corrections)
