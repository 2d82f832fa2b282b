"""From the bytes of a BPMN file to executable models, or one error that names everything wrong with it."""

from __future__ import annotations

from domain.bpmn.check import check_model
from domain.bpmn.draft import BPMN, line_of
from domain.bpmn.model import ProcessModel
from domain.bpmn.parse import parse_processes
from domain.errors import Finding, InvalidModel
from domain.xml import read_xml


def load_models(data: bytes, resource: str = "model.bpmn") -> list[tuple[ProcessModel, tuple[Finding, ...]]]:
    """The executable processes of a BPMN document, each with its warnings.

    Raises InvalidModel with all findings if any process of the document cannot be executed.
    """
    root = read_xml(resource, data)
    if root.tag != f"{BPMN}definitions":
        finding = Finding("", f"the root element is <{root.tag}>, not BPMN's <definitions>", line_of(root), rule="xml")
        raise InvalidModel(resource, (finding,))
    parsed = parse_processes(root)
    if not parsed:
        finding = Finding("", 'no process in it is executable: set isExecutable="true" on one', rule="executable")
        raise InvalidModel(resource, (finding,))
    loaded: list[tuple[ProcessModel, tuple[Finding, ...]]] = []
    errors: list[Finding] = []
    for model, found in parsed:
        findings = (*found, *check_model(model))
        errors += [finding for finding in findings if finding.severity == "error"]
        loaded.append((model, tuple(finding for finding in findings if finding.severity != "error")))
    ids = [model.id for model, _ in loaded]
    errors += [
        Finding(twice, f"two processes have the id '{twice}'", rule="id")
        for twice in {i for i in ids if ids.count(i) > 1}
    ]
    if errors:
        raise InvalidModel(resource, tuple(sorted(errors, key=lambda finding: finding.line)))
    return loaded


def load_model(data: bytes, process_id: str | None = None, resource: str = "model.bpmn") -> ProcessModel:
    """One process of a document: the one with `process_id`, or the first."""
    models = [model for model, _ in load_models(data, resource)]
    return next((model for model in models if model.id == process_id), models[0])
