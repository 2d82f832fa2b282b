"""Reading from the read models: how fresh an answer must be, and how fresh it says it is.

A reader may demand a log position (`Flowledger-Min-Position`) and then waits, bounded; 504 if it is not reached. A read
by key waits, shortly, for what this server itself committed to that instance: read-your-writes without asking.
Every answer tells the position that it reflects.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from starlette.responses import Response

from api.bodies import StatisticsFilter
from api.call import MIN_POSITION, POSITION, Call, answer
from api.errors import ProjectionBehind
from api.reading import decode, read_body, require_json
from api.services import ApiSettings
from domain.errors import InvalidArgument
from projections.queries import Entity, SearchRequest, SearchResult

MAX_POSITION = (1 << 63) - 1


async def settle(call: Call, own_position: int = 0) -> None:
    """Wait until the read models are as fresh as they must be.

    own_position: what this server wrote there itself; it is waited for shortly, and then read without. Raises
    ProjectionBehind if the position that the request demands is not reached.
    """
    wanted = demanded(call)
    queries, settings = call.services.queries, call.services.settings
    if wanted and not await queries.wait_for(wanted, settings.min_position_wait):
        raise behind("the read models have", (await queries.freshness()).position, wanted, settings)
    if own_position > wanted:
        await queries.wait_for(own_position, settings.own_writes_wait)


async def reached(call: Call, own_position: int = 0) -> int:
    """Like `settle`; the position that the read models have reached."""
    await settle(call, own_position)
    return (await call.services.queries.freshness()).position


def behind(who: str, reached: int, wanted: int, settings: ApiSettings) -> ProjectionBehind:
    """The refusal of a read whose position was not reached in time. who: "… have"."""
    return ProjectionBehind(
        f"{who} reached position {reached}, not yet {wanted} as {MIN_POSITION} demands, "
        f"within {settings.min_position_wait:g} s; try again"
    )


def demanded(call: Call) -> int:
    """The log position that the request demands to see; 0: none."""
    text = call.request.headers.get(MIN_POSITION)
    if text is None:
        return 0
    if not text.isascii() or not text.isdigit() or int(text[:20]) > MAX_POSITION:
        raise InvalidArgument(
            f"{MIN_POSITION} must be a position of the log, a whole number, not {text!r}", MIN_POSITION
        )
    return int(text)


def own_position(call: Call, key: int) -> int:
    """What this server last committed to the instance that `key` belongs to."""
    return call.services.commits.position_of(key)


async def got(call: Call, position: int, reading: Awaitable[Any]) -> Response:
    """The answer of one read; 204 where there is nothing to show."""
    found = await reading
    if found is None:
        return Response(status_code=204, headers={POSITION: str(position)})
    return answer(found, position)


async def get(call: Call, entity: Entity, name: str) -> Response:
    """One item of an instance by the key in the path parameter `name`."""
    key = call.key(name)
    await settle(call, own_position(call, key))
    return await _by_key(call, entity, name, key)


async def get_definition(call: Call, entity: Entity, name: str) -> Response:
    """One deployed resource by the key in the path parameter `name`."""
    key = call.key(name)
    await settle(call, call.services.commits.definitions_position())
    return await _by_key(call, entity, name, key)


# Two, where there can be but one: a page that is not full is all there is, and nothing needs to be counted.
_ONE = {"limit": 2}


async def _by_key(call: Call, entity: Entity, name: str, key: int) -> Response:
    """Search for the key (v2 names the path's parameter as the property): item and freshness in one go."""
    queries = call.services.queries
    result = await queries.search(entity, SearchRequest({name: str(key)}, page=_ONE), truncate_values=False)
    if result.items:
        return answer(result.items[0], result.freshness.position)
    return answer(await queries.get(entity, key), result.freshness.position)  # raises NotFound, in its own words


async def search_request(call: Call) -> SearchRequest:
    """The search in the body; none means everything."""
    body = await read_body(call.request, call.services.settings.max_body)
    if not body or body == b"null":
        return SearchRequest()
    require_json(call.request)
    return SearchRequest.parse(decode(body, dict[str, Any]))


async def statistics_filter(call: Call) -> dict[str, Any]:
    """The filter in the body of a statistics request; none means all."""
    return (await call.optional_body(StatisticsFilter)).filter or {}


async def search(call: Call, entity: Entity, own: int = 0, **fixed: str) -> Response:
    """One page of an entity. `fixed`: properties whose value the path gives, over what the filter says."""
    request = await search_request(call)
    if fixed:
        request = SearchRequest({**request.filter, **fixed}, request.sort, request.page)
    await settle(call, own)
    truncate = call.flag("truncateValues", default=True) if entity is Entity.VARIABLES else True
    return found(await call.services.queries.search(entity, request, truncate_values=truncate))


def found(result: SearchResult) -> Response:
    """A search's answer."""
    return answer({"items": result.items, "page": result.page}, result.freshness.position)
