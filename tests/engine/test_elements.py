"""What each element does: given a model, when commands come, then these events and waits follow."""

from __future__ import annotations

from decimal import Decimal

import pytest

from commands.activate_job import ActivateJob
from commands.assign_user_task import AssignUserTask, UnassignUserTask
from commands.cancel_instance import CancelInstance
from commands.complete_job import CompleteJob
from commands.complete_user_task import CompleteUserTask
from commands.create_instance import CreateInstance
from commands.fail_job import FailJob
from commands.resolve_incident import ResolveIncident
from commands.set_variables import SetVariables
from commands.throw_job_error import ThrowJobError
from commands.trigger_timer import TriggerTimer
from commands.update_job import UpdateJob
from commands.update_user_task import UpdateUserTask
from domain.errors import InvalidArgument, InvalidState, NotFound
from domain.process_instance import events as e
from domain.process_instance.state import InstanceStatus
from tests.engine.harness import END_EVENT, START_EVENT, Engine, flow, process, service, timer, user

SECOND = 1_000_000


@pytest.fixture
def engine() -> Engine:
    return Engine()


def start(engine: Engine, body: str, **variables: object) -> int:
    engine.deploy(process(body))
    key: int = engine.do(CreateInstance(bpmn_process_id="p", variables=variables)).instance_key
    return key


def due_timer(engine: Engine, key: int, index: int = 0) -> TriggerTimer:
    running = list(engine.state(key).timers.values())[index]
    return TriggerTimer(instance_key=key, timer=running.local)


def topics(engine: Engine) -> list[str]:
    return [type(event).topic for event in engine.last]


ONE_TASK = START_EVENT + service("work") + END_EVENT + flow("start", "work") + flow("work", "end")


