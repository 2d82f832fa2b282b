"""The entities that can be searched, as tables: v2 field name → where it stands in the read models."""

from __future__ import annotations

from collections.abc import Mapping

from infra.postgres.queries_fields import Entity, Field, Kind
from infra.postgres.queries_messages import CORRELATED_MESSAGES, MESSAGE_SUBSCRIPTIONS
from projections.decision_instances import DecisionState
from projections.element_instances import ElementState
from projections.incidents import IncidentState
from projections.jobs import JobState, KindOfJob, ListenerEvent
from projections.process_instances import InstanceState
from projections.queries import Entity as Name
from projections.user_tasks import TaskState

_P = ("p",)
_D = ("d",)
_X = ("x",)

_OPEN_INSTANCES = frozenset({InstanceState.ACTIVE.value, InstanceState.SUSPENDED.value})
_OPEN_TASKS = frozenset(
    state.value
    for state in (
        TaskState.CREATED,
        TaskState.CREATING,
        TaskState.ASSIGNING,
        TaskState.UPDATING,
        TaskState.COMPLETING,
        TaskState.CANCELING,
    )
)
_OPEN_INCIDENTS = frozenset({IncidentState.ACTIVE.value, IncidentState.PENDING.value})
_OPEN_JOBS = frozenset({JobState.CREATED.value, JobState.FAILED.value, JobState.RETRIES_UPDATED.value})


_IS_DENIED = (
    f"(CASE WHEN t.kind = {KindOfJob.TASK_LISTENER.value} AND t.state = {JobState.COMPLETED.value} "
    "THEN t.denied_reason IS NOT NULL END)"
)


def _filter_only(
    sql: str, kind: Kind, names: type | None = None, nested: str = "", joins: tuple[str, ...] = ()
) -> Field:
    return Field(sql, kind, names, joins, nested=nested, shown=False, sorted=False)


def _shown_only(sql: str, kind: Kind, joins: tuple[str, ...] = ()) -> Field:
    return Field(sql, kind, joins=joins, filtered=False, sorted=False)


# How the rows of an instance's parts (aliased t) come to the instance, its definition and their element's name.
_PART_JOINS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "p": ("LEFT JOIN {schema}.process_instances p ON p.instance_key = t.instance_key", ()),
    "d": ("LEFT JOIN {schema}.process_definitions d ON d.key = p.definition_key", _P),
    "x": (
        "LEFT JOIN {schema}.definition_elements x "
        "ON x.definition_key = p.definition_key AND x.element_id = t.element_id",
        _P,
    ),
}

_INSTANCE_FIELDS: Mapping[str, Field] = {
    "processInstanceKey": Field("t.instance_key", Kind.KEY, nullable=False),
    "rootProcessInstanceKey": Field("coalesce(p.root_key, t.instance_key)", Kind.KEY, joins=_P, nullable=False),
    "processDefinitionKey": Field("p.definition_key", Kind.KEY, joins=_P),
    "processDefinitionId": Field("d.id", Kind.TEXT, joins=_D),
    "tenantId": Field("t.tenant", Kind.TENANT, nullable=False),
}

PROCESS_DEFINITIONS = Entity(
    "process definition",
    "{schema}.process_definitions t",
    ("t.key",),
    "processDefinitionKey",
    "t.tenant",
    {
        "processDefinitionKey": Field("t.key", Kind.KEY, nullable=False),
        "processDefinitionId": Field("t.id", Kind.TEXT, nullable=False),
        "name": Field("t.name", Kind.TEXT),
        "version": Field("t.version", Kind.INTEGER, nullable=False),
        "versionTag": Field("t.version_tag", Kind.TEXT),
        "resourceName": Field("t.resource_name", Kind.TEXT, nullable=False),
        "tenantId": Field("t.tenant", Kind.TENANT, nullable=False),
        "hasStartForm": Field("t.has_start_form", Kind.BOOLEAN, nullable=False, sorted=False),
        "state": Field("'ACTIVE'::text", Kind.TEXT, nullable=False, sorted=False),
        "isLatestVersion": _filter_only(
            "t.version = (SELECT max(l.version) FROM {schema}.process_definitions l "
            "WHERE l.tenant = t.tenant AND l.id = t.id)",
            Kind.BOOLEAN,
        ),
    },
    {},
    {},
    {},
)

