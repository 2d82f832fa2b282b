"""The whole document: which rule converts which element, and the check of what came out."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from lxml import etree

from domain.bpmn.convert import data, events, tasks
from domain.bpmn.convert.report import Note, Severity
from domain.bpmn.convert.work import Work
from domain.bpmn.draft import BPMN, tag_of
from domain.bpmn.load import read_models
from domain.errors import Finding, InvalidModel
from domain.xml import read_xml

ZEEBE_URI = "http://camunda.org/schema/zeebe/1.0"
MODELER = "{http://camunda.org/schema/modeler/1.0}"
PLATFORM = {f"{MODELER}executionPlatform": "Camunda Cloud", f"{MODELER}executionPlatformVersion": "8.8.0"}

Rule = Callable[[Work, etree._Element], None]
RULES: dict[str, tuple[Rule, ...]] = {
    "userTask": (tasks.user_task,),
    "serviceTask": (tasks.job,),
    "sendTask": (tasks.job,),
    "scriptTask": (tasks.script_task,),
    "businessRuleTask": (tasks.business_rule_task,),
    "callActivity": (tasks.call_activity,),
    "startEvent": (events.event,),
    "endEvent": (events.event,),
    "intermediateCatchEvent": (events.event,),
    "intermediateThrowEvent": (events.event,),
    "boundaryEvent": (events.event,),
    "sequenceFlow": (events.sequence_flow,),
}
"""Element → what converts it; every element also gets `data.common` and `data.multi_instance`."""


class Conversion(NamedTuple):
    """The converted document (XML, UTF-8), the notes about it by line, and what a deployment would find in it."""

    xml: bytes
    notes: tuple[Note, ...]
    findings: tuple[Finding, ...]

    @property
    def needs_a_person(self) -> bool:
        """Whether something could not be converted, or the outcome would be refused."""
        manual = any(note.severity is Severity.MANUAL for note in self.notes)
        return manual or any(finding.severity == "error" for finding in self.findings)


def convert_model(source: bytes, resource: str = "model.bpmn") -> Conversion:
    """Convert a model of Camunda 7; its diagram stays as it is. Raises InvalidModel for what is no BPMN document."""
    root = read_xml(resource, source)
    if root.tag != f"{BPMN}definitions":
        finding = Finding("", f"the root element is <{root.tag}>, not BPMN's <definitions>", 1, rule="xml")
        raise InvalidModel(resource, (finding,))
    work = Work()
    for process in root.iter(f"{BPMN}process"):
        _process(work, process)
    for element in [element for element in root.iter(f"{BPMN}*") if element.get("id")]:
        rules = RULES.get(tag_of(element), ())
        data.multi_instance(work, element)
        for rule in rules:
            rule(work, element)
        data.common(work, element)
    events.roots(work, root)
    data.leftovers(work, root)
    for name, value in PLATFORM.items():
        root.set(name, value)
    etree.cleanup_namespaces(root, top_nsmap={"zeebe": ZEEBE_URI}, keep_ns_prefixes=["xsi", "zeebe"])
    etree.indent(root, "  ")
    xml = etree.tostring(root, xml_declaration=True, encoding="UTF-8")
    try:
        findings = tuple(finding for _, found in read_models(xml, resource) for finding in found)
    except InvalidModel as error:
        findings = error.findings
    return Conversion(xml, tuple(sorted(work.notes, key=lambda note: note.line)), findings)


def _process(work: Work, process: etree._Element) -> None:
    tag = work.take(process, "versionTag")
    if tag:
        work.extend(process, "versionTag", value=tag)
    for name in ("candidateStarterGroups", "candidateStarterUsers"):
        text = work.take(process, name)
        if text:
            why = f"who may start it ('{text}') is not said in the model"
            work.manual(process, f"camunda:{name}", why, "give these users the right to start it on the server")
