"""User task: something a person does (zeebe:userTask), with assignment, schedule, priority and form."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from domain.bpmn.model import Attribute, FlowNode, Moment, UserTaskDefinition
from domain.bpmn.timers import parse_moment
from domain.errors import InvalidArgument
from domain.process_instance import events as e
from domain.process_instance import task_listeners
from domain.process_instance.elements.behaviour import Behaviour, enter_and_begin, outgoing_flows
from domain.process_instance.evaluation import Blocked, ErrorType, text_of, texts_of, whole_number_of
from domain.process_instance.state import ElementInstance

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution

DEFAULT_PRIORITY = 50
MAX_PRIORITY = 100


def begin(x: Execution, node: FlowNode, element: ElementInstance) -> None:
    """Create the task; its completion leads on."""
    definition = node.definition
    assert isinstance(definition, UserTaskDefinition)
    scope = x.state.scope_variables(element.local)
    assignee = text_of(x, definition.assignee, scope, "assignee")
    creating = task_listeners.listened_to(node, Moment.CREATING)
    later = creating or task_listeners.listened_to(node, Moment.ASSIGNING)
    local = x.next_local()
    x.emit(
        e.UserTaskCreated(
            local,
            element.local,
            node.id,
            "" if later else assignee,
            texts_of(x, definition.candidate_groups, scope, "candidate groups"),
            texts_of(x, definition.candidate_users, scope, "candidate users"),
            _moment_of(x, definition.due, scope, "due date"),
            _moment_of(x, definition.follow_up, scope, "follow-up date"),
            whole_number_of(x, definition.priority, scope, "priority", DEFAULT_PRIORITY, MAX_PRIORITY),
            _form_of(x, definition.form_id, scope),
            text_of(x, definition.external_form, scope, "external form reference"),
        )
    )
    if creating:
        task_listeners.begin(x, e.UserTaskTransitionStarted(local, Moment.CREATING, assignee=assignee or None))
    elif later and assignee:
        task_listeners.created(x, x.state.tasks[local], assignee)


def _moment_of(x: Execution, attribute: Attribute | None, scope: Mapping[str, Any], what: str) -> int:
    text = text_of(x, attribute, scope, what)
    if not text:
        return 0
    try:
        return parse_moment(text)
    except InvalidArgument as error:
        raise Blocked(ErrorType.EXTRACT_VALUE_ERROR, f"the {what}: {error}") from error


def _form_of(x: Execution, attribute: Attribute | None, scope: Mapping[str, Any]) -> int:
    form_id = text_of(x, attribute, scope, "form id")
    if not form_id:
        return 0
    key = x.surroundings.deployed.find_form(form_id)
    if not key:
        raise Blocked(
            ErrorType.FORM_NOT_FOUND,
            f"no form with the id '{form_id}' is deployed; deploy it, then resolve this incident",
        )
    return key


BEHAVIOUR = Behaviour(enter_and_begin, begin, outgoing_flows)
