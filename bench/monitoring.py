"""The monitoring store: how fast its writer is, how large the store, how fast the reports.

    python -m bench.monitoring [--events 1000000]

The writer's whole way is measured, but for the feed: fold decoded events, encode rows, insert them into the embedded
engine in this process (as `flowledger monitoring` does without a ClickHouse server), note the place. Reports are asked
over HTTP through clickhouse-connect, as the API asks them.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench.monitoring_events import batches
from infra.clickhouse.calendars import ensure_calendar
from infra.clickhouse.connection import OBJECTS, ClickHouse, HttpClickHouse
from infra.clickhouse.migrate import migrate
from infra.clickhouse.server import StoreServer, running
from infra.clickhouse.sink import ClickHouseSink
from projections.monitoring.report import Question, statement
from projections.monitoring.reports import REPORTS
from projections.monitoring.rows import Folding
from projections.monitoring.working_time import calendar_name
from streams.feeds import Batch, Place
from streams.monitoring import Writer

EVENTS_AN_INSTANCE = 31
ROUNDS = 5
NOW = (1_780_272_000 + 121 * 86_400) * 1000
SIZES = """
SELECT table, sum(rows), sum(data_compressed_bytes), sum(data_uncompressed_bytes) FROM system.parts
WHERE active AND database = currentDatabase() GROUP BY table ORDER BY 3 DESC
"""


class NoFeed:
    """Batches are handed to the writer directly."""

    def next(self, places: Callable[[str], Place], timeout: float) -> Batch | None:
        """See Feed.next."""
        return None

    def close(self) -> None:
        """See Feed.close."""


def fill(store: ClickHouse, events: int) -> tuple[int, float, float]:
    """Write about so many events; how many, seconds of writing, seconds of CPU (making the events left out)."""
    sink = ClickHouseSink(store)
    writer = Writer(NoFeed(), sink, Folding(sink.load))
    writer.step(0)
    count, seconds, cpu = 0, 0.0, 0.0
    for batch in batches(events // EVENTS_AN_INSTANCE):
        began, began_cpu = time.perf_counter(), time.process_time()
        writer.take(Batch(batch, (), batch[-1].position, at=batch[-1].envelope.at))
        count += len(batch)
        if count // 20_000 > (count - len(batch)) // 20_000:
            writer.flush()
        seconds += time.perf_counter() - began
        cpu += time.process_time() - began_cpu
    writer.flush()
    return count, seconds, cpu


def ask(store: HttpClickHouse, name: str) -> tuple[float, int]:
    """The median time of a report (ms) and its rows."""
    report = REPORTS[name]
    extra: dict[str, object] = {
        parameter.variable: {"key": 0, "time": NOW - 30 * 86_400_000}.get(parameter.kind, "")
        for parameter in report.extra.values()
    }
    question = Question(
        NOW, definition="expense", since=1, calendar=calendar_name("", ""), limit=100, by="version", extra=extra
    )
    text, parameters = statement(report, question)
    times, rows = [], 0
    for _ in range(ROUNDS):
        began = time.perf_counter()
        rows = store.raw(text, OBJECTS, parameters).count(b"\n")
        times.append((time.perf_counter() - began) * 1000)
    return statistics.median(times), rows


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--events", type=int, default=1_000_000)
    events: int = options.parse_args().events
    console = Console(width=110)
    with tempfile.TemporaryDirectory() as folder, running(Path(folder) / "monitoring") as server:
        measure(server, events, console)


def measure(server: StoreServer, events: int, console: Console) -> None:
    """Fill, then ask."""
    migrate(server.store)
    ensure_calendar(server.store)
    with console.status("writing"):
        count, seconds, cpu = fill(server.store, events)
    console.print(f"writer: {count:,} events in {seconds:.1f} s: {count / seconds:,.0f} events/s; CPU {cpu:.1f} s")
    sizes = server.store.rows(SIZES)
    total = sum(row[2] for row in sizes if row[0] != "calendar_slots")
    console.print(f"store: {total / count:.1f} bytes an event, compressed, before parts are merged")
    table = Table("table", "rows", "MB", "MB uncompressed", "bytes a row")
    for name, rows, packed, plain in sizes:
        table.add_row(name, f"{rows:,}", f"{packed / 1e6:.1f}", f"{plain / 1e6:.1f}", f"{packed / rows:.1f}")
    console.print(table)
    client = HttpClickHouse(server.url)
    table = Table("report", "ms (median)", "rows")
    for name in REPORTS:
        took, rows = ask(client, name)
        table.add_row(name, f"{took:,.0f}", f"{rows:,}")
    console.print(table)
    client.close()


if __name__ == "__main__":
    main()
