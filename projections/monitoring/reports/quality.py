"""What goes wrong: rejection and rework by reason, what is overdue, incidents."""

from __future__ import annotations

import msgspec

from projections.monitoring.report import Report
from projections.monitoring.reports.board import NOW


class RejectionRow(msgspec.Struct, frozen=True, rename="camel"):
    """Completions of an element with an outcome of rejection or rework, by reason.

    share: of all rejections and rework of this version; rate: of all completions of the element with any outcome.
    """

    bpmn_process_id: str
    version: int
    element_id: str
    outcome: str
    reason: str
    count: int
    share: float
    rate: float


class OverdueRow(msgspec.Struct, frozen=True, rename="camel"):
    """An open visit past its due date, the latest first."""

    process_instance_key: str
    bpmn_process_id: str
    version: int
    element_id: str
    visit: int
    assignee: str
    department: str
    created: str
    due: str
    late_seconds: float
    warned: bool
    breached: bool
    level: int


class IncidentRow(msgspec.Struct, frozen=True, rename="camel"):
    """Incidents of an element by type. open: not resolved yet; mean_seconds: until resolved."""

    bpmn_process_id: str
    version: int
    element_id: str
    type: str
    open: int
    resolved: int
    mean_seconds: float | None
    message: str


REJECTIONS = """
SELECT bpmn_process_id AS bpmnProcessId, definition_version AS version, element_id AS elementId, outcome, reason,
    sum(n) AS count, sum(n) / sum(sum(n)) OVER (PARTITION BY bpmnProcessId, version) AS share,
    sum(n) / any(total) AS rate
FROM (
    SELECT bpmn_process_id, definition_version, element_id, outcome, reason, count() AS n
    FROM visits
    WHERE state = 'completed' AND outcome IN ('rejected', 'rework') AND kind = 'userTask' AND $where[ended_at]
    GROUP BY 1, 2, 3, 4, 5
) AS refused
ANY LEFT JOIN (
    SELECT bpmn_process_id, definition_version, element_id, count() AS total
    FROM visits WHERE state = 'completed' AND kind = 'userTask' AND $where[ended_at] GROUP BY 1, 2, 3
) AS everything USING (bpmn_process_id, definition_version, element_id)
GROUP BY bpmn_process_id, definition_version, element_id, outcome, reason
ORDER BY bpmnProcessId, version, count DESC LIMIT {limit:UInt32}
"""

OVERDUE = f"""
SELECT toString(instance_key) AS processInstanceKey, bpmn_process_id AS bpmnProcessId, definition_version AS version,
    element_id AS elementId, number AS visit, assignee, department,
    formatDateTime(created_at, '%Y-%m-%dT%H:%i:%SZ', 'UTC') AS created,
    formatDateTime(due_at, '%Y-%m-%dT%H:%i:%SZ', 'UTC') AS due,
    dateDiff('millisecond', due_at, {NOW}) / 1000 AS lateSeconds,
    (warned_at > 0)::Bool AS warned, (breached_at > 0)::Bool AS breached, level
FROM visits WHERE state = 'open' AND due_at > 0 AND due_at < {NOW} AND $where[due_at]
ORDER BY visits.due_at, instance_key LIMIT {{limit:UInt32}}
"""

INCIDENTS = """
SELECT bpmn_process_id AS bpmnProcessId, definition_version AS version, element_id AS elementId, type,
    countIf(ended_at = 0) AS open, countIf(ended_at > 0) AS resolved,
    if(resolved = 0, NULL, avgIf(dateDiff('millisecond', created_at, ended_at) / 1000, ended_at > 0)) AS meanSeconds,
    argMax(incidents.message, created_at) AS message
FROM incidents WHERE $where[created_at]
GROUP BY bpmn_process_id, definition_version, element_id, type
ORDER BY open DESC, resolved DESC LIMIT {limit:UInt32}
"""

_DRILL = {"definitionId": "bpmnProcessId", "version": "version", "elementId": "elementId"}

REPORTS = (
    Report(
        "rejections",
        RejectionRow,
        REJECTIONS,
        "Rejections and rework by element and reason.",
        drill={**_DRILL, "outcome": "outcome", "reason": "reason"},
    ),
    Report(
        "overdue",
        OverdueRow,
        OVERDUE,
        "Open work past its due date, the latest first.",
        drill={"processInstanceKey": "processInstanceKey"},
    ),
    Report(
        "incidents",
        IncidentRow,
        INCIDENTS,
        "Incidents by element and type: open, resolved, and how long resolving took.",
        drill={**_DRILL, "state": "=incident"},
    ),
)
