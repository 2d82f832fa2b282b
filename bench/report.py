"""The figures of a run as tables for people."""

from __future__ import annotations

from pathlib import Path

from rich import box
from rich.console import Console
from rich.table import Table

from bench.decisions import table_of
from bench.peers.workload import PROCESSES, Json

NAMES = {"one_task": "one task", "approval": "approval"}


def show(console: Console, figures: Json, out: Path) -> None:
    """Rates beside the peers', latencies, bytes; where the rest is."""
    machine = figures["machine"]
    console.print(
        f"{machine['cores']} cores, Python {machine['python']}, durable commits; "
        f"load before: {machine['load_before']}, {figures['plan']['seconds']:g} s each\n"
    )
    console.print(_rates(figures))
    console.print(_latencies(figures))
    console.print(_bytes(figures))
    console.print(table_of(figures["decisions"]))
    ceiling = figures["ceiling"]["batch_500"]["events_per_second"]
    events = figures["one_task_bus"]["events_per_second"]
    console.print(
        f"bare inserts of the same bytes: {ceiling:,} events/s in batches of 500; "
        f"the bus: {events:,} events/s, {figures['share_of_ceiling']:.0%} of it"
    )
    if machine["load_before"] > 1:
        console.print("The machine was busy with something else: these figures are too low.", style="yellow")
    console.print(f"all figures: {out}", style="dim")


def _table(title: str, *columns: str) -> Table:
    table = Table(title=title, box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left")
    for index, column in enumerate(columns):
        table.add_column(column, justify="left" if index == 0 else "right")
    return table


def _rates(figures: Json) -> Table:
    table = _table("Instances per second, durable", "", *(NAMES[process] for process in PROCESSES))
    rows = {
        "command bus alone": "{}_bus",
        "command bus, projector running": "{}_bus_projected",
        "over HTTP, projector running": "{}_http",
    }
    for name, key in rows.items():
        table.add_row(name, *(_number(figures[key.format(process)]["instances_per_second"]) for process in PROCESSES))
    for peer in ("spiffworkflow", "flowable"):
        if peer in figures:
            rates = [figures[peer][process]["instances_per_second"] for process in PROCESSES]
            times = [figures[f"times_{peer}{'_one_task' if process == 'one_task' else ''}"] for process in PROCESSES]
            cells = (f"{_number(rate)}  (we: {ratio:g} x)" for rate, ratio in zip(rates, times, strict=True))
            table.add_row(figures[peer]["peer"], *cells)
    return table


def _latencies(figures: Json) -> Table:
    table = _table("Latency, ms", "", "count", "p50", "p99")
    for process in PROCESSES:
        for part, name in (("bus", "bus"), ("http", "HTTP")):
            for command, took in figures[f"{process}_{part}"]["commands"].items():
                _latency(table, f"{NAMES[process]}, {name}: {command} (saturated)", took)
    completions = figures["completions_http"]
    _latency(
        table,
        f"HTTP: complete task at {completions['wanted_per_second']}/s (open loop)",
        completions["complete task"],
    )
    visibility = figures["inbox_visibility"]
    rate = visibility["instances_per_second"]
    _latency(table, f"commit to inbox at {rate:g} approval instances/s (half load)", visibility)
    return table


def _latency(table: Table, name: str, took: Json) -> None:
    table.add_row(name, f"{took['count']:,}", _number(took["p50_ms"]), _number(took["p99_ms"]))


def _bytes(figures: Json) -> Table:
    counted = figures["bytes"]
    table = _table(f"Bytes on disk per one-task instance ({counted['instances']:,} instances)", "table", "bytes")
    for name, size in counted["by_table"].items():
        if size:
            table.add_row(name, f"{size:,}")
    table.add_row("all", f"{counted['per_instance']:,}", style="bold")
    return table


def _number(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 100 else f"{value:,.1f}"
