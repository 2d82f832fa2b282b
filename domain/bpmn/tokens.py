"""Every way the tokens of one scope can go, explored at deployment: finds joins that can wait for ever.

A scope is read as a net: places are the flows on which a token stands before a node, moves are what nodes do with
tokens (BPMN 2.0 §13.4). Data is left out: every choice is taken both ways, an activity completes or is interrupted, a
non-interrupting event fires up to MAX_REPEATS times, a subprocess is one activity. What is found dead here is what the
engine calls a deadlock (`execution._raise_deadlock`): tokens wait at joins and nothing else is left.

Tokens before different nodes do not take anything from each other, so their order does not matter: from each marking
only the moves of ONE token are followed, the one farthest upstream (a stubborn set: all dead markings stay reachable,
Valmari 1991). Taking upstream tokens first makes tokens that can meet before a node meet there. Inclusive joins look
at all other tokens and are moved last, when everything else stands, as in the engine.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from itertools import combinations
from typing import NamedTuple

from domain.bpmn.model import CompensationDefinition, ElementType, ErrorDefinition, FlowNode, ProcessModel

MAX_MARKINGS = 5_000
"""Markings that are looked at in one scope; beyond it the scope counts as not checked."""
MAX_TOKENS = 8
"""Tokens in one place; a scope in which more pile up counts as not checked beyond that."""
MAX_CHOICES = 256
"""Ways on from one node; an inclusive gateway with more than eight conditions is not followed."""
ENOUGH = 2
"""Tokens that are told apart in a place from which no join can be reached: more would find nothing new."""
MAX_REPEATS = 2
"""Times that a non-interrupting event fires while its activity is active."""

Place = tuple[str, int]
"""(flow id, 0): a token on its way into the flow's target; (node id, n): an activity that is active, whose
non-interrupting events fired n - 1 times."""
Marking = tuple[tuple[Place, int], ...]
"""Places with their number of tokens, sorted."""
Way = tuple[Place, ...] | None
"""The places that a move puts tokens in; None: the scope ends with all that is in it."""


class Dead(NamedTuple):
    """A join that waits for ever in some marking: the flows on which tokens wait, those that stay empty, and the
    choices (node id, flow ids taken) that led there."""

    join: str
    waiting: frozenset[str]
    missing: frozenset[str]
    choices: tuple[tuple[str, tuple[str, ...]], ...]


class Meeting(NamedTuple):
    """Tokens that stand before a node that does not join them, at the same time, on these flows."""

    node: str
    flows: frozenset[str]


class Explored(NamedTuple):
    """What became of a scope. complete: every way was followed; opened: joins that opened in some way."""

    dead: Mapping[str, Dead]
    meetings: Mapping[str, Meeting]
    opened: frozenset[str]
    complete: bool


def explore(model: ProcessModel, scope: FlowNode) -> Explored:
    """Follow all tokens of a scope from each of its start events."""
    return _Exploration(model, scope).run()


def ends_scope(node: FlowNode) -> bool:
    """Whether a token that ends here ends all others of its scope too."""
    cancels = type(node.definition).__name__ == "CancelDefinition"
    return node.type is ElementType.END_EVENT and (
        node.terminates or cancels or isinstance(node.definition, ErrorDefinition)
    )


def is_join(node: FlowNode) -> bool:
    """Whether tokens wait here for others."""
    return len(node.incoming) > 1 and node.type in (ElementType.PARALLEL_GATEWAY, ElementType.INCLUSIVE_GATEWAY)


class _TooMany(Exception):
    """A bound was reached."""


class _Exploration:
    def __init__(self, model: ProcessModel, scope: FlowNode) -> None:
        self.model = model
        self.nodes = {
            node.id: node
            for node in model.nodes.values()
            if node.scope == scope.id and node.type is not ElementType.EVENT_SUB_PROCESS
        }
        self.target: dict[Place, str] = {}
        for node in self.nodes.values():
            self.target[(node.id, 0)] = node.id  # a token that no flow brought
            for flow in node.outgoing:
                if flow.target in self.nodes:
                    self.target[(flow.id, 0)] = flow.target
            for fired in range(MAX_REPEATS + 1):
                self.target[(node.id, fired + 1)] = node.id
        after = _successors(self.nodes)
        self.order = _upstream_first(after)
        self.matters = _leading_to(after, {node.id for node in self.nodes.values() if is_join(node)})
        self.ways: dict[Place, list[Way]] = {}
        self.dead: dict[str, Dead] = {}
        self.meetings: dict[str, Meeting] = {}
        self.opened: set[str] = set()
        self.complete = True
        self.came_from: dict[Marking, tuple[Marking | None, str, tuple[str, ...]]] = {}

    def run(self) -> Explored:
        starts = [node.id for node in self.nodes.values() if node.type is ElementType.START_EVENT]
        work: deque[Marking] = deque()
        for start in starts:
            marking: Marking = (((start, 0), 1),)
            self.came_from[marking] = (None, "", ())
            work.append(marking)
        try:
            while work:
                self._follow(work.popleft(), work)
        except _TooMany:
            self.complete = False
        return Explored(self.dead, self.meetings, frozenset(self.opened), self.complete)

    def _follow(self, marking: Marking, work: deque[Marking]) -> None:
        tokens = dict(marking)
        self._note_meetings(tokens)
        node_id, moves = self._next_moves(tokens)
        if not moves:
            self._note_dead(marking, tokens)
            return
        for taken, way in moves:
            if way is None:
                continue
            after = self._moved(tokens, taken, way)
            if any(count > MAX_TOKENS for _, count in after):
                self.complete = False
            elif after not in self.came_from:
                if len(self.came_from) >= MAX_MARKINGS:
                    raise _TooMany
                chosen = tuple(flow for flow, active in way if not active) if len(moves) > 1 else ()
                self.came_from[after] = (marking, node_id, chosen)
                work.append(after)

    def _moved(self, tokens: Mapping[Place, int], taken: tuple[Place, ...], put: tuple[Place, ...]) -> Marking:
        after = dict(tokens)
        for place in taken:
            after[place] -= 1
            if not after[place]:
                del after[place]
        for place in put:
            node = self.nodes[self.target[place]]
            if node.type is ElementType.END_EVENT and not ends_scope(node) and len(node.incoming) == 1:
                continue  # it ends here, and no other token can meet it
            count = after.get(place, 0) + 1
            after[place] = count if node.id in self.matters else min(count, ENOUGH)
        return tuple(sorted(after.items()))

    def _next_moves(self, tokens: Mapping[Place, int]) -> tuple[str, list[tuple[tuple[Place, ...], Way]]]:
        """The node that moves next, and what it may do; no moves: everything stands."""
        movable: dict[str, tuple[Place, ...]] = {}
        for place in tokens:
            node = self.nodes[self.target[place]]
            if not is_join(node):
                movable[node.id] = (place,)
            elif node.type is ElementType.PARALLEL_GATEWAY:
                needed = tuple((flow, 0) for flow in node.incoming)
                if all(place in tokens for place in needed):
                    movable[node.id] = needed
        if not movable:
            movable = self._inclusive_join(tokens)
        if not movable:
            return "", []
        node_id = min(movable, key=self.order.__getitem__)
        node, taken = self.nodes[node_id], movable[node_id]
        if is_join(node):
            self.opened.add(node_id)
            return node_id, [(taken, way) for way in self._onward(node)]
        return node_id, [(taken, way) for way in self._ways(taken[0], node)]

    def _inclusive_join(self, tokens: Mapping[Place, int]) -> dict[str, tuple[Place, ...]]:
        """The inclusive gateway that no other token can reach any more (tokens stand at joins only)."""
        at: dict[str, set[str]] = {}
        for flow, _ in tokens:
            at.setdefault(self.target[(flow, 0)], set()).add(flow)
        for node_id, arrived in at.items():
            reach = self.model.joins.get(node_id)
            if reach is None:
                continue
            others = (reach.get(other, frozenset()) for other in at if other != node_id)
            if not any(reached and not reached & arrived for reached in others):
                return {node_id: tuple((flow, 0) for flow in arrived)}
        return {}

    def _ways(self, place: Place, node: FlowNode) -> list[Way]:
        if place not in self.ways:
            self.ways[place] = list(self._ways_of(place, node))
        return self.ways[place]

    def _ways_of(self, place: Place, node: FlowNode) -> Iterator[Way]:
        """What a node may do with a token: go on, be interrupted, or be left active by an event that fires."""
        attached = [self.nodes[event] for event in node.boundary if event in self.nodes]
        events = [event for event in attached if not isinstance(event.definition, CompensationDefinition)]
        repeating = [event for event in events if not event.interrupting]
        if repeating and place[1] == 0:
            yield ((node.id, 1),)
            return
        yield from self._onward(node)
        for event in events:
            if event.interrupting:
                yield from self._onward(event)
        fired = max(place[1], 1)
        if repeating and fired <= MAX_REPEATS:
            for event in repeating:
                for way in self._onward(event):
                    yield None if way is None else (*way, (node.id, fired + 1))

    def _onward(self, node: FlowNode) -> Iterator[Way]:
        """The flows that a node sends tokens over, one item for each choice."""
        flows = [flow for flow in node.outgoing if flow.target in self.nodes]
        if ends_scope(node):
            yield None
        elif node.type in (ElementType.EXCLUSIVE_GATEWAY, ElementType.EVENT_BASED_GATEWAY) and flows:
            yield from (((flow.id, 0),) for flow in flows)
        elif node.type is ElementType.PARALLEL_GATEWAY or all(flow.condition is None for flow in flows):
            yield tuple((flow.id, 0) for flow in flows)
        else:
            default = [(flow.id, 0) for flow in flows if flow.id == node.default_flow]
            always = [(f.id, 0) for f in flows if f.condition is None and f.id != node.default_flow]
            sometimes = [(f.id, 0) for f in flows if f.condition is not None and f.id != node.default_flow]
            if 2 ** len(sometimes) > MAX_CHOICES:
                raise _TooMany
            for count in range(len(sometimes) + 1):
                for chosen in combinations(sometimes, count):
                    if always or chosen:
                        yield (*always, *chosen)
                    elif default:
                        yield tuple(default)

    def _note_meetings(self, tokens: Mapping[Place, int]) -> None:
        before: dict[str, set[str]] = {}
        for place in tokens:
            if place[1] == 0:
                before.setdefault(self.target[place], set()).add(place[0])
        for node_id, flows in before.items():
            if len(flows) > 1 and node_id not in self.meetings and not is_join(self.nodes[node_id]):
                self.meetings[node_id] = Meeting(node_id, frozenset(flows))

    def _note_dead(self, marking: Marking, tokens: Mapping[Place, int]) -> None:
        waiting: dict[str, set[str]] = {}
        for flow, _ in tokens:
            waiting.setdefault(self.target[(flow, 0)], set()).add(flow)
        for join, flows in waiting.items():
            if join not in self.dead:
                missing = frozenset(self.nodes[join].incoming) - flows
                self.dead[join] = Dead(join, frozenset(flows), missing, self._choices(marking))

    def _choices(self, marking: Marking) -> tuple[tuple[str, tuple[str, ...]], ...]:
        choices: list[tuple[str, tuple[str, ...]]] = []
        at: Marking | None = marking
        while at is not None:
            at, node_id, chosen = self.came_from[at]
            if chosen:
                choices.append((node_id, chosen))
        return tuple(reversed(choices))


def _successors(nodes: Mapping[str, FlowNode]) -> dict[str, list[str]]:
    return {
        node.id: [flow.target for flow in node.outgoing if flow.target in nodes]
        + [event for event in node.boundary if event in nodes]
        for node in nodes.values()
    }


def _leading_to(after: Mapping[str, list[str]], goals: set[str]) -> set[str]:
    """The nodes from which a goal can be reached, the goals included."""
    before: dict[str, list[str]] = {}
    for node_id, successors in after.items():
        for successor in successors:
            before.setdefault(successor, []).append(node_id)
    found, work = set(goals), list(goals)
    while work:
        for node_id in before.get(work.pop(), ()):
            if node_id not in found:
                found.add(node_id)
                work.append(node_id)
    return found


def _upstream_first(after: Mapping[str, list[str]]) -> dict[str, int]:
    """A number for each node: smaller upstream. Nodes of one cycle get numbers next to each other."""
    found: list[str] = []
    for component in components(after):
        found += component
    return {node_id: number for number, node_id in enumerate(reversed(found))}


def components(after: Mapping[str, list[str]]) -> Iterator[list[str]]:
    """The strongly connected components of a graph (node → its successors), downstream first (Tarjan 1972, without
    recursion)."""
    index: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    for root in after:
        if root in index:
            continue
        calls: list[tuple[str, Iterator[str]]] = [(root, iter(after[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        on_stack.add(root)
        while calls:
            node, successors = calls[-1]
            for successor in successors:
                if successor not in index:
                    index[successor] = low[successor] = len(index)
                    stack.append(successor)
                    on_stack.add(successor)
                    calls.append((successor, iter(after[successor])))
                    break
                if successor in on_stack:
                    low[node] = min(low[node], index[successor])
            else:
                calls.pop()
                if calls:
                    low[calls[-1][0]] = min(low[calls[-1][0]], low[node])
                if low[node] == index[node]:
                    component: list[str] = []
                    while not component or component[-1] != node:
                        component.append(stack.pop())
                        on_stack.discard(component[-1])
                    yield component
