"""The requests' JSON bodies, as in Camunda's Orchestration Cluster API v2. Times in ms, as there.

An option of that API which Flowledger does not support yet is declared nevertheless, and refused by name where it is
used: nothing that changes what happens is silently left out. (`operationReference`, a client's note to itself, is taken
and not recorded; `Idempotency-Key` and `traceparent` are.)
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

Int32 = Annotated[int, Meta(ge=-(2**31), le=2**31 - 1)]
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Positive = Annotated[int, Meta(ge=1, le=2**31 - 1)]
Millis = Annotated[int, Meta(ge=0, le=10**13)]
Wait = Annotated[int, Meta(ge=-(10**13), le=10**13)]
Version = Annotated[int, Meta(ge=-1, le=2**31 - 1)]
Name = Annotated[str, Meta(min_length=1, max_length=2_000)]
Text = Annotated[str, Meta(max_length=20_000)]
Names = Annotated[list[Name], Meta(max_length=10_000)]
Priority = Annotated[int, Meta(ge=0, le=100)]
Reference = Annotated[int, Meta(ge=1, le=2**63 - 1)]
Variables = dict[str, Any]


class Body(msgspec.Struct, frozen=True, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """Base of all bodies: camelCase names, unknown ones refused."""


class ProcessInstanceCreation(Body, frozen=True):
    """POST /process-instances. Either processDefinitionKey, or processDefinitionId with a version (-1: the latest)."""

    process_definition_key: str | int | None = None
    process_definition_id: Name | None = None
    process_definition_version: Version = -1
    variables: Variables | None = None
    tenant_id: Text | None = None
    operation_reference: Reference | None = None
    start_instructions: list[Any] | None = None
    runtime_instructions: list[Any] | None = None
    await_completion: bool | None = None
    fetch_variables: Names | None = None
    request_timeout: Wait | None = None
    tags: Annotated[list[Annotated[str, Meta(min_length=1, max_length=100)]], Meta(max_length=10)] | None = None
    business_id: Text | None = None


class Operation(Body, frozen=True):
    """A body that only refers to the caller's own operation: cancellation, incident resolution."""

    operation_reference: Reference | None = None


class Reasoned(Body, frozen=True):
    """An operation on an instance. reason: why, for the history (an addition to Camunda's API)."""

    reason: Text | None = None
    operation_reference: Reference | None = None


class VariablesUpdate(Body, frozen=True):
    """PUT /element-instances/{key}/variables. local: set them in this very scope."""

    variables: Variables
    local: bool | None = None
    operation_reference: Reference | None = None


class JobActivation(Body, frozen=True):
    """POST /jobs/activation. requestTimeout: ms of long polling, 0: the server's default, negative: none."""

    type: Name
    timeout: Annotated[int, Meta(ge=1, le=10**13)]
    max_jobs_to_activate: Positive
    worker: Text | None = None
    fetch_variable: Names | None = None
    request_timeout: Wait | None = None
    tenant_ids: list[Text] | None = None
    tenant_filter: Literal["PROVIDED", "ASSIGNED"] | None = None
    with_lease: bool | None = None


class JobCompletion(Body, frozen=True):
    """POST /jobs/{key}/completion."""

    variables: Variables | None = None
    result: dict[str, Any] | None = None
    job_lease_token: Text | None = None
    business_id: Text | None = None


class JobFailure(Body, frozen=True):
    """POST /jobs/{key}/failure. retries: how many are left; retryBackOff: ms until the next."""

    retries: Count | None = None
    error_message: str | None = None
    retry_back_off: Millis | None = None
    variables: Variables | None = None
    job_lease_token: Text | None = None


class JobError(Body, frozen=True):
    """POST /jobs/{key}/error: a BPMN error."""

    error_code: Name
    error_message: Text | None = None
    variables: Variables | None = None
    job_lease_token: Text | None = None


class JobChangeset(Body, frozen=True):
    """What changes in a job; timeout in ms from now."""

    retries: Count | None = None
    timeout: Millis | None = None
    priority: Int32 | None = None


class JobUpdate(Body, frozen=True):
    """PATCH /jobs/{key}."""

    changeset: JobChangeset
    operation_reference: Reference | None = None
    job_lease_token: Text | None = None


