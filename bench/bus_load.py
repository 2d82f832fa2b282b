"""Load on the command bus in this process: instances run from start to end by as many callers as are given.

A caller is an asyncio task that starts an instance and does its work as soon as it is committed; keys of jobs and tasks
come from the bus's commit listener, so that no query is in the figure.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import uvloop

from bench.peers.workload import MODELS, Json, completion_variables, latency, start_variables
from commands.activate_job import ActivateJob
from commands.bus import Emission
from commands.complete_job import CompleteJob
from commands.complete_user_task import CompleteUserTask
from commands.create_instance import CreateInstance
from commands.deployment_files import File, prepare
from commands.handling import Command, Meta
from domain.process_instance import events as e
from infra.bootstrap import Core

CALLERS = 256
JOB_TIMEOUT = 60_000_000
META = Meta("bench")


@dataclass
class Load:
    """What was measured: commands' durations in seconds by kind, instances completed, within the measured time."""

    instances: int = 0
    seconds: float = 0.0
    events: int = 0
    durations: dict[str, list[float]] = field(default_factory=dict)

    def figures(self) -> Json:
        """Rates per second and latencies in ms."""
        seconds = max(self.seconds, 1e-9)
        return {
            "instances_per_second": round(self.instances / seconds, 1),
            "commands_per_second": round(sum(map(len, self.durations.values())) / seconds),
            "events_per_second": round(self.events / seconds),
            "commands": {name: latency(took) for name, took in sorted(self.durations.items())},
        }


class Opened:
    """Commit listener: which jobs and tasks instances have opened, until somebody asks."""

    def __init__(self) -> None:
        self._open: dict[int, list[tuple[str, int]]] = {}

    def on_commit(self, emissions: Sequence[Emission]) -> None:
        """In the committing thread, before callers are answered."""
        for emission in emissions:
            key = emission.ref.key
            for event in emission.events:
                if isinstance(event, e.UserTaskCreated | e.JobCreated):
                    self._open.setdefault(key, []).append((event.element_id, key + event.local))

    def take(self, instance_key: int) -> list[tuple[str, int]]:
        """(element id, key) of what the instance opened since the last call."""
        return self._open.pop(instance_key, [])


class Driver:
    """Runs instances of one process ("one_task" or "approval") on a started core."""

    def __init__(self, core: Core, process: str) -> None:
        self.core = core
        self.process = process
        self.opened = Opened()
        self.load = Load()
        self._number = 0
        self._measuring = False
        self._until = 0.0
        core.bus.add_listener(self.opened.on_commit)

    def deploy(self) -> None:
        """Deploy the process's model."""
        name = f"{self.process}.bpmn"
        command, _ = prepare([File(name, (MODELS / name).read_bytes())])
        self.core.bus.submit(command, META).result()

    def run(self, seconds: float, warm_up: float, callers: int = CALLERS) -> Load:
        """Keep `callers` instances going for warm_up + seconds; what was measured in the latter part."""
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(self._run(seconds, warm_up, callers))
        return self.load

    async def _run(self, seconds: float, warm_up: float, callers: int) -> None:
        self._until = time.perf_counter() + warm_up + seconds
        tasks = [asyncio.create_task(self._caller()) for _ in range(callers)]
        await asyncio.sleep(warm_up)
        self.load.durations.clear()
        self._measuring, began, before = True, time.perf_counter(), self.core.bus.status.events
        await asyncio.sleep(max(self._until - began, 0))
        self._measuring = False
        self.load.seconds = time.perf_counter() - began
        self.load.events = self.core.bus.status.events - before
        await asyncio.gather(*tasks)

    async def _caller(self) -> None:
        while time.perf_counter() < self._until:
            await self.instance()
            self.load.instances += self._measuring

    async def instance(self) -> int:
        """One instance from start to end; its key."""
        number = self._number
        self._number += 1
        start = CreateInstance(bpmn_process_id=self.process, variables=start_variables(self.process, number))
        key: int = (await self._timed("start", start)).instance_key
        await self.finish(key)
        return key

    async def finish(self, key: int) -> None:
        """Do the work of a started instance until it ends."""
        while work := self.opened.take(key):
            await asyncio.gather(*(self._do(element_id, item) for element_id, item in work))

    async def _do(self, element_id: str, key: int) -> None:
        variables = completion_variables(self.process, element_id)
        if self.process == "one_task":
            await self._timed("activate job", ActivateJob(job_key=key, worker="bench", timeout=JOB_TIMEOUT))
            await self._timed("complete job", CompleteJob(job_key=key, variables=variables))
        else:
            await self._timed("complete task", CompleteUserTask(task_key=key, variables=variables))

    async def _timed(self, name: str, command: Command) -> Any:
        began = time.perf_counter()
        outcome = await self.core.bus.execute(command, META)
        if self._measuring:
            self.load.durations.setdefault(name, []).append(time.perf_counter() - began)
        return outcome.result
