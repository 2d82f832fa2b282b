"""Elements that do nothing but let the token pass: none events, undefined and manual tasks (BPMN 2.0 §13.3.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.process_instance.elements.behaviour import Behaviour, complete_at_once, enter_and_begin, outgoing_flows

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution, Token


def enter(x: Execution, token: Token) -> None:
    """One event suffices, unless there are mappings, which need a scope of their own, or something to undo."""
    node = token.node
    if node.inputs or node.outputs or node.compensation or node.listeners:
        enter_and_begin(x, token)
    else:
        x.pass_through(token, outgoing_flows(x, node, token.scope))


BEHAVIOUR = Behaviour(enter, complete_at_once, outgoing_flows)
