"""Checks of a whole document: what lies beside the executable processes, and ids that come twice."""

from __future__ import annotations

from collections.abc import Iterator

from lxml import etree

from domain.bpmn.draft import BPMN, id_of, line_of, tag_of
from domain.errors import Finding

DRAWN_ONLY = frozenset({"laneSet", "documentation", "extensionElements", "textAnnotation", "association", "group"})
"""What a process that is only there for its pool contains."""


def check_document(root: etree._Element) -> list[Finding]:
    """All findings about the document; those about a process are found by `check.check_model`."""
    return [*_not_executable(root), *_ids(root)]


def _not_executable(root: etree._Element) -> Iterator[Finding]:
    for process in root.iterchildren(f"{BPMN}process"):
        drawn = {tag_of(child) for child in process if str(child.tag).startswith(BPMN)} - DRAWN_ONLY
        if process.get("isExecutable") != "true" and drawn:
            message = 'this process is not deployed: set isExecutable="true" on it if it should run'
            yield Finding(id_of(process), message, line_of(process), "warning", "executable")


def _ids(root: etree._Element) -> Iterator[Finding]:
    """Ids are unique in a document (XML Schema type ID); twice within one process is found while reading it."""
    first: dict[str, tuple[etree._Element, etree._Element | None]] = {}
    for element in root.iter(f"{BPMN}*"):
        name = element.get("id")
        if not name:
            continue
        process = element if element.tag == f"{BPMN}process" else next(element.iterancestors(f"{BPMN}process"), None)
        known, its_process = first.setdefault(name, (element, process))
        if known is not element and (its_process is not process or process is None):
            message = f"the id '{name}' is used in line {line_of(known)} already; ids are unique in a document"
            yield Finding(name, message, line_of(element), "warning", "id")
