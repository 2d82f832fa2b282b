"""What a behaviour is, and the moments that several elements share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, NamedTuple

from domain.bpmn.model import FlowNode, SequenceFlow
from domain.process_instance.evaluation import Blocked, ErrorType, holds
from domain.process_instance.state import ElementInstance

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution, Token


class Behaviour(NamedTuple):
    """An element's part in execution. Each may raise Blocked before it emits, which becomes an incident."""

    enter: Callable[[Execution, Token], None]
    begin: Callable[[Execution, FlowNode, ElementInstance], None]
    choose: Callable[[Execution, FlowNode, int], Sequence[SequenceFlow]]


def outgoing_flows(x: Execution, node: FlowNode, at: int) -> Sequence[SequenceFlow]:
    """All outgoing flows whose condition holds, or that have none; the default flow when no condition holds.

    BPMN 2.0 §13.3.2: several flows out of an activity or event split the token. `at` is the scope of evaluation.
    """
    flows = node.outgoing
    if all(flow.condition is None for flow in flows):
        return flows
    scope = x.state.scope_variables(at)
    taken = [
        flow
        for flow in flows
        if flow.id != node.default_flow and (flow.condition is None or holds(x, flow.condition, scope))
    ]
    if not taken:
        taken = [flow for flow in flows if flow.id == node.default_flow]
    if not taken:
        raise no_flow(node)
    return taken


def no_flow(node: FlowNode) -> Blocked:
    """None of the conditions holds and there is no default flow."""
    conditions = "; ".join(f"{flow.id}: {flow.condition.text}" for flow in node.outgoing if flow.condition is not None)
    return Blocked(
        ErrorType.CONDITION_ERROR,
        f"no outgoing flow of '{node.id}' can be taken: no condition holds ({conditions}) and it has no default flow",
    )


def enter_and_begin(x: Execution, token: Token) -> None:
    """Enter an element that stays: activate it, then run its ENTERED phase."""
    x.begin(x.activate(token))


def complete_at_once(x: Execution, _node: FlowNode, element: ElementInstance) -> None:
    """The ENTERED phase of an element that waits for nothing."""
    x.leave(element.local)
