"""Random commands on random models: after every step replay equals live state, the wait-state index fits, and no
instance is stuck (the harness checks all that after each command)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commands.activate_job import ActivateJob
from commands.cancel_instance import CancelInstance
from commands.complete_job import CompleteJob
from commands.complete_user_task import CompleteUserTask
from commands.create_instance import CreateInstance
from commands.fail_job import FailJob
from commands.registry import delivery_command
from commands.resolve_incident import ResolveIncident
from commands.set_variables import SetVariables
from commands.suspend_instance import ResumeInstance, SuspendInstance
from commands.throw_job_error import ThrowJobError
from commands.trigger_timer import TriggerTimer
from domain.errors import InvalidState, NotFound
from domain.process_instance import events as e
from domain.process_instance import execution
from domain.process_instance.state import InstanceStatus, ProcessInstance
from tests.engine.harness import Engine
from tests.engine.random_models import hierarchies, models

SECOND = 1_000_000
VALUES: st.SearchStrategy[Any] = st.one_of(
    st.integers(0, 9), st.booleans(), st.sampled_from(["a", "b"]), st.none(), st.lists(st.integers(0, 3), max_size=2)
)
VARIABLES = st.dictionaries(st.sampled_from(["x", "y", "z", "d", "r"]), VALUES, max_size=4)


def _possible(state: ProcessInstance) -> list[str]:
    steps = ["set", "tick"]
    if state.jobs:
        steps += ["complete", "complete", "complete", "activate", "fail", "throw"]
    if state.tasks:
        steps += ["finish"] * 3
    if state.timers:
        steps += ["fire"] * 2
    if state.incidents:
        steps += ["resolve"] * 2
    return steps


def _step(data: st.DataObject, engine: Engine, key: int) -> None:
    state = engine.state(key)
    step = data.draw(st.sampled_from(_possible(state)), label="step")

    def one_of(locals_: dict[int, Any]) -> int:
        return key + data.draw(st.sampled_from(sorted(locals_)), label="which")

    variables = data.draw(VARIABLES, label="variables") if step in ("set", "complete", "finish", "fail") else {}
    match step:
        case "complete":
            engine.do(CompleteJob(job_key=one_of(state.jobs), variables=variables))
        case "activate":
            engine.do(ActivateJob(job_key=one_of(state.jobs), worker="w", timeout=SECOND))
        case "fail":
            retries = data.draw(st.integers(0, 1))
            engine.do(FailJob(job_key=one_of(state.jobs), retries=retries, message="m", variables=variables))
        case "throw":
            engine.do(ThrowJobError(job_key=one_of(state.jobs), error_code="E"))
        case "finish":
            engine.do(CompleteUserTask(task_key=one_of(state.tasks), variables=variables))
        case "fire":
            engine.now += 20 * SECOND
            engine.do(TriggerTimer(instance_key=key, timer=one_of(state.timers) - key))
        case "resolve":
            engine.do(ResolveIncident(incident_key=one_of(state.incidents)))
        case "set":
            local = data.draw(st.sampled_from(sorted(state.elements)))
            engine.do(SetVariables(element_instance_key=key + local, variables=variables, local=bool(local % 2)))
        case "tick":
            engine.now += SECOND


@pytest.fixture(scope="module", autouse=True)
def _few_steps() -> Iterator[None]:
    """Models that loop without waiting are frequent here; they need not loop a thousand times."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execution, "MAX_STEPS", 60)
        yield


def _run(data: st.DataObject, xml: str, steps: int) -> None:
    engine = Engine()
    engine.deploy(xml, refuse=False)  # joins that deadlock and loops that never wait are wanted here
    key = engine.do(CreateInstance(bpmn_process_id="p", variables=data.draw(VARIABLES, label="start"))).instance_key
    for _ in range(steps):
        if engine.state(key).status is not InstanceStatus.ACTIVE:
            return
        try:
            _step(data, engine, key)
        except (InvalidState, NotFound):  # refused, and the harness saw that it left no trace
            continue
    if engine.state(key).status is InstanceStatus.ACTIVE:
        engine.do(CancelInstance(instance_key=key))


CHECKS = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.large_base_example]