class UserTaskCompletion(Body, frozen=True):
    """POST /user-tasks/{key}/completion. action: the caller's word for it ("approve")."""

    variables: Variables | None = None
    action: Text | None = None


class UserTaskAssignment(Body, frozen=True):
    """POST /user-tasks/{key}/assignment. allowOverride: whether another's task may be taken (default: yes)."""

    assignee: Name
    allow_override: bool | None = None
    action: Text | None = None


class UserTaskChangeset(msgspec.Struct, frozen=True, rename="camel", kw_only=True):
    """What changes in a user task; other properties are ignored, as in Camunda. An empty list or date clears."""

    candidate_groups: Names | None = None
    candidate_users: Names | None = None
    due_date: str | None = None
    follow_up_date: str | None = None
    priority: Priority | None = None


class UserTaskUpdate(Body, frozen=True):
    """PATCH /user-tasks/{key}."""

    changeset: UserTaskChangeset | None = None
    action: Text | None = None


class DecisionEvaluation(Body, frozen=True):
    """POST /decision-definitions/evaluation. Either decisionDefinitionKey, or decisionDefinitionId: its latest version.
    variables: the values of input data, by name."""

    decision_definition_key: str | int | None = None
    decision_definition_id: Name | None = None
    variables: Variables | None = None
    tenant_id: Text | None = None


class ExpressionEvaluation(Body, frozen=True):
    """POST /expression/evaluation. expression: FEEL, with or without a leading "=". scopeKey: a process or element
    instance whose variables the expression sees; `variables` come before them."""

    expression: Annotated[str, Meta(min_length=1, max_length=20_000)]
    variables: Variables | None = None
    scope_key: str | int | None = None
    tenant_id: Text | None = None


class MessagePublication(Body, frozen=True):
    """POST /messages/publication. timeToLive: ms; 0: the message is for what waits already. messageId: unique for the
    name and correlationKey while the message is kept. businessId: of an instance that the message starts."""

    name: Name
    correlation_key: Text | None = None
    time_to_live: Millis | None = None
    message_id: Text | None = None
    variables: Variables | None = None
    tenant_id: Text | None = None
    business_id: Text | None = None


class MessageCorrelation(Body, frozen=True):
    """POST /messages/correlation."""

    name: Name
    correlation_key: Text | None = None
    variables: Variables | None = None
    tenant_id: Text | None = None
    business_id: Text | None = None


class SignalBroadcast(Body, frozen=True):
    """POST /signals/broadcast."""

    signal_name: Name
    variables: Variables | None = None
    tenant_id: Text | None = None


class ConditionalEvaluation(Body, frozen=True):
    """POST /conditionals/evaluation. variables: what the conditions read, and the started instances get.
    processDefinitionKey: only the start events of this version."""

    variables: Variables
    tenant_id: Text | None = None
    process_definition_key: str | int | None = None


class ClockPin(Body, frozen=True):
    """PUT /clock. timestamp: ms since the Unix epoch."""

    timestamp: Annotated[int, Meta(ge=0, le=253_402_300_799_999)]


class SortKey(Body, frozen=True):
    """One sort key."""

    field: str
    order: Literal["ASC", "DESC"] = "ASC"


class SearchPage(Body, frozen=True):
    """Which part of the results: from an offset, or after or before a cursor of an earlier answer."""

    limit: Annotated[int, Meta(ge=1, le=10_000)] = 100
    from_: int | None = msgspec.field(default=None, name="from")
    after: str | None = None
    before: str | None = None


class Search(Body, frozen=True):
    """POST …/search, for the documentation (projections/queries.py reads it). filter: property → value, or
    {"$eq": …, "$neq", "$exists", "$gt", "$gte", "$lt", "$lte", "$like", "$in": […], "$notIn": […]}."""

    filter: dict[str, Any] | None = None
    sort: list[SortKey] | None = None
    page: SearchPage | None = None


class StatisticsFilter(Body, frozen=True):
    """POST /process-definitions/{key}/statistics/element-instances."""

    filter: dict[str, Any] | None = None
