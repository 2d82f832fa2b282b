"""Runs commands against instances in memory, and checks after each one what must always hold:

* the live state equals the replay of the encoded events, and a snapshot of it reads back equal (I6);
* the wait-state index built from the events names exactly the jobs and timers of the state;
* an active instance has a wait state or an incident (I7).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from commands.deploy_resources import Resource, start_events
from commands.deployment_files import start_specs
from commands.handling import Context, Meta, Stream
from commands.matcher import Matcher
from commands.ports import DueDelivery
from commands.registry import HANDLERS, delivery_command
from domain.bpmn import ProcessModel, load_model, load_models
from domain.bpmn.model import Binding
from domain.calendar.arithmetic import Clockwork
from domain.calendar.model import STANDARD
from domain.dmn import Decisions, compile_decisions, parse_dmn
from domain.errors import AlreadyExists, DomainError, NotFound
from domain.events import REGISTRY, Envelope, Event, encode_envelope, encode_event, encode_json
from domain.keys import Key, KeySource, instance_key_of
from domain.process_definition.events import PROCESS
from domain.process_definition.lookup import DeployedDecision
from domain.process_instance import events as e
from domain.process_instance import wait_states as w
from domain.process_instance.state import InstanceStatus, ProcessInstance
from domain.process_instance.suspension import available_from, holds_up
from tests.fakes.message_index import MemoryIndex

START = 1_800_000_000_000_000
MAX_DELIVERIES = 1_000
SNAPSHOTS = msgspec.json.Decoder(ProcessInstance, float_hook=Decimal)


class Deployed:
    """Definitions in memory."""

    def __init__(self) -> None:
        self.models: dict[int, ProcessModel] = {}
        self.calendars: dict[str, Clockwork] = {"default": Clockwork(STANDARD)}
        self.forms: dict[str, int] = {}
        self.decisions: dict[int, Decisions] = {}
        self.deployments: dict[int, int] = {}
        self.deployment = 0

    def process(self, definition_key: int) -> ProcessModel:
        return self.models[definition_key]

    def version_of(self, definition_key: int) -> int:
        return definition_key

    def find_process(self, tenant: str, bpmn_process_id: str, version: int = -1) -> int:
        for key, model in reversed(self.models.items()):
            if model.id == bpmn_process_id:
                return key
        raise NotFound(f"no process '{bpmn_process_id}'")

    def find_called(
        self, tenant: str, bpmn_process_id: str, binding: Binding, version_tag: str, definition_key: int
    ) -> int:
        for key, model in reversed(self.models.items()):
            fits = binding is not Binding.VERSION_TAG or model.version_tag == version_tag
            fits = fits and (
                binding is not Binding.DEPLOYMENT or self.deployments[key] == self.deployments[definition_key]
            )
            if model.id == bpmn_process_id and fits:
                return key
        return 0

    def find_decision(
        self, tenant: str, decision_id: str, binding: Binding, version_tag: str = "", definition_key: int = 0
    ) -> DeployedDecision | None:
        for key, decisions in self.decisions.items():
            if decision_id in {decision.id for decision in decisions.model.decisions}:
                return DeployedDecision(decisions, decision_id, key + 1, key, 1)
        return None

    def decision(self, decision_key: int) -> DeployedDecision:
        decisions = self.decisions[decision_key - 1]
        return DeployedDecision(decisions, decisions.model.decisions[0].id, decision_key, decision_key - 1, 1)

    def find_calendar(self, tenant: str, calendar_id: str) -> Clockwork | None:
        return self.calendars.get(calendar_id or "default")

    def find_form(self, tenant: str, form_id: str) -> int:
        return self.forms.get(form_id, 0)


class Index(MemoryIndex):
    """The index with a log position. settled: up to where the matcher has done its work."""

    def __init__(self) -> None:
        super().__init__()
        self.position = 0
        self.settled = 0

    def last_position(self) -> int:
        return self.position


class Engine:
    """Instances in memory; `do` carries out a command and returns its result, `settle` what follows from it: messages
    that are correlated, signals that are delivered."""

    def __init__(self) -> None:
        self.now = START
        self.definitions = Deployed()
        self.streams: dict[int, Stream] = {}
        self.log: dict[int, list[tuple[str, bytes]]] = {}
        self.replicas: dict[int, tuple[int, Any]] = {}
        self.last: list[Event] = []
        self.messaging = Index()
        self.matcher = Matcher(self.messaging, self._send, lambda: self.now, lambda: 0.0)
        self.once: set[str] = set()
        self.delivers = True
        """Whether a command's deliveries are made at once."""
        keys = KeySource(1, lambda: self.now / 1_000_000)
        self.new_key = keys.next_key

    def deploy(self, xml: str, *, refuse: bool = True) -> ProcessModel:
        """refuse: a model with errors raises InvalidModel, as a deployment does; else it is taken as it is."""
        model = load_models(xml.encode())[0][0] if refuse else load_model(xml.encode())
        key = len(self.definitions.models) + 1
        self.definitions.models[key] = model
        resource = Resource(PROCESS, model.id, "", "", "", "", starts=start_specs(model))
        starts = start_events(resource, self.now)
        self.messaging.position += 1
        self.messaging.apply(0, "", w.PutStarts(model.id, key, starts), self.messaging.position)
        self.definitions.deployments[key] = self.definitions.deployment
        return model

    def settle(self) -> None:
        """Let messages and signals find whom they are for."""
        while self.messaging.position != self.messaging.settled:
            self.messaging.settled = self.messaging.position
            self.matcher.look_at_held()
            self.matcher.round()

    def _send(self, commands: Sequence[tuple[Any, Meta]]) -> list[BaseException | None]:
        """For the matcher; what has a command id is done once."""
        errors: list[BaseException | None] = []
        for command, meta in commands:
            try:
                if meta.command_id not in self.once:
                    self.do(command)
                    self.once |= {meta.command_id} - {""}
                errors.append(None)
            except DomainError as error:
                errors.append(error)
        return errors

    def deploy_decisions(self, xml: str) -> None:
        self.definitions.decisions[len(self.definitions.decisions) * 10 + 100] = compile_decisions(
            parse_dmn(xml.encode())
        )

    def do(self, command: Any, actor: str = "") -> Any:
        result = self.do_alone(command, actor)
        if self.delivers:
            events = self.last
            self.deliver()
            self.last = events
        return result

    def owed(self) -> list[DueDelivery]:
        """What instances owe each other."""
        return [
            DueDelivery(key, delivery.local, delivery.kind, delivery.peer)
            for key, stream in self.streams.items()
            if isinstance(stream.state, ProcessInstance)
            for delivery in stream.state.deliveries.values()
        ]

    def _deliverable(self) -> list[DueDelivery]:
        """The same without what waits for a suspended instance to be resumed."""

        def waits(due: DueDelivery) -> bool:
            parties = [self.state(due.instance_key), *([self.state(due.peer)] if due.peer else [])]
            return due.kind != "cancel" and holds_up(*parties)

        return [due for due in self.owed() if not waits(due)]

    def deliver(self) -> None:
        """Make all deliveries, and those that follow from them; each twice, as after a crash."""
        for _ in range(MAX_DELIVERIES):
            owed = self._deliverable()
            if not owed:
                return
            for due in (*owed, *owed):
                self.do_alone(delivery_command(due))
        raise AssertionError("deliveries without end")

    def do_alone(self, command: Any, actor: str = "") -> Any:
        handler = HANDLERS[type(command)]
        context = Context(self.now, Meta(actor), self.new_key, self.definitions)
        refs = handler.streams(command, context, self.route)
        loaded = []
        for ref in refs:
            stream = self.streams.get(ref.key) or Stream(ref, ref.kind.new(ref.key), 0)
            stream.at = self.now
            loaded.append(stream)
        before = {stream.ref.key: encode_json(stream.state) for stream in loaded}
        try:
            result = handler.decide(command, context, loaded)
            for stream in loaded:
                for event in stream.emitted:
                    if change := w.wait_change(event):
                        self.messaging.refuse_taken(stream.ref.key, "", change)
        except AlreadyExists:  # by the log, which takes nothing of the command then: states are made anew
            for stream in loaded:
                stream.emitted = []
                if stream.ref.key in self.streams:
                    stream.state = self.replay(stream.ref.key)
                    self.replicas.pop(stream.ref.key)
            raise
        except Exception:
            for stream in loaded:  # a refused command leaves no trace
                assert not stream.emitted
                assert encode_json(stream.state) == before[stream.ref.key]
            raise
        self.last = []
        for stream in loaded:
            self._append(stream, Envelope(self.now, actor))
        return result

    def route(self, key: int) -> Key:
        for candidate in self.streams:
            for topic, state in self.log[candidate]:
                if topic == e.KeyBlockReserved.topic:
                    event = REGISTRY.decode(topic, state)[1]
                    assert isinstance(event, e.KeyBlockReserved)
                    if candidate + event.offset == instance_key_of(key):
                        return Key(candidate)
        return instance_key_of(key)

    def _append(self, stream: Stream, envelope: Envelope) -> None:
        key = stream.ref.key
        head = encode_envelope(envelope)
        log = self.log.setdefault(key, [])
        for event in stream.emitted:
            log.append((type(event).topic, encode_event(head, event)))
            self.messaging.position += 1
            if change := w.wait_change(event):
                self.messaging.apply(key, "", change, self.messaging.position)
        stream.version += len(stream.emitted)
        self.last += stream.emitted
        stream.emitted = []
        if log:
            self.streams[key] = stream
            self.check(stream)

    # --- what must always hold ---

    def check(self, stream: Stream) -> None:
        key, state = stream.ref.key, stream.state
        replayed = self.replay(key)
        assert replayed == state, "replay differs from the live state"
        if not isinstance(state, ProcessInstance):
            return
        assert SNAPSHOTS.decode(encode_json(state)) == state, "a snapshot reads back differently"
        jobs, timers, deliveries = self.index(key)
        free = {local: e.NEVER if state.suspended else available_from(job) for local, job in state.jobs.items()}
        assert jobs == free, "the wait-state index names other jobs than the state"
        due = {local: e.NEVER if state.suspended else timer.due for local, timer in state.timers.items()}
        assert timers == due, "the wait-state index names other timers than the state"
        assert deliveries == {local: (owed.kind, owed.peer) for local, owed in state.deliveries.items()}
        waiting = {local: row.kind for (owner, local), row in self.messaging.waiting.items() if owner == key}
        kinds = {s.local: s.kind for s in state.subscriptions.values() if s.kind != "condition"}
        held = {local: w.HELD if state.suspended and kind != "start" else kind for local, kind in kinds.items()}
        assert waiting == held, "the wait-state index names other subscriptions than the state"
        if state.status is InstanceStatus.ACTIVE:
            waits = state.jobs or state.tasks or state.timers or state.incidents or state.subscriptions
            calls = any(element.child for element in state.elements.values())
            assert waits or state.deliveries or calls, "stuck: nothing waits, no incident"
            counts: dict[int, int] = {}
            for element in state.elements.values():
                if element.local:
                    counts[element.scope] = counts.get(element.scope, 0) + 1
            for element in state.elements.values():
                assert element.children == counts.get(element.local, 0)
        else:
            assert not (state.elements or state.jobs or state.tasks or state.timers or state.incidents)

    def replay(self, key: int) -> Any:
        """The state that the encoded events make; a replica that follows the log, so that long runs stay quick."""
        kind = self.streams[key].ref.kind
        done, state = self.replicas.get(key) or (0, kind.new(key))
        log = self.log[key]
        for topic, encoded in log[done:]:
            envelope, event = REGISTRY.decode(topic, encoded)
            kind.evolve(state, event, envelope.at)
        self.replicas[key] = (len(log), state)
        return state

    def events(self, key: int) -> Iterator[Event]:
        for topic, encoded in self.log[key]:
            yield REGISTRY.decode(topic, encoded)[1]

    def index(self, key: int) -> tuple[dict[int, int], dict[int, int], dict[int, tuple[str, int]]]:
        jobs: dict[int, tuple[int, int]] = {}
        timers: dict[int, tuple[int, int]] = {}
        deliveries: dict[int, tuple[str, int]] = {}
        for event in self.events(key):
            match w.wait_change(event):
                case w.PutJob(local, element, _, at):
                    jobs[local] = (element, at)
                case w.MoveJob(local, at) if local in jobs:  # (an element that ended took its jobs with it)
                    jobs[local] = (jobs[local][0], at)
                case w.MoveWaits(moved_jobs, moved_timers):
                    jobs |= {local: (jobs[local][0], at) for local, at in moved_jobs}
                    timers |= {local: (timers[local][0], at) for local, at in moved_timers}
                case w.DropJob(local):
                    del jobs[local]
                case w.PutTimer(local, element, due):
                    timers[local] = (element, due)
                case w.MoveTimer(local, due):
                    timers[local] = (timers[local][0], due)
                case w.DropTimer(local):
                    del timers[local]
                case w.PutDelivery(local, kind, peer):
                    deliveries[local] = (kind, peer)
                case w.DropDelivery(local):
                    del deliveries[local]
                case w.DropElement(gone):
                    jobs = {local: job for local, job in jobs.items() if job[0] != gone}
                    timers = {local: timer for local, timer in timers.items() if timer[0] != gone}
                case w.DropInstance():
                    jobs, timers = {}, {}
                case _:
                    pass
        return (
            {local: at for local, (_, at) in jobs.items()},
            {local: due for local, (_, due) in timers.items()},
            deliveries,
        )

    # --- shortcuts for sentences ---

    def state(self, key: int) -> ProcessInstance:
        state: ProcessInstance = self.streams[key].state
        return state

    def job(self, key: int, index: int = 0) -> int:
        return key + list(self.state(key).jobs)[index]

    def task(self, key: int, element_id: str = "") -> int:
        state = self.state(key)
        for task in state.tasks.values():
            if not element_id or state.elements[task.element].element_id == element_id:
                return key + task.local
        raise AssertionError(f"no open task {element_id}")

    def waiting(self, key: int) -> list[str]:
        """Ids of the active elements, in order of activation."""
        return [element.element_id for element in self.state(key).elements.values() if element.local]

    def variables(self, key: int) -> dict[str, Any]:
        root = self.state(key).elements.get(0)
        return dict(root.variables or {}) if root else self._final_variables(key)

    def _final_variables(self, key: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for event in self.events(key):
            if isinstance(event, e.InstanceCreated) or (isinstance(event, e.VariablesSet) and event.scope == 0):
                found.update(event.variables)
        return found

    def incidents(self, key: int) -> list[tuple[str, str]]:
        """(type, message) of the open incidents."""
        raised = {
            event.local: (event.type, event.message)
            for event in self.events(key)
            if isinstance(event, e.IncidentRaised)
        }
        return [raised[local] for local in self.state(key).incidents]


BPMN_HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">'
)


