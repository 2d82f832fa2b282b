// Deploy, start, work a job, search and complete a user task, read variables and incidents: with Camunda's client as
// it is published, checking requests and answers against its own schemas (CAMUNDA_SDK_VALIDATION). Prints one JSON line.
//
// argv: the client's package; process id; bpmn file of a service task then a user task; form file

const [library, processId, ...files] = process.argv.slice(2);
const { default: createCamundaClient } = await import(library);
const soon = { consistency: { waitUpToMs: 15_000, pollIntervalMs: 50 } };
const camunda = createCamundaClient();
const seen = {};

const topology = await camunda.getTopology();
seen.partitions = topology.partitionsCount;

const deployment = await camunda.deployResourcesFromFiles(files);
seen.deployedProcess = deployment.processes[0].processDefinitionId;
seen.deployedForm = deployment.forms[0].formId;

const created = await camunda.createProcessInstance({
  processDefinitionKey: deployment.processes[0].processDefinitionKey,
  variables: { amount: 12.5, customer: { name: 'Ada' } },
});
const { processInstanceKey } = created;

seen.job = await new Promise((resolve, reject) => {
  const worker = camunda.createJobWorker({
    jobType: processId,
    workerName: 'node-worker',
    maxParallelJobs: 4,
    jobTimeoutMs: 30_000,
    pollTimeoutMs: 10_000,
    validateSchemas: false,
    jobHandler: async (job) => {
      const receipt = await job.complete({ checked: true });
      resolve({ variables: job.variables, instance: job.processInstanceKey === processInstanceKey });
      setTimeout(() => worker.stop(), 0);
      return receipt;
    },
  });
  setTimeout(() => reject(new Error('no job came')), 20_000).unref();
});

const tasks = await camunda.searchUserTasks({ filter: { processInstanceKey, state: 'CREATED' } }, soon);
const { userTaskKey } = tasks.items[0];
seen.task = { name: tasks.items[0].name, total: tasks.page.totalItems };

await camunda.assignUserTask({ userTaskKey, assignee: 'ada' });
const form = await camunda.getUserTaskForm({ userTaskKey }, soon);
seen.formComponents = JSON.parse(form.schema).components.length;
const visible = await camunda.searchUserTaskVariables({ userTaskKey }, soon);
seen.visible = visible.items.map((variable) => variable.name).sort();
await camunda.completeUserTask({ userTaskKey, variables: { approved: true } });

const instances = await camunda.searchProcessInstances(
  { filter: { processInstanceKey, state: 'COMPLETED' } },
  soon,
);
seen.state = instances.items[0].state;
const variables = await camunda.searchVariables({ filter: { processInstanceKey, name: 'approved' } }, soon);
seen.approved = variables.items[0].value;

const failing = await camunda.createProcessInstance({ processDefinitionId: processId, variables: {} });
const { jobs } = await camunda.activateJobs({
  type: processId,
  timeout: 30_000,
  maxJobsToActivate: 1,
  requestTimeout: 10_000,
});
await camunda.failJob({ jobKey: jobs[0].jobKey, retries: 0, errorMessage: 'out of paper' });
const incidents = await camunda.searchIncidents(
  { filter: { processInstanceKey: failing.processInstanceKey, state: 'ACTIVE' } },
  soon,
);
seen.incident = { type: incidents.items[0].errorType, message: incidents.items[0].errorMessage };
await camunda.updateJob({ jobKey: jobs[0].jobKey, changeset: { retries: 1 } });
await camunda.resolveIncident({ incidentKey: incidents.items[0].incidentKey });
await camunda.cancelProcessInstance({ processInstanceKey: failing.processInstanceKey });
const cancelled = await camunda.getProcessInstance({ processInstanceKey: failing.processInstanceKey }, soon);
seen.cancelled = cancelled.state;

try {
  await camunda.createProcessInstance({ processDefinitionId: 'nobody-deployed-this' });
} catch (error) {
  seen.unknown = { status: error.status, title: error.title };
}

console.log(JSON.stringify(seen));
process.exit(0);
