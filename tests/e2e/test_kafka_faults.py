"""The platform by way of Kafka (`FLOWLEDGER_KAFKA=local`): whichever part is killed, the read models say what the log
says in the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from infra.postgres.read_models_sink import TRACKING
from tests.e2e.platform import Dev, Load
from tests.e2e.test_faults import assert_every_command_took_effect_once, assert_verified


@pytest.fixture(scope="module")
def on_kafka(open_folder: Path) -> Iterator[Dev]:
    dev = Dev(open_folder / "on-kafka")
    dev.environment["FLOWLEDGER_KAFKA"] = "local"
    dev.environment["FLOWLEDGER_KAFKA_PARTITIONS"] = "3"
    dev.start()
    try:
        done = dev.run("deploy", "bench/models/one_task.bpmn")
        assert done.returncode == 0, done.stderr
        yield dev
    finally:
        dev.stop()


@pytest.mark.parametrize("part", ["relay", "projector", "kafka.Kafka", "serve"])
def test_kill_9_of_a_part_loses_and_doubles_nothing(on_kafka: Dev, part: str) -> None:
    load = Load(on_kafka.address, f"kafka-{part}")
    with load.running():
        load.await_acknowledged(40)
        on_kafka.kill(part)
        load.await_acknowledged(40)
    assert_every_command_took_effect_once(on_kafka, load)


def test_what_survived_all_this_is_verified_and_came_through_kafka(on_kafka: Dev) -> None:
    assert_verified(on_kafka)
    with psycopg.connect(on_kafka.postgres().url()) as connection:
        text = "SELECT source FROM read_model.tracking WHERE application_name = %s ORDER BY source"
        rows = connection.execute(text, (TRACKING,)).fetchall()
    assert [row[0] for row in rows] == [f"flowledger.events/{number}" for number in range(3)]
