"""References from one file of a deployment to another: what is bound to "deployment" must be in it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence

from lxml import etree

from domain.bpmn.draft import ZEEBE, id_of, line_of
from domain.errors import DomainError, Finding
from domain.xml import read_xml

KINDS = {
    f"{ZEEBE}calledDecision": ("decisionId", "decision", "the .dmn file"),
    f"{ZEEBE}formDefinition": ("formId", "form", "the .form file"),
    f"{ZEEBE}calledElement": ("processId", "process", "the .bpmn file"),
}
"""Extension element → the attribute that names what it calls, its kind, and where that comes from."""


def missing_references(files: Sequence[tuple[str, bytes]]) -> dict[str, list[Finding]]:
    """File name → the elements whose binding "deployment" names something that no file (name, content) has.

    Files that cannot be read are passed over: what is wrong with them is found elsewhere.
    """
    roots = {name: root for name, content in files if (root := _root(name, content)) is not None}
    there = _defined(roots, files)
    found = {name: list(_missing(root, there)) for name, root in roots.items()}
    return {name: findings for name, findings in found.items() if findings}


def _root(name: str, content: bytes) -> etree._Element | None:
    if not name.lower().endswith((".bpmn", ".dmn")):
        return None
    try:
        return read_xml(name, content)
    except DomainError:
        return None


def _defined(roots: Mapping[str, etree._Element], files: Sequence[tuple[str, bytes]]) -> dict[str, set[str]]:
    there: dict[str, set[str]] = {"decision": set(), "form": set(), "process": set()}
    for root in roots.values():
        for kind in ("decision", "process"):
            there[kind] |= {str(element.get("id")) for element in root.iter("{*}" + kind) if element.get("id")}
    for name, content in files:
        if name.lower().endswith(".form"):
            try:
                form = json.loads(content)
            except (ValueError, RecursionError):
                continue
            if isinstance(form, dict):
                there["form"].add(str(form.get("id", "")))
    return there


def _missing(root: etree._Element, there: Mapping[str, set[str]]) -> Iterator[Finding]:
    for element in root.iter(*KINDS):
        attribute, kind, file = KINDS[str(element.tag)]
        name = str(element.get(attribute, "")).strip()
        if element.get("bindingType") == "deployment" and name and not name.startswith("=") and name not in there[kind]:
            message = (
                f"it calls the {kind} '{name}' with bindingType=\"deployment\", but no file of this deployment has it; "
                f"deploy {file} together with this one, or bind it as latest"
            )
            yield Finding(id_of(element), message, line_of(element), "error", "binding")
