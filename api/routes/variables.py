"""Variables of all scopes."""

from __future__ import annotations

from starlette.responses import Response

from api.bodies import Search
from api.call import Call
from api.operations import Operation
from api.reads import get, search
from api.schemas import ITEM, PAGE_OF_ITEMS, TRUNCATE
from projections.queries import Entity


async def search_variables(call: Call) -> Response:
    """Search variables; long values are cut unless truncateValues=false."""
    return await search(call, Entity.VARIABLES)


async def get_variable(call: Call) -> Response:
    """A variable by its key, with its whole value."""
    return await get(call, Entity.VARIABLES, "variableKey")


OPERATIONS = (
    Operation(
        "POST",
        "/variables/search",
        search_variables,
        "Variable",
        Search,
        optional_body=True,
        answer=PAGE_OF_ITEMS,
        reads=True,
        query=TRUNCATE,
    ),
    Operation("GET", "/variables/{variableKey}", get_variable, "Variable", answer=ITEM, reads=True),
)
