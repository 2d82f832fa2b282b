"""The engine alone as a scenario's world: no database, no server; the harness checks its invariants at every step."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from api.job_results import job_result
from commands.assign_user_task import AssignUserTask, UnassignUserTask
from commands.broadcast_signal import BroadcastSignal
from commands.cancel_instance import CancelInstance
from commands.complete_job import CompleteJob
from commands.complete_user_task import CompleteUserTask
from commands.create_instance import CreateInstance
from commands.fail_job import FailJob
from commands.publish_message import PublishMessage
from commands.resolve_incident import ResolveIncident
from commands.set_variables import SetVariables
from commands.suspend_instance import ResumeInstance, SuspendInstance
from commands.throw_job_error import ThrowJobError
from commands.timers import start_command
from commands.trigger_timer import TriggerTimer
from commands.update_job import UpdateJob
from commands.update_user_task import UpdateUserTask
from domain.errors import DomainError
from domain.events import decode_json, encode_json
from domain.process_instance import events as e
from domain.process_instance.state import ROOT, ElementInstance, ProcessInstance
from tests.engine.harness import Engine
from tests.scenarios.world import START, OpenIncident, Refused, Visit

MAX_TIMERS = 1_000


class InDomain:
    """A world (world.World) around the engine's harness."""

    def __init__(self) -> None:
        self.engine = Engine()
        self.engine.now = START

    def _do(self, command: Any) -> None:
        try:
            self.engine.do(command)
        except DomainError as error:
            raise Refused(f"{error.code}: {error}") from error
        self.engine.settle()

    # --- commands ---

    def deploy(self, resources: Sequence[tuple[str, str]]) -> None:
        self.engine.definitions.deployment += 1
        for name, content in resources:
            if name.endswith(".dmn"):
                self.engine.deploy_decisions(content)
                continue
            try:
                self.engine.deploy(content)
            except DomainError as error:
                raise Refused(f"{error.code}: {error}") from error

    def start(self, process: str, variables: Mapping[str, Any]) -> None:
        process_id = process or next(iter(self.engine.definitions.models.values())).id
        self._do(CreateInstance(bpmn_process_id=process_id, variables=_values(variables)))

    def complete(
        self, element: str, nth: int, variables: Mapping[str, Any], job_type: str = "", result: Any = None
    ) -> None:
        state, instance = self._active(element, nth, "job", "task", job_type=job_type)
        values = _values(variables)
        if instance.task and not job_type:
            self._do(CompleteUserTask(task_key=state.key + instance.task, variables=values))
        else:
            self._do(CompleteJob(job_key=state.key + instance.job, variables=values, result=_result(result)))

    def fail(
        self, element: str, nth: int, retries: int, message: str, variables: Mapping[str, Any], job_type: str = ""
    ) -> None:
        state, instance = self._active(element, nth, "job", job_type=job_type)
        key = state.key + instance.job
        self._do(FailJob(job_key=key, retries=retries, message=message, variables=_values(variables)))

    def throw_error(self, element: str, nth: int, code: str, message: str, variables: Mapping[str, Any]) -> None:
        state, instance = self._active(element, nth, "job")
        key = state.key + instance.job
        self._do(ThrowJobError(job_key=key, error_code=code, message=message, variables=_values(variables)))

    def advance(self, until: int) -> None:
        for _ in range(MAX_TIMERS):
            timers: list[tuple[int, Any]] = [
                (timer.due, TriggerTimer(instance_key=state.key, timer=timer.local))
                for state in self._states()
                if not state.suspended
                for timer in state.timers.values()
            ]
            timers += [
                (start.due, start_command(start)) for start in self.engine.messaging.due_starts(until, MAX_TIMERS)
            ]
            due, command = min(timers, key=lambda timer: timer[0], default=(until + 1, None))
            if due > until:
                break
            self.engine.now = max(self.engine.now, due)
            self._do(command)
        else:
            raise AssertionError(f"more than {MAX_TIMERS} timers fired")
        self.engine.now = until
        self.engine.matcher.round()  # messages expire

    def now(self) -> int:
        return self.engine.now

    def set_variables(self, element: str, nth: int, variables: Mapping[str, Any], local: bool) -> None:
        key = self._first().key
        if element:
            state, instance = self._active(element, nth)
            key = state.key + instance.local
        self._do(SetVariables(element_instance_key=key, variables=_values(variables), local=local))

    def set_retries(self, element: str, nth: int, retries: int) -> None:
        state, instance = self._active(element, nth, "job")
        self._do(UpdateJob(job_key=state.key + instance.job, retries=retries))

    def resolve(self, element: str, nth: int) -> None:
        found = [key for key, incident in self._incidents() if incident.element == element]
        assert len(found) >= nth, f"there is no incident at '{element}'; there are {self.incidents()}"
        self._do(ResolveIncident(incident_key=found[nth - 1]))

    def assign(self, element: str, nth: int, assignee: str) -> None:
        state, instance = self._active(element, nth, "task")
        key = state.key + instance.task
        self._do(AssignUserTask(task_key=key, assignee=assignee) if assignee else UnassignUserTask(task_key=key))

    def update(self, element: str, nth: int, changes: Mapping[str, Any]) -> None:
        state, instance = self._active(element, nth, "task")
        names = {"candidateGroups": "candidate_groups", "candidateUsers": "candidate_users"}
        values = {names.get(name, name): value for name, value in changes.items()}
        self._do(UpdateUserTask(task_key=state.key + instance.task, **values))

    def cancel(self, process: str) -> None:
        self._do(CancelInstance(instance_key=self._key(process)))

    def suspend(self, process: str, reason: str) -> None:
        self._do(SuspendInstance(instance_key=self._key(process), reason=reason))

    def resume(self, process: str, reason: str) -> None:
        self._do(ResumeInstance(instance_key=self._key(process), reason=reason))

    def publish(self, name: str, key: str, time_to_live: int, message_id: str, variables: Mapping[str, Any]) -> None:
        self._do(
            PublishMessage(
                name=name, key=key, time_to_live=time_to_live, message_id=message_id, variables=_values(variables)
            )
        )

    def broadcast(self, name: str, variables: Mapping[str, Any]) -> None:
        self._do(BroadcastSignal(name=name, variables=_values(variables)))

    # --- what can be seen ---

    def waiting(self) -> list[str]:
        found = []
        for state in self._states():
            scopes = {element.scope for element in state.elements.values() if element.local != ROOT}
            found += [
                element.element_id
                for element in state.elements.values()
                if element.local != ROOT and (element.local not in scopes or element.handlers is not None)
            ]
        return found

    def incidents(self) -> list[OpenIncident]:
        return [incident for _, incident in self._incidents()]

    def variables(self) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for event in self.engine.events(self._first().key):
            if isinstance(event, e.InstanceCreated) or (isinstance(event, e.VariablesSet) and event.scope == ROOT):
                found.update(event.variables)
        return _plain(found)

    def sees(self, element: str) -> dict[str, Any]:
        state, instance = self._active(element, 1)
        return _plain(dict(state.scope_variables(instance.local)))

    def task(self, element: str) -> dict[str, Any]:
        state, instance = self._active(element, 1, "task")
        task = state.tasks[instance.task]
        return {
            "state": task.moment or "CREATED",
            "assignee": task.assignee or None,
            "candidateGroups": task.candidate_groups,
            "candidateUsers": task.candidate_users,
            "priority": task.priority,
        }

    def visits(self) -> list[Visit]:
        found: list[Visit] = []
        for state in self._states():
            visits: dict[int, Visit] = {}
            for event in self.engine.events(state.key):
                match event:
                    case e.ElementActivated():
                        visits[event.local] = Visit(event.element_id, "active")
                    case e.ElementPassed():
                        visits[event.local] = Visit(event.element_id, "completed")
                    case e.ElementCompleted():
                        visits[event.local] = visits[event.local]._replace(state="completed")
                    case e.ElementTerminated():
                        visits[event.local] = visits[event.local]._replace(state="terminated")
                    case _:
                        pass
            found += visits.values()
        return found

    def states(self) -> list[tuple[str, str]]:
        return [
            (state.bpmn_process_id, "suspended" if state.suspended else state.status.name.lower())
            for state in self._states()
        ]

    # --- finding ---

    def _key(self, process: str) -> int:
        """The (first) instance of a process."""
        return next(state.key for state in self._states() if not process or state.bpmn_process_id == process)

    def _states(self) -> list[ProcessInstance]:
        return [stream.state for stream in self.engine.streams.values() if isinstance(stream.state, ProcessInstance)]

    def _first(self) -> ProcessInstance:
        return self._states()[0]

    def _active(
        self, element: str, nth: int, *having: str, job_type: str = ""
    ) -> tuple[ProcessInstance, ElementInstance]:
        """The nth active instance of an element that has one of these parts (any, without a name); not the body of a
        multi-instance activity, but its inner instances."""
        found = [
            (state, instance)
            for state in self._states()
            for instance in state.elements.values()
            if instance.element_id == element
            and (not having or any(getattr(instance, part) for part in having))
            and (not job_type or (instance.job and state.jobs[instance.job].type == job_type))
            and (
                job_type
                or not any(
                    inner.scope == instance.local and inner.element_id == element for inner in state.elements.values()
                )
            )
        ]
        what = " or ".join(having) or "instance"
        assert len(found) >= nth, f"there is no active {what} {nth} of '{element}'; waiting are {self.waiting()}"
        return found[nth - 1]

    def _incidents(self) -> Iterator[tuple[int, OpenIncident]]:
        for state in self._states():
            for event in self.engine.events(state.key):
                if isinstance(event, e.IncidentRaised) and event.local in state.incidents:
                    yield state.key + event.local, OpenIncident(event.element_id, event.type, event.message)


def _result(result: Any) -> Any:
    try:
        return job_result(result)
    except DomainError as error:
        raise Refused(f"{error.code}: {error}") from error


def _values(variables: Mapping[str, Any]) -> dict[str, Any]:
    """Variables as a client's JSON brings them."""
    values: dict[str, Any] = decode_json(json.dumps(dict(variables)).encode())
    return values


def _plain(variables: dict[str, Any]) -> dict[str, Any]:
    """Variables as a client sees them."""
    values: dict[str, Any] = json.loads(encode_json(variables))
    return values