class TestServiceTask:
    def test_a_job_is_created_activated_and_completed(self, engine: Engine) -> None:
        key = start(engine, ONE_TASK, amount=7)
        assert topics(engine) == ["pi.created.1", "pi.element_passed.1", "pi.element_activated.1", "pi.job_created.1"]
        job = engine.do(ActivateJob(job_key=engine.job(key), worker="w", timeout=60 * SECOND))
        assert (job.type, job.retries, job.variables, job.element_id) == ("work", 3, {"amount": 7}, "work")
        engine.do(CompleteJob(job_key=engine.job(key), variables={"done": True}))
        assert topics(engine) == [
            "pi.job_completed.1",
            "pi.variables_set.1",
            "pi.element_completed.1",
            "pi.element_passed.1",
            "pi.completed.1",
        ]
        assert engine.variables(key) == {"amount": 7, "done": True}
        assert engine.state(key).status is InstanceStatus.COMPLETED

    def test_a_held_job_is_not_given_to_another_worker_until_its_time_is_over(self, engine: Engine) -> None:
        key = start(engine, ONE_TASK)
        engine.do(ActivateJob(job_key=engine.job(key), worker="a", timeout=10 * SECOND))
        with pytest.raises(InvalidState, match="cannot be taken now"):
            engine.do(ActivateJob(job_key=engine.job(key), worker="b", timeout=SECOND))
        engine.now += 10 * SECOND
        assert engine.do(ActivateJob(job_key=engine.job(key), worker="b", timeout=SECOND)).worker == "b"

    def test_a_worker_that_asks_for_some_variables_gets_those(self, engine: Engine) -> None:
        key = start(engine, ONE_TASK, a=1, b=2)
        job = engine.do(ActivateJob(job_key=engine.job(key), worker="w", timeout=1, fetch_variables=["b", "none"]))
        assert job.variables == {"b": 2}

    def test_a_failed_job_waits_for_its_back_off_and_is_tried_again(self, engine: Engine) -> None:
        key = start(engine, ONE_TASK)
        engine.do(ActivateJob(job_key=engine.job(key), worker="w", timeout=60 * SECOND))
        engine.do(FailJob(job_key=engine.job(key), retries=2, message="no luck", back_off=5 * SECOND))
        with pytest.raises(InvalidState):
            engine.do(ActivateJob(job_key=engine.job(key), worker="w", timeout=SECOND))
        engine.now += 5 * SECOND
        assert engine.do(ActivateJob(job_key=engine.job(key), worker="w", timeout=SECOND)).retries == 2

    def test_a_job_without_retries_raises_an_incident_and_resolving_it_opens_the_job_again(
        self, engine: Engine
    ) -> None:
        key = start(engine, ONE_TASK)
        engine.do(FailJob(job_key=engine.job(key), retries=0, message="card declined", variables={"why": "card"}))
        assert engine.incidents(key) == [("JOB_NO_RETRIES", "card declined")]
        with pytest.raises(InvalidState):
            engine.do(ActivateJob(job_key=engine.job(key), worker="w", timeout=SECOND))
        engine.do(UpdateJob(job_key=engine.job(key), retries=5))
        (incident,) = engine.state(key).incidents
        engine.do(ResolveIncident(incident_key=key + incident))
        job = engine.do(ActivateJob(job_key=engine.job(key), worker="w", timeout=SECOND))
        assert (job.retries, job.variables) == (5, {"why": "card"})

    def test_an_error_that_nothing_catches_is_an_incident(self, engine: Engine) -> None:
        key = start(engine, ONE_TASK)
        engine.do(ThrowJobError(job_key=engine.job(key), error_code="E42", message="broken"))
        assert engine.incidents(key) == [
            (
                "UNHANDLED_ERROR_EVENT",
                "the error 'E42' (broken) was thrown, but no error event in the model catches it",
            )
        ]
        with pytest.raises(InvalidState, match="threw the error 'E42'"):
            engine.do(CompleteJob(job_key=engine.job(key)))

    def test_type_and_retries_may_be_expressions(self, engine: Engine) -> None:
        body = ONE_TASK.replace('type="work"', 'type="=&quot;pay-&quot; + method"').replace('"3"', '"=2 * 2"')
        key = start(engine, body, method="card")
        job = engine.do(ActivateJob(job_key=engine.job(key), worker="w", timeout=SECOND))
        assert (job.type, job.retries) == ("pay-card", 4)

    def test_a_type_that_is_no_string_is_an_incident_that_can_be_mended(self, engine: Engine) -> None:
        body = ONE_TASK.replace('type="work"', 'type="=method"')
        key = start(engine, body)
        ((kind, message),) = engine.incidents(key)
        assert kind == "EXTRACT_VALUE_ERROR"
        assert "the job type '=method' must be a string" in message
        engine.do(SetVariables(element_instance_key=key, variables={"method": "cash"}))
        (incident,) = engine.state(key).incidents
        engine.do(ResolveIncident(incident_key=key + incident))
        assert next(iter(engine.state(key).jobs.values())).type == "cash"

    def test_a_job_is_completed_once(self, engine: Engine) -> None:
        key = start(engine, ONE_TASK)
        job = engine.job(key)
        engine.do(CompleteJob(job_key=job))
        with pytest.raises(NotFound, match=f"no job with key '{job}' is open"):
            engine.do(CompleteJob(job_key=job))


class TestMappings:
    def test_input_mappings_make_local_variables_and_output_mappings_say_what_goes_out(self, engine: Engine) -> None:
        mappings = (
            '<zeebe:ioMapping><zeebe:input source="=order.total * 2" target="payment.amount"/>'
            '<zeebe:input source="EUR" target="payment.currency"/>'
            '<zeebe:output source="=receipt" target="order.receipt"/></zeebe:ioMapping>'
        )
        body = START_EVENT + service("work", extra=mappings) + END_EVENT + flow("start", "work") + flow("work", "end")
        key = start(engine, body, order={"total": Decimal("10.25")})
        job = engine.do(ActivateJob(job_key=engine.job(key), worker="w", timeout=SECOND))
        assert job.variables["payment"] == {"amount": Decimal("20.5"), "currency": "EUR"}
        engine.do(CompleteJob(job_key=engine.job(key), variables={"receipt": "R1", "secret": 1}))
        assert engine.variables(key) == {"order": {"total": Decimal("10.25"), "receipt": "R1"}}

    def test_a_result_is_merged_into_the_nearest_scope_that_has_the_variable(self, engine: Engine) -> None:
        mapping = '<zeebe:ioMapping><zeebe:input source="=1" target="inner"/></zeebe:ioMapping>'
        inside = '<bpmn:startEvent id="s2"/>' + service("work") + service("next") + '<bpmn:endEvent id="e2"/>'
        inside += flow("s2", "work") + flow("work", "next") + flow("next", "e2")
        body = START_EVENT + END_EVENT + flow("start", "sub") + flow("sub", "end")
        body += f'<bpmn:subProcess id="sub"><bpmn:extensionElements>{mapping}</bpmn:extensionElements>{inside}</bpmn:subProcess>'
        key = start(engine, body, outer=1)
        engine.do(CompleteJob(job_key=engine.job(key), variables={"inner": 2, "outer": 3, "new": 4}))
        assert engine.variables(key) == {"outer": 3, "new": 4}
        job = engine.do(ActivateJob(job_key=engine.job(key), worker="w", timeout=SECOND))
        assert job.variables == {"inner": 2, "outer": 3, "new": 4}
        engine.do(CompleteJob(job_key=engine.job(key)))
        assert engine.variables(key) == {"outer": 3, "new": 4}
        assert engine.state(key).status is InstanceStatus.COMPLETED

    def test_a_variable_keeps_its_key_when_it_is_overwritten(self, engine: Engine) -> None:
        key = start(engine, ONE_TASK, a=1)
        engine.do(SetVariables(element_instance_key=key, variables={"a": 2, "b": 3}))
        created = next(event for event in engine.events(key) if isinstance(event, e.InstanceCreated))
        (changed,) = (event for event in engine.last if isinstance(event, e.VariablesSet))
        assert changed.locals[0] == created.variable_locals[0]
        assert changed.locals[1] not in created.variable_locals


