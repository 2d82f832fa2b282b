"""A process while it is read: the nodes and flows found so far, the findings, and how attributes are taken from XML."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from lxml import etree

from domain.bpmn.model import Attribute, FlowNode, SequenceFlow
from domain.errors import Finding
from domain.feel import FeelSyntaxError, compile_expression

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"


def line_of(element: etree._Element) -> int:
    """The 1-based line of the element, 0 where unknown."""
    line = element.sourceline
    return line if isinstance(line, int) else 0


def id_of(element: etree._Element) -> str:
    """The element's id, or that of the nearest parent that has one."""
    current: etree._Element | None = element
    while current is not None:
        if current.get("id"):
            return str(current.get("id"))
        current = current.getparent()
    return ""


def tag_of(element: etree._Element) -> str:
    """The element's name without its namespace."""
    return etree.QName(element).localname


def bpmn_children(element: etree._Element) -> Iterator[etree._Element]:
    """The children in BPMN's namespace."""
    return (child for child in element if str(child.tag).startswith(BPMN))


def extension(element: etree._Element, name: str) -> etree._Element | None:
    """The Zeebe extension element of this name."""
    return element.find(f"{BPMN}extensionElements/{ZEEBE}{name}")


def text_pairs(element: etree._Element, outer: str, inner: str, key: str, value: str) -> dict[str, str]:
    """What a Zeebe extension lists, as in taskHeaders."""
    found = extension(element, outer)
    if found is None:
        return {}
    return {str(child.get(key, "")): str(child.get(value, "")) for child in found.iterchildren(f"{ZEEBE}{inner}")}


def replace(node: FlowNode, **changes: object) -> FlowNode:
    """The node with other values (nodes are immutable)."""
    values = {name: getattr(node, name) for name in node.__struct_fields__}
    return FlowNode(**{**values, **changes})


@dataclass
class Draft:
    """`root` is the document's: messages, errors and escalations are declared there."""

    root: etree._Element
    nodes: dict[str, FlowNode] = field(default_factory=dict)
    flows: list[tuple[SequenceFlow, int]] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    associations: dict[str, str] = field(default_factory=dict)  # source id → target id

    def find(self, element: etree._Element | str, message: str, rule: str, severity: str = "error") -> None:
        """Note what is wrong with an element."""
        if isinstance(element, str):
            self.findings.append(Finding(element, message, 0, severity, rule))
        else:
            self.findings.append(Finding(id_of(element), message, line_of(element), severity, rule))

    def add(self, element: etree._Element, node: FlowNode) -> None:
        """Take in a node; ids are unique."""
        if node.id in self.nodes:
            self.find(element, f"the id '{node.id}' is used twice; ids are unique in a document", "id")
        else:
            self.nodes[node.id] = node

    def attribute(self, element: etree._Element, text: str, what: str) -> Attribute:
        """A value from the model; FEEL behind "=" is compiled, and what does not compile is a finding."""
        if not text.startswith("="):
            return Attribute(text)
        try:
            return Attribute(text, compile_expression(text[1:].strip()))
        except FeelSyntaxError as error:
            self.find(element, f"the {what} '{text}' is not a valid FEEL expression: {error}", "feel")
            return Attribute(text)

    def optional(self, element: etree._Element, name: str, attribute: str, what: str) -> Attribute | None:
        """An attribute of a Zeebe extension, None where the model says nothing."""
        found = extension(element, name)
        text = "" if found is None else str(found.get(attribute, "")).strip()
        return self.attribute(element, text, what) if text else None

    def referenced(self, element: etree._Element, attribute: str, tag: str) -> etree._Element | None:
        """What a reference such as errorRef names at the document's root; a dangling one is a finding."""
        reference = str(element.get(attribute, "")).strip()
        if not reference:
            return None
        name = reference.rpartition(":")[2]  # a QName may have a prefix
        for declared in self.root.iterchildren(BPMN + tag):
            if declared.get("id") in (name, reference):
                return declared
        self.find(element, f"{attribute} '{reference}' names no <{tag}> of this document", "dangling")
        return None
