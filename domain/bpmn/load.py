"""From the bytes of a BPMN file to executable models, or one error that names everything wrong with it."""

from __future__ import annotations

from lxml import etree

from domain.bpmn.check import check_model
from domain.bpmn.check_document import check_document
from domain.bpmn.draft import BPMN, line_of
from domain.bpmn.model import ProcessModel
from domain.bpmn.parse import parse_processes
from domain.errors import Finding, InvalidModel
from domain.xml import read_xml


def read_models(data: bytes, resource: str = "model.bpmn") -> list[tuple[ProcessModel, tuple[Finding, ...]]]:
    """The executable processes of a BPMN document, each with all that was found: errors and warnings, by line.

    What concerns the document as a whole stands with its first process. Raises InvalidModel for what is no BPMN
    document with an executable process.
    """
    root = _definitions(data, resource)
    parsed = parse_processes(root)
    if not parsed:
        finding = Finding("", 'no process in it is executable: set isExecutable="true" on one', rule="executable")
        raise InvalidModel(resource, (finding,))
    ids = [model.id for model, _ in parsed]
    document = check_document(root)
    document += [
        Finding(twice, f"two processes have the id '{twice}'", rule="id")
        for twice in {i for i in ids if ids.count(i) > 1}
    ]
    read: list[tuple[ProcessModel, tuple[Finding, ...]]] = []
    for model, found in parsed:
        findings = [*found, *check_model(model), *(document if not read else ())]
        read.append((model, tuple(sorted(findings, key=lambda finding: finding.line))))
    return read


def load_models(data: bytes, resource: str = "model.bpmn") -> list[tuple[ProcessModel, tuple[Finding, ...]]]:
    """The executable processes of a BPMN document, each with its warnings.

    Raises InvalidModel with all errors if any process of the document cannot be executed.
    """
    read = read_models(data, resource)
    errors = [finding for _, findings in read for finding in findings if finding.severity == "error"]
    if errors:
        raise InvalidModel(resource, tuple(sorted(errors, key=lambda finding: finding.line)))
    return read


def load_model(data: bytes, process_id: str | None = None, resource: str = "model.bpmn") -> ProcessModel:
    """One process of a deployed document: the one with `process_id`, or the first.

    It was checked when it was deployed and is not checked again: a check that is stricter by now must not stop the
    instances of a definition that runs.
    """
    models = [model for model, _ in parse_processes(_definitions(data, resource))]
    return next((model for model in models if model.id == process_id), models[0])


def _definitions(data: bytes, resource: str) -> etree._Element:
    root = read_xml(resource, data)
    if root.tag != f"{BPMN}definitions":
        finding = Finding("", f"the root element is <{root.tag}>, not BPMN's <definitions>", line_of(root), rule="xml")
        raise InvalidModel(resource, (finding,))
    return root
