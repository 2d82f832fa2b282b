"""What a DMN file looks like in XML: its namespaces, and how its elements are found (domain/xml.py reads it safely)."""

from __future__ import annotations

from typing import TypeAlias

from lxml import etree

from domain.dmn.errors import InvalidDecisionModel
from domain.errors import Finding, InvalidModel
from domain.xml import read_xml

Element: TypeAlias = etree._Element

DMN_NAMESPACES = {
    "http://www.omg.org/spec/DMN/20151101/dmn.xsd": "1.1",
    "http://www.omg.org/spec/DMN/20180521/MODEL/": "1.2",
    "https://www.omg.org/spec/DMN/20191111/MODEL/": "1.3",
    "https://www.omg.org/spec/DMN/20211108/MODEL/": "1.4",
    "https://www.omg.org/spec/DMN/20230324/MODEL/": "1.5",
}

FEEL_NAMESPACES = frozenset(
    {
        "http://www.omg.org/spec/FEEL/20140401",
        "http://www.omg.org/spec/DMN/20180521/FEEL/",
        "https://www.omg.org/spec/DMN/20191111/FEEL/",
        "https://www.omg.org/spec/DMN/20211108/FEEL/",
        "https://www.omg.org/spec/DMN/20230324/FEEL/",
    }
)

ZEEBE_NAMESPACE = "http://camunda.org/schema/zeebe/1.0"


def refuse(message: str, line: int = 0, resource: str = "DMN model") -> InvalidDecisionModel:
    """The error for a file that cannot be read at all."""
    return InvalidDecisionModel(resource, (Finding("", message, line, "error", "xml"),))


def read_definitions(xml: bytes) -> Element:
    """The `definitions` element of a DMN file; raises InvalidDecisionModel when the file is not one."""
    try:
        root = read_xml("DMN model", xml)
    except InvalidModel as error:
        raise InvalidDecisionModel(error.resource, error.findings) from error
    name = etree.QName(root)
    if name.localname != "definitions" or name.namespace not in DMN_NAMESPACES:
        known = ", ".join(f"{uri} (DMN {version})" for uri, version in DMN_NAMESPACES.items())
        raise refuse(f"the root element is {root.tag}; expected <definitions> in one of {known}", line_of(root))
    return root


def line_of(element: Element) -> int:
    """The 1-based line where the element begins, 0 where unknown."""
    line = element.sourceline
    return line if isinstance(line, int) else 0


def local_name(element: Element) -> str:
    """The name without its namespace."""
    return etree.QName(element).localname


def children(element: Element, *names: str) -> list[Element]:
    """Child elements with one of the local names, in the namespace of `element` itself."""
    namespace = etree.QName(element).namespace
    tags = {f"{{{namespace}}}{name}" for name in names}
    return [child for child in element if child.tag in tags]


def child(element: Element, *names: str) -> Element | None:
    """The first child element with one of the local names."""
    found = children(element, *names)
    return found[0] if found else None


def attribute(element: Element, name: str) -> str:
    """An attribute with its white space trimmed; "" where missing."""
    return (element.get(name) or "").strip()


def name_of(element: Element) -> str:
    """The `name` attribute with inner white space normalised, as FEEL reads names."""
    return " ".join((element.get("name") or "").split())


def text_of(element: Element | None) -> str:
    """The content of the `text` child; "" where missing."""
    if element is None:
        return ""
    text = child(element, "text")
    return "".join(str(part) for part in text.itertext()).strip() if text is not None else ""


def type_ref_of(element: Element) -> str:
    """The type that an element promises, by `typeRef` attribute or child element; "" where it promises none.

    A DMN 1.1 QName (`feel:string`, `ns1:tPerson`) comes out as later versions write it (`string`, `import.tPerson`).
    """
    named = child(element, "typeRef")
    name = " ".join((named.text or "").split()) if named is not None else attribute(element, "typeRef")
    return type_name(name, element)


def type_name(name: str, element: Element) -> str:
    """Resolves the namespace prefix of a type name, where it has one that is declared."""
    prefix, colon, local = name.partition(":")
    namespace = element.nsmap.get(prefix) if colon else None
    if namespace is None:
        return name
    root = element.getroottree().getroot()
    if namespace in FEEL_NAMESPACES or namespace == attribute(root, "namespace"):
        return local
    for imported in children(root, "import"):
        if attribute(imported, "namespace") == namespace and name_of(imported):
            return f"{name_of(imported)}.{local}"
    return local