PROCESS_INSTANCES = Entity(
    "process instance",
    "{schema}.process_instances t",
    ("t.instance_key",),
    "processInstanceKey",
    "t.tenant",
    {
        "processInstanceKey": Field("t.instance_key", Kind.KEY, nullable=False),
        "processDefinitionId": Field("d.id", Kind.TEXT, joins=_D),
        "processDefinitionName": Field("d.name", Kind.TEXT, joins=_D),
        "processDefinitionVersion": Field("d.version", Kind.INTEGER, joins=_D),
        "processDefinitionVersionTag": Field("d.version_tag", Kind.TEXT, joins=_D),
        "processDefinitionKey": Field("t.definition_key", Kind.KEY, nullable=False),
        "parentProcessInstanceKey": Field("t.parent_key", Kind.KEY),
        "parentElementInstanceKey": Field("t.parent_element_key", Kind.KEY),
        "rootProcessInstanceKey": Field("coalesce(t.root_key, t.instance_key)", Kind.KEY, nullable=False),
        "startDate": Field("t.started", Kind.DATE, nullable=False),
        "endDate": Field("t.ended", Kind.DATE),
        "state": Field("t.state", Kind.ENUM, InstanceState, nullable=False, open=_OPEN_INSTANCES),
        "suspendedDate": Field("NULL::bigint", Kind.DATE),
        "hasIncident": Field(
            "EXISTS (SELECT FROM {schema}.incidents i WHERE i.instance_key = t.instance_key AND i.ended IS NULL)",
            Kind.BOOLEAN,
            nullable=False,
        ),
        "tenantId": Field("t.tenant", Kind.TENANT, nullable=False),
        "businessId": Field("t.business_id", Kind.TEXT),
        "tags": Field("t.tags", Kind.ALL_OF, sorted=False),
        "batchOperationId": _filter_only("NULL::text", Kind.TEXT),
        "batchOperationKey": _filter_only("NULL::text", Kind.TEXT),
        "errorMessage": _filter_only("i.message", Kind.TEXT, nested="incident"),
        "hasRetriesLeft": _filter_only(
            "EXISTS (SELECT FROM {schema}.jobs j WHERE j.instance_key = t.instance_key AND j.ended IS NULL "
            f"AND j.state = {JobState.FAILED.value} AND j.retries > 0)",
            Kind.BOOLEAN,
        ),
        "elementId": _filter_only("e.element_id", Kind.TEXT, nested="element"),
        "elementInstanceState": _filter_only("e.state", Kind.ENUM, ElementState, nested="element"),
        "hasElementInstanceIncident": _filter_only(
            "EXISTS (SELECT FROM {schema}.incidents i WHERE i.instance_key = e.instance_key AND i.element_key = e.key "
            "AND i.ended IS NULL)",
            Kind.BOOLEAN,
            nested="element",
        ),
    },
    {"d": ("LEFT JOIN {schema}.process_definitions d ON d.key = t.definition_key", ())},
    {
        "incident": "EXISTS (SELECT FROM {schema}.incidents i WHERE i.instance_key = t.instance_key "
        "AND i.ended IS NULL AND {conditions})",
        "element": "EXISTS (SELECT FROM {schema}.element_instances e WHERE e.instance_key = t.instance_key "
        "AND {conditions})",
    },
    {"variables": "TRUE"},
)

ELEMENT_INSTANCES = Entity(
    "element instance",
    "{schema}.element_instances t",
    ("t.instance_key", "t.key"),
    "elementInstanceKey",
    "t.tenant",
    {
        **_INSTANCE_FIELDS,
        "elementInstanceKey": Field("t.key", Kind.KEY, nullable=False, owned=True),
        "elementId": Field("t.element_id", Kind.TEXT, nullable=False),
        "elementName": Field("coalesce(x.name, t.element_id)", Kind.TEXT, joins=_X, nullable=False),
        "type": Field(
            "CASE WHEN t.is_body THEN 'MULTI_INSTANCE_BODY' ELSE coalesce(x.type, 'UNKNOWN') END",
            Kind.TEXT,
            joins=_X,
            nullable=False,
        ),
        "startDate": Field("t.started", Kind.DATE, nullable=False),
        "endDate": Field("t.ended", Kind.DATE),
        "state": Field("t.state", Kind.ENUM, ElementState, nullable=False),
        "hasIncident": Field(
            "EXISTS (SELECT FROM {schema}.incidents i WHERE i.instance_key = t.instance_key AND i.element_key = t.key "
            "AND i.ended IS NULL)",
            Kind.BOOLEAN,
            nullable=False,
            sorted=False,
        ),
        "incidentKey": Field(
            "(SELECT min(i.key) FROM {schema}.incidents i WHERE i.instance_key = t.instance_key "
            "AND i.element_key = t.key AND i.ended IS NULL)",
            Kind.KEY,
        ),
        "elementInstanceScopeKey": Field("t.scope_key", Kind.KEY, owned=True, shown=False, sorted=False),
    },
    _PART_JOINS,
    {},
    {},
)

