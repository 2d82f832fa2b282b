"""The command bus: load, decide, append, for many callers at once (group commit).

    submit ──► inbox ──► engine thread: decides a batch ──► committing thread: ONE append ──► callers are answered
                              ▲     (on streams that are not being committed)      │
                              └──────────────── the batch is through ◄─────────────┘

While a batch commits, the engine decides the next, so Python and PostgreSQL work at the same time. Nothing lingers: a
command that finds the bus idle is committed alone; under load batches grow by themselves.

`submit` is for threads, `execute` for asyncio. Both raise Overloaded when the bounded queue is full; commands that
begin new work are refused at a lower mark, so that work under way can end.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future
from queue import SimpleQueue
from typing import NamedTuple

from commands.bus_batch import Batch, Emission, Outcome, Pending, resolve
from commands.bus_committer import Committer, Listener
from commands.bus_engine import Engine, EngineLimits
from commands.clock import Clock
from commands.handling import Command, Definitions, Handler, Meta
from commands.ports import EventLog
from domain.errors import Overloaded
from domain.keys import Key

__all__ = ["BusLimits", "BusStatus", "CommandBus", "Emission", "EngineLimits", "Outcome"]

LOGGER = logging.getLogger(__name__)
STOP_SECONDS = 30.0


class BusLimits(NamedTuple):
    """queue: commands that may wait. shed_at: from how many waiting on commands that begin new work are refused.
    retry_after: what Overloaded says, in seconds."""

    queue: int = 20_000
    shed_at: int = 10_000
    retry_after: int = 1
    engine: EngineLimits = EngineLimits()


class BusStatus(NamedTuple):
    """Counters since the start, and what waits now. conflicts: commands decided again as another writer was first."""

    waiting: int
    batches: int
    commands: int
    events: int
    conflicts: int
    position: int
    accepting: bool


class _Committed(NamedTuple):
    batch: Batch
    position: int
    reached: bool


class _Stop:
    pass


class CommandBus:
    """See the module. `handlers` is the registry; `new_key` hands out instance keys (thread of the engine only)."""

    def __init__(
        self,
        log: EventLog,
        handlers: Mapping[type[Command], Handler],
        *,
        definitions: Definitions,
        clock: Clock,
        new_key: Callable[[], Key],
        limits: BusLimits | None = None,
    ) -> None:
        self._limits = limits or BusLimits()
        self._inbox: SimpleQueue[Pending | _Committed | _Stop] = SimpleQueue()
        self._outbox: SimpleQueue[Batch | None] = SimpleQueue()
        self._listeners: list[Listener] = []
        self._handlers = handlers
        self._engine = Engine(
            log, definitions=definitions, clock=clock, new_key=new_key, answer=resolve, limits=self._limits.engine
        )
        self._committer = Committer(log, self._listeners)
        self._stopping = False
        self._threads: list[threading.Thread] = []
        self.shed_new_work = False
        """Set from outside, e.g. when projections lag: commands that begin new work are refused."""

    def start(self) -> None:
        """Start the two threads."""
        if self._threads:
            raise RuntimeError("the command bus was started before")
        self._threads = [
            threading.Thread(target=self._decide_loop, name="bus-engine", daemon=True),
            threading.Thread(target=self._commit_loop, name="bus-commit", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def stop(self, timeout: float = STOP_SECONDS) -> bool:
        """Take no more commands, carry out those that were taken, end; whether that was done within `timeout` s."""
        if not self._stopping:
            self._stopping = True
            self._inbox.put(_Stop())
        for thread in self._threads:
            thread.join(timeout)
        return not any(thread.is_alive() for thread in self._threads)

    def add_listener(self, on_commit: Listener) -> None:
        """Call `on_commit` with what each batch added, in the committing thread, before the callers are answered; it
        must be quick. Its errors are logged."""
        self._listeners.append(on_commit)

    @property
    def status(self) -> BusStatus:
        """How the bus is doing; from any thread."""
        committer = self._committer
        return BusStatus(
            self._waiting(),
            committer.batches,
            committer.commands,
            committer.events,
            committer.conflicts,
            committer.position,
            not self._stopping and all(thread.is_alive() for thread in self._threads) and bool(self._threads),
        )

    def submit(self, command: Command, meta: Meta) -> Future[Outcome]:
        """Hand in a command from a thread. Raises Overloaded; the future raises what the command was refused with."""
        future: Future[Outcome] = Future()
        self._enqueue(Pending(command, meta, self._admit(command), future, None))
        return future

    async def execute(self, command: Command, meta: Meta) -> Outcome:
        """Carry out a command for an asyncio caller. Raises Overloaded, or what the command was refused with."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Outcome] = loop.create_future()
        self._enqueue(Pending(command, meta, self._admit(command), future, loop))
        return await future

    def _waiting(self) -> int:
        return self._inbox.qsize() + self._engine.waiting

    def _admit(self, command: Command) -> Handler:
        handler = self._handlers.get(type(command))
        if handler is None:
            raise TypeError(f"no handler is registered for {type(command).__name__}")
        limits, waiting = self._limits, self._waiting()
        if self._stopping:
            raise Overloaded("the server is shutting down; try again shortly", limits.retry_after)
        if waiting >= limits.queue:
            raise Overloaded(f"{waiting} commands are waiting already; try again shortly", limits.retry_after)
        if handler.sheds and (self.shed_new_work or waiting >= limits.shed_at):
            raise Overloaded("the system is busy; new work is refused for a moment", limits.retry_after)
        return handler

    def _enqueue(self, pending: Pending) -> None:
        self._inbox.put(pending)

    def _decide_loop(self) -> None:
        engine = self._engine
        draining = False
        while not (draining and self._is_drained()):
            draining = self._receive(wait=not self._can_go_on()) or draining
            try:
                if engine.can_decide:
                    engine.decide_round()
            except Exception as error:
                LOGGER.exception("the command bus failed; the commands that were waiting fail with it")
                resolve(engine.abandon(error))
            if engine.filling.pending and engine.committing is None:
                self._outbox.put(engine.hand_over())
        self._outbox.put(None)
        self._refuse_late()

    def _refuse_late(self) -> None:
        """Commands that slipped in while the bus was stopping."""
        for _ in range(self._inbox.qsize()):
            item = self._inbox.get()
            if isinstance(item, Pending):
                item.error = Overloaded("the server is shutting down; try again shortly", self._limits.retry_after)
                resolve((item,))

    def _can_go_on(self) -> bool:
        engine = self._engine
        return engine.can_decide or (bool(engine.filling.pending) and engine.committing is None)

    def _is_drained(self) -> bool:
        engine = self._engine
        return not (engine.waiting or engine.filling.pending or engine.committing or self._inbox.qsize())

    def _receive(self, wait: bool) -> bool:
        """Take what has arrived, waiting for something if there is nothing else to do; whether the bus is to stop."""
        inbox, engine, stop = self._inbox, self._engine, False
        for _ in range(max(inbox.qsize(), 1 if wait else 0)):
            item = inbox.get()
            if isinstance(item, Pending):
                engine.ready.append(item)
            elif isinstance(item, _Committed):
                if not item.reached:
                    engine.forget(item.batch)
                engine.committed(item.batch, item.position)
            else:
                stop = True
        return stop

    def _commit_loop(self) -> None:
        while (batch := self._outbox.get()) is not None:
            reached = False
            try:
                reached = self._committer.commit(batch)
            except Exception as error:
                LOGGER.exception("committing failed in the bus itself")
                for pending in batch.pending:
                    pending.error = pending.error or error
                resolve(batch.pending)
                batch.losers.clear()
            self._inbox.put(_Committed(batch, self._committer.position, reached))
