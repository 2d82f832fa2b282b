"""The notation's tree as BPMN 2.0 XML with Zeebe extension elements.

suffix: added to process ids, message and signal names, so that many scenarios share one server.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from xml.sax.saxutils import quoteattr

from tests.scenarios.notation import KINDS, Element, NotationError

HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" targetNamespace="scenarios" id="scenario">'
)
JOB_KINDS = ("service task", "send task", "script task", "business rule task")
EVENT_WORDS = "timer message signal error escalation condition link compensation terminate cancel".split()
_EACH = re.compile(r"each (\w+) in (.+?)(?: collect (.+?) into (\w+))?(?: until (.+))?")


def tag(name: str, content: str = "", /, **attributes: str | None) -> str:
    """An element with attributes (None: left out)."""
    prefixed = name if ":" in name else f"bpmn:{name}"
    given = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items() if value is not None)
    return f"<{prefixed}{given}>{content}</{prefixed}>" if content else f"<{prefixed}{given}/>"


def _text(value: str) -> str:
    return value.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


class _Writer:
    def __init__(self, suffix: str) -> None:
        self.suffix = suffix
        self.roots: dict[str, str] = {}

    def named(self, name: str) -> str:
        """A name that is shared with other scenarios, made this one's own; expressions stay."""
        return name if name.startswith("=") else name + self.suffix

    # --- scopes and elements ---

    def process(self, process: Element) -> str:
        tag_text = process.detail("version-tag")
        extra = tag("zeebe:versionTag", value=tag_text) if tag_text else ""
        extra += _listeners(process)
        content = tag("extensionElements", extra) if extra else ""
        return tag(
            "process", content + self.inside(process), id=process.id + self.suffix, name=process.id, isExecutable="true"
        )

    def inside(self, scope: Element) -> str:
        parts = [self.element(scope, child) for child in scope.children.values()]
        seen: dict[str, int] = {}
        for flow in scope.flows:
            flow_id = f"{flow.source}--{flow.target}"
            seen[flow_id] = seen.get(flow_id, 0) + 1
            if seen[flow_id] > 1:
                flow_id += f"--{seen[flow_id]}"
            if flow.association:
                parts.append(
                    tag(
                        "association",
                        id=flow_id,
                        sourceRef=flow.source,
                        targetRef=flow.target,
                        associationDirection="One",
                    )
                )
                continue
            condition = ""
            if flow.condition and flow.condition != "default":
                condition = tag("conditionExpression", _text(f"={flow.condition}"))
            parts.append(tag("sequenceFlow", condition, id=flow_id, sourceRef=flow.source, targetRef=flow.target))
        return "".join(parts)

    def element(self, scope: Element, element: Element) -> str:
        attributes: dict[str, str | None] = {"id": element.id, "name": element.id}
        default = [flow for flow in scope.flows if flow.source == element.id and flow.condition == "default"]
        if default:
            attributes["default"] = f"{element.id}--{default[0].target}"
        if element.kind == "event subprocess":
            attributes["triggeredByEvent"] = "true"
        if element.host:
            attributes["attachedToRef"] = element.host
            attributes["cancelActivity"] = str(element.interrupting).lower()
        if element.kind == "start event" and element.detail("non-interrupting") is not None:
            attributes["isInterrupting"] = "false"
        if element.detail("for") == "compensation":
            attributes["isForCompensation"] = "true"
        if element.kind == "receive task":
            name, _, key = (element.detail("message") or "").partition(" key ")
            attributes["messageRef"] = self.message(name, key)
        extensions = self.extensions(element)
        content = tag("extensionElements", extensions) if extensions else ""
        if element.kind != "receive task":
            content += "".join(self.event(word, text) for word, text in element.details if word in EVENT_WORDS)
        content += self.loop(element) + self.inside(element)
        if element.kind == "ad-hoc subprocess" and element.detail("until"):
            content += tag("completionCondition", _text(f"={element.detail('until')}"))
        return tag(KINDS[element.kind], content, **attributes)

    # --- what stands inside an element ---

    def extensions(self, element: Element) -> str:
        found = [EXTENSIONS[word](self, text) for word, text in element.details if word in EXTENSIONS]
        found.append(_listeners(element))
        mappings = "".join(
            tag(f"zeebe:{word}", source=f"={_after(text, '=')}", target=_before(text, "="))
            for word, text in element.details
            if word in ("input", "output")
        )
        if mappings:
            found.append(tag("zeebe:ioMapping", mappings))
        if element.kind == "user task":
            found.append(tag("zeebe:userTask"))
        throws_message = element.kind in ("throw event", "end event") and element.detail("message") is not None
        own = element.detail("result") is not None or element.detail("decision") is not None
        if (element.kind in JOB_KINDS or throws_message) and not own:
            found.append(
                tag("zeebe:taskDefinition", type=element.detail("type") or "work", retries=element.detail("retries"))
            )
        return "".join(found)

    def loop(self, element: Element) -> str:
        for word, before in (("loop", "true"), ("repeat", "false")):
            if (text := element.detail(word)) is not None:
                condition, _, most = text.removeprefix("while ").partition(" max ")
                inner = tag("loopCondition", _text(f"={condition}"))
                return tag("standardLoopCharacteristics", inner, testBefore=before, loopMaximum=most or None)
        each = _EACH.fullmatch((element.detail("for") or element.detail("sequential") or "").removeprefix("for "))
        if each is None:
            return ""
        item, items, collected, into, until = each.groups()
        inner = tag(
            "extensionElements",
            tag(
                "zeebe:loopCharacteristics",
                inputCollection=f"={items}",
                inputElement=item,
                outputCollection=into,
                outputElement=f"={collected}" if collected else None,
            ),
        )
        if until:
            inner += tag("completionCondition", _text(f"={until}"))
        sequential = "true" if element.detail("sequential") is not None else "false"
        return tag("multiInstanceLoopCharacteristics", inner, isSequential=sequential)

    # --- events ---

    def event(self, word: str, text: str) -> str:
        match word:
            case "timer":
                kind, _, value = text.partition(" ")
                names = {"date": "timeDate", "cycle": "timeCycle", "duration": "timeDuration"}
                kind, value = (names[kind], value) if kind in names else ("timeDuration", text)
                return tag("timerEventDefinition", tag(kind, _text(value)))
            case "message":
                name, _, key = text.partition(" key ")
                return tag("messageEventDefinition", messageRef=self.message(name, key))
            case "signal":
                reference = self.root("signal", text, name=self.named(text))
                return tag("signalEventDefinition", signalRef=reference)
            case "error" | "escalation":
                code = self.root(word, text, **{f"{word}Code": text}) if text else None
                return tag(f"{word}EventDefinition", **{f"{word}Ref": code})
            case "condition":
                return tag("conditionalEventDefinition", tag("condition", _text(f"={text}")))
            case "link":
                return tag("linkEventDefinition", name=text)
            case "compensation":
                return tag("compensateEventDefinition", activityRef=text.removeprefix("of ") or None)
            case _:
                return tag(f"{word}EventDefinition")

    def root(self, kind: str, text: str, content: str = "", /, **attributes: str) -> str:
        """Declare an error, escalation, message or signal at the document's root; its id."""
        reference = f"{kind}-{re.sub(r'[^A-Za-z0-9]+', '-', text).strip('-')}"
        self.roots[reference] = tag(kind, content, id=reference, **attributes)
        return reference

    def message(self, name: str, key: str) -> str:
        if not name:
            raise NotationError("a message event or receive task names its message: message paid key orderId")
        content = tag("extensionElements", tag("zeebe:subscription", correlationKey=f"={key}")) if key else ""
        return self.root("message", f"{name} {key}", content, name=self.named(name))