VARIABLES = Entity(
    "variable",
    "{schema}.variables t",
    ("t.instance_key", "t.key"),
    "variableKey",
    "t.tenant",
    {
        "variableKey": Field("t.key", Kind.KEY, nullable=False, owned=True),
        "name": Field("t.name", Kind.TEXT, nullable=False),
        "value": Field("t.value", Kind.JSON_TEXT, nullable=False),
        "isTruncated": Field("length(t.value) > {truncate_at}", Kind.BOOLEAN, nullable=False, sorted=False),
        "scopeKey": Field("t.scope_key", Kind.KEY, nullable=False, owned=True),
        "processInstanceKey": _INSTANCE_FIELDS["processInstanceKey"],
        "rootProcessInstanceKey": Field("coalesce(p.root_key, t.instance_key)", Kind.KEY, joins=_P, sorted=False),
        "tenantId": Field("t.tenant", Kind.TENANT, nullable=False),
    },
    {"p": _PART_JOINS["p"]},
    {},
    {},
)

USER_TASKS = Entity(
    "user task",
    "{schema}.user_tasks t",
    ("t.instance_key", "t.key"),
    "userTaskKey",
    "t.tenant",
    {
        **_INSTANCE_FIELDS,
        "userTaskKey": Field("t.key", Kind.KEY, nullable=False, owned=True),
        "elementInstanceKey": Field("t.element_key", Kind.KEY, nullable=False, owned=True),
        "elementId": Field("t.element_id", Kind.TEXT, nullable=False),
        "name": Field("x.name", Kind.TEXT, joins=_X),
        "state": Field("t.state", Kind.ENUM, TaskState, nullable=False, open=_OPEN_TASKS),
        "assignee": Field("t.assignee", Kind.TEXT),
        "candidateGroups": _shown_only("t.candidate_groups", Kind.ALL_OF),
        "candidateUsers": _shown_only("t.candidate_users", Kind.ALL_OF),
        "candidateGroup": _filter_only("t.candidate_groups", Kind.MEMBERS),
        "candidateUser": _filter_only("t.candidate_users", Kind.MEMBERS),
        "creationDate": Field("t.created", Kind.DATE, nullable=False),
        "completionDate": Field("t.ended", Kind.DATE),
        "followUpDate": Field("t.follow_up", Kind.DATE),
        "dueDate": Field("t.due", Kind.DATE),
        "priority": Field("t.priority", Kind.INTEGER, nullable=False),
        "externalFormReference": _shown_only("t.external_form", Kind.TEXT),
        "formKey": _shown_only("t.form_key", Kind.KEY),
        "customHeaders": _shown_only("x.headers", Kind.JSON, _X),
        "processDefinitionVersion": Field("d.version", Kind.INTEGER, joins=_D),
        "processName": Field("d.name", Kind.TEXT, joins=_D),
        "businessId": Field("p.business_id", Kind.TEXT, joins=_P),
        "tags": Field("p.tags", Kind.ALL_OF, joins=_P, sorted=False),
    },
    _PART_JOINS,
    {},
    {"processInstanceVariables": "v.scope_key = t.instance_key", "localVariables": "v.scope_key = t.element_key"},
)

