"""Single answers: items in the v2 API's shapes, forms, sources, deployments, flows, statistics, freshness."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any

import camunda_orchestration_sdk.models as sdk
import psycopg
import pytest

from domain.decision.events import DecisionEvaluatedAlone
from domain.errors import InvalidArgument, NotFound, StorageUnavailable
from domain.messages import events as m
from domain.process_instance import events as e
from infra.postgres.queries import PostgresQueries
from infra.postgres.queries_watch import PositionWatcher
from projections.queries import Entity, SearchRequest
from tests.read_side.conftest import Ask
from tests.read_side.streams import START, Log, new_key, one_task_instance, service_task, started, user_task

EVALUATED = [
    {
        "id": "level",
        "name": "Approval level",
        "kind": "decisionTable",
        "inputs": [{"id": "in", "name": "amount", "value": 7}],
        "matchedRules": [{"id": "r1", "index": 1, "outputs": [{"id": "out", "name": "level", "value": 2}]}],
        "output": 2,
    }
]


def test_items_are_what_the_published_client_reads(log: Log, caught_up: Callable[..., int], ask: Ask) -> None:
    definition, key = log.deploy(), new_key()
    requirements, decision = log.deploy_decisions()
    log.deploy_form("claim")
    log.append(key, started(definition, variables={"a": 1}), *service_task(20), *user_task(30))
    log.append(key, e.IncidentRaised(40, 20, "work", "JOB_NO_RETRIES", "broke", 21))
    log.append(key, e.DecisionEvaluated(50, 20, "work", "level", decision, requirements, 1, 2, EVALUATED))
    log.append(key, e.SubscriptionOpened(60, 20, "paid", "message", "paid", "o-1", "review-process"))
    log.append(
        new_key(), m.MessageCorrelated(key, "review-process", definition, "paid", "paid", "o-1", key + 20, key + 60)
    )
    caught_up()
    models: dict[Entity, Any] = {
        Entity.PROCESS_DEFINITIONS: sdk.ProcessDefinitionResult,
        Entity.PROCESS_INSTANCES: sdk.ProcessInstanceResult,
        Entity.ELEMENT_INSTANCES: sdk.ElementInstanceResult,
        Entity.VARIABLES: sdk.VariableSearchResult,
        Entity.USER_TASKS: sdk.UserTaskResult,
        Entity.INCIDENTS: sdk.IncidentResult,
        Entity.JOBS: sdk.JobSearchResult,
        Entity.FORMS: sdk.FormResult,
        Entity.DECISION_DEFINITIONS: sdk.DecisionDefinitionResult,
        Entity.DECISION_REQUIREMENTS: sdk.DecisionRequirementsResult,
        Entity.DECISION_INSTANCES: sdk.DecisionInstanceResult,
        Entity.MESSAGE_SUBSCRIPTIONS: sdk.MessageSubscriptionResult,
        Entity.CORRELATED_MESSAGE_SUBSCRIPTIONS: sdk.CorrelatedMessageSubscriptionResult,
    }
    assert set(models) == set(Entity)
    for entity, model in models.items():
        (item, *_) = ask.items(entity)
        read = model.from_dict(dict(item))
        unknown = set(getattr(read, "additional_properties", {})) - {"tags"}
        assert unknown == set(), entity
        assert read.to_dict()["tenantId"] == "<default>"


def test_a_user_task_shows_names_headers_and_dates(log: Log, caught_up: Callable[..., int], ask: Ask) -> None:
    definition, key = log.deploy(), new_key()
    form = log.deploy_form("claim")
    task = user_task(20, candidate_groups=["g"], due=START + 1_234_999, form_key=form, external_form="x")
    log.append(key, started(definition, business_id="B"), *task)
    caught_up()
    item = ask.get(Entity.USER_TASKS, key + 21)
    assert item["name"] == "Review the claim"
    assert item["processName"] == "Review"
    assert item["customHeaders"] == {"color": "blue"}
    assert item["dueDate"] == "2027-01-15T08:00:01.234Z"
    assert (item["candidateGroups"], item["candidateUsers"], item["priority"]) == (["g"], [], 50)
    assert item["formKey"] == str(form)
    assert (item["businessId"], item["assignee"], item["state"]) == ("B", None, "CREATED")
    task_form = ask.run(ask.queries.task_form(key + 21))
    assert task_form is not None
    assert (task_form["formKey"], task_form["schema"]) == (str(form), '{"version": 1}')


def test_a_key_that_leads_nowhere_is_not_found(ask: Ask) -> None:
    for entity in Entity:
        if entity is not Entity.DECISION_INSTANCES:
            with pytest.raises(NotFound, match="with key 4711"):
                ask.get(entity, 4711)
    for question in (
        ask.queries.definition_xml(1),
        ask.queries.requirements_xml(1),
        ask.queries.start_form(1),
        ask.queries.task_form(1),
        ask.queries.deployment(1),
        ask.queries.sequence_flows(1),
        ask.queries.element_statistics(1),
        ask.queries.definition_statistics(1, {}),
        ask.queries.call_hierarchy(1),
        ask.queries.history(1),
        ask.queries.state_at(1),
        ask.queries.decision_instance("1-1"),
    ):
        with pytest.raises(NotFound):
            ask.run(question)


def test_other_tenants_things_are_not_found(log: Log, caught_up: Callable[..., int], ask: Ask) -> None:
    definition, key = log.deploy(tenant="acme"), new_key()
    log.append(key, started(definition), *user_task(20), tenant="acme")
    caught_up()
    queries, nobody = ask.queries, ["other"]
    questions: list[Callable[[list[str]], Coroutine[Any, Any, Any]]] = [
        lambda tenants: queries.get(Entity.USER_TASKS, key + 21, tenants),
        lambda tenants: queries.definition_xml(definition, tenants),
        lambda tenants: queries.start_form(definition, tenants),
        lambda tenants: queries.task_form(key + 21, tenants),
        lambda tenants: queries.deployment(definition + 1, tenants),
        lambda tenants: queries.sequence_flows(key, tenants),
        lambda tenants: queries.element_statistics(key, tenants),
        lambda tenants: queries.definition_statistics(definition, {}, tenants),
        lambda tenants: queries.call_hierarchy(key, tenants),
        lambda tenants: queries.history(key, tenants=tenants),
        lambda tenants: queries.state_at(key, tenants=tenants),
        lambda tenants: queries.search_task_variables(key + 21, SearchRequest(), tenants),
    ]
    for question in questions:
        ask.run(question(["acme"]))
        with pytest.raises(NotFound):
            ask.run(question(nobody))


def test_sources_come_back_as_they_were_deployed(log: Log, caught_up: Callable[..., int], ask: Ask) -> None:
    definition = log.deploy()
    requirements, _ = log.deploy_decisions()
    caught_up()
    assert ask.run(ask.queries.definition_xml(definition)).startswith("<?xml version")
    assert 'id="levels"' in ask.run(ask.queries.requirements_xml(requirements))


def test_the_start_form_is_the_newest_version(log: Log, caught_up: Callable[..., int], ask: Ask) -> None:
    definition = log.deploy()
    caught_up()
    assert ask.run(ask.queries.start_form(definition)) is None
    log.deploy_form("claim")
    newest = log.deploy_form("claim", version=2)
    log.deploy_form("claim", version=3, tenant="acme")
    caught_up()
    form = ask.run(ask.queries.start_form(definition))
    assert form is not None
    assert (form["formKey"], form["version"]) == (str(newest), 2)
    assert ask.get(Entity.PROCESS_DEFINITIONS, definition)["hasStartForm"] is True


def test_a_deployment_lists_what_it_brought(log: Log, caught_up: Callable[..., int], ask: Ask) -> None:
    definition = log.deploy()
    log.deploy_form("claim", deployment_key=definition + 1)
    log.deploy_decisions(definition + 1)
    caught_up()
    deployment = ask.run(ask.queries.deployment(definition + 1))
    read = sdk.DeploymentResult.from_dict(dict(deployment))
    assert read.deployment_key == str(definition + 1)
    kinds = [name for entry in deployment["deployments"] for name, value in entry.items() if value is not None]
    assert kinds == ["processDefinition", "decisionDefinition", "decisionRequirements", "form"]
    assert deployment["deployments"][0]["processDefinition"]["processDefinitionVersion"] == 1


def test_task_variables_are_those_of_all_scopes_around_it(log: Log, caught_up: Callable[..., int], ask: Ask) -> None:
    key = new_key()
    log.append(key, started(1, variables={"x": "outer", "y": 1}))
    log.append(key, e.ElementActivated(10, "sub", 0), e.VariablesSet(10, {"x": "middle"}, [11]))
    task = [e.ElementActivated(20, "review", 10), e.UserTaskCreated(21, 20, "review")]
    log.append(key, *task, e.VariablesSet(20, {"x": "inner"}, [22]))
    log.append(key, e.ElementActivated(30, "elsewhere", 0), e.VariablesSet(30, {"z": 1}, [31]))
    caught_up()

    def values(effective: bool, **request: Any) -> list[tuple[str, str]]:
        question = ask.queries.search_task_variables(key + 21, SearchRequest.parse(request), None, effective)
        return [(item["name"], item["value"]) for item in ask.run(question).items]

    assert values(False) == [("x", '"outer"'), ("y", "1"), ("x", '"middle"'), ("x", '"inner"')]
    assert values(True) == [("y", "1"), ("x", '"inner"')]
    assert values(True, filter={"name": {"$like": "x*"}}) == [("x", '"inner"')]


def test_long_values_are_cut_in_searches_only(log: Log, caught_up: Callable[..., int], ask: Ask) -> None:
    key = new_key()
    log.append(key, started(1, variables={"long": "é" * 9000}))
    caught_up()
    (cut,) = ask.items(Entity.VARIABLES)
    assert (len(cut["value"]), cut["isTruncated"]) == (8191, True)
    (whole,) = ask.run(ask.queries.search(Entity.VARIABLES, SearchRequest(), truncate_values=False)).items
    assert (len(whole["value"]), whole["isTruncated"]) == (9002, False)
    assert len(ask.get(Entity.VARIABLES, key + 1)["value"]) == 9002
    assert len(ask.items(Entity.VARIABLES, filter={"isTruncated": True})) == 1


def test_sequence_flows_are_those_taken(log: Log, caught_up: Callable[..., int], ask: Ask) -> None:
    key = new_key()
    log.append(key, started(5), e.ElementPassed(2, "start", 0), e.ElementPassed(3, "fork", 0, "f1", 2))
    log.append(key, e.TokenArrived("join", 0, "f2", 3), e.TokenArrived("join", 0, "f3", 3))
    log.append(key, e.ElementPassed(4, "again", 0, "f1", 3))
    caught_up()
    flows = ask.run(ask.queries.sequence_flows(key))
    assert [flow["sequenceFlowId"] for flow in flows] == ["f1", "f2", "f3"]
    sdk.ProcessInstanceSequenceFlowResult.from_dict(dict(flows[0]))


def test_statistics_count_each_element_once_per_state(log: Log, caught_up: Callable[..., int], ask: Ask) -> None:
    definition = log.deploy()
    stuck, done = new_key(), new_key()
    log.append(stuck, started(definition, business_id="B"), e.ElementPassed(10, "start", 0), *service_task(20))
    log.append(stuck, e.IncidentRaised(22, 20, "work", "JOB_NO_RETRIES", "a", 21))
    log.append(
        stuck, e.IncidentRaised(23, 20, "work", "IO_MAPPING_ERROR", "b"), *user_task(30), e.ElementTerminated(30)
    )
    log.append(done, *one_task_instance(definition))
    caught_up()
    one = {item.pop("elementId"): item for item in ask.run(ask.queries.element_statistics(stuck))}
    assert one == {
        "start": {"active": 0, "canceled": 0, "incidents": 0, "completed": 1},
        "work": {"active": 0, "canceled": 0, "incidents": 1, "completed": 0},
        "review": {"active": 0, "canceled": 1, "incidents": 0, "completed": 0},
    }
    every = ask.run(ask.queries.definition_statistics(definition, {}))
    work = next(item for item in every if item["elementId"] == "work")
    assert (work["incidents"], work["completed"]) == (1, 1)
    some = ask.run(ask.queries.definition_statistics(definition, {"state": "COMPLETED"}))
    assert {item["elementId"]: item["completed"] for item in some} == {"start": 1, "work": 1, "end": 1}
    with pytest.raises(InvalidArgument, match="is not a filter field"):
        ask.run(ask.queries.definition_statistics(definition, {"nonsense": 1}))


def test_the_call_hierarchy_begins_with_the_outermost(log: Log, caught_up: Callable[..., int], ask: Ask) -> None:
    definition = log.deploy()
    grandparent, parent, child = new_key(), new_key(), new_key()
    log.append(grandparent, started(definition))
    log.append(parent, started(definition, parent_key=grandparent, root_key=grandparent))
    log.append(child, started(definition, parent_key=parent, root_key=grandparent))
    caught_up()
    hierarchy = ask.run(ask.queries.call_hierarchy(child))
    assert [item["processInstanceKey"] for item in hierarchy] == [str(grandparent), str(parent), str(child)]
    assert hierarchy[0]["processDefinitionName"] == "Review"
    assert ask.get(Entity.PROCESS_INSTANCES, child)["rootProcessInstanceKey"] == str(grandparent)


def test_decision_instances_show_inputs_rules_and_failures(log: Log, caught_up: Callable[..., int], ask: Ask) -> None:
    requirements, decision = log.deploy_decisions()
    key, alone = new_key(), new_key()
    log.append(key, started(5), *service_task(20, "decide"))
    log.append(key, e.DecisionEvaluated(50, 20, "decide", "level", decision, requirements, 1, 2, EVALUATED))
    failed = DecisionEvaluatedAlone(
        "level", decision, requirements, 1, {"amount": 7}, None, [], "two rules hit", "level"
    )
    log.append(alone, failed)
    caught_up()
    item = ask.run(ask.queries.decision_instance(f"{key + 50}-1"))
    read = sdk.DecisionInstanceGetQueryResult.from_dict(dict(item))
    assert (read.result, read.evaluated_inputs[0].input_value) == ("2", "7")
    assert read.matched_rules[0].evaluated_outputs[0].output_value == "2"
    assert (item["decisionDefinitionKey"], item["elementInstanceKey"]) == (str(decision), str(key + 20))
    (bad,) = ask.items(Entity.DECISION_INSTANCES, filter={"state": "FAILED"})
    assert (bad["evaluationFailure"], bad["processInstanceKey"]) == ("two rules hit", None)
    with pytest.raises(InvalidArgument, match="must be like"):
        ask.run(ask.queries.decision_instance(str(key + 50)))


def test_answers_say_how_fresh_they_are(log: Log, caught_up: Callable[..., int], ask: Ask) -> None:
    assert ask.search(Entity.JOBS).freshness.position == 0
    head = log.append(new_key(), started(1))
    assert ask.run(ask.queries.lag()) == 1
    caught_up()
    fresh = ask.search(Entity.JOBS).freshness
    assert (fresh.position, fresh.reflects_at) == (head, START // 1000 + 1000)
    assert ask.run(ask.queries.lag()) == 0


def test_reads_wait_for_writes(log: Log, caught_up: Callable[..., int], ask: Ask) -> None:
    head = log.append(new_key(), started(1))
    assert not ask.run(ask.queries.wait_for(head, 0.05))
    later = threading.Thread(target=caught_up)
    later.start()
    assert ask.run(ask.queries.wait_for(head, 20))
    later.join()
    assert ask.run(ask.queries.wait_for(head, 0))


def test_a_thousand_waiting_readers_cost_one_poll_at_a_time() -> None:
    polls = 0

    async def read() -> int:
        nonlocal polls
        polls += 1
        await asyncio.sleep(0)
        return 10 if polls > 2 else 1

    async def wait() -> list[bool]:
        watcher = PositionWatcher(read)
        found = await asyncio.gather(*(watcher.wait_for(position % 12, 0.2) for position in range(1200)))
        await watcher.close()
        return found

    found = asyncio.run(wait())
    assert found == [position % 12 <= 10 for position in range(1200)]
    assert polls < 100


def test_a_lost_server_is_said_to_be_away(database: str) -> None:
    async def ask_away() -> None:
        async with PostgresQueries(database) as queries:
            await queries.freshness()
            with psycopg.connect(database, autocommit=True) as connection:
                connection.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            with pytest.raises(StorageUnavailable):
                await queries.freshness()
            assert (await queries.freshness()).position == 0

    asyncio.run(ask_away())