class TestGateways:
    CHOICE = (
        START_EVENT
        + '<bpmn:exclusiveGateway id="x" default="rest"/>'
        + service("high")
        + service("low")
        + END_EVENT
        + flow("start", "x")
        + flow("x", "high", "=amount &gt; 5000", "big")
        + flow("x", "low", "", "rest")
        + flow("high", "end")
        + flow("low", "end")
    )

    @pytest.mark.parametrize(("amount", "taken"), [(5001, "high"), (5000, "low"), (Decimal("5000.01"), "high")])
    def test_the_exclusive_gateway_takes_the_flow_whose_condition_holds(
        self, engine: Engine, amount: object, taken: str
    ) -> None:
        key = start(engine, self.CHOICE, amount=amount)
        assert engine.waiting(key) == [taken]

    def test_a_condition_that_is_not_boolean_is_an_incident_with_the_reason(self, engine: Engine) -> None:
        key = start(engine, self.CHOICE)
        ((kind, message),) = engine.incidents(key)
        assert kind == "EXTRACT_VALUE_ERROR"
        assert message.startswith("the condition '=amount > 5000' must be true or false, but was null")
        engine.do(SetVariables(element_instance_key=key, variables={"amount": 9000}))
        (incident,) = engine.state(key).incidents
        engine.do(ResolveIncident(incident_key=key + incident))
        assert engine.waiting(key) == ["high"]

    def test_no_condition_and_no_default_is_an_incident(self, engine: Engine) -> None:
        body = self.CHOICE.replace(' default="rest"', "").replace(
            flow("x", "low", "", "rest"), flow("x", "low", "=amount &lt; 0", "rest")
        )
        key = start(engine, body, amount=1)
        ((kind, message),) = engine.incidents(key)
        assert kind == "CONDITION_ERROR"
        assert "no outgoing flow of 'x' can be taken" in message

    FORK = (
        START_EVENT
        + '<bpmn:parallelGateway id="fork"/><bpmn:parallelGateway id="join"/>'
        + service("a")
        + service("b")
        + END_EVENT
        + flow("start", "fork")
        + flow("fork", "a")
        + flow("fork", "b")
        + flow("a", "join")
        + flow("b", "join")
        + flow("join", "end")
    )

    def test_the_parallel_gateway_waits_for_all_branches(self, engine: Engine) -> None:
        key = start(engine, self.FORK)
        assert engine.waiting(key) == ["a", "b"]
        engine.do(CompleteJob(job_key=engine.job(key, 1)))
        assert topics(engine)[-1] == "pi.token_arrived.1"
        engine.do(CompleteJob(job_key=engine.job(key)))
        assert engine.state(key).status is InstanceStatus.COMPLETED

    def test_a_join_that_does_not_complete_is_an_incident_not_a_silent_stop(self, engine: Engine) -> None:
        body = (
            START_EVENT
            + '<bpmn:parallelGateway id="fork"/><bpmn:exclusiveGateway id="x" default="d"/>'
            + '<bpmn:parallelGateway id="join"/>'
            + service("a")
            + service("b")
            + END_EVENT
            + flow("start", "fork")
            + flow("fork", "a")
            + flow("fork", "x")
            + flow("x", "b", "=false")
            + flow("x", "end", "", "d")
            + flow("a", "join", "", "fa")
            + flow("b", "join", "", "fb")
            + flow("join", "end")
        )
        key = start(engine, body)
        engine.do(CompleteJob(job_key=engine.job(key)))
        ((_, message),) = engine.incidents(key)
        assert message == "tokens wait at the joining gateway for fb, but nothing is left that could arrive"
        engine.do(CancelInstance(instance_key=key))
        assert engine.state(key).status is InstanceStatus.TERMINATED

    def test_conditional_flows_out_of_a_task_split_the_token(self, engine: Engine) -> None:
        body = START_EVENT + '<bpmn:task id="t"/>' + service("a") + service("b") + service("c") + flow("start", "t")
        body += flow("t", "a", "=x") + flow("t", "b", "=not(x)") + flow("t", "c", "=true")
        key = start(engine, body, x=True)
        assert engine.waiting(key) == ["a", "c"]


