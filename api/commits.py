"""What this server has just committed: the bridge from the committer's thread to the requests that wait for it.

* The last position per instance, so that a read by key right after a write shows that write.
* The end of an instance, for `awaitCompletion`.
* The types of jobs that became available, for long polling.

All maps are bounded. The listener runs in the committer's thread and must be cheap: it wakes the event loop only when
somebody waits. Another server's commits do not come by here: those who wait also look for themselves now and then.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable, Sequence
from typing import NamedTuple

from commands.bus_batch import Emission
from domain.keys import instance_key_of
from domain.process_instance import events as e

MAX_REMEMBERED = 20_000
"""Instances whose last position, and whose end, are remembered."""


class Ended(NamedTuple):
    """How an instance ended. position: of its last event."""

    position: int
    completed: bool


JobsAvailable = Callable[[frozenset[str] | None], None]
"""Called in the event loop with the types of new jobs; None: of any type (retries, timeouts)."""


class Watch:
    """What is committed for one instance while it is watched; a context, in the event loop."""

    def __init__(self, commits: Commits, key: int) -> None:
        self._commits = commits
        self._key = key
        self._queue: asyncio.Queue[Emission] = asyncio.Queue()

    def __enter__(self) -> Watch:
        self._commits.add_watch(self._key, self)
        return self

    def __exit__(self, *_: object) -> None:
        self._commits.remove_watch(self._key, self)

    def put(self, emission: Emission) -> None:
        """Something was committed."""
        self._queue.put_nowait(emission)

    async def next(self, timeout: float) -> Emission | None:
        """The next that was committed, None after `timeout` seconds."""
        try:
            return await asyncio.wait_for(self._queue.get(), timeout)
        except TimeoutError:
            return None


_ANY_TYPE = frozenset({e.JobFailed, e.JobUpdated, e.InstanceResumed})
"""Events that may make jobs of any type available."""


class Commits:
    """See the module. `bind` gives it the event loop that its waiters live in."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._positions: dict[int, int] = {}
        self._ended: dict[int, Ended] = {}
        self._waiters: dict[int, list[asyncio.Future[Ended | None]]] = {}
        self._watches: dict[int, list[Watch]] = {}
        self._definitions = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._jobs_available: JobsAvailable | None = None
        self._closed = False

    def bind(self, loop: asyncio.AbstractEventLoop, jobs_available: JobsAvailable) -> None:
        """Wake waiters in this loop from now on."""
        self._loop = loop
        self._jobs_available = jobs_available

    @property
    def is_closed(self) -> bool:
        """Whether nobody shall wait any more."""
        return self._closed

    def close(self) -> None:
        """Let nobody wait any more (the server stops). From any thread."""
        self._closed = True
        loop = self._loop
        if loop is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, and nobody waits any more
                loop.call_soon_threadsafe(self._send_home)

    def _send_home(self) -> None:
        with self._lock:
            waiting = [waiter for waiters in self._waiters.values() for waiter in waiters]
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)

    def on_commit(self, emissions: Sequence[Emission]) -> None:
        """The bus's listener (committer's thread)."""
        types: set[str] = set()
        any_type = False
        ended: list[tuple[int, Ended]] = []
        watched: list[Emission] = []
        with self._lock:
            for emission in emissions:
                last = emission.position + len(emission.events) - 1
                key = emission.ref.key
                if not key:
                    self._definitions = last
                    continue
                self._positions.pop(key, None)
                self._positions[key] = last
                if key in self._watches:
                    watched.append(emission)
                for event in emission.events:
                    kind = type(event)
                    if kind is e.JobCreated:
                        types.add(event.type)  # type: ignore[attr-defined]
                    elif kind in _ANY_TYPE:
                        any_type = True
                    elif kind is e.InstanceCompleted or kind is e.InstanceTerminated:
                        how = Ended(last, kind is e.InstanceCompleted)
                        self._ended[key] = how
                        if key in self._waiters:
                            ended.append((key, how))
            _trim(self._positions)
            _trim(self._ended)
        self._wake(None if any_type else frozenset(types), ended, watched)

    def _wake(self, types: frozenset[str] | None, ended: list[tuple[int, Ended]], watched: list[Emission]) -> None:
        loop, jobs_available = self._loop, self._jobs_available
        if loop is None or loop.is_closed():
            return
        with contextlib.suppress(RuntimeError):  # the loop has ended meanwhile, and nobody waits any more
            if jobs_available is not None and (types is None or types):
                loop.call_soon_threadsafe(jobs_available, types)
            if ended:
                loop.call_soon_threadsafe(self._tell_ended, ended)
            if watched:
                loop.call_soon_threadsafe(self._tell_watches, watched)

    def _tell_ended(self, ended: Sequence[tuple[int, Ended]]) -> None:
        for key, how in ended:
            with self._lock:
                waiters = self._waiters.pop(key, [])
            for waiter in waiters:
                if not waiter.done():
                    waiter.set_result(how)

    def watch(self, key: int) -> Watch:
        """Watch what this server commits for an instance: `with commits.watch(key) as watch`."""
        return Watch(self, key)

    def add_watch(self, key: int, watch: Watch) -> None:
        """Tell it from now on."""
        with self._lock:
            self._watches.setdefault(key, []).append(watch)

    def remove_watch(self, key: int, watch: Watch) -> None:
        """Tell it no more."""
        with self._lock:
            watches = self._watches[key]
            watches.remove(watch)
            if not watches:
                del self._watches[key]

    def _tell_watches(self, watched: Sequence[Emission]) -> None:
        for emission in watched:
            for watch in self._watches.get(emission.ref.key, ()):
                watch.put(emission)

    def position_of(self, key: int) -> int:
        """The last position that this server committed for the instance of a key; 0 if it does not know."""
        return self._positions.get(instance_key_of(key), 0)

    def definitions_position(self) -> int:
        """The last position at which this server committed a deployment; 0 if it did not."""
        return self._definitions

    async def wait_ended(self, key: int, timeout: float) -> Ended | None:
        """How the instance ended, as soon as this server commits it; None after `timeout` seconds, or once closed."""
        waiter: asyncio.Future[Ended | None] = asyncio.get_running_loop().create_future()
        with self._lock:
            known = self._ended.get(key)
            if known is not None or self._closed:
                return known
            self._waiters.setdefault(key, []).append(waiter)
        try:
            return await asyncio.wait_for(waiter, timeout)
        except TimeoutError:
            return None
        finally:
            with self._lock:
                waiting = self._waiters.get(key)
                if waiting is not None and waiter in waiting:
                    waiting.remove(waiter)
                    if not waiting:
                        del self._waiters[key]


def _trim(remembered: dict[int, int] | dict[int, Ended]) -> None:
    """Forget the oldest beyond the bound."""
    while len(remembered) > MAX_REMEMBERED:
        del remembered[next(iter(remembered))]
