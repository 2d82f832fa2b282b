"""Which incoming flows of an inclusive gateway a token can still reach: computed once per model, by a walk backwards.

BPMN 2.0 §13.4.3: a token on the way to an empty incoming flow holds the gateway back, unless it is also on the way to
one that has a token already; paths through the gateway itself do not count.
"""

from __future__ import annotations

from collections.abc import Mapping

from domain.bpmn.model import ElementType, FlowNode, SequenceFlow

Reach = Mapping[str, frozenset[str]]
"""Node id → the gateway's incoming flows that can be reached from there."""


def inclusive_joins(nodes: Mapping[str, FlowNode], flows: Mapping[str, SequenceFlow]) -> dict[str, Reach]:
    """For each inclusive gateway with several incoming flows, what reaches them."""
    return {
        node.id: _reach(node, nodes, flows)
        for node in nodes.values()
        if node.type is ElementType.INCLUSIVE_GATEWAY and len(node.incoming) > 1
    }


def _reach(gateway: FlowNode, nodes: Mapping[str, FlowNode], flows: Mapping[str, SequenceFlow]) -> Reach:
    before: dict[str, set[str]] = {}  # node → nodes from which a token gets there in one step
    for node in nodes.values():
        for flow in node.outgoing:  # link events included
            before.setdefault(flow.target, set()).add(node.id)
        for event in node.boundary:
            before.setdefault(event, set()).add(node.id)
    reached: dict[str, set[str]] = {}
    for flow_id in gateway.incoming:
        work, seen = [flows[flow_id].source], {gateway.id}
        while work:
            node_id = work.pop()
            if node_id in seen:
                continue
            seen.add(node_id)
            reached.setdefault(node_id, set()).add(flow_id)
            work += before.get(node_id, ())
    return {node_id: frozenset(found) for node_id, found in reached.items()}