@given(data=st.data(), xml=models())
@settings(max_examples=120, deadline=None, suppress_health_check=CHECKS)
def test_replay_equals_live_and_nothing_is_stuck(data: st.DataObject, xml: str) -> None:
    _run(data, xml, 25)


@pytest.mark.long
@given(data=st.data(), xml=models())
@settings(max_examples=5_000, deadline=None, suppress_health_check=CHECKS)
def test_replay_equals_live_and_nothing_is_stuck_in_a_long_run(data: st.DataObject, xml: str) -> None:
    _run(data, xml, 60)


# --- hierarchies of instances ---


def _turn(data: st.DataObject, engine: Engine) -> None:
    """A delivery, in any order, or a step of any instance."""
    owed = engine.owed()
    active = [key for key in sorted(engine.streams) if engine.state(key).status is InstanceStatus.ACTIVE]
    suspended = [key for key in active if engine.state(key).suspended]
    turns = ["deliver"] * 6 * bool(owed) + ["resume"] * 6 * bool(suspended)
    turns += ["step"] * 12 * bool(active) + ["suspend"] * bool(active)

    def one_of(choices: Sequence[Any]) -> Any:
        return data.draw(st.sampled_from(choices), label="which")

    match data.draw(st.sampled_from(turns), label="turn"):
        case "deliver":
            engine.do(delivery_command(one_of(owed)))
        case "step":
            _step(data, engine, one_of(active))
        case "suspend":
            engine.do(SuspendInstance(instance_key=one_of(active)))
        case "resume":
            engine.do(ResumeInstance(instance_key=one_of(suspended)))


def _check_hierarchy(engine: Engine) -> None:
    """Nothing is owed: each call was made once or withdrawn, and who was called is active with its call alone."""
    callers: dict[tuple[int, int], int] = {}
    for key, stream in engine.streams.items():
        state: ProcessInstance = stream.state
        events = list(engine.events(key))
        calls = {event.local: event.element for event in events if isinstance(event, e.ChildCalled)}
        for event in events:
            if isinstance(event, e.ChildStarted):
                assert callers.setdefault((key, calls.pop(event.delivery)), event.child_key) == event.child_key
        withdrawn = {event.delivery for event in events if isinstance(event, e.DeliverySettled)}
        assert set(calls) <= withdrawn, "a call was neither made nor withdrawn"
        if state.parent_key and state.status is InstanceStatus.ACTIVE:
            call = engine.state(state.parent_key).elements.get(state.parent_element)
            assert call is not None and call.child == key, "an instance outlives the call that began it"
    made = {(stream.state.parent_key, stream.state.parent_element): key for key, stream in engine.streams.items()}
    assert callers == {call: key for call, key in made.items() if call[0]}, "a child more or less than calls"


def _run_hierarchy(data: st.DataObject, xmls: list[str], steps: int) -> None:
    engine = Engine()
    engine.delivers = False
    for xml in xmls:
        engine.deploy(xml, refuse=False)
    root = engine.do(CreateInstance(bpmn_process_id="p", variables=data.draw(VARIABLES, label="start"))).instance_key
    for _ in range(steps):
        if all(engine.state(key).is_over for key in engine.streams):
            break
        try:
            _turn(data, engine)
        except (InvalidState, NotFound):
            continue
    for key in list(engine.streams):
        if engine.state(key).suspended:
            engine.do(ResumeInstance(instance_key=key))
    engine.deliver()
    _check_hierarchy(engine)
    if engine.state(root).status is InstanceStatus.ACTIVE:
        engine.do(CancelInstance(instance_key=root))
        engine.deliver()
    assert all(engine.state(key).is_over for key in engine.streams), "the root is over, and something of it is not"


@given(data=st.data(), xmls=hierarchies())
@settings(max_examples=80, deadline=None, suppress_health_check=CHECKS)
def test_hierarchies_have_one_child_and_one_return_for_each_call(data: st.DataObject, xmls: list[str]) -> None:
    _run_hierarchy(data, xmls, 30)


@pytest.mark.long
@given(data=st.data(), xmls=hierarchies())
@settings(max_examples=3_000, deadline=None, suppress_health_check=CHECKS)
def test_hierarchies_have_one_child_and_one_return_in_a_long_run(data: st.DataObject, xmls: list[str]) -> None:
    _run_hierarchy(data, xmls, 80)
