// Evaluate a decision and (where the client can) an expression with Camunda's client as it is published, and read the decision instances; its
// own schemas check requests and answers (CAMUNDA_SDK_VALIDATION). Prints one JSON line.
//
// argv: the client's package; decision id; its DMN file

const [library, decisionDefinitionId, file] = process.argv.slice(2);
const { default: createCamundaClient } = await import(library);
const soon = { consistency: { waitUpToMs: 15_000, pollIntervalMs: 50 } };
const camunda = createCamundaClient();

const deployment = await camunda.deployResourcesFromFiles([file]);
const { decisionDefinitionKey } = deployment.decisions.find((each) => each.decisionDefinitionId === decisionDefinitionId);
const byId = await camunda.evaluateDecision({ decisionDefinitionId, variables: { amount: 1200 } });
const byKey = await camunda.evaluateDecision({ decisionDefinitionKey, variables: { amount: 50 } });
const { decisionEvaluationKey } = byId;
const found = await camunda.searchDecisionInstances(
  { filter: { decisionEvaluationKey }, sort: [{ field: 'evaluationDate', order: 'ASC' }] },
  soon,
);
const { decisionEvaluationInstanceKey } = found.items[found.items.length - 1];
const instance = await camunda.getDecisionInstance({ decisionEvaluationInstanceKey }, soon);
const requirements = await camunda.getDecisionRequirementsXml(
  { decisionRequirementsKey: byId.decisionRequirementsKey },
  soon,
);
const xml = await camunda.getDecisionDefinitionXml({ decisionDefinitionKey }, soon);
const evaluate = async (request) => (camunda.evaluateExpression ? await camunda.evaluateExpression(request) : null);
const expression = await evaluate({ expression: '=x + y', variables: { x: 10, y: 20 } });
const odd = await evaluate({ expression: '=1 + nothing' });

console.log(
  JSON.stringify({
    outputs: [byId.output, byKey.output],
    evaluated: byId.evaluatedDecisions.map((each) => each.decisionDefinitionType),
    instances: found.items.map((each) => each.state),
    inputs: instance.evaluatedInputs.map((each) => each.inputValue),
    rules: instance.matchedRules.map((each) => each.ruleId),
    xml: requirements === xml && xml.startsWith('<?xml'),
    expression: expression && expression.result,
    warned: odd && odd.warnings.length > 0,
  }),
);
process.exit(0);