def _before(text: str, mark: str) -> str:
    return text.partition(mark)[0].strip()


def _after(text: str, mark: str) -> str:
    return text.partition(mark)[2].strip()


def _decision(_writer: _Writer, text: str) -> str:
    decision_id, _, result = text.partition(" into ")
    return tag("zeebe:calledDecision", decisionId=decision_id, resultVariable=result)


def _calls(writer: _Writer, text: str) -> str:
    called, _, how = text.partition(" ")
    return tag(
        "zeebe:calledElement",
        processId=writer.named(called),
        propagateAllChildVariables="false" if "results by mapping" in how else None,
        propagateAllParentVariables="false" if "inputs by mapping" in how else None,
    )


def _listeners(element: Element) -> str:
    """`listener start check [retries 1]`: execution listeners, and task listeners by their event."""
    found: dict[str, str] = {}
    for word, text in element.details:
        if word == "listener":
            event, job_type, *rest = text.split(" ", 3)
            kind = "execution" if event in ("start", "end", "beforeAll") else "task"
            retries = rest[1] if rest else None
            listener = tag(f"zeebe:{kind}Listener", eventType=event, type=job_type, retries=retries)
            found[kind] = found.get(kind, "") + listener
    return "".join(tag(f"zeebe:{kind}Listeners", inner) for kind, inner in found.items())


EXTENSIONS: dict[str, Callable[[_Writer, str], str]] = {
    "result": lambda _writer, text: tag(
        "zeebe:script", expression=f"={_after(text, '=')}", resultVariable=_before(text, "=")
    ),
    "decision": _decision,
    "calls": _calls,
    "assignee": lambda _writer, text: tag("zeebe:assignmentDefinition", assignee=text),
    "header": lambda _writer, text: tag(
        "zeebe:taskHeaders", tag("zeebe:header", key=_before(text, "="), value=_after(text, "="))
    ),
    "all": lambda _writer, text: tag("zeebe:adHoc", activeElementsCollection=f"={text.removeprefix('of ')}"),
}


def to_xml(processes: Sequence[Element], suffix: str = "") -> str:
    """A BPMN document with these processes."""
    writer = _Writer(suffix)
    body = "".join(writer.process(process) for process in processes)
    return f"{HEAD}{''.join(writer.roots.values())}{body}</bpmn:definitions>"
