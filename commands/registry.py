"""Every command and who handles it: one literal table."""

from commands import (
    activate_job,
    assign_user_task,
    cancel_instance,
    complete_job,
    complete_user_task,
    create_instance,
    deploy_resources,
    evaluate_decision,
    fail_job,
    resolve_incident,
    set_variables,
    suspend_instance,
    throw_job_error,
    trigger_timer,
    update_job,
    update_user_task,
)
from commands.handling import Command, Handler

HANDLERS: dict[type[Command], Handler] = {
    activate_job.ActivateJob: activate_job.HANDLER,
    assign_user_task.AssignUserTask: assign_user_task.ASSIGN,
    assign_user_task.UnassignUserTask: assign_user_task.UNASSIGN,
    cancel_instance.CancelInstance: cancel_instance.HANDLER,
    complete_job.CompleteJob: complete_job.HANDLER,
    complete_user_task.CompleteUserTask: complete_user_task.HANDLER,
    create_instance.CreateInstance: create_instance.HANDLER,
    deploy_resources.DeployResources: deploy_resources.HANDLER,
    evaluate_decision.EvaluateDecision: evaluate_decision.HANDLER,
    fail_job.FailJob: fail_job.HANDLER,
    resolve_incident.ResolveIncident: resolve_incident.HANDLER,
    set_variables.SetVariables: set_variables.HANDLER,
    suspend_instance.ResumeInstance: suspend_instance.RESUME,
    suspend_instance.SuspendInstance: suspend_instance.SUSPEND,
    throw_job_error.ThrowJobError: throw_job_error.HANDLER,
    trigger_timer.TriggerTimer: trigger_timer.HANDLER,
    update_job.UpdateJob: update_job.HANDLER,
    update_user_task.UpdateUserTask: update_user_task.HANDLER,
}
