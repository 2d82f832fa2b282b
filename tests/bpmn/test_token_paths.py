"""Where tokens can go is found for any model: sound ones give no alarm, and what the engine calls a deadlock was found.

The engine is the judge: random models, with joins that cannot open among them, are run, and each deadlock incident must
have been foretold for its gateway.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commands.complete_job import CompleteJob
from commands.complete_user_task import CompleteUserTask
from commands.create_instance import CreateInstance
from commands.fail_job import FailJob
from commands.set_variables import SetVariables
from commands.throw_job_error import ThrowJobError
from commands.trigger_timer import TriggerTimer
from domain.bpmn import ProcessModel, load_model, read_models
from domain.bpmn import tokens as net
from domain.bpmn.check import check_model
from domain.bpmn.tokens import explore
from domain.errors import Finding, InvalidState, NotFound
from domain.process_instance import events as e
from domain.process_instance import execution
from domain.process_instance.state import InstanceStatus
from tests.engine.harness import Engine
from tests.engine.random_models import models
from tests.scenarios.bpmn_xml import to_xml
from tests.scenarios.notation import read_model

SLOW = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much, HealthCheck.large_base_example]
VARIABLES = st.dictionaries(
    st.sampled_from(["x", "y", "z"]),
    st.one_of(st.integers(0, 9), st.booleans(), st.sampled_from(["a", "b"])),
    max_size=3,
)


def drawn(notation: str) -> ProcessModel:
    return load_model(to_xml([read_model(notation, "p")]).encode())


def found(model: ProcessModel, rule: str) -> dict[str, str]:
    """Element → severity of the findings of a rule."""
    return {finding.element_id: finding.severity for finding in check_model(model) if finding.rule == rule}


class TestRandomModels:
    @given(xml=models(sound=True))
    @settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
    def test_sound_models_give_no_alarm(self, xml: str) -> None:
        findings: list[Finding] = [finding for _, found in read_models(xml.encode()) for finding in found]
        assert not [f for f in findings if f.severity == "error" or f.rule in ("deadlock", "runs-twice", "not-checked")]

    @given(data=st.data(), xml=models())
    @settings(max_examples=150, deadline=None, suppress_health_check=SLOW)
    def test_every_deadlock_of_the_engine_was_foretold(self, data: st.DataObject, xml: str) -> None:
        foretell(data, xml, 25)

    @pytest.mark.long
    @given(data=st.data(), xml=models())
    @settings(max_examples=5_000, deadline=None, suppress_health_check=SLOW)
    def test_every_deadlock_of_the_engine_was_foretold_in_a_long_run(self, data: st.DataObject, xml: str) -> None:
        foretell(data, xml, 60)


def foretell(data: st.DataObject, xml: str, steps: int) -> None:
    """Run a model; each deadlock incident stands at a gateway that the check named."""
    findings = check_model(load_model(xml.encode()))
    foretold = {finding.element_id: finding.severity for finding in findings if finding.rule == "deadlock"}
    unchecked = {finding.element_id for finding in findings if finding.rule == "not-checked"}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(execution, "MAX_STEPS", 60)
        engine, key = _run(data, xml, steps)
    scopes = {node.id: node.scope for node in engine.definitions.models[1].nodes.values()}
    opened: set[str] = set()
    for event in engine.events(key):
        if isinstance(event, e.IncidentRaised) and "nothing is left that could arrive" in event.message:
            assert event.element_id in foretold or scopes[event.element_id] in unchecked, event.message
        if isinstance(event, e.ElementPassed):
            opened.add(event.element_id)
    assert not [gateway for gateway in opened if foretold.get(gateway) == "error"], "an impossible join opened"


def _run(data: st.DataObject, xml: str, steps: int) -> tuple[Engine, int]:
    engine = Engine()
    engine.deploy(xml, refuse=False)
    start = CreateInstance(bpmn_process_id="p", variables=data.draw(VARIABLES, label="start"))
    key: int = engine.do(start).instance_key
    for _ in range(steps):
        state = engine.state(key)
        if state.status is not InstanceStatus.ACTIVE:
            break
        variables = data.draw(VARIABLES, label="variables")
        waits = [*state.jobs, *state.tasks, *state.timers]
        try:
            if not waits:
                engine.do(SetVariables(element_instance_key=key, variables=variables))
                continue
            local = data.draw(st.sampled_from(sorted(waits)), label="which")
            if local in state.tasks:
                engine.do(CompleteUserTask(task_key=key + local, variables=variables))
            elif local in state.timers:
                engine.now += 20_000_000
                engine.do(TriggerTimer(instance_key=key, timer=local))
            elif data.draw(st.integers(0, 9)) == 0:
                engine.do(ThrowJobError(job_key=key + local, error_code="E"))
            elif data.draw(st.integers(0, 9)) == 0:
                engine.do(FailJob(job_key=key + local, retries=0, message="m"))
            else:
                engine.do(CompleteJob(job_key=key + local, variables=variables))
        except (InvalidState, NotFound):
            continue
    return engine, key


class TestJoins:
    @pytest.mark.parametrize(
        "notation",
        [
            "start -> fork -> a, b -> join -> end\nfork, join: parallel gateway\na, b: user task",
            "start -> o -[a]-> one -> join -> end\no -[b]-> two -> join\no -[default]-> three -> join\n"
            "o, join: inclusive gateway\none, two, three: user task",
            "start -> x -[a]-> one -> m -> end\nx -[default]-> two -> m\nx, m: exclusive gateway\none, two: user task",
            # a loop around a fork and its join
            "start -> top -> fork -> a, b -> join -> x -[again]-> top\nx -[default]-> end\ntop, x: exclusive gateway\n"
            "fork, join: parallel gateway\na, b: user task",
            # a loop inside a branch
            "start -> fork -> a -> join -> end\nfork -> top -> b -> x -[again]-> top\nx -[default]-> join\n"
            "top, x: exclusive gateway\nfork, join: parallel gateway\na, b: user task",
            # a branch that is interrupted and comes back before the join
            "start -> fork -> a -> m -> join -> end\nfork -> b -> join\nlate: boundary on a, timer PT1H\nlate -> fix -> m\n"
            "m: exclusive gateway\nfork, join: parallel gateway\na, b, fix: user task",
            # one parallel gateway that joins and forks
            "start -> fork -> a, b -> both -> c, d -> join -> end\nfork, both, join: parallel gateway\na, b, c, d: user task",
            # reminders beside the task, each to its own end
            "start -> fork -> a, b -> join -> end\nnudge: non-interrupting boundary on a, timer cycle R/PT1H\n"
            "nudge -> mail -> end2\nfork, join: parallel gateway\na, b, mail: user task",
            # the rest ends with a terminate event
            "start -> fork -> a -> stop\nfork -> b -> join -> end\nfork -> c -> join\nstop: end event, terminate\n"
            "fork, join: parallel gateway\na, b, c: user task",
            # an error leaves the scope of the waiting join
            "start -> s -> end\ns: subprocess\n  start1 -> fork -> a -> join -> end1\n  fork -> x -[ok]-> join\n"
            "  x -[default]-> bad\n  bad: end event, error E\n  fork, join: parallel gateway\n  x: exclusive gateway\n"
            "  a: user task\noops: boundary on s, error E\noops -> end2",
            # links are flows
            "start -> fork -> a -> out\nfork -> b -> join -> end\nout: throw event, link L\nin -> join\n"
            "in: catch event, link L\nfork, join: parallel gateway\na, b: user task",
            # an inclusive join that tokens reach around a loop
            "start -> top -> o -[a]-> one -> join -> x -[again]-> top\no -[b]-> two -> join\no -[default]-> three -> join\n"
            "x -[default]-> end\ntop, x: exclusive gateway\no, join: inclusive gateway\none, two, three: user task",
        ],
    )  # fmt: skip
    def test_joins_that_open_give_no_alarm(self, notation: str) -> None:
        assert not [f for f in check_model(drawn(notation)) if f.rule in ("deadlock", "runs-twice", "not-checked")]

    def test_many_branches_with_choices_stay_within_the_bound(self) -> None:
        branches = "\n".join(
            f"fork -> a{i} -> x{i} -[c]-> b{i} -> m{i} -> join\nx{i} -[default]-> c{i} -> m{i}\n"
            f"x{i}, m{i}: exclusive gateway\na{i}, b{i}, c{i}: user task"
            for i in range(30)
        )
        model = drawn(f"start -> fork\n{branches}\njoin -> end\nfork, join: parallel gateway")
        assert explore(model, model.root).complete
        assert not found(model, "deadlock")

    def test_beyond_the_bound_it_says_that_it_did_not_look(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(net, "MAX_MARKINGS", 3)
        model = drawn("start -> fork -> a, b -> join -> end\nfork, join: parallel gateway\na, b: user task")
        assert found(model, "not-checked") == {"p": "warning"}
        assert not found(model, "deadlock")

    def test_tokens_that_multiply_are_not_followed_for_ever(self) -> None:
        model = drawn(
            "start -> top -> w -> fork -> top\nfork -> join -> end\nfork -> v -> join\n"
            "top: exclusive gateway\nfork, join: parallel gateway\nw, v: user task"
        )
        assert explore(model, model.root).complete is False

    def test_a_gateway_with_too_many_conditions_is_not_followed(self) -> None:
        ways = "\n".join(f"o -[a = {i}]-> t{i} -> join\nt{i}: user task" for i in range(9))
        model = drawn(f"start -> o\n{ways}\no -[default]-> join -> end\no, join: inclusive gateway")
        assert found(model, "not-checked") == {"p": "warning"}

    def test_the_finding_tells_the_choices_that_lead_there(self) -> None:
        model = drawn(
            "start -> fork -> x -[a]-> one -> join -> end\nx -[default]-> two -> end2\n"
            "fork -> y -[b]-> three -> join\ny -[default]-> four -> end3\n"
            "x, y: exclusive gateway\nfork, join: parallel gateway\none, two, three, four: user task"
        )
        (finding,) = [f for f in check_model(model) if f.rule == "deadlock"]
        taken = re.findall(r"'(\w)' takes '([\w-]+)'", finding.message)
        assert sorted(taken) in ([("x", "x--one"), ("y", "y--four")], [("x", "x--two"), ("y", "y--three")])
        assert finding.severity == "warning"


class TestLoops:
    @pytest.mark.parametrize(
        ("notation", "severity"),
        [
            ("start -> a -> b -> a\na, b: task", "error"),
            ("start -> m -> x -[again]-> m\nx -[default]-> end\nm, x: exclusive gateway", "warning"),
            ("start -> m -> w -> m\nm: exclusive gateway\nw: user task", ""),
            ("start -> m -> w -> m\nm: exclusive gateway\nw: catch event, timer PT1H", ""),
            (
                "start -> m -> count -> x -[n < 10]-> m\nx -[default]-> end\nm, x: exclusive gateway\n"
                "count: script task, result n = n + 1",
                "",
            ),
            ("start -> m -> s -> m\nm: exclusive gateway\ns: subprocess\n  start1 -> end1", ""),
        ],
    )
    def test_what_waits_or_counts_is_no_endless_loop(self, notation: str, severity: str) -> None:
        assert set(found(drawn(notation), "loop").values()) == ({severity} if severity else set())
