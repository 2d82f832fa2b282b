"""The read side's ports: what can be asked of the read models and of the log's history. infra/postgres/queries.py
answers; the API passes items through as they are, in the shapes of the v2 API: keys as decimal strings, dates as
ISO 8601 in UTC with milliseconds, the default tenant as "<default>".

`tenants` limits what a reader may see: None is everything, otherwise only rows of these tenants ("" is the default).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, Protocol

import msgspec

from domain.errors import InvalidArgument

Item = dict[str, Any]
Tenants = Sequence[str] | None

DEFAULT_TENANT = "<default>"
DEFAULT_LIMIT = 100
MAX_LIMIT = 10_000
COUNT_LIMIT = 10_000
TRUNCATE_AT = 8_191


class Entity(StrEnum):
    """What can be searched and got by key, by the v2 API's path."""

    PROCESS_DEFINITIONS = "process-definitions"
    PROCESS_INSTANCES = "process-instances"
    ELEMENT_INSTANCES = "element-instances"
    VARIABLES = "variables"
    USER_TASKS = "user-tasks"
    INCIDENTS = "incidents"
    JOBS = "jobs"
    FORMS = "forms"
    DECISION_DEFINITIONS = "decision-definitions"
    DECISION_REQUIREMENTS = "decision-requirements"
    DECISION_INSTANCES = "decision-instances"
    MESSAGE_SUBSCRIPTIONS = "message-subscriptions"
    CORRELATED_MESSAGE_SUBSCRIPTIONS = "correlated-message-subscriptions"


class Freshness(msgspec.Struct, frozen=True):
    """How fresh an answer is: it shows at least all events up to log position `position`; the last of them was recorded
    at `reflects_at` (ms since the Unix epoch, 0: nothing yet)."""

    position: int
    reflects_at: int


class Page(msgspec.Struct, frozen=True, rename="camel"):
    """The v2 API's page object. total_items is exact up to 10,000."""

    total_items: int
    has_more_total_items: bool
    start_cursor: str | None = None
    end_cursor: str | None = None


class SearchResult(msgspec.Struct, frozen=True):
    """What a search found. `freshness` goes into a header; items and page are the body."""

    items: list[Item]
    page: Page
    freshness: Freshness


class SearchRequest(msgspec.Struct, frozen=True):
    """A v2 search request, its outer shape checked; fields, operators and cursors are checked by the search itself."""

    filter: dict[str, Any] = {}
    sort: list[dict[str, Any]] = []
    page: dict[str, Any] = {}

    @classmethod
    def parse(cls, body: object) -> SearchRequest:
        """From decoded JSON (None: everything, by key). Raises InvalidArgument naming the member that is wrong."""
        if body is None:
            return cls()
        if not isinstance(body, dict):
            raise InvalidArgument('a search request is a JSON object like {"filter": {…}, "sort": […], "page": {…}}')
        shapes: tuple[tuple[str, type, str], ...] = (
            ("filter", dict, "an object"),
            ("sort", list, "a list"),
            ("page", dict, "an object"),
        )
        unknown = sorted(set(body) - {name for name, _, _ in shapes})
        if unknown:
            raise InvalidArgument(
                f"'{unknown[0]}' is not a member of a search request: filter, sort and page are", unknown[0]
            )
        values: dict[str, Any] = {}
        for name, shape, called in shapes:
            value = body.get(name)
            if value is None:
                continue
            if not isinstance(value, shape):
                raise InvalidArgument(f"'{name}' must be {called}, not {type(value).__name__}", name)
            values[name] = value
        return cls(**values)


class Queries(Protocol):
    """Everything the API reads. Methods raise NotFound, InvalidArgument and StorageUnavailable."""

    async def search(
        self, entity: Entity, request: SearchRequest, tenants: Tenants = None, truncate_values: bool = True
    ) -> SearchResult:
        """Items of an entity by filter, in order, one page. truncate_values: only for variables."""
        ...

    async def get(self, entity: Entity, key: int, tenants: Tenants = None) -> Item:
        """One item by its key. Raises NotFound."""
        ...

    async def search_task_variables(
        self,
        task_key: int,
        request: SearchRequest,
        tenants: Tenants = None,
        effective: bool = False,
        truncate_values: bool = True,
    ) -> SearchResult:
        """The variables that a user task's element sees, of all scopes around it. effective: of those with the same
        name only the innermost."""
        ...

    async def definition_xml(self, definition_key: int, tenants: Tenants = None) -> str:
        """The BPMN XML as it was deployed. Raises NotFound."""
        ...

    async def requirements_xml(self, requirements_key: int, tenants: Tenants = None) -> str:
        """The DMN XML as it was deployed. Raises NotFound."""
        ...

    async def start_form(self, definition_key: int, tenants: Tenants = None) -> Item | None:
        """The newest version of the form that starts a process; None if it has none. Raises NotFound."""
        ...

    async def task_form(self, task_key: int, tenants: Tenants = None) -> Item | None:
        """The form of a user task; None if it has none. Raises NotFound."""
        ...

    async def deployment(self, deployment_key: int, tenants: Tenants = None) -> Item:
        """What one deployment brought (the v2 DeploymentResult). Raises NotFound."""
        ...

    async def decision_instance(self, id: str, tenants: Tenants = None) -> Item:
        """A decision instance by its decisionEvaluationInstanceKey ("<evaluation key>-<number>"), with evaluatedInputs
        and matchedRules. Raises NotFound."""
        ...

    async def sequence_flows(self, instance_key: int, tenants: Tenants = None) -> list[Item]:
        """The sequence flows that an instance has taken, each once, in order. Raises NotFound."""
        ...

    async def element_statistics(self, instance_key: int, tenants: Tenants = None) -> list[Item]:
        """Per element of an instance: active, completed, canceled, incidents. Raises NotFound."""
        ...

    async def definition_statistics(
        self, definition_key: int, filter: dict[str, Any], tenants: Tenants = None
    ) -> list[Item]:
        """The same over all instances of a definition that pass a process-instance filter. Raises NotFound."""
        ...

    async def call_hierarchy(self, instance_key: int, tenants: Tenants = None) -> list[Item]:
        """The instance and its callers, the outermost first. Raises NotFound."""
        ...

    async def history(self, instance_key: int, after: int = 0, limit: int = 100, tenants: Tenants = None) -> Item:
        """What happened in an instance after version `after`: {"items": […], "version": last, "total": n, "page": …},
        see projections/history.py. Raises NotFound."""
        ...

    async def state_at(self, instance_key: int, version: int | None = None, tenants: Tenants = None) -> Item:
        """The instance as it stood after version `version` (None: now), see projections/history.py."""
        ...

    async def freshness(self) -> Freshness:
        """How far the read models are."""
        ...

    async def lag(self) -> int:
        """How many events the read models are behind the log."""
        ...

    async def head(self) -> int:
        """The position of the newest event in the log."""
        ...

    async def wait_for(self, position: int, timeout: float) -> bool:
        """Whether the read models reach log position `position` within `timeout` seconds (read-your-writes)."""
        ...

    async def close(self) -> None:
        """Let go of all connections."""
        ...
