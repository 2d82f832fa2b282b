"""What each BPMN element does: one module per kind, tied together by this table.

A behaviour has three moments (lifecycle.py): `enter` a token arrives; `begin` the ENTERED phase of an element instance
that was activated, also when it is retried; `choose` the outgoing flows to take when it completes.
"""

from domain.bpmn.model import ElementType
from domain.process_instance.elements import (
    boundary_event,
    business_rule_task,
    call_activity,
    end_event,
    event_based_gateway,
    event_sub_process,
    exclusive_gateway,
    inclusive_gateway,
    intermediate_catch_event,
    intermediate_throw_event,
    parallel_gateway,
    plain,
    receive_task,
    script_task,
    service_task,
    sub_process,
    user_task,
)
from domain.process_instance.elements.behaviour import Behaviour

BEHAVIOURS: dict[ElementType, Behaviour] = {
    ElementType.START_EVENT: plain.BEHAVIOUR,
    ElementType.END_EVENT: end_event.BEHAVIOUR,
    ElementType.INTERMEDIATE_THROW_EVENT: intermediate_throw_event.BEHAVIOUR,
    ElementType.INTERMEDIATE_CATCH_EVENT: intermediate_catch_event.BEHAVIOUR,
    ElementType.BOUNDARY_EVENT: plain.BEHAVIOUR,
    ElementType.TASK: plain.BEHAVIOUR,
    ElementType.MANUAL_TASK: plain.BEHAVIOUR,
    ElementType.USER_TASK: user_task.BEHAVIOUR,
    ElementType.SERVICE_TASK: service_task.BEHAVIOUR,
    ElementType.SCRIPT_TASK: script_task.BEHAVIOUR,
    ElementType.SEND_TASK: service_task.BEHAVIOUR,
    ElementType.RECEIVE_TASK: receive_task.BEHAVIOUR,
    ElementType.BUSINESS_RULE_TASK: business_rule_task.BEHAVIOUR,
    ElementType.CALL_ACTIVITY: call_activity.BEHAVIOUR,
    ElementType.EXCLUSIVE_GATEWAY: exclusive_gateway.BEHAVIOUR,
    ElementType.PARALLEL_GATEWAY: parallel_gateway.BEHAVIOUR,
    ElementType.INCLUSIVE_GATEWAY: inclusive_gateway.BEHAVIOUR,
    ElementType.EVENT_BASED_GATEWAY: event_based_gateway.BEHAVIOUR,
    ElementType.PROCESS: sub_process.BEHAVIOUR,
    ElementType.SUB_PROCESS: sub_process.BEHAVIOUR,
    ElementType.EVENT_SUB_PROCESS: event_sub_process.BEHAVIOUR,
}

__all__ = ["BEHAVIOURS", "Behaviour", "boundary_event"]
