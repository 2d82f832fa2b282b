"""Errors, escalations, links and event subprocesses: who catches what, and what ends (BPMN 2.0 §10.5, §13.5)."""

from __future__ import annotations

import pytest

from commands.complete_job import CompleteJob
from commands.create_instance import CreateInstance
from commands.set_variables import SetVariables
from commands.throw_job_error import ThrowJobError
from commands.trigger_timer import TriggerTimer
from domain.process_instance import events as e
from domain.process_instance.state import InstanceStatus
from tests.engine.harness import BPMN_HEAD, END_EVENT, START_EVENT, Engine, flow, service, timer

SECOND = 1_000_000
ROOTS = (
    '<bpmn:error id="E1" errorCode="declined"/><bpmn:error id="E2" errorCode="other"/>'
    '<bpmn:escalation id="X1" escalationCode="late"/>'
)


@pytest.fixture
def engine() -> Engine:
    return Engine()


def start(engine: Engine, body: str, **variables: object) -> int:
    engine.deploy(
        f'{BPMN_HEAD}{ROOTS}<bpmn:process id="p" isExecutable="true">{body}</bpmn:process></bpmn:definitions>'
    )
    key: int = engine.do(CreateInstance(bpmn_process_id="p", variables=variables)).instance_key
    return key


def boundary(event_id: str, host: str, definition: str, interrupting: bool = True) -> str:
    return (
        f'<bpmn:boundaryEvent id="{event_id}" attachedToRef="{host}" cancelActivity="{str(interrupting).lower()}">'
        f"{definition}</bpmn:boundaryEvent>"
    )


def handler(handler_id: str, definition: str, interrupting: bool = True) -> str:
    """An event subprocess with one service task `<id>-task`."""
    task = f"{handler_id}-task"
    return (
        f'<bpmn:subProcess id="{handler_id}" triggeredByEvent="true">'
        f'<bpmn:startEvent id="{handler_id}-start" isInterrupting="{str(interrupting).lower()}">{definition}</bpmn:startEvent>'
        f'{service(task)}<bpmn:endEvent id="{handler_id}-end"/>'
        f"{flow(f'{handler_id}-start', task)}{flow(task, f'{handler_id}-end')}</bpmn:subProcess>"
    )


def error(ref: str = "") -> str:
    return f"<bpmn:errorEventDefinition{f' errorRef={chr(34)}{ref}{chr(34)}' if ref else ''}/>"


ESCALATION = '<bpmn:escalationEventDefinition escalationRef="X1"/>'