class TestUserTask:
    BODY = (
        START_EVENT
        + user(
            "review",
            '<zeebe:assignmentDefinition candidateGroups="finance, audit" candidateUsers="=[owner]"/>'
            '<zeebe:taskSchedule dueDate="=now() + duration(&quot;P1D&quot;)" followUpDate="2027-01-01T00:00:00Z"/>'
            '<zeebe:priorityDefinition priority="80"/>',
        )
        + END_EVENT
        + flow("start", "review")
        + flow("review", "end")
    )

    def test_it_is_created_with_its_assignment_dates_and_priority(self, engine: Engine) -> None:
        key = start(engine, self.BODY, owner="mei")
        (task,) = engine.state(key).tasks.values()
        assert task.candidate_groups == ["finance", "audit"]
        assert task.candidate_users == ["mei"]
        assert task.due == engine.now + 86_400 * SECOND
        assert task.priority == 80
        engine.do(CompleteUserTask(task_key=engine.task(key), variables={"approved": True}), actor="mei")
        assert engine.variables(key) == {"owner": "mei", "approved": True}

    def test_it_is_claimed_released_and_changed(self, engine: Engine) -> None:
        key = start(engine, self.BODY, owner="mei")
        task = engine.task(key)
        engine.do(AssignUserTask(task_key=task, assignee="li", allow_override=False))
        with pytest.raises(InvalidState, match="assigned to 'li' already"):
            engine.do(AssignUserTask(task_key=task, assignee="wu", allow_override=False))
        engine.do(AssignUserTask(task_key=task, assignee="wu"))
        engine.do(UnassignUserTask(task_key=task))
        engine.do(UpdateUserTask(task_key=task, priority=10, candidate_groups=["board"], due=0))
        state = engine.state(key).tasks[task - key]
        assert (state.assignee, state.priority, state.candidate_groups, state.due) == ("", 10, ["board"], 0)
        with pytest.raises(InvalidArgument, match="priority must be a whole number from 0 to 100, not 101"):
            engine.do(UpdateUserTask(task_key=task, priority=101))

    def test_a_missing_form_is_an_incident_until_it_is_deployed(self, engine: Engine) -> None:
        body = START_EVENT + user("review", '<zeebe:formDefinition formId="claim"/>') + flow("start", "review")
        key = start(engine, body)
        ((kind, _),) = engine.incidents(key)
        assert kind == "FORM_NOT_FOUND"
        engine.definitions.forms["claim"] = 99
        (incident,) = engine.state(key).incidents
        engine.do(ResolveIncident(incident_key=key + incident))
        assert engine.state(key).tasks[engine.task(key) - key].form_key == 99

    def test_a_due_date_that_is_none_is_an_incident_with_what_would_be_right(self, engine: Engine) -> None:
        task = user("t", '<zeebe:taskSchedule dueDate="=when"/>')
        key = start(engine, START_EVENT + task + flow("start", "t"), when="tomorrow")
        assert engine.incidents(key) == [
            (
                "EXTRACT_VALUE_ERROR",
                "the due date: 'tomorrow' is not an ISO 8601 date and time, such as 2026-11-23T09:00:00Z",
            )
        ]


