"""Hand-made event sequences, and a log to put them into."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from uuid import UUID

import psycopg

from domain.events import Envelope, Event, Recorded, encode_envelope, encode_event
from domain.keys import KeySource
from domain.process_definition.events import (
    DecisionDeployed,
    DecisionsDeployed,
    FormDeployed,
    ProcessDeployed,
    family_stream,
)
from domain.process_instance import events as e

START = 1_800_000_000_000_000  # 2027-01-15T08:00:00Z in µs
SECOND = 1_000_000
MODELS = Path(__file__).parent / "models"

_keys = KeySource(7, lambda: 1_800_000_000.0)


def new_key() -> int:
    """A key that no other test uses."""
    return _keys.next_key()


def started(definition_key: int, **fields: object) -> e.InstanceCreated:
    """The first event of an instance."""
    variables = fields.pop("variables", {})
    assert isinstance(variables, dict)
    locals_ = list(range(1, len(variables) + 1))
    return e.InstanceCreated(definition_key, "review-process", 1, variables, locals_, **fields)  # type: ignore[arg-type]


def service_task(local: int, element: str = "work", type: str = "work") -> list[Event]:
    """An element with a job: element at `local`, job at `local + 1`."""
    return [e.ElementActivated(local, element, 0), e.JobCreated(local + 1, local, element, type, 3)]


def user_task(local: int, element: str = "review", **fields: object) -> list[Event]:
    """An element with a user task: element at `local`, task at `local + 1`."""
    task = e.UserTaskCreated(local + 1, local, element, **fields)  # type: ignore[arg-type]
    return [e.ElementActivated(local, element, 0), task]


def one_task_instance(definition_key: int) -> list[Event]:
    """From start to end: start event, service task with its job, end event."""
    return [
        started(definition_key, variables={"orderId": "o-1", "amount": 5000}),
        e.ElementPassed(10, "start", 0),
        *service_task(11),
        e.JobActivated(12, "worker-1", START + 60 * SECOND),
        e.JobCompleted(12),
        e.ElementCompleted(11),
        e.ElementPassed(13, "end", 0, "to-end", 11),
        e.InstanceCompleted(),
    ]


def recorded(key: int, events: Sequence[Event], tenant: str = "", first: int = 1) -> list[Recorded]:
    """The events as they come out of the log, one second apart, starting at version and position `first`."""
    envelope = [Envelope(START + i * SECOND, "demo", tenant) for i in range(first - 1, first - 1 + len(events))]
    return [Recorded(UUID(int=key), first + i, first + i, envelope[i], event) for i, event in enumerate(events)]


class Log:
    """The real log in a database, written directly: one transaction for each `append`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._versions: dict[UUID, int] = {}
        self._at = START

    def append(self, key: int, *events: Event, tenant: str = "", actor: str = "demo") -> int:
        """Append to an instance's stream; the position of the last event. The clock moves on by a second."""
        return self.append_stream(UUID(int=key), events, tenant, actor)

    def append_stream(self, stream: UUID, events: Iterable[Event], tenant: str = "", actor: str = "demo") -> int:
        """Append to any stream."""
        self._at += SECOND
        head = encode_envelope(Envelope(self._at, actor, tenant))
        return self.append_raw(stream, [(event.topic, encode_event(head, event)) for event in events])

    def append_raw(self, stream: UUID, states: Sequence[tuple[str, bytes]]) -> int:
        """Append (topic, state) as it is."""
        position = 0
        with psycopg.connect(self.url, autocommit=True) as connection, connection.transaction():
            for topic, state in states:
                version = self._versions[stream] = self._versions.get(stream, 0) + 1
                row = connection.execute(
                    "INSERT INTO stored_events (originator_id, originator_version, topic, state) "
                    "VALUES (%s, %s, %s, %s) RETURNING notification_id",
                    (stream, version, topic, state),
                ).fetchone()
                assert row is not None
                position = row[0]
        return position

    def deploy(self, tenant: str = "", id: str = "review-process", version: int = 1, name: str = "Review") -> int:
        """Deploy the model of the tests; its definition key."""
        key = new_key()
        source = (MODELS / "review.bpmn").read_text(encoding="utf-8").replace("review-process", id)
        event = ProcessDeployed(key, id, version, key + 1, "review.bpmn", "abc", source, name, "v" + str(version))
        self.append_stream(family_stream("process", tenant, id), [event], tenant)
        return key

    def deploy_form(self, id: str, version: int = 1, tenant: str = "", deployment_key: int = 1) -> int:
        """Deploy a form; its key."""
        key = new_key()
        event = FormDeployed(key, id, version, deployment_key, f"{id}.form", "abc", f'{{"version": {version}}}')
        self.append_stream(family_stream("form", tenant, id), [event], tenant)
        return key

    def deploy_decisions(self, deployment_key: int = 1) -> tuple[int, int]:
        """Deploy a graph with one decision; the keys of both."""
        requirements, decision = new_key(), new_key()
        source = (MODELS / "level.dmn").read_text(encoding="utf-8")
        event = DecisionsDeployed(
            requirements, "levels", 1, deployment_key, "level.dmn", "abc", source, ["level"], [decision], [1], "Levels"
        )
        self.append_stream(family_stream("requirements", "", "levels"), [event])
        one = DecisionDeployed(
            decision, "level", 1, deployment_key, requirements, "levels", "level.dmn", "Approval level"
        )
        self.append_stream(family_stream("decision", "", "level"), [one])
        return requirements, decision
