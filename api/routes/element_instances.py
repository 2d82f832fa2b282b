"""Element instances: each activation of a BPMN element."""

from __future__ import annotations

from starlette.responses import Response

from api.bodies import Search, VariablesUpdate
from api.call import Call
from api.operations import Operation
from api.reads import get, own_position, search, settle
from api.schemas import ITEM, PAGE_OF_ITEMS
from api.transitions import execute
from commands.set_variables import SetVariables
from projections.queries import Entity


async def search_element_instances(call: Call) -> Response:
    """Search element instances of all states."""
    return await search(call, Entity.ELEMENT_INSTANCES)


async def get_element_instance(call: Call) -> Response:
    """An element instance by its key."""
    return await get(call, Entity.ELEMENT_INSTANCES, "elementInstanceKey")


async def create_element_instance_variables(call: Call) -> Response:
    """Set variables at an active element instance, or at a process instance by its key."""
    key = call.key("elementInstanceKey")
    body = await call.body(VariablesUpdate)
    command = SetVariables(element_instance_key=key, variables=body.variables, local=bool(body.local))
    return await execute(call, key, command)


async def search_element_instance_incidents(call: Call) -> Response:
    """Search the incidents of an element instance."""
    key = call.key("elementInstanceKey")
    own = own_position(call, key)
    await settle(call, own)
    await call.services.queries.get(Entity.ELEMENT_INSTANCES, key)
    return await search(call, Entity.INCIDENTS, own, elementInstanceKey=str(key))


TAG = "Element instance"
ELEMENT = "/element-instances/{elementInstanceKey}"
OPERATIONS = (
    Operation(
        "POST", "/element-instances/search", search_element_instances, TAG, Search, True, PAGE_OF_ITEMS, reads=True
    ),
    Operation("GET", ELEMENT, get_element_instance, TAG, answer=ITEM, reads=True),
    Operation(
        "PUT",
        f"{ELEMENT}/variables",
        create_element_instance_variables,
        TAG,
        VariablesUpdate,
        writes=True,
        errors=(409,),
    ),
    Operation(
        "POST",
        f"{ELEMENT}/incidents/search",
        search_element_instance_incidents,
        TAG,
        Search,
        optional_body=True,
        answer=PAGE_OF_ITEMS,
        reads=True,
    ),
)
