"""Evaluated decisions in the log and in their read model: rebuilt it is the same, and verifying finds what is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from commands.create_instance import CreateInstance
from commands.deployment_files import File, prepare
from commands.evaluate_decision import EvaluateDecision
from commands.handling import Command, Meta
from domain.errors import Overloaded
from infra.bootstrap import Core
from infra.postgres.read_models import rebuild
from infra.postgres.read_models_verify import verify_all
from infra.settings import Settings
from tests.decisions.models import approval, deciding

ROWS = "SELECT * FROM read_model.decision_instances ORDER BY evaluation_key, number"


@pytest.fixture
def core(database: str) -> Iterator[Core]:
    """The write side on a database of its own, with a graph and a process that uses it."""
    running = Core(Settings(database_url=database))
    running.start()
    files = [File("g.dmn", approval("g")), File("p.bpmn", deciding("p", "g-level", job_type="work"))]
    run(running, prepare(files)[0])
    yield running
    running.stop()


def run(core: Core, command: Command) -> Any:
    return core.bus.submit(command, Meta("demo")).result(30).result


def rows(database: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(database) as connection:
        return connection.execute(ROWS).fetchall()


def test_a_process_without_decisions_costs_no_row(core: Core, database: str) -> None:
    run(core, prepare([File("q.bpmn", deciding("q", "none", job_type="work"))])[0])
    run(core, CreateInstance(bpmn_process_id="q"))
    rebuild(database)
    assert rows(database) == []


def test_evaluations_of_both_kinds_are_rows_that_verify_and_come_back(core: Core, database: str) -> None:
    alone = run(core, EvaluateDecision(decision_id="g-level", variables={"amount": 5}))
    instance = run(core, CreateInstance(bpmn_process_id="p", variables={"amount": 5000})).instance_key
    rebuild(database)

    before = rows(database)
    with psycopg.connect(database) as connection:
        found = connection.execute("SELECT instance_key, decision_id, result FROM read_model.decision_instances")
        assert set(found.fetchall()) == {
            (None, "g-risk", '"low"'),
            (None, "g-level", '"clerk"'),
            (instance, "g-risk", '"low"'),
            (instance, "g-level", '"director"'),
        }
    assert alone.evaluation_key in {row[0] for row in before}
    assert verify_all(database).problems == []
    rebuild(database)
    assert rows(database) == before


def test_verifying_finds_a_result_that_was_changed_by_hand(core: Core, database: str) -> None:
    run(core, EvaluateDecision(decision_id="g-level", variables={"amount": 5}))
    rebuild(database)
    with psycopg.connect(database) as connection:
        connection.execute("UPDATE read_model.decision_instances SET result = '\"board\"' WHERE number = 2")
    problems = [str(problem) for problem in verify_all(database).problems]
    assert len(problems) == 1
    assert "decision_instances" in problems[0]


def test_an_evaluation_is_new_work_and_refused_when_that_is_shed(core: Core) -> None:
    core.bus.shed_new_work = True
    with pytest.raises(Overloaded):
        run(core, EvaluateDecision(decision_id="g-level", variables={"amount": 5}))
    core.bus.shed_new_work = False
    assert run(core, EvaluateDecision(decision_id="g-level", variables={"amount": 5})).output == "clerk"


def test_a_decision_that_needs_too_much_fails_and_is_recorded(core: Core, database: str) -> None:
    endless = approval("h").replace(b"if amount", b"if count(for a in 1..2000, b in 1..2000 return a) = amount")
    run(core, prepare([File("h.dmn", endless)])[0])
    found = run(core, EvaluateDecision(decision_id="h-risk", variables={"amount": 5}))
    assert found.failed_decision == "h-risk"
    assert "the expression was stopped: it needs more than" in found.failure
    rebuild(database)
    assert [row[-2] for row in rows(database)] == ["[]"]
