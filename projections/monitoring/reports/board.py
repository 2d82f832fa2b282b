"""The live board: what waits, runs, is overdue, was rejected or stands still, now; and the same at a past moment."""

from __future__ import annotations

import msgspec

from projections.monitoring.report import Parameter, Report

NOW = "fromUnixTimestamp64Milli({now:Int64}, 'UTC')"
AT = "fromUnixTimestamp64Milli({at:Int64}, 'UTC')"


class BoardRow(msgspec.Struct, frozen=True, rename="camel"):
    """One process, version or department. waiting: open user tasks, unclaimed of them without an assignee. jobs: open
    jobs. overdue: open user tasks and jobs past their due date. breached: those of them whose breach is recorded.
    rejected: rejections within the period (default: 7 days). incidents: open ones. oldest_wait_seconds: of waiting."""

    bpmn_process_id: str
    version: int
    department: str
    running: int
    waiting: int
    unclaimed: int
    jobs: int
    overdue: int
    breached: int
    rejected: int
    incidents: int
    oldest_wait_seconds: float | None


class MomentRow(msgspec.Struct, frozen=True, rename="camel"):
    """An element in which tokens stood at a moment. waiting: nobody was at it yet."""

    bpmn_process_id: str
    version: int
    element_id: str
    open: int
    waiting: int
    overdue: int
    oldest_seconds: float


BOARD = f"""
SELECT process AS bpmnProcessId, v AS version, dept AS department, sum(a) AS running, sum(b) AS waiting,
    sum(c) AS unclaimed, sum(d) AS jobs, sum(e) AS overdue, sum(f) AS breached, sum(g) AS rejected, sum(h) AS incidents,
    if(min(oldest) = toDateTime64('2200-01-01', 3, 'UTC'), NULL, dateDiff('millisecond', min(oldest), {NOW}) / 1000)
        AS oldestWaitSeconds
FROM (
    SELECT $process AS process, $version AS v, $department AS dept, 0 AS a, countIf(kind = 'userTask') AS b,
        countIf(kind = 'userTask' AND assignee = '') AS c, countIf(kind = 'job') AS d,
        countIf(due_at > 0 AND due_at < {NOW}) AS e, countIf(breached_at > 0) AS f, 0 AS g, 0 AS h,
        minIf(created_at, kind = 'userTask') AS first, if(b = 0, toDateTime64('2200-01-01', 3, 'UTC'), first) AS oldest
    FROM visits WHERE state = 'open' AND kind IN ('userTask', 'job') AND $where[] GROUP BY process, v, dept
    UNION ALL
    SELECT $process AS process, $version AS v, $department AS dept, count(), 0, 0, 0, 0, 0, 0, 0,
        toDateTime64(0, 3, 'UTC'), toDateTime64('2200-01-01', 3, 'UTC')
    FROM instances WHERE state = 'running' AND $where[] GROUP BY process, v, dept
    UNION ALL
    SELECT $process AS process, $version AS v, $department AS dept, 0, 0, 0, 0, 0, 0, count(), 0,
        toDateTime64(0, 3, 'UTC'), toDateTime64('2200-01-01', 3, 'UTC')
    FROM visits WHERE outcome = 'rejected' AND state = 'completed' AND kind = 'userTask'
        AND ended_at >= fromUnixTimestamp64Milli({{since:Int64}}, 'UTC') AND $where[ended_at] GROUP BY process, v, dept
    UNION ALL
    SELECT $process AS process, $version AS v, $department AS dept, 0, 0, 0, 0, 0, 0, 0, count(),
        toDateTime64(0, 3, 'UTC'), toDateTime64('2200-01-01', 3, 'UTC')
    FROM incidents WHERE ended_at = 0 AND $where[] GROUP BY process, v, dept
)
GROUP BY process, v, dept ORDER BY process, v, dept LIMIT {{limit:UInt32}}
"""

MOMENT = f"""
SELECT bpmn_process_id AS bpmnProcessId, definition_version AS version, element_id AS elementId, count() AS open,
    countIf(claimed_at = 0 OR claimed_at > {AT}) AS waiting, countIf(due_at > 0 AND due_at < {AT}) AS overdue,
    dateDiff('millisecond', min(created_at), {AT}) / 1000 AS oldestSeconds
FROM visits
WHERE kind != 'scope' AND created_at <= {AT} AND (state = 'open' OR ended_at > {AT}) AND $where[]
GROUP BY 1, 2, 3 ORDER BY 1, 2, open DESC LIMIT {{limit:UInt32}}
"""

REPORTS = (
    Report(
        "board",
        BoardRow,
        BOARD,
        "The live board: running instances, waiting and overdue work, rejections, incidents.",
        groups=True,
        drill={"definitionId": "bpmnProcessId", "version": "version", "department": "department", "state": "=running"},
        days=7,
    ),
    Report(
        "state",
        MomentRow,
        MOMENT,
        "Where tokens stood at a moment (`at`): per element how many, how many of them waited or were overdue.",
        extra={
            "at": Parameter("at", "time", {"type": "string", "format": "date-time", "description": "Now without it."})
        },
        drill={"definitionId": "bpmnProcessId", "version": "version", "elementId": "elementId"},
    ),
)
