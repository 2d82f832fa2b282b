"""The instances behind a figure, and the handling record of one of them."""

from __future__ import annotations

import msgspec

from projections.monitoring.report import NONE, Parameter, Report
from projections.monitoring.reports.board import NOW

STATES = ("running", "completed", "terminated", "overdue", "rejected", "incident")
_TIME = "'%Y-%m-%dT%H:%i:%SZ', 'UTC'"


class InstanceRow(msgspec.Struct, frozen=True, rename="camel"):
    """An instance. duration_seconds: until its end, or until now."""

    process_instance_key: str
    bpmn_process_id: str
    version: int
    business_id: str
    state: str
    started: str
    ended: str
    duration_seconds: float
    department: str
    initiator: str
    label: str
    rejections: int
    reworks: int
    reason: str
    incidents: int
    interventions: int


class VisitRow(msgspec.Struct, frozen=True, rename="camel"):
    """One visit of an element: who took it when, when it was done, and how."""

    process_instance_key: str
    element_instance_key: str
    element_id: str
    kind: str
    visit: int
    source: str
    created: str
    claimed: str
    ended: str
    state: str
    due: str
    assignee: str
    actor: str
    outcome: str
    reason: str
    failures: int
    level: int


INSTANCES = f"""
SELECT toString(instance_key) AS processInstanceKey, bpmn_process_id AS bpmnProcessId, definition_version AS version,
    business_id AS businessId, toString(instances.state) AS state, formatDateTime(started_at, {_TIME}) AS started,
    if(ended_at > 0, formatDateTime(ended_at, {_TIME}), '') AS ended,
    dateDiff('millisecond', started_at, if(ended_at > 0, ended_at, {NOW})) / 1000 AS durationSeconds, department,
    initiator, label, rejections, reworks, reason, incidents, interventions
FROM instances
WHERE instance_key > {{after:UInt64}} AND $where[]
    AND ({{instance:UInt64}} = 0 OR instance_key = {{instance:UInt64}})
    AND ({{since:Int64}} = 0 OR ended_at = 0 OR ended_at >= fromUnixTimestamp64Milli({{since:Int64}}, 'UTC'))
    AND ({{until:Int64}} = 0 OR if({{state:String}} IN ('completed', 'terminated'), ended_at, started_at)
        < fromUnixTimestamp64Milli({{until:Int64}}, 'UTC'))
    AND ({{state:String}} NOT IN ('running', 'completed', 'terminated') OR toString(instances.state) = {{state:String}})
    AND ({{state:String}} != 'rejected' OR rejections > 0)
    AND ({{state:String}} != 'incident' OR instance_key IN (SELECT instance_key FROM incidents
        WHERE $where[] AND ended_at = 0 AND ({{element:String}} = '' OR element_id = {{element:String}})))
    AND ({{state:String}} != 'overdue' OR instance_key IN (SELECT instance_key FROM visits
        WHERE $where[] AND visits.state = 'open' AND due_at > 0 AND due_at < {NOW}))
    AND ({{element:String}} = '' OR instance_key IN (SELECT instance_key FROM visits
        WHERE $where[] AND element_id = {{element:String}}))
    AND (({{outcome:String}} = '' AND {{reason:String}} = '') OR instance_key IN (SELECT instance_key FROM visits
        WHERE $where[] AND ({{outcome:String}} = '' OR outcome = {{outcome:String}})
            AND ({{reason:String}} = '' OR visits.reason = if({{reason:String}} = '{NONE}', '', {{reason:String}}))
            AND ({{element:String}} = '' OR element_id = {{element:String}})))
ORDER BY instance_key LIMIT {{limit:UInt32}}
"""

VISITS = f"""
SELECT toString(instance_key) AS processInstanceKey, toString(instance_key + local) AS elementInstanceKey,
    element_id AS elementId, toString(visits.kind) AS kind, number AS visit, source,
    formatDateTime(created_at, {_TIME}) AS created,
    if(claimed_at > 0, formatDateTime(claimed_at, {_TIME}), '') AS claimed,
    if(ended_at > 0, formatDateTime(ended_at, {_TIME}), '') AS ended, toString(visits.state) AS state,
    if(due_at > 0, formatDateTime(due_at, {_TIME}), '') AS due, assignee, actor, outcome, reason, failures, level
FROM visits WHERE instance_key = {{instance:UInt64}} AND $where[]
ORDER BY instance_key, local LIMIT {{limit:UInt32}}
"""

_TEXT = {"type": "string"}

REPORTS = (
    Report(
        "instances",
        InstanceRow,
        INSTANCES,
        "The instances behind a figure, by key: those that ran in the period (completed, terminated: that ended "
        "in it) and pass the filters. `after`: the last key of the page before.",
        extra={
            "state": Parameter("state", "choice", {"type": "string", "enum": list(STATES)}),
            "elementId": Parameter("element", "text", _TEXT),
            "outcome": Parameter("outcome", "text", _TEXT),
            "reason": Parameter("reason", "text", _TEXT),
            "processInstanceKey": Parameter("instance", "key", _TEXT),
            "after": Parameter("after", "key", _TEXT),
        },
    ),
    Report(
        "visits",
        VisitRow,
        VISITS,
        "The handling record of one instance (`processInstanceKey`): each visit of an element, in order.",
        extra={"processInstanceKey": Parameter("instance", "key", _TEXT, required=True)},
    ),
)