class TestErrors:
    def pay(self, *events: str) -> str:
        return START_EVENT + service("pay") + END_EVENT + flow("start", "pay") + flow("pay", "end") + "".join(events)

    def test_a_job_error_is_caught_by_the_boundary_event_with_its_code(self, engine: Engine) -> None:
        body = self.pay(
            boundary("all", "pay", error()),
            boundary("declined", "pay", error("E1")),
            service("fix"),
            service("any"),
            flow("declined", "fix"),
            flow("all", "any"),
        )
        key = start(engine, body)
        engine.do(ThrowJobError(job_key=engine.job(key), error_code="declined", variables={"why": "limit"}))
        assert engine.waiting(key) == ["fix"]
        assert engine.variables(key) == {"why": "limit"}
        thrown = next(event for event in engine.last if isinstance(event, e.JobErrorThrown))
        assert thrown.caught_by == "declined"

    def test_an_event_without_a_code_catches_all(self, engine: Engine) -> None:
        body = self.pay(boundary("all", "pay", error()), service("any"), flow("all", "any"))
        key = start(engine, body)
        engine.do(ThrowJobError(job_key=engine.job(key), error_code="whatever"))
        assert engine.waiting(key) == ["any"]

    def test_an_error_end_event_is_caught_around_its_subprocess_and_ends_its_siblings(self, engine: Engine) -> None:
        inner = (
            '<bpmn:startEvent id="s"/><bpmn:parallelGateway id="f"/>'
            + service("a")
            + service("b")
            + f'<bpmn:endEvent id="fail">{error("E1")}</bpmn:endEvent>'
            + flow("s", "f")
            + flow("f", "a")
            + flow("f", "b")
            + flow("a", "fail")
        )
        body = START_EVENT + f'<bpmn:subProcess id="sub">{inner}</bpmn:subProcess>' + flow("start", "sub")
        body += boundary("caught", "sub", error("E1")) + service("fix") + flow("caught", "fix")
        key = start(engine, body)
        engine.do(CompleteJob(job_key=engine.job(key)))
        assert engine.waiting(key) == ["fix"]

    def test_an_error_that_nobody_catches_is_an_incident(self, engine: Engine) -> None:
        body = START_EVENT + f'<bpmn:endEvent id="fail">{error("E2")}</bpmn:endEvent>' + flow("start", "fail")
        key = start(engine, body)
        ((kind, message),) = engine.incidents(key)
        assert kind == "UNHANDLED_ERROR_EVENT"
        assert message == "the error 'other' was thrown, but no error event in the model catches it"

    def test_the_event_subprocess_of_the_scope_comes_before_the_boundary_event_around_it(self, engine: Engine) -> None:
        inner = '<bpmn:startEvent id="s"/>' + service("a") + flow("s", "a") + handler("inside", error("E1"))
        body = START_EVENT + f'<bpmn:subProcess id="sub">{inner}</bpmn:subProcess>' + flow("start", "sub")
        body += boundary("caught", "sub", error("E1")) + service("fix") + flow("caught", "fix")
        key = start(engine, body)
        engine.do(ThrowJobError(job_key=engine.job(key), error_code="declined", variables={"n": 1}))
        assert engine.waiting(key) == ["sub", "inside", "inside-task"]
        # thrown again inside the handler, it leaves the scope that the handler took over
        engine.do(ThrowJobError(job_key=engine.job(key), error_code="declined"))
        assert engine.waiting(key) == ["fix"]


class TestEscalations:
    def sub(self, interrupting: bool) -> str:
        inner = (
            '<bpmn:startEvent id="s"/>'
            f'<bpmn:intermediateThrowEvent id="up">{ESCALATION}</bpmn:intermediateThrowEvent>'
            + service("a")
            + flow("s", "up")
            + flow("up", "a")
        )
        body = START_EVENT + f'<bpmn:subProcess id="sub">{inner}</bpmn:subProcess>' + flow("start", "sub")
        return body + boundary("caught", "sub", ESCALATION, interrupting) + service("boss") + flow("caught", "boss")

    def test_a_non_interrupting_event_catches_it_and_the_thrower_goes_on(self, engine: Engine) -> None:
        key = start(engine, self.sub(interrupting=False))
        assert sorted(engine.waiting(key)) == ["a", "boss", "sub"]

    def test_an_interrupting_event_ends_the_thrower(self, engine: Engine) -> None:
        key = start(engine, self.sub(interrupting=True))
        assert engine.waiting(key) == ["boss"]

    def test_nobody_needs_to_catch_it(self, engine: Engine) -> None:
        body = START_EVENT + f'<bpmn:endEvent id="up">{ESCALATION}</bpmn:endEvent>' + flow("start", "up")
        key = start(engine, body)
        assert engine.state(key).status is InstanceStatus.COMPLETED
        assert e.EscalationThrown(2, "up", "late") in engine.last


class TestEventSubprocesses:
    def body(self, interrupting: bool, definition: str) -> str:
        return (
            START_EVENT
            + service("work")
            + END_EVENT
            + flow("start", "work")
            + flow("work", "end")
            + handler("late", definition, interrupting)
        )

    def fire(self, engine: Engine, key: int) -> None:
        engine.now += 60 * SECOND
        (running,) = engine.state(key).timers
        engine.do(TriggerTimer(instance_key=key, timer=running))

    def test_an_interrupting_one_takes_the_process_over(self, engine: Engine) -> None:
        key = start(engine, self.body(True, timer("timeDuration", "PT1M")))
        self.fire(engine, key)
        assert engine.waiting(key) == ["late", "late-task"]
        engine.do(CompleteJob(job_key=engine.job(key)))
        assert engine.state(key).status is InstanceStatus.COMPLETED

    def test_a_non_interrupting_one_runs_beside_it_as_often_as_it_happens(self, engine: Engine) -> None:
        key = start(engine, self.body(False, timer("timeCycle", "R/PT1M")))
        self.fire(engine, key)
        self.fire(engine, key)
        assert engine.waiting(key) == ["work", "late", "late-task", "late", "late-task"]
        while engine.state(key).jobs:
            engine.do(CompleteJob(job_key=engine.job(key)))
        assert engine.state(key).status is InstanceStatus.COMPLETED

    def test_it_waits_no_longer_than_its_scope(self, engine: Engine) -> None:
        key = start(engine, self.body(True, timer("timeDuration", "PT1M")))
        engine.do(CompleteJob(job_key=engine.job(key)))
        assert engine.state(key).status is InstanceStatus.COMPLETED


