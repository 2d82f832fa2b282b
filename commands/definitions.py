"""The deployed definitions, found by id or key in the definition index and parsed from the log, both cached.

A parsed model never changes, so models are kept (the least recently used go first). What an id stands for changes with
every deployment: own deployments are seen at once (`on_commit` listens to the bus), those of other processes within
`refresh_after` seconds.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeVar

from commands.bus_batch import Emission
from commands.calendars import Calendars
from commands.handling import FAMILY
from commands.ports import EventLog, IndexedDefinition
from domain.bpmn.model import Binding, ProcessModel
from domain.calendar.arithmetic import Clockwork
from domain.dmn import Decisions, compile_files
from domain.errors import LogCorrupt, NotFound
from domain.events import REGISTRY, Event
from domain.process_definition.events import (
    DECISION,
    FORM,
    PROCESS,
    REQUIREMENTS,
    DecisionDeployed,
    DecisionsDeployed,
    ProcessDeployed,
)
from domain.process_definition.lookup import DecisionVersion, DeployedDecision

V = TypeVar("V")

MAX_NAMED = 5
MAX_IDS = 10_000

ParseModel = Callable[[bytes, str, str], ProcessModel]
"""(BPMN XML, BPMN process id, resource name) -> model."""

CompileDecisions = Callable[[bytes, Sequence[bytes]], Decisions]
"""(DMN XML, the files that it imports) -> compiled decisions."""


class _Known(NamedTuple):
    rows: Sequence[IndexedDefinition]  # newest first
    until: float


class _Graph(NamedTuple):
    decisions: Decisions
    versions: dict[str, DecisionVersion]


class _Loaded(NamedTuple):
    model: ProcessModel
    version: int
    deployment_key: int


class DeployedDefinitions:
    """Implements `commands.handling.Definitions`; thread-safe."""

    def __init__(
        self,
        log: EventLog,
        parse: ParseModel,
        *,
        compile: CompileDecisions = compile_files,
        models: int = 1_000,
        refresh_after: float = 1.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.calendars = Calendars(log, refresh_after=refresh_after, monotonic=monotonic)
        self._log = log
        self._parse = parse
        self._compile = compile
        self._limit = models
        self._refresh_after = refresh_after
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._deployments = 0
        self._models: dict[int, _Loaded] = {}
        self._graphs: dict[int, _Graph] = {}  # requirements key
        self._decisions: dict[int, DeployedDecision] = {}  # decision key
        self._known: dict[tuple[str, str, str], _Known] = {}  # kind, tenant, id

    def on_commit(self, emissions: Sequence[Emission]) -> None:
        """Listener of the command bus: forget what the ids that were just deployed stood for."""
        self.calendars.on_commit(emissions)
        if any(emission.ref.kind is FAMILY for emission in emissions):
            with self._lock:
                self._deployments += 1
                self._known.clear()

    def process(self, definition_key: int) -> ProcessModel:
        """The model of a process definition. Raises NotFound."""
        return self._loaded(definition_key).model

    def version_of(self, definition_key: int) -> int:
        """The version of a process definition. Raises NotFound."""
        return self._loaded(definition_key).version

    def find_process(self, tenant: str, bpmn_process_id: str, version: int = -1) -> int:
        """The definition key of a version of a process (-1: the latest). Raises NotFound, naming what is there."""
        rows = self._rows(PROCESS, tenant, bpmn_process_id)
        if not rows:
            raise NotFound(f"no process '{bpmn_process_id}' is deployed{_for(tenant)}; {self._deployed(tenant)}")
        if version == -1:
            return rows[0].key
        for row in rows:
            if row.version == version:
                return row.key
        versions = ", ".join(str(row.version) for row in reversed(rows[:MAX_NAMED]))
        raise NotFound(f"process '{bpmn_process_id}' has no version {version}{_for(tenant)}; its latest are {versions}")

    def find_form(self, tenant: str, form_id: str) -> int:
        """The key of the latest form with this id, 0 if there is none."""
        rows = self._rows(FORM, tenant, form_id)
        return rows[0].key if rows else 0

    def find_calendar(self, tenant: str, calendar_id: str) -> Clockwork | None:
        """The calendar with this id ("": the default one), None if there is none."""
        return self.calendars.find(tenant, calendar_id)

    def find_decision(
        self, tenant: str, decision_id: str, binding: Binding, version_tag: str = "", definition_key: int = 0
    ) -> DeployedDecision | None:
        """The decision that a binding means; DEPLOYMENT: the one deployed with process definition `definition_key`."""
        key = self._bound(DECISION, tenant, decision_id, binding, version_tag, definition_key)
        return self.decision(key) if key else None

    def find_called(
        self, tenant: str, bpmn_process_id: str, binding: Binding, version_tag: str, definition_key: int
    ) -> int:
        """The definition key of the process that a binding means, 0 if there is none."""
        return self._bound(PROCESS, tenant, bpmn_process_id, binding, version_tag, definition_key)

    def _bound(self, kind: str, tenant: str, id: str, binding: Binding, version_tag: str, definition_key: int) -> int:
        rows = self._rows(kind, tenant, id)
        match binding:
            case Binding.LATEST:
                found = rows[:1]
            case Binding.VERSION_TAG:
                found = [row for row in rows if row.version_tag == version_tag][:1]
            case Binding.DEPLOYMENT:
                deployment = self._loaded(definition_key).deployment_key
                found = [row for row in rows if row.deployment_key == deployment][:1]
        return found[0].key if found else 0

    def decision(self, decision_key: int) -> DeployedDecision:
        """The decision with this key. Raises NotFound."""
        known = self._decisions.get(decision_key)
        if known is None:
            rows = self._log.find_definitions(DECISION, None, key=decision_key)
            if not rows:
                raise NotFound(f"no decision with key '{decision_key}' is deployed")
            event = self._event(rows[0])
            assert isinstance(event, DecisionDeployed)
            graph = self._graph(event.requirements_key)
            keys = (decision_key, event.requirements_key, event.version)
            known = DeployedDecision(graph.decisions, event.decision_id, *keys, graph.versions)
            _keep(self._decisions, decision_key, known, self._limit, self._lock)
        return known

    def _graph(self, requirements_key: int) -> _Graph:
        graph = self._graphs.get(requirements_key)
        if graph is None:
            rows = self._log.find_definitions(REQUIREMENTS, None, key=requirements_key)
            if not rows:
                raise LogCorrupt(f"the definition index lacks the decision requirements '{requirements_key}'")
            event = self._event(rows[0])
            assert isinstance(event, DecisionsDeployed)
            columns = zip(event.decision_ids, event.decision_keys, event.decision_versions, strict=True)
            versions = {id: DecisionVersion(key, version) for id, key, version in columns}
            compiled = self._compile(event.source.encode(), [text.encode() for text in event.imports])
            graph = _Graph(compiled, versions)
            _keep(self._graphs, requirements_key, graph, self._limit, self._lock)
        return graph

    def _rows(self, kind: str, tenant: str, id: str) -> Sequence[IndexedDefinition]:
        now = self._monotonic()
        known = self._known.get((kind, tenant, id))
        if known is not None and now < known.until:
            return known.rows
        deployments = self._deployments
        rows = self._log.find_definitions(kind, tenant, id)
        with self._lock:
            if len(self._known) >= MAX_IDS:
                self._known.clear()
            if deployments == self._deployments:  # else they may be older than a deployment that was heard of meanwhile
                self._known[kind, tenant, id] = _Known(rows, now + self._refresh_after)
        return rows

    def _deployed(self, tenant: str) -> str:
        """What there is, for the message to somebody who asked for what there is not."""
        ids = sorted({row.id for row in self._log.find_definitions(PROCESS, tenant)})
        if not ids:
            return "none is deployed yet"
        named = ", ".join(f"'{id}'" for id in ids[:MAX_NAMED])
        more = f" and {len(ids) - MAX_NAMED} more" if len(ids) > MAX_NAMED else ""
        return f"deployed are {named}{more}"

    def _loaded(self, key: int) -> _Loaded:
        loaded = self._models.get(key)
        if loaded is None:
            loaded = self._load(key)
            _keep(self._models, key, loaded, self._limit, self._lock)
        return loaded

    def _load(self, key: int) -> _Loaded:
        rows = self._log.find_definitions(PROCESS, None, key=key)
        if not rows:
            raise NotFound(f"no process definition with key '{key}' is deployed")
        event = self._event(rows[0])
        assert isinstance(event, ProcessDeployed)
        model = self._parse(event.source.encode(), event.bpmn_process_id, event.resource_name)
        return _Loaded(model, event.version, event.deployment_key)

    def _event(self, row: IndexedDefinition) -> Event:
        """The event that an index row points to."""
        for stored in self._log.load([row.stream], snapshots=False).get(row.stream, ()):
            if stored.version == row.stream_version:
                return REGISTRY.decode(stored.topic, stored.state)[1]
        raise LogCorrupt(f"the definition index names version {row.stream_version} of {row.stream}, which is not there")


def _keep(cache: dict[int, V], key: int, value: V, limit: int, lock: threading.Lock) -> None:
    """Remember a value, the oldest go first."""
    with lock:
        while len(cache) >= limit:
            cache.pop(next(iter(cache)))
        cache[key] = value


def _for(tenant: str) -> str:
    return f" for tenant '{tenant}'" if tenant else ""
