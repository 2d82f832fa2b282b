"""Call activities: which process is called, exactly one child and one return, and what is asked of the callers."""

from __future__ import annotations

from typing import Any

import pytest

from commands.cancel_instance import CancelInstance
from commands.complete_job import CompleteJob
from commands.create_instance import CreateInstance
from commands.registry import delivery_command
from commands.resolve_incident import ResolveIncident
from commands.set_variables import SetVariables
from commands.suspend_instance import ResumeInstance, SuspendInstance
from commands.throw_job_error import ThrowJobError
from commands.trigger_timer import TriggerTimer
from domain.errors import InvalidModel, InvalidState
from domain.process_instance import events as e
from domain.process_instance.elements import call_activity
from domain.process_instance.state import InstanceStatus, ProcessInstance
from tests.engine.harness import Engine, flow, process, service, timer

TASK = f'<bpmn:startEvent id="s"/>{service("t")}<bpmn:endEvent id="e"/>{flow("s", "t")}{flow("t", "e")}'


def call(attributes: str = 'processId="child"', inner: str = "") -> str:
    """A call activity `c`."""
    return (
        f'<bpmn:callActivity id="c"><bpmn:extensionElements><zeebe:calledElement {attributes}/>'
        f"</bpmn:extensionElements>{inner}</bpmn:callActivity>"
    )


def boundary(event: str, definition: str, after: str, *, interrupting: bool = True) -> str:
    """A boundary event of the call activity that leads to the service task `after`."""
    attribute = str(interrupting).lower()
    return (
        f'<bpmn:boundaryEvent id="{event}" attachedToRef="c" cancelActivity="{attribute}">{definition}'
        f"</bpmn:boundaryEvent>{service(after)}{flow(event, after)}"
    )


def caller(attributes: str = 'processId="child"', process_id: str = "p", more: str = "") -> str:
    body = f'<bpmn:startEvent id="s"/>{call(attributes)}<bpmn:endEvent id="e"/>{flow("s", "c")}{flow("c", "e")}{more}'
    return process(body, process_id)


def versioned(tag: str) -> str:
    """The process `child` with a version tag."""
    inner = f'<bpmn:extensionElements><zeebe:versionTag value="{tag}"/></bpmn:extensionElements>{TASK}'
    return process(inner, "child")


@pytest.fixture
def engine() -> Engine:
    return Engine()


def start(engine: Engine, process_id: str = "p", **variables: Any) -> int:
    key: int = engine.do(CreateInstance(bpmn_process_id=process_id, variables=variables)).instance_key
    return key


def children(engine: Engine, key: int) -> list[ProcessInstance]:
    """The instances that an instance called, in the order in which they came to be."""
    return [stream.state for stream in engine.streams.values() if stream.state.parent_key == key]


def deploy_together(engine: Engine, *models: str) -> None:
    engine.definitions.deployment += 1
    for model in models:
        engine.deploy(model)


# --- which process ---


@pytest.mark.parametrize(
    ("attributes", "version"),
    [
        ('processId="child"', 4),
        ('processId="child" bindingType="latest"', 4),
        ('processId="child" bindingType="deployment"', 1),
        ('processId="child" bindingType="versionTag" versionTag="green"', 3),
        ('processId="=name"', 4),
    ],
)
def test_the_binding_says_which_version_is_called(engine: Engine, attributes: str, version: int) -> None:
    deploy_together(engine, versioned("green"), caller(attributes))
    deploy_together(engine, versioned("green"))
    deploy_together(engine, versioned("red"))
    (child,) = children(engine, start(engine, name="child"))
    assert child.version == version


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ('processId="child"', "no process with the id 'child' is deployed; deploy it"),
        ('processId="child" bindingType="deployment"', "'child' is deployed in the deployment of this process"),
        ('processId="child" bindingType="versionTag" versionTag="v9"', "the version tag 'v9' is deployed"),
        ('processId="=1 + 1"', "process id"),
    ],
)
def test_what_cannot_be_called_is_an_incident(engine: Engine, attributes: str, message: str) -> None:
    deploy_together(engine, caller(attributes))
    if "bindingType" in attributes:
        deploy_together(engine, versioned("v1"))
    key = start(engine)
    ((_, text),) = engine.incidents(key)
    assert message in text
    assert children(engine, key) == []


def test_a_process_without_a_none_start_cannot_be_called(engine: Engine) -> None:
    begun = f'<bpmn:startEvent id="s">{timer("timeDuration", "PT1H")}</bpmn:startEvent>{service("t")}{flow("s", "t")}'
    engine.deploy(process(begun, "child"), refuse=False)
    engine.deploy(caller())
    ((kind, message),) = engine.incidents(start(engine))
    assert kind == "CALLED_ELEMENT_ERROR"
    assert "no none start event" in message