class TestScriptTask:
    def test_it_sets_its_result_variable(self, engine: Engine) -> None:
        script = '<zeebe:script expression="=price * 1.19" resultVariable="gross"/>'
        body = (
            START_EVENT
            + f'<bpmn:scriptTask id="s"><bpmn:extensionElements>{script}</bpmn:extensionElements></bpmn:scriptTask>'
        )
        body += service("w") + flow("start", "s") + flow("s", "w")
        key = start(engine, body, price=100)
        assert engine.variables(key) == {"price": 100, "gross": Decimal("119.00")}


DISCOUNT = """<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="drg" name="drg" namespace="n">
<decision id="discount" name="Discount"><decisionTable id="t" hitPolicy="UNIQUE">
<input id="i1" label="Amount"><inputExpression id="e1" typeRef="number"><text>amount</text></inputExpression></input>
<output id="o1" name="discount" typeRef="number"/>
<rule id="r1"><inputEntry id="c1"><text>&gt; 100</text></inputEntry><outputEntry id="c2"><text>0.1</text></outputEntry></rule>
<rule id="r2"><inputEntry id="c3"><text>[50..200]</text></inputEntry><outputEntry id="c4"><text>0.05</text></outputEntry></rule>
</decisionTable></decision></definitions>"""


class TestBusinessRuleTask:
    BODY = (
        START_EVENT
        + '<bpmn:businessRuleTask id="rule"><bpmn:extensionElements>'
        + '<zeebe:calledDecision decisionId="discount" resultVariable="rate"/></bpmn:extensionElements></bpmn:businessRuleTask>'
        + service("w")
        + flow("start", "rule")
        + flow("rule", "w")
    )

    def test_the_decision_is_evaluated_and_recorded_with_its_inputs_and_rules(self, engine: Engine) -> None:
        engine.deploy_decisions(DISCOUNT)
        key = start(engine, self.BODY, amount=300)
        assert engine.variables(key) == {"amount": 300, "rate": Decimal("0.1")}
        recorded = next(event for event in engine.events(key) if isinstance(event, e.DecisionEvaluated))
        assert recorded.output == Decimal("0.1")
        (decision,) = recorded.evaluated
        assert decision["inputs"] == [{"id": "i1", "name": "Amount", "value": 300}]
        assert [rule["index"] for rule in decision["matchedRules"]] == [1]

    def test_a_failed_decision_is_recorded_and_becomes_an_incident(self, engine: Engine) -> None:
        engine.deploy_decisions(DISCOUNT)
        key = start(engine, self.BODY, amount=150)
        ((kind, message),) = engine.incidents(key)
        assert kind == "DECISION_EVALUATION_ERROR"
        assert message.startswith("the decision 'discount' failed:")
        recorded = next(event for event in engine.events(key) if isinstance(event, e.DecisionEvaluated))
        assert recorded.failed_decision == "discount"

    def test_a_decision_that_is_not_deployed_is_an_incident_until_it_is(self, engine: Engine) -> None:
        key = start(engine, self.BODY, amount=300)
        assert engine.incidents(key) == [
            (
                "CALLED_DECISION_ERROR",
                "no decision with the id 'discount' is deployed; deploy it, then resolve this incident",
            )
        ]
        engine.deploy_decisions(DISCOUNT)
        (incident,) = engine.state(key).incidents
        engine.do(ResolveIncident(incident_key=key + incident))
        assert engine.waiting(key) == ["w"]


class TestCostlyExpressions:
    def test_an_expression_that_would_hold_up_the_others_is_an_incident(self, engine: Engine) -> None:
        script = (
            '<zeebe:script expression="=count(for a in 1..100000, b in 1..100000 return a * b)" resultVariable="n"/>'
        )
        body = (
            START_EVENT
            + f'<bpmn:scriptTask id="s"><bpmn:extensionElements>{script}</bpmn:extensionElements></bpmn:scriptTask>'
        )
        key = start(engine, body + flow("start", "s"))
        ((kind, message),) = engine.incidents(key)
        assert kind == "EXTRACT_VALUE_ERROR"
        assert ": the expression was stopped: it needs more than 100000 steps" in message

    def test_an_assertion_of_the_model_that_fails_is_an_incident_with_its_words(self, engine: Engine) -> None:
        script = (
            '<zeebe:script expression="=assert(amount, amount &gt; 0, &quot;nothing to pay&quot;)" resultVariable="n"/>'
        )
        body = (
            START_EVENT
            + f'<bpmn:scriptTask id="s"><bpmn:extensionElements>{script}</bpmn:extensionElements></bpmn:scriptTask>'
        )
        key = start(engine, body + flow("start", "s"), amount=0)
        ((_, message),) = engine.incidents(key)
        assert message.endswith("failed: nothing to pay")


