"""The timer loop: fires what is due, once, never early; wakes for earlier timers; outlives an unreachable log."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
import pytest

from commands.due_work import BATCH, FIRST_PAUSE, POLL_SECONDS
from commands.handling import Command, Context, Handler, Stream
from commands.ports import DueTimer
from commands.timers import TimerLoop
from domain.errors import StorageUnavailable
from domain.process_instance import events as e
from tests.fakes.commands import HANDLERS, _existing
from tests.fakes.event_log import FakeEventLog
from tests.write_path.harness import START, TestBus, running_bus

SECOND = 1_000_000
NOW = int(START * 1e6)


class Arm(Command, frozen=True, kw_only=True):
    """Start a timer on the task."""

    key: int
    due: int
    local: int = 10


class Fire(Command, frozen=True, kw_only=True):
    """What TriggerTimer does, without an engine."""

    key: int
    timer: int


class Fired(msgspec.Struct, frozen=True):
    """Whether it still ran."""

    fired: bool


def _arm(command: Arm, _context: Context, streams: Sequence[Stream]) -> None:
    streams[0].emit(e.TimerStarted(command.local, 1, "timer", command.due))


def _fire(command: Fire, context: Context, streams: Sequence[Stream]) -> Fired:
    timer = streams[0].state.timers.get(command.timer)
    if timer is None or timer.due > context.now:
        return Fired(False)
    streams[0].emit(e.TimerTriggered(command.timer))
    return Fired(True)


WITH_TIMERS: dict[type[Command], Handler] = {
    **HANDLERS,
    Arm: Handler(_existing, _arm),
    Fire: Handler(_existing, _fire, Fired),
}


@pytest.fixture
def log() -> FakeEventLog:
    return FakeEventLog()


@pytest.fixture
def bus(log: FakeEventLog) -> Iterator[TestBus]:
    with running_bus(log, handlers=WITH_TIMERS) as bus:
        yield bus


def loop_of(bus: TestBus) -> TimerLoop:
    def fire(timer: DueTimer) -> Command:
        return Fire(key=timer.instance_key, timer=timer.local)

    return TimerLoop(bus.log, bus.bus, bus.clock, fire)


def fired(log: FakeEventLog) -> int:
    return sum(event.topic == "pi.timer_triggered.1" for event in log.events)


def test_a_timer_fires_when_it_is_due_and_not_before(bus: TestBus, log: FakeEventLog) -> None:
    loop = loop_of(bus)
    bus.run(Arm(key=bus.open(), due=NOW + 3))
    loop.send_due()
    assert fired(log) == 0
    bus.clock.pin(NOW + 3)
    loop.send_due()
    loop.send_due()
    assert fired(log) == 1
    assert log.next_timer() is None


def test_the_loop_sleeps_until_the_next_timer_but_at_most_a_second(bus: TestBus) -> None:
    loop = loop_of(bus)
    assert loop.send_due() == POLL_SECONDS
    key = bus.open()
    bus.run(Arm(key=key, due=NOW + 60 * SECOND, local=10))
    assert loop.send_due() == POLL_SECONDS
    bus.run(Arm(key=key, due=NOW + SECOND // 4, local=11))
    assert loop.send_due() == 0.25


def test_two_loops_fire_a_timer_once(bus: TestBus, log: FakeEventLog) -> None:
    first, second = loop_of(bus), loop_of(bus)
    for _ in range(20):
        bus.run(Arm(key=bus.open(), due=NOW))
    first.start()
    second.start()
    wait_until(lambda: log.next_timer() is None)
    first.stop()
    second.stop()
    assert fired(log) == 20


def test_a_running_loop_wakes_for_a_timer_that_is_started(bus: TestBus, log: FakeEventLog) -> None:
    loop = loop_of(bus)
    loop.start()
    bus.run(Arm(key=bus.open(), due=NOW))
    wait_until(lambda: fired(log) == 1)
    loop.stop()


def test_setting_the_clock_fires_what_is_due_then(bus: TestBus, log: FakeEventLog) -> None:
    loop = loop_of(bus)
    bus.run(Arm(key=bus.open(), due=NOW + 3_600 * SECOND))
    loop.start()
    bus.clock.pin(NOW + 3_600 * SECOND)
    loop.wake()
    wait_until(lambda: fired(log) == 1)
    loop.stop()


def test_more_timers_than_a_batch_are_all_fired(bus: TestBus, log: FakeEventLog) -> None:
    key = bus.open()
    for future in [bus.submit(Arm(key=key, due=NOW, local=10 + n)) for n in range(BATCH + 5)]:
        future.result(20)
    loop = loop_of(bus)
    assert loop.send_due() == 0
    loop.send_due()
    assert fired(log) == BATCH + 5


def test_a_timer_that_cannot_be_fired_neither_holds_up_the_others_nor_keeps_the_loop_busy(log: FakeEventLog) -> None:
    log._timers[99 << 12, 1] = (0, NOW - 5)
    broken: dict[type[Command], Handler] = {**WITH_TIMERS, Fire: Handler(_existing, _break_once(99 << 12), Fired)}
    with running_bus(log, lane=2, handlers=broken) as bus:
        loop = loop_of(bus)
        bus.run(Arm(key=bus.open(), due=NOW))
        assert loop.send_due() == 0
        assert fired(log) == 1
        assert 0 < loop.send_due() <= FIRST_PAUSE
        bus.run(Arm(key=bus.open(), due=NOW))
        assert loop.send_due() == 0
        assert fired(log) == 2


def test_a_row_without_a_timer_behind_it_is_looked_at_ever_more_rarely(bus: TestBus, log: FakeEventLog) -> None:
    log._timers[bus.open(), 1] = (0, NOW)
    at = 0.0
    loop = TimerLoop(log, bus.bus, bus.clock, lambda timer: Fire(key=timer.instance_key, timer=1), lambda: at)
    pauses = []
    for _ in range(4):
        assert loop.send_due() == 0
        pauses.append(loop.send_due())
        at += pauses[-1]
    assert pauses == pytest.approx([0.1, 0.2, 0.4, 0.8])


def _break_once(bad_key: int) -> Any:
    def decide(command: Fire, context: Context, streams: Sequence[Stream]) -> Fired:
        if command.key == bad_key:
            raise RuntimeError("cannot be fired")
        return _fire(command, context, streams)

    return decide


def test_the_loop_outlives_an_unreachable_log(bus: TestBus, log: FakeEventLog, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(now: int, limit: int) -> Sequence[DueTimer]:
        raise StorageUnavailable("gone")

    loop = loop_of(bus)
    with monkeypatch.context() as patch:
        patch.setattr(log, "due_timers", unreachable)
        loop.start()
        bus.run(Arm(key=bus.open(), due=NOW))
    loop.wake()
    wait_until(lambda: fired(log) == 1)
    loop.stop()


def wait_until(condition: Any) -> None:
    """Poll for up to 20 s."""
    deadline = time.monotonic() + 20
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)
