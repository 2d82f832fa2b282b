"""Events → rows of the monitoring store. `Folding` keeps what it knows of each instance (facts.py) and gives, for each
batch of events, the rows that changed: net, one a visit, instance or incident, whatever happened to it in the batch.

Every row is keyed by what it is about and carries the instance's version at its last change: ClickHouse keeps the
highest (ReplacingMergeTree), so rows may be written twice, late, or in another order, and nothing changes.

The rows hold no business data: of variables only the dimensions and what says a task's outcome (outcome.py).
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from domain.bpmn import load_model
from domain.calendar.arithmetic import Clockwork
from domain.calendar.events import CalendarDefined, CalendarDeleted, CalendarStream
from domain.calendar.events import evolve as evolve_calendar
from domain.calendar.model import DEFAULT_ID, STANDARD
from domain.decision.events import DecisionEvaluatedAlone
from domain.events import REGISTRY, Envelope, Event, Recorded
from domain.keys import MAX_KEY
from domain.messages.events import EVENTS as MESSAGES
from domain.process_definition.events import DecisionDeployed, DecisionsDeployed, FormDeployed, ProcessDeployed
from domain.process_instance import events as e
from projections.monitoring import facts, outcome
from projections.monitoring.instance import DIMENSIONS, Dimensions, Instance, RunState
from projections.monitoring.working_time import slots

Row = Sequence[Any]
Rows = dict[str, list[Row]]
"""Table name → rows, in the order of COLUMNS. Times are seconds (floats with exact micro- or milliseconds)."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    "events": (
        "tenant", "bpmn_process_id", "instance_key", "version", "definition_version", "position", "at", "topic",
        "actor", "detail",
    ),
    "visits": (
        "tenant", "bpmn_process_id", "instance_key", "local", "version", "definition_version", "element_id", "kind",
        "number", "source", "flow", "created_at", "claimed_at", "ended_at", "state", "due_at", "warned_at",
        "breached_at", "level", "failures", "assignee", "actor", "outcome", "reason", "department", "label",
    ),
    "instances": (
        "tenant", "bpmn_process_id", "instance_key", "version", "definition_version", "definition_key", "parent_key",
        "root_key", "business_id", "started_at", "ended_at", "state", "rejections", "reworks", "reason", "breaches",
        "incidents", "interventions", "department", "initiator", "label", "path",
    ),
    "incidents": (
        "tenant", "bpmn_process_id", "instance_key", "local", "version", "definition_version", "element_id", "type",
        "message", "created_at", "ended_at", "department", "label",
    ),
    "interventions": (
        "tenant", "bpmn_process_id", "instance_key", "version", "definition_version", "at", "kind", "actor",
        "element_id", "reason", "department", "label",
    ),
    "definitions": ("tenant", "bpmn_process_id", "definition_version", "definition_key", "name", "deployed_at"),
    "elements": ("tenant", "bpmn_process_id", "definition_version", "element_id", "type", "name"),
    "calendar_slots": ("calendar", "slot", "work", "before", "serial"),
}  # fmt: skip

NOT_OF_INSTANCES: frozenset[type[Event]] = frozenset(
    {FormDeployed, DecisionsDeployed, DecisionDeployed, DecisionEvaluatedAlone, *MESSAGES}
)
"""Events of other streams that no figure needs."""

HEAVY: Mapping[str, Any] = {
    "variable_locals": [],
    "locals": [],
    "items": None,
    "inputs": {},
    "output": None,
    "evaluated": [],
}
"""Fields that the event table does not keep, and what stands there instead. `variables` keeps the few that count."""

DEFAULT_WEIGHT = 1_500_000
"""How many entries (elements, visits …; about 100 bytes each) are remembered before the instances that have not moved
for longest are forgotten; they are read back from the event table when they move again."""

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def untaken() -> set[type[Event]]:
    """Registered events that monitoring neither takes nor ignores (a test keeps this empty)."""
    known = {e.InstanceCreated, *_MAKE, *facts.FOLDS, *facts.IGNORED, *NOT_OF_INSTANCES}
    return set(REGISTRY.topics().values()) - known


def is_of_instance(recorded: Recorded) -> bool:
    """Whether an event belongs to an instance (definitions have streams with random ids)."""
    kind = type(recorded.event)
    return recorded.stream.int <= MAX_KEY and kind not in NOT_OF_INSTANCES and kind not in _MAKE


class Refused(NamedTuple):
    """An event that cannot be folded, and why; its stream stands still from here on."""

    recorded: Recorded
    reason: str


class Folded(NamedTuple):
    """What a batch of events gives."""

    rows: Rows
    refused: list[Refused]


