"""How long after its commit an event is visible in the read models, at a given rate of instances (open loop)."""

from __future__ import annotations

import asyncio
import bisect
import threading
import time

import uvloop

from bench.bus_load import META, Driver
from bench.peers.workload import Json, latency, start_variables
from commands.create_instance import CreateInstance
from infra.postgres.read_models_position import ReadPosition

WATCH_SECONDS = 0.002


class _Watch:
    """Notes when the read models reached which position. Resolution: WATCH_SECONDS and a query."""

    def __init__(self, url: str) -> None:
        self._reader = ReadPosition(url)
        self._stop = threading.Event()
        self.positions: list[int] = []
        self.times: list[float] = []
        self._thread = threading.Thread(target=self._run, name="visibility", daemon=True)

    def __enter__(self) -> _Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._reader.close()

    def _run(self) -> None:
        while not self._stop.wait(WATCH_SECONDS):
            position = self._reader.position()
            if not self.positions or position > self.positions[-1]:
                self.positions.append(position)
                self.times.append(time.perf_counter())

    def reached(self, position: int) -> float | None:
        """When `position` was first seen."""
        at = bisect.bisect_left(self.positions, position)
        return self.times[at] if at < len(self.times) else None


def measure(driver: Driver, url: str, per_second: float, seconds: float) -> Json:
    """Start `per_second` instances a second for `seconds` and complete their tasks as they come; how long each start
    took to show, from its commit, in ms. A projector must run."""
    committed: list[tuple[int, float]] = []

    async def one(number: int) -> None:
        start = CreateInstance(bpmn_process_id=driver.process, variables=start_variables(driver.process, number))
        outcome = await driver.core.bus.execute(start, META)
        committed.append((outcome.position, time.perf_counter()))
        await driver.finish(outcome.result.instance_key)

    async def run() -> None:
        began = time.perf_counter()
        tasks = []
        for number in range(int(per_second * seconds)):
            await asyncio.sleep(max(0.0, began + number / per_second - time.perf_counter()))
            tasks.append(asyncio.create_task(one(number)))
        await asyncio.gather(*tasks)

    with _Watch(url) as watch:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(run())
        last = max(position for position, _ in committed)
        deadline = time.perf_counter() + 10
        while watch.reached(last) is None and time.perf_counter() < deadline:
            time.sleep(0.01)
        seen = [(watch.reached(position), at) for position, at in committed]
    return {"instances_per_second": round(per_second, 1), **latency([max(t - at, 0.0) for t, at in seen if t])}
