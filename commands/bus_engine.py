"""Deciding, in rounds: look up repeats, load what is missing in one query, decide each command in order.

One thread owns an Engine: the cache, the batch that is being filled, and the commands that wait. Rules that keep it
sound while another thread commits the batch before:

* Nothing is decided on a stream with events in a batch that is being committed; its commands wait (`parked`).
* Commands on one stream may follow one another within a batch: they become durable together or not at all.
* An answer that rests on events of the filling batch (a rejection, an empty decision) is given when it is durable.
* A rejection that rests on a cached state alone is checked: the stream is read anew and the command decided again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple
from uuid import UUID

from commands.bus_batch import Batch, Emission, Pending
from commands.cache import HeldStream, StreamCache
from commands.clock import Clock
from commands.codec import (
    SnapshotUnreadable,
    body_hash,
    decode_result,
    encode_append,
    encode_result,
    make_envelope,
    replay,
)
from commands.handling import INSTANCE, Context, Definitions, StreamRef
from commands.ports import CommandRecord, EventLog, StoredEvent
from domain.errors import ConcurrentWrite, ExpressionError, IdempotencyMismatch, Rejection
from domain.events import Envelope
from domain.keys import Key, instance_key_of

MAX_ATTEMPTS = 10
MAX_KNOWN_BLOCKS = 100_000


class EngineLimits(NamedTuple):
    """round_commands: decided between two looks at the inbox. batch_events, batch_bytes: a batch is full beyond these.
    cached_streams: of the LRU cache. snapshot_every: events by which a stream grows between snapshots."""

    round_commands: int = 128
    batch_events: int = 500
    batch_bytes: int = 8 << 20
    cached_streams: int = 20_000
    snapshot_every: int = 200


class Engine:
    """See the module. `answer` is called with commands that are through without a commit."""

    def __init__(
        self,
        log: EventLog,
        *,
        definitions: Definitions,
        clock: Clock,
        new_key: Callable[[], Key],
        answer: Callable[[Sequence[Pending]], None],
        limits: EngineLimits,
    ) -> None:
        self._log = log
        self._definitions = definitions
        self._clock = clock
        self._new_key = new_key
        self._answer = answer
        self._limits = limits
        self._cache = StreamCache(limits.cached_streams)
        self._owners: dict[int, Key] = {}  # key block -> the instance that reserved it
        self._round = 0
        self._now = 0
        self._taken: list[Pending] = []  # in this round: what is being worked on,
        self._again: list[Pending] = []  # what comes first in the next,
        self._empty: list[UUID] = []  # streams without events,
        self._through: list[Pending] = []  # what is to be answered without a commit
        self.ready: deque[Pending] = deque()
        self.parked: list[Pending] = []
        self.filling = Batch()
        self.committing: Batch | None = None
        self.seen_position = 0

    @property
    def can_decide(self) -> bool:
        """Whether a round would do something."""
        return bool(self.ready) and not self.is_full

    @property
    def is_full(self) -> bool:
        """Whether the filling batch takes no more."""
        filling, limits = self.filling, self._limits
        return (
            filling.events >= limits.batch_events
            or filling.bytes >= limits.batch_bytes
            or len(filling.pending) >= limits.batch_events
        )

    @property
    def waiting(self) -> int:
        """Commands taken from the inbox and not yet decided."""
        return len(self.ready) + len(self.parked)

    def hand_over(self) -> Batch:
        """The filled batch, to be committed; a new one is begun."""
        batch = self.committing = self.filling
        self.filling = Batch()
        return batch

    def committed(self, batch: Batch, position: int) -> None:
        """The batch is through, but for its losers: they are decided anew. What waited for it may go on."""
        self.seen_position = max(self.seen_position, position)
        self.committing = None
        for pending in reversed(self.parked):
            self.ready.appendleft(pending)
        self.parked.clear()
        for pending in reversed(batch.losers):
            self._evict(pending)
            self._retry(pending)
        self._forget_over(batch)
        self._cache.trim(self.filling.streams)

    def _forget_over(self, batch: Batch) -> None:
        """Aggregates that are over make room for those that live."""
        for stream in batch.over:
            self._cache.evict(stream)

    def forget(self, batch: Batch) -> None:
        """The batch failed, or nobody knows: what it left in the cache is not to be trusted."""
        for pending in batch.pending:
            self._evict(pending)

    def abandon(self, error: BaseException) -> list[Pending]:
        """After a fault in the engine itself: everything undecided or not handed over fails; the cache is emptied."""
        lost = [*self.filling.pending, *self._taken, *self.ready, *self.parked]
        for pending in lost:
            pending.error = pending.error or error
        self.filling = Batch()
        self.ready.clear()
        self.parked.clear()
        self._taken, self._again = [], []
        self._cache.clear()
        return lost

    def decide_round(self) -> None:
        """Decide the next commands, up to the limits; answer together those that are through without a commit."""
        self._round += 1
        self._now = self._clock.now()
        count = min(len(self.ready), self._limits.round_commands)
        self._taken = [self.ready.popleft() for _ in range(count)]
        self._again, self._empty, self._through = [], [], []
        try:
            self._decide_all(self._answer_repeats(self._route_all(self._taken)))
        finally:
            self._answer(self._through)
        self.ready.extendleft(reversed(self._again))
        self._taken = []
        self._forget_empty()
        self._cache.trim(self.filling.streams)

    def _decide_all(self, taken: Sequence[Pending]) -> None:
        self._load_missing(taken)
        for index, pending in enumerate(taken):
            if self.is_full:
                self._again += taken[index:]
                break
            if pending.error is not None:
                self._through.append(pending)
            elif self._must_wait(pending):
                self.parked.append(pending)
            else:
                self._decide(pending)

    def _context(self, pending: Pending) -> Context:
        """The command's time is that of its round: never before it was handed in."""
        context = pending.context
        if context is None or context.now != self._now:
            context = pending.context = Context(self._now, pending.meta, self._new_key, self._definitions)
        return context

    def _route(self, key: int) -> Key:
        block = instance_key_of(key)
        return self._owners.get(block, block)

    def _route_all(self, taken: Sequence[Pending]) -> list[Pending]:
        """Find out which streams each command needs; those that cannot be found are answered with the error."""
        routed = []
        for pending in taken:
            if pending.refs is None:
                try:
                    pending.refs = pending.handler.streams(pending.command, self._context(pending), self._route)
                except Exception as error:
                    pending.error = error
                    self._through.append(pending)
                    continue
            routed.append(pending)
        return routed

    def _answer_repeats(self, taken: Sequence[Pending]) -> list[Pending]:
        """Answer commands that were carried out before. One whose twin is in flight waits, and is looked up after."""
        unknown = [p for p in taken if p.id is not None and not p.looked_up and not self._twin_in_flight(p)]
        if not unknown:
            return list(taken)
        try:
            known = self._log.find_commands([pending.id for pending in unknown if pending.id is not None])
        except Exception as error:
            _fail(unknown, error)
            return list(taken)
        left = []
        for pending in taken:
            record = known.get(pending.id) if pending.id is not None else None
            if record is not None:
                self._repeat(pending, record)
            else:
                left.append(pending)
        for pending in unknown:
            pending.looked_up = True
        return left

    def _repeat(self, pending: Pending, record: CommandRecord) -> None:
        try:
            if body_hash(pending.command) != record.body_hash:
                raise IdempotencyMismatch(
                    f"the command id '{record.command_id}' was used before with another request; choose a new one"
                )
            pending.result = decode_result(record.result, pending.handler.result)
            pending.position = record.position
        except Exception as error:
            pending.error = error
        self._through.append(pending)

    def _twin_in_flight(self, pending: Pending) -> bool:
        return pending.id in self.filling.ids or (self.committing is not None and pending.id in self.committing.ids)

    def _must_wait(self, pending: Pending) -> bool:
        """Whether the command touches what a batch holds. A twin's id is looked up again once that is through."""
        if pending.id is not None and self._twin_in_flight(pending):
            pending.looked_up = False
            return True
        committing, blocked = self.committing, self.filling.blocked
        if committing is None and not blocked:
            return False
        return any(
            ref.id in blocked or (committing is not None and ref.id in committing.streams) for ref in pending.refs or ()
        )

    def _load_missing(self, taken: Sequence[Pending]) -> None:
        """Bring the streams that are not cached into the cache, with one query for all."""
        missing: dict[UUID, StreamRef] = {}
        busy = self.filling.blocked | (self.committing.streams if self.committing else set())
        for pending in taken:
            if pending.error is None:
                for ref in pending.refs or ():
                    if not ref.fresh and ref.id not in self._cache and ref.id not in busy:
                        missing[ref.id] = ref
        if not missing:
            return
        try:
            stored = self._log.load(list(missing))
        except Exception as error:
            _fail([p for p in taken if any(ref.id in missing for ref in p.refs or ())], error)
            return
        for stream, ref in missing.items():
            try:
                self._keep_loaded(ref, stored.get(stream, ()))
            except Exception as error:
                _fail([p for p in taken if any(other.id == stream for other in p.refs or ())], error)

    def _keep_loaded(self, ref: StreamRef, stored: Sequence[StoredEvent]) -> None:
        try:
            held = replay(ref, stored)
        except SnapshotUnreadable:
            held = replay(ref, self._log.load([ref.id], snapshots=False).get(ref.id, ()))
        held.loaded_in = self._round
        self._cache.put(held)
        if stored:
            self.seen_position = max(self.seen_position, stored[-1].position)
            return
        self._empty.append(ref.id)
        owner = self._log.key_block_owner(ref.key) if ref.kind is INSTANCE else None
        if owner is not None:
            if len(self._owners) >= MAX_KNOWN_BLOCKS:
                self._owners.clear()
            self._owners[ref.key] = Key(owner)

    def _forget_empty(self) -> None:
        """Streams that do not exist are not kept: another process may begin them, bad keys must not fill the cache."""
        for stream in self._empty:
            held = self._cache.get(stream)
            if held is not None and held.version == 0:
                self._cache.evict(stream)

    def _held(self, pending: Pending) -> list[HeldStream] | None:
        """The command's streams; None if one is to be loaded first, or turned out to be part of another."""
        streams: list[HeldStream] = []
        for ref in pending.refs or ():
            held = self._cache.get(ref.id)
            if held is None:
                if not ref.fresh:
                    return None
                held = HeldStream(ref, ref.kind.new(ref.key), loaded_in=self._round)
                self._cache.put(held)
                self._empty.append(ref.id)
            elif held.version == 0 and ref.key in self._owners:
                pending.refs = None
                return None
            streams.append(held)
        return streams

    def _decide(self, pending: Pending) -> None:
        streams = self._held(pending)
        if streams is None:
            self._again.append(pending)
            return
        context = self._context(pending)
        for held in streams:
            held.at = context.now
            held.emitted = []
        try:
            pending.result = pending.handler.decide(pending.command, context, streams)
            emitting = _emitting(streams)
            if emitting or self._is_final(pending, streams):
                self._record(pending, emitting, make_envelope(streams, context.now, pending.meta))
                self._deliver(pending, streams)
        except Exception as error:
            self._refused(pending, streams, error)

    def _record(self, pending: Pending, emitting: Sequence[HeldStream], envelope: Envelope) -> None:
        """Put into the form of the log what was decided. Versions move on last, when nothing can fail any more."""
        command = None
        if pending.id is not None:
            tenant, command_id = pending.id
            result = encode_result(pending.result)
            command = CommandRecord(tenant, command_id, body_hash(pending.command), result, self.seen_position)
        if not emitting and command is None:
            return
        pending.append = encode_append(emitting, envelope, self._limits.snapshot_every, command)
        for held in emitting:
            pending.emissions.append(Emission(held.ref, held.version + 1, envelope, held.emitted))
            held.version += len(held.emitted)
            if held.ref.kind.is_over(held.state):
                self.filling.over.append(held.ref.id)
        for snapshot in pending.append.snapshots:
            for held in emitting:
                if held.ref.id == snapshot.stream:
                    held.snapshot_version = snapshot.version

    def _refused(self, pending: Pending, streams: Sequence[HeldStream], error: Exception) -> None:
        """The decision failed: what it did to the states is thrown away with them."""
        for held in streams:
            if held.emitted:
                self._cache.evict(held.ref.id)
                if held.ref.id in self.filling.streams:
                    self.filling.blocked.add(held.ref.id)
        pending.append, pending.emissions = None, []
        if isinstance(error, Rejection | ExpressionError) and not self._is_final(pending, streams):
            return
        pending.error = error
        self._deliver(pending, streams)

    def _is_final(self, pending: Pending, streams: Sequence[HeldStream]) -> bool:
        """Whether an answer without events may be given: not if it rests on a cached state that nothing will check.
        Then the command is decided again, on what the log says now."""
        unchecked = [s for s in streams if s.loaded_in != self._round and s.ref.id not in self.filling.streams]
        if not unchecked or pending.attempts >= MAX_ATTEMPTS:
            return True
        for held in unchecked:
            self._cache.evict(held.ref.id)
        pending.attempts += 1
        pending.restart()
        self._again.append(pending)
        return False

    def _deliver(self, pending: Pending, streams: Sequence[HeldStream]) -> None:
        """Answer with the batch whatever is to be appended, or rests on what is."""
        pending.position = self.seen_position
        if pending.append is not None or any(held.ref.id in self.filling.streams for held in streams):
            self.filling.add(pending)
        else:
            self._through.append(pending)

    def _evict(self, pending: Pending) -> None:
        for ref in pending.refs or ():
            self._cache.evict(ref.id)

    def _retry(self, pending: Pending) -> None:
        pending.attempts += 1
        if pending.attempts >= MAX_ATTEMPTS:
            pending.error = ConcurrentWrite(
                f"other writers were first {MAX_ATTEMPTS} times in a row; nothing was recorded, try again"
            )
            self._answer((pending,))
            return
        pending.restart()
        self.ready.appendleft(pending)


def _emitting(streams: Sequence[HeldStream]) -> list[HeldStream]:
    """Those with new events; a command may name a stream twice."""
    if len(streams) == 1:
        return [streams[0]] if streams[0].emitted else []
    return list({held.ref.id: held for held in streams if held.emitted}.values())


def _fail(all_of: Sequence[Pending], error: Exception) -> None:
    for pending in all_of:
        pending.error = error
