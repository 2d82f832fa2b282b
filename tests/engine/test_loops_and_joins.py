"""Multi-instance activities, standard loops, inclusive and event-based gateways (BPMN 2.0 §13.3.6, §13.4)."""

from __future__ import annotations

import pytest

from commands.complete_job import CompleteJob
from commands.create_instance import CreateInstance
from commands.resolve_incident import ResolveIncident
from commands.set_variables import SetVariables
from commands.trigger_timer import TriggerTimer
from domain.process_instance import events as e
from domain.process_instance.state import InstanceStatus
from tests.engine.harness import END_EVENT, START_EVENT, Engine, flow, process, service, timer

SECOND = 1_000_000


@pytest.fixture
def engine() -> Engine:
    return Engine()


def start(engine: Engine, body: str, **variables: object) -> int:
    engine.deploy(process(body))
    key: int = engine.do(CreateInstance(bpmn_process_id="p", variables=variables)).instance_key
    return key


def each(attributes: str = "", condition: str = "", sequential: bool = False) -> str:
    """Loop characteristics over `=items`."""
    inner = f"<bpmn:completionCondition>{condition}</bpmn:completionCondition>" if condition else ""
    return (
        f'<bpmn:multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}"><bpmn:extensionElements>'
        f'<zeebe:loopCharacteristics inputCollection="=items" inputElement="item" {attributes}/>'
        f"</bpmn:extensionElements>{inner}</bpmn:multiInstanceLoopCharacteristics>"
    )


def task(loop: str, extra: str = "") -> str:
    return START_EVENT + service("t", inner=loop, extra=extra) + END_EVENT + flow("start", "t") + flow("t", "end")


def job_of(engine: Engine, key: int, item: object) -> int:
    state = engine.state(key)
    for local, job in state.jobs.items():
        if state.scope_variables(job.element).get("item") == item:
            return key + local
    raise AssertionError(f"no job for {item}")


def wake(engine: Engine, key: int) -> None:
    for local in list(engine.state(key).timers):
        engine.do(TriggerTimer(instance_key=key, timer=local))


