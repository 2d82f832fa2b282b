"""Execution listeners (zeebe:executionListeners): jobs that an element waits for before its work begins and before it
is left (Camunda 8, "Execution listeners").

    input mappings → start listeners → subscriptions and own work → output mappings → end listeners → flows

They are asked one by one, in the order of the model. What a start listener brings becomes local to the element; what an
end listener brings goes out, as output mappings do. An instance of a loop has listeners of its own; the body of a
multi-instance activity has those of the moment BEFORE_ALL, asked before the collection is evaluated. How far it has
come is in the state (`listened`), so that a retry goes on with the listener that failed.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.bpmn.model import FlowNode, JobDefinition, Listener, Moment, UserTaskDefinition
from domain.process_instance import events as e
from domain.process_instance.evaluation import job_of
from domain.process_instance.lifecycle import Phase
from domain.process_instance.state import ROOT, ElementInstance, JobKind
from domain.process_instance.variables import merge_upwards, set_in

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution


def asked(x: Execution, node: FlowNode, element: ElementInstance, moment: Moment) -> bool:
    """Ask the next listener of a moment: whether there is one to wait for. Raises Blocked (its type or retries)."""
    if element.job:
        return True
    listeners = [listener for listener in node.listeners if listener.moment is moment]
    if not listeners:
        return False
    if element.phase is not (Phase.ENDING if moment is Moment.END else Phase.STARTING):
        x.emit(e.ListenersStarted(element.local, moment))
        if moment is Moment.END:
            _wait_no_more(x, element)
    if element.listened >= len(listeners):
        return False
    create_job(x, node, element, listeners[element.listened], JobKind.EXECUTION_LISTENER)
    return True


def create_job(x: Execution, node: FlowNode, element: ElementInstance, listener: Listener, kind: JobKind) -> None:
    """The job of a listener. Its headers come before those of the element. Raises Blocked."""
    job_type, retries = job_of(x, listener.type, listener.retries, element.local)
    definition = node.definition
    own = definition.headers if isinstance(definition, JobDefinition | UserTaskDefinition) else {}
    role = e.JobRole(kind, listener.moment, {**own, **listener.headers})
    x.emit(e.JobCreated(x.next_local(), element.local, node.id, job_type, retries, role))


def _wait_no_more(x: Execution, element: ElementInstance) -> None:
    """The element's work is done: its boundary events and event subprocesses happen no more."""
    for timer in list(element.timers or ()):
        x.emit(e.TimerCanceled(timer))
    for subscription in list(element.subscriptions or ()):
        x.emit(e.SubscriptionClosed(subscription))


def completed(x: Execution, local: int, moment: str, variables: dict[str, Any]) -> None:
    """A listener has done its job: the next one, or what they waited for."""
    element = x.state.elements[local]
    if moment != Moment.END:
        if variables:
            set_in(x, local, variables, local)
        x.begin(local)
        return
    if variables and local == ROOT:
        set_in(x, ROOT, variables, ROOT)
    elif variables:
        merge_upwards(x, element.scope, variables, local)
    x.leave(local)
