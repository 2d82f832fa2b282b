"""Task listeners (zeebe:taskListeners): jobs that a user task's transition waits for (Camunda 8, the same name).

    CREATING ──► created ──► ASSIGNING │ UPDATING │ COMPLETING ──(all listeners agreed)──► what was asked for
                    ▲                          └──(one denied)──► as if nobody had asked ─┐
                    └─────────────────────────────────────────────────────────────────────┘

What was asked for is kept beside the task (`wanted`) while its listeners are asked one by one, in the model's order.
A listener may correct it, or deny it (not a creation). Until then nothing else can be asked of the task.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.bpmn.model import FlowNode, Moment, UserTaskDefinition
from domain.process_instance import events as e
from domain.process_instance.evaluation import Blocked
from domain.process_instance.listeners import create_job
from domain.process_instance.state import ElementInstance, JobKind, UserTask, Wanted
from domain.process_instance.variables import merge_upwards, set_in

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution

DENIABLE = frozenset({Moment.ASSIGNING, Moment.UPDATING, Moment.COMPLETING})
ATTRIBUTES = ("assignee", "candidate_groups", "candidate_users", "due", "follow_up", "priority")
CHANGEABLE = ATTRIBUTES[1:]


def listened_to(node: FlowNode, moment: Moment) -> bool:
    """Whether a user task has listeners of a moment."""
    definition = node.definition
    return isinstance(definition, UserTaskDefinition) and any(
        listener.moment is moment for listener in definition.listeners
    )


def node_of(x: Execution, task: UserTask) -> FlowNode:
    """The model of a user task."""
    return x.model.nodes[x.state.elements[task.element].element_id]


def begin(x: Execution, asked: e.UserTaskTransitionStarted) -> None:
    """Something was asked of a user task: its listeners decide first."""
    x.emit(asked)
    go_on(x, asked.task)


def go_on(x: Execution, local: int) -> None:
    """Ask the next listener of the task's transition; when all have agreed, do what was asked for."""
    task = x.state.tasks[local]
    element = x.state.elements[task.element]
    definition = x.model.nodes[element.element_id].definition
    assert isinstance(definition, UserTaskDefinition)
    listeners = [listener for listener in definition.listeners if listener.moment == task.moment]
    if element.job:
        return
    if element.listened < len(listeners):
        try:
            create_job(
                x, x.model.nodes[element.element_id], element, listeners[element.listened], JobKind.TASK_LISTENER
            )
        except Blocked as blocked:
            x.raise_incident(element.local, blocked)
        return
    _do(x, task, element)


def deny(x: Execution, local: int, reason: str) -> None:
    """A listener denied what was asked for: the task is as it was before."""
    x.emit(e.UserTaskTransitionEnded(local, x.state.tasks[local].moment, True, reason))


def _do(x: Execution, task: UserTask, element: ElementInstance) -> None:
    wanted, moment, local = task.wanted, task.moment, task.local
    assert wanted is not None
    if moment != Moment.CREATING:
        _assign(x, task, wanted, moment)
    changed = {name: getattr(wanted, name) for name in CHANGEABLE if getattr(wanted, name) is not None}
    if changed:
        x.emit(e.UserTaskUpdated(local, **changed, action=wanted.action))
    if moment == Moment.COMPLETING:
        x.emit(e.UserTaskCompleted(local, wanted.action))
        x.complete_with(element.local, wanted.variables or {})
        return
    x.emit(e.UserTaskTransitionEnded(local, moment))
    if wanted.variables:
        if wanted.at_element:
            set_in(x, element.local, wanted.variables, element.local)
        else:
            merge_upwards(x, element.local, wanted.variables, element.local)
    if moment == Moment.CREATING and wanted.assignee:
        created(x, task, wanted.assignee)


def _assign(x: Execution, task: UserTask, wanted: Wanted, moment: str) -> None:
    if wanted.assignee is not None and (moment == Moment.ASSIGNING or wanted.assignee != task.assignee):
        x.emit(e.UserTaskAssigned(task.local, wanted.assignee, wanted.action))


def created(x: Execution, task: UserTask, assignee: str) -> None:
    """A user task is there, and the model (or a listener) names who does it."""
    if listened_to(node_of(x, task), Moment.ASSIGNING):
        begin(x, e.UserTaskTransitionStarted(task.local, Moment.ASSIGNING, assignee=assignee))
    else:
        x.emit(e.UserTaskAssigned(task.local, assignee))


def seen(task: UserTask) -> dict[str, Any]:
    """The task's attributes as a listener sees them: with what was asked for and corrected so far."""
    wanted = task.wanted
    values = {name: getattr(task, name) for name in ATTRIBUTES}
    for name in ATTRIBUTES:
        value = getattr(wanted, name) if wanted is not None else None
        if value is not None:
            values[name] = value
    return values


def changed(task: UserTask) -> list[str]:
    """Which attributes the transition would change."""
    values = seen(task)
    found = [name for name in ATTRIBUTES if values[name] != getattr(task, name)]
    return [*found, "variables"] if task.wanted is not None and task.wanted.variables else found
