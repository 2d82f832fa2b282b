"""Runs a process instance to its next wait state: an explicit, bounded work-list of tokens.

Each step decides and emits events; every event evolves the state at once, and the next step reads the state it left
(Zeebe's split of processors and appliers). Element behaviour lives in `elements/`, one module per kind; this module
knows tokens, scopes, incidents and the end.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from domain.bpmn.model import (
    ElementType,
    ErrorDefinition,
    EscalationDefinition,
    FlowNode,
    Moment,
    ProcessModel,
    SequenceFlow,
)
from domain.events import Event
from domain.process_definition.lookup import Lookup
from domain.process_instance import events as e
from domain.process_instance import listeners, loops, task_listeners
from domain.process_instance.catching import find_catcher, trigger
from domain.process_instance.elements import BEHAVIOURS, boundary_event, call_activity, inclusive_gateway
from domain.process_instance.evaluation import Blocked, ErrorType
from domain.process_instance.lifecycle import Phase
from domain.process_instance.state import ROOT, ElementInstance, ProcessInstance
from domain.process_instance.subscribing import CONDITION, is_met
from domain.process_instance.throwing import ESCALATION, throw_to_caller
from domain.process_instance.variables import map_inputs, map_outputs, merge_result

MAX_STEPS = 1_000
"""Elements that one command may enter; a model that loops without a wait state stops here with an incident."""


class Token(NamedTuple):
    """A token on its way into a node. flow "" and source 0: it did not come over a sequence flow."""

    node: FlowNode
    scope: int
    flow: str = ""
    source: int = 0


class Broadcast(NamedTuple):
    """A signal on its way out. It stands in the work-list behind the tokens that were there when it was thrown, so
    that a parallel branch that begins to wait in the same step hears it, and what comes behind the thrower does not
    (as in Zeebe, where it is a command of its own)."""

    element: int
    element_id: str
    name: str
    variables: dict[str, Any]
    scope: int = -1


class Surroundings(NamedTuple):
    """What the engine may ask while it decides: the command's time (µs), new key blocks, what is deployed."""

    now: int
    new_key: Callable[[], int]
    deployed: Lookup


