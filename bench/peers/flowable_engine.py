"""The peer from the JVM: Flowable, embedded, with its audit history, on the same PostgreSQL.

    python -m bench.peers.flowable_engine postgresql://…

Needs a JDK (17 or later) and Maven; the first build fetches the engine (Apache-2.0) from Maven Central. The program is
in bench/peers/flowable. One-task instances wait in Flowable's external worker job (acquired in batches, completed one
by one, ended by the async executor); they count when they have ended.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from psycopg.conninfo import conninfo_to_dict

from bench.peers.workload import (
    PROCESSES,
    TABLES_BYTES,
    BenchError,
    Json,
    bytes_per_instance,
    latency,
    start_variables,
    tell,
    temporary_database,
    translated,
    workload,
)

PROJECT = Path(__file__).resolve().parent / "flowable"
BUILD_TIMEOUT = 600.0
"""Seconds; the first build downloads about 40 MB."""
HEAP = "-Xmx1g"


def run(url: str, seconds: float = 6.0, warm_up: float = 30.0, threads: int = 2) -> Json:
    """Measure both processes for `seconds` each in databases of their own on the server of `url`.

    Returns `{peer, threads, one_task: {instances_per_second, bytes_per_instance, commands: {…}}, approval: {…}}`.
    Raises `BenchError` without Java or Maven, or when the build or the program fails (its last lines are told).
    """
    build()
    result: Json = {"peer": f"Flowable {engine_version()}", "threads": threads}
    for process in PROCESSES:
        with temporary_database(url) as database, tempfile.TemporaryDirectory() as folder:
            result[process] = _measure(database, process, Path(folder), seconds, warm_up, threads)
    return result


def build() -> None:
    """Compile the program and gather its libraries, offline where everything is there; nothing to do if it is built."""
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            raise BenchError(f"'{program}' is not on the PATH; the Flowable peer needs a JDK (17 or later) and Maven")
    newest_source = max(path.stat().st_mtime for path in (PROJECT / "pom.xml", *PROJECT.rglob("*.java")))
    jar = PROJECT / "target" / "bench-flowable-1.jar"
    if jar.exists() and jar.stat().st_mtime > newest_source:
        return
    try:
        _call(["mvn", "-q", "-B", "-o", "package"], timeout=BUILD_TIMEOUT)
    except BenchError:  # something is not in Maven's local folder yet
        _call(["mvn", "-q", "-B", "package"], timeout=BUILD_TIMEOUT)


def engine_version() -> str:
    """Return the version of the engine among the gathered libraries, e.g. "7.2.0"."""
    found = sorted((PROJECT / "target" / "lib").glob("flowable-engine-[0-9]*.jar"))
    return found[0].stem.removeprefix("flowable-engine-") if found else "unknown"


def _measure(url: str, process: str, folder: Path, seconds: float, warm_up: float, threads: int) -> Json:
    model = folder / f"{process}.bpmn20.xml"
    model.write_bytes(translated(process, "flowable"))
    job = folder / "job.json"
    job.write_text(
        json.dumps(
            {
                **_jdbc(url),
                "process": process,
                "model": str(model),
                "start": [start_variables(process, number) for number in range(2)],
                "complete": workload()[process]["complete"],
                "threads": threads,
                "warmUpSeconds": warm_up,
                "seconds": seconds,
                "tablesBytes": TABLES_BYTES,
            }
        ),
        "utf-8",
    )
    target = PROJECT / "target"
    classpath = os.pathsep.join((str(target / "classes"), str(target / "lib" / "*")))
    command = ["java", HEAP, "-cp", classpath, "org.flowledger.bench.FlowableBench", str(job)]
    told = json.loads(_call(command, timeout=60 + warm_up + seconds).strip().splitlines()[-1])
    return {
        "instances_per_second": round(told["instancesPerSecond"], 1),
        "instances": told["instances"],
        "unfinished": told["unfinished"],
        **bytes_per_instance(url, told["emptyBytes"], told["instances"]),
        "commands": {name: latency(durations) for name, durations in sorted(told["durations"].items())},
    }


def _jdbc(url: str) -> dict[str, Any]:
    parts = conninfo_to_dict(url)
    host = str(parts.get("host") or "127.0.0.1")
    if host.startswith("/"):
        raise BenchError(f"Flowable's driver speaks TCP only, but the URL names the socket folder '{host}'")
    where = f"jdbc:postgresql://{host}:{parts.get('port') or 5432}/{parts['dbname']}"
    return {"url": where, "user": parts.get("user"), "password": parts.get("password")}


def _call(command: list[str], timeout: float) -> str:
    try:
        done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, check=False, timeout=timeout)
    except subprocess.TimeoutExpired as late:
        raise BenchError(f"{command[0]} did not end within {timeout:.0f} seconds") from late
    if done.returncode != 0:
        last = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise BenchError(f"{command[0]} ended with exit code {done.returncode}:\n{last}")
    return done.stdout


def main() -> None:
    """Command line: print the result as JSON."""
    parser = argparse.ArgumentParser(description="Flowable, embedded, on the same PostgreSQL")
    parser.add_argument("url", help="a PostgreSQL URL whose user may create databases")
    parser.add_argument("--seconds", type=float, default=6.0, help="measured time per process (default 6)")
    parser.add_argument("--warm-up", type=float, default=30.0, help="time before that, for the JIT (default 30)")
    parser.add_argument("--threads", type=int, default=2, help="client threads (default 2: the best on two cores)")
    arguments = parser.parse_args()
    tell(lambda: run(arguments.url, arguments.seconds, arguments.warm_up, arguments.threads))


if __name__ == "__main__":
    main()
