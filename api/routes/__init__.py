"""All operations of the API, in the order in which paths are matched: what workers and inboxes ask most comes first."""

from api.operations import Operation
from api.routes import (
    calendars,
    decisions,
    definitions,
    element_instances,
    expressions,
    incidents,
    instance_history,
    jobs,
    messages,
    monitoring,
    process_instances,
    system,
    user_tasks,
    variables,
)

OPERATIONS: tuple[Operation, ...] = (
    *jobs.OPERATIONS,
    *user_tasks.OPERATIONS,
    *process_instances.OPERATIONS,
    *instance_history.OPERATIONS,
    *variables.OPERATIONS,
    *element_instances.OPERATIONS,
    *incidents.OPERATIONS,
    *messages.OPERATIONS,
    *definitions.OPERATIONS,
    *decisions.OPERATIONS,
    *calendars.OPERATIONS,
    *monitoring.OPERATIONS,
    *expressions.OPERATIONS,
    *system.OPERATIONS,
)
