// Every read of Camunda's client that this server answers, with the answers checked against the client's own schemas
// (CAMUNDA_SDK_VALIDATION=res:strict makes it throw). Prints one JSON line: operation → how many items, or 1.
//
// argv: the client's package; process id; job type; bpmn, form and dmn file

const [library, processId, jobType, ...files] = process.argv.slice(2);
const { default: createCamundaClient } = await import(library);
const soon = { consistency: { waitUpToMs: 15_000, pollIntervalMs: 50 } };
const camunda = createCamundaClient();
const seen = {};

async function read(name, request) {
  const answer = request === undefined ? await camunda[name]() : await camunda[name](request, soon);
  seen[name] = Array.isArray(answer) ? answer.length : (answer.items?.length ?? 1);
  return answer;
}

const deployment = await camunda.deployResourcesFromFiles(files);
const { processDefinitionKey } = deployment.processes[0];
const { decisionDefinitionKey } = deployment.decisions[0];
const { decisionRequirementsKey } = deployment.decisionRequirements[0];
const { processInstanceKey } = await camunda.createProcessInstance({
  processDefinitionKey,
  variables: { amount: 12.5 },
  tags: ['shapes'],
  businessId: 'order-1',
});
const failing = await camunda.createProcessInstance({ processDefinitionKey });
const { jobs } = await camunda.activateJobs({ type: jobType, timeout: 60_000, maxJobsToActivate: 2, requestTimeout: 5_000 });
const keyOf = (key) => jobs.find((job) => job.processInstanceKey === key).jobKey;
await camunda.completeJob({ jobKey: keyOf(processInstanceKey), variables: {} });
await camunda.throwJobError({ jobKey: keyOf(failing.processInstanceKey), errorCode: 'NO_STOCK' });

await read('getTopology');
await read('getLicense');
await read('getAuthentication');
await read('searchProcessDefinitions', { filter: { processDefinitionId: processId } });
await read('getProcessDefinition', { processDefinitionKey });
await read('getProcessDefinitionStatistics', { processDefinitionKey });
await read('searchProcessInstances', { filter: { processInstanceKey } });
await read('getProcessInstance', { processInstanceKey });
await read('getProcessInstanceStatistics', { processInstanceKey });
await read('getProcessInstanceSequenceFlows', { processInstanceKey });
await read('getProcessInstanceCallHierarchy', { processInstanceKey });
const elements = await read('searchElementInstances', { filter: { processInstanceKey } });
await read('getElementInstance', { elementInstanceKey: elements.items[0].elementInstanceKey });
const variables = await read('searchVariables', { filter: { processInstanceKey } });
await read('getVariable', { variableKey: variables.items[0].variableKey });
const tasks = await read('searchUserTasks', { filter: { processInstanceKey } });
const { userTaskKey } = tasks.items[0];
await read('getUserTask', { userTaskKey });
await read('getUserTaskForm', { userTaskKey });
await read('searchUserTaskVariables', { userTaskKey });
await camunda.updateUserTask({ userTaskKey, changeset: { priority: 80, dueDate: '2030-01-01T00:00:00Z' } });
await camunda.unassignUserTask({ userTaskKey });
await read('searchJobs', { filter: { processInstanceKey } });
const incidents = await read('searchIncidents', { filter: { processInstanceKey: failing.processInstanceKey } });
await read('getIncident', { incidentKey: incidents.items[0].incidentKey });
await read('searchProcessInstanceIncidents', { processInstanceKey: failing.processInstanceKey });
await read('searchElementInstanceIncidents', { elementInstanceKey: incidents.items[0].elementInstanceKey });
await read('searchDecisionDefinitions', { filter: { decisionDefinitionKey } });
await read('getDecisionDefinition', { decisionDefinitionKey });
await read('searchDecisionRequirements', { filter: { decisionRequirementsKey } });
await read('getDecisionRequirements', { decisionRequirementsKey });

console.log(JSON.stringify(seen));
process.exit(0);
