"""How long instances take, and how many of them there are."""

from __future__ import annotations

import msgspec

from projections.monitoring.report import Report
from projections.monitoring.working_time import CALENDAR, worked_between


class DurationRow(msgspec.Struct, frozen=True, rename="camel"):
    """Completed instances of one process, version or department; durations from start to end, in seconds of the clock
    and of working time."""

    bpmn_process_id: str
    version: int
    department: str
    count: int
    mean_seconds: float
    p50_seconds: float
    p95_seconds: float
    max_seconds: float
    mean_working_seconds: float
    p50_working_seconds: float
    p95_working_seconds: float


class TrendRow(msgspec.Struct, frozen=True, rename="camel"):
    """The instances that completed in one day or week (UTC, weeks begin on Monday)."""

    period: str
    bpmn_process_id: str
    version: int
    department: str
    count: int
    mean_seconds: float
    p50_seconds: float
    p95_seconds: float


class ThroughputRow(msgspec.Struct, frozen=True, rename="camel"):
    """What began and ended in one day or week."""

    period: str
    bpmn_process_id: str
    version: int
    department: str
    started: int
    completed: int
    terminated: int


SECONDS = "dateDiff('millisecond', started_at, ended_at) / 1000"

DURATIONS = f"""
WITH {CALENDAR}
SELECT process AS bpmnProcessId, v AS version, dept AS department, count() AS count, avg(seconds) AS meanSeconds,
    quantileExact(0.5)(seconds) AS p50Seconds, quantileExact(0.95)(seconds) AS p95Seconds, max(seconds) AS maxSeconds,
    avg(working) AS meanWorkingSeconds, quantileExact(0.5)(working) AS p50WorkingSeconds,
    quantileExact(0.95)(working) AS p95WorkingSeconds
FROM (
    SELECT $process AS process, $version AS v, $department AS dept, {SECONDS} AS seconds,
        {worked_between("started_at", "ended_at")} AS working
    FROM instances WHERE state = 'completed' AND $where[ended_at]
)
GROUP BY process, v, dept ORDER BY process, v, dept LIMIT {{limit:UInt32}}
"""

TREND = f"""
SELECT formatDateTime(day, '%Y-%m-%d') AS period, process AS bpmnProcessId, v AS version, dept AS department,
    count() AS count, avg(seconds) AS meanSeconds, quantileExact(0.5)(seconds) AS p50Seconds,
    quantileExact(0.95)(seconds) AS p95Seconds
FROM (
    SELECT $interval[ended_at] AS day, $process AS process, $version AS v, $department AS dept, {SECONDS} AS seconds
    FROM instances WHERE state = 'completed' AND $where[ended_at]
)
GROUP BY day, process, v, dept ORDER BY day, process, v, dept LIMIT {{limit:UInt32}}
"""

THROUGHPUT = """
SELECT formatDateTime(day, '%Y-%m-%d') AS period, process AS bpmnProcessId, v AS version, dept AS department,
    sum(a) AS started, sum(b) AS completed, sum(c) AS terminated
FROM (
    SELECT $interval[started_at] AS day, $process AS process, $version AS v, $department AS dept, count() AS a, 0 AS b,
        0 AS c
    FROM instances WHERE $where[started_at] GROUP BY day, process, v, dept
    UNION ALL
    SELECT $interval[ended_at] AS day, $process AS process, $version AS v, $department AS dept, 0,
        countIf(state = 'completed'), countIf(state = 'terminated')
    FROM instances WHERE state != 'running' AND $where[ended_at] GROUP BY day, process, v, dept
)
GROUP BY day, process, v, dept ORDER BY day, process, v, dept LIMIT {limit:UInt32}
"""

_DRILL = {"definitionId": "bpmnProcessId", "version": "version", "department": "department"}

REPORTS = (
    Report(
        "durations",
        DurationRow,
        DURATIONS,
        "How long completed instances took: mean, median and 95th percentile, in clock and working time.",
        groups=True,
        drill={**_DRILL, "state": "=completed"},
    ),
    Report(
        "trend",
        TrendRow,
        TREND,
        "Durations of the instances that completed in each day or week.",
        groups=True,
        intervals=True,
        drill={**_DRILL, "state": "=completed", "period": "period"},
    ),
    Report(
        "throughput",
        ThroughputRow,
        THROUGHPUT,
        "How many instances began, completed and were terminated in each day or week.",
        groups=True,
        intervals=True,
        drill={**_DRILL, "period": "period"},
    ),
)