Load = Callable[[Mapping[int, int]], Iterable[tuple[int, int, str, bytes]]]
"""From {instance key: version} the stored events *before* that version, in order: (key, version, topic, state)."""


class Folding:
    """Folds batch after batch. load: reads back what was forgotten (or was never known, after a start).

    Nothing is forgotten before its rows are in the store (`written`): it could not be read back.
    """

    def __init__(self, load: Load, dimensions: Dimensions = DIMENSIONS, weight: int = DEFAULT_WEIGHT) -> None:
        self._load = load
        self._dimensions = dimensions
        self._limit = weight
        self._kept = dimensions.names | outcome.NAMES
        self._slim = {kind: _slimming(kind, self._kept) for kind in REGISTRY.topics().values()}
        self._known: OrderedDict[int, Instance] = OrderedDict()
        self._ended: list[int] = []
        self._weights: dict[int, int] = {}
        self._weight = 0

    def forget(self) -> None:
        """Know nothing any more: the last batch was not written."""
        self._known.clear()
        self._ended.clear()
        self._weights.clear()
        self._weight = 0

    def fold(self, events: Iterable[Recorded]) -> Folded:
        """The rows of a batch. Events of a version that is known already are left out: they are repeats."""
        rows: Rows = {table: [] for table in COLUMNS}
        refused: list[Refused] = []
        by_instance: dict[int, list[Recorded]] = {}
        for recorded in events:
            if is_of_instance(recorded):
                by_instance.setdefault(recorded.stream.int, []).append(recorded)
            elif (make := _MAKE.get(type(recorded.event))) is not None:
                _try(make, rows, recorded, refused)
            elif type(recorded.event) not in NOT_OF_INSTANCES:
                refused.append(Refused(recorded, f"{recorded.event.topic} is of no stream that monitoring knows"))
        self._recall(by_instance)
        for key, own in by_instance.items():
            self._fold_instance(rows, self._known[key], own, refused)
        return Folded(rows, refused)

    def _recall(self, by_instance: dict[int, list[Recorded]]) -> None:
        """Know every instance of the batch as it was before its first event in it (or later)."""
        missing: dict[int, int] = {}
        for key, own in by_instance.items():
            if len(own) > 1:
                own.sort(key=_version)
            instance = self._known.get(key)
            first = own[0].version
            if instance is not None and instance.version >= first - 1:
                self._known.move_to_end(key)
                continue
            self._put(Instance(key))
            if first > 1:
                missing[key] = first
        if not missing:
            return
        for key, version, topic, state in self._load(missing):
            instance = self._known[key]
            envelope, event = REGISTRY.decode(topic, state)
            if version == instance.version + 1:
                facts.apply(instance, Recorded(_NO_STREAM, version, 0, envelope, event), self._dimensions)
        for key in missing:
            _clear(self._known[key])

    def _put(self, instance: Instance) -> None:
        self._known[instance.key] = instance
        self._known.move_to_end(instance.key)

    def _fold_instance(self, rows: Rows, instance: Instance, own: list[Recorded], refused: list[Refused]) -> None:
        events = rows["events"]
        dimensions, slim = self._dimensions, self._slim
        for recorded in own:
            if recorded.version <= instance.version:
                continue
            try:
                facts.apply(instance, recorded, dimensions)
            except Exception as error:
                refused.append(Refused(recorded, f"{type(error).__name__}: {error}"))
                self._drop(instance.key)
                break
            envelope, event = recorded.envelope, recorded.event
            thin = slim[type(event)]
            events.append(
                (
                    instance.tenant,
                    instance.process_id,
                    instance.key,
                    recorded.version,
                    instance.definition_version,
                    recorded.position,
                    envelope.at / 1_000_000,
                    event.topic,
                    envelope.actor,
                    _ENCODER.encode(event if thin is None else thin(event)).decode(),
                )
            )
        _take(rows, instance)
        if instance.key in self._known:
            self._weigh(instance)
        if instance.state is not RunState.RUNNING:
            self._ended.append(instance.key)

    def _weigh(self, instance: Instance) -> None:
        weight = instance.weight
        self._weight += weight - self._weights.get(instance.key, 0)
        self._weights[instance.key] = weight

    def _drop(self, key: int) -> None:
        self._known.pop(key, None)
        self._weight -= self._weights.pop(key, 0)

    def written(self) -> None:
        """All rows given so far are in the store: forget the instances that have ended, then those that have not moved
        for longest, down to the limit."""
        for key in self._ended:
            self._drop(key)
        self._ended.clear()
        while self._weight > self._limit and self._known:
            self._drop(next(iter(self._known)))


_NO_STREAM: Any = None


def _version(recorded: Recorded) -> int:
    return recorded.version


