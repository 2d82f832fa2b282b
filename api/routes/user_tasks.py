"""User tasks: what people have to do."""

from __future__ import annotations

from starlette.responses import Response

from api.bodies import Search, UserTaskAssignment, UserTaskCompletion, UserTaskUpdate
from api.call import Call
from api.operations import Operation
from api.reads import found, get, got, own_position, reached, search, search_request, settle
from api.schemas import FORM, ITEM, PAGE_OF_ITEMS, TRUNCATE
from api.times import micros_of
from api.transitions import execute
from commands.assign_user_task import AssignUserTask, UnassignUserTask
from commands.complete_user_task import CompleteUserTask
from commands.update_user_task import UpdateUserTask
from domain.errors import InvalidArgument
from projections.queries import Entity


async def complete_user_task(call: Call) -> Response:
    """Complete a user task with what was entered; its instance goes on."""
    key = call.key("userTaskKey")
    body = await call.optional_body(UserTaskCompletion)
    command = CompleteUserTask(task_key=key, variables=body.variables or {}, action=body.action or "")
    return await execute(call, key, command)


async def assign_user_task(call: Call) -> Response:
    """Give a user task to somebody."""
    key = call.key("userTaskKey")
    body = await call.body(UserTaskAssignment)
    command = AssignUserTask(
        task_key=key,
        assignee=body.assignee,
        allow_override=body.allow_override is not False,
        action=body.action or "",
    )
    return await execute(call, key, command)


async def unassign_user_task(call: Call) -> Response:
    """Release a user task: nobody is its assignee."""
    key = call.key("userTaskKey")
    return await execute(call, key, UnassignUserTask(task_key=key))


async def update_user_task(call: Call) -> Response:
    """Change a user task's candidates, dates or priority; null or absent leaves each as it is."""
    key = call.key("userTaskKey")
    body = await call.optional_body(UserTaskUpdate)
    changes = body.changeset
    if changes is None:
        raise InvalidArgument("'changeset' is required: what of the task shall change?", "changeset")
    command = UpdateUserTask(
        task_key=key,
        candidate_groups=changes.candidate_groups,
        candidate_users=changes.candidate_users,
        due=micros_of(changes.due_date, "changeset.dueDate"),
        follow_up=micros_of(changes.follow_up_date, "changeset.followUpDate"),
        priority=changes.priority,
        action=body.action or "",
    )
    return await execute(call, key, command)


async def search_user_tasks(call: Call) -> Response:
    """Search user tasks of all states."""
    return await search(call, Entity.USER_TASKS)


async def get_user_task(call: Call) -> Response:
    """A user task by its key."""
    return await get(call, Entity.USER_TASKS, "userTaskKey")


async def get_user_task_form(call: Call) -> Response:
    """The form of a user task; 204 if it has none."""
    key = call.key("userTaskKey")
    position = await reached(call, own_position(call, key))
    return await got(call, position, call.services.queries.task_form(key))


async def search_user_task_variables(call: Call) -> Response:
    """The variables that a user task sees, of all scopes around it."""
    return await _variables(call, effective=False)


async def search_user_task_effective_variables(call: Call) -> Response:
    """The variables that a user task sees; of those with the same name only the innermost."""
    return await _variables(call, effective=True)


async def _variables(call: Call, effective: bool) -> Response:
    key = call.key("userTaskKey")
    request = await search_request(call)
    truncate = call.flag("truncateValues", default=True)
    await settle(call, own_position(call, key))
    search_in = call.services.queries.search_task_variables
    return found(await search_in(key, request, effective=effective, truncate_values=truncate))


TASK = "/user-tasks/{userTaskKey}"
OPERATIONS = (
    Operation(
        "POST",
        f"{TASK}/completion",
        complete_user_task,
        "User task",
        UserTaskCompletion,
        optional_body=True,
        writes=True,
        errors=(409,),
    ),
    Operation("POST", "/user-tasks/search", search_user_tasks, "User task", Search, True, PAGE_OF_ITEMS, reads=True),
    Operation("GET", TASK, get_user_task, "User task", answer=ITEM, reads=True),
    Operation("PATCH", TASK, update_user_task, "User task", UserTaskUpdate, True, writes=True, errors=(409,)),
    Operation("GET", f"{TASK}/form", get_user_task_form, "User task", answer=FORM, reads=True),
    Operation(
        "POST", f"{TASK}/assignment", assign_user_task, "User task", UserTaskAssignment, writes=True, errors=(409,)
    ),
    Operation("DELETE", f"{TASK}/assignee", unassign_user_task, "User task", writes=True, errors=(409,)),
    Operation(
        "POST",
        f"{TASK}/variables/search",
        search_user_task_variables,
        "User task",
        Search,
        optional_body=True,
        answer=PAGE_OF_ITEMS,
        reads=True,
        query=TRUNCATE,
    ),
    Operation(
        "POST",
        f"{TASK}/effective-variables/search",
        search_user_task_effective_variables,
        "User task",
        Search,
        optional_body=True,
        answer=PAGE_OF_ITEMS,
        reads=True,
        query=TRUNCATE,
    ),
)
