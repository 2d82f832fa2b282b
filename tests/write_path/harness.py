"""A running bus for tests."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import Future
from contextlib import contextmanager
from typing import Any, cast

from commands.bus import BusLimits, CommandBus, EngineLimits, Outcome
from commands.clock import PinnableClock
from commands.handling import Command, Definitions, Handler, Meta
from commands.ports import EventLog
from domain.keys import KeySource
from tests.fakes.commands import HANDLERS, Finish, Open

START = 1_800_000_000.0
ANYBODY = Meta("demo")


class TestBus:
    """The bus with a pinned clock, and shorthands that wait for the outcome."""

    __test__ = False

    def __init__(
        self,
        log: EventLog,
        limits: BusLimits,
        lane: int,
        handlers: Mapping[type[Command], Handler],
        definitions: Definitions | None = None,
    ) -> None:
        self.log = log
        self.clock = PinnableClock(lambda: 0, pinned=int(START * 1e6))
        keys = KeySource(lane, lambda: START)
        self.bus = CommandBus(
            log,
            handlers,
            definitions=cast(Definitions, definitions),
            clock=self.clock,
            new_key=keys.next_key,
            limits=limits,
        )

    def submit(self, command: Command, meta: Meta = ANYBODY) -> Future[Outcome]:
        return self.bus.submit(command, meta)

    def run(self, command: Command, meta: Meta = ANYBODY) -> Outcome:
        return self.bus.submit(command, meta).result(20)

    def open(self, **fields: Any) -> int:
        key: int = self.run(Open(**fields)).result.key
        return key

    def open_and_finish(self) -> int:
        key = self.open()
        self.run(Finish(key=key))
        return key


@contextmanager
def running_bus(
    log: EventLog,
    limits: BusLimits | None = None,
    lane: int = 1,
    handlers: Mapping[type[Command], Handler] = HANDLERS,
    definitions: Definitions | None = None,
    **engine: int,
) -> Iterator[TestBus]:
    """A started bus; it is stopped in the end, and must stop cleanly."""
    limits = limits or BusLimits(engine=EngineLimits(**engine))
    test_bus = TestBus(log, limits, lane, handlers, definitions)
    test_bus.bus.start()
    try:
        yield test_bus
    finally:
        assert test_bus.bus.stop(20)
