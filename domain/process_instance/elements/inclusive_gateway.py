"""Inclusive gateway: splits over all flows whose conditions hold; joins when no other token can arrive (§13.4.3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.process_instance import events as e
from domain.process_instance.elements.behaviour import Behaviour, complete_at_once, enter_and_begin, outgoing_flows
from domain.process_instance.state import ElementInstance

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution, Token


def enter(x: Execution, token: Token) -> None:
    """A joining gateway records the token; whether it opens is seen when all tokens stand still."""
    node = token.node
    if len(node.incoming) > 1 and token.flow:
        x.emit(e.TokenArrived(node.id, token.scope, token.flow, token.source))
        x.path_ended(token.scope)
    elif node.listeners:
        enter_and_begin(x, token)
    else:
        x.pass_through(token, outgoing_flows(x, node, token.scope))


def enabled_join(x: Execution, scope: ElementInstance) -> str:
    """The id of a joining inclusive gateway of the scope that no further token can reach, "" if there is none."""
    for gateway, arrived in (scope.arrived or {}).items():
        reach = x.model.joins.get(gateway)
        if reach is not None and not any(_holds_back(reach.get(at), arrived) for at in _tokens(x, scope, gateway)):
            return gateway
    return ""


def _holds_back(reachable: frozenset[str] | None, arrived: dict[str, int]) -> bool:
    return bool(reachable) and not any(flow in arrived for flow in reachable or ())


def _tokens(x: Execution, scope: ElementInstance, gateway: str) -> list[str]:
    """Where the scope's other tokens are: at active element instances and at other joins."""
    active = [
        element.element_id
        for element in x.state.elements.values()
        if element.scope == scope.local and element.local != scope.local
    ]
    return active + [join for join in scope.arrived or () if join != gateway]


BEHAVIOUR = Behaviour(enter, complete_at_once, outgoing_flows)
