"""The delivery loop: what one instance owes another is delivered once, by whoever is there; nothing is lost or busy."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from commands.deliveries import DeliveryLoop
from commands.due_work import BATCH
from commands.handling import Command, Context, Handler, Route, Stream, StreamRef, instance_ref
from commands.ports import DueDelivery
from domain.errors import StorageUnavailable
from domain.process_instance import events as e
from domain.process_instance.wait_states import PutDelivery
from tests.contracts.event_log import waits
from tests.fakes.commands import HANDLERS, _existing
from tests.fakes.event_log import FakeEventLog
from tests.write_path.harness import TestBus, running_bus
from tests.write_path.test_timers import wait_until


class Owe(Command, frozen=True, kw_only=True):
    """Owe `count` deliveries to another instance."""

    key: int
    peer: int
    count: int = 1


class Deliver(Command, frozen=True, kw_only=True):
    """Leave a mark at the peer and settle the delivery, in one transaction."""

    key: int
    peer: int
    local: int


class Resume(Command, frozen=True, kw_only=True):
    """Record that an instance goes on."""

    key: int


HELD: set[int] = set()
"""Instances to which nothing is delivered."""


def _resume(_command: Resume, _context: Context, streams: Sequence[Stream]) -> None:
    streams[0].emit(e.InstanceResumed("", [], []))


def _owe(command: Owe, _context: Context, streams: Sequence[Stream]) -> None:
    for n in range(command.count):
        streams[0].emit(e.ReturnOwed(100 + n, command.peer, 1))


def _both(command: Deliver, _context: Context, _route: Route) -> Sequence[StreamRef]:
    return (instance_ref(command.key), instance_ref(command.peer))


def _deliver(command: Deliver, _context: Context, streams: Sequence[Stream]) -> None:
    owner, peer = streams
    if command.local in owner.state.deliveries and command.peer not in HELD:
        peer.emit(e.KeyBlockReserved(command.local << 12))
        owner.emit(e.DeliverySettled(command.local))


WITH_DELIVERIES: dict[type[Command], Handler] = {
    **HANDLERS,
    Owe: Handler(_existing, _owe),
    Deliver: Handler(_both, _deliver),
    Resume: Handler(_existing, _resume),
}


@pytest.fixture
def log() -> FakeEventLog:
    return FakeEventLog()


@pytest.fixture
def bus(log: FakeEventLog) -> Iterator[TestBus]:
    with running_bus(log, handlers=WITH_DELIVERIES) as bus:
        yield bus


def loop_of(bus: TestBus, monotonic: Any = lambda: 0.0) -> DeliveryLoop:
    def deliver(due: DueDelivery) -> Command:
        return Deliver(key=due.instance_key, peer=due.peer, local=due.local)

    return DeliveryLoop(bus.log, bus.bus, deliver, monotonic)


def delivered(log: FakeEventLog) -> int:
    return sum(event.topic == "pi.key_block_reserved.1" for event in log.events)


def test_what_was_committed_here_is_delivered_at_once_and_once(bus: TestBus, log: FakeEventLog) -> None:
    loop = loop_of(bus)
    loop.send_due()
    bus.run(Owe(key=bus.open(), peer=bus.open(), count=3))
    loop.send_due()
    loop.send_due()
    assert delivered(log) == 3
    assert log.due_deliveries(9) == []


def test_a_new_loop_delivers_what_an_earlier_one_left(bus: TestBus, log: FakeEventLog) -> None:
    bus.run(Owe(key=bus.open(), peer=bus.open()))
    loop_of(bus).send_due()
    assert delivered(log) == 1


def test_what_another_process_writes_is_left_to_it_for_a_second(bus: TestBus, log: FakeEventLog) -> None:
    now = [0.0]
    loop = loop_of(bus, lambda: now[0])
    loop.send_due()
    with running_bus(log, lane=2, handlers=WITH_DELIVERIES) as other:
        other.run(Owe(key=other.open(), peer=other.open()))
        for now[0] in (0.5, 1.0):
            loop.send_due()
            assert delivered(log) == 0
        now[0] = 2.0
        loop.send_due()
    assert delivered(log) == 1


def test_two_loops_deliver_once(bus: TestBus, log: FakeEventLog) -> None:
    loops = [loop_of(bus), loop_of(bus)]
    for loop in loops:
        loop.start()
    for _ in range(20):
        bus.run(Owe(key=bus.open(), peer=bus.open()))
    wait_until(lambda: not log.due_deliveries(1))
    for loop in loops:
        loop.stop()
    assert delivered(log) == 20


def test_more_deliveries_than_a_batch_are_all_made(bus: TestBus, log: FakeEventLog) -> None:
    loop = loop_of(bus)
    loop.send_due()
    bus.run(Owe(key=bus.open(), peer=bus.open(), count=BATCH + 5))
    assert loop.send_due() == 0
    loop.send_due()
    assert delivered(log) == BATCH + 5


def test_a_delivery_that_cannot_be_made_is_tried_ever_more_rarely_and_holds_up_no_other(
    bus: TestBus, log: FakeEventLog
) -> None:
    now = [0.0]
    loop = loop_of(bus, lambda: now[0])
    log.append([waits(PutDelivery(7, "return", bus.open()), key=99 << 12)])
    tries = []
    make = loop._make_command
    loop._make_command = lambda due: tries.append(now[0]) or make(due)  # type: ignore[func-returns-value]
    for _ in range(60):
        loop.send_due()
        now[0] += 0.5
    assert tries == [0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 10.0, 17.0]
    bus.run(Owe(key=bus.open(), peer=bus.open()))
    loop.send_due()
    assert delivered(log) == 1


@pytest.mark.parametrize("resumed", ["owner", "peer"])
def test_what_waited_for_a_suspended_instance_is_delivered_as_soon_as_it_is_resumed(
    bus: TestBus, log: FakeEventLog, resumed: str
) -> None:
    now = [0.0]
    loop = loop_of(bus, lambda: now[0])
    owner, peer = bus.open(), bus.open()
    HELD.add(peer)
    bus.run(Owe(key=owner, peer=peer))
    for _ in range(40):
        loop.send_due()
        now[0] += 0.5
    assert delivered(log) == 0
    HELD.clear()
    loop.send_due()
    assert delivered(log) == 0, "it is tried rarely by now"
    bus.run(Resume(key=owner if resumed == "owner" else peer))
    loop.send_due()
    assert delivered(log) == 1


def test_a_delivery_settled_in_the_batch_that_owes_it_is_not_sent(bus: TestBus) -> None:
    loop = loop_of(bus)
    key = bus.open()
    bus.submit(Owe(key=key, peer=key))
    bus.run(Deliver(key=key, peer=key, local=100))
    loop.send_due()
    assert loop.find(9).work == []


def test_the_loop_outlives_an_unreachable_log(bus: TestBus, log: FakeEventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(limit: int) -> Sequence[DueDelivery]:
        raise StorageUnavailable("gone")

    bus.run(Owe(key=bus.open(), peer=bus.open()))
    loop = loop_of(bus, time.monotonic)
    with monkeypatch.context() as patch:
        patch.setattr(log, "due_deliveries", unreachable)
        loop.start()
    loop.wake()
    wait_until(lambda: delivered(log) == 1)
    loop.stop()
