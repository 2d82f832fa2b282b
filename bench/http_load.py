"""Load over HTTP from a process of its own: closed-loop instances through workers and task completions, and completions
on a fixed schedule (open loop), whose latency counts from when they were due.

    python -m bench.http_load ADDRESS one_task|approval|completions --seconds 6      prints JSON
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import TypeVar

import uvloop

from bench.http_client import Connection
from bench.peers.workload import Json, completion_variables, latency, start_variables

STARTERS = 64
COMPLETERS = 64
PEOPLE = 200
WORKERS = 6
JOBS_AT_ONCE = 100
MAX_OPEN = 2_000
"""Instances started and not ended: starters pause beyond it, so that work and not a backlog is measured."""
JOB_TIMEOUT_MS = 60_000
COMPLETIONS_PER_SECOND = 300
PREPARED_PAGE = 1_000

T = TypeVar("T")


@dataclass
class Run:
    """One load against one server."""

    address: str
    process: str
    seconds: float
    warm_up: float
    number: int = 0
    started: int = 0
    ended: int = 0
    measured: int = 0
    measuring: bool = False
    stopping: bool = False
    durations: dict[str, list[float]] = field(default_factory=dict)
    jobs: asyncio.Queue[str] = field(default_factory=lambda: asyncio.Queue(MAX_OPEN))

    async def timed(self, name: str, answer: Awaitable[T]) -> T:
        """Await an answer, noting how long it took."""
        began = time.perf_counter()
        result = await answer
        if self.measuring:
            self.durations.setdefault(name, []).append(time.perf_counter() - began)
        return result

    async def start(self, connection: Connection) -> str:
        """Start an instance; its key."""
        body = {"processDefinitionId": self.process, "variables": start_variables(self.process, self.number)}
        self.number += 1
        answer = await self.timed("start", connection.must("/v2/process-instances", body))
        self.started += 1
        return str(answer["processInstanceKey"])

    def count_end(self) -> None:
        """An instance ended."""
        self.ended += 1
        self.measured += self.measuring

    async def measure(self, tasks: list[asyncio.Task[None]]) -> Json:
        """Let the tasks warm up, measure, stop them; the figures."""
        await asyncio.sleep(self.warm_up)
        self.measuring, began = True, time.perf_counter()
        await asyncio.sleep(self.seconds)
        self.measuring = False
        took = time.perf_counter() - began
        self.stopping = True
        for task in tasks:
            task.cancel()
        for outcome in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(outcome, Exception):
                raise outcome
        return {
            "instances_per_second": round(self.measured / took, 1),
            "requests_per_second": round(sum(map(len, self.durations.values())) / took),
            "commands": {name: latency(times) for name, times in sorted(self.durations.items())},
        }


async def one_task(run: Run) -> Json:
    """Starters, workers that activate jobs by long polling, and completers."""

    async def starter() -> None:
        connection = await Connection.open(run.address)
        while not run.stopping:
            if run.started - run.ended < MAX_OPEN:
                await run.start(connection)
            else:
                await asyncio.sleep(0.005)

    async def worker(name: str) -> None:
        connection = await Connection.open(run.address)
        ask = {"type": "work", "worker": name, "timeout": JOB_TIMEOUT_MS, "maxJobsToActivate": JOBS_AT_ONCE}
        while not run.stopping:
            answer = await run.timed("activate jobs", connection.must("/v2/jobs/activation", ask))
            for job in answer["jobs"]:
                await run.jobs.put(job["jobKey"])

    async def completer() -> None:
        connection = await Connection.open(run.address)
        while not run.stopping:
            path = f"/v2/jobs/{await run.jobs.get()}/completion"
            await run.timed("complete job", connection.must(path, {}))
            run.count_end()

    tasks = [asyncio.create_task(starter()) for _ in range(STARTERS)]
    tasks += [asyncio.create_task(worker(f"bench-{number}")) for number in range(WORKERS)]
    tasks += [asyncio.create_task(completer()) for _ in range(COMPLETERS)]
    return await run.measure(tasks)


async def approval(run: Run) -> Json:
    """People who start an instance, find its tasks in the inbox as soon as it shows their last write, complete them."""

    async def person() -> None:
        connection = await Connection.open(run.address)
        while not run.stopping:
            key = await run.start(connection)
            open_tasks = {"filter": {"processInstanceKey": key, "state": "CREATED"}}
            while True:
                found = await run.timed("inbox", connection.must("/v2/user-tasks/search", open_tasks, own_writes=True))
                if not found["items"]:
                    break
                for task in found["items"]:
                    body = {"variables": completion_variables("approval", task["elementId"])}
                    path = f"/v2/user-tasks/{task['userTaskKey']}/completion"
                    await run.timed("complete task", connection.must(path, body))
            run.count_end()

    return await run.measure([asyncio.create_task(person()) for _ in range(PEOPLE)])


async def completions(run: Run) -> Json:
    """User tasks completed at COMPLETIONS_PER_SECOND, come what may; latency counts from when each was due."""
    wanted = int(run.seconds * COMPLETIONS_PER_SECOND)
    keys = await _prepare_tasks(run, wanted)
    idle = [await Connection.open(run.address) for _ in range(COMPLETERS)]
    variables = completion_variables("approval", "review")
    took: list[float] = []

    async def complete(key: str, due: float) -> None:
        connection = idle.pop() if idle else await Connection.open(run.address)
        await connection.must(f"/v2/user-tasks/{key}/completion", {"variables": variables})
        took.append(time.perf_counter() - due)
        idle.append(connection)

    began = time.perf_counter() + 0.1
    tasks = []
    for index, key in enumerate(keys):
        due = began + index / COMPLETIONS_PER_SECOND
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        tasks.append(asyncio.create_task(complete(key, due)))
    await asyncio.gather(*tasks)
    rate = len(took) / (time.perf_counter() - began)
    return {"wanted_per_second": COMPLETIONS_PER_SECOND, "per_second": round(rate, 1), "complete task": latency(took)}


async def _prepare_tasks(run: Run, count: int) -> list[str]:
    connections = [await Connection.open(run.address) for _ in range(STARTERS)]

    async def start_some(connection: Connection, number: int) -> None:
        for _ in range(number):
            await run.start(connection)

    await asyncio.gather(*(start_some(each, count // STARTERS + 1) for each in connections))
    keys: list[str] = []
    after: str | None = None
    wanted = {"state": "CREATED", "elementId": "review"}
    while len(keys) < count:
        page: Json = {"limit": PREPARED_PAGE, **({"after": after} if after else {})}
        answer = await connections[0].must("/v2/user-tasks/search", {"filter": wanted, "page": page})
        keys += [item["userTaskKey"] for item in answer["items"]]
        if answer["items"]:
            after = answer["page"]["endCursor"]
        else:
            await asyncio.sleep(0.05)
    return keys[:count]


LOADS = {"one_task": one_task, "approval": approval, "completions": completions}


def main() -> None:
    """Command line: print the figures as JSON."""
    parser = argparse.ArgumentParser(description="load over HTTP")
    parser.add_argument("address", help="the server's URL")
    parser.add_argument("load", choices=sorted(LOADS))
    parser.add_argument("--seconds", type=float, default=6.0, help="measured time (default 6)")
    parser.add_argument("--warm-up", type=float, default=2.0, help="time before (default 2)")
    arguments = parser.parse_args()
    process = "approval" if arguments.load == "completions" else arguments.load
    run = Run(arguments.address, process, arguments.seconds, arguments.warm_up)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(LOADS[arguments.load](run))))


if __name__ == "__main__":
    main()
