"""Waiting and handling time per element, and what share of the elapsed time each has."""

from __future__ import annotations

import msgspec

from projections.monitoring.report import Report
from projections.monitoring.working_time import CALENDAR, worked_between


class ElementRow(msgspec.Struct, frozen=True, rename="camel"):
    """An element's completed visits. Waiting: from its activation until somebody takes it on (claims the task, starts
    the job); handling: from then until it is done. What nobody takes on (timers, messages) only waits.

    share: of the time of all elements of this version, the parts of parallel elements counted in full.
    overdue: visits that ended after their due date. repeats: visits beyond an instance's first.
    """

    bpmn_process_id: str
    version: int
    element_id: str
    kind: str
    count: int
    wait_seconds: float
    handle_seconds: float
    p95_wait_seconds: float
    p95_handle_seconds: float
    wait_working_seconds: float
    handle_working_seconds: float
    share: float
    working_share: float
    overdue: int
    repeats: int
    failures: int


class BottleneckRow(msgspec.Struct, frozen=True, rename="camel"):
    """What share of the elapsed time of the completed instances an element has, where the time in which several
    elements are open at once is shared out equally among them: the shares of a version add up to 1.

    seconds_per_instance: the same, as seconds of one instance.
    """

    bpmn_process_id: str
    version: int
    element_id: str
    instances: int
    seconds_per_instance: float
    share: float


_TAKEN = "if(claimed_at > 0, claimed_at, ended_at)"

ELEMENTS = f"""
WITH {CALENDAR}
SELECT bpmn_process_id AS bpmnProcessId, definition_version AS version, element_id AS elementId, any(k) AS kind,
    count() AS count, avg(w) AS waitSeconds, avg(h) AS handleSeconds, quantileExact(0.95)(w) AS p95WaitSeconds,
    quantileExact(0.95)(h) AS p95HandleSeconds, avg(ww) AS waitWorkingSeconds, avg(hw) AS handleWorkingSeconds,
    ifNotFinite(sum(w + h) / sum(sum(w + h)) OVER (PARTITION BY bpmnProcessId, version), 0) AS share,
    ifNotFinite(sum(ww + hw) / sum(sum(ww + hw)) OVER (PARTITION BY bpmnProcessId, version), 0) AS workingShare,
    countIf(due_at > 0 AND ended_at > due_at) AS overdue, countIf(number > 1) AS repeats, sum(failed) AS failures
FROM (
    SELECT bpmn_process_id, definition_version, element_id, toString(kind) AS k, due_at, ended_at, number,
        failures AS failed, dateDiff('millisecond', created_at, {_TAKEN}) / 1000 AS w,
        dateDiff('millisecond', {_TAKEN}, ended_at) / 1000 AS h,
        {worked_between("created_at", _TAKEN)} AS ww, {worked_between(_TAKEN, "ended_at")} AS hw
    FROM visits WHERE state = 'completed' AND kind IN ('wait', 'userTask', 'job') AND $where[ended_at]
)
GROUP BY bpmn_process_id, definition_version, element_id
ORDER BY bpmnProcessId, version, share DESC LIMIT {{limit:UInt32}}
"""

# Per instance: the moments at which anything begins or ends cut its time into pieces; a piece is shared by the elements
# that are open in it.
BOTTLENECKS = """
SELECT bpmn_process_id AS bpmnProcessId, definition_version AS version, element AS elementId,
    uniqExact(instance_key) AS instances, sum(ms) / 1000 / any(total) AS secondsPerInstance,
    ifNotFinite(sum(ms) / sum(sum(ms)) OVER (PARTITION BY bpmnProcessId, version), 0) AS share
FROM (
    SELECT bpmn_process_id, definition_version, instance_key, stay.3 AS element,
        arraySum(
            (begin, end) -> if(begin >= stay.1 AND end <= stay.2,
                (end - begin) / arrayCount(other -> other.1 <= begin AND other.2 >= end, stays), 0),
            arrayPopBack(cuts), arrayPopFront(cuts)) AS ms
    FROM (
        SELECT bpmn_process_id, definition_version, instance_key,
            groupArray((toUnixTimestamp64Milli(created_at), toUnixTimestamp64Milli(ended_at), element_id::String))
                AS stays,
            arrayDistinct(arraySort(arrayConcat(stays.1, stays.2))) AS cuts
        FROM visits
        WHERE state = 'completed' AND kind IN ('wait', 'userTask', 'job') AND ended_at > created_at
            AND instance_key IN (SELECT instance_key FROM instances WHERE state = 'completed' AND $where[ended_at])
            AND $where[]
        GROUP BY bpmn_process_id, definition_version, instance_key
    ) ARRAY JOIN stays AS stay
) AS shared
ANY LEFT JOIN (
    SELECT bpmn_process_id, definition_version, count() AS total FROM instances
    WHERE state = 'completed' AND $where[ended_at] GROUP BY bpmn_process_id, definition_version
) AS ended USING (bpmn_process_id, definition_version)
GROUP BY bpmn_process_id, definition_version, element
ORDER BY bpmnProcessId, version, share DESC LIMIT {limit:UInt32}
"""

_DRILL = {"definitionId": "bpmnProcessId", "version": "version", "elementId": "elementId"}

REPORTS = (
    Report(
        "elements",
        ElementRow,
        ELEMENTS,
        "Waiting and handling time per element, in clock and working time, with its share of all of it.",
        drill=_DRILL,
    ),
    Report(
        "bottlenecks",
        BottleneckRow,
        BOTTLENECKS,
        "Each element's share of the elapsed time of completed instances; parallel time is shared out.",
        drill={**_DRILL, "state": "=completed"},
    ),
)
