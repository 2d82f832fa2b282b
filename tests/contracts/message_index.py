"""What every EventLog tells of messages, signals and start events: a part of its contract suite."""

from __future__ import annotations

from uuid import uuid4

import pytest

from commands.message_ports import DueStart, KeptMessage, OpenSubscription, StartSubscription, Topic
from commands.ports import Append, EventLog, NewEvent
from domain.errors import AlreadyExists
from domain.process_definition.events import StartEvent
from domain.process_instance import wait_states as w

A, B, MESSAGE, OTHER = 1 << 12, 2 << 12, 3 << 12, 4 << 12
PAID = Topic("", "paid", "o-1")


def append(log: EventLog, key: int, *changes: w.WaitChange, tenant: str = "") -> int:
    """Append one event with these changes; its position."""
    (position,) = log.append([Append([NewEvent(uuid4(), 1, "test.1", b"x")], tenant, [(key, c) for c in changes])])
    return position


def waits_for(local: int = 1, name: str = "paid", key: str = "o-1", process: str = "p") -> w.PutSubscription:
    """A message subscription."""
    return w.PutSubscription(local, "message", name, key, process)


def published(name: str = "paid", key: str = "o-1", id: str = "", expires_at: int = 100) -> w.PutMessage:
    """A kept message."""
    return w.PutMessage(name, key, id, expires_at)


