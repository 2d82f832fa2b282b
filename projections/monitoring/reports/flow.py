"""How instances really flow: the directly-follows graph and the variants of paths."""

from __future__ import annotations

import msgspec

from projections.monitoring.report import Report


class EdgeRow(msgspec.Struct, frozen=True, rename="camel"):
    """How often a token went from one element to the next, as the engine recorded it (not guessed from times). source:
    "" is the start. mean_seconds: how long the target's visits took that came this way."""

    bpmn_process_id: str
    version: int
    source: str
    target: str
    flow: str
    count: int
    instances: int
    mean_seconds: float | None


class VariantRow(msgspec.Struct, frozen=True, rename="camel"):
    """A path that completed instances took: the elements in the order in which they were entered, gateways left out."""

    bpmn_process_id: str
    path: list[str]
    count: int
    share: float
    mean_seconds: float
    p95_seconds: float
    example: str


EDGES = """
SELECT bpmn_process_id AS bpmnProcessId, definition_version AS version, visits.source AS source, element_id AS target,
    any(visits.flow) AS flow, count() AS count, uniqExact(instance_key) AS instances,
    if(countIf(state = 'completed') = 0, NULL, avgIf(dateDiff('millisecond', created_at, ended_at) / 1000,
        state = 'completed')) AS meanSeconds
FROM visits WHERE $where[created_at]
GROUP BY bpmn_process_id, definition_version, visits.source, element_id
ORDER BY version, count DESC, target LIMIT {limit:UInt32}
"""

VARIANTS = """
WITH (SELECT groupUniqArray(element_id::String) FROM elements
    WHERE bpmn_process_id = {definition:String} AND (type LIKE '%GATEWAY%' OR type LIKE '%Gateway%')) AS gateways
SELECT bpmn_process_id AS bpmnProcessId, way AS path, count() AS count,
    count() / sum(count()) OVER (PARTITION BY bpmnProcessId) AS share, avg(seconds) AS meanSeconds,
    quantileExact(0.95)(seconds) AS p95Seconds, toString(min(instance_key)) AS example
FROM (
    SELECT bpmn_process_id, instance_key, arrayFilter(step -> NOT has(gateways, step), arrayMap(step -> step::String,
        instances.path)) AS way, dateDiff('millisecond', started_at, ended_at) / 1000 AS seconds
    FROM instances WHERE state = 'completed' AND $where[ended_at]
)
GROUP BY bpmn_process_id, way ORDER BY count DESC, example LIMIT {limit:UInt32}
"""

REPORTS = (
    Report(
        "flow",
        EdgeRow,
        EDGES,
        "The directly-follows graph of a process: how often each element led to each.",
        needs_definition=True,
        drill={"definitionId": "bpmnProcessId", "version": "version", "elementId": "target"},
    ),
    Report(
        "variants",
        VariantRow,
        VARIANTS,
        "The paths that completed instances of a process took, the most frequent first.",
        needs_definition=True,
        drill={"definitionId": "bpmnProcessId", "state": "=completed"},
    ),
)
