"""Camunda's own Python SDK, unmodified, against this server: deploy, start, work, search, complete tasks, read."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import camunda_orchestration_sdk as camunda
import pytest
from camunda_orchestration_sdk import CamundaAsyncClient, WorkerConfig
from camunda_orchestration_sdk.errors import NotFoundError
from camunda_orchestration_sdk.runtime.eventual import ConsistencyOptions

from infra.serving import RunningServer
from tests.api.client import model, unique

SOON = ConsistencyOptions(wait_up_to_ms=15_000, poll_interval_ms=50)


def client_of(server: RunningServer) -> CamundaAsyncClient:
    """The SDK's client as a user configures it."""
    return CamundaAsyncClient(configuration={"CAMUNDA_REST_ADDRESS": server.address, "CAMUNDA_AUTH_STRATEGY": "NONE"})


async def work_until_done(client: CamundaAsyncClient, job_type: str, answer: dict[str, Any]) -> Any:
    """Run the SDK's job worker until it has done one job; the job."""
    done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def handle(job: Any) -> dict[str, Any]:
        done.set_result(job)
        return answer

    config = WorkerConfig(job_type=job_type, job_timeout_milliseconds=30_000, worker_name="python-worker")
    client.create_job_worker(config, handle)
    running = asyncio.create_task(client.run_workers())  # type: ignore[no-untyped-call]
    try:
        return await asyncio.wait_for(done, 20)
    finally:
        await asyncio.sleep(0.2)  # the worker reports the job after the handler has returned
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def run_process(server: RunningServer, name: str, files: list[str | Path]) -> None:
    async with client_of(server) as client:
        deployment = await client.deploy_resources_from_files(files)
        definition = deployment.processes[0].process_definition_key
        variables = camunda.ProcessInstanceCreationInstructionBaseVariables.from_dict({"amount": 12.5})
        started = await client.create_process_instance(
            data=camunda.ProcessCreationByKey(process_definition_key=definition, variables=variables)
        )
        key = started.process_instance_key

        job = await work_until_done(client, name, {"checked": True})
        assert job.process_instance_key == key
        assert job.variables.to_dict() == {"amount": 12.5}

        query = camunda.UserTaskSearchQuery.from_dict({"filter": {"processInstanceKey": key, "state": "CREATED"}})
        tasks = await client.search_user_tasks(data=query, consistency=SOON)
        (task,) = tasks.items
        assert (task.name, task.candidate_groups) == ("Review it", ["reviewers"])
        await client.assign_user_task(task.user_task_key, data=camunda.UserTaskAssignmentRequest(assignee="ada"))
        form = await client.get_user_task_form(task.user_task_key, consistency=SOON)
        assert form.form_id == name
        completion = camunda.UserTaskCompletionRequest.from_dict({"variables": {"approved": True}})
        await client.complete_user_task(task.user_task_key, data=completion)

        instance = await client.get_process_instance(key, consistency=SOON)
        assert instance.state.value == "COMPLETED"
        wanted = camunda.VariableSearchQuery.from_dict({"filter": {"processInstanceKey": key, "name": "approved"}})
        found = await client.search_variables(data=wanted, consistency=SOON)
        assert [variable.value for variable in found.items] == ["true"]


async def break_and_mend(server: RunningServer, name: str, files: list[str | Path]) -> None:
    async with client_of(server) as client:
        await client.deploy_resources_from_files(files)
        started = await client.create_process_instance(
            data=camunda.ProcessCreationById.from_dict({"processDefinitionId": name})
        )
        request = camunda.JobActivationRequest(type_=name, timeout=30_000, max_jobs_to_activate=1)
        (job,) = (await client.activate_jobs(data=request)).jobs
        await client.fail_job(job.job_key, data=camunda.JobFailRequest(retries=0, error_message="out of paper"))
        query = camunda.IncidentSearchQuery.from_dict({"filter": {"processInstanceKey": started.process_instance_key}})
        (incident,) = (await client.search_incidents(data=query, consistency=SOON)).items
        assert (incident.error_type.value, incident.error_message) == ("JOB_NO_RETRIES", "out of paper")
        await client.resolve_incident(incident.incident_key)
        (again,) = (await client.activate_jobs(data=request)).jobs
        assert again.job_key == job.job_key
        with pytest.raises(NotFoundError):
            await client.complete_job("1")  # type: ignore[arg-type]


def files_of(name: str, folder: Path) -> list[str | Path]:
    (folder / f"{name}.bpmn").write_bytes(model("work_and_review.bpmn", ID=name, FORM=name))
    (folder / f"{name}.form").write_bytes(model("review.form", FORM=name))
    return [folder / f"{name}.bpmn", folder / f"{name}.form"]


def test_the_python_sdk_runs_a_process_from_deployment_to_the_end(api_server: RunningServer, tmp_path: Path) -> None:
    name = unique("py")
    asyncio.run(run_process(api_server, name, files_of(name, tmp_path)))


def test_the_python_sdk_sees_an_incident_and_resolves_it(api_server: RunningServer, tmp_path: Path) -> None:
    name = unique("py")
    asyncio.run(break_and_mend(api_server, name, files_of(name, tmp_path)))
