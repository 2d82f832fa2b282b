"""Verification finds what was manipulated: in the log, in its index, in the read models."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import psycopg
import pytest

from domain.events import encode_json
from domain.process_instance import events as e
from domain.process_instance.evolve import evolve
from domain.process_instance.state import ProcessInstance
from infra.postgres.read_models_verify import verify_all
from projections.registry import TABLES
from projections.verify import Report
from tests.read_side.streams import Log, new_key, one_task_instance, recorded, service_task, started, user_task

WAITING = [started(7, variables={"a": 1}), *service_task(20), *user_task(30)]


class Sound:
    """A sound system: a finished and a waiting instance, with wait-state rows and a snapshot."""

    def __init__(self, log: Log, catch_up: Callable[..., int]) -> None:
        self.log = log
        self.done, self.waiting = new_key(), new_key()
        definition = log.deploy()
        log.deploy_decisions()
        log.append(self.done, *one_task_instance(definition))
        log.append(self.waiting, *WAITING)
        self.state = ProcessInstance(self.waiting)
        for event in recorded(self.waiting, WAITING):
            evolve(self.state, event.event, event.envelope.at)
        self.state.created_at = 0
        catch_up()
        key = self.waiting
        self.do("INSERT INTO wait_jobs VALUES (%s, 21, 20, 0, '', 'work')", key)

    def do(self, text: str, *parameters: object) -> None:
        """Change the database behind the system's back."""
        with psycopg.connect(self.log.url) as connection:
            connection.execute("SET session_replication_role = replica")  # the log refuses changes otherwise
            connection.execute(text.encode(), parameters)

    def verify(self) -> Report:
        return verify_all(self.log.url)


@pytest.fixture
def sound(log: Log, caught_up: Callable[..., int]) -> Sound:
    return Sound(log, caught_up)


def problems(report: Report) -> str:
    return "\n".join(f"{problem.severity}: {problem.where}: {problem.what}" for problem in report.problems)


def test_a_sound_system_is_found_sound(sound: Sound) -> None:
    seen: list[str] = []
    report = verify_all(sound.log.url, lambda what, done: seen.append(what))
    assert problems(report) == ""
    assert report.ok
    assert (report.streams, report.events) == (5, 17)
    assert [check.table for check in report.tables] == [*TABLES, "quarantine"]
    assert all(check.equal for check in report.tables)
    assert {"streams", "rebuild", "jobs"} <= set(seen)


def test_a_manipulated_row_is_shown_beside_the_one_that_should_be(sound: Sound) -> None:
    sound.do("UPDATE read_model.variables SET value = '9' WHERE instance_key = %s", sound.waiting)
    report = sound.verify()
    assert not report.ok
    assert "table variables: differs from its rebuild (3 rows, rebuilt 3)" in problems(report)
    assert f"row {sound.waiting}, {sound.waiting + 1} is" in problems(report)
    assert [check.table for check in report.tables if not check.equal] == ["variables"]


def test_missing_and_invented_rows_are_told_apart(sound: Sound) -> None:
    sound.do("DELETE FROM read_model.jobs WHERE instance_key = %s", sound.waiting)
    sound.do("INSERT INTO read_model.incidents VALUES (5, 6, 7, 0, NULL, NULL, 0, 'x', 'y', 'z', '')")
    text = problems(sound.verify())
    assert "is missing; the rebuild has" in text
    assert "row 5, 6 is" in text
    assert "and not in the rebuild" in text


def test_a_changed_event_shows_in_the_read_models(sound: Sound) -> None:
    sound.do(
        "UPDATE stored_events SET state = convert_to(replace(convert_from(state, 'UTF8'), '\"o-1\"', '\"o-2\"'), 'UTF8') "
        "WHERE originator_id = %s AND originator_version = 1",
        UUID(int=sound.done),
    )
    assert "o-2" in problems(sound.verify())


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DELETE FROM stored_events WHERE originator_id = %s AND originator_version = 3", "version 3 is missing"),
        (
            "UPDATE stored_events SET topic = 'pi.nothing.1' WHERE originator_id = %s AND originator_version = 2",
            "does not know",
        ),
        (
            "UPDATE stored_events SET state = '\\x00' WHERE originator_id = %s AND originator_version = 2",
            "cannot be decoded",
        ),
        (
            "UPDATE stored_events SET notification_id = notification_id + 1000 "
            "WHERE originator_id = %s AND originator_version = 2",
            "stands before position",
        ),
        (
            "UPDATE stored_events SET topic = 'pi.job_completed.1', state = '[[1],[77]]' "
            "WHERE originator_id = %s AND originator_version = 2",
            "cannot be applied to the state before it",
        ),
    ],
)
def test_a_manipulated_log_is_found(sound: Sound, change: str, said: str) -> None:
    sound.do(change, UUID(int=sound.waiting))
    report = sound.verify()
    assert not report.ok
    assert said in problems(report)
    assert str(UUID(int=sound.waiting)) in problems(report)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("DELETE FROM wait_jobs WHERE instance_key = %s", "lacks job 21 of element 20 at 0 (type work)"),
        ("UPDATE wait_jobs SET available_at = 5 WHERE instance_key = %s", "holds job 21 of element 20 at 5"),
        ("INSERT INTO wait_timers VALUES (%s, 9, 20, 3)", "holds timer 9 of element 20 at 3"),
        ("INSERT INTO wait_timers VALUES (%s + 8192, 9, 20, 3)", "the log does not hold it"),
        ("INSERT INTO key_blocks VALUES (99, %s)", "holds block 99"),
    ],
)
def test_a_manipulated_wait_state_index_is_found(sound: Sound, change: str, said: str) -> None:
    sound.do(change, sound.waiting)
    report = sound.verify()
    assert not report.ok
    assert said in problems(report)


def test_a_snapshot_must_equal_the_replay(sound: Sound) -> None:
    stream = UUID(int=sound.waiting)
    insert = "INSERT INTO stored_snapshots VALUES (%s, %s, 'snapshot.instance.1', %s)"
    sound.state.created_at = 1  # as it was not
    sound.do(insert, stream, 5, encode_json(sound.state))
    sound.do(insert, stream, 9, b"{}")
    sound.do(insert, stream, 4, b"{")
    text = problems(sound.verify())
    assert "the snapshot at version 5 differs from the replay" in text
    assert "a snapshot claims version 9, which the log does not hold" in text
    assert "warning" in text
    assert "the snapshot at version 4 cannot be read" in text


def test_an_instance_that_waits_for_nothing_is_warned_of(sound: Sound) -> None:
    key = new_key()
    sound.log.append(key, started(7), e.ElementActivated(3, "work", 0))
    report = sound.verify()
    assert report.ok
    assert "element instance work (3) has nothing to wait for" in problems(report)


def test_events_that_are_set_aside_are_warned_of(sound: Sound, caught_up: Callable[..., int]) -> None:
    sound.log.append_raw(UUID(int=new_key()), [("pi.unknown.1", b"[]")])
    caught_up()
    report = sound.verify()
    assert "1 events are set aside" in problems(report)


def test_verification_leaves_nothing_behind(sound: Sound) -> None:
    sound.verify()
    with psycopg.connect(sound.log.url) as connection:
        found = connection.execute("SELECT count(*) FROM pg_namespace WHERE nspname = 'read_model_rebuild'").fetchone()
    assert found == (0,)
