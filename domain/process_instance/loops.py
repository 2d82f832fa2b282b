"""Loops: multi-instance activities, parallel and sequential, and standard loops (BPMN 2.0 §13.3.6, §13.3.7).

A *body* stands for the loop as a whole: it holds the boundary events and the collection. Inside it run the inner
instances, each with its item and `loopCounter` as local variables, which the mappings of the activity apply to. A
parallel body begins its inner instances in chunks, so that a long collection blocks nobody else.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from domain.bpmn.model import FlowNode, MultiInstance
from domain.process_instance import events as e
from domain.process_instance.evaluation import Blocked, ErrorType, evaluate, explain, holds
from domain.process_instance.state import ElementInstance, Loop
from domain.process_instance.variables import merge_upwards, set_in

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution

_NAME = re.compile(r"=\s*([A-Za-z_]\w*)(?:\.[A-Za-z_]\w*)*\s*")
CHUNK = 200
"""Inner instances that one command begins; a timer that is due at once wakes the loop for the rest."""
MAX_ITEMS = 100_000


def begin_body(x: Execution, node: FlowNode, body: ElementInstance) -> None:
    """Evaluate the collection and begin the first inner instances. Raises Blocked."""
    definition = node.loop
    items: list[Any] | None = None
    if isinstance(definition, MultiInstance):
        scope = x.state.scope_variables(body.local)
        found = evaluate(x, definition.input_collection, scope, ErrorType.EXTRACT_VALUE_ERROR)
        if not isinstance(found, list):
            message = f"the input collection '{definition.input_collection.text}' must be a list, but was {found!r}"
            message += explain(x, definition.input_collection, scope) if found is None else ""
            raise Blocked(ErrorType.EXTRACT_VALUE_ERROR, message)
        if len(found) > MAX_ITEMS:
            message = f"the input collection has {len(found):,} items; at most {MAX_ITEMS:,} are worked through"
            raise Blocked(ErrorType.EXTRACT_VALUE_ERROR, message)
        items = found
    x.emit(e.LoopStarted(body.local, items))
    x.continue_loop(body.local)


def go_on(x: Execution, local: int) -> None:
    """Begin the next inner instance of a body that may have one more; without any left, leave the body. Raises
    Blocked (the condition of a standard loop)."""
    body = x.state.elements.get(local)
    if body is None:
        return
    node = x.model.nodes[body.element_id]
    loop = body.loop
    assert loop is not None
    if not _wants_another(x, node, body, loop):
        if loop.ended == loop.started:
            x.leave(local)
    elif x.steps > CHUNK:
        x.emit(e.TimerStarted(x.next_local(), local, node.id, x.now))
    else:
        x.steps += 1
        x.continue_loop(local)
        _begin_inner(x, node, body, loop)


def _wants_another(x: Execution, node: FlowNode, body: ElementInstance, loop: Loop) -> bool:
    if loop.items is None:
        return loop.started == loop.ended and _loops_again(x, node, body, loop)
    if loop.started == len(loop.items):
        return False
    assert isinstance(node.loop, MultiInstance)
    return not node.loop.sequential or loop.started == loop.ended


def _loops_again(x: Execution, node: FlowNode, body: ElementInstance, loop: Loop) -> bool:
    """Whether a standard loop runs (again)."""
    definition = node.loop
    assert definition is not None
    assert not isinstance(definition, MultiInstance)
    if definition.maximum and loop.started >= definition.maximum:
        return False
    if loop.started == 0 and not definition.test_before:
        return True
    scope = {**x.state.scope_variables(body.local), "loopCounter": loop.started}
    return holds(x, definition.condition, scope)


def _begin_inner(x: Execution, node: FlowNode, body: ElementInstance, loop: Loop) -> None:
    index = loop.started
    local = x.next_local()
    x.emit(e.ElementActivated(local, node.id, body.local, "", body.local))
    values: dict[str, Any] = {"loopCounter": index + 1}
    if isinstance(node.loop, MultiInstance) and loop.items is not None:
        values = {
            **_own_output(node.loop),
            **({node.loop.input_element: loop.items[index]} if node.loop.input_element else {}),
            **values,
        }
    set_in(x, local, values, body.local)
    x.begin(local)


def _own_output(definition: MultiInstance) -> dict[str, Any]:
    """Where the output element is a variable (or a path into one), each instance has its own (Zeebe's rule)."""
    element = definition.output_element
    name = _NAME.fullmatch(element.text) if element is not None else None
    return {name[1]: None} if name else {}


def inner_left(x: Execution, node: FlowNode, inner: ElementInstance) -> None:
    """An inner instance is done: collect its output, test the completion condition, go on. Raises Blocked before
    anything is emitted."""
    body = x.state.elements[inner.scope]
    loop = body.loop
    assert loop is not None
    definition = node.loop
    output: Any = None
    if isinstance(definition, MultiInstance) and definition.output_element is not None:
        scope = x.state.scope_variables(inner.local)
        output = evaluate(x, definition.output_element, scope, ErrorType.EXTRACT_VALUE_ERROR)
    complete = _is_complete(x, node, inner, body, loop)
    counter = (inner.variables or {}).get("loopCounter", loop.ended + 1)
    if inner.compensable:
        x.emit(e.CompensationRegistered(inner.local))
    x.emit(e.LoopInnerEnded(body.local, int(counter) - 1, output))
    x.emit(e.ElementCompleted(inner.local, x.ending(inner.local)))
    if complete:
        x.terminate_children(body.local)
        x.leave(body.local)
    else:
        x.continue_loop(body.local)


def _is_complete(x: Execution, node: FlowNode, inner: ElementInstance, body: ElementInstance, loop: Loop) -> bool:
    definition = node.loop
    if not isinstance(definition, MultiInstance) or definition.completion_condition is None:
        return False
    numbers = {
        "numberOfInstances": len(loop.items or ()),
        "numberOfActiveInstances": body.children - 1,
        "numberOfCompletedInstances": loop.ended + 1,
        "numberOfTerminatedInstances": 0,
    }
    return holds(x, definition.completion_condition, {**x.state.scope_variables(inner.local), **numbers})


def leave_body(x: Execution, node: FlowNode, body: ElementInstance) -> None:
    """Hand the collected outputs to the scope around, in the order of the input."""
    loop = body.loop
    definition = node.loop
    if loop is not None and isinstance(definition, MultiInstance) and definition.output_collection:
        outputs = [loop.outputs.get(index) for index in range(len(loop.items or ()))]
        merge_upwards(x, body.scope, {definition.output_collection: outputs}, body.local)
