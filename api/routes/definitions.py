"""Deployments, and the process definitions and forms that they brought."""

from __future__ import annotations

import asyncio

from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import Response

from api.answers import deployed
from api.bodies import Search, StatisticsFilter
from api.call import POSITION, Call, answer, tenant_of
from api.errors import UnsupportedMediaType
from api.operations import Operation
from api.reading import limited
from api.reads import get_definition, got, reached, search, statistics_filter
from api.schemas import FORM, ITEM, ITEMS, PAGE_OF_ITEMS, TEXT
from commands.deployment_files import MAX_RESOURCES, File, prepare
from domain.errors import InvalidArgument
from projections.queries import Entity

MAX_FILE_NAME = 500


async def create_deployment(call: Call) -> Response:
    """Deploy files (BPMN, DMN, forms): all of them or, if anything is wrong with one, none.

    If no file differs from its latest version, the answer names those; if one does, all get a new version together.
    What is odd but can run (overlaps and gaps of decision tables, for example) is told in `warnings`,
    and with element ids, lines and rules in `findings`.

    The body is multipart/form-data with the files as `resources`. Everything that is wrong is named at once in
    `findings`, with element ids and lines.
    """
    files = await _files(call)
    command, warnings = await asyncio.to_thread(prepare, files)
    outcome = await call.execute(command)
    return answer(deployed(outcome.result, warnings), outcome.position)


async def _files(call: Call) -> list[File]:
    request = call.request
    declared = request.headers.get("content-type", "")
    if not declared.lower().startswith("multipart/form-data"):
        raise UnsupportedMediaType(
            f"a deployment must be multipart/form-data with files named 'resources', not {declared or 'undeclared'!r}"
        )
    bounded = Request(request.scope, limited(request, call.services.settings.max_deployment))
    files: list[File] = []
    async with bounded.form(max_files=MAX_RESOURCES, max_fields=10) as form:
        for name, value in form.multi_items():
            if name == "resources" and isinstance(value, UploadFile):
                files.append(File(_file_name(value.filename), await value.read()))
            elif name == "tenantId" and isinstance(value, str):
                tenant_of(value)
            else:
                raise InvalidArgument(f"'{name}' is not a part of a deployment: files are named 'resources'", name)
    return files


def _file_name(name: str | None) -> str:
    if not name or len(name) > MAX_FILE_NAME or not name.isprintable():
        raise InvalidArgument(
            f"each file in 'resources' needs a file name of 1 to {MAX_FILE_NAME} printable characters", "resources"
        )
    return name


async def search_process_definitions(call: Call) -> Response:
    """Search process definitions, all versions."""
    own = call.services.commits.definitions_position()
    return await search(call, Entity.PROCESS_DEFINITIONS, own)


async def get_process_definition(call: Call) -> Response:
    """A process definition by its key."""
    return await get_definition(call, Entity.PROCESS_DEFINITIONS, "processDefinitionKey")


async def get_process_definition_xml(call: Call) -> Response:
    """The BPMN XML of a process definition, as it was deployed."""
    key = call.key("processDefinitionKey")
    position = await reached(call, call.services.commits.definitions_position())
    xml = await call.services.queries.definition_xml(key)
    return Response(xml.encode(), headers={POSITION: str(position)}, media_type="text/xml")


async def get_start_process_form(call: Call) -> Response:
    """The form that starts a process; 204 if it has none."""
    key = call.key("processDefinitionKey")
    position = await reached(call, call.services.commits.definitions_position())
    return await got(call, position, call.services.queries.start_form(key))


async def get_process_definition_statistics(call: Call) -> Response:
    """Per element, over all instances of a definition that pass the filter: active, completed, canceled, incidents."""
    key = call.key("processDefinitionKey")
    wanted = await statistics_filter(call)
    position = await reached(call)
    return answer({"items": await call.services.queries.definition_statistics(key, wanted)}, position)


async def get_form_by_key(call: Call) -> Response:
    """A form by its key."""
    return await get_definition(call, Entity.FORMS, "formKey")


async def get_deployment(call: Call) -> Response:
    """What a deployment brought."""
    key = call.key("deploymentKey")
    position = await reached(call, call.services.commits.definitions_position())
    return await got(call, position, call.services.queries.deployment(key))


TAG = "Definition"
DEFINITION = "/process-definitions/{processDefinitionKey}"
OPERATIONS = (
    Operation(
        "POST", "/deployments", create_deployment, TAG, answer=ITEM, writes=True, multipart=True, errors=(409, 413, 415)
    ),
    Operation("GET", "/deployments/{deploymentKey}", get_deployment, TAG, answer=ITEM, reads=True),
    Operation(
        "POST", "/process-definitions/search", search_process_definitions, TAG, Search, True, PAGE_OF_ITEMS, reads=True
    ),
    Operation("GET", DEFINITION, get_process_definition, TAG, answer=ITEM, reads=True),
    Operation(
        "GET", f"{DEFINITION}/xml", get_process_definition_xml, TAG, answer=TEXT, answer_type="text/xml", reads=True
    ),
    Operation("GET", f"{DEFINITION}/form", get_start_process_form, TAG, answer=FORM, reads=True),
    Operation(
        "POST",
        f"{DEFINITION}/statistics/element-instances",
        get_process_definition_statistics,
        TAG,
        StatisticsFilter,
        optional_body=True,
        answer=ITEMS,
        reads=True,
    ),
    Operation("GET", "/forms/{formKey}", get_form_by_key, TAG, answer=FORM, reads=True),
)
