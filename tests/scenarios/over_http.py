"""A server as a scenario's world: real HTTP, bus, PostgreSQL, timers and read models, with a pinned clock.

What waits is read from the instance's state in the log; what was visited, variables and incidents from the read models.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import httpx

from tests.scenarios.world import START, OpenIncident, Refused, Visit

OK = (200, 202, 204)
NOT_WAITING = {"Prefer": "respond-async"}
"""Listeners of user tasks are scenario steps of their own: their decision is not waited for."""
PATIENCE = 10.0
MAX_TIMERS = 1_000
LOOK_EVERY = 0.003
_ROAMS = re.compile(r"callActivity|<bpmn:startEvent[^>]*[^/]>")
"""Models whose instances may come to be without a start command."""
_THROWS = re.compile(r'<bpmn:(?:intermediateThrowEvent|endEvent) id="([^"]+)"')
"""Throw and end events: one that compensates waits itself while its handlers run inside it."""
_IDLE = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" targetNamespace="idle" id="idle">'
    '<bpmn:process id="{id}" isExecutable="true"><bpmn:startEvent id="start"/></bpmn:process></bpmn:definitions>'
)

Item = dict[str, Any]


class OverHttp:
    """A world (world.World) behind `http` (base URL ending in /v2). suffix: keeps names apart from other scenarios."""

    def __init__(self, http: httpx.Client, suffix: str) -> None:
        self._http = http
        self._suffix = suffix
        self._now = START
        self._started: list[str] = []
        self._processes: list[str] = []
        self._roams = False
        self._throws: set[str] = set()
        self._seen: dict[str, Item] = {}
        self._follows = False
        self._position = 0
        self._pin(START)

    def close(self) -> None:
        """Cancel what still runs, so that later scenarios are alone."""
        for key, state in self._states().items():
            if state["state"] in ("ACTIVE", "SUSPENDED"):
                self._http.post(f"/process-instances/{key}/cancellation")
        for process in self._processes if self._roams else ():  # its timers start no more
            self._http.post("/deployments", files=[("resources", ("idle.bpmn", _IDLE.format(id=process).encode()))])

    # --- requests ---

    def _call(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        if method != "GET" and not path.endswith("/search"):
            self._seen = {}
        response = self._http.request(method, path, json=body, **options)
        if response.status_code not in OK:
            problem = response.json()
            raise Refused(f"{problem.get('title')}: {problem.get('detail')}")
        self._reached(response)
        if method != "GET" and not path.endswith("/search"):
            self._settle()
        return response.json() if response.status_code == 200 else None

    def _reached(self, response: httpx.Response) -> None:
        self._position = max(self._position, int(response.headers.get("Flowledger-Position", 0)))

    def _search(self, path: str, filters: Item, sort: str = "", **query: str) -> list[Item]:
        """All items that pass the filter, once the read models have what was written and seen."""
        body: Item = {"filter": filters, "page": {"limit": 1_000}}
        if sort:
            body["sort"] = [{"field": sort}]
        headers = {"Flowledger-Min-Position": str(self._position)}
        items: list[Item] = self._call("POST", f"{path}/search", body, headers=headers, params=query)["items"]
        return items

    def _pin(self, at: int) -> None:
        self._call("PUT", "/clock", {"timestamp": at // 1_000})
        self._now = at

    # --- commands ---

    def deploy(self, resources: Sequence[tuple[str, str]]) -> None:
        files = [("resources", (name, content.encode())) for name, content in resources]
        response = self._http.post("/deployments", files=files)
        if response.status_code not in OK:
            problem = response.json()
            raise Refused(f"{problem.get('title')}: {problem.get('detail')}")
        self._reached(response)
        for item in response.json()["deployments"]:
            if item.get("processDefinition"):
                self._processes.append(item["processDefinition"]["processDefinitionId"])
        for _, content in resources:
            self._roams = self._roams or _ROAMS.search(content) is not None
            self._follows = self._follows or "messageRef" in content or "signalRef" in content
            self._throws.update(_THROWS.findall(content))
        self._settle()

    def start(self, process: str, variables: Mapping[str, Any]) -> None:
        process_id = process + self._suffix if process else self._processes[0]
        body = {"processDefinitionId": process_id, "variables": dict(variables)}
        self._started.append(self._call("POST", "/process-instances", body)["processInstanceKey"])

    def complete(
        self, element: str, nth: int, variables: Mapping[str, Any], job_type: str = "", result: Any = None
    ) -> None:
        kinds = ("jobs",) if job_type else ("userTasks", "jobs")
        kind, key = self._part(element, nth, *kinds, job_type=job_type)
        path = f"/jobs/{key}/completion" if kind == "jobs" else f"/user-tasks/{key}/completion"
        body: Item = {"variables": dict(variables)}
        if result is not None:
            body["result"] = result
        self._call("POST", path, body, headers=NOT_WAITING)

    def fail(
        self, element: str, nth: int, retries: int, message: str, variables: Mapping[str, Any], job_type: str = ""
    ) -> None:
        _, key = self._part(element, nth, "jobs", job_type=job_type)
        body = {"retries": retries, "errorMessage": message, "variables": dict(variables)}
        self._call("POST", f"/jobs/{key}/failure", body)

    def throw_error(self, element: str, nth: int, code: str, message: str, variables: Mapping[str, Any]) -> None:
        _, key = self._part(element, nth, "jobs")
        body = {"errorCode": code, "errorMessage": message, "variables": dict(variables)}
        self._call("POST", f"/jobs/{key}/error", body)

    def advance(self, until: int) -> None:
        """The clock steps from timer to timer, of instances and start events, and waits for each."""
        for _ in range(MAX_TIMERS):
            due = self._clock(lambda clock: _due(clock) is None or _due(clock) > self._now)
            if due is None or due > until:
                break
            self._pin(due)
        else:
            raise AssertionError(f"more than {MAX_TIMERS} timers fired")
        self._pin(until)
        self._settle()

    def _clock(self, fits: Callable[[Item], bool]) -> int | None:
        """When the next timer is due (µs), once the server's clock and loops are as asked for."""
        deadline = time.monotonic() + PATIENCE
        while not fits(clock := self._call("GET", "/clock")):
            assert time.monotonic() < deadline, f"the server is not where it should be within {PATIENCE} s: {clock}"
            time.sleep(LOOK_EVERY)
        self._seen = {}
        return _due(clock)

    def _settle(self) -> None:
        """Messages and signals reach whom they can."""
        if self._follows:
            self._clock(lambda clock: bool(clock["settled"]))

    def now(self) -> int:
        return self._now

    def set_variables(self, element: str, nth: int, variables: Mapping[str, Any], local: bool) -> None:
        key = self._element(element, nth)["elementInstanceKey"] if element else self._started[0]
        self._call(
            "PUT",
            f"/element-instances/{key}/variables",
            {"variables": dict(variables), "local": local},
            headers=NOT_WAITING,
        )

    def set_retries(self, element: str, nth: int, retries: int) -> None:
        _, key = self._part(element, nth, "jobs")
        self._call("PATCH", f"/jobs/{key}", {"changeset": {"retries": retries}})

    def resolve(self, element: str, nth: int) -> None:
        found = [item["incidentKey"] for item in self._open_incidents() if item["elementId"] == element]
        assert len(found) >= nth, f"there is no incident at '{element}'; there are {self.incidents()}"
        self._call("POST", f"/incidents/{found[nth - 1]}/resolution")

    def assign(self, element: str, nth: int, assignee: str) -> None:
        _, key = self._part(element, nth, "userTasks")
        if assignee:
            self._call("POST", f"/user-tasks/{key}/assignment", {"assignee": assignee}, headers=NOT_WAITING)
        else:
            self._call("DELETE", f"/user-tasks/{key}/assignee", headers=NOT_WAITING)

    def update(self, element: str, nth: int, changes: Mapping[str, Any]) -> None:
        _, key = self._part(element, nth, "userTasks")
        self._call("PATCH", f"/user-tasks/{key}", {"changeset": dict(changes)}, headers=NOT_WAITING)

    def cancel(self, process: str) -> None:
        self._call("POST", f"/process-instances/{self._key(process)}/cancellation")

    def suspend(self, process: str, reason: str) -> None:
        self._call("POST", f"/process-instances/{self._key(process)}/suspension", {"reason": reason})

    def resume(self, process: str, reason: str) -> None:
        self._call("POST", f"/process-instances/{self._key(process)}/resumption", {"reason": reason})

    def publish(self, name: str, key: str, time_to_live: int, message_id: str, variables: Mapping[str, Any]) -> None:
        body: Item = {"name": name + self._suffix, "correlationKey": key, "timeToLive": time_to_live // 1_000}
        if message_id:
            body["messageId"] = message_id
        self._call("POST", "/messages/publication", body | {"variables": dict(variables)})

    def broadcast(self, name: str, variables: Mapping[str, Any]) -> None:
        body = {"signalName": name + self._suffix, "variables": dict(variables)}
        self._call("POST", "/signals/broadcast", body)

    # --- what can be seen ---

    def waiting(self) -> list[str]:
        found = []
        for key, state in self._states().items():
            inside = [item for item in state["elements"] if item["elementInstanceKey"] != key]
            scopes = {item["scopeKey"] for item in inside}
            found += [
                item["elementId"]
                for item in inside
                if item["elementInstanceKey"] not in scopes or item["elementId"] in self._throws
            ]
        return found

    def incidents(self) -> list[OpenIncident]:
        if not any(state["incidents"] for state in self._states().values()):
            return []
        return [
            OpenIncident(item["elementId"], item["errorType"], item["errorMessage"]) for item in self._open_incidents()
        ]

    def variables(self) -> dict[str, Any]:
        first = next(iter(self._states()))
        filters = {"processInstanceKey": first, "scopeKey": first}
        items = self._search("/variables", filters, truncateValues="false")
        return {item["name"]: json.loads(item["value"]) for item in items}

    def sees(self, element: str) -> dict[str, Any]:
        found = self._element(element, 1)
        state: Item = next(state for state in self._states().values() if found in state["elements"])
        by_key = {item["elementInstanceKey"]: item for item in state["elements"]}
        layers = [found]
        while layers[-1]["elementInstanceKey"] != state["processInstanceKey"]:
            layers.append(by_key[layers[-1]["scopeKey"]])
        return {name: value for layer in reversed(layers) for name, value in layer["variables"].items()}

    def task(self, element: str) -> dict[str, Any]:
        _, key = self._part(element, 1, "userTasks")
        (shown,) = self._search("/user-tasks", {"userTaskKey": key})
        return shown

    def visits(self) -> list[Visit]:
        found = []
        for key in self._states():
            items = self._search("/element-instances", {"processInstanceKey": key}, "elementInstanceKey")
            found += [Visit(item["elementId"], item["state"].lower()) for item in items if item["type"] != "PROCESS"]
        return found

    def states(self) -> list[tuple[str, str]]:
        """From the read model; the log must say the same."""
        found = []
        for key, state in self._states().items():
            (shown,) = self._search("/process-instances", {"processInstanceKey": key})
            assert shown["state"] == state["state"], f"the read model says {shown['state']}, the log {state['state']}"
            found.append((shown["processDefinitionId"].removesuffix(self._suffix), shown["state"].lower()))
        return found

    def check_read_models(self) -> None:
        """The read models show the same active element instances, incidents and jobs as the log."""
        for key, state in self._states().items():
            logged = {item["elementInstanceKey"] for item in state["elements"]} - {key}
            shown = self._search("/element-instances", {"processInstanceKey": key, "state": "ACTIVE"})
            assert {item["elementInstanceKey"] for item in shown if item["type"] != "PROCESS"} == logged
            shown = self._search("/incidents", {"processInstanceKey": key, "state": "ACTIVE"})
            assert {item["incidentKey"] for item in shown} == {item["incidentKey"] for item in state["incidents"]}
            open_states = {"$in": ["CREATED", "FAILED", "RETRIES_UPDATED"]}
            shown = self._search("/jobs", {"processInstanceKey": key, "state": open_states})
            logged = {item["jobKey"] for item in state["jobs"] if not item["errorCode"]}
            assert {item["jobKey"] for item in shown} == logged

    # --- finding ---

    def _key(self, process: str) -> str:
        """The (first) instance of a process."""
        wanted = process + self._suffix
        states = self._states().items()
        return next(key for key, state in states if not process or state["processDefinitionId"] == wanted)

    def _keys(self) -> list[str]:
        if not self._roams:
            return self._started
        filters = {"processDefinitionId": {"$in": self._processes}}
        return sorted((item["processInstanceKey"] for item in self._search("/process-instances", filters)), key=int)

    def _states(self) -> dict[str, Item]:
        """The instances by key; read again after each command."""
        if not self._seen:
            self._seen = self._when_delivered()
            positions = (int(state["position"]) for state in self._seen.values())
            self._position = max(self._position, *positions, 0)
        return self._seen

    def _when_delivered(self) -> dict[str, Item]:
        """The instances once none owes another anything."""
        deadline = time.monotonic() + PATIENCE
        while True:
            states = {key: self._call("GET", f"/process-instances/{key}/state") for key in self._keys()}
            self._position = max(self._position, *(int(state["position"]) for state in states.values()), 0)
            suspended = {key for key, state in states.items() if state["state"] == "SUSPENDED"}
            pending = any(
                owed["kind"] == "cancel" or not suspended & {key, owed["processInstanceKey"]}
                for key, state in states.items()
                for owed in state["deliveries"]
            )
            if not pending and len(states) == len(self._keys()):
                return states
            assert time.monotonic() < deadline, f"not delivered within {PATIENCE} s: {states}"
            time.sleep(LOOK_EVERY)

    def _element(self, element: str, nth: int) -> Item:
        """The nth active instance; not the body of a multi-instance activity, but its inner instances."""
        found: list[Item] = []
        for state in self._states().values():
            items = [item for item in state["elements"] if item["elementId"] == element]
            bodies = {item["scopeKey"] for item in items}
            found += [item for item in items if item["elementInstanceKey"] not in bodies]
        assert len(found) >= nth, f"there is no active instance {nth} of '{element}'; waiting are {self.waiting()}"
        return found[nth - 1]

    def _part(self, element: str, nth: int, *kinds: str, job_type: str = "") -> tuple[str, str]:
        """The kind and key of the job or task of the nth active instance of an element that has one; the first kind
        counts where an instance has both."""
        found: dict[int, tuple[str, str]] = {}
        for state in self._states().values():
            names = {
                item["elementInstanceKey"]: item["elementId"].removesuffix(self._suffix) for item in state["elements"]
            }
            for kind in kinds:
                key_name = "jobKey" if kind == "jobs" else "userTaskKey"
                for part in state[kind]:
                    here = names.get(part["elementInstanceKey"]) == element
                    if here and (not job_type or part["type"] == job_type):
                        found.setdefault(int(part["elementInstanceKey"]), (kind, part[key_name]))
        assert len(found) >= nth, f"there is no open job or task {nth} of '{element}'; waiting are {self.waiting()}"
        return found[sorted(found)[nth - 1]]

    def _open_incidents(self) -> list[Item]:
        return [
            item
            for key in self._states()
            for item in self._search("/incidents", {"processInstanceKey": key, "state": "ACTIVE"}, "creationTime")
        ]


def _due(clock: Item) -> int | None:
    return None if clock["nextTimer"] is None else int(clock["nextTimer"]) * 1_000