@pytest.mark.parametrize(
    ("attributes", "message"),
    [
        ("", "names no process"),
        ('processId=" "', "names no process"),
        ('processId="child" bindingType="newest"', "'newest' is unknown; it is one of latest, deployment, versionTag"),
        ('processId="child" bindingType="versionTag"', "needs the attribute versionTag"),
    ],
)
def test_a_call_activity_that_cannot_run_is_refused_at_deployment(
    engine: Engine, attributes: str, message: str
) -> None:
    with pytest.raises(InvalidModel) as refused:
        engine.deploy(caller(attributes))
    assert message in str([finding.message for finding in refused.value.findings])


def test_a_process_that_calls_itself_stops_at_a_bound(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_activity, "MAX_DEPTH", 5)
    engine.deploy(caller('processId="p"'))
    key = start(engine)
    assert [stream.state.depth for stream in engine.streams.values()] == [0, 1, 2, 3, 4, 5]
    deepest = max(engine.streams)
    ((_, message),) = engine.incidents(deepest)
    assert "call themselves without end" in message
    engine.do(CancelInstance(instance_key=key))
    assert {stream.state.status for stream in engine.streams.values()} == {InstanceStatus.TERMINATED}


# --- exactly one child, exactly one return ---


def test_a_child_knows_its_callers(engine: Engine) -> None:
    engine.deploy(process(TASK, "grandchild"))
    engine.deploy(caller('processId="grandchild"', "child"))
    engine.deploy(caller())
    key = start(engine)
    (child,) = children(engine, key)
    (grandchild,) = children(engine, child.key)
    assert (child.root_key, grandchild.root_key) == (key, key)
    assert (child.depth, grandchild.depth) == (1, 2)
    assert engine.state(key).elements[child.parent_element].child == child.key


def test_a_call_costs_the_caller_and_the_child_five_events(engine: Engine) -> None:
    engine.deploy(process(TASK, "child"))
    engine.deploy(caller())
    key = start(engine)
    (child,) = children(engine, key)
    engine.do(CompleteJob(job_key=engine.job(child.key)))
    kinds = (e.ChildCalled, e.ChildStarted, e.ChildCompleted, e.ReturnOwed, e.DeliverySettled)
    of_the_call = [type(event) for each in (key, child.key) for event in engine.events(each) if type(event) in kinds]
    assert of_the_call == [e.ChildCalled, e.ChildStarted, e.ChildCompleted, e.ReturnOwed, e.DeliverySettled]
    assert engine.state(child.key).result is None


def test_a_delivery_that_comes_again_finds_nothing_to_do(engine: Engine) -> None:
    engine.delivers = False
    engine.deploy(process(TASK, "child"))
    engine.deploy(caller())
    key = start(engine)

    def deliver_three_times() -> None:
        (due,) = engine.owed()
        for _ in range(3):
            engine.do(delivery_command(due))

    deliver_three_times()
    (child,) = children(engine, key)
    engine.do(CompleteJob(job_key=engine.job(child.key)))
    deliver_three_times()
    assert engine.state(key).status is InstanceStatus.COMPLETED
    assert engine.owed() == []
    assert sum(isinstance(event, e.ChildCompleted) for event in engine.events(key)) == 1


def test_a_call_that_is_withdrawn_before_it_was_made_makes_no_child(engine: Engine) -> None:
    engine.delivers = False
    engine.deploy(process(TASK, "child"))
    engine.deploy(caller())
    key = start(engine)
    (due,) = engine.owed()
    engine.do(CancelInstance(instance_key=key))
    engine.do(delivery_command(due))
    assert children(engine, key) == []
    assert engine.owed() == []


def test_a_result_that_comes_after_the_call_ended_is_dropped(engine: Engine) -> None:
    engine.deploy(process(TASK, "child"))
    engine.deploy(caller(more=boundary("b", timer("timeDuration", "PT1H"), "late")))
    key = start(engine)
    (child,) = children(engine, key)
    engine.delivers = False
    engine.do(CompleteJob(job_key=engine.job(child.key), variables={"y": 2}))
    engine.now += 3_600_000_000
    engine.do(TriggerTimer(instance_key=key, timer=next(iter(engine.state(key).timers))))
    engine.deliver()
    assert engine.waiting(key) == ["late"]
    assert engine.variables(key) == {}
    assert (child.status, child.is_over) == (InstanceStatus.COMPLETED, True)


def test_the_child_begins_with_the_variables_as_they_are_when_it_starts(engine: Engine) -> None:
    engine.delivers = False
    engine.deploy(process(TASK, "child"))
    engine.deploy(caller())
    key = start(engine, x=1)
    engine.do(SetVariables(element_instance_key=key, variables={"x": 2}, local=False))
    engine.deliver()
    (child,) = children(engine, key)
    assert engine.variables(child.key) == {"x": 2}


