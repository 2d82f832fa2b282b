"""Loop characteristics: multi-instance (with zeebe:loopCharacteristics) and standard loops."""

from __future__ import annotations

from lxml import etree

from domain.bpmn.draft import BPMN, Draft, extension
from domain.bpmn.model import Attribute, ElementType, MultiInstance, StandardLoop

LOOPS = ("multiInstanceLoopCharacteristics", "standardLoopCharacteristics")
LOOPING = (
    ElementType.SUB_PROCESS,
    ElementType.TASK,
    ElementType.MANUAL_TASK,
    ElementType.USER_TASK,
    ElementType.SERVICE_TASK,
    ElementType.SCRIPT_TASK,
    ElementType.BUSINESS_RULE_TASK,
    ElementType.SEND_TASK,
    ElementType.RECEIVE_TASK,
    ElementType.CALL_ACTIVITY,
)


def parse_loop(draft: Draft, element: etree._Element, kind: ElementType) -> MultiInstance | StandardLoop | None:
    """The loop of an activity, None where it has none."""
    for name in LOOPS:
        found = element.find(BPMN + name)
        if found is None:
            continue
        if kind not in LOOPING:
            draft.find(element, f"<{name}> belongs to activities only", "loop")
            return None
        return _multi_instance(draft, element, found) if name == LOOPS[0] else _standard(draft, element, found)
    return None


def _multi_instance(draft: Draft, element: etree._Element, found: etree._Element) -> MultiInstance | None:
    zeebe = extension(found, "loopCharacteristics")
    collection = "" if zeebe is None else str(zeebe.get("inputCollection", "")).strip()
    if zeebe is None or not collection.startswith("="):
        message = 'a multi-instance activity needs <zeebe:loopCharacteristics inputCollection="=…" />'
        draft.find(element, message, "loop")
        return None
    output_collection = str(zeebe.get("outputCollection", "")).strip()
    output_element = str(zeebe.get("outputElement", "")).strip()
    if bool(output_collection) != bool(output_element):
        draft.find(element, "outputCollection and outputElement belong together; give both or none", "loop")
    return MultiInstance(
        found.get("isSequential") == "true",
        draft.attribute(element, collection, "input collection"),
        str(zeebe.get("inputElement", "")).strip(),
        output_collection,
        draft.attribute(element, output_element, "output element") if output_element else None,
        _condition(draft, element, found, "completionCondition", "completion condition"),
    )


def _standard(draft: Draft, element: etree._Element, found: etree._Element) -> StandardLoop | None:
    condition = _condition(draft, element, found, "loopCondition", "loop condition")
    maximum = str(found.get("loopMaximum", "0"))
    if not maximum.isdigit():
        draft.find(element, f"loopMaximum must be a whole number, not '{maximum}'", "loop")
        return None
    if condition is None:
        if int(maximum) == 0:
            draft.find(element, "a standard loop needs a loopCondition or a loopMaximum", "loop")
            return None
        condition = draft.attribute(element, "=true", "loop condition")
    return StandardLoop(condition, found.get("testBefore") == "true", int(maximum))


def _condition(draft: Draft, element: etree._Element, found: etree._Element, tag: str, what: str) -> Attribute | None:
    condition = found.find(BPMN + tag)
    text = "" if condition is None else (condition.text or "").strip()
    if not text:
        return None
    if not text.startswith("="):
        draft.find(element, f"the {what} {text!r} must be a FEEL expression: begin it with '='", "feel")
        return None
    return draft.attribute(element, text, what)
