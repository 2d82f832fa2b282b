"""Synthetic events for the monitoring store: approval instances over some months, as the engine would have recorded
them (one review by a group, an amount split, two parallel reviews, rejections that lead to another round, due dates,
now and then an incident, some that still run). The same number gives the same events.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from uuid import UUID

from domain.events import Envelope, Event, Recorded
from domain.keys import EPOCH_SECONDS, TIME_SHIFT, stream_id
from domain.process_instance import events as e

HOUR = 3_600_000_000
DEPARTMENTS = ("sales", "finance", "production", "service", "research")
REASONS = ("receipt missing", "amount too high", "wrong supplier", "budget used up")
PROCESSES = ("expense", "purchase", "complaint", "admission")


class Approval:
    """Draws the events of one instance."""

    def __init__(self, draw: random.Random, key: int, start: int) -> None:
        self._draw = draw
        self.key = key
        self.now = start
        self.local = 0
        self.events: list[tuple[int, str, Event]] = []

    def add(self, event: Event, actor: str = "") -> None:
        """An event now."""
        self.events.append((self.now, actor, event))

    def next(self) -> int:
        """The next local."""
        self.local += 1
        return self.local

    def passed(self, element: str, source: int, flow: str) -> int:
        """An element that is left at once."""
        local = self.next()
        self.add(e.ElementPassed(local, element, 0, flow, source))
        return local

    def task(self, element: str, source: int, flow: str, rejects: float) -> tuple[int, bool]:
        """A user task from start to end; its local and whether it was approved."""
        draw = self._draw
        local, task = self.next(), self.next()
        self.add(e.ElementActivated(local, element, 0, flow, source))
        self.add(e.UserTaskCreated(task, local, element, candidate_groups=["reviewers"], due=self.now + 24 * HOUR))
        self.now += int(draw.expovariate(1 / 6) * HOUR)
        person = f"{element}-{draw.randrange(40)}"
        self.add(e.UserTaskAssigned(task, person, "claim"), person)
        self.now += int(draw.expovariate(1 / 2) * HOUR)
        approved = draw.random() >= rejects
        self.add(e.UserTaskCompleted(task, "complete"), person)
        said = {"decision": "approve"} if approved else {"decision": "reject", "reason": draw.choice(REASONS)}
        self.add(e.VariablesSet(0, said, [self.next() for _ in said], local), person)
        self.add(e.ElementCompleted(local, 1), person)
        return local, approved

    def job(self, element: str, source: int, flow: str) -> int:
        """A service task, seldom with an incident."""
        local, job = self.next(), self.next()
        self.add(e.ElementActivated(local, element, 0, flow, source))
        self.add(e.JobCreated(job, local, element, "pay", 3))
        self.now += 800_000
        self.add(e.JobActivated(job, "worker", self.now + HOUR), "worker")
        self.now += 300_000
        if self._draw.random() < 0.02:
            incident = self.next()
            self.add(e.JobFailed(job, 0, message="the bank does not answer"), "worker")
            self.add(e.IncidentRaised(incident, local, element, "JOB_NO_RETRIES", "the bank does not answer", job))
            self.now += HOUR
            self.add(e.IncidentResolved(incident), "operator")
        self.add(e.JobCompleted(job), "worker")
        self.add(e.ElementCompleted(local, 1), "worker")
        return local

    def run(self, process: str, version: int) -> list[tuple[int, str, Event]]:
        """The whole instance."""
        draw = self._draw
        start = {"amount": draw.randrange(10_000), "department": draw.choice(DEPARTMENTS)}
        self.add(
            e.InstanceCreated(version, process, version, start, [self.next(), self.next()]),
            f"user-{draw.randrange(500)}",
        )
        source = self.passed("start", 0, "")
        for _ in range(3):
            source, approved = self.task("review", source, "to_review", 0.15)
            source = self.passed("decide", source, "to_decide")
            if approved:
                break
        fork = self.passed("fork", source, "to_fork")
        began, ends = self.now, []
        for element in ("finance", "legal"):
            self.now = began
            self.task(element, fork, f"to_{element}", 0.05)
            ends.append(self.now)
        self.now = max(ends)
        source = self.job("pay", self.passed("join", fork, "to_join"), "to_pay")
        self.passed("end", source, "to_end")
        self.add(e.InstanceCompleted())
        self.events.sort(key=lambda item: item[0])
        return self.events


def instances(count: int, days: int = 120, seed: int = 7) -> Iterator[list[Recorded]]:
    """The events of `count` instances that began evenly over `days` days from 2026-06-01 on; some of them still run."""
    draw = random.Random(seed)
    begin = 1_780_272_000
    horizon = (begin + days * 86_400) * 1_000_000
    position = 0
    for number in range(count):
        seconds = begin + days * 86_400 * number / count
        key = int((seconds - EPOCH_SECONDS) * 100) << TIME_SHIFT | (number % 128) << 12
        own = Approval(draw, key, int(seconds * 1_000_000)).run(draw.choice(PROCESSES), 1 + (number * 2 // count))
        stream: UUID = stream_id(key)
        found: list[Recorded] = []
        for version, (at, actor, event) in enumerate(own, 1):
            if at > horizon:
                break
            position += 1
            found.append(Recorded(stream, version, position, Envelope(at, actor), event))
        yield found


def batches(count: int, size: int = 2_000) -> Iterator[list[Recorded]]:
    """The same, in batches of about `size` events."""
    batch: list[Recorded] = []
    for own in instances(count):
        batch += own
        if len(batch) >= size:
            yield batch
            batch = []
    if batch:
        yield batch