class TestMultiInstance:
    OUT = 'outputCollection="results" outputElement="=item * result"'

    def test_parallel_instances_run_side_by_side_and_outputs_keep_the_order_of_the_input(self, engine: Engine) -> None:
        key = start(engine, task(each(self.OUT)), items=[1, 2, 3])
        assert engine.waiting(key) == ["t", "t", "t", "t"]
        for item in (3, 1, 2):
            engine.do(CompleteJob(job_key=job_of(engine, key, item), variables={"result": 10}))
        assert engine.state(key).status is InstanceStatus.COMPLETED
        assert engine.variables(key)["results"] == [10, 20, 30]

    def test_sequential_instances_run_one_after_another(self, engine: Engine) -> None:
        key = start(engine, task(each(self.OUT, sequential=True)), items=[5, 6])
        for item in (5, 6):
            assert len(engine.state(key).jobs) == 1
            engine.do(CompleteJob(job_key=job_of(engine, key, item), variables={"result": 1}))
        assert engine.variables(key)["results"] == [5, 6]

    def test_an_empty_collection_is_passed_at_once(self, engine: Engine) -> None:
        key = start(engine, task(each(self.OUT)), items=[])
        assert engine.state(key).status is InstanceStatus.COMPLETED
        assert engine.variables(key)["results"] == []

    def test_the_completion_condition_ends_the_others(self, engine: Engine) -> None:
        key = start(engine, task(each(condition="=numberOfCompletedInstances &gt;= 2")), items=[1, 2, 3])
        engine.do(CompleteJob(job_key=job_of(engine, key, 1)))
        engine.do(CompleteJob(job_key=job_of(engine, key, 2)))
        assert engine.state(key).status is InstanceStatus.COMPLETED
        assert any(isinstance(event, e.ElementTerminated) for event in engine.last)

    def test_a_collection_that_is_no_list_is_an_incident_that_can_be_mended(self, engine: Engine) -> None:
        key = start(engine, task(each()))
        ((kind, message),) = engine.incidents(key)
        assert kind == "EXTRACT_VALUE_ERROR"
        assert message.startswith("the input collection '=items' must be a list, but was None")
        engine.do(SetVariables(element_instance_key=key, variables={"items": ["a"]}))
        (incident,) = engine.state(key).incidents
        engine.do(ResolveIncident(incident_key=key + incident))
        assert engine.waiting(key) == ["t", "t"]

    def test_ten_thousand_items_are_begun_in_chunks(self, engine: Engine) -> None:
        body = START_EVENT + service("t", inner=each()) + END_EVENT + flow("start", "t") + flow("t", "end")
        key = start(engine, body, items=list(range(500)))
        assert len(engine.state(key).jobs) <= 201
        while engine.state(key).timers:
            wake(engine, key)
        assert len(engine.state(key).jobs) == 500
        while engine.state(key).jobs:
            engine.do(CompleteJob(job_key=engine.job(key)))
        assert engine.state(key).status is InstanceStatus.COMPLETED

    def test_a_long_sequence_of_scripts_neither_recurses_nor_stops(self, engine: Engine) -> None:
        script = '<zeebe:script expression="=item + 1" resultVariable="r"/>'
        body = START_EVENT + END_EVENT + flow("start", "s") + flow("s", "end")
        loop = each('outputCollection="out" outputElement="=r"', sequential=True)
        body += (
            f'<bpmn:scriptTask id="s"><bpmn:extensionElements>{script}</bpmn:extensionElements>{loop}</bpmn:scriptTask>'
        )
        key = start(engine, body, items=list(range(700)))
        while engine.state(key).timers:
            wake(engine, key)
        assert engine.state(key).status is InstanceStatus.COMPLETED
        assert engine.variables(key)["out"] == list(range(1, 701))

    def test_a_boundary_event_belongs_to_the_whole_and_ends_all_instances(self, engine: Engine) -> None:
        body = task(each()) + service("late")
        body += f'<bpmn:boundaryEvent id="b" attachedToRef="t">{timer("timeDuration", "PT1M")}</bpmn:boundaryEvent>'
        key = start(engine, body + flow("b", "late"), items=[1, 2])
        assert len(engine.state(key).timers) == 1
        engine.now += 60 * SECOND
        wake(engine, key)
        assert engine.waiting(key) == ["late"]

    def test_a_multi_instance_subprocess_has_a_scope_for_each_item(self, engine: Engine) -> None:
        inside = '<bpmn:startEvent id="s"/>' + service("a") + service("b") + flow("s", "a") + flow("a", "b")
        body = (
            START_EVENT + f'<bpmn:subProcess id="sub">{inside}{each(self.OUT)}</bpmn:subProcess>' + flow("start", "sub")
        )
        key = start(engine, body, items=[1, 2])
        assert engine.waiting(key) == ["sub", "sub", "a", "sub", "a"] or len(engine.state(key).jobs) == 2
        while engine.state(key).jobs:
            engine.do(CompleteJob(job_key=engine.job(key), variables={"result": 2}))
        assert engine.state(key).status is InstanceStatus.COMPLETED


class TestStandardLoop:
    def loop(self, attributes: str, condition: str = "") -> str:
        inner = f"<bpmn:loopCondition>{condition}</bpmn:loopCondition>" if condition else ""
        return f"<bpmn:standardLoopCharacteristics {attributes}>{inner}</bpmn:standardLoopCharacteristics>"

    def test_it_repeats_while_its_condition_holds(self, engine: Engine) -> None:
        key = start(engine, task(self.loop("", "=not(done)")), done=False)
        for done in (False, False, True):
            engine.do(CompleteJob(job_key=engine.job(key), variables={"done": done}))
        assert engine.state(key).status is InstanceStatus.COMPLETED

    def test_tested_before_it_may_not_run_at_all(self, engine: Engine) -> None:
        key = start(engine, task(self.loop('testBefore="true"', "=not(done)")), done=True)
        assert engine.state(key).status is InstanceStatus.COMPLETED

    def test_its_maximum_ends_it(self, engine: Engine) -> None:
        key = start(engine, task(self.loop('loopMaximum="2"')))
        for _ in range(2):
            engine.do(CompleteJob(job_key=engine.job(key)))
        assert engine.state(key).status is InstanceStatus.COMPLETED


