"""Records on the command topic: what others want done, and what came of it. Names and values are those of the REST API.

    {"type": "complete-job", "commandId": "payment-4711", "tenant": "", "actor": "billing", "body": {"jobKey": "…"}}

commandId makes a command idempotent per tenant: a repeat, also by HTTP, gets the first outcome. Without one each record
is a command of its own. The record's key should be the instance's, so that commands on an instance keep their order.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec

from commands.assign_user_task import AssignUserTask, UnassignUserTask
from commands.cancel_instance import CancelInstance
from commands.complete_job import CompleteJob
from commands.complete_user_task import CompleteUserTask
from commands.create_instance import CreateInstance, InstanceStarted
from commands.fail_job import FailJob
from commands.handling import Command, Meta
from commands.resolve_incident import ResolveIncident
from commands.set_variables import SetVariables
from commands.throw_job_error import ThrowJobError
from domain.errors import InvalidArgument
from domain.events import decode_json, encode_json
from domain.keys import parse_key

MAX_ID = 256
MAX_NAME = 256
MICROSECONDS_PER_MS = 1000


class Body(Protocol):
    """What a type of command carries."""

    def command(self) -> Command:
        """The command. Raises InvalidArgument naming the member."""
        ...


class _Body(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    pass


class StartInstanceBody(_Body, frozen=True, kw_only=True):
    """By processDefinitionKey, or by processDefinitionId (and version; -1: the latest)."""

    process_definition_id: str = ""
    process_definition_key: str = ""
    process_definition_version: int = -1
    variables: dict[str, Any] = {}
    business_id: str = ""
    tags: list[str] = []

    def command(self) -> Command:
        """See Body.command."""
        if bool(self.process_definition_id) == bool(self.process_definition_key):
            raise InvalidArgument(
                "give either 'processDefinitionId' or 'processDefinitionKey'", "body.processDefinitionId"
            )
        key = parse_key(self.process_definition_key, "body.processDefinitionKey") if self.process_definition_key else 0
        return CreateInstance(
            definition_key=key,
            bpmn_process_id=self.process_definition_id,
            version=self.process_definition_version,
            variables=self.variables,
            business_id=self.business_id,
            tags=self.tags,
        )


class CancelInstanceBody(_Body, frozen=True, kw_only=True):
    """The instance, and why."""

    process_instance_key: str
    reason: str = ""

    def command(self) -> Command:
        """See Body.command."""
        return CancelInstance(instance_key=_key(self.process_instance_key, "processInstanceKey"), reason=self.reason)


class CompleteJobBody(_Body, frozen=True, kw_only=True):
    """The job and its result."""

    job_key: str
    variables: dict[str, Any] = {}

    def command(self) -> Command:
        """See Body.command."""
        return CompleteJob(job_key=_key(self.job_key, "jobKey"), variables=self.variables)


class FailJobBody(_Body, frozen=True, kw_only=True):
    """retries: how many are left; retryBackOff: ms to wait before the next."""

    job_key: str
    retries: int = 0
    error_message: str = ""
    retry_back_off: int = 0
    variables: dict[str, Any] = {}

    def command(self) -> Command:
        """See Body.command."""
        return FailJob(
            job_key=_key(self.job_key, "jobKey"),
            retries=self.retries,
            message=self.error_message,
            back_off=self.retry_back_off * MICROSECONDS_PER_MS,
            variables=self.variables,
        )


class ThrowJobErrorBody(_Body, frozen=True, kw_only=True):
    """The job and the BPMN error's code."""

    job_key: str
    error_code: str
    error_message: str = ""
    variables: dict[str, Any] = {}

    def command(self) -> Command:
        """See Body.command."""
        return ThrowJobError(
            job_key=_key(self.job_key, "jobKey"),
            error_code=self.error_code,
            message=self.error_message,
            variables=self.variables,
        )


class CompleteUserTaskBody(_Body, frozen=True, kw_only=True):
    """The task and what was entered."""

    user_task_key: str
    variables: dict[str, Any] = {}
    action: str = ""

    def command(self) -> Command:
        """See Body.command."""
        key = _key(self.user_task_key, "userTaskKey")
        return CompleteUserTask(task_key=key, variables=self.variables, action=self.action)


class AssignUserTaskBody(_Body, frozen=True, kw_only=True):
    """assignee "": nobody has the task any more."""

    user_task_key: str
    assignee: str
    allow_override: bool = True
    action: str = ""

    def command(self) -> Command:
        """See Body.command."""
        key = _key(self.user_task_key, "userTaskKey")
        if not self.assignee:
            return UnassignUserTask(task_key=key, action=self.action)
        return AssignUserTask(
            task_key=key, assignee=self.assignee, allow_override=self.allow_override, action=self.action
        )