class TestTimers:
    CATCH = (
        START_EVENT
        + f'<bpmn:intermediateCatchEvent id="wait">{timer("timeDuration", "PT10S")}</bpmn:intermediateCatchEvent>'
        + END_EVENT
        + flow("start", "wait")
        + flow("wait", "end")
    )

    def test_a_timer_fires_when_due_never_early_and_once(self, engine: Engine) -> None:
        key = start(engine, self.CATCH)
        fire = due_timer(engine, key)
        engine.now += 10 * SECOND - 1
        engine.do(fire)
        assert engine.last == []
        engine.now += 1
        engine.do(fire)
        assert engine.state(key).status is InstanceStatus.COMPLETED
        engine.do(fire)
        assert engine.last == []

    def boundary(self, definition: str, interrupting: str = "true") -> str:
        return (
            START_EVENT
            + service("work")
            + f'<bpmn:boundaryEvent id="late" attachedToRef="work" cancelActivity="{interrupting}">{definition}</bpmn:boundaryEvent>'
            + service("remind", "remind")
            + END_EVENT
            + flow("start", "work")
            + flow("work", "end")
            + flow("late", "remind")
            + flow("remind", "end")
        )

    def test_an_interrupting_boundary_timer_ends_its_host(self, engine: Engine) -> None:
        key = start(engine, self.boundary(timer("timeDuration", "PT1M")))
        engine.now += 60 * SECOND
        engine.do(due_timer(engine, key))
        assert engine.waiting(key) == ["remind"]
        passed = next(event for event in engine.last if isinstance(event, e.ElementPassed))
        assert passed.element_id == "late"
        assert passed.source > 0

    def test_a_non_interrupting_cycle_fires_as_often_as_it_says(self, engine: Engine) -> None:
        key = start(engine, self.boundary(timer("timeCycle", "R2/PT1M"), "false"))
        for _ in range(2):
            engine.now += 60 * SECOND
            engine.do(due_timer(engine, key))
        assert engine.waiting(key) == ["work", "remind", "remind"]
        assert engine.state(key).timers == {}

    def test_an_endless_cycle_skips_what_it_missed_while_the_engine_was_down(self, engine: Engine) -> None:
        key = start(engine, self.boundary(timer("timeCycle", "R/PT1M"), "false"))
        first = engine.now + 60 * SECOND
        engine.now += 3600 * SECOND
        engine.do(due_timer(engine, key))
        (running,) = engine.state(key).timers.values()
        assert engine.now < running.due <= engine.now + 60 * SECOND
        assert (running.due - first) % (60 * SECOND) == 0

    def test_completing_the_host_ends_its_timers(self, engine: Engine) -> None:
        key = start(engine, self.boundary(timer("timeDuration", "PT1M")))
        engine.do(CompleteJob(job_key=engine.job(key)))
        assert engine.state(key).status is InstanceStatus.COMPLETED

    def test_a_timer_expression_without_a_value_is_an_incident_and_retrying_does_not_double_timers(
        self, engine: Engine
    ) -> None:
        second = (
            f'<bpmn:boundaryEvent id="b2" attachedToRef="work">{timer("timeDuration", "=limit")}</bpmn:boundaryEvent>'
        )
        key = start(engine, self.boundary(timer("timeDuration", "PT1M")) + second + flow("b2", "end"))
        ((kind, message),) = engine.incidents(key)
        assert kind == "EXTRACT_VALUE_ERROR"
        assert "the timeDuration '=limit' of 'b2' has no value" in message
        engine.do(SetVariables(element_instance_key=key, variables={"limit": "PT5M"}))
        (incident,) = engine.state(key).incidents
        engine.do(ResolveIncident(incident_key=key + incident))
        assert len(engine.state(key).timers) == 2
        assert len(engine.state(key).jobs) == 1


