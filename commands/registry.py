"""Every command and who handles it, and every kind of delivery and its command: literal tables."""

from collections.abc import Callable

from commands import (
    activate_job,
    assign_user_task,
    broadcast_signal,
    cancel_child,
    cancel_instance,
    change_calendar,
    complete_job,
    complete_user_task,
    correlate_message,
    create_instance,
    deliver_signal,
    deploy_resources,
    evaluate_decision,
    fail_job,
    publish_message,
    resolve_incident,
    return_to_caller,
    set_variables,
    start_by_condition,
    start_by_timer,
    start_child,
    suspend_instance,
    throw_job_error,
    throw_to_caller,
    trigger_timer,
    update_job,
    update_user_task,
)
from commands.handling import Command, Handler
from commands.ports import DueDelivery

HANDLERS: dict[type[Command], Handler] = {
    activate_job.ActivateJob: activate_job.HANDLER,
    change_calendar.DefineCalendar: change_calendar.DEFINE,
    change_calendar.UpdateCalendar: change_calendar.UPDATE,
    change_calendar.DeleteCalendar: change_calendar.DELETE,
    assign_user_task.AssignUserTask: assign_user_task.ASSIGN,
    assign_user_task.UnassignUserTask: assign_user_task.UNASSIGN,
    broadcast_signal.BroadcastSignal: broadcast_signal.HANDLER,
    cancel_child.CancelChild: cancel_child.HANDLER,
    cancel_instance.CancelInstance: cancel_instance.HANDLER,
    complete_job.CompleteJob: complete_job.HANDLER,
    complete_user_task.CompleteUserTask: complete_user_task.HANDLER,
    correlate_message.CorrelateMessage: correlate_message.CORRELATE,
    correlate_message.StartByMessage: correlate_message.START,
    correlate_message.ExpireMessage: correlate_message.EXPIRE,
    create_instance.CreateInstance: create_instance.HANDLER,
    deliver_signal.DeliverSignal: deliver_signal.DELIVER,
    deliver_signal.StartBySignal: deliver_signal.START,
    deliver_signal.FinishSignal: deliver_signal.FINISH,
    deploy_resources.DeployResources: deploy_resources.HANDLER,
    evaluate_decision.EvaluateDecision: evaluate_decision.HANDLER,
    fail_job.FailJob: fail_job.HANDLER,
    publish_message.PublishMessage: publish_message.HANDLER,
    resolve_incident.ResolveIncident: resolve_incident.HANDLER,
    return_to_caller.ReturnToCaller: return_to_caller.HANDLER,
    set_variables.SetVariables: set_variables.HANDLER,
    start_child.StartChild: start_child.HANDLER,
    suspend_instance.ResumeInstance: suspend_instance.RESUME,
    suspend_instance.SuspendInstance: suspend_instance.SUSPEND,
    start_by_condition.StartByCondition: start_by_condition.HANDLER,
    start_by_timer.StartByTimer: start_by_timer.HANDLER,
    throw_job_error.ThrowJobError: throw_job_error.HANDLER,
    throw_to_caller.ThrowToCaller: throw_to_caller.HANDLER,
    trigger_timer.TriggerTimer: trigger_timer.HANDLER,
    update_job.UpdateJob: update_job.HANDLER,
    update_user_task.UpdateUserTask: update_user_task.HANDLER,
}

DELIVERIES: dict[str, Callable[[DueDelivery], Command]] = {
    "call": lambda due: start_child.StartChild(caller_key=due.instance_key, delivery=due.local),
    "return": lambda due: return_to_caller.ReturnToCaller(
        child_key=due.instance_key, caller_key=due.peer, delivery=due.local
    ),
    "cancel": lambda due: cancel_child.CancelChild(caller_key=due.instance_key, child_key=due.peer, delivery=due.local),
    "throw": lambda due: throw_to_caller.ThrowToCaller(
        thrower_key=due.instance_key, caller_key=due.peer, delivery=due.local
    ),
}


def delivery_command(due: DueDelivery) -> Command:
    """The command that delivers what one instance owes another."""
    return DELIVERIES[due.kind](due)