def _try(make: Callable[[Rows, Recorded], None], rows: Rows, recorded: Recorded, refused: list[Refused]) -> None:
    try:
        make(rows, recorded)
    except Exception as error:
        refused.append(Refused(recorded, f"{type(error).__name__}: {error}"))


def _slimming(kind: type[Event], kept: frozenset[str]) -> Callable[[Any], Event] | None:
    """What takes the heavy fields out of an event; None where it has none."""
    names = [name for name in kind.__struct_fields__ if name in HEAVY]
    empty = {name: HEAVY[name] for name in names}
    if "variables" in kind.__struct_fields__:

        def slim(event: Any) -> Event:
            few = {name: value for name, value in event.variables.items() if name in kept} if event.variables else {}
            slimmed: Event = msgspec.structs.replace(event, variables=few, **empty)
            return slimmed

        return slim
    if names:
        return lambda event: msgspec.structs.replace(event, **empty)
    return None


def stored_state(at: int, actor: str, tenant: str, detail: bytes) -> bytes:
    """An event row's state as the log has it (at: µs), so that it can be decoded like one."""
    return b"[" + _ENCODER.encode(Envelope(at, actor, tenant)) + b"," + detail + b"]"


def _clear(instance: Instance) -> None:
    instance.changed = False
    instance.changed_visits.clear()
    instance.changed_incidents.clear()
    instance.interventions.clear()


def _take(rows: Rows, instance: Instance) -> None:
    """Make rows of what changed in an instance."""
    tenant, process, key, version = instance.tenant, instance.process_id, instance.key, instance.definition_version
    department, label = instance.department, instance.label
    if instance.changed_visits:
        visits = rows["visits"]
        for v in instance.changed_visits.values():
            visits.append(
                (
                    tenant, process, key, v.local, v.version, version, v.element_id, v.kind, v.number, v.source,
                    v.flow, v.created / 1000, v.claimed / 1000, v.ended / 1000, v.state, v.due / 1000,
                    v.warned / 1000, v.breached / 1000, v.level, v.failures, v.assignee, v.actor, v.outcome, v.reason,
                    department, label,
                )
            )  # fmt: skip
    for i in instance.changed_incidents.values():
        rows["incidents"].append(
            (
                tenant, process, key, i.local, i.version, version, i.element_id, i.type, i.message, i.created / 1000,
                i.ended / 1000, department, label,
            )
        )  # fmt: skip
    for step in instance.interventions:
        rows["interventions"].append(
            (
                tenant, process, key, step.version, version, step.at / 1000, step.kind, step.actor, step.element_id,
                step.reason, department, label,
            )
        )  # fmt: skip
    if instance.changed:
        rows["instances"].append(_instance_row(instance))
    _clear(instance)


def _instance_row(instance: Instance) -> Row:
    ended = instance.state is not RunState.RUNNING
    return (
        instance.tenant, instance.process_id, instance.key, instance.row_version, instance.definition_version,
        instance.definition_key, instance.parent_key, instance.root_key, instance.business_id, instance.created / 1000,
        instance.ended / 1000, instance.state, instance.rejections, instance.reworks, instance.reason,
        instance.breaches, instance.incident_count, instance.intervention_count, instance.department,
        instance.initiator, instance.label, instance.path() if ended else [],
    )  # fmt: skip


def _definition(rows: Rows, recorded: Recorded) -> None:
    event, tenant = recorded.event, recorded.envelope.tenant
    assert isinstance(event, ProcessDeployed)
    model = load_model(event.source.encode(), event.bpmn_process_id, event.resource_name)
    process, version = event.bpmn_process_id, event.version
    name = event.name or model.name or ""
    rows["definitions"].append((tenant, process, version, event.definition_key, name, recorded.envelope.at / 1_000_000))
    rows["elements"] += [
        (tenant, process, version, node.id, node.type.value, node.name or "") for node in model.nodes.values()
    ]


def _calendar(rows: Rows, recorded: Recorded) -> None:
    """A calendar's table; where "default" is deleted, the one that ships counts again, others stay as they were."""
    event, tenant, state = recorded.event, recorded.envelope.tenant, CalendarStream()
    evolve_calendar(state, event)
    calendar = state.calendar
    if calendar is None and isinstance(event, CalendarDeleted) and event.calendar_id == DEFAULT_ID:
        calendar = msgspec.structs.replace(STANDARD, version=event.version)
    if calendar is not None:
        rows["calendar_slots"] += slots(tenant, Clockwork(calendar))


_MAKE: Mapping[type[Event], Callable[[Rows, Recorded], None]] = {
    ProcessDeployed: _definition,
    CalendarDefined: _calendar,
    CalendarDeleted: _calendar,
}
"""What is made of events that are of no instance."""
