"""From uploaded files to what a deployment carries: each kind of file is parsed and checked here, outside the engine.

All files are looked at before any is refused, so that one answer names everything that is wrong.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from typing import NamedTuple

from commands.deploy_resources import DeployResources, Resource, StartSpec
from commands.deployment_references import missing_references
from domain.bpmn import ProcessModel, load_models, read_models
from domain.bpmn.check_messages import constant_text
from domain.bpmn.model import ConditionalDefinition, MessageDefinition, SignalDefinition, TimerDefinition
from domain.dmn import check_model, imported_files, models_by_namespace, parse_dmn
from domain.errors import Finding, InvalidArgument, InvalidModel
from domain.process_definition.events import DECISION, FORM, PROCESS, REQUIREMENTS

MAX_RESOURCES = 100


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
    refused: list[tuple[str, tuple[Finding, ...]]] = [
        (name, tuple(found)) for name, found in missing_references(files).items()
    ]
    for file in files:
        read = READERS.get(_suffix(file))
        if read is None:
            known = ", ".join(f".{known}" for known in READERS)
            raise InvalidArgument(f"'{file.name}' is of no known kind; files end in {known}", "resources")
        try:
            found, warnings = read(file, files)
            resources += found
            findings += warnings
        except InvalidModel as error:
            refused.append((file.name, error.findings))
    if refused:
        names = ", ".join(dict.fromkeys(name for name, _ in refused))
        raise InvalidModel(names, tuple(finding for _, found in refused for finding in found))
    _refuse_twice(resources)
    return DeployResources(resources=resources), tuple(findings)


def inspect(files: Sequence[File]) -> dict[str, list[Finding]]:
    """File name → all that a deployment of these files would find, errors and warnings, by line; nothing is raised
    but for files of unknown kind."""
    found: dict[str, list[Finding]] = {file.name: [] for file in files}
    for name, missing in missing_references(files).items():
        found[name] += missing
    for file in files:
        if _suffix(file) not in READERS:
            known = ", ".join(f".{known}" for known in READERS)
            raise InvalidArgument(f"'{file.name}' is of no known kind; files end in {known}", "files")
        try:
            if _suffix(file) == "bpmn":
                found[file.name] += [finding for _, findings in read_models(file.content) for finding in findings]
                _text(file)
            else:
                found[file.name] += READERS[_suffix(file)](file, files)[1]
        except InvalidModel as error:
            found[file.name] += error.findings
    return {name: sorted(findings, key=lambda finding: finding.line) for name, findings in found.items()}


def _refuse_twice(resources: Sequence[Resource]) -> None:
    """An id may come in one file of a deployment only."""
    seen: dict[tuple[str, str], str] = {}
    for resource in resources:
        named = [(resource.kind, resource.id), *((DECISION, id) for id in resource.decision_ids)]
        for kind, id in named:
            first = seen.setdefault((kind, id), resource.resource_name)
            if first != resource.resource_name:
                raise InvalidArgument(
                    f"the {kind} '{id}' is in both '{first}' and '{resource.resource_name}'", "resources"
                )


def _suffix(file: File) -> str:
    return file.name.rpartition(".")[2].lower()


def _text(file: File) -> str:
    try:
        return file.content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = "the file is not encoded in UTF-8; save it so"
        raise InvalidModel(file.name, (Finding("", message, rule="encoding"),)) from error


def _read_bpmn(file: File, _files: Sequence[File]) -> tuple[list[Resource], tuple[Finding, ...]]:
    models = load_models(file.content, file.name)
    source = _text(file)
    checksum = hashlib.sha256(file.content).hexdigest()
    resources = [
        Resource(
            PROCESS, model.id, model.name, file.name, source, checksum, model.version_tag, starts=start_specs(model)
        )
        for model, _ in models
    ]
    return resources, tuple(finding for _, warnings in models for finding in warnings)


def start_specs(model: ProcessModel) -> list[StartSpec]:
    """The start events of a process that wait for something."""
    specs = []
    for start in model.root.starts:
        match model.nodes[start].definition:
            case MessageDefinition(name):
                specs.append(StartSpec(start, "message", constant_text(name)))
            case SignalDefinition(name):
                specs.append(StartSpec(start, "signal", constant_text(name)))
            case TimerDefinition(kind, value):
                specs.append(StartSpec(start, kind.value, value.text))
            case ConditionalDefinition(condition):
                specs.append(StartSpec(start, "condition", condition.text))
            case _:
                raise AssertionError(f"the parser lets '{start}' start a process")
    return specs


def _read_form(file: File, _files: Sequence[File]) -> tuple[list[Resource], tuple[Finding, ...]]:
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
    resource = Resource(FORM, form_id, form_id, file.name, source, checksum, tag if isinstance(tag, str) else "")
    return [resource], ()


def _read_dmn(file: File, files: Sequence[File]) -> tuple[list[Resource], tuple[Finding, ...]]:
    """A DMN file may import others of the same deployment; their texts go along with it."""
    others = [other.content for other in files if other is not file and _suffix(other) == "dmn"]
    try:
        imported = imported_files(file.content, others)
        model = parse_dmn(file.content, models_by_namespace(imported))
    except InvalidModel as error:
        raise InvalidModel(file.name, error.findings) from error
    source = _text(file)
    imports = [content.decode("utf-8-sig") for content in imported]
    checksum = hashlib.sha256(b"".join((file.content, *imported))).hexdigest()
    ids = [decision.id for decision in model.decisions]
    names = [decision.name for decision in model.decisions]
    tags = [decision.version_tag for decision in model.decisions]
    tag = next(filter(None, tags), "")
    resource = Resource(REQUIREMENTS, model.id, model.name, file.name, source, checksum, tag, ids, names, tags, imports)
    tables = [  # what is odd about a table never refuses it: Camunda deploys such tables too
        Finding(element, finding.message, 0, "warning", f"table-{finding.kind}")
        for element, findings in check_model(model).items()
        for finding in findings
        if finding.severity != "note"
    ]
    return [resource], (*model.warnings, *tables)


READERS: dict[str, Callable[[File, Sequence[File]], tuple[list[Resource], tuple[Finding, ...]]]] = {
    "bpmn": _read_bpmn,
    "form": _read_form,
    "dmn": _read_dmn,
}
