"""Call activity: another process as a step, carried out by an instance of its own (BPMN 2.0 §10.3.6, §13.3.4).

Entering records the call; the instance is started by a delivery (commands/start_child.py), returns by another
(return_to_caller.py), and is ended by a third when the call activity ends before it (cancel_child.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from domain.bpmn.model import Binding, CalledElement, FlowNode
from domain.process_instance import events as e
from domain.process_instance.elements.behaviour import Behaviour, enter_and_begin, outgoing_flows
from domain.process_instance.evaluation import Blocked, ErrorType, text_of
from domain.process_instance.state import ElementInstance

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution

MAX_DEPTH = 1_000
"""Callers above an instance; a process that calls itself without end stops here with an incident (as Zeebe does)."""


def begin(x: Execution, node: FlowNode, element: ElementInstance) -> None:
    """Find the definition and record the call. Raises Blocked(CALLED_ELEMENT_ERROR)."""
    called = node.definition
    assert isinstance(called, CalledElement)
    scope = x.state.scope_variables(element.local)
    process_id = text_of(x, called.process_id, scope, "process id")
    if x.state.depth >= MAX_DEPTH:
        message = (
            f"'{process_id}' is not called: {MAX_DEPTH:,} instances called each other already, so the processes "
            "call themselves without end. Mend the models or the variables that decide it, and cancel the root"
        )
        raise Blocked(ErrorType.CALLED_ELEMENT_ERROR, message)
    found = x.surroundings.deployed.find_process(process_id, called.binding, called.version_tag)
    if found is None:
        tag = f" and the version tag '{called.version_tag}'" if called.version_tag else ""
        where = " in the deployment of this process" if called.binding is Binding.DEPLOYMENT else ""
        message = (
            f"no process with the id '{process_id}'{tag} is deployed{where}; deploy it, then resolve this incident"
        )
        raise Blocked(ErrorType.CALLED_ELEMENT_ERROR, message)
    if not found.has_none_start:
        message = f"the process '{process_id}' has no none start event, so it cannot be called; add one and deploy it"
        raise Blocked(ErrorType.CALLED_ELEMENT_ERROR, message)
    x.emit(e.ChildCalled(x.next_local(), element.local, node.id, found.definition_key))


def inputs(x: Execution, node: FlowNode, element: ElementInstance) -> dict[str, Any]:
    """The variables that the called instance begins with: all that are visible here, or the input mappings' alone."""
    called = node.definition
    assert isinstance(called, CalledElement)
    if called.all_parent_variables:
        return dict(x.state.scope_variables(element.local))
    return dict(element.variables or {})


def complete(x: Execution, node: FlowNode, element: ElementInstance, result: Mapping[str, Any]) -> None:
    """The called instance completed with these variables: they come back by the output mappings, or all of them."""
    called = node.definition
    assert isinstance(called, CalledElement)
    wanted = called.all_child_variables or node.outputs
    x.complete_with(element.local, dict(result) if wanted else {})


def end(x: Execution, element: ElementInstance) -> None:
    """The call activity is ended from outside: what it called is not started, or is to be cancelled."""
    if element.called:
        x.emit(e.DeliverySettled(element.called))
    elif element.child:
        x.emit(e.ChildAbandoned(x.next_local(), element.local, element.child))


BEHAVIOUR = Behaviour(enter_and_begin, begin, outgoing_flows)
