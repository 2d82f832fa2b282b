"""DeployResources: new versions of process definitions, forms and decisions; all resources of a deployment or none.

Files are parsed and checked by `commands.deployment_files.prepare`, outside the engine's thread: the command carries
what was found in them. A deployment in which no resource differs from its latest version changes nothing, and the
answer names those versions. If one differs, all get a new version: what is deployed together is versioned together,
and the binding "deployment" finds it (Camunda's rule).
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from commands.handling import FAMILY, Command, Context, Handler, Route, Stream, StreamRef
from domain.bpmn.model import TimerKind
from domain.bpmn.timers import schedule, to_datetime
from domain.errors import Finding, InvalidArgument, InvalidModel
from domain.events import Event
from domain.feel import EvaluationContext, FeelBudgetExceeded, compile_expression, to_json
from domain.process_definition import events as e
from domain.process_definition.state import Deployed
from domain.process_instance.evaluation import EXPRESSION_STEPS


class StartSpec(msgspec.Struct, frozen=True):
    """A start event as the model says it. kind: "message", "signal", "condition" (`value` is the name or expression)
    or the name of the timer's kind, whose `value` may be FEEL (behind "="), evaluated at deployment."""

    element_id: str
    kind: str
    value: str


class Resource(msgspec.Struct, frozen=True):
    """One thing to deploy. kind: events.PROCESS, FORM or REQUIREMENTS (a whole DMN file, with the decisions in
    `decision_ids`); checksum: SHA-256 (hex) of the file. decision_tags: the version tag of each decision;
    imports: the texts of the DMN files that it imports."""

    kind: str
    id: str
    name: str
    resource_name: str
    source: str
    checksum: str
    version_tag: str = ""
    decision_ids: list[str] = []
    decision_names: list[str] = []
    decision_tags: list[str] = []
    imports: list[str] = []
    starts: list[StartSpec] = []


class DeployResources(Command, frozen=True, kw_only=True):
    """What `prepare` made of the files."""

    resources: list[Resource]


class DeployedResource(msgspec.Struct, frozen=True):
    """A version that now is in force. fresh: it was deployed by this command. The lists are those of a DMN file."""

    kind: str
    key: int
    id: str
    name: str
    version: int
    resource_name: str
    version_tag: str
    deployment_key: int
    fresh: bool
    decision_ids: list[str] = []
    decision_keys: list[int] = []
    decision_names: list[str] = []
    decision_versions: list[int] = []


class Deployment(msgspec.Struct, frozen=True):
    """The answer: key of the deployment, and every resource in it."""

    key: int
    resources: list[DeployedResource]
    tenant: str = ""


def streams(command: DeployResources, context: Context, _route: Route) -> Sequence[StreamRef]:
    """The family of each resource, and of each decision of a DMN file behind it."""
    tenant = context.meta.tenant
    families: list[StreamRef] = []
    for resource in command.resources:
        families.append(StreamRef(FAMILY, e.family_stream(resource.kind, tenant, resource.id)))
        families += [StreamRef(FAMILY, e.family_stream(e.DECISION, tenant, id)) for id in resource.decision_ids]
    return families


def decide(command: DeployResources, context: Context, streams: Sequence[Stream]) -> Deployment:
    """A new version of everything that changed."""
    deployment_key = context.new_key()
    remaining = iter(streams)
    families = [(r, next(remaining), [next(remaining) for _ in r.decision_ids]) for r in command.resources]
    in_force = [_unchanged(*family) for family in families]
    starts = {r.id: start_events(r, context.now) for r in command.resources if r.starts}
    deployed: list[DeployedResource] = []
    for (resource, stream, decisions), latest in zip(families, in_force, strict=True):
        if latest is not None and None not in in_force:
            deployed.append(_answer(resource, latest, fresh=False))
            continue
        event = _event(resource, context.new_key(), _next_version(stream), deployment_key, decisions)
        if isinstance(event, e.ProcessDeployed) and resource.id in starts:
            event = msgspec.structs.replace(event, starts=starts[resource.id])
        stream.emit(event)
        if isinstance(event, e.DecisionsDeployed):
            _deploy_decisions(resource, event, decisions)
        deployed.append(_answer(resource, event, fresh=True))
    return Deployment(deployment_key, deployed, context.meta.tenant)


