"""Work for people."""

from __future__ import annotations

from domain.process_instance import events as e
from domain.process_instance.evolve.shared import Appliers, claim, move
from domain.process_instance.lifecycle import Phase
from domain.process_instance.state import ProcessInstance, UserTask, Wanted


def _user_task_created(state: ProcessInstance, event: e.UserTaskCreated, _: int) -> None:
    state.tasks[event.local] = UserTask(
        event.local,
        event.element,
        event.assignee,
        list(event.candidate_groups),
        list(event.candidate_users),
        event.due,
        event.follow_up,
        event.priority,
        event.form_key,
    )
    element = state.elements[event.element]
    element.task = event.local
    move(element, Phase.WAITING)
    claim(state, event.local)


def _user_task_assigned(state: ProcessInstance, event: e.UserTaskAssigned, _: int) -> None:
    state.tasks[event.task].assignee = event.assignee


def _user_task_updated(state: ProcessInstance, event: e.UserTaskUpdated, _: int) -> None:
    task = state.tasks[event.task]
    for name in ("candidate_groups", "candidate_users", "due", "follow_up", "priority"):
        value = getattr(event, name)
        if value is not None:
            setattr(task, name, value)


_WANTED = ("assignee", "candidate_groups", "candidate_users", "due", "follow_up", "priority")


def _transition_started(state: ProcessInstance, event: e.UserTaskTransitionStarted, _: int) -> None:
    task = state.tasks[event.task]
    task.moment = event.moment
    asked = {name: getattr(event, name) for name in _WANTED}
    task.wanted = Wanted(**asked, action=event.action, variables=event.variables, at_element=event.at_element)
    state.elements[task.element].listened = 0


def _corrected(state: ProcessInstance, event: e.UserTaskCorrected, _: int) -> None:
    wanted = state.tasks[event.task].wanted
    for name in _WANTED:
        value = getattr(event, name)
        if value is not None:
            setattr(wanted, name, value)


def _transition_ended(state: ProcessInstance, event: e.UserTaskTransitionEnded, _: int) -> None:
    task = state.tasks[event.task]
    task.moment, task.wanted = "", None


def _user_task_completed(state: ProcessInstance, event: e.UserTaskCompleted, _: int) -> None:
    element = state.elements[state.tasks.pop(event.task).element]
    element.task = 0
    move(element, Phase.LEAVING)


APPLIERS: Appliers = {
    e.UserTaskCreated: _user_task_created,
    e.UserTaskAssigned: _user_task_assigned,
    e.UserTaskUpdated: _user_task_updated,
    e.UserTaskCompleted: _user_task_completed,
    e.UserTaskTransitionStarted: _transition_started,
    e.UserTaskCorrected: _corrected,
    e.UserTaskTransitionEnded: _transition_ended,
}
