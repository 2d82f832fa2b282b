"""The answers of commands in the v2 API's shapes: keys as decimal strings, times in ms."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from api.call import DEFAULT_TENANT
from api.errors import finding_json
from commands.activate_job import ActivatedJob, ListenedTask
from commands.create_instance import CreateInstance, InstanceStarted
from commands.deploy_resources import DeployedResource, Deployment
from commands.evaluate_decision import DecisionOutcome
from domain.errors import Finding
from domain.events import encode_json
from domain.process_definition import events as definitions
from projections.decision_instances import decisions_of, instance_key
from projections.time import iso

MICROSECONDS_PER_MS = 1000


def activated_job(job: ActivatedJob) -> dict[str, Any]:
    """A job in a worker's hands (v2 ActivatedJobResult). deadline: ms since the Unix epoch."""
    return {
        "type": job.type,
        "processDefinitionId": job.bpmn_process_id,
        "processDefinitionVersion": job.version,
        "elementId": job.element_id,
        "customHeaders": job.headers if job.task is None else {**job.headers, **_task_headers(job.task)},
        "worker": job.worker,
        "retries": job.retries,
        "deadline": job.deadline // MICROSECONDS_PER_MS,
        "variables": job.variables,
        "tenantId": job.tenant or DEFAULT_TENANT,
        "physicalTenantId": "default",
        "jobKey": str(job.job_key),
        "processInstanceKey": str(job.instance_key),
        "processDefinitionKey": str(job.definition_key),
        "elementInstanceKey": str(job.element_instance_key),
        "rootProcessInstanceKey": str(job.root_key),
        "kind": job.kind,
        "listenerEventType": job.moment,
        "userTask": _listened_task(job.task) if job.task is not None else None,
        "tags": job.tags,
        "businessId": job.business_id or None,
        "priority": 0,
        "jobLeaseToken": None,
    }


TASK_ATTRIBUTES = {
    "assignee": "assignee",
    "candidate_groups": "candidateGroups",
    "candidate_users": "candidateUsers",
    "due": "dueDate",
    "follow_up": "followUpDate",
    "priority": "priority",
}
RESERVED_HEADER = "io.camunda.zeebe:"


