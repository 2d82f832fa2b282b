"""The tables beside the log can be lost: the log alone makes them anew, exactly."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import psycopg
import pytest

from commands.bus import Outcome
from commands.change_calendar import DefineCalendar
from commands.create_instance import CreateInstance
from commands.definitions import DeployedDefinitions
from commands.deployment_files import File, prepare
from commands.handling import Meta
from commands.publish_message import PublishMessage
from commands.registry import HANDLERS as REAL
from domain.bpmn import load_model
from domain.calendar.model import Hours
from infra.postgres import index_rebuild
from infra.postgres.event_log import PostgresEventLog
from infra.postgres.index_rebuild import rebuild_index
from tests.engine.harness import END_EVENT, flow, process
from tests.fakes.commands import Finish, Open, Take
from tests.write_path.harness import TestBus, running_bus
from tests.write_path.test_deliveries import WITH_DELIVERIES, Deliver, Owe
from tests.write_path.test_timers import NOW, WITH_TIMERS, Arm, Fire

ONE_TASK = (Path(__file__).parents[2] / "bench" / "models" / "one_task.bpmn").read_bytes()
STARTS = process(
    '<bpmn:startEvent id="start"/><bpmn:startEvent id="paid"><bpmn:messageEventDefinition messageRef="m"/></bpmn:startEvent>'
    '<bpmn:intermediateCatchEvent id="wait"><bpmn:messageEventDefinition messageRef="m"/></bpmn:intermediateCatchEvent>'
    + END_EVENT + flow("start", "wait") + flow("paid", "wait") + flow("wait", "end"),
    "starts",
).replace(
    "<bpmn:process",
    '<bpmn:message id="m" name="paid"><bpmn:extensionElements><zeebe:subscription correlationKey="=&quot;k&quot;"/>'
    "</bpmn:extensionElements></bpmn:message><bpmn:process",
    1,
).encode()  # fmt: skip
TABLES = (
    "wait_jobs",
    "wait_timers",
    "wait_deliveries",
    "wait_subscriptions",
    "wait_messages",
    "wait_signals",
    "start_events",
    "key_blocks",
    "definition_index",
)


@pytest.fixture
def log(database: str) -> Iterator[PostgresEventLog]:
    log = PostgresEventLog(database)
    yield log
    log.close()


def contents(url: str) -> dict[str, list[Any]]:
    with psycopg.connect(url) as connection:
        return {
            table: sorted(connection.execute(f"SELECT t::text FROM {table} t".encode()).fetchall()) for table in TABLES
        }


def history(bus: TestBus) -> None:
    """Instances in every state, of two tenants."""
    for n in range(12):
        key = bus.run(Open(type=f"type-{n % 3}"), Meta("demo", "acme" if n % 2 else "")).result.key
        bus.run(Arm(key=key, due=NOW + n))
        if n % 3 == 1:
            bus.run(Take(key=key))
        if n % 4 == 1:
            bus.run(Finish(key=key))
        if n % 4 == 2:
            bus.clock.pin(NOW + n)
            bus.run(Fire(key=key, timer=10))


def test_the_tables_are_rebuilt_as_they_were(log: PostgresEventLog, database: str) -> None:
    with running_bus(log, handlers=WITH_TIMERS) as bus:
        history(bus)
    with running_bus(log, lane=3, handlers=WITH_DELIVERIES) as bus:
        owner, peer = bus.open_and_finish(), bus.open_and_finish()
        bus.run(Owe(key=owner, peer=peer, count=3))
        bus.run(Deliver(key=owner, peer=peer, local=101))
    definitions = DeployedDefinitions(log, load_model)
    with running_bus(log, lane=2, handlers=REAL, definitions=definitions) as bus:
        bus.run(prepare([File("one_task.bpmn", ONE_TASK), File("starts.bpmn", STARTS)])[0])
        bus.run(PublishMessage(name="late", key="k", time_to_live=3_600_000_000, variables={"a": 1}))
        bus.run(DefineCalendar(calendar_id="office", zone="UTC", week=[[Hours(540, 1080)] for _ in range(7)]))
        bus.run(CreateInstance(bpmn_process_id="starts", variables={}))
    before = contents(database)
    assert [len(before[table]) for table in TABLES] == [9, 6, 2, 1, 1, 0, 1, 1, 3]
    with psycopg.connect(database) as connection:
        for table in TABLES:
            connection.execute(f"TRUNCATE {table}".encode())
    assert list(rebuild_index(database).values()) == [9, 6, 2, 1, 1, 0, 1, 1, 3]
    assert contents(database) == before


def test_writers_go_on_after_a_rebuild(log: PostgresEventLog, database: str) -> None:
    with running_bus(log) as bus:
        key = bus.open()
        rebuild_index(database)
        bus.run(Finish(key=key))
        assert log.available_jobs([""], "work", NOW, 9) == []


def test_a_writer_that_waited_for_the_rebuild_sees_the_new_rows(
    log: PostgresEventLog, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running_bus(log) as bus:
        keys = [bus.open() for _ in range(3)]
        finished: list[Future[Outcome]] = []

        def replace(*arguments: Any) -> int:
            if not finished:  # the log is read and the lock is held: now somebody writes
                finished.extend(bus.submit(Finish(key=key)) for key in keys)
                wait_for_lock(database)
            return replace_rows(*arguments)

        replace_rows = index_rebuild._replace
        monkeypatch.setattr(index_rebuild, "_replace", replace)
        rebuild_index(database)
        assert all(future.exception(20) is None for future in finished)
    assert log.available_jobs([""], "work", NOW, 9) == []


def wait_for_lock(url: str) -> None:
    """Until somebody waits for a lock, up to 20 s."""
    with psycopg.connect(url, autocommit=True) as connection:
        for _ in range(2_000):
            waiting = connection.execute("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock'").fetchone()
            if waiting:
                return
            time.sleep(0.01)
    raise AssertionError("nobody waits")


def test_a_deployed_definition_is_found_through_the_rebuilt_index(log: PostgresEventLog, database: str) -> None:
    with running_bus(log, handlers=REAL) as bus:
        key = bus.run(prepare([File("one_task.bpmn", ONE_TASK)])[0]).result.resources[0].key
    with psycopg.connect(database) as connection:
        connection.execute("TRUNCATE definition_index")
    rebuild_index(database)
    definitions = DeployedDefinitions(log, load_model)
    assert definitions.find_process("", "one_task") == key
    assert definitions.process(key).id == "one_task"
