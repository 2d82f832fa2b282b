"""What every engine of the comparison runs: the models, their variables, a fresh database, and how results are told.

The same two BPMN files (bench/models) and the same variables (workload.json) go to every engine. A peer that speaks
another dialect gets a translation made here, so that the topology can never drift apart.
"""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
from lxml import etree
from psycopg import sql
from psycopg.conninfo import make_conninfo

MODELS = Path(__file__).resolve().parents[1] / "models"
PROCESSES = ("one_task", "approval")
BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"
FLOWABLE = "{http://flowable.org/bpmn}"

TABLES_BYTES = """
SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0)::bigint
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'public' AND c.relkind = 'r'
"""

Json = dict[str, Any]


class BenchError(Exception):
    """A comparison that cannot be run, or would not be fair; the message says why and what would mend it."""


@cache
def workload() -> Json:
    """Return the variables of both processes: `{process: {start, complete: {element: variables}, amounts?}}`."""
    loaded: Json = json.loads((MODELS / "workload.json").read_text("utf-8"))
    return loaded


def start_variables(process: str, number: int) -> Json:
    """Return the variables of start `number` (0, 1, 2 …): amounts alternate, so both ways at the gateway are taken."""
    described = workload()[process]
    variables: Json = dict(described["start"])
    amounts: list[int] = described.get("amounts", [])
    if amounts:
        variables["amount"] = amounts[number % len(amounts)]
    return variables


def completion_variables(process: str, element_id: str) -> Json:
    """Return the variables with which the task `element_id` is completed."""
    variables: Json = workload()[process]["complete"][element_id]
    return variables


def translated(process: str, dialect: str) -> bytes:
    """Return the model as BPMN XML in the dialect "spiffworkflow" or "flowable": same elements, same flows, no drawing.

    Conditions become Python or JUEL, the job becomes a task that waits for the outside: an external worker task in
    Flowable, a user task in SpiffWorkflow, which has no jobs.
    """
    root = etree.parse(str(MODELS / f"{process}.bpmn")).getroot()
    for condition in root.iter(f"{BPMN}conditionExpression"):
        expression = (condition.text or "").removeprefix("=").strip()
        condition.text = f"${{{expression}}}" if dialect == "flowable" else expression
    for task in list(root.iter(f"{BPMN}serviceTask", f"{BPMN}userTask")):
        _translate_task(task, dialect)
    if dialect == "spiffworkflow":
        for passed in root.iter(f"{BPMN}task"):  # it would wait for a person at a plain task, the others pass through
            passed.tag = f"{BPMN}intermediateThrowEvent"
    for drawing in root.findall("{http://www.omg.org/spec/BPMN/20100524/DI}BPMNDiagram"):
        root.remove(drawing)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8"))


def _translate_task(task: etree._Element, dialect: str) -> None:
    groups = task.find(f".//{ZEEBE}assignmentDefinition")
    job = task.find(f".//{ZEEBE}taskDefinition")
    for extensions in task.findall(f"{BPMN}extensionElements"):
        task.remove(extensions)
    if dialect == "spiffworkflow":
        task.tag = f"{BPMN}userTask"
    elif job is not None:
        task.set(f"{FLOWABLE}type", "external-worker")
        task.set(f"{FLOWABLE}topic", str(job.get("type")))
    elif groups is not None:
        task.set(f"{FLOWABLE}candidateGroups", str(groups.get("candidateGroups")))


@contextmanager
def temporary_database(url: str) -> Iterator[str]:
    """Create an empty database on the server of `url`, give its URL, and drop it at the end.

    Raises `BenchError` where the server does not flush commits to disk: figures without durability compare nothing.
    """
    name = f"bench_peer_{secrets.token_hex(4)}"
    with psycopg.connect(url, autocommit=True) as admin:
        for setting in ("fsync", "synchronous_commit", "full_page_writes"):
            row = admin.execute("SELECT current_setting(%s)", (setting,)).fetchone()
            if row is None or row[0] == "off":
                raise BenchError(f"the PostgreSQL server has {setting} = off; peers are compared with durable commits")
        admin.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield make_conninfo(url, dbname=name)
        finally:
            admin.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


def tables_bytes(url: str) -> int:
    """Return the size on disk of all tables, their indexes and the free space in them; no catalogues, no WAL."""
    with psycopg.connect(url, autocommit=True) as connection:
        row = connection.execute(TABLES_BYTES).fetchone()
    assert row is not None
    return int(row[0])


def bytes_per_instance(url: str, empty: int, instances: int) -> Json:
    """Return what one instance takes on disk: as the run left it, and after `VACUUM FULL` (the kindest reading).

    `empty` is the size before the first instance, in bytes; `instances` counts every instance in the database.
    """
    as_left = tables_bytes(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("VACUUM (FULL)")
    compact = tables_bytes(url)
    divisor = max(instances, 1)
    return {
        "bytes_per_instance": round((as_left - empty) / divisor),
        "bytes_per_instance_vacuumed": round((compact - empty) / divisor),
    }


def latency(seconds: Sequence[float]) -> Json:
    """Return `{count, p50_ms, p99_ms}` of the durations of one kind of command."""
    ordered = sorted(seconds)
    if not ordered:
        return {"count": 0, "p50_ms": None, "p99_ms": None}

    def at(share: float) -> float:
        return round(ordered[min(len(ordered) - 1, int(share * len(ordered)))] * 1000, 3)

    return {"count": len(ordered), "p50_ms": at(0.50), "p99_ms": at(0.99)}


def tell(measure: Callable[[], Json]) -> None:
    """Print the result as JSON; a comparison that cannot be run ends with its reason and exit code 1."""
    try:
        print(json.dumps(measure(), indent=2))
    except BenchError as error:
        sys.exit(f"bench: {error}")
    except psycopg.OperationalError as error:
        sys.exit(f"bench: PostgreSQL cannot be reached: {error}")