INCIDENTS = Entity(
    "incident",
    "{schema}.incidents t",
    ("t.instance_key", "t.key"),
    "incidentKey",
    "t.tenant",
    {
        **_INSTANCE_FIELDS,
        "incidentKey": Field("t.key", Kind.KEY, nullable=False, owned=True),
        "elementInstanceKey": Field("t.element_key", Kind.KEY, nullable=False, owned=True),
        "elementId": Field("t.element_id", Kind.TEXT, nullable=False),
        "errorType": Field("t.type", Kind.TEXT, nullable=False),
        "errorMessage": Field("t.message", Kind.TEXT, nullable=False),
        "state": Field("t.state", Kind.ENUM, IncidentState, nullable=False, open=_OPEN_INCIDENTS),
        "creationTime": Field("t.created", Kind.DATE, nullable=False),
        "jobKey": Field("t.job_key", Kind.KEY, owned=True),
    },
    _PART_JOINS,
    {},
    {},
)

JOBS = Entity(
    "job",
    "{schema}.jobs t",
    ("t.instance_key", "t.key"),
    "jobKey",
    "t.tenant",
    {
        **_INSTANCE_FIELDS,
        "jobKey": Field("t.key", Kind.KEY, nullable=False, owned=True),
        "elementInstanceKey": Field("t.element_key", Kind.KEY, nullable=False, owned=True),
        "elementId": Field("t.element_id", Kind.TEXT, nullable=False),
        "type": Field("t.type", Kind.TEXT, nullable=False),
        "state": Field("t.state", Kind.ENUM, JobState, nullable=False, open=_OPEN_JOBS),
        "retries": Field("t.retries", Kind.INTEGER, nullable=False),
        "worker": Field("coalesce(t.worker, '')", Kind.TEXT, nullable=False),
        "deadline": Field("t.deadline", Kind.DATE),
        "endTime": Field("t.ended", Kind.DATE),
        "creationTime": Field("t.created", Kind.DATE, nullable=False),
        "lastUpdateTime": Field("t.updated", Kind.DATE, nullable=False),
        "errorCode": Field("t.error_code", Kind.TEXT),
        "errorMessage": Field("t.error_message", Kind.TEXT),
        "hasFailedWithRetriesLeft": Field(
            f"(t.state = {JobState.FAILED.value} AND t.retries > 0)", Kind.BOOLEAN, nullable=False
        ),
        "kind": Field("t.kind", Kind.ENUM, KindOfJob, nullable=False),
        "listenerEventType": Field("t.listener_event", Kind.ENUM, ListenerEvent, nullable=False),
        "isDenied": Field(_IS_DENIED, Kind.BOOLEAN),
        "deniedReason": Field("nullif(t.denied_reason, '')", Kind.TEXT),
        "priority": Field("0::integer", Kind.INTEGER, nullable=False),
        "customHeaders": _shown_only("coalesce(t.headers, x.headers)", Kind.JSON, _X),
        "businessId": Field("p.business_id", Kind.TEXT, joins=_P),
        "tags": Field("p.tags", Kind.ALL_OF, joins=_P, sorted=False),
    },
    _PART_JOINS,
    {},
    {},
)

FORMS = Entity(
    "form",
    "{schema}.forms t",
    ("t.key",),
    "formKey",
    "t.tenant",
    {
        "formKey": Field("t.key", Kind.KEY, nullable=False),
        "formId": Field("t.id", Kind.TEXT, nullable=False),
        "version": Field("t.version", Kind.INTEGER, nullable=False),
        "schema": _shown_only("t.source", Kind.TEXT),
        "tenantId": Field("t.tenant", Kind.TENANT, nullable=False),
    },
    {},
    {},
    {},
)

DECISION_REQUIREMENTS = Entity(
    "decision requirements graph",
    "{schema}.decision_requirements t",
    ("t.key",),
    "decisionRequirementsKey",
    "t.tenant",
    {
        "decisionRequirementsKey": Field("t.key", Kind.KEY, nullable=False),
        "decisionRequirementsId": Field("t.id", Kind.TEXT, nullable=False),
        "decisionRequirementsName": Field("coalesce(t.name, t.id)", Kind.TEXT, nullable=False),
        "version": Field("t.version", Kind.INTEGER, nullable=False),
        "resourceName": Field("t.resource_name", Kind.TEXT, nullable=False),
        "tenantId": Field("t.tenant", Kind.TENANT, nullable=False),
    },
    {},
    {},
    {},
)

