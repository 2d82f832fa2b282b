"""projections.monitoring.ports.Monitoring over HTTP: the same for a ClickHouse server and the embedded engine's owner.

clickhouse-connect blocks, so each question takes a thread; at most MAX_CONCURRENT at once, the others wait in line.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, TypeVar

import msgspec

from domain.errors import InvalidArgument, StorageUnavailable
from infra.clickhouse.connection import OBJECTS, HttpClickHouse
from infra.clickhouse.engine import QueryFailed
from infra.clickhouse.sink import written
from projections.monitoring.ports import Answer
from projections.monitoring.report import Question, Report, statement
from projections.queries import Freshness

T = TypeVar("T")
MAX_CONCURRENT = 4
POLL_SECONDS = 0.05
UNKNOWN_DATABASE, UNKNOWN_TABLE = 81, 60


@lru_cache
def _decoder(row: type[msgspec.Struct]) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(row)


class ClickHouseMonitoring:
    """locate: where the store is; asked again after each loss, since the embedded engine's owner may have moved."""

    def __init__(self, locate: Callable[[], str]) -> None:
        self._locate = locate
        self._store: HttpClickHouse | None = None
        self._slots = asyncio.Semaphore(MAX_CONCURRENT)

    def _connected(self) -> HttpClickHouse:
        if self._store is None:
            self._store = HttpClickHouse(self._locate())
        return self._store

    async def _in_thread(self, question: Callable[[HttpClickHouse], T]) -> T:
        def ask() -> T:
            try:
                return question(self._connected())
            except StorageUnavailable:
                self._lose()
                raise
            except QueryFailed as error:
                if error.number in (UNKNOWN_DATABASE, UNKNOWN_TABLE):
                    raise StorageUnavailable(
                        "the monitoring store is not set up yet: is `flowledger monitoring` running?"
                    ) from error
                raise

        async with self._slots:
            return await asyncio.to_thread(ask)

    def _lose(self) -> None:
        store, self._store = self._store, None
        if store is not None:
            store.close()

    async def ask(self, report: Report, question: Question) -> Answer:
        """See Monitoring.ask."""
        text, parameters = statement(report, question)

        def read(store: HttpClickHouse) -> Answer:
            fresh = Freshness(*written(store))
            return Answer(_decoder(report.row).decode_lines(store.raw(text, OBJECTS, parameters)), fresh)

        return await self._in_thread(read)

    async def export(self, report: Report, question: Question, output: str) -> tuple[Freshness, AsyncIterator[bytes]]:
        """See Monitoring.export."""
        text, parameters = statement(report, question)
        fresh = await self.freshness()
        pieces = await self._in_thread(lambda store: _begun(store, text, parameters, output))
        return fresh, _pieces(pieces)

    async def freshness(self) -> Freshness:
        """See Monitoring.freshness."""
        position, at = await self._in_thread(written)
        return Freshness(position, at)

    async def wait_for(self, position: int, timeout: float) -> bool:
        """See Monitoring.wait_for."""
        deadline = time.monotonic() + timeout
        while (await self.freshness()).position < position:
            if time.monotonic() >= deadline:
                return False
            await asyncio.sleep(POLL_SECONDS)
        return True

    async def close(self) -> None:
        """See Monitoring.close."""
        await asyncio.to_thread(self._lose)


def _begun(store: HttpClickHouse, text: str, parameters: Mapping[str, Any], output: str) -> Iterator[bytes]:
    """The pieces of a result; its first is here already, so that a refusal shows before an answer has begun."""
    pieces = store.stream(text, output, parameters)
    try:
        first = next(pieces, b"")
    except QueryFailed as error:
        raise InvalidArgument(f"this cannot be exported as {output}: {error}") from error

    def all_of_it() -> Iterator[bytes]:
        yield first
        yield from pieces

    return all_of_it()


async def _pieces(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
        yield piece