class TestInclusiveGateway:
    BODY = (
        START_EVENT
        + '<bpmn:inclusiveGateway id="split" default="d"/><bpmn:inclusiveGateway id="join"/>'
        + service("a")
        + service("b")
        + service("c")
        + service("after")
        + flow("start", "split")
        + flow("split", "a", "=x &gt; 1")
        + flow("split", "b", "=x &gt; 2")
        + flow("split", "c", "", "d")
        + flow("a", "join")
        + flow("b", "join")
        + flow("c", "join")
        + flow("join", "after")
    )

    @pytest.mark.parametrize(("x", "taken"), [(0, ["c"]), (2, ["a"]), (3, ["a", "b"])])
    def test_it_splits_by_conditions_and_joins_what_was_split(self, engine: Engine, x: int, taken: list[str]) -> None:
        key = start(engine, self.BODY, x=x)
        assert engine.waiting(key) == taken
        for left in range(len(taken), 0, -1):
            assert len(engine.state(key).jobs) == left
            engine.do(CompleteJob(job_key=engine.job(key)))
        assert engine.waiting(key) == ["after"]

    def test_it_waits_for_a_token_that_may_still_come_and_opens_when_it_turns_away(self, engine: Engine) -> None:
        body = (
            START_EVENT
            + '<bpmn:parallelGateway id="fork"/><bpmn:exclusiveGateway id="x" default="d"/><bpmn:inclusiveGateway id="join"/>'
            + service("a")
            + service("b")
            + service("elsewhere")
            + service("after")
            + flow("start", "fork")
            + flow("fork", "a")
            + flow("fork", "b")
            + flow("a", "join")
            + flow("b", "x")
            + flow("x", "join", "=join")
            + flow("x", "elsewhere", "", "d")
            + flow("join", "after")
        )
        key = start(engine, body)
        engine.do(CompleteJob(job_key=engine.job(key)))
        assert engine.waiting(key) == ["b"]
        engine.do(CompleteJob(job_key=engine.job(key), variables={"join": False}))
        assert sorted(engine.waiting(key)) == ["after", "elsewhere"]

    def test_a_join_inside_a_loop_opens_each_round(self, engine: Engine) -> None:
        body = (
            START_EVENT
            + '<bpmn:exclusiveGateway id="again"/><bpmn:inclusiveGateway id="split"/><bpmn:inclusiveGateway id="join"/>'
            + '<bpmn:exclusiveGateway id="more" default="d"/>'
            + service("a")
            + service("b")
            + END_EVENT
            + flow("start", "again")
            + flow("again", "split")
            + flow("split", "a", "=true")
            + flow("split", "b", "=true")
            + flow("a", "join")
            + flow("b", "join")
            + flow("join", "more")
            + flow("more", "again", "=round &lt; 2")
            + flow("more", "end", "", "d")
        )
        key = start(engine, body, round=1)
        for round_number in (1, 2):
            engine.do(CompleteJob(job_key=engine.job(key)))
            assert len(engine.state(key).jobs) == 1
            engine.do(CompleteJob(job_key=engine.job(key), variables={"round": round_number}))
        assert engine.state(key).status is InstanceStatus.COMPLETED


class TestEventBasedGateway:
    def test_the_first_event_wins_and_the_others_are_given_up(self, engine: Engine) -> None:
        body = (
            START_EVENT
            + '<bpmn:eventBasedGateway id="g"/>'
            + f'<bpmn:intermediateCatchEvent id="soon">{timer("timeDuration", "PT1M")}</bpmn:intermediateCatchEvent>'
            + f'<bpmn:intermediateCatchEvent id="late">{timer("timeDuration", "PT1H")}</bpmn:intermediateCatchEvent>'
            + service("a")
            + service("b")
            + flow("start", "g")
            + flow("g", "soon")
            + flow("g", "late")
            + flow("soon", "a")
            + flow("late", "b")
        )
        key = start(engine, body)
        assert engine.waiting(key) == ["g"]
        engine.now += 60 * SECOND
        wake(engine, key)
        assert engine.waiting(key) == ["a"]
        assert engine.state(key).timers == {}
        passed = [event for event in engine.events(key) if isinstance(event, e.ElementPassed)][-1]
        assert (passed.element_id, passed.flow) == ("soon", "g--soon")
