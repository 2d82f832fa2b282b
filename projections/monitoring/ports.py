"""What can be asked of the monitoring store: the port that the API knows (infra/clickhouse/queries.py answers)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from projections.monitoring.report import Question, Report
from projections.queries import Freshness


class Answer(msgspec.Struct, frozen=True):
    """The rows of a report, and how fresh they are. The freshness was read before the rows: they are never older."""

    rows: Sequence[Any]
    freshness: Freshness


class Monitoring(Protocol):
    """Methods raise StorageUnavailable while the store is away, InvalidArgument for a question that cannot be asked."""

    async def ask(self, report: Report, question: Question) -> Answer:
        """The typed rows of a report."""
        ...

    async def export(self, report: Report, question: Question, output: str) -> tuple[Freshness, AsyncIterator[bytes]]:
        """The rows of a report in a format of ClickHouse's (Parquet, JSONCompactEachRow …), piece by piece."""
        ...

    async def freshness(self) -> Freshness:
        """How far the store is."""
        ...

    async def wait_for(self, position: int, timeout: float) -> bool:
        """Whether the store reaches log position `position` within `timeout` seconds."""
        ...

    async def close(self) -> None:
        """Let go of all connections."""
        ...


def columns_of(row: type[msgspec.Struct]) -> Mapping[str, Any]:
    """JSON name → type of a row's fields, in order."""
    return {field.encode_name: field.type for field in msgspec.structs.fields(row)}
