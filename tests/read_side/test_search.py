"""Searches: filter → rows, sort, pages, and what is said about requests that are wrong."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from domain.errors import InvalidArgument
from domain.process_instance import events as e
from infra.embedded.postgres import EmbeddedPostgres
from infra.postgres.queries_fields import like_pattern
from infra.postgres.read_models import rebuild
from projections.queries import Entity, SearchRequest
from tests.read_side.conftest import Ask
from tests.read_side.streams import SECOND, START, Log, new_key, one_task_instance, service_task, started, user_task


class World:
    """Five instances of two definitions in two tenants, by the letters that the tests call them."""

    def __init__(self, url: str) -> None:
        log = Log(url)
        self.first, self.second = log.deploy(), log.deploy(version=2, name="Review, new")
        self.foreign = log.deploy(tenant="acme", id="other-process", name="")
        self.form = log.deploy_form("claim")
        self.a, self.b, self.c, self.d, self.x = (new_key() for _ in range(5))
        log.append(self.a, *one_task_instance(self.first))
        variables = {"customer": "Ünal", "amount": 12.5, "nested": {"k": [1]}}
        log.append(self.b, started(self.second, variables=variables, business_id="B-1", tags=["hot", "vip"]))
        log.append(self.b, *user_task(20, assignee="kim", candidate_groups=["finance"], due=START + 90 * SECOND))
        log.append(self.b, e.VariablesSet(20, {"local": True, "customer": "inner"}, [30, 31]))
        log.append(self.c, started(self.second, business_id="B-2", tags=["hot"], parent_key=self.b, root_key=self.b))
        log.append(self.c, *service_task(20), e.JobActivated(21, "w", START), e.JobFailed(21, 1, 0, "100% _odd_"))
        log.append(self.c, e.IncidentRaised(22, 20, "work", "JOB_NO_RETRIES", "it broke", 21))
        log.append(
            self.d, started(self.second), *user_task(20, priority=80, candidate_users=["lee"], candidate_groups=["hr"])
        )
        log.append(self.d, e.UserTaskCompleted(21), e.ElementCompleted(20))
        log.append(self.d, *user_task(30), e.InstanceTerminated("over"))
        log.append(self.x, started(self.foreign, variables={"amount": 5000}), *service_task(20), tenant="acme")
        block = new_key()
        self.far = block - self.x
        log.append(self.x, e.KeyBlockReserved(self.far), *service_task(self.far + 1, "far"), tenant="acme")
        rebuild(url)
        self.ask = Ask(url)

    def letters(self, entity: Entity, filter: dict[str, Any], **request: Any) -> str:
        """Whose rows are found, in order."""
        names = {str(getattr(self, letter)): letter for letter in "abcdx"}
        items = self.ask.items(entity, filter=filter, **request)
        return "".join(names[item["processInstanceKey"]] for item in items)


@pytest.fixture(scope="module")
def world(module_database: str, postgres: EmbeddedPostgres) -> Iterator[World]:
    made = World(module_database)
    yield made
    made.ask.close()


INSTANCE_FILTERS: list[tuple[dict[str, Any], str]] = [
    ({}, "abcdx"),
    ({"state": "ACTIVE"}, "bcx"),
    ({"state": {"$eq": "TERMINATED"}}, "d"),
    ({"state": {"$neq": "ACTIVE"}}, "ad"),
    ({"state": {"$in": ["COMPLETED", "TERMINATED"]}}, "ad"),
    ({"state": {"$notIn": ["COMPLETED", "TERMINATED"]}}, "bcx"),
    ({"state": {"$like": "*TE?"}}, "ad"),
    ({"state": {"$like": "*TE*"}}, "ad"),
    ({"state": {"$like": "ACTIV?"}}, "bcx"),
    ({"businessId": "B-1"}, "b"),
    ({"businessId": {"$exists": True}}, "bc"),
    ({"businessId": {"$exists": False}}, "adx"),
    ({"businessId": {"$neq": "B-1"}}, "acdx"),
    ({"businessId": {"$like": "B-?"}}, "bc"),
    ({"businessId": {"$like": "B%"}}, ""),
    ({"businessId": {"$in": []}}, ""),
    ({"processDefinitionId": "other-process"}, "x"),
    ({"processDefinitionName": {"$like": "Review, *"}}, "bcd"),
    ({"processDefinitionVersion": {"$gt": 1, "$lt": 3}}, "bcd"),
    ({"processDefinitionVersion": {"$gte": 1, "$lte": 1}}, "ax"),
    ({"processDefinitionVersionTag": "v2"}, "bcd"),
    ({"hasIncident": True}, "c"),
    ({"hasIncident": {"$neq": True}}, "abdx"),
    ({"errorMessage": {"$like": "it *"}}, "c"),
    ({"errorMessage": "it"}, ""),
    ({"hasRetriesLeft": True}, "c"),
    ({"tags": ["hot"]}, "bc"),
    ({"tags": ["vip", "hot"]}, "b"),
    ({"tenantId": "<default>"}, "abcd"),
    ({"tenantId": {"$like": "a*"}}, "x"),
    ({"parentProcessInstanceKey": {"$exists": True}}, "c"),
    ({"elementId": "work"}, "acx"),
    ({"elementId": "work", "elementInstanceState": "ACTIVE"}, "cx"),
    ({"elementId": "review", "elementInstanceState": "TERMINATED"}, "d"),
    ({"elementId": "start", "elementInstanceState": "ACTIVE"}, ""),
    ({"elementId": "work", "hasElementInstanceIncident": True}, "c"),
    ({"endDate": {"$exists": False}}, "bcx"),
    ({"suspendedDate": {"$exists": True}}, ""),
    ({"batchOperationKey": "1"}, ""),
    ({"variables": [{"name": "amount", "value": "5000"}]}, "ax"),
    ({"variables": [{"name": "amount", "value": "12.5"}]}, "b"),
    ({"variables": [{"name": "customer", "value": '"Ünal"'}, {"name": "amount", "value": {"$neq": "1"}}]}, "b"),
    ({"variables": [{"name": "customer", "value": '"\\u00dcnal"'}]}, "b"),
    ({"variables": [{"name": "nested", "value": '{ "k" : [ 1 ] }'}]}, "b"),
    ({"variables": [{"name": "customer", "value": {"$like": '"Ü*"'}}]}, "b"),
    ({"variables": [{"name": "amount", "value": {"$in": ["5000", "12.5"]}}]}, "abx"),
    ({"variables": [{"name": "amount", "value": {"$exists": True}}]}, "abx"),
    ({"variables": [{"name": "amount", "value": {"$exists": False}}]}, "cd"),
    ({"$or": [{"businessId": "B-1"}, {"state": "TERMINATED"}]}, "bd"),
    ({"state": "ACTIVE", "$or": [{"hasIncident": True}, {"tenantId": "acme"}]}, "cx"),
    ({"$or": [{"elementId": "far"}, {"variables": [{"name": "local", "value": "true"}]}]}, "bx"),
    ({"$or": [{}]}, "abcdx"),
]


@pytest.mark.parametrize(("filter", "found"), INSTANCE_FILTERS, ids=lambda value: str(value)[:60])
def test_process_instances_are_found(world: World, filter: dict[str, Any], found: str) -> None:
    assert world.letters(Entity.PROCESS_INSTANCES, filter) == found


TASK_FILTERS: list[tuple[dict[str, Any], str]] = [
    ({}, "bdd"),
    ({"state": "CREATED"}, "b"),
    ({"state": {"$in": ["COMPLETED", "CANCELED"]}}, "dd"),
    ({"assignee": "kim"}, "b"),
    ({"assignee": {"$exists": False}}, "dd"),
    ({"candidateGroup": "finance"}, "b"),
    ({"candidateGroup": {"$in": ["finance", "hr"]}}, "bd"),
    ({"candidateGroup": {"$neq": "finance"}}, "dd"),
    ({"candidateGroup": {"$notIn": ["hr"]}}, "bd"),
    ({"candidateGroup": {"$like": "fin*"}}, "b"),
    ({"candidateGroup": {"$exists": True}}, "bd"),
    ({"candidateUser": "lee"}, "d"),
    ({"priority": {"$gt": 50}}, "d"),
    ({"priority": 50}, "bd"),
    ({"name": "Review the claim"}, "bdd"),
    ({"dueDate": {"$exists": True}}, "b"),
    ({"dueDate": "2027-01-15T08:01:30.000Z"}, "b"),
    ({"dueDate": {"$lt": "2027-01-15T09:01:31+01:00"}}, "b"),
    ({"dueDate": {"$gt": "2027-01-15T08:01:30Z"}}, ""),
    ({"processInstanceVariables": [{"name": "customer", "value": '"Ünal"'}]}, "b"),
    ({"processInstanceVariables": [{"name": "local", "value": "true"}]}, ""),
    ({"localVariables": [{"name": "local", "value": "true"}]}, "b"),
    ({"tags": ["vip"]}, "b"),
    ({"businessId": {"$like": "*1"}}, "b"),
    ({"$or": [{"assignee": "kim"}, {"candidateUser": "lee"}]}, "bd"),
]


@pytest.mark.parametrize(("filter", "found"), TASK_FILTERS, ids=lambda value: str(value)[:60])
def test_user_tasks_are_found(world: World, filter: dict[str, Any], found: str) -> None:
    assert world.letters(Entity.USER_TASKS, filter) == found


def test_other_entities_are_found(world: World) -> None:
    assert world.letters(Entity.JOBS, {"state": "FAILED", "hasFailedWithRetriesLeft": True}) == "c"
    assert world.letters(Entity.JOBS, {"type": {"$like": "w*"}, "worker": "w"}) == "c"
    assert world.letters(Entity.JOBS, {"errorMessage": {"$like": r"100% \_odd_"}}) == "c"
    assert world.letters(Entity.INCIDENTS, {"state": "ACTIVE", "errorType": "JOB_NO_RETRIES"}) == "c"
    assert world.letters(Entity.ELEMENT_INSTANCES, {"type": "USER_TASK", "state": "ACTIVE"}) == "b"
    assert world.letters(Entity.ELEMENT_INSTANCES, {"hasIncident": True}) == "c"
    assert world.letters(Entity.VARIABLES, {"name": "amount"}) == "abx"
    assert world.letters(Entity.VARIABLES, {"value": "5000", "isTruncated": False}) == "ax"
    names = [item["name"] for item in world.ask.items(Entity.PROCESS_DEFINITIONS, filter={"isLatestVersion": True})]
    assert names == ["Review, new", "Review of a claim"]


def test_keys_of_parts_lead_to_them_in_every_block(world: World) -> None:
    for local in (20, world.far + 1):
        item = world.ask.get(Entity.ELEMENT_INSTANCES, world.x + local)
        assert item["processInstanceKey"] == str(world.x)
    far = str(world.x + world.far + 2)
    assert world.letters(Entity.JOBS, {"jobKey": far}) == "x"
    assert world.letters(Entity.JOBS, {"jobKey": {"$in": [far, str(world.c + 21)]}}) == "cx"
    assert world.letters(Entity.JOBS, {"elementInstanceKey": str(world.x + world.far + 1)}) == "x"
    assert world.letters(Entity.INCIDENTS, {"jobKey": str(world.c + 21)}) == "c"


def test_a_reader_sees_its_tenants_only(world: World) -> None:
    for entity in Entity:
        seen = {item["tenantId"] for item in world.ask.search(entity, tenants=["acme"]).items}
        assert seen <= {"acme"}, entity
    assert world.ask.search(Entity.PROCESS_INSTANCES, tenants=[]).items == []
    assert len(world.ask.search(Entity.PROCESS_INSTANCES, tenants=["", "acme"]).items) == 5


SORTS: list[tuple[list[dict[str, str]], str]] = [
    ([{"field": "processInstanceKey", "order": "DESC"}], "xdcba"),
    ([{"field": "businessId", "order": "ASC"}], "bcadx"),
    ([{"field": "businessId", "order": "desc"}], "cbxda"),
    ([{"field": "state"}], "bcxad"),
    ([{"field": "hasIncident", "order": "DESC"}, {"field": "processInstanceKey", "order": "DESC"}], "cxdba"),
    ([{"field": "processDefinitionVersion"}, {"field": "startDate", "order": "DESC"}], "xadcb"),
    ([{"field": "endDate"}], "adbcx"),
]


@pytest.mark.parametrize(("sort", "order"), SORTS, ids=str)
def test_sorting_puts_absent_values_last(world: World, sort: list[dict[str, str]], order: str) -> None:
    assert world.letters(Entity.PROCESS_INSTANCES, {}, sort=sort) == order


@pytest.mark.parametrize(("sort", "order"), SORTS, ids=str)
@pytest.mark.parametrize("limit", [1, 2, 4])
def test_cursors_lead_through_all_rows_and_back(
    world: World, sort: list[dict[str, str]], order: str, limit: int
) -> None:
    pages: list[str] = []
    page: dict[str, Any] = {"limit": limit}
    while True:
        found = world.ask.search(Entity.PROCESS_INSTANCES, sort=sort, page=page)
        assert found.page.total_items == 5
        if not found.items:
            break
        pages.append(world.letters(Entity.PROCESS_INSTANCES, {}, sort=sort, page=page))
        first, page = found.page.start_cursor, {"limit": limit, "after": found.page.end_cursor}
    assert "".join(pages) == order
    back = world.letters(Entity.PROCESS_INSTANCES, {}, sort=sort, page={"limit": limit, "before": first})
    assert back == order[: len(order) - len(pages[-1])][-limit:]


def test_offset_pages_and_an_empty_page(world: World) -> None:
    assert world.letters(Entity.PROCESS_INSTANCES, {}, page={"from": 3, "limit": 5}) == "dx"
    none = world.ask.search(Entity.PROCESS_INSTANCES, page={"from": 9})
    assert (none.items, none.page.total_items, none.page.start_cursor) == ([], 5, None)
    assert world.ask.search(Entity.PROCESS_INSTANCES, page={"limit": 0}).page.total_items == 5


def test_a_page_stays_in_place_when_rows_are_added_before_it(database: str) -> None:
    log = Log(database)
    keys = [new_key() for _ in range(4)]
    for key in keys[1:]:
        log.append(key, started(1))
    rebuild(database)
    ask = Ask(database)
    first = ask.search(Entity.PROCESS_INSTANCES, page={"limit": 2})
    log.append(keys[0], started(1))
    rebuild(database)
    second = ask.items(Entity.PROCESS_INSTANCES, page={"limit": 2, "after": first.page.end_cursor})
    assert [item["processInstanceKey"] for item in second] == [str(keys[3])]
    ask.close()


ERRORS: list[tuple[Entity, dict[str, Any], str]] = [
    (
        Entity.PROCESS_INSTANCES,
        {"filter": {"stat": "ACTIVE"}},
        r"'filter\.stat' is not a filter field: did you mean 'state'\? the filter fields of a process instance are ",
    ),
    (Entity.PROCESS_INSTANCES, {"filter": {"state": "RUNNING"}}, r"'filter\.state' must be one of ACTIVE, COMPLETED"),
    (Entity.PROCESS_INSTANCES, {"filter": {"state": {"$gt": "ACTIVE"}}}, r"'filter\.state\.\$gt' is not an operator"),
    (Entity.PROCESS_INSTANCES, {"filter": {"businessId": {"$lik": "x"}}}, r"did you mean '\$like'\?"),
    (Entity.PROCESS_INSTANCES, {"filter": {"businessId": {}}}, "has no operator"),
    (Entity.PROCESS_INSTANCES, {"filter": {"businessId": 5}}, "must be a string, not 5"),
    (Entity.PROCESS_INSTANCES, {"filter": {"businessId": "a\0"}}, r"U\+0000"),
    (Entity.PROCESS_INSTANCES, {"filter": {"processInstanceKey": "12x"}}, "must be a key"),
    (Entity.PROCESS_INSTANCES, {"filter": {"processInstanceKey": str(1 << 64)}}, "must be a key"),
    (Entity.PROCESS_INSTANCES, {"filter": {"startDate": "yesterday"}}, "must be a date-time such as"),
    (Entity.PROCESS_INSTANCES, {"filter": {"startDate": "2027-01-01T00:00:00"}}, "needs a zone or offset"),
    (Entity.PROCESS_INSTANCES, {"filter": {"processDefinitionVersion": True}}, "must be an integer, not True"),
    (Entity.PROCESS_INSTANCES, {"filter": {"processDefinitionVersion": 1 << 70}}, "must be an integer"),
    (Entity.PROCESS_INSTANCES, {"filter": {"hasIncident": "yes"}}, "must be true or false"),
    (Entity.PROCESS_INSTANCES, {"filter": {"state": {"$in": "ACTIVE"}}}, r"'filter\.state\.\$in' must be a list"),
    (Entity.PROCESS_INSTANCES, {"filter": {"state": {"$in": ["ACTIVE", "NO"]}}}, r"\$in\[1\]' must be one of"),
    (Entity.PROCESS_INSTANCES, {"filter": {"state": {"$exists": 1}}}, "must be true or false"),
    (Entity.PROCESS_INSTANCES, {"filter": {"$or": {}}}, r"'filter\.\$or' must be a list"),
    (Entity.PROCESS_INSTANCES, {"filter": {"$or": [{"$or": [{}]}]}}, "cannot stand inside another"),
    (Entity.PROCESS_INSTANCES, {"filter": {"$or": [{"x": 1}]}}, r"'filter\.\$or\[0\]\.x' is not a filter field"),
    (Entity.PROCESS_INSTANCES, {"filter": {"tags": "hot"}}, r"'filter\.tags' must be a list of at most 1000 strings"),
    (Entity.PROCESS_INSTANCES, {"filter": {"variables": [{"name": "a"}]}}, "with a 'name' and a 'value'"),
    (Entity.PROCESS_INSTANCES, {"filter": {"variables": [{"name": "a", "value": "kim"}]}}, "with its quotes"),
    (
        Entity.PROCESS_INSTANCES,
        {"filter": {"variables": [{"name": "a", "value": "1", "x": 1}]}},
        r"\[0\]\.x' is not a member",
    ),
    (Entity.PROCESS_INSTANCES, {"filter": {"variables": {"a": 1}}}, "must be a list like"),
    (Entity.USER_TASKS, {"filter": {"candidateGroups": "x"}}, "did you mean 'candidateGroup'"),
    (
        Entity.PROCESS_INSTANCES,
        {"sort": [{"field": "startdate"}]},
        r"'sort\[0\]\.field' 'startdate' is not a sort field: did you mean 'startDate'",
    ),
    (Entity.PROCESS_INSTANCES, {"sort": [{"field": "state", "order": "UP"}]}, "must be ASC or DESC"),
    (Entity.PROCESS_INSTANCES, {"sort": ["state"]}, r"'sort\[0\]' must be an object"),
    (Entity.PROCESS_INSTANCES, {"page": {"limit": 10_001}}, r"'page\.limit' must be a number from 0 to 10000"),
    (Entity.PROCESS_INSTANCES, {"page": {"from": 20_000}}, "use 'after' with a page's endCursor"),
    (Entity.PROCESS_INSTANCES, {"page": {"size": 1}}, r"'page\.size' is not known"),
    (Entity.PROCESS_INSTANCES, {"page": {"after": "x", "before": "y"}}, "one of them at a time"),
    (Entity.PROCESS_INSTANCES, {"page": {"after": "not base64!"}}, "not a cursor that this search gave out"),
    (Entity.PROCESS_INSTANCES, {"page": {"after": "WzFd"}}, "not a cursor that this search gave out"),
    (Entity.PROCESS_INSTANCES, {"page": []}, "'page' must be an object, not list"),
    (Entity.PROCESS_INSTANCES, {"filters": {}}, "'filters' is not a member of a search request"),
]


@pytest.mark.parametrize(("entity", "request_body", "message"), ERRORS, ids=lambda value: str(value)[:70])
def test_a_wrong_request_is_told_what_would_be_right(
    world: World, entity: Entity, request_body: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidArgument, match=message) as refused:
        world.ask.search(entity, **request_body)
    assert refused.value.field


def test_a_cursor_of_another_order_is_refused(world: World) -> None:
    cursor = world.ask.search(Entity.PROCESS_INSTANCES, page={"limit": 1}).page.end_cursor
    with pytest.raises(InvalidArgument, match="another 'sort'"):
        world.ask.search(Entity.PROCESS_INSTANCES, sort=[{"field": "state"}], page={"after": cursor})


def test_a_request_is_an_object(world: World) -> None:
    assert SearchRequest.parse(None) == SearchRequest()
    with pytest.raises(InvalidArgument, match="a search request is a JSON object"):
        SearchRequest.parse([])


def test_sql_in_values_stays_a_value(world: World) -> None:
    for text in ("'; DROP TABLE read_model.jobs; --", "%s", "\\", "{}", '"'):
        assert world.letters(Entity.PROCESS_INSTANCES, {"businessId": text}) == ""
        assert world.letters(Entity.PROCESS_INSTANCES, {"businessId": {"$like": text}}) == ""
    assert len(world.ask.items(Entity.JOBS)) == 4


def test_a_filter_has_a_bounded_number_of_conditions(world: World) -> None:
    with pytest.raises(InvalidArgument, match="at most 500 conditions"):
        world.ask.search(Entity.PROCESS_INSTANCES, filter={"$or": [{"state": "ACTIVE"}] * 501})


@pytest.mark.parametrize(
    ("pattern", "sql"),
    [
        ("a*b?c", "a%b_c"),
        (r"\*\?\\", r"*?\\"),
        ("50%_", r"50\%\_"),
        ("end\\", r"end\\"),
    ],
)
def test_wildcards_become_those_of_sql(pattern: str, sql: str) -> None:
    assert like_pattern(pattern, "x") == sql


def test_every_field_can_be_filtered_sorted_and_shown(world: World) -> None:
    from infra.postgres.queries_entities import ENTITIES

    for name, entity in ENTITIES.items():
        for field_name, field in entity.fields.items():
            if field.sorted:
                world.ask.search(name, sort=[{"field": field_name}], page={"limit": 1})
            if field.filtered and field.kind.name != "ALL_OF" and field.kind.name != "BOOLEAN":
                world.ask.search(name, filter={field_name: {"$exists": True}})
            if field.filtered and field.kind.name in ("KEY", "TEXT", "TENANT", "MEMBERS", "JSON_TEXT"):
                value = "1"
                operators = {"$eq": value, "$neq": value, "$in": [value], "$notIn": [value]}
                assert world.ask.search(name, filter={field_name: operators}).items == []
        assert list(world.ask.items(name)[0] if world.ask.items(name) else {}) in ([], list(_shown(entity)))


def _shown(entity: Any) -> list[str]:
    return [name for name, field in entity.fields.items() if field.shown]