class TestLinks:
    def test_a_link_leads_on_at_its_catch_event(self, engine: Engine) -> None:
        link = '<bpmn:linkEventDefinition name="L"/>'
        body = START_EVENT + f'<bpmn:intermediateThrowEvent id="t">{link}</bpmn:intermediateThrowEvent>'
        body += f'<bpmn:intermediateCatchEvent id="c">{link}</bpmn:intermediateCatchEvent>' + service("w")
        key = start(engine, body + flow("start", "t") + flow("c", "w"))
        assert engine.waiting(key) == ["w"]


class TestConditions:
    CONDITION = "<bpmn:conditionalEventDefinition><bpmn:condition>=stock &lt; 5</bpmn:condition></bpmn:conditionalEventDefinition>"

    def work(self, *events: str) -> str:
        return START_EVENT + service("work") + END_EVENT + flow("start", "work") + flow("work", "end") + "".join(events)

    def test_a_catch_event_waits_until_its_condition_holds(self, engine: Engine) -> None:
        body = START_EVENT + f'<bpmn:intermediateCatchEvent id="c">{self.CONDITION}</bpmn:intermediateCatchEvent>'
        key = start(engine, body + END_EVENT + flow("start", "c") + flow("c", "end"), stock=9)
        assert engine.waiting(key) == ["c"]
        engine.do(SetVariables(element_instance_key=key, variables={"stock": 6}))
        assert engine.waiting(key) == ["c"]
        engine.do(SetVariables(element_instance_key=key, variables={"stock": 4}))
        assert engine.state(key).status is InstanceStatus.COMPLETED

    def test_one_that_holds_already_is_passed_at_once(self, engine: Engine) -> None:
        body = START_EVENT + f'<bpmn:intermediateCatchEvent id="c">{self.CONDITION}</bpmn:intermediateCatchEvent>'
        key = start(engine, body + END_EVENT + flow("start", "c") + flow("c", "end"), stock=1)
        assert engine.state(key).status is InstanceStatus.COMPLETED

    def test_an_interrupting_boundary_event_ends_its_host(self, engine: Engine) -> None:
        body = self.work(boundary("low", "work", self.CONDITION), service("order"), flow("low", "order"))
        key = start(engine, body, stock=9)
        engine.do(SetVariables(element_instance_key=key, variables={"stock": 4}))
        assert engine.waiting(key) == ["order"]

    def test_a_non_interrupting_event_subprocess_happens_at_each_change(self, engine: Engine) -> None:
        key = start(engine, self.work(handler("low", self.CONDITION, interrupting=False)), stock=9)
        for stock in (4, 8, 3):
            engine.do(SetVariables(element_instance_key=key, variables={"stock": stock}))
        assert engine.waiting(key) == ["work", "low", "low-task", "low", "low-task"]


class TestMessageThrowEvents:
    def test_a_worker_sends_the_message_and_then_the_token_goes_on(self, engine: Engine) -> None:
        task = '<bpmn:extensionElements><zeebe:taskDefinition type="send"/></bpmn:extensionElements>'
        body = START_EVENT + f'<bpmn:endEvent id="tell">{task}<bpmn:messageEventDefinition/></bpmn:endEvent>'
        key = start(engine, body + flow("start", "tell"))
        assert engine.waiting(key) == ["tell"]
        engine.do(CompleteJob(job_key=engine.job(key)))
        assert engine.state(key).status is InstanceStatus.COMPLETED