def process(body: str, process_id: str = "p") -> str:
    """A BPMN document with one executable process."""
    return f'{BPMN_HEAD}<bpmn:process id="{process_id}" isExecutable="true">{body}</bpmn:process></bpmn:definitions>'


def flow(source: str, target: str, condition: str = "", flow_id: str = "") -> str:
    """A sequence flow; without an id of its own it gets `source--target`."""
    name = f'id="{flow_id}" ' if flow_id else ""
    inner = f"<bpmn:conditionExpression>{condition}</bpmn:conditionExpression>" if condition else ""
    return f'<bpmn:sequenceFlow {name}sourceRef="{source}" targetRef="{target}">{inner}</bpmn:sequenceFlow>'


def service(task_id: str, job_type: str = "work", retries: str = "3", extra: str = "", inner: str = "") -> str:
    """A service task."""
    return (
        f'<bpmn:serviceTask id="{task_id}"><bpmn:extensionElements>'
        f'<zeebe:taskDefinition type="{job_type}" retries="{retries}"/>{extra}</bpmn:extensionElements>{inner}</bpmn:serviceTask>'
    )


def user(task_id: str, extra: str = "") -> str:
    """A user task."""
    return (
        f'<bpmn:userTask id="{task_id}"><bpmn:extensionElements><zeebe:userTask/>{extra}'
        "</bpmn:extensionElements></bpmn:userTask>"
    )


def timer(kind: str, value: str) -> str:
    """A timer event definition."""
    return f"<bpmn:timerEventDefinition><bpmn:{kind}>{value}</bpmn:{kind}></bpmn:timerEventDefinition>"


START_EVENT = '<bpmn:startEvent id="start"/>'
END_EVENT = '<bpmn:endEvent id="end"/>'