def start_events(resource: Resource, now: int) -> list[e.StartEvent]:
    """What starts instances of a process that is deployed `now` (µs). Raises InvalidModel for a timer whose expression
    gives no date, duration or cycle."""
    return [_start_event(resource, start, now) for start in resource.starts]


def _start_event(resource: Resource, start: StartSpec, now: int) -> e.StartEvent:
    if start.kind not in list(TimerKind):
        return e.StartEvent(start.element_id, start.kind, start.value)
    text: object = start.value
    if start.value.startswith("="):
        context = EvaluationContext(now=to_datetime(now), max_steps=EXPRESSION_STEPS)
        try:
            text = to_json(compile_expression(start.value[1:].strip()).evaluate({}, context))
        except FeelBudgetExceeded as error:
            text = str(error)
    try:
        timer = schedule(TimerKind(start.kind), str(text), now)
    except (InvalidArgument, OverflowError) as error:
        message = f"its {start.kind} '{start.value}' is no time without variables, and nothing runs yet: {error}"
        raise InvalidModel(resource.resource_name, (Finding(start.element_id, message, rule="timer"),)) from error
    return e.StartEvent(start.element_id, "timer", "", timer.due, timer.remaining, timer.cycle)


def _next_version(family: Stream) -> int:
    latest: Deployed | None = family.state.latest
    return 1 if latest is None else latest.version + 1


def _unchanged(resource: Resource, family: Stream, decisions: Sequence[Stream]) -> Deployed | None:
    """The version in force, if it is of this very file and its decisions were not deployed by another file since."""
    latest: Deployed | None = family.state.latest
    if latest is None or isinstance(latest, e.DecisionDeployed):
        return None
    if (latest.checksum, latest.resource_name) != (resource.checksum, resource.resource_name):
        return None
    keys = [key_of(decision.state.latest) for decision in decisions if decision.state.latest is not None]
    return latest if not isinstance(latest, e.DecisionsDeployed) or keys == latest.decision_keys else None


def _event(resource: Resource, key: int, version: int, deployment_key: int, decisions: Sequence[Stream]) -> Deployed:
    file = (resource.resource_name, resource.checksum, resource.source)
    if resource.kind == e.PROCESS:
        return e.ProcessDeployed(key, resource.id, version, deployment_key, *file, resource.name, resource.version_tag)
    if resource.kind == e.REQUIREMENTS:
        keys = [key + 1 + index for index in range(len(decisions))]
        versions = [_next_version(decision) for decision in decisions]
        return e.DecisionsDeployed(
            key,
            resource.id,
            version,
            deployment_key,
            *file,
            resource.decision_ids,
            keys,
            versions,
            resource.name,
            resource.version_tag,
            resource.imports,
        )
    return e.FormDeployed(key, resource.id, version, deployment_key, *file, resource.version_tag)


def _deploy_decisions(resource: Resource, event: e.DecisionsDeployed, decisions: Sequence[Stream]) -> None:
    for index, decision in enumerate(decisions):
        decision.emit(
            e.DecisionDeployed(
                event.decision_keys[index],
                event.decision_ids[index],
                event.decision_versions[index],
                event.deployment_key,
                event.requirements_key,
                event.requirements_id,
                event.resource_name,
                resource.decision_names[index],
                resource.decision_tags[index],
            )
        )


def key_of(event: Event) -> int:
    """The key of the version that a deployment event made."""
    if isinstance(event, e.ProcessDeployed):
        return event.definition_key
    if isinstance(event, e.FormDeployed):
        return event.form_key
    if isinstance(event, e.DecisionDeployed):
        return event.decision_key
    assert isinstance(event, e.DecisionsDeployed)
    return event.requirements_key


def _answer(resource: Resource, event: Deployed, fresh: bool) -> DeployedResource:
    of_file = event if isinstance(event, e.DecisionsDeployed) else None
    return DeployedResource(
        resource.kind,
        key_of(event),
        resource.id,
        resource.name,
        event.version,
        event.resource_name,
        event.version_tag,
        event.deployment_key,
        fresh,
        resource.decision_ids,
        of_file.decision_keys if of_file else [],
        resource.decision_names,
        of_file.decision_versions if of_file else [],
    )


HANDLER = Handler(streams, decide, Deployment)