# --- what is thrown ---


def failing(engine: Engine) -> tuple[int, int]:
    """A caller that catches the error E, and its child, which waits for a job."""
    engine.deploy(process(TASK, "child"))
    catch = '<bpmn:errorEventDefinition errorRef="E1"/>'
    more = boundary("b", catch, "mend")
    root = '<bpmn:error id="E1" errorCode="E"/><bpmn:process'
    engine.deploy(caller(more=more).replace("<bpmn:process", root, 1))
    key = start(engine)
    return key, children(engine, key)[0].key


def test_the_thrower_waits_until_its_callers_have_been_asked(engine: Engine) -> None:
    key, child = failing(engine)
    engine.delivers = False
    job = engine.job(child)
    engine.do(ThrowJobError(job_key=job, error_code="E"))
    for refused in (ThrowJobError(job_key=job, error_code="E"), CompleteJob(job_key=job)):
        with pytest.raises(InvalidState):
            engine.do(refused)
    engine.deliver()
    assert engine.waiting(key) == ["mend"]
    assert engine.state(child).status is InstanceStatus.TERMINATED


def test_an_error_on_its_way_is_dropped_when_its_thrower_is_ended(engine: Engine) -> None:
    key, child = failing(engine)
    engine.delivers = False
    engine.do(ThrowJobError(job_key=engine.job(child), error_code="E"))
    engine.do(CancelInstance(instance_key=key))
    engine.deliver()
    assert {stream.state.status for stream in engine.streams.values()} == {InstanceStatus.TERMINATED}
    assert not any(isinstance(event, e.ErrorThrown) for event in engine.events(key))


@pytest.mark.parametrize("in_order", [True, False])
def test_what_is_thrown_before_the_end_comes_before_the_end(engine: Engine, in_order: bool) -> None:
    shout = '<bpmn:intermediateThrowEvent id="u"><bpmn:escalationEventDefinition escalationRef="X1"/></bpmn:intermediateThrowEvent>'
    body = f'<bpmn:startEvent id="s"/>{shout}<bpmn:endEvent id="e"/>{flow("s", "u")}{flow("u", "e")}'
    root = '<bpmn:escalation id="X1" escalationCode="X"/><bpmn:process'
    engine.deploy(process(body, "child").replace("<bpmn:process", root, 1))
    catch = '<bpmn:escalationEventDefinition escalationRef="X1"/>'
    more = boundary("b", catch, "heard", interrupting=False)
    engine.deploy(caller(more=more).replace("<bpmn:process", root, 1))
    engine.delivers = False
    key = start(engine)
    engine.do(delivery_command(engine.owed()[0]))
    owed = engine.owed()
    assert [due.kind for due in owed] == ["throw", "return"]
    for due in owed if in_order else reversed(owed):
        engine.do(delivery_command(due))
    assert engine.waiting(key) == ["heard"]
    assert engine.owed() == []


# --- suspension ---


def test_a_suspended_caller_calls_when_it_is_resumed(engine: Engine) -> None:
    engine.delivers = False
    engine.deploy(process(TASK, "child"))
    engine.deploy(caller())
    key = start(engine)
    engine.do(SuspendInstance(instance_key=key))
    (due,) = engine.owed()
    engine.do(delivery_command(due))
    assert children(engine, key) == []
    engine.do(ResumeInstance(instance_key=key))
    engine.do(delivery_command(due))
    assert len(children(engine, key)) == 1


@pytest.mark.parametrize("which", ["caller", "thrower"])
def test_an_error_waits_while_its_thrower_or_the_caller_is_suspended(engine: Engine, which: str) -> None:
    key, child = failing(engine)
    engine.delivers = False
    engine.do(ThrowJobError(job_key=engine.job(child), error_code="E"))
    suspended = key if which == "caller" else child
    engine.do(SuspendInstance(instance_key=suspended))
    (due,) = engine.owed()
    engine.do(delivery_command(due))
    assert engine.waiting(key) == ["c"]
    engine.do(ResumeInstance(instance_key=suspended))
    engine.do(delivery_command(due))
    assert engine.waiting(key) == ["mend"]


# --- incidents ---


def test_a_call_that_failed_is_made_once_its_process_is_there(engine: Engine) -> None:
    engine.deploy(caller())
    key = start(engine, x=1)
    engine.deploy(process(TASK, "child"))
    engine.do(ResolveIncident(incident_key=key + next(iter(engine.state(key).incidents))))
    (child,) = children(engine, key)
    assert engine.variables(child.key) == {"x": 1}