class MessageIndexContract:
    """The suite."""

    def test_a_message_and_a_subscription_meet_at_their_topic(self, log: EventLog) -> None:
        opened = append(log, A, waits_for())
        assert log.correlatable(0, 9) == []
        at = append(log, MESSAGE, published())
        append(log, OTHER, published(key="o-2"))
        assert log.correlatable(0, 9) == [PAID]
        assert log.correlatable(opened, 9) == [PAID], "the message is newer"
        assert log.correlatable(at, 9) == [], "both are older"
        (found,) = log.candidates([PAID], 9)
        assert found.messages == [KeptMessage(MESSAGE, at, False, frozenset())]
        assert found.subscriptions == [OpenSubscription(A, 1, "p", opened)]
        assert found.starts == []

    def test_a_subscription_finds_an_older_message(self, log: EventLog) -> None:
        at = append(log, MESSAGE, published())
        append(log, A, waits_for())
        assert log.correlatable(at, 9) == [PAID]

    def test_tenants_do_not_meet(self, log: EventLog) -> None:
        append(log, A, waits_for(), tenant="acme")
        append(log, MESSAGE, published())
        assert log.correlatable(0, 9) == []

    def test_a_process_that_took_the_message_is_no_candidate(self, log: EventLog) -> None:
        append(log, MESSAGE, published(), w.TakeMessage("p"))
        append(log, A, waits_for())
        assert log.correlatable(0, 9) == []
        append(log, B, waits_for(process="q"))
        assert log.correlatable(0, 9) == [PAID]
        append(log, MESSAGE, w.TakeMessage("q"), w.TakeMessage("r"))
        append(log, OTHER, waits_for(process="s"))
        (found,) = log.candidates([PAID], 9)
        assert found.messages[0].takers == {"p", "q", "r"}
        assert [waiting.process_id for waiting in found.subscriptions] == ["s"]

    def test_what_is_taken_already_does_not_hide_what_is_behind_it(self, log: EventLog) -> None:
        for n in range(3):
            append(log, MESSAGE + (n << 12), published(), w.TakeMessage("p"))
            append(log, A + (n << 20), waits_for())
        append(log, B, waits_for(process="q"))
        append(log, MESSAGE + (3 << 12), published())
        (found,) = log.candidates([PAID], 1)
        assert [message.key for message in found.messages] == [MESSAGE], "q may take the oldest"
        assert [waiting.process_id for waiting in found.subscriptions] == ["q"]
        append(log, B, w.DropSubscription(1))
        (found,) = log.candidates([PAID], 1)
        assert [message.key for message in found.messages] == [MESSAGE + (3 << 12)]
        assert [waiting.instance_key for waiting in found.subscriptions] == [A]

    def test_a_message_without_a_time_to_live_is_for_who_waited_before(self, log: EventLog) -> None:
        append(log, MESSAGE, published(expires_at=0))
        append(log, A, waits_for())
        (found,) = log.candidates([PAID], 9)
        assert (found.messages, found.subscriptions) == ([], [])

    def test_candidates_come_the_oldest_first_and_no_more_than_asked_for(self, log: EventLog) -> None:
        for key in (OTHER, MESSAGE):
            append(log, key, published())
        for key in (B, A):
            append(log, key, waits_for())
        (found,) = log.candidates([PAID], 1)
        assert [message.key for message in found.messages] == [OTHER]
        assert [waiting.instance_key for waiting in found.subscriptions] == [B]
        both = log.candidates([Topic("", "x", ""), PAID], 9)
        assert [len(one.messages) for one in both] == [0, 2]

    def test_what_is_dropped_is_gone(self, log: EventLog) -> None:
        append(log, A, waits_for(1), waits_for(2), w.DropSubscription(2))
        append(log, MESSAGE, published())
        append(log, A, w.DropSubscription(1))
        assert log.correlatable(0, 9) == []
        append(log, B, waits_for())
        append(log, MESSAGE, w.TakeMessage("z"), w.DropMessage())
        assert log.correlatable(0, 9) == []

    def test_topics_are_paged(self, log: EventLog) -> None:
        for n, key in enumerate(("c", "a", "b")):
            append(log, A, waits_for(n + 1, key=key))
            append(log, MESSAGE + (n << 12), published(key=key))
        assert [topic.key for topic in log.correlatable(0, 2)] == ["a", "b"]
        assert [topic.key for topic in log.correlatable(0, 2, beyond=Topic("", "paid", "b"))] == ["c"]

    def test_a_message_id_is_kept_once_for_a_name_and_key(self, log: EventLog) -> None:
        append(log, MESSAGE, published(id="m-1"))
        with pytest.raises(AlreadyExists):
            append(log, OTHER, published(id="m-1"))
        append(log, OTHER, published(key="o-2", id="m-1"))
        append(log, MESSAGE, w.DropMessage())
        append(log, MESSAGE, published(id="m-1"))

    def test_messages_end_when_they_were_looked_at_or_their_time_has_come(self, log: EventLog) -> None:
        at = append(log, MESSAGE, published(expires_at=0))
        append(log, OTHER, published(key="o-2", expires_at=50))
        append(log, A, published(key="o-3", expires_at=70))
        assert log.passing_messages(at, 9) == [(MESSAGE, PAID)]
        assert log.passing_messages(at - 1, 9) == []
        assert log.expired_messages(49, 9) == []
        assert log.expired_messages(70, 9) == [OTHER, A]
        assert log.next_expiry(50) == 70
        assert log.next_expiry(70) is None

    def test_a_start_key_is_held_by_one(self, log: EventLog) -> None:
        append(log, 0, w.PutStarts("p", 7, [StartEvent("start", "message", "paid")]))
        append(log, MESSAGE, published())
        assert log.candidates([PAID], 9)[0].starts == [StartSubscription(7, "start", "p", "paid")]
        append(log, A, w.PutSubscription(1, "start", "paid", "o-1", "p"))
        assert log.candidates([PAID], 9)[0].starts[0].held
        with pytest.raises(AlreadyExists):
            append(log, B, w.PutSubscription(1, "start", "paid", "o-1", "p"))
        append(log, B, w.PutSubscription(1, "start", "paid", "o-1", "q"))
        append(log, A, w.DropSubscription(1))
        append(log, A, w.PutSubscription(5, "start", "paid", "o-1", "p"))

    def test_a_message_that_waits_for_a_start_is_found_when_asked_for(self, log: EventLog) -> None:
        append(log, 0, w.PutStarts("p", 7, [StartEvent("start", "message", "paid")]))
        at = append(log, MESSAGE, published())
        assert log.correlatable(at, 9) == []
        assert log.correlatable(at, 9, held=True) == [PAID]

    def test_a_signal_reaches_who_waited_before_it(self, log: EventLog) -> None:
        def go(local: int) -> w.PutSubscription:
            return w.PutSubscription(local, "signal", "go", "", "")

        append(log, A, go(1), w.PutSubscription(2, "signal", "stop", "", ""))
        append(log, B, go(1))
        at = append(log, MESSAGE, w.PutSignal(0, "go", {"x": 1}))
        append(log, B, go(2))
        (signal,) = log.pending_signals(9)
        assert (signal.key, signal.local, signal.name, signal.position, signal.variables) == (
            MESSAGE,
            0,
            "go",
            at,
            {"x": 1},
        )
        assert [target[:2] for target in log.signal_targets(signal, 9)] == [(A, 1), (B, 1)]
        assert len(log.signal_targets(signal, 1)) == 1
        append(log, A, w.MarkSubscription(1, at))
        append(log, B, w.DropSubscription(1))
        assert log.signal_targets(signal, 9) == []
        append(log, MESSAGE, w.DropSignal(0))
        assert log.pending_signals(9) == []

    def test_within_a_command_positions_are_those_of_the_events(self, log: EventLog) -> None:
        events = [NewEvent(uuid4(), 1, "test.1", b"x") for _ in range(3)]
        changes: list[w.WaitChange] = [
            w.PutSubscription(1, "signal", "go", "", "", offset=0),
            w.PutSignal(2, "go", {}, offset=1),
            w.PutSubscription(3, "signal", "go", "", "", offset=2),
        ]
        (last,) = log.append([Append(events, "", [(A, change) for change in changes])])
        (signal,) = log.pending_signals(9)
        assert signal.position == last - 1
        assert [target.local for target in log.signal_targets(signal, 9)] == [1]

    def test_a_new_version_replaces_what_starts_a_process(self, log: EventLog) -> None:
        timer = StartEvent("t", "timer", "", 50, 3, "PT1H")
        append(log, 0, w.PutStarts("p", 7, [StartEvent("s", "signal", "go"), timer]))
        append(log, 0, w.PutStarts("q", 8, [StartEvent("s", "signal", "go")]))
        assert [start.definition_key for start in log.start_subscriptions("signal", "", "go")] == [7, 8]
        assert log.due_starts(49, 9) == []
        assert log.due_starts(50, 9) == [DueStart(7, "t", "", 50, 3, "PT1H")]
        assert log.next_start() == 50
        append(log, A, w.MoveStart(7, "t", 80, 2))
        assert log.next_start() == 80
        append(log, A, w.MoveStart(7, "t", 0, 0))
        assert log.next_start() is None
        append(log, 0, w.PutStarts("p", 9, [StartEvent("c", "condition", "=x > 1")]))
        assert [start.definition_key for start in log.start_subscriptions("signal", "", "go")] == [8]
        assert log.start_subscriptions("condition", "")[0].name == "=x > 1"
        assert log.start_subscriptions("condition", "", definition_key=7) == []
        append(log, A, w.MoveStart(7, "t", 90, 1))
        assert log.next_start() is None, "a timer that was replaced does not come back"

    def test_what_a_suspended_instance_waits_for_does_not_reach_it(self, log: EventLog) -> None:
        append(log, A, waits_for(1), w.PutSubscription(2, "signal", "go", "", ""))
        append(log, A, w.MoveWaits((), (), held=(1, 2)))
        append(log, MESSAGE, published())
        append(log, OTHER, w.PutSignal(0, "go", {}))
        (signal,) = log.pending_signals(9)
        assert log.correlatable(0, 9) == []
        assert log.candidates([PAID], 9)[0].subscriptions == []
        assert log.signal_targets(signal, 9) == []
        at = append(log, A, w.MoveWaits((), (), reopened=((1, "message"), (2, "signal"))))
        assert log.correlatable(at - 1, 9) == [PAID]
        assert log.candidates([PAID], 9)[0].subscriptions == [OpenSubscription(A, 1, "p", at)]
        assert log.signal_targets(signal, 9) == []
        append(log, OTHER, w.PutSignal(1, "go", {}))
        (_, later) = log.pending_signals(9)
        assert [target[:2] for target in log.signal_targets(later, 9)] == [(A, 2)]

    def test_what_is_held_and_reopened_in_one_batch_is_open_from_then_on(self, log: EventLog) -> None:
        append(log, A, w.PutSubscription(1, "signal", "go", "", ""))
        changes: list[w.WaitChange] = [
            w.MarkSubscription(1, 1),
            w.MoveWaits((), (), held=(1,)),
            w.MoveWaits((), (), reopened=((1, "signal"),)),
        ]
        at = append(log, A, *changes)
        append(log, OTHER, w.PutSignal(0, "go", {}))
        (signal,) = log.pending_signals(9)
        assert log.signal_targets(signal, 9) == [OpenSubscription(A, 1, "", at)]