DECISION_DEFINITIONS = Entity(
    "decision definition",
    "{schema}.decisions t",
    ("t.key",),
    "decisionDefinitionKey",
    "t.tenant",
    {
        "decisionDefinitionKey": Field("t.key", Kind.KEY, nullable=False),
        "decisionDefinitionId": Field("t.id", Kind.TEXT, nullable=False),
        "name": Field("coalesce(t.name, t.id)", Kind.TEXT, nullable=False),
        "version": Field("t.version", Kind.INTEGER, nullable=False),
        "decisionRequirementsKey": Field("t.requirements_key", Kind.KEY, nullable=False),
        "decisionRequirementsId": Field("r.id", Kind.TEXT, joins=("r",)),
        "decisionRequirementsName": Field("coalesce(r.name, r.id)", Kind.TEXT, joins=("r",)),
        "decisionRequirementsVersion": Field("r.version", Kind.INTEGER, joins=("r",)),
        "tenantId": Field("t.tenant", Kind.TENANT, nullable=False),
        "isLatestVersion": _filter_only(
            "t.version = (SELECT max(l.version) FROM {schema}.decisions l WHERE l.tenant = t.tenant AND l.id = t.id)",
            Kind.BOOLEAN,
        ),
    },
    {"r": ("LEFT JOIN {schema}.decision_requirements r ON r.key = t.requirements_key", ())},
    {},
    {},
)

DECISION_INSTANCES = Entity(
    "decision instance",
    "{schema}.decision_instances t",
    ("t.evaluation_key", "t.number"),
    "decisionEvaluationInstanceKey",
    "t.tenant",
    {
        "decisionEvaluationInstanceKey": Field("t.evaluation_key || '-' || t.number", Kind.TEXT, nullable=False),
        "decisionEvaluationKey": Field("t.evaluation_key", Kind.KEY, nullable=False),
        "decisionDefinitionKey": Field("d.key", Kind.KEY, joins=_D),
        "decisionDefinitionId": Field("t.decision_id", Kind.TEXT, nullable=False),
        "decisionDefinitionName": Field("coalesce(t.decision_name, t.decision_id)", Kind.TEXT, nullable=False),
        "decisionDefinitionType": Field("t.type", Kind.TEXT, nullable=False),
        "decisionDefinitionVersion": Field("coalesce(d.version, t.version)", Kind.INTEGER, joins=_D, nullable=False),
        "rootDecisionDefinitionKey": Field("t.root_decision_key", Kind.KEY, nullable=False),
        "decisionRequirementsKey": _filter_only("t.requirements_key", Kind.KEY),
        "evaluationDate": Field("t.evaluated", Kind.DATE, nullable=False),
        "evaluationFailure": Field("t.failure", Kind.TEXT),
        "state": Field("t.state", Kind.ENUM, DecisionState, nullable=False),
        "result": _shown_only("t.result", Kind.TEXT),
        "processInstanceKey": Field("t.instance_key", Kind.KEY),
        "rootProcessInstanceKey": _shown_only("coalesce(p.root_key, t.instance_key)", Kind.KEY, _P),
        "processDefinitionKey": Field("p.definition_key", Kind.KEY, joins=_P),
        "elementInstanceKey": Field("t.element_key", Kind.KEY),
        "businessId": Field("p.business_id", Kind.TEXT, joins=_P),
        "tenantId": Field("t.tenant", Kind.TENANT, nullable=False),
    },
    {
        "d": (
            "LEFT JOIN {schema}.decisions d ON d.requirements_key = t.requirements_key AND d.id = t.decision_id",
            (),
        ),
        "p": _PART_JOINS["p"],
    },
    {},
    {},
)

ENTITIES: Mapping[Name, Entity] = {
    Name.PROCESS_DEFINITIONS: PROCESS_DEFINITIONS,
    Name.PROCESS_INSTANCES: PROCESS_INSTANCES,
    Name.ELEMENT_INSTANCES: ELEMENT_INSTANCES,
    Name.VARIABLES: VARIABLES,
    Name.USER_TASKS: USER_TASKS,
    Name.INCIDENTS: INCIDENTS,
    Name.JOBS: JOBS,
    Name.FORMS: FORMS,
    Name.DECISION_REQUIREMENTS: DECISION_REQUIREMENTS,
    Name.DECISION_DEFINITIONS: DECISION_DEFINITIONS,
    Name.DECISION_INSTANCES: DECISION_INSTANCES,
    Name.MESSAGE_SUBSCRIPTIONS: MESSAGE_SUBSCRIPTIONS,
    Name.CORRELATED_MESSAGE_SUBSCRIPTIONS: CORRELATED_MESSAGES,
}
