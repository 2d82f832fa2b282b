"""A document while it is converted: how attributes are taken from it, extensions put into it, and notes made."""

from __future__ import annotations

from collections.abc import Mapping

from lxml import etree

from domain.bpmn.convert.juel import Untranslatable, has_expression, to_feel
from domain.bpmn.convert.report import Note, Severity
from domain.bpmn.draft import BPMN, ZEEBE, id_of, line_of

CAMUNDA = "{http://camunda.org/schema/1.0/bpmn}"
ACTIVITI = "{http://activiti.org/bpmn}"


class Work:
    """The notes so far. What has been dealt with is taken out of the tree; what is left over is noted at the end."""

    def __init__(self) -> None:
        self.notes: list[Note] = []

    def note(self, element: etree._Element, what: str, severity: Severity, why: str, suggestion: str = "") -> None:
        """Say something about an element."""
        self.notes.append(Note(id_of(element), line_of(element), what, severity, why, suggestion))

    def info(self, element: etree._Element, what: str, why: str) -> None:
        """Converted, or not needed here."""
        self.note(element, what, Severity.INFO, why)

    def review(self, element: etree._Element, what: str, why: str, suggestion: str = "") -> None:
        """Converted, but look at it."""
        self.note(element, what, Severity.REVIEW, why, suggestion)

    def manual(self, element: etree._Element, what: str, why: str, suggestion: str) -> None:
        """Not converted: a person must act."""
        self.note(element, what, Severity.MANUAL, why, suggestion)

    # --- taking from the tree ---

    def take(self, element: etree._Element, name: str) -> str:
        """An attribute in Camunda 7's namespace, which is removed; "" if it is not there."""
        for namespace in (CAMUNDA, ACTIVITI):
            value = element.get(namespace + name)
            if value is not None:
                del element.attrib[namespace + name]
                return str(value).strip()
        return ""

    def take_elements(self, element: etree._Element, name: str) -> list[etree._Element]:
        """The Camunda 7 extension elements of this name, removed from the element."""
        found: list[etree._Element] = []
        for extensions in element.findall(f"{BPMN}extensionElements"):
            for child in list(extensions):
                if child.tag in (CAMUNDA + name, ACTIVITI + name):
                    remove(child)
                    found.append(child)
        return found

    # --- putting into the tree ---

    def extend(self, element: etree._Element, name: str, /, **attributes: str | None) -> etree._Element:
        """The Zeebe extension element of this name, made if it is not there; attributes that are None are left out."""
        extensions = element.find(f"{BPMN}extensionElements")
        if extensions is None:
            extensions = etree.Element(f"{BPMN}extensionElements")
            documentation = element.findall(f"{BPMN}documentation")
            element.insert(len(documentation), extensions)
        found = extensions.find(ZEEBE + name)
        if found is None:
            found = etree.SubElement(extensions, ZEEBE + name)
        for key, value in attributes.items():
            if value is not None:
                found.set(key, value)
        return found

    def extend_each(self, element: etree._Element, outer: str, inner: str, attributes: Mapping[str, str]) -> None:
        """One more inner element of a list such as taskHeaders."""
        etree.SubElement(self.extend(element, outer), ZEEBE + inner, dict(attributes))

    # --- expressions ---

    def value(self, element: etree._Element, what: str, text: str, *, feel: bool = False) -> str | None:
        """A text for Zeebe: literal, or FEEL behind "=". feel: a literal becomes a FEEL string as well.

        None, with a note, where it cannot be translated.
        """
        if not has_expression(text):
            return f'="{_escaped(text)}"' if feel else text
        try:
            return "=" + to_feel(text)
        except Untranslatable as error:
            suggestion = error.suggestion or "write it in FEEL"
            self.manual(element, what, f"'{text}' cannot be translated to FEEL: {error}", suggestion)
            return None


def remove(element: etree._Element) -> None:
    """Take an element out of its parent, keeping the text that follows it."""
    parent = element.getparent()
    if parent is not None:
        parent.remove(element)


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