def _listened_task(task: ListenedTask) -> dict[str, Any]:
    """The user task that a task listener decides about (v2 UserTaskProperties)."""
    names = [TASK_ATTRIBUTES.get(name, name) for name in task.changed]
    return {
        "action": task.action,
        "assignee": task.assignee or None,
        "candidateGroups": task.candidate_groups,
        "candidateUsers": task.candidate_users,
        "changedAttributes": names,
        "dueDate": iso(task.due // MICROSECONDS_PER_MS) if task.due else None,
        "followUpDate": iso(task.follow_up // MICROSECONDS_PER_MS) if task.follow_up else None,
        "formKey": str(task.form_key) if task.form_key else None,
        "priority": task.priority,
        "userTaskKey": str(task.key),
    }


def _task_headers(task: ListenedTask) -> dict[str, str]:
    """The same as headers with reserved names, where older clients look for it; lists as JSON."""
    values = {name: value for name, value in _listened_task(task).items() if value is not None}
    return {
        RESERVED_HEADER + name: value if isinstance(value, str) else encode_json(value).decode()
        for name, value in values.items()
    }


def started_instance(
    command: CreateInstance, started: InstanceStarted, tenant: str, variables: dict[str, Any]
) -> dict[str, Any]:
    """A new instance (v2 CreateProcessInstanceResult). variables: of the root scope if completion was awaited."""
    return {
        "processDefinitionId": started.bpmn_process_id,
        "processDefinitionVersion": started.version,
        "tenantId": tenant or DEFAULT_TENANT,
        "variables": variables,
        "processDefinitionKey": str(started.definition_key),
        "processInstanceKey": str(started.instance_key),
        "tags": command.tags,
        "businessId": command.business_id or None,
    }


def deployed(deployment: Deployment, warnings: tuple[Finding, ...]) -> dict[str, Any]:
    """What a deployment brought (v2 DeploymentResult), with the warnings about it."""
    tenant = deployment.tenant or DEFAULT_TENANT
    answer: dict[str, Any] = {
        "deploymentKey": str(deployment.key),
        "tenantId": tenant,
        "deployments": [entry for resource in deployment.resources for entry in _metadata(resource, tenant)],
    }
    if warnings:
        answer["warnings"] = [str(warning) for warning in warnings]
        answer["findings"] = [finding_json(warning) for warning in warnings]
    return answer


def _metadata(resource: DeployedResource, tenant: str) -> list[dict[str, Any]]:
    """One deployed file: an entry of its kind, and for a DMN file one more for each decision in it."""
    version = {"resourceName": resource.resource_name, "tenantId": tenant}
    if resource.kind == definitions.PROCESS:
        process = {
            "processDefinitionId": resource.id,
            "processDefinitionVersion": resource.version,
            "processDefinitionKey": str(resource.key),
        }
        return [_entry("processDefinition", version | process)]
    if resource.kind == definitions.FORM:
        form = {"formId": resource.id, "version": resource.version, "formKey": str(resource.key)}
        return [_entry("form", version | form)]
    requirements = {
        "decisionRequirementsId": resource.id,
        "decisionRequirementsName": resource.name,
        "version": resource.version,
        "decisionRequirementsKey": str(resource.key),
    }
    return [_entry("decisionRequirements", version | requirements), *_decisions(resource, tenant)]


def _decisions(resource: DeployedResource, tenant: str) -> Iterator[dict[str, Any]]:
    columns = (resource.decision_ids, resource.decision_keys, resource.decision_names, resource.decision_versions)
    for decision_id, key, name, version in zip(*columns, strict=True):
        decision = {
            "decisionDefinitionId": decision_id,
            "decisionDefinitionKey": str(key),
            "name": name,
            "version": version,
            "tenantId": tenant,
            "decisionRequirementsId": resource.id,
            "decisionRequirementsKey": str(resource.key),
        }
        yield _entry("decisionDefinition", decision)


def _entry(kind: str, content: dict[str, Any]) -> dict[str, Any]:
    """An entry of v2's DeploymentMetadataResult: one kind is given, the others are null."""
    kinds = ("processDefinition", "decisionDefinition", "decisionRequirements", "form", "resource")
    return {name: content if name == kind else None for name in kinds}


def evaluated_decision(outcome: DecisionOutcome) -> dict[str, Any]:
    """How it was decided (v2 EvaluateDecisionResult). Values are JSON texts; a failed decision's output is null."""
    tenant = outcome.tenant or DEFAULT_TENANT
    decisions = []
    for number, decision in enumerate(decisions_of(outcome.evaluated, outcome.failure, outcome.failed_decision), 1):
        decision_id = decision["decisionDefinitionId"]
        del decision["failure"]
        version = {
            "decisionDefinitionKey": str(outcome.keys.get(decision_id, outcome.decision_key)),
            "decisionDefinitionVersion": outcome.versions.get(decision_id, outcome.version),
            "decisionEvaluationInstanceKey": instance_key(outcome.evaluation_key, number),
            "tenantId": tenant,
        }
        decisions.append(decision | version)
    return {
        "decisionDefinitionId": outcome.decision_id,
        "decisionDefinitionKey": str(outcome.decision_key),
        "decisionDefinitionName": outcome.name or outcome.decision_id,
        "decisionDefinitionVersion": outcome.version,
        "decisionEvaluationKey": str(outcome.evaluation_key),
        "decisionInstanceKey": str(outcome.evaluation_key),
        "decisionRequirementsId": outcome.requirements_id,
        "decisionRequirementsKey": str(outcome.requirements_key),
        "evaluatedDecisions": decisions,
        "failedDecisionDefinitionId": outcome.failed_decision or None,
        "failureMessage": outcome.failure or None,
        "output": "null" if outcome.failure else encode_json(outcome.output).decode(),
        "tenantId": tenant,
    }
