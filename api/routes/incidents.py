"""Incidents: where an instance cannot go on without help."""

from __future__ import annotations

from starlette.responses import Response

from api.bodies import Operation as Reference
from api.bodies import Search
from api.call import Call, done
from api.operations import Operation
from api.reads import get, search
from api.schemas import ITEM, PAGE_OF_ITEMS
from commands.resolve_incident import ResolveIncident
from projections.queries import Entity


async def search_incidents(call: Call) -> Response:
    """Search incidents of all states."""
    return await search(call, Entity.INCIDENTS)


async def get_incident(call: Call) -> Response:
    """An incident by its key."""
    return await get(call, Entity.INCIDENTS, "incidentKey")


async def resolve_incident(call: Call) -> Response:
    """Try again what the incident blocked; mend its cause before."""
    key = call.key("incidentKey")
    await call.optional_body(Reference)
    return done(await call.execute(ResolveIncident(incident_key=key)))


TAG = "Incident"
INCIDENT = "/incidents/{incidentKey}"
OPERATIONS = (
    Operation("POST", "/incidents/search", search_incidents, TAG, Search, True, PAGE_OF_ITEMS, reads=True),
    Operation("GET", INCIDENT, get_incident, TAG, answer=ITEM, reads=True),
    Operation("POST", f"{INCIDENT}/resolution", resolve_incident, TAG, Reference, True, writes=True, errors=(409,)),
)