class SetVariablesBody(_Body, frozen=True, kw_only=True):
    """elementInstanceKey: also a process instance's."""

    element_instance_key: str
    variables: dict[str, Any]
    local: bool = False

    def command(self) -> Command:
        """See Body.command."""
        key = _key(self.element_instance_key, "elementInstanceKey")
        return SetVariables(element_instance_key=key, variables=self.variables, local=self.local)


class ResolveIncidentBody(_Body, frozen=True, kw_only=True):
    """The incident; what caused it should be mended before."""

    incident_key: str

    def command(self) -> Command:
        """See Body.command."""
        return ResolveIncident(incident_key=_key(self.incident_key, "incidentKey"))


BODIES: dict[str, type[_Body]] = {
    "start-instance": StartInstanceBody,
    "cancel-instance": CancelInstanceBody,
    "complete-job": CompleteJobBody,
    "fail-job": FailJobBody,
    "throw-job-error": ThrowJobErrorBody,
    "complete-user-task": CompleteUserTaskBody,
    "assign-user-task": AssignUserTaskBody,
    "set-variables": SetVariablesBody,
    "resolve-incident": ResolveIncidentBody,
}


class CommandRecord(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """A record's value, its body still to be understood."""

    type: str
    body: dict[str, Any]
    command_id: str = ""
    tenant: str = ""
    actor: str = ""


def read_command(value: bytes | None, trace_id: str = "") -> tuple[str, Command, Meta]:
    """The type, command and meta in a record's value. Raises InvalidArgument saying what would be right."""
    if value is None:
        raise InvalidArgument("the record has no value; a command is a JSON object")
    try:
        record = msgspec.convert(decode_json(value), CommandRecord)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidArgument(f"the record is not a command: {error}") from error
    body = BODIES.get(record.type)
    if body is None:
        raise InvalidArgument(f"there is no command '{record.type}'; there are {', '.join(BODIES)}", "type")
    for name, text, most in (("commandId", record.command_id, MAX_ID), ("actor", record.actor, MAX_NAME)):
        if len(text) > most or "\0" in text:
            raise InvalidArgument(f"'{name}' has at most {most} characters, none of them U+0000", name)
    try:
        command = msgspec.convert(record.body, body).command()  # type: ignore[attr-defined]
    except msgspec.ValidationError as error:
        raise InvalidArgument(f"the body of '{record.type}' is wrong: {error}", "body") from error
    return record.type, command, Meta(record.actor, record.tenant, record.command_id, trace_id)


def result_members(result: Any) -> dict[str, Any] | None:
    """A command's result as the REST API would answer it; None where there is none."""
    if isinstance(result, InstanceStarted):
        return {
            "processInstanceKey": str(result.instance_key),
            "processDefinitionKey": str(result.definition_key),
            "processDefinitionId": result.bpmn_process_id,
            "processDefinitionVersion": result.version,
        }
    return None


class Problem(msgspec.Struct, frozen=True, omit_defaults=True):
    """RFC 9457, as the REST API answers it."""

    type: str
    title: str
    status: int
    detail: str
    field: str = ""


class CommandResult(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """What came of a command. id: of the record that it was in, "topic/partition@offset"; the same in each repeat.

    status: "done", "refused" (nothing was recorded; problem tells why) or "malformed" (the record is no command).
    position: where in the log the effect is visible (decimal)."""

    id: str
    status: str
    type: str = ""
    command_id: str = ""
    tenant: str = ""
    result: dict[str, Any] | None = None
    problem: Problem | None = None
    position: str = ""


def encode_result_record(result: CommandResult) -> bytes:
    """The record's value."""
    return encode_json(result)


def _key(text: str, name: str) -> int:
    return parse_key(text, f"body.{name}")


def _schema(kind: Any) -> dict[str, Any]:
    """msgspec's JSON Schema, with its definitions put in place."""
    (top,), definitions = msgspec.json.schema_components([kind], ref_template="#/{name}")

    def resolved(part: Any) -> Any:
        if isinstance(part, dict):
            reference = part.get("$ref")
            if reference is not None:
                return resolved(definitions[reference.removeprefix("#/")])
            return {name: resolved(value) for name, value in part.items()}
        return [resolved(each) for each in part] if isinstance(part, list) else part

    schema: dict[str, Any] = resolved(top)
    return schema


def _command_schema() -> dict[str, Any]:
    whole = _schema(CommandRecord)
    members = {name: schema for name, schema in whole["properties"].items() if name not in ("type", "body")}
    return {
        "oneOf": [
            {
                **whole,
                "title": body.__name__.removesuffix("Body"),
                "description": body.__doc__,
                "properties": {"type": {"const": name}, **members, "body": _schema(body)},
            }
            for name, body in BODIES.items()
        ]
    }


COMMAND_SCHEMA = _command_schema()
RESULT_SCHEMA = _schema(CommandResult)
