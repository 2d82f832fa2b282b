"""What passes through the bus: pending commands, and batches of decided ones."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, NamedTuple
from uuid import UUID

from commands.handling import Command, Context, Handler, Meta, StreamRef
from commands.ports import Append
from domain.events import Envelope, Event


class Outcome(NamedTuple):
    """What a caller gets. position: where in the log the command's effect is visible (for read-your-writes)."""

    result: Any
    position: int


class Emission(NamedTuple):
    """Events that a command added to one stream. version, position: of the first of them (0: not committed)."""

    ref: StreamRef
    version: int
    envelope: Envelope
    events: Sequence[Event]
    position: int = 0


class Pending:
    """A command on its way through the bus, with the caller's future (of a thread or of an event loop)."""

    __slots__ = (
        "append",
        "attempts",
        "command",
        "context",
        "emissions",
        "error",
        "future",
        "handler",
        "id",
        "looked_up",
        "loop",
        "meta",
        "position",
        "refs",
        "result",
    )

    def __init__(
        self,
        command: Command,
        meta: Meta,
        handler: Handler,
        future: Future[Outcome] | asyncio.Future[Outcome],
        loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        self.command = command
        self.meta = meta
        self.handler = handler
        self.future = future
        self.loop = loop
        self.id: tuple[str, str] | None = (meta.tenant, meta.command_id) if meta.command_id else None
        self.looked_up = False
        self.attempts = 0
        self.context: Context | None = None
        self.refs: Sequence[StreamRef] | None = None
        self.append: Append | None = None
        self.emissions: list[Emission] = []
        self.result: Any = None
        self.error: BaseException | None = None
        self.position = 0

    def restart(self) -> None:
        """Forget what was decided: the command is to be decided anew."""
        self.refs, self.append, self.result, self.error = None, None, None, None
        self.emissions = []
        self.looked_up = False


class Batch:
    """Decided commands that are committed together. streams: ids of those with events in it. blocked: streams that
    nothing more may be decided on until the batch is through (a failed decision spoilt their state). over: streams of
    aggregates that end with it."""

    __slots__ = ("blocked", "bytes", "events", "ids", "losers", "over", "pending", "streams")

    def __init__(self) -> None:
        self.pending: list[Pending] = []
        self.streams: set[UUID] = set()
        self.blocked: set[UUID] = set()
        self.ids: set[tuple[str, str]] = set()
        self.losers: list[Pending] = []
        self.over: list[UUID] = []
        self.events = 0
        self.bytes = 0

    def add(self, pending: Pending) -> None:
        """Take in a decided command."""
        self.pending.append(pending)
        append = pending.append
        if append is None:
            return
        if pending.id is not None:
            self.ids.add(pending.id)
        self.events += len(append.events)
        self.bytes += sum([len(event.state) for event in append.events])
        for emission in pending.emissions:
            self.streams.add(emission.ref.id)


def resolve(answered: Sequence[Pending]) -> None:
    """Answer the callers: threads one by one, each event loop with one wake-up for all of its callers."""
    by_loop: dict[asyncio.AbstractEventLoop, list[Pending]] = {}
    for pending in answered:
        if pending.loop is not None:
            by_loop.setdefault(pending.loop, []).append(pending)
        else:
            _settle(pending)
    for loop, waiting in by_loop.items():
        _call(loop, _settle_all, waiting)


def _call(loop: asyncio.AbstractEventLoop, function: Callable[..., None], waiting: list[Pending]) -> None:
    try:
        loop.call_soon_threadsafe(function, waiting)
    except RuntimeError:  # the loop was closed: nobody waits any more
        return


def _settle_all(waiting: Sequence[Pending]) -> None:
    for pending in waiting:
        _settle(pending)


def _settle(pending: Pending) -> None:
    future = pending.future
    if future.done():  # the caller gave up waiting
        return
    if isinstance(future, Future) and not future.set_running_or_notify_cancel():
        return
    if pending.error is not None:
        future.set_exception(pending.error)
    else:
        future.set_result(Outcome(pending.result, pending.position))
