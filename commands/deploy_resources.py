"""DeployResources: new versions of process definitions and forms; all resources of a deployment or none.

Files are parsed and checked by `prepare`, outside the engine's thread: the command carries what was found in them. A
resource whose text equals its latest version is not deployed again (Camunda's rule): the answer names that version.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec

from commands.handling import FAMILY, Command, Context, Handler, Route, Stream, StreamRef
from domain.bpmn import load_models
from domain.errors import Finding, InvalidArgument, InvalidModel
from domain.events import Event
from domain.process_definition import events as e
from domain.process_definition.state import Deployed

MAX_RESOURCES = 100


class Resource(msgspec.Struct, frozen=True):
    """One thing to deploy. kind: events.PROCESS or FORM; checksum: SHA-256 (hex) of `source`."""

    kind: str
    id: str
    name: str
    resource_name: str
    source: str
    checksum: str
    version_tag: str = ""


class DeployResources(Command, frozen=True, kw_only=True):
    """What `prepare` made of the files."""

    resources: list[Resource]


class DeployedResource(msgspec.Struct, frozen=True):
    """A version that now is in force. fresh: it was deployed by this command."""

    kind: str
    key: int
    id: str
    name: str
    version: int
    resource_name: str
    version_tag: str
    deployment_key: int
    fresh: bool


class Deployment(msgspec.Struct, frozen=True):
    """The answer: key of the deployment, and every resource in it."""

    key: int
    resources: list[DeployedResource]
    tenant: str = ""


class File(NamedTuple):
    """An uploaded file."""

    name: str
    content: bytes


def prepare(files: Sequence[File]) -> tuple[DeployResources, tuple[Finding, ...]]:
    """Parse and check the files; the command and the warnings. Raises InvalidModel with the findings of ALL files."""
    if not files:
        raise InvalidArgument("a deployment needs at least one file in 'resources'", "resources")
    if len(files) > MAX_RESOURCES:
        raise InvalidArgument(f"a deployment has at most {MAX_RESOURCES} files, not {len(files)}", "resources")
    resources: list[Resource] = []
    findings: list[Finding] = []
    refused: list[tuple[str, tuple[Finding, ...]]] = []
    for file in files:
        suffix = file.name.rpartition(".")[2].lower()
        read = READERS.get(suffix)
        if read is None:
            known = ", ".join(f".{known}" for known in READERS)
            raise InvalidArgument(f"'{file.name}' is of no known kind; files end in {known}", "resources")
        try:
            found, warnings = read(file)
            resources += found
            findings += warnings
        except InvalidModel as error:
            refused.append((file.name, error.findings))
    if refused:
        names = ", ".join(name for name, _ in refused)
        raise InvalidModel(names, tuple(finding for _, found in refused for finding in found))
    seen: dict[tuple[str, str], str] = {}
    for resource in resources:
        first = seen.setdefault((resource.kind, resource.id), resource.resource_name)
        if first != resource.resource_name:
            raise InvalidArgument(
                f"the {resource.kind} '{resource.id}' is in both '{first}' and '{resource.resource_name}'", "resources"
            )
    return DeployResources(resources=resources), tuple(findings)


def _text(file: File) -> str:
    for encoding in ("utf-8-sig", "utf-16"):
        try:
            return file.content.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise InvalidModel(file.name, (Finding("", "the file is not encoded in UTF-8", rule="encoding"),))


def _read_bpmn(file: File) -> tuple[list[Resource], tuple[Finding, ...]]:
    models = load_models(file.content, file.name)
    source = _text(file)
    checksum = hashlib.sha256(file.content).hexdigest()
    resources = [
        Resource(e.PROCESS, model.id, model.name, file.name, source, checksum, model.version_tag) for model, _ in models
    ]
    return resources, tuple(finding for _, warnings in models for finding in warnings)


def _read_form(file: File) -> tuple[list[Resource], tuple[Finding, ...]]:
    def refuse(message: str, line: int = 0) -> InvalidModel:
        return InvalidModel(file.name, (Finding("", message, line, rule="form"),))

    source = _text(file)
    try:
        form = json.loads(source)
    except json.JSONDecodeError as error:
        raise refuse(f"this is not JSON: {error.msg} (column {error.colno})", error.lineno) from error
    except RecursionError as error:
        raise refuse("the JSON is nested too deeply") from error
    if not isinstance(form, dict) or not isinstance(form.get("components"), list):
        raise refuse("a form is a JSON object with a list of 'components'")
    form_id = form.get("id")
    if not isinstance(form_id, str) or not form_id:
        raise refuse("the form has no 'id'; give it one")
    checksum = hashlib.sha256(file.content).hexdigest()
    tag = form.get("versionTag")
    resource = Resource(e.FORM, form_id, form_id, file.name, source, checksum, tag if isinstance(tag, str) else "")
    return [resource], ()


READERS: dict[str, Callable[[File], tuple[list[Resource], tuple[Finding, ...]]]] = {
    "bpmn": _read_bpmn,
    "form": _read_form,
}


def streams(command: DeployResources, context: Context, _route: Route) -> Sequence[StreamRef]:
    """The family of each resource."""
    tenant = context.meta.tenant
    return [StreamRef(FAMILY, e.family_stream(item.kind, tenant, item.id)) for item in command.resources]


def decide(command: DeployResources, context: Context, streams: Sequence[Stream]) -> Deployment:
    """A new version of everything that changed."""
    deployment_key = context.new_key()
    deployed: list[DeployedResource] = []
    for resource, stream in zip(command.resources, streams, strict=True):
        latest: Deployed | None = stream.state.latest
        if (
            latest is not None
            and latest.checksum == resource.checksum
            and latest.resource_name == resource.resource_name
        ):
            deployed.append(_answer(resource, latest, fresh=False))
            continue
        version = 1 if latest is None else latest.version + 1
        event = _event(resource, context.new_key(), version, deployment_key)
        stream.emit(event)
        deployed.append(_answer(resource, event, fresh=True))
    return Deployment(deployment_key, deployed, context.meta.tenant)


def _event(resource: Resource, key: int, version: int, deployment_key: int) -> Deployed:
    if resource.kind == e.PROCESS:
        return e.ProcessDeployed(
            key,
            resource.id,
            version,
            deployment_key,
            resource.resource_name,
            resource.checksum,
            resource.source,
            resource.name,
            resource.version_tag,
        )
    return e.FormDeployed(
        key,
        resource.id,
        version,
        deployment_key,
        resource.resource_name,
        resource.checksum,
        resource.source,
        resource.version_tag,
    )


def key_of(event: Event) -> int:
    """The key of the version that a deployment event made."""
    if isinstance(event, e.ProcessDeployed):
        return event.definition_key
    if isinstance(event, e.FormDeployed):
        return event.form_key
    assert isinstance(event, e.DecisionsDeployed)
    return event.requirements_key


def _answer(resource: Resource, event: Deployed, fresh: bool) -> DeployedResource:
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
    )


HANDLER = Handler(streams, decide, Deployment)
