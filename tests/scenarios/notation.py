"""The compact model notation of the scenarios: lines of flows and elements, read into a tree (docs/scenarios.md).

start -> choose -[amount > 5]-> review -> end       flows; conditions in FEEL
choose -[default]-> end
choose: exclusive gateway                            elements: id, kind, details
review: user task
  input total = amount * 2                           details may stand on lines of their own
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

KINDS: dict[str, str] = {
    "start event": "startEvent",
    "end event": "endEvent",
    "catch event": "intermediateCatchEvent",
    "throw event": "intermediateThrowEvent",
    "boundary": "boundaryEvent",
    "task": "task",
    "manual task": "manualTask",
    "user task": "userTask",
    "service task": "serviceTask",
    "script task": "scriptTask",
    "send task": "sendTask",
    "receive task": "receiveTask",
    "business rule task": "businessRuleTask",
    "exclusive gateway": "exclusiveGateway",
    "parallel gateway": "parallelGateway",
    "inclusive gateway": "inclusiveGateway",
    "event gateway": "eventBasedGateway",
    "complex gateway": "complexGateway",
    "subprocess": "subProcess",
    "event subprocess": "subProcess",
    "ad-hoc subprocess": "adHocSubProcess",
    "transaction": "transaction",
    "call activity": "callActivity",
}
"""Kinds of elements and their BPMN names."""

SCOPES = ("subprocess", "event subprocess", "ad-hoc subprocess", "transaction")
DETAILS = (
    "timer message signal error escalation condition link compensation terminate cancel non-interrupting input output "
    "type retries header result decision calls loop repeat sequential for all until listener keep assignee"
).split()
"""The words that details begin with; `bpmn_xml` knows what each becomes."""

ID = r"[A-Za-z_][\w.-]*"
_DECLARED = re.compile(rf"({ID}(?:\s*,\s*{ID})*)\s*:\s+(.+)")
_IDS = re.compile(rf"{ID}(?:\s*,\s*{ID})*")
_ARROW = re.compile(r"\s+(->|~>|-\[.+?\]->)\s+")


class NotationError(ValueError):
    """A line of a model cannot be read."""


@dataclass
class Flow:
    """source → target. condition: FEEL, "default", or ""; association: leads to a compensation handler."""

    source: str
    target: str
    condition: str = ""
    association: bool = False


@dataclass
class Element:
    """A flow node with its details, each a word and the text after it; a scope with what it contains."""

    id: str
    kind: str
    host: str = ""
    interrupting: bool = True
    details: list[tuple[str, str]] = field(default_factory=list)
    children: dict[str, Element] = field(default_factory=dict)
    flows: list[Flow] = field(default_factory=list)

    def detail(self, word: str) -> str | None:
        """The text of the first detail with this word, None without one."""
        return next((text for known, text in self.details if known == word), None)


@dataclass
class _Line:
    number: int
    indent: int
    text: str


def read_model(text: str, process_id: str) -> Element:
    """The process that the notation describes. Raises NotationError naming the line."""
    lines = [
        _Line(number, len(raw) - len(raw.lstrip()), raw.strip())
        for number, raw in enumerate(text.splitlines(), 1)
        if raw.strip() and not raw.strip().startswith("#")
    ]
    process = Element(process_id, "process")
    _read_block(process, lines)
    _infer(process)
    return process


def _read_block(owner: Element, lines: list[_Line]) -> None:
    """Lines of one indent, each with the deeper ones that belong to it."""
    at = 0
    while at < len(lines):
        line, end = lines[at], at + 1
        while end < len(lines) and lines[end].indent > line.indent:
            end += 1
        inner = lines[at + 1 : end]
        declared = _DECLARED.fullmatch(line.text)
        if declared is not None:
            for element_id in re.split(r"\s*,\s*", declared[1]):
                _add(owner, _element(element_id, declared[2], line), inner, line)
        elif inner:
            raise NotationError(f"line {inner[0].number}: only an element has indented lines, not '{line.text}'")
        elif _ARROW.search(line.text):
            owner.flows += _flows(line)
        else:
            owner.details += _details(line.text, line)
        at = end


def _add(owner: Element, element: Element, inner: list[_Line], line: _Line) -> None:
    if element.id in owner.children:
        raise NotationError(f"line {line.number}: '{element.id}' is described twice")
    _read_block(element, inner)
    if element.children or element.flows:
        if element.kind not in SCOPES:
            raise NotationError(f"line {line.number}: a {element.kind} contains no elements")
        _infer(element)
    owner.children[element.id] = element


def _element(element_id: str, text: str, line: _Line) -> Element:
    first, *rest = split(text)
    boundary = re.fullmatch(rf"(non-interrupting )?boundary on ({ID})", first)
    if boundary is not None:
        element = Element(element_id, "boundary", boundary[2], not boundary[1])
    elif first in KINDS:
        element = Element(element_id, first)
    else:
        raise NotationError(f"line {line.number}: '{first}' is no kind of element; they are {', '.join(KINDS)}")
    for part in rest:
        element.details += _details(part, line)
    return element


def _details(text: str, line: _Line) -> list[tuple[str, str]]:
    word, _, value = text.partition(" ")
    if word not in DETAILS:
        raise NotationError(
            f"line {line.number}: '{text}' is neither a flow (a -> b), an element (id: kind) "
            f"nor a detail ({', '.join(DETAILS)})"
        )
    return [(word, value.strip())]


def split(text: str) -> list[str]:
    """Split at commas outside of quotes and brackets."""
    parts, depth, quoted, start = [], 0, False, 0
    for at, char in enumerate(text):
        if char == '"':
            quoted = not quoted
        elif not quoted:
            depth += (char in "([{") - (char in ")]}")
            if char == "," and not depth:
                parts.append(text[start:at].strip())
                start = at + 1
    return [*parts, text[start:].strip()]


def _flows(line: _Line) -> list[Flow]:
    """`a -> b, c -> d`: from each on the left to each on the right."""
    pieces = _ARROW.split(line.text)
    stops, arrows = pieces[::2], pieces[1::2]
    found = []
    for stop in stops:
        if not _IDS.fullmatch(stop.strip()):
            raise NotationError(f"line {line.number}: '{stop}' is not a list of element ids")
    for left, arrow, right in zip(stops, arrows, stops[1:], strict=False):
        condition = arrow[2:-3].strip() if arrow.startswith("-[") else ""
        for source in re.split(r"\s*,\s*", left.strip()):
            found += [Flow(source, target, condition, arrow == "~>") for target in re.split(r"\s*,\s*", right.strip())]
    return found


def _infer(scope: Element) -> None:
    """Elements that flows name but nothing describes: `start…` and `end…` are none events, all else is a mistake."""
    for flow in scope.flows:
        for element_id in (flow.source, flow.target):
            if element_id not in scope.children:
                kind = next((f"{word} event" for word in ("start", "end") if element_id.startswith(word)), "")
                if not kind:
                    raise NotationError(f"'{element_id}' is not described; add a line '{element_id}: service task'")
                scope.children[element_id] = Element(element_id, kind)
