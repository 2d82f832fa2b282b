"""Decisions, the DMN files (decision requirements graphs) that they came in, their evaluation and its record."""

from __future__ import annotations

from starlette.responses import Response

from api.answers import evaluated_decision
from api.bodies import DecisionEvaluation, Search
from api.call import POSITION, Call, answer, tenant_of
from api.operations import Operation
from api.reads import get_definition, got, own_position, reached, search
from api.schemas import ITEM, PAGE_OF_ITEMS, TEXT
from commands.evaluate_decision import EvaluateDecision
from domain.errors import InvalidArgument
from domain.keys import parse_key
from projections.queries import Entity


async def evaluate_decision(call: Call) -> Response:
    """Evaluate a decision, by key, or by id (its latest version); what it requires is evaluated too.

    The evaluation is recorded, and can be read as decision instances. A decision that fails is an answer too: see
    failureMessage and failedDecisionDefinitionId; its output is null then.
    """
    body = await call.body(DecisionEvaluation)
    tenant_of(body.tenant_id)
    command = EvaluateDecision(
        decision_key=_decision_key(body),
        decision_id=body.decision_definition_id or "",
        variables=body.variables or {},
    )
    outcome = await call.execute(command)
    return answer(evaluated_decision(outcome.result), outcome.position)


def _decision_key(body: DecisionEvaluation) -> int:
    """The decision's key, 0 where the request names it by id."""
    if (body.decision_definition_key is None) == (body.decision_definition_id is None):
        raise InvalidArgument(
            "name the decision either by 'decisionDefinitionKey' or by 'decisionDefinitionId'",
            "decisionDefinitionKey" if body.decision_definition_key is not None else "decisionDefinitionId",
        )
    if body.decision_definition_id is not None:
        return 0
    return parse_key(body.decision_definition_key, "decisionDefinitionKey")


async def search_decision_instances(call: Call) -> Response:
    """Search evaluated decisions: those of business rule tasks, and those that were evaluated by themselves."""
    return await search(call, Entity.DECISION_INSTANCES)


async def get_decision_instance(call: Call) -> Response:
    """An evaluated decision with its inputs and the rules that matched."""
    name = "decisionEvaluationInstanceKey"
    instance = call.request.path_params[name]
    position = await reached(call, own_position(call, parse_key(instance.partition("-")[0], name)))
    return await got(call, position, call.services.queries.decision_instance(instance))


async def search_decision_definitions(call: Call) -> Response:
    """Search decisions, all versions."""
    return await search(call, Entity.DECISION_DEFINITIONS, call.services.commits.definitions_position())


async def get_decision_definition(call: Call) -> Response:
    """A decision by its key."""
    return await get_definition(call, Entity.DECISION_DEFINITIONS, "decisionDefinitionKey")


async def get_decision_definition_xml(call: Call) -> Response:
    """The DMN XML that a decision came in, as it was deployed."""
    key = call.key("decisionDefinitionKey")
    position = await reached(call, call.services.commits.definitions_position())
    decision = await call.services.queries.get(Entity.DECISION_DEFINITIONS, key)
    return await _xml(call, int(decision["decisionRequirementsKey"]), position)


async def search_decision_requirements(call: Call) -> Response:
    """Search decision requirements graphs, all versions."""
    return await search(call, Entity.DECISION_REQUIREMENTS, call.services.commits.definitions_position())


async def get_decision_requirements(call: Call) -> Response:
    """A decision requirements graph by its key."""
    return await get_definition(call, Entity.DECISION_REQUIREMENTS, "decisionRequirementsKey")


async def get_decision_requirements_xml(call: Call) -> Response:
    """The DMN XML of a decision requirements graph, as it was deployed."""
    key = call.key("decisionRequirementsKey")
    position = await reached(call, call.services.commits.definitions_position())
    return await _xml(call, key, position)


async def _xml(call: Call, requirements_key: int, position: int) -> Response:
    xml = await call.services.queries.requirements_xml(requirements_key)
    return Response(xml.encode(), headers={POSITION: str(position)}, media_type="text/xml")


TAG = "Decision"
DECISION = "/decision-definitions/{decisionDefinitionKey}"
REQUIREMENTS = "/decision-requirements/{decisionRequirementsKey}"
XML = "text/xml"
OPERATIONS = (
    Operation(
        "POST",
        "/decision-definitions/evaluation",
        evaluate_decision,
        TAG,
        DecisionEvaluation,
        answer=ITEM,
        writes=True,
        errors=(404,),
    ),
    Operation(
        "POST",
        "/decision-definitions/search",
        search_decision_definitions,
        TAG,
        Search,
        True,
        PAGE_OF_ITEMS,
        reads=True,
    ),
    Operation("GET", DECISION, get_decision_definition, TAG, answer=ITEM, reads=True),
    Operation("GET", f"{DECISION}/xml", get_decision_definition_xml, TAG, answer=TEXT, answer_type=XML, reads=True),
    Operation(
        "POST",
        "/decision-requirements/search",
        search_decision_requirements,
        TAG,
        Search,
        True,
        PAGE_OF_ITEMS,
        reads=True,
    ),
    Operation(
        "POST", "/decision-instances/search", search_decision_instances, TAG, Search, True, PAGE_OF_ITEMS, reads=True
    ),
    Operation(
        "GET",
        "/decision-instances/{decisionEvaluationInstanceKey}",
        get_decision_instance,
        TAG,
        answer=ITEM,
        reads=True,
    ),
    Operation("GET", REQUIREMENTS, get_decision_requirements, TAG, answer=ITEM, reads=True),
    Operation(
        "GET", f"{REQUIREMENTS}/xml", get_decision_requirements_xml, TAG, answer=TEXT, answer_type=XML, reads=True
    ),
)