class Execution:
    """One command's run over one instance. `emit` records an event and evolves `state`."""

    __slots__ = (
        "conditions",
        "cursor",
        "emit",
        "ended",
        "looping",
        "model",
        "now",
        "state",
        "steps",
        "surroundings",
        "tokens",
    )

    def __init__(
        self,
        state: ProcessInstance,
        emit: Callable[[Event], None],
        model: ProcessModel,
        surroundings: Surroundings,
    ) -> None:
        self.state = state
        self.emit = emit
        self.model = model
        self.surroundings = surroundings
        self.now = surroundings.now
        self.tokens: deque[Token | Broadcast] = deque()
        self.looping: dict[int, None] = {}  # bodies of loops that may go on
        self.ended: dict[int, None] = {}  # scopes in which a path ended, in order
        self.conditions: dict[int, None] = {}  # conditional subscriptions to look at
        self.steps = 0
        self.cursor = 0

    # --- numbers ---

    def next_local(self) -> int:
        """The next free local; reserves a further key block when the current one is used up.

        The state learns of a number from the event that uses it; the cursor keeps those apart that are handed out
        before their event is emitted.
        """
        state = self.state
        local = max(self.cursor, state.next_local)
        if local >= state.local_end:
            self.emit(e.KeyBlockReserved(self.surroundings.new_key() - state.key))
            local = state.next_local
        self.cursor = local + 1
        return local

    # --- the work-list ---

    def run(self) -> None:
        """Move tokens until all of them wait, have ended, or stand at an incident."""
        tokens = self.tokens
        while tokens or self.looping or self.ended or self.conditions:
            while tokens:
                token = tokens.popleft()
                if type(token) is Token:
                    self._enter(token)
                else:
                    assert isinstance(token, Broadcast)
                    self.emit(e.SignalThrown(self.next_local(), *token[:-1]))
            if self.looping:
                self._go_on(self.looping.popitem()[0])
            elif self.ended:
                self._check_scope(self.ended.popitem()[0])
            else:
                self._meet_conditions()

    def _enter(self, token: Token) -> None:
        self.steps += 1
        try:
            if self.steps > MAX_STEPS:
                raise Blocked(
                    ErrorType.UNSPECIFIED,
                    f"more than {MAX_STEPS} elements were entered without a wait state: the model loops. "
                    "Mend the model or the variables its conditions read, then resolve this incident to go on",
                )
            if token.node.loop is None:
                BEHAVIOURS[token.node.type].enter(self, token)
            else:
                self.begin(self.activate(token))
        except Blocked as blocked:
            local = self.activate(token)
            self.raise_incident(local, blocked)

    def pass_through(self, token: Token, flows: Sequence[SequenceFlow]) -> int:
        """Record that an element was entered and completed at once, and go on; its local."""
        local = self.next_local()
        self.emit(e.ElementPassed(local, token.node.id, token.scope, token.flow, token.source))
        if self.state.elements[token.scope].arrived:
            self.path_ended(token.scope)
        self.take(flows, token.scope, local)
        return local

    def activate(self, token: Token) -> int:
        """Record that an element instance was entered; its local."""
        local = self.next_local()
        body = token.node.loop is not None
        self.emit(e.ElementActivated(local, token.node.id, token.scope, token.flow, token.source, body))
        return local

    def is_inner(self, element: ElementInstance) -> bool:
        """Whether it is an inner instance of a loop."""
        return element.local != ROOT and self.state.elements[element.scope].body and not element.body

    def activate_at(self, node: FlowNode, scope: int, source: int) -> int:
        """Record that an element instance was entered without a sequence flow; its local."""
        return self.activate(Token(node, scope, "", source))

    def begin(self, local: int) -> None:
        """Run the ENTERED phase of an element instance: mappings, start listeners, boundary events, its own wait."""
        element = self.state.elements[local]
        node = self.model.nodes[element.element_id]
        try:
            if element.body:
                if node.listeners and listeners.asked(self, node, element, Moment.BEFORE_ALL):
                    return
                boundary_event.subscribe(self, node, element)
                loops.begin_body(self, node, element)
                return
            if node.inputs and element.phase is Phase.ENTERED:
                map_inputs(self, element, node.inputs)
            if node.listeners and listeners.asked(self, node, element, Moment.START):
                return
            if node.boundary and not self.is_inner(element):
                boundary_event.subscribe(self, node, element)
            BEHAVIOURS[node.type].begin(self, node, element)
        except Blocked as blocked:
            self.raise_incident(local, blocked)

    def leave(self, local: int) -> None:
        """Run the LEAVING phase: output mappings, end listeners, completion, outgoing flows."""
        if local == ROOT:
            self._complete_instance()
            return
        element = self.state.elements[local]
        node = self.model.nodes[element.element_id]
        try:
            if element.body:
                loops.leave_body(self, node, element)
            elif node.outputs and element.phase is not Phase.ENDING:
                map_outputs(self, element, node.outputs)
            if node.listeners and not element.body and listeners.asked(self, node, element, Moment.END):
                return
            if self.is_inner(element):
                loops.inner_left(self, node, element)
                return
            flows = BEHAVIOURS[node.type].choose(self, node, local)
        except Blocked as blocked:
            self.raise_incident(local, blocked)
            return
        handler = "" if self.is_inner(element) else node.compensation
        if handler or element.compensable:
            self.emit(e.CompensationRegistered(local, handler))
        self.complete(local)
        self.take(flows, element.scope, local)
        if node.terminates:
            self.end_scope(element.scope)

    def complete(self, local: int) -> None:
        """Record that an element instance finished regularly."""
        scope = self.state.elements[local].scope
        self.emit(e.ElementCompleted(local, self.ending(local)))
        if self.state.elements[scope].arrived:
            self.path_ended(scope)

    def ending(self, local: int) -> int:
        """An element instance is about to end: close what it waits for outside; how many other waits end with it."""
        for subscription in list(self.state.elements[local].subscriptions or ()):
            if self.state.subscriptions[subscription].kind != CONDITION:
                self.emit(e.SubscriptionClosed(subscription))
        return self.state.waits(local)

    def continue_loop(self, local: int) -> None:
        """A loop may go on: its next inner instance, or its end."""
        self.looping[local] = None

    def _go_on(self, local: int) -> None:
        try:
            loops.go_on(self, local)
        except Blocked as blocked:
            self.raise_incident(local, blocked)

    def arrive(self, node: FlowNode, scope: int, flow: str, source: int, variables: dict[str, Any]) -> None:
        """An event that was waited for elsewhere (at an event-based gateway) has happened: it passes."""
        token = Token(node, scope, flow, source)
        if not variables and not node.outputs and not node.listeners:
            try:
                self.pass_through(token, BEHAVIOURS[node.type].choose(self, node, scope))
                return
            except Blocked as blocked:
                self.raise_incident(self.activate(token), blocked)
                return
        local = self.activate(token)
        merge_result(self, self.state.elements[local], variables, has_outputs=bool(node.outputs))
        self.leave(local)

    def take(self, flows: Sequence[SequenceFlow], scope: int, source: int) -> None:
        """Send a token over each flow; none at all: this path of the scope has ended."""
        if not flows:
            self.path_ended(scope)
            return
        nodes = self.model.nodes
        for flow in flows:
            self.tokens.append(Token(nodes[flow.target], scope, flow.id, source))

    def send(self, node: FlowNode, scope: int, source: int = 0) -> None:
        """Put a token at a node without a sequence flow (a start event, a boundary event)."""
        self.tokens.append(Token(node, scope, "", source))

    # --- scopes ---

    def start_scope(self, node: FlowNode, local: int) -> None:
        """Begin a scope (the process or a subprocess) at its none start event, or the process at the event that
        started it."""
        trigger = self.state.trigger if local == ROOT else None
        if trigger is None:
            self.send(self.model.nodes[node.start], local, source=local)
            return
        start = self.model.nodes[trigger.element_id]
        if trigger.variables is None:
            self.send(start, local, source=local)
        else:
            self.arrive(start, local, "", local, trigger.variables)

    def end_scope(self, scope: int) -> None:
        """A terminate end event: all else in the scope ends, then the scope completes."""
        self.terminate_children(scope)
        self.discard_tokens(scope)
        self.path_ended(scope)

    def discard_tokens(self, scope: int) -> None:
        """The tokens that wait at joining gateways of the scope are gone."""
        if self.state.elements[scope].arrived:
            self.emit(e.TokensDiscarded(scope))

    def path_ended(self, scope: int) -> None:
        """A path inside the scope has ended; whether the scope is done is seen when all tokens stand still."""
        self.ended[scope] = None

    def _check_scope(self, scope: int) -> None:
        """Complete a scope in which nothing is left to do (BPMN 2.0 §13.4.6)."""
        element = self.state.elements.get(scope)
        if element is None:
            return
        if element.arrived and self.model.joins:
            join = inclusive_gateway.enabled_join(self, element)
            if join:
                self._open_join(self.model.nodes[join], scope)
                return
        if element.children:
            return
        if element.handlers:
            self.begin(self.activate_at(self.model.nodes[element.handlers[0]], scope, source=scope))
            return
        if element.arrived:
            self._raise_deadlock(element)
        else:
            self.leave(scope)

    def _complete_instance(self) -> None:
        """The process itself is left: its end listeners are asked, then the instance is over."""
        root = self.model.root
        try:
            if root.listeners and listeners.asked(self, root, self.state.elements[ROOT], Moment.END):
                return
        except Blocked as blocked:
            self.raise_incident(ROOT, blocked)
            return
        self.emit(e.InstanceCompleted(self.ending(ROOT)))
        if self.state.parent_key:
            self.emit(e.ReturnOwed(self.next_local(), self.state.parent_key, self.state.parent_element))

    def _open_join(self, node: FlowNode, scope: int) -> None:
        """An inclusive gateway got all the tokens it can get: it takes them and sends out its own."""
        self.path_ended(scope)  # what else the scope holds is looked at again
        token = Token(node, scope)
        if node.listeners:
            self.begin(self.activate(token))
            return
        try:
            self.pass_through(token, BEHAVIOURS[node.type].choose(self, node, scope))
        except Blocked as blocked:
            self.raise_incident(self.activate(token), blocked)

    def _raise_deadlock(self, scope: ElementInstance) -> None:
        assert scope.arrived
        gateway, flows = next(iter(scope.arrived.items()))
        missing = [flow for flow in self.model.nodes[gateway].incoming if flow not in flows]
        message = f"tokens wait at the joining gateway for {', '.join(missing)}, but nothing is left that could arrive"
        self.emit(e.IncidentRaised(self.next_local(), scope.local, gateway, ErrorType.UNSPECIFIED, message))

    def terminate_children(self, scope: int) -> None:
        """End all that is active inside a scope, innermost first, and the tokens on their way in it."""
        inside = [local for local in self.state.elements if local != scope and self.state.is_inside(local, scope)]
        for local in reversed(inside):  # children are entered after, and so stand behind, their parents
            self._end(local)
        gone = {scope, *inside}
        kept = [token for token in self.tokens if token.scope not in gone]
        self.tokens.clear()
        self.tokens.extend(kept)

    def terminate(self, local: int) -> None:
        """End an element instance with all inside it."""
        self.terminate_children(local)
        self._end(local)

    def _end(self, local: int) -> None:
        element = self.state.elements[local]
        scope = element.scope
        if element.called or element.child:
            call_activity.end(self, element)
        self.emit(e.ElementTerminated(local, self.ending(local)))
        if self.state.elements[scope].arrived:
            self.path_ended(scope)

    # --- events that are thrown and caught ---

    def throw_error(
        self, origin: int, code: str, variables: dict[str, Any], *, by_job: int = 0, said: str = ""
    ) -> bool:
        """Throw a BPMN error at an element instance; whether an event caught it (nothing is recorded otherwise).

        by_job: the job that reported it, with the message `said`.
        """
        catcher = find_catcher(self, ErrorDefinition, code, origin)
        if catcher is None:
            return False
        if by_job:
            self.emit(e.JobErrorThrown(by_job, code, said, catcher.event.id))
        else:
            self.emit(e.ErrorThrown(origin, self.state.elements[origin].element_id, code, catcher.event.id))
        trigger(self, catcher.event, catcher.owner, variables)
        return True

    def throw_escalation(self, origin: int, code: str) -> None:
        """Throw an escalation at an element instance; nobody needs to catch it."""
        catcher = find_catcher(self, EscalationDefinition, code, origin)
        element_id = self.state.elements[origin].element_id
        self.emit(e.EscalationThrown(origin, element_id, code, catcher.event.id if catcher else ""))
        if catcher is not None:
            trigger(self, catcher.event, catcher.owner)
        else:
            throw_to_caller(self, origin, ESCALATION, code, {})

    def throw_escalation_if_caught(self, origin: int, code: str) -> bool:
        """The same for what a called instance threw; whether an event caught it (nothing is recorded otherwise)."""
        if find_catcher(self, EscalationDefinition, code, origin) is None:
            return False
        self.throw_escalation(origin, code)
        return True

    def look_at_condition(self, local: int) -> None:
        """A condition is waited for from now on: it is looked at once all tokens stand."""
        self.conditions[local] = None

    def variables_changed(self) -> None:
        """Variables changed: all conditional events are looked at once all tokens stand (BPMN 2.0 §10.5.5)."""
        for subscription in self.state.subscriptions.values():
            if subscription.kind == CONDITION:
                self.conditions[subscription.local] = None

    def _meet_conditions(self) -> None:
        """Conditional events that are to be looked at, and whose condition holds, happen; not in a suspended instance:
        all are looked at when it is resumed."""
        looked_at, self.conditions = self.conditions, {}
        if self.state.suspended:
            return
        for local in looked_at:
            if local in self.state.subscriptions and is_met(self, local):
                self.steps += 1
                if self.steps <= MAX_STEPS:  # else whatever it would start stands at an incident already
                    self.meet(local)

    def broadcast(self, element: ElementInstance, name: str) -> None:
        """Throw a signal; it carries the thrower's local variables, which its input mappings made."""
        variables = dict(element.variables or {})
        self.tokens.append(Broadcast(element.local, element.element_id, name, variables))

    def meet(self, local: int, variables: dict[str, Any] | None = None, *, source: int = 0, position: int = 0) -> None:
        """What a subscription waits for happened. source, position: of the message or signal, with its variables."""
        subscription = self.state.subscriptions[local]
        event = self.model.nodes[subscription.element_id]
        owner = subscription.element
        closes = event.interrupting or event.type not in (ElementType.BOUNDARY_EVENT, ElementType.START_EVENT)
        self.emit(e.SubscriptionMet(local, closes, source, position))
        trigger(self, event, owner, variables)

    def compensate(self, element: ElementInstance, activity: str) -> None:
        """Undo what was completed in the scope of a throw event (of its event subprocess: the scope around that)."""
        scope = self.state.elements[element.scope]
        while self.model.nodes[scope.element_id].type is ElementType.EVENT_SUB_PROCESS:
            scope = self.state.elements[scope.scope]
        parts = [part for part in scope.compensable or () if not activity or part.element_id == activity]
        handlers = [handler for part in reversed(parts) for handler in part.handlers()]
        self.emit(e.CompensationTriggered(element.local, scope.local, handlers, activity))
        self.path_ended(element.local)

    # --- incidents ---

    def raise_incident(self, local: int, blocked: Blocked, job: int = 0) -> None:
        """Record why an element instance cannot go on."""
        element_id = self.state.elements[local].element_id
        self.emit(e.IncidentRaised(self.next_local(), local, element_id, blocked.type, blocked.message, job))

    def retry(self, local: int) -> None:
        """Try again what an incident blocked: the phase the element instance stands in."""
        element = self.state.elements[local]
        node = self.model.nodes[element.element_id]
        if element.phase in (Phase.ENTERED, Phase.STARTING):
            self.begin(local)
        elif element.phase in (Phase.LEAVING, Phase.ENDING):
            self.leave(local)
        elif element.task and self.state.tasks[element.task].moment:
            task_listeners.go_on(self, element.task)
        elif element.body:
            self.continue_loop(local)
        elif element.handlers is not None or node.start or node.starts:
            self.path_ended(local)

    def complete_with(self, local: int, variables: dict[str, Any]) -> None:
        """The wait of an element instance is over (its job or task was completed, with these variables)."""
        if variables:
            node = self.model.nodes[self.state.elements[local].element_id]
            merge_result(self, self.state.elements[local], variables, has_outputs=bool(node.outputs))
        self.leave(local)
