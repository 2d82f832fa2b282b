"""What every EventLog does: a suite that each adapter's test class inherits, giving it the fixture `log`."""

from __future__ import annotations

from uuid import UUID, uuid4

import pytest

from commands.ports import Append, CommandRecord, DueDelivery, DueTimer, EventLog, IndexedDefinition, NewEvent
from domain.errors import ConcurrentWrite
from domain.process_instance.events import NEVER
from domain.process_instance.wait_states import (
    DropDelivery,
    DropElement,
    DropInstance,
    DropJob,
    DropTimer,
    MoveJob,
    MoveTimer,
    MoveWaits,
    PutDelivery,
    PutJob,
    PutKeyBlock,
    PutTimer,
    WaitChange,
)
from tests.contracts.message_index import MessageIndexContract

KEY = 1 << 12
OTHER = 2 << 12


def events(stream: UUID, *versions: int, size: int = 10) -> list[NewEvent]:
    """Events of one stream with these versions."""
    return [NewEvent(stream, version, "test.1", b"%d" % version + b"x" * size) for version in versions]


def waits(*changes: WaitChange, key: int = KEY, tenant: str = "") -> Append:
    """An append of nothing but wait changes."""
    return Append((), tenant, [(key, change) for change in changes])


class EventLogContract(MessageIndexContract):
    """The suite."""

    def test_positions_ascend_in_the_order_of_the_batch(self, log: EventLog) -> None:
        a, b = uuid4(), uuid4()
        first, second = log.append([Append(events(a, 1, 2), ""), Append(events(b, 1), "")])
        (third,) = log.append([Append(events(a, 3), "")])
        assert first < second < third
        assert second == first + 1
        assert [(e.stream, e.version) for e in log.read(0, 10)] == [(a, 1), (a, 2), (b, 1), (a, 3)]
        assert log.last_position() == third

    def test_reading_goes_on_after_a_position_and_stops_at_the_limit(self, log: EventLog) -> None:
        stream = uuid4()
        (last,) = log.append([Append(events(stream, 1, 2, 3, 4), "")])
        assert [event.version for event in log.read(last - 3, 2)] == [2, 3]
        assert log.read(last, 10) == []

    def test_an_empty_log_has_position_0(self, log: EventLog) -> None:
        assert log.last_position() == 0
        assert log.load([uuid4()]) == {}

    def test_streams_are_loaded_together_oldest_first(self, log: EventLog) -> None:
        a, b = uuid4(), uuid4()
        log.append([Append(events(a, 1), ""), Append(events(b, 1), "")])
        log.append([Append(events(a, 2), "")])
        loaded = log.load([a, b, uuid4()])
        assert {stream: [e.version for e in rows] for stream, rows in loaded.items()} == {a: [1, 2], b: [1]}
        assert loaded[a][0].state == events(a, 1)[0].state
        assert loaded[a][0].topic == "test.1"

    def test_a_taken_version_refuses_the_whole_batch(self, log: EventLog) -> None:
        a, b = uuid4(), uuid4()
        log.append([Append(events(a, 1), "")])
        with pytest.raises(ConcurrentWrite):
            log.append([Append(events(b, 1), ""), Append(events(a, 1), "", [(KEY, PutJob(1, 0, "t", 0))])])
        assert b not in log.load([b])
        assert log.available_jobs([""], "t", 1, 10) == []

    def test_loading_starts_at_the_newest_snapshot(self, log: EventLog) -> None:
        stream = uuid4()
        for version in (2, 4):
            snapshot = NewEvent(stream, version, "snapshot.instance.1", b"state %d" % version)
            log.append([Append(events(stream, version - 1, version), "", snapshots=[snapshot])])
        log.append([Append(events(stream, 5), "")])
        rows = log.load([stream])[stream]
        assert [(row.topic, row.version) for row in rows] == [("snapshot.instance.1", 4), ("test.1", 5)]
        assert rows[0].state == b"state 4"
        assert [row.version for row in log.load([stream], snapshots=False)[stream]] == [1, 2, 3, 4, 5]

    def test_a_command_is_found_with_its_outcome_and_position(self, log: EventLog) -> None:
        record = CommandRecord("acme", "id-1", b"h" * 32, b'{"key":1}')
        _, position = log.append(
            [Append(events(uuid4(), 1), ""), Append(events(uuid4(), 1, 2), "acme", command=record)]
        )
        found = log.find_commands([("acme", "id-1"), ("acme", "id-2"), ("", "id-1")])
        assert found == {("acme", "id-1"): record._replace(position=position)}

    def test_a_command_without_events_keeps_the_position_it_was_given(self, log: EventLog) -> None:
        record = CommandRecord("", "id-1", b"h", b"null", position=17)
        assert list(log.append([Append((), "", command=record)])) == [0]
        assert log.find_commands([("", "id-1")])["", "id-1"].position == 17

    def test_a_command_id_is_taken_once_per_tenant(self, log: EventLog) -> None:
        record = CommandRecord("", "id-1", b"h", b"null")
        log.append([Append(events(uuid4(), 1), "", command=record)])
        stream = uuid4()
        with pytest.raises(ConcurrentWrite):
            log.append([Append(events(stream, 1), "", command=record)])
        assert log.load([stream]) == {}
        log.append([Append(events(stream, 1), "acme", command=record._replace(tenant="acme"))])
        assert len(log.read(0, 9)) == 2

    def test_jobs_are_available_to_their_tenant_and_type_the_longest_waiting_first(self, log: EventLog) -> None:
        log.append([waits(PutJob(1, 9, "t", 30), PutJob(2, 9, "t", 10), PutJob(3, 9, "other", 0))])
        log.append([waits(PutJob(1, 9, "t", 20), key=OTHER, tenant="acme")])
        assert [(j.instance_key, j.local) for j in log.available_jobs([""], "t", 30, 9)] == [(KEY, 2), (KEY, 1)]
        assert [j.local for j in log.available_jobs([""], "t", 29, 9)] == [2]
        both = log.available_jobs(["", "acme"], "t", 99, 9)
        assert [(j.instance_key, j.local) for j in both] == [(KEY, 2), (OTHER, 1), (KEY, 1)]
        assert len(log.available_jobs(["", "acme"], "t", 99, 2)) == 2

    def test_jobs_move_and_go(self, log: EventLog) -> None:
        log.append([waits(PutJob(1, 9, "t", 0), PutJob(2, 9, "t", 0))])
        log.append([waits(MoveJob(1, NEVER), MoveJob(2, 50))])
        assert [j.local for j in log.available_jobs([""], "t", 1_000, 9)] == [2]
        log.append([waits(MoveJob(1, 0), DropJob(2))])
        assert [j.local for j in log.available_jobs([""], "t", 1_000, 9)] == [1]

    def test_what_is_held_is_found_again_when_it_is_let_go(self, log: EventLog) -> None:
        log.append([waits(PutJob(1, 9, "t", 5), PutJob(2, 9, "t", 0), PutTimer(3, 9, 6))])
        log.append([waits(PutJob(4, 9, "t", 0), MoveWaits(((1, NEVER), (2, NEVER), (4, NEVER)), ((3, NEVER),)))])
        assert log.available_jobs([""], "t", 1_000, 9) == []
        assert log.due_timers(1_000, 9) == []
        log.append([waits(DropJob(2), MoveWaits(((1, 5), (4, 7)), ((3, 6),)))])
        assert [j.local for j in log.available_jobs([""], "t", 1_000, 9)] == [1, 4]
        assert log.due_timers(1_000, 9) == [DueTimer(KEY, 3, 6)]

    def test_what_comes_and_goes_in_one_batch_leaves_nothing(self, log: EventLog) -> None:
        log.append(
            [
                waits(PutJob(2, 1, "t", 0), PutTimer(3, 1, 5)),
                waits(MoveJob(2, 7), MoveTimer(3, 6)),
                waits(DropJob(2), DropTimer(3)),
                waits(PutJob(5, 4, "t", 0), PutTimer(6, 4, 5), DropElement(4)),
                waits(PutJob(5, 4, "t", 0), PutTimer(6, 4, 5), DropInstance(), key=OTHER),
            ]
        )
        assert log.available_jobs([""], "t", 1_000, 9) == []
        assert log.next_timer() is None

    def test_an_element_takes_its_rows_along_and_no_others(self, log: EventLog) -> None:
        log.append([waits(PutJob(2, 1, "t", 0), PutTimer(3, 1, 5), PutJob(5, 4, "t", 0), PutTimer(6, 4, 6))])
        log.append([waits(PutJob(2, 1, "t", 0), key=OTHER)])
        log.append([waits(DropElement(1))])
        assert [(j.instance_key, j.local) for j in log.available_jobs([""], "t", 9, 9)] == [(KEY, 5), (OTHER, 2)]
        assert log.due_timers(9, 9) == [DueTimer(KEY, 6, 6)]

    def test_a_row_that_moves_and_goes_with_its_element_in_one_batch_is_gone(self, log: EventLog) -> None:
        log.append([waits(PutJob(2, 1, "t", 0), PutTimer(3, 1, 5), PutJob(5, 4, "t", 0), PutTimer(6, 4, 6))])
        log.append([waits(MoveJob(2, 7), MoveTimer(3, 7), MoveJob(5, 8), MoveTimer(6, 8), DropElement(1))])
        assert [j.local for j in log.available_jobs([""], "t", 99, 9)] == [5]
        assert log.available_jobs([""], "t", 7, 9) == []
        assert log.due_timers(99, 9) == [DueTimer(KEY, 6, 8)]

    def test_an_instance_takes_all_its_rows_along(self, log: EventLog) -> None:
        log.append([waits(PutJob(2, 1, "t", 0), PutTimer(3, 1, 5)), waits(PutTimer(3, 1, 6), key=OTHER)])
        log.append([waits(MoveJob(2, 7), DropElement(1), DropInstance())])
        assert log.available_jobs([""], "t", 99, 9) == []
        assert log.due_timers(99, 9) == [DueTimer(OTHER, 3, 6)]

    def test_timers_are_due_the_most_overdue_first(self, log: EventLog) -> None:
        log.append([waits(PutTimer(1, 9, 30), PutTimer(2, 9, 10), PutTimer(3, 9, 40))])
        assert [timer.local for timer in log.due_timers(30, 9)] == [2, 1]
        assert [timer.local for timer in log.due_timers(30, 1)] == [2]
        assert log.next_timer() == 10
        assert log.next_timer(10) == 30
        assert log.next_timer(40) is None
        log.append([waits(MoveTimer(2, 35), DropTimer(1))])
        assert log.next_timer() == 35

    def test_deliveries_are_owed_until_they_are_settled_whatever_ends(self, log: EventLog) -> None:
        log.append([waits(PutDelivery(3, "call"), PutDelivery(4, "return", 77), key=OTHER), waits(PutDelivery(9, "x"))])
        log.append([waits(DropElement(3), DropInstance(), key=OTHER)])
        owed = [DueDelivery(KEY, 9, "x", 0), DueDelivery(OTHER, 3, "call", 0), DueDelivery(OTHER, 4, "return", 77)]
        assert list(log.due_deliveries(9)) == owed
        assert list(log.due_deliveries(1)) == owed[:1]
        log.append([waits(DropDelivery(3), PutDelivery(5, "cancel", 78), DropDelivery(5), key=OTHER)])
        assert [delivery.local for delivery in log.due_deliveries(9)] == [9, 4]

    def test_definitions_are_found_by_id_and_key_newest_first(self, log: EventLog) -> None:
        stream = uuid4()
        rows = [
            IndexedDefinition("", "process", "order", version, 100 + version, stream, version) for version in (1, 2)
        ]
        log.append([Append(events(stream, 1, 2), "", definitions=rows)])
        log.append([Append((), "acme", definitions=[rows[0]._replace(tenant="acme", key=200)])])
        assert list(log.find_definitions("process", "", "order")) == rows[::-1]
        assert [row.key for row in log.find_definitions("process", None, key=200)] == [200]
        assert log.find_definitions("process", "", key=200) == []
        assert log.find_definitions("form", "", "order") == []
        assert len(log.find_definitions("process", "")) == 2

    def test_reserved_key_blocks_name_their_instance(self, log: EventLog) -> None:
        log.append([waits(PutKeyBlock(5 << 12))])
        assert log.key_block_owner(KEY + (5 << 12)) == KEY
        assert log.key_block_owner(KEY) is None
