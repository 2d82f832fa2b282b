"""Random histories of the real engine, and the figures of reports counted from the log by other means than the rows."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from typing import Any

from commands.activate_job import ActivateJob
from commands.assign_user_task import AssignUserTask
from commands.cancel_instance import CancelInstance
from commands.complete_job import CompleteJob
from commands.complete_user_task import CompleteUserTask
from commands.create_instance import CreateInstance
from commands.fail_job import FailJob
from commands.resolve_incident import ResolveIncident
from commands.trigger_timer import TriggerTimer
from domain.errors import DomainError
from domain.events import Recorded
from domain.process_instance import events as e
from domain.process_instance.state import InstanceStatus
from tests.engine.harness import END_EVENT, START_EVENT, Engine, flow, process, service, timer, user
from tests.monitoring.histories import recorded

SECOND = 1_000_000
DUE = '<zeebe:taskSchedule dueDate="2027-01-15T12:00:00Z"/>'


def _models() -> list[str]:
    first = (
        START_EVENT + user("review", DUE) + service("pay", retries="1") + '<bpmn:exclusiveGateway id="split" default="no"/>'
        '<bpmn:parallelGateway id="fork"/><bpmn:parallelGateway id="join"/>' + user("legal") + user("finance") + END_EVENT
        + flow("start", "review") + flow("review", "split") + flow("split", "fork", '=decision = "approve"', "yes")
        + flow("split", "review", flow_id="no") + flow("fork", "legal") + flow("fork", "finance") + flow("legal", "join")
        + flow("finance", "join") + flow("join", "pay") + flow("pay", "end")
    )  # fmt: skip
    second = (
        START_EVENT + f'<bpmn:subProcess id="sub"><bpmn:startEvent id="s"/>{service("work")}{flow("s", "work")}</bpmn:subProcess>'
        + f'<bpmn:intermediateCatchEvent id="wait">{timer("timeDuration", "PT10S")}</bpmn:intermediateCatchEvent>' + END_EVENT
        + flow("start", "sub") + flow("sub", "wait") + flow("wait", "end")
    )  # fmt: skip
    return [process(first, "approval"), process(second, "order")]


class RandomFloor:
    """Some instances, moved on at random. `engine` has what happened."""

    def __init__(self, seed: int, instances: int) -> None:
        self.engine = Engine()
        self._draw = random.Random(seed)
        for xml in _models():
            self.engine.deploy(xml)
        self._keys = [self._start() for _ in range(instances)]

    def _start(self) -> int:
        variables = {"department": self._draw.choice(["sales", "it"]), "decision": None}
        name = self._draw.choice(["approval", "approval", "order"])
        tags = ["trial"] if self._draw.random() < 0.1 else []
        key: int = self.engine.do(CreateInstance(bpmn_process_id=name, variables=variables, tags=tags)).instance_key
        return key

    def move(self, steps: int) -> None:
        """So many random steps; those that are refused leave no trace."""
        for _ in range(steps):
            self.engine.now += self._draw.randrange(1, 90) * SECOND
            key = self._draw.choice(self._keys)
            if self.engine.state(key).status is InstanceStatus.ACTIVE:
                command, actor = self._command(key)
                try:
                    self.engine.do(command, actor)
                except DomainError:
                    continue

    def _command(self, key: int) -> tuple[Any, str]:
        draw, state = self._draw, self.engine.state(key)
        person = draw.choice(["ann", "bob"])
        options: list[tuple[Any, str]] = []
        for local in state.tasks:
            word = draw.choice(["approve", "approve", "reject"])
            said = {"decision": word, "reason": draw.choice(["late", "dear"])}
            options.append((CompleteUserTask(task_key=key + local, variables=said), person))
            options.append((AssignUserTask(task_key=key + local, assignee=person), person))
        for local in state.jobs:
            options.append((ActivateJob(job_key=key + local, worker="w", timeout=SECOND), "w"))
            options.append((CompleteJob(job_key=key + local), "w"))
            options.append((FailJob(job_key=key + local, retries=0, message="no"), "w"))
        options += [(TriggerTimer(instance_key=key, timer=local), "") for local in state.timers]
        options += [(ResolveIncident(incident_key=key + local), "root") for local in state.incidents]
        if draw.random() < 0.02 or not options:
            return CancelInstance(instance_key=key), "root"
        return draw.choice(options)


def random_history(seed: int, instances: int, steps: int = 150) -> list[Recorded]:
    """What happened to some instances, as recorded events in order."""
    floor = RandomFloor(seed, instances)
    floor.move(steps)
    return recorded(floor.engine)


def count_board(events: Sequence[Recorded], now_ms: int, since_ms: int) -> dict[str, Counter[str]]:
    """The board by process, counted from the events in the plainest way."""
    found: dict[str, Counter[str]] = {}
    for own in _by_stream(events).values():
        begin = own[0].event
        assert isinstance(begin, e.InstanceCreated)
        if begin.tags:
            continue
        count = found.setdefault(begin.bpmn_process_id, Counter())
        if not any(isinstance(item.event, e.InstanceCompleted | e.InstanceTerminated) for item in own):
            count["running"] += 1
        ended = {item.event.local for item in own if isinstance(item.event, e.ElementCompleted | e.ElementTerminated)}
        over = any(isinstance(item.event, e.InstanceCompleted | e.InstanceTerminated) for item in own)
        resolved = {item.event.incident for item in own if isinstance(item.event, e.IncidentResolved)}
        for item in own:
            event = item.event
            if isinstance(event, e.UserTaskCreated) and event.element not in ended and not over:
                count["waiting"] += 1
                count["overdue"] += bool(event.due and event.due < now_ms * 1000)
            elif isinstance(event, e.JobCreated) and event.element not in ended and not over:
                count["jobs"] += 1
            elif isinstance(event, e.IncidentRaised):
                count["incidents"] += event.local not in resolved and event.element not in ended and not over
        count["rejected"] += _rejections(own, since_ms)
    return found


def _rejections(own: Sequence[Recorded], since_ms: int) -> int:
    """A completion is a rejection if the first variables that it set say so."""
    found = 0
    tasks = {item.event.local: item.event.element for item in own if isinstance(item.event, e.UserTaskCreated)}
    for number, item in enumerate(own):
        if not isinstance(item.event, e.UserTaskCompleted) or item.envelope.at < since_ms * 1000:
            continue
        element = tasks[item.event.task]
        later = own[number + 1 :]
        said = next((i.event for i in later if isinstance(i.event, e.VariablesSet) and i.event.source == element), None)
        found += said is not None and said.variables.get("decision") == "reject"
    return found


def _by_stream(events: Sequence[Recorded]) -> dict[Any, list[Recorded]]:
    found: dict[Any, list[Recorded]] = {}
    for item in events:
        found.setdefault(item.stream, []).append(item)
    return found
