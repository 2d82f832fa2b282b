"""Reading XML from strangers: no DTD, no entities, no network, bounded in size and depth.

lxml's own defaults would silently drop entities; a document type declaration is therefore refused outright.
"""

from __future__ import annotations

import re

from lxml import etree

from domain.errors import Finding, InvalidModel

MAX_BYTES = 4 * 1024 * 1024
MAX_DEPTH = 100
MAX_ELEMENTS = 200_000

_DTD = re.compile(rb"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)
_DTD_TEXT = re.compile(r"<!\s*(DOCTYPE|ENTITY)", re.IGNORECASE)


def read_xml(resource: str, data: bytes) -> etree._Element:
    """The root element of a document. Raises InvalidModel (with the line) for what is malformed, hostile or too big."""

    def refuse(message: str, line: int = 0) -> InvalidModel:
        return InvalidModel(resource, (Finding("", message, line, rule="xml"),))

    if len(data) > MAX_BYTES:
        raise refuse(f"the file has {len(data):,} bytes; at most {MAX_BYTES:,} are read")
    if not data.strip():
        raise refuse("the file is empty; a BPMN or DMN document is expected")
    if _declares_dtd(data):
        raise refuse("a document type declaration (<!DOCTYPE or <!ENTITY) is not allowed; remove it")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise refuse(f"this is not well-formed XML: {error.msg}", error.lineno or 0) from error
    except (ValueError, LookupError) as error:
        raise refuse(f"this is not XML: {error}") from error
    if root.getroottree().docinfo.internalDTD is not None:
        raise refuse("a document type declaration (<!DOCTYPE or <!ENTITY) is not allowed; remove it")
    _cap(root, refuse)
    return root


def _declares_dtd(data: bytes) -> bool:
    if _DTD.search(data):
        return True
    for encoding in ("utf-16", "utf-32"):  # a declaration may hide from a search over bytes
        if data[:4].startswith((b"\xff\xfe", b"\xfe\xff", b"\x00\x00")):
            try:
                if _DTD_TEXT.search(data.decode(encoding)):
                    return True
            except UnicodeDecodeError:
                continue
    return False


def _cap(root: etree._Element, refuse: object) -> None:
    assert callable(refuse)
    depth, count = 0, 0
    for event, element in etree.iterwalk(root, events=("start", "end")):
        depth += 1 if event == "start" else -1
        count += event == "start"
        if depth > MAX_DEPTH:
            raise refuse(f"elements are nested more than {MAX_DEPTH} deep", element.sourceline or 0)
        if count > MAX_ELEMENTS:
            raise refuse(f"the document has more than {MAX_ELEMENTS:,} elements", element.sourceline or 0)
