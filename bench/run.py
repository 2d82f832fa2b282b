"""`make bench`: our durable rates, latencies and bytes, the bare database's and the peers', from one run.

    python -m bench.run [--quick]          the same as `flowledger bench`

Everything runs on one PostgreSQL with durable commits, each part in a fresh database of its own. The figures go to
bench/out/latest.json; bench/RESULTS.md is kept by hand.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

from rich.console import Console

from bench import decisions, report
from bench.bus_load import Driver
from bench.peers.workload import PROCESSES, BenchError, Json
from bench.server import Processes, event_sample, ledger_database, postgres, table_sizes
from bench.visibility import measure as measure_visibility
from infra.bootstrap import Core, installed_version
from infra.postgres.read_models_position import ReadPosition
from infra.settings import Settings

__all__ = ["BenchError", "Plan", "measure"]

ROOT = Path(__file__).resolve().parents[1]
CATCH_UP_SECONDS = 120.0
HALF_LOAD = 500.0
"""Approval instances a second: half of what DESIGN §9 asks for."""


class Plan(NamedTuple):
    """What is measured and for how long (seconds). url: a PostgreSQL server, "" for an embedded one."""

    seconds: float = 8.0
    warm_up: float = 3.0
    peers: bool = True
    url: str = ""
    out: Path = ROOT / "bench" / "out" / "latest.json"

    @classmethod
    def quick(cls) -> Plan:
        """Rough figures within a minute."""
        return cls(seconds=3.0, warm_up=1.0, peers=False)


def measure(plan: Plan, console: Console) -> Json:
    """Measure everything in the plan, print it, and write `plan.out`. Raises BenchError when a part cannot run."""
    figures: Json = {"machine": machine(), "version": installed_version(), "plan": {"seconds": plan.seconds}}
    with postgres(plan.url) as url:
        _own(plan, url, figures, console)
        _others(plan, url, figures, console)
    with console.status("a condition and a decision table"):
        figures["decisions"] = decisions.measure(plan.peers)
    figures |= summary(figures)
    plan.out.parent.mkdir(parents=True, exist_ok=True)
    plan.out.write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    report.show(console, figures, plan.out)
    return figures


def _own(plan: Plan, url: str, figures: Json, console: Console) -> None:
    for process in PROCESSES:
        with console.status(f"{process}: command bus alone"), ledger_database(url) as database:
            figures[f"{process}_bus"] = _bus(plan, database, process, figures)
        with console.status(f"{process}: command bus with the projector"), ledger_database(url) as database:
            figures[f"{process}_bus_projected"] = _bus_projected(plan, database, process)
            if process == "one_task":
                figures["bytes"] = _bytes(database)
    for load in ("one_task", "approval", "completions"):
        with console.status(f"{load}: over HTTP"), ledger_database(url) as database:
            figures[f"{load}_http"] = _http(plan, database, load)
    with console.status("visibility in the inbox"), ledger_database(url) as database:
        figures["inbox_visibility"] = _visibility(plan, database, HALF_LOAD)


def _others(plan: Plan, url: str, figures: Json, console: Console) -> None:
    from bench.peers import ceiling, flowable_engine, spiffworkflow

    with console.status("the ceiling: bare inserts of the same bytes"):
        figures["ceiling"] = ceiling.run(url, plan.seconds / 2, figures.pop("sample"))
    if not plan.peers:
        return
    for name, peer in (("spiffworkflow", spiffworkflow), ("flowable", flowable_engine)):
        with console.status(name):
            try:
                figures[name] = peer.run(url, plan.seconds)
            except BenchError as error:
                console.print(f"{name} is left out: {error}", style="yellow", markup=False)


def _core(database: str, process: str) -> tuple[Core, Driver]:
    core = Core(Settings(database_url=database))
    core.start()
    driver = Driver(core, process)
    driver.deploy()
    return core, driver


def _bus(plan: Plan, database: str, process: str, figures: Json) -> Json:
    core, driver = _core(database, process)
    try:
        result = driver.run(plan.seconds, plan.warm_up).figures()
    finally:
        core.stop()
    if process == "one_task":
        figures["sample"] = event_sample(database)
    return result


def _bus_projected(plan: Plan, database: str, process: str) -> Json:
    with Processes(database, server=False).running():
        core, driver = _core(database, process)
        try:
            result = driver.run(plan.seconds, plan.warm_up).figures()
            began, head = time.perf_counter(), core.bus.status.position
        finally:
            core.stop()
        with ReadPosition(database) as reader:
            lag = max(head - reader.position(), 0)
            if not reader.wait_for(head, CATCH_UP_SECONDS):
                raise BenchError(f"the projector did not catch up within {CATCH_UP_SECONDS:.0f} s")
    caught_up = time.perf_counter() - began
    return {**result, "events_behind_at_end": lag, "caught_up_after_seconds": round(caught_up, 2)}


def _bytes(database: str) -> Json:
    """What is on disk per instance, all instances ended and projected; no vacuum but what ran by itself."""
    import psycopg

    with psycopg.connect(database, autocommit=True) as connection:
        row = connection.execute("SELECT count(*) FROM stored_events WHERE topic LIKE 'pi.created.%'").fetchone()
        assert row is not None
        instances = max(int(row[0]), 1)
    tables = table_sizes(database)
    per_table = {table["table"]: round(table["total_bytes"] / instances) for table in tables}
    return {"instances": instances, "per_instance": sum(per_table.values()), "by_table": per_table, "tables": tables}


def _http(plan: Plan, database: str, load: str) -> Json:
    process = "approval" if load == "completions" else load
    core, _ = _core(database, process)
    core.stop()
    with Processes(database).running() as address:
        command = [sys.executable, "-m", "bench.http_load", address, load]
        command += ["--seconds", str(plan.seconds), "--warm-up", str(plan.warm_up)]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=300)
        if done.returncode != 0:
            raise BenchError(f"the load '{load}' failed: {done.stderr[-2000:]}")
        figures: Json = json.loads(done.stdout)
    return figures


def _visibility(plan: Plan, database: str, rate: float) -> Json:
    with Processes(database, server=False).running():
        core, driver = _core(database, "approval")
        try:
            driver.run(1.0, plan.warm_up)
            with ReadPosition(database) as reader:  # what the warm-up left behind is not to be measured
                if not reader.wait_for(core.bus.status.position, CATCH_UP_SECONDS):
                    raise BenchError(f"the projector did not catch up within {CATCH_UP_SECONDS:.0f} s")
            return measure_visibility(driver, database, rate, plan.seconds)
        finally:
            core.stop()


def summary(figures: Json) -> Json:
    """The figures that are compared from run to run; ratios of rates of this run."""
    one_task, approval = (figures[f"{process}_bus"]["instances_per_second"] for process in PROCESSES)
    result: Json = {
        "one_task_bus_per_s": one_task,
        "approval_bus_per_s": approval,
        "one_task_bus_projected_per_s": figures["one_task_bus_projected"]["instances_per_second"],
        "approval_bus_projected_per_s": figures["approval_bus_projected"]["instances_per_second"],
        "one_task_http_per_s": figures["one_task_http"]["instances_per_second"],
        "approval_http_per_s": figures["approval_http"]["instances_per_second"],
        "task_completion_p99_ms": figures["completions_http"]["complete task"]["p99_ms"],
        "inbox_visible_p99_ms": figures["inbox_visibility"]["p99_ms"],
        "bytes_per_instance": figures["bytes"]["per_instance"],
        "condition_us": figures["decisions"]["condition"]["flowledger"],
        "decision_table_us": figures["decisions"]["table"]["flowledger"],
        "share_of_ceiling": round(
            figures["one_task_bus"]["events_per_second"] / figures["ceiling"]["batch_500"]["events_per_second"], 3
        ),
    }
    for peer in ("spiffworkflow", "flowable"):
        if peer in figures:
            rates = {process: figures[peer][process]["instances_per_second"] for process in PROCESSES}
            result[f"times_{peer}"] = round(approval / rates["approval"], 1)
            result[f"times_{peer}_one_task"] = round(one_task / rates["one_task"], 1)
    return result


def machine() -> Json:
    """Where it was measured, and how busy the machine was before."""
    return {
        "cores": os.cpu_count(),
        "load_before": round(os.getloadavg()[0], 2),
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.machine()}",
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


if __name__ == "__main__":
    measure(Plan.quick() if "--quick" in sys.argv else Plan(), Console())
