"""The real engine's events, projected and verified: what commands leave in the log is what the read models show."""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from commands.activate_job import ActivateJob
from commands.cancel_instance import CancelInstance
from commands.complete_job import CompleteJob
from commands.complete_user_task import CompleteUserTask
from commands.create_instance import CreateInstance
from commands.deployment_files import File, prepare
from commands.fail_job import FailJob
from commands.handling import Command, Meta
from commands.resolve_incident import ResolveIncident
from commands.set_variables import SetVariables
from domain.errors import Rejection
from domain.keys import instance_key_of
from infra.bootstrap import Core
from infra.postgres.read_models_verify import verify_all
from infra.settings import Settings
from projections.queries import Entity
from tests.read_side.conftest import Ask
from tests.read_side.streams import MODELS

SOMEBODY = Meta("demo")


@pytest.fixture
def core(database: str) -> Iterator[Core]:
    """The write side, running."""
    running = Core(Settings(database_url=database))
    running.start()
    yield running
    running.stop()


def run(core: Core, command: Command) -> Any:
    return core.bus.submit(command, SOMEBODY).result(30).result


def deploy(core: Core) -> None:
    model = File("review.bpmn", (MODELS / "review.bpmn").read_bytes())
    decisions = File("level.dmn", (MODELS / "level.dmn").read_bytes())
    run(core, prepare([model, decisions])[0])


def start(core: Core, **variables: Any) -> int:
    key: int = run(core, CreateInstance(bpmn_process_id="review-process", variables=variables)).instance_key
    return key


def one_step(core: Core, ask: Ask, chance: random.Random) -> None:
    """One command that fits what the read models show."""
    kind = chance.choice(["task", "job", "fail", "incident", "variables", "start", "cancel"])
    open_instances = ask.items(Entity.PROCESS_INSTANCES, filter={"state": "ACTIVE"})
    tasks = ask.items(Entity.USER_TASKS, filter={"state": "CREATED"})
    jobs = ask.items(Entity.JOBS, filter={"endTime": {"$exists": False}})
    incidents = ask.items(Entity.INCIDENTS, filter={"state": "ACTIVE"})
    with contextlib.suppress(Rejection):
        if kind == "task" and tasks:
            run(core, CompleteUserTask(task_key=int(chance.choice(tasks)["userTaskKey"]), variables={"ok": True}))
        elif kind in ("job", "fail") and jobs:
            key = int(chance.choice(jobs)["jobKey"])
            run(core, ActivateJob(job_key=key, worker="w", timeout=60_000_000))
            failing = FailJob(job_key=key, retries=chance.choice([0, 1]), message="no")
            run(core, CompleteJob(job_key=key, variables={"paid": 1}) if kind == "job" else failing)
        elif kind == "incident" and incidents:
            run(core, ResolveIncident(incident_key=int(chance.choice(incidents)["incidentKey"])))
        elif kind == "variables" and open_instances:
            key = int(chance.choice(open_instances)["processInstanceKey"])
            run(core, SetVariables(element_instance_key=key, variables={chance.choice("abc"): chance.random()}))
        elif kind == "cancel" and len(open_instances) > 3:
            run(core, CancelInstance(instance_key=int(open_instances[0]["processInstanceKey"]), reason="test"))
        else:
            start(core, a=1)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_whatever_the_engine_does_is_shown_and_verifies(
    core: Core, ask: Ask, caught_up: Callable[..., int], seed: int
) -> None:
    chance = random.Random(seed)
    deploy(core)
    for _ in range(60):
        one_step(core, ask, chance)
        caught_up(chance.choice([1, 3, 1000]))
    report = verify_all(ask.url)
    assert report.problems == []
    assert report.events > 100
    for item in ask.items(Entity.PROCESS_INSTANCES):
        state = ask.run(ask.queries.state_at(int(item["processInstanceKey"])))
        assert state["state"] == item["state"]
        active = ask.items(
            Entity.ELEMENT_INSTANCES, filter={"processInstanceKey": item["processInstanceKey"], "state": "ACTIVE"}
        )
        inside = {element["elementInstanceKey"] for element in state["elements"]} - {item["processInstanceKey"]}
        assert {element["elementInstanceKey"] for element in active} == inside


def test_snapshots_of_long_streams_equal_their_replay(core: Core, ask: Ask, caught_up: Callable[..., int]) -> None:
    deploy(core)
    key = start(core)
    for number in range(230):
        run(core, SetVariables(element_instance_key=key, variables={"n": number, "x": 1.25}))
    caught_up()
    report = verify_all(ask.url)
    assert report.problems == []
    assert report.snapshots == 1


def test_parts_beyond_the_first_4096_keys_are_found(core: Core, ask: Ask, caught_up: Callable[..., int]) -> None:
    deploy(core)
    key = start(core)
    for batch in range(3):
        run(core, SetVariables(element_instance_key=key, variables={f"v{batch}-{n}": n for n in range(2000)}))
    caught_up()
    last = ask.items(Entity.VARIABLES, filter={"name": "v2-1999"})[0]
    assert instance_key_of(int(last["variableKey"])) != key
    assert last["processInstanceKey"] == str(key)
    assert ask.get(Entity.VARIABLES, int(last["variableKey"]))["name"] == "v2-1999"
    assert verify_all(ask.url).problems == []
