"""PostgreSQL goes down in the middle of load: what was acknowledged is in the log exactly once."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands.handling import Meta
from domain.errors import StorageUnavailable
from domain.events import REGISTRY
from domain.keys import stream_id
from infra.embedded.postgres import EmbeddedPostgres
from infra.postgres.event_log import PostgresEventLog
from infra.postgres.migrations import migrate
from tests.fakes.commands import Look, Note, Open
from tests.write_path.harness import TestBus, running_bus

CALLERS = 6
COMMANDS = 150


@pytest.fixture(scope="module")
def server(open_folder: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(open_folder / "crash", shared_buffers_mb=64)
    migrate(server.start())
    yield server
    server.stop("immediate")


def note_until_acknowledged(bus: TestBus, key: int, name: str, failures: list[str]) -> None:
    """Repeat a command with its id for as long as its outcome is unknown."""
    meta = Meta("demo", command_id=name)
    while True:
        try:
            bus.run(Note(key=key, variables={"name": name}), meta)
            return
        except StorageUnavailable:
            failures.append(name)
            time.sleep(0.05)


def test_every_acknowledged_command_is_there_once_after_an_immediate_stop(server: EmbeddedPostgres) -> None:
    log = PostgresEventLog(server.url(), timeout=1)
    failures: list[str] = []
    with running_bus(log) as bus:
        keys = [bus.run(Open()).result.key for _ in range(CALLERS)]
        done = threading.Semaphore(0)

        def caller(number: int) -> None:
            for n in range(COMMANDS):
                note_until_acknowledged(bus, keys[number], f"{number}-{n}", failures)
                done.release()

        callers = [threading.Thread(target=caller, args=(number,)) for number in range(CALLERS)]
        for thread in callers:
            thread.start()
        for _ in range(CALLERS * COMMANDS // 3):
            done.acquire(timeout=30)
        server.stop("immediate")
        server.start()
        for thread in callers:
            thread.join(60)
        assert not any(thread.is_alive() for thread in callers)
        assert bus.run(Look(key=keys[0])).result.variables == {"name": f"0-{COMMANDS - 1}"}
    recorded = Counter(
        envelope.command_id
        for envelope, event in (REGISTRY.decode(row.topic, row.state) for row in log.read(0, 100_000))
        if envelope.command_id
    )
    assert recorded == Counter({f"{number}-{n}": 1 for number in range(CALLERS) for n in range(COMMANDS)})
    for key in keys:
        versions = [row.version for row in log.load([stream_id(key)], snapshots=False)[stream_id(key)]]
        assert versions == list(range(1, 3 + COMMANDS + 1))
    assert failures, "the server went down too late to be noticed"
    log.close()


def test_while_it_is_down_every_caller_is_told_and_afterwards_work_goes_on(server: EmbeddedPostgres) -> None:
    log = PostgresEventLog(server.url(), timeout=1)
    with running_bus(log) as bus:
        key, other = bus.open(), bus.open()
        server.stop()
        for command in (Note(key=key), Note(key=key), Look(key=other), Open()):
            assert isinstance(bus.submit(command).exception(20), StorageUnavailable)
        server.start()
        note_until_acknowledged(bus, key, "afterwards", [])
        assert bus.run(Look(key=key)).result.variables == {"name": "afterwards"}
    log.close()


def test_a_log_that_cannot_be_reached_says_so_at_once() -> None:
    with pytest.raises(StorageUnavailable):
        PostgresEventLog("postgresql://nobody:x@127.0.0.1:1/none", timeout=1)
