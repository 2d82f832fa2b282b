"""Committing: one append for a batch, its callers answered, its losers named.

Where the log refuses a batch because another writer was first, or cannot hold one of its values, every command is
appended apart: only those concerned fail. A command that builds on events of one that failed fails with it.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from commands.bus_batch import Batch, Emission, Pending, resolve
from commands.ports import EventLog
from domain.errors import ConcurrentWrite, StorageUnavailable

LOGGER = logging.getLogger(__name__)

Listener = Callable[[Sequence[Emission]], None]


class Committer:
    """Carries batches to the log, one after the other; used by the bus's committing thread only."""

    def __init__(self, log: EventLog, listeners: Sequence[Listener]) -> None:
        self._log = log
        self._listeners = listeners
        self.position = 0
        self.batches = 0
        self.events = 0
        self.commands = 0
        self.conflicts = 0

    def commit(self, batch: Batch) -> bool:
        """Make the batch durable and answer its callers; what is to be decided again is in `batch.losers`.

        False if the log could not be reached: the outcome is unknown, and every caller was told so.
        """
        self.batches += 1
        self.commands += len(batch.pending)
        reached = True
        try:
            self._append(batch.pending)
        except StorageUnavailable as error:
            _fail(batch.pending, error)
            reached = False
        except Exception as error:
            reached = self._commit_apart(batch, error)
        losers = set(map(id, batch.losers))
        answered = [pending for pending in batch.pending if id(pending) not in losers]
        self._tell([pending for pending in answered if pending.error is None])
        resolve(answered)
        return reached

    def _append(self, some: Sequence[Pending]) -> None:
        """One transaction. Commands without events of their own are as visible as the last before them."""
        appending = [pending for pending in some if pending.append is not None]
        if appending:
            positions = self._log.append([pending.append for pending in appending if pending.append is not None])
            for pending, position in zip(appending, positions, strict=True):
                pending.position = max(pending.position, position)
                self.position = max(self.position, position)
                self.events += len(pending.append.events) if pending.append else 0
        for pending in some:
            if pending.append is None or not pending.append.events:
                pending.position = max(pending.position, self.position)

    def _commit_apart(self, batch: Batch, first_error: Exception) -> bool:
        if not isinstance(first_error, ConcurrentWrite):
            LOGGER.warning("a batch of %d commands was refused, trying them apart: %s", len(batch.pending), first_error)
        spoilt: set[UUID] = set()
        for index, pending in enumerate(batch.pending):
            streams = {ref.id for ref in pending.refs or ()}
            try:
                if streams & spoilt:
                    raise ConcurrentWrite("a command that this one builds on was not recorded")
                self._append((pending,))
            except ConcurrentWrite:
                self.conflicts += 1
                spoilt |= streams
                batch.losers.append(pending)
            except StorageUnavailable as error:
                _fail(batch.pending[index:], error)
                return False
            except Exception as error:
                spoilt |= streams
                pending.error = error
        return True

    def _tell(self, committed: Sequence[Pending]) -> None:
        """Listeners come before the callers: what a caller asks next finds them informed."""
        if not self._listeners:
            return
        emissions = []
        for pending in committed:
            if pending.emissions:
                count = sum(len(emission.events) for emission in pending.emissions)
                position = pending.position - count + 1
                for emission in pending.emissions:
                    emissions.append(emission._replace(position=position))
                    position += len(emission.events)
        if not emissions:
            return
        for listener in self._listeners:
            try:
                listener(emissions)
            except Exception:
                LOGGER.exception("a listener of the command bus failed")


def _fail(some: Sequence[Pending], error: Any) -> None:
    for pending in some:
        pending.error = error
