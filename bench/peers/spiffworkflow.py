"""The peer in our own language: SpiffWorkflow, its JSON state saved durably at start and after every completed task.

    python -m bench.peers.spiffworkflow postgresql://…

SpiffWorkflow is a library: it runs the model and leaves saving to its user. Saved is what its own serializer gives, one
row an instance, one transaction a save, as its documentation shows. Reading the state back, which a server would have
to do before each task, is left out: that is in the peer's favour. One client process per core, since Python threads
would share one.
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from importlib.metadata import version
from io import BytesIO
from multiprocessing import get_context
from typing import Any

import psycopg
from lxml import etree

from bench.peers.workload import (
    PROCESSES,
    BenchError,
    Json,
    bytes_per_instance,
    completion_variables,
    latency,
    start_variables,
    tables_bytes,
    tell,
    temporary_database,
    translated,
)

SCHEMA = "CREATE TABLE workflow (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, state text NOT NULL)"


@dataclass
class Measured:
    """What one client process did: instances in all and within the measured time, and each command's duration."""

    instances: int = 0
    measured_instances: int = 0
    measured_seconds: float = 0.0
    durations: dict[str, list[float]] = field(default_factory=lambda: {"start": [], "complete": []})


class Client:
    """Runs instances one after the other over one connection."""

    def __init__(self, connection: psycopg.Connection[Any], process: str) -> None:
        from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser
        from SpiffWorkflow.bpmn.serializer import BpmnWorkflowSerializer

        parser = BpmnParser()
        parser.add_bpmn_xml(etree.parse(BytesIO(translated(process, "spiffworkflow"))))
        self.spec = parser.get_spec(process)
        self.serializer = BpmnWorkflowSerializer()
        self.connection = connection
        self.process = process
        self.durations: dict[str, list[float]] = {"start": [], "complete": []}

    def run_instance(self, number: int) -> None:
        """Start one instance and complete its tasks until it ends; each command ends with a committed save."""
        from SpiffWorkflow.bpmn.workflow import BpmnWorkflow
        from SpiffWorkflow.util.task import TaskState

        began = time.perf_counter()
        workflow = BpmnWorkflow(self.spec)
        workflow.task_tree.set_data(**start_variables(self.process, number))
        workflow.do_engine_steps()
        row = self.connection.execute(
            "INSERT INTO workflow (state) VALUES (%s) RETURNING id", (self.serializer.serialize_json(workflow),)
        ).fetchone()
        assert row is not None
        self._took("start", began)
        while not workflow.is_completed():
            task = workflow.get_next_task(state=TaskState.READY, manual=True)
            began = time.perf_counter()
            task.set_data(**completion_variables(self.process, task.task_spec.bpmn_id))
            task.run()
            workflow.do_engine_steps()
            state = self.serializer.serialize_json(workflow)
            self.connection.execute("UPDATE workflow SET state = %s WHERE id = %s", (state, row[0]))
            self._took("complete", began)

    def _took(self, command: str, began: float) -> None:
        self.durations[command].append(time.perf_counter() - began)


def _client(url: str, process: str, warm_up: float, seconds: float) -> Measured:
    """Body of one client process: warm up, then run instances until the time is over."""
    result = Measured()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET synchronous_commit = on")
        client = Client(connection, process)
        for measured, span in ((False, warm_up), (True, seconds)):
            client.durations = result.durations if measured else {"start": [], "complete": []}
            began = time.perf_counter()
            while time.perf_counter() - began < span:
                client.run_instance(result.instances)
                result.instances += 1
                result.measured_instances += measured
            result.measured_seconds = time.perf_counter() - began
    return result


def run(url: str, seconds: float = 6.0, warm_up: float = 1.0, clients: int = 2) -> Json:
    """Measure both processes for `seconds` each in databases of their own on the server of `url`.

    Returns `{peer, clients, one_task: {instances_per_second, bytes_per_instance, commands: {…}}, approval: {…}}`.
    Raises `BenchError` where SpiffWorkflow is not installed.
    """
    try:
        installed = version("spiffworkflow")
    except ModuleNotFoundError as missing:
        raise BenchError("SpiffWorkflow is not installed: pip install 'flowledger[bench]'") from missing
    result: Json = {"peer": f"SpiffWorkflow {installed}", "clients": clients}
    for process in PROCESSES:
        with temporary_database(url) as database:
            result[process] = _measure(database, process, seconds, warm_up, clients)
    return result


def _measure(url: str, process: str, seconds: float, warm_up: float, clients: int) -> Json:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(SCHEMA)
    empty = tables_bytes(url)
    with ProcessPoolExecutor(clients, mp_context=get_context("spawn")) as pool:
        futures = [pool.submit(_client, url, process, warm_up, seconds) for _ in range(clients)]
        done = [future.result() for future in futures]
    commands = {name: latency([took for one in done for took in one.durations[name]]) for name in ("start", "complete")}
    return {
        "instances_per_second": round(sum(one.measured_instances / one.measured_seconds for one in done), 1),
        "instances": sum(one.instances for one in done),
        **bytes_per_instance(url, empty, sum(one.instances for one in done)),
        "commands": commands,
    }


def main() -> None:
    """Command line: print the result as JSON."""
    parser = argparse.ArgumentParser(description="SpiffWorkflow on the same PostgreSQL, durable")
    parser.add_argument("url", help="a PostgreSQL URL whose user may create databases")
    parser.add_argument("--seconds", type=float, default=6.0, help="measured time per process (default 6)")
    parser.add_argument("--clients", type=int, default=2, help="client processes (default 2)")
    arguments = parser.parse_args()
    tell(lambda: run(arguments.url, arguments.seconds, clients=arguments.clients))


if __name__ == "__main__":
    main()
