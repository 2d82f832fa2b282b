"""The weekly report of a process: what began, how long it took, what was overdue or rejected and why, what was done."""

from __future__ import annotations

import msgspec

from projections.monitoring.report import Report


class WeekRow(msgspec.Struct, frozen=True, rename="camel"):
    """A week (it begins on Monday, UTC). rejections: rejected completions; rejection_rate: of all completed user tasks.
    overdue: visits that ended in this week after their due date. measures: interventions of administrators."""

    week: str
    bpmn_process_id: str
    started: int
    completed: int
    terminated: int
    mean_seconds: float | None
    rejections: int
    rejection_rate: float
    overdue: int
    incidents: int
    measures: int
    reasons: list[str]


WEEKS = """
SELECT formatDateTime(week, '%Y-%m-%d') AS week, process AS bpmnProcessId, sum(st) AS started, sum(co) AS completed,
    sum(te) AS terminated, if(completed = 0, NULL, sum(ms) / 1000 / completed) AS meanSeconds, sum(re) AS rejections,
    if(sum(ta) = 0, 0, rejections / sum(ta)) AS rejectionRate, sum(ov) AS overdue, sum(ic) AS incidents,
    sum(me) AS measures,
    arrayMap(pair -> pair.1, arraySlice(arraySort(pair -> (-pair.2, pair.1),
        arrayFilter(pair -> pair.1 != '', arrayZip((sumMap([why], [times]) AS counted).1, counted.2))), 1, 3))
        AS reasons
FROM (
    SELECT toStartOfWeek(started_at, 1, 'UTC') AS week, bpmn_process_id AS process, count() AS st, 0 AS co, 0 AS te,
        toInt64(0) AS ms, 0 AS re, 0 AS ta, 0 AS ov, 0 AS ic, 0 AS me, '' AS why, toUInt64(0) AS times
    FROM instances WHERE $where[started_at] GROUP BY 1, 2
    UNION ALL
    SELECT toStartOfWeek(ended_at, 1, 'UTC'), bpmn_process_id, 0, countIf(state = 'completed'),
        countIf(state = 'terminated'), sumIf(dateDiff('millisecond', started_at, ended_at), state = 'completed'),
        0, 0, 0, 0, 0, '', 0
    FROM instances WHERE state != 'running' AND $where[ended_at] GROUP BY 1, 2
    UNION ALL
    SELECT toStartOfWeek(ended_at, 1, 'UTC'), bpmn_process_id, 0, 0, 0, 0, countIf(outcome = 'rejected'),
        countIf(kind = 'userTask'), countIf(due_at > 0 AND ended_at > due_at), 0, 0, '', 0
    FROM visits WHERE state = 'completed' AND kind IN ('userTask', 'job') AND $where[ended_at] GROUP BY 1, 2
    UNION ALL
    SELECT toStartOfWeek(ended_at, 1, 'UTC'), bpmn_process_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, reason, count()
    FROM visits WHERE state = 'completed' AND outcome IN ('rejected', 'rework') AND reason != '' AND $where[ended_at]
    GROUP BY 1, 2, reason
    UNION ALL
    SELECT toStartOfWeek(created_at, 1, 'UTC'), bpmn_process_id, 0, 0, 0, 0, 0, 0, 0, count(), 0, '', 0
    FROM incidents WHERE $where[created_at] GROUP BY 1, 2
    UNION ALL
    SELECT toStartOfWeek(at, 1, 'UTC'), bpmn_process_id, 0, 0, 0, 0, 0, 0, 0, 0, count(), '', 0
    FROM interventions WHERE $where[at] GROUP BY 1, 2
)
GROUP BY week, process ORDER BY week, process LIMIT {limit:UInt32}
"""

REPORTS = (
    Report(
        "weekly-report",
        WeekRow,
        WEEKS,
        "Per process and week: started, completed, mean duration, rejections and why, overdue, incidents, measures.",
        drill={"definitionId": "bpmnProcessId", "week": "week"},
    ),
)