class TestScopes:
    SUB = (
        START_EVENT
        + '<bpmn:subProcess id="sub"><bpmn:startEvent id="s2"/><bpmn:parallelGateway id="f"/>'
        + service("a")
        + service("b")
        + '<bpmn:endEvent id="stop"><bpmn:terminateEventDefinition/></bpmn:endEvent><bpmn:endEvent id="e2"/>'
        + flow("s2", "f")
        + flow("f", "a")
        + flow("f", "b")
        + flow("a", "stop")
        + flow("b", "e2")
        + "</bpmn:subProcess>"
        + service("after", "after")
        + flow("start", "sub")
        + flow("sub", "after")
    )

    def test_a_subprocess_completes_when_nothing_inside_is_left(self, engine: Engine) -> None:
        key = start(engine, self.SUB)
        engine.do(CompleteJob(job_key=engine.job(key, 1)))
        assert engine.waiting(key) == ["sub", "a"]
        engine.do(CompleteJob(job_key=engine.job(key)))
        assert engine.waiting(key) == ["after"]

    def test_a_terminate_end_event_ends_its_scope_and_no_more(self, engine: Engine) -> None:
        key = start(engine, self.SUB)
        engine.do(CompleteJob(job_key=engine.job(key)))
        assert engine.waiting(key) == ["after"]
        assert "pi.element_terminated.1" in topics(engine)

    def test_terminate_also_discards_tokens_that_wait_at_a_join(self, engine: Engine) -> None:
        body = (
            START_EVENT
            + '<bpmn:parallelGateway id="f"/><bpmn:parallelGateway id="j"/>'
            + service("a")
            + service("b")
            + service("c")
            + '<bpmn:endEvent id="stop"><bpmn:terminateEventDefinition/></bpmn:endEvent>'
            + flow("start", "f")
            + flow("f", "a")
            + flow("f", "b")
            + flow("f", "c")
            + flow("a", "j")
            + flow("b", "j")
            + flow("j", "stop")
            + flow("c", "stop")
        )
        key = start(engine, body)
        engine.do(CompleteJob(job_key=engine.job(key)))
        engine.do(CompleteJob(job_key=engine.job(key, 1)))
        assert engine.state(key).status is InstanceStatus.COMPLETED

    def test_cancelling_ends_everything_innermost_first(self, engine: Engine) -> None:
        key = start(engine, self.SUB)
        engine.do(CancelInstance(instance_key=key, reason="withdrawn"))
        assert engine.last[-1] == e.InstanceTerminated("withdrawn")
        assert len([event for event in engine.last if isinstance(event, e.ElementTerminated)]) == 3
        with pytest.raises(InvalidState, match="is cancelled; nothing in it can be changed"):
            engine.do(CancelInstance(instance_key=key))


class TestBounds:
    def test_a_model_that_loops_without_waiting_stops_with_an_incident(self, engine: Engine) -> None:
        body = START_EVENT + '<bpmn:exclusiveGateway id="a"/><bpmn:task id="b"/>'
        body += END_EVENT + flow("start", "a") + flow("a", "b", "=true") + flow("a", "end", "", "out") + flow("b", "a")
        key = start(engine, body.replace('id="a"', 'id="a" default="out"'))
        ((_, message),) = engine.incidents(key)
        assert message.startswith("more than 1000 elements were entered without a wait state: the model loops")
        (incident,) = engine.state(key).incidents
        engine.do(ResolveIncident(incident_key=key + incident))
        assert len(engine.incidents(key)) == 1
        engine.do(CancelInstance(instance_key=key))

    def test_beyond_4095_parts_a_further_key_block_is_reserved(self, engine: Engine) -> None:
        body = START_EVENT + service("w") + flow("start", "w") + flow("w", "w")
        key = start(engine, body)
        for count in range(1400):
            engine.do(CompleteJob(job_key=engine.job(key), variables={f"v{count}": count}))
        blocks = [event for event in engine.events(key) if isinstance(event, e.KeyBlockReserved)]
        assert len(blocks) == 1
        assert engine.job(key) - key > 4095
        assert engine.do(ActivateJob(job_key=engine.job(key), worker="w", timeout=1)).instance_key == key

    def test_an_unknown_instance_is_not_found(self, engine: Engine) -> None:
        with pytest.raises(NotFound, match="no job with key '4097' exists"):
            engine.do(CompleteJob(job_key=4097))
