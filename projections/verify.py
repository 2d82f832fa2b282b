"""Verification: is the log sound, and is everything that is derived from it what the log says?

* every stream: versions 1, 2, 3 … without a gap, positions ascending, every event decodable and applicable; a snapshot
  equals the replay up to its version; an active instance has something to wait for;
* the wait-state index: exactly the rows that the log's events make;
* the read models: equal, by checksum and then row by row, to a rebuild from position 0.

Pure over two ports; infra/postgres/read_models_verify.py provides them from one database snapshot, so that a live
system can be verified.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, NamedTuple, Protocol
from uuid import UUID

import msgspec

from domain.decision.events import DecisionEvaluatedAlone, Evaluation
from domain.decision.events import evolve as evolve_evaluation
from domain.errors import DomainError
from domain.events import REGISTRY, Event
from domain.messages.events import MessagePublished, SignalBroadcast
from domain.messages.state import Message, Signal, evolve_message, evolve_signal
from domain.process_definition import events as definition_events
from domain.process_definition.state import Family
from domain.process_definition.state import evolve as evolve_family
from domain.process_instance.events import InstanceCreated
from domain.process_instance.evolve import evolve
from domain.process_instance.state import InstanceStatus, ProcessInstance
from projections.verify_waits import ExpectedStarts, StartRow, WaitRow, expected_waits

MAX_PROBLEMS = 1_000
PROGRESS_EVERY = 1_000

SNAPSHOT_TYPES: dict[str, msgspec.json.Decoder[ProcessInstance]] = {
    "snapshot.instance.1": msgspec.json.Decoder(ProcessInstance, float_hook=Decimal)
}


class LogEvent(NamedTuple):
    """A stored event of the stream at hand."""

    version: int
    position: int
    topic: str
    state: bytes


class LogStream(NamedTuple):
    """A stream as the database holds it: all events, all snapshots, and its wait-state rows."""

    id: UUID
    events: Sequence[LogEvent]
    snapshots: Sequence[LogEvent]
    waits: frozenset[WaitRow]


class TableCheck(msgspec.Struct, frozen=True):
    """A read-model table beside its rebuild. differences: the first rows that differ, as text."""

    table: str
    rows: int
    checksum: str
    rebuilt_rows: int
    rebuilt_checksum: str
    differences: list[str] = []

    @property
    def equal(self) -> bool:
        """Whether both hold the same rows."""
        return (self.rows, self.checksum) == (self.rebuilt_rows, self.rebuilt_checksum)


class Problem(msgspec.Struct, frozen=True):
    """Something that is not as the log says. where: the stream or table; severity: "error" or "warning"."""

    where: str
    what: str
    severity: str = "error"


class Report(msgspec.Struct):
    """The outcome. problems holds the first 1,000; `problem_count` counts all."""

    streams: int = 0
    events: int = 0
    snapshots: int = 0
    position: int = 0
    tables: list[TableCheck] = []
    problems: list[Problem] = []
    problem_count: int = 0

    @property
    def ok(self) -> bool:
        """Nothing is wrong (warnings aside)."""
        return all(problem.severity != "error" for problem in self.problems)

    def add(self, problem: Problem) -> None:
        """Note a problem."""
        self.problem_count += 1
        if len(self.problems) < MAX_PROBLEMS or (problem.severity == "error" and self.ok):
            self.problems.append(problem)

    def add_tables(self, checks: Iterable[TableCheck]) -> None:
        """Note compared tables; those that differ are problems."""
        for check in checks:
            self.tables.append(check)
            if not check.equal:
                first = "; ".join(check.differences) or "no single row differs"
                counts = f"{check.rows} rows, rebuilt {check.rebuilt_rows}"
                self.add(Problem(f"table {check.table}", f"differs from its rebuild ({counts}): {first}"))


class VerifiedLog(Protocol):
    """The log and the wait-state index at one moment."""

    def streams(self) -> Iterator[LogStream]:
        """Every stream once; also one without events, if snapshots or wait-state rows name it."""
        ...

    def start_events(self) -> frozenset[StartRow]:
        """The index of start events."""
        ...


class VerifiedReadModels(Protocol):
    """The read models at the same moment, and a rebuild of them."""

    def check(self, progress: Callable[[str, int], None]) -> Iterable[TableCheck]:
        """Rebuild from the log up to the read models' position, and compare table by table."""
        ...

    def position(self) -> int:
        """The position of the read models."""
        ...

    def set_aside(self) -> int:
        """How many events are in quarantine."""
        ...


Progress = Callable[[str, int], None]


def verify(log: VerifiedLog, read_models: VerifiedReadModels, progress: Progress = lambda what, done: None) -> Report:
    """Verify everything. progress: called with what is being verified and how far it is (events, positions)."""
    report = Report()
    starts = ExpectedStarts()
    for stream in log.streams():
        _verify_stream(stream, report, starts)
        report.streams += 1
        report.events += len(stream.events)
        if report.streams % PROGRESS_EVERY == 0:
            progress("streams", report.events)
    progress("streams", report.events)
    held = log.start_events()
    for row in sorted(starts.rows() - held):
        report.add(Problem("start events", f"the index lacks {row}"))
    for row in sorted(held - starts.rows()):
        report.add(Problem("start events", f"the index holds {row}, which the log does not say"))
    report.position = read_models.position()
    report.add_tables(read_models.check(progress))
    aside = read_models.set_aside()
    if aside:
        report.add(Problem("quarantine", f"{aside} events are set aside: redrive them", "warning"))
    return report


_EVOLVE: dict[type[Any], Callable[[Any, Event, int], None]] = {
    ProcessInstance: evolve,
    Message: evolve_message,
    Signal: evolve_signal,
    Family: evolve_family,
    Evaluation: evolve_evaluation,
}


class _Replay:
    """One stream, replayed step by step."""

    def __init__(self, stream: LogStream, report: Report) -> None:
        self.stream = stream
        self.report = report
        self.state: Any = None
        self.decoded: list[Event] = []

    def problem(self, what: str, severity: str = "error") -> None:
        self.report.add(Problem(f"stream {self.stream.id}", what, severity))

    def run(self) -> bool:
        """Whether the whole stream could be replayed."""
        snapshots = {snapshot.version: snapshot for snapshot in self.stream.snapshots}
        position = 0
        for expected, stored in enumerate(self.stream.events, 1):
            at = f"version {stored.version} (position {stored.position}, {stored.topic})"
            if stored.version != expected:
                self.problem(f"version {expected} is missing: the log holds {at} next")
                return False
            if stored.position <= position:
                self.problem(f"{at} stands before position {position} of the version before it")
            position = stored.position
            if not self._apply(stored, at):
                return False
            if stored.version in snapshots:
                self._compare(snapshots.pop(stored.version))
        for version in snapshots:
            self.problem(f"a snapshot claims version {version}, which the log does not hold")
        return True

    def _apply(self, stored: LogEvent, at: str) -> bool:
        try:
            envelope, event = REGISTRY.decode(stored.topic, stored.state)
            if self.state is None:
                self.state = self._new_state(event)
            _EVOLVE[type(self.state)](self.state, event, envelope.at)
        except DomainError as error:
            self.problem(f"{at}: {error}")
            return False
        except Exception as error:  # a changed event may break evolve in any way: that is what is looked for
            self.problem(f"{at} cannot be applied to the state before it: {type(error).__name__}: {error}")
            return False
        self.decoded.append(event)
        return True

    def _new_state(self, first: Event) -> ProcessInstance | Family | Evaluation | Message | Signal:
        if isinstance(first, MessagePublished):
            return Message(self.stream.id.int)
        if isinstance(first, SignalBroadcast):
            return Signal(self.stream.id.int)
        if isinstance(first, DecisionEvaluatedAlone):
            return Evaluation(self.stream.id.int)
        if isinstance(first, definition_events.EVENTS):
            return Family()
        if not isinstance(first, InstanceCreated):
            self.problem(f"the stream begins with {first.topic}")
        return ProcessInstance(self.stream.id.int)

    def _compare(self, snapshot: LogEvent) -> None:
        self.report.snapshots += 1
        decoder = SNAPSHOT_TYPES.get(snapshot.topic)
        try:
            taken = decoder.decode(snapshot.state) if decoder else None
        except msgspec.MsgspecError as error:
            self.problem(f"the snapshot at version {snapshot.version} cannot be read: {error}", "warning")
            return
        if taken is None:
            self.problem(f"the snapshot at version {snapshot.version} is of another kind: {snapshot.topic}", "warning")
        elif taken != self.state:
            self.problem(f"the snapshot at version {snapshot.version} differs from the replay of the events before it")


def _verify_stream(stream: LogStream, report: Report, starts: ExpectedStarts) -> None:
    replay = _Replay(stream, report)
    if not stream.events:
        replay.problem("the wait-state index or a snapshot names it, but the log does not hold it")
        return
    if not replay.run():
        return
    starts.add(replay.decoded)
    expected: frozenset[WaitRow] = frozenset()
    if isinstance(replay.state, ProcessInstance | Message | Signal):
        positions = [stored.position for stored in stream.events]
        expected = expected_waits(stream.id.int, replay.decoded, positions)
    for row in sorted(expected - stream.waits):
        replay.problem(f"the wait-state index lacks {row}")
    for row in sorted(stream.waits - expected):
        replay.problem(f"the wait-state index holds {row}, which the log does not say")
    if isinstance(replay.state, ProcessInstance):
        for what in stuck(replay.state):
            replay.problem(what, "warning")


def stuck(state: ProcessInstance) -> Iterator[str]:
    """What is active with nothing to wait for. (A join that never gets its other tokens is such a case too.)"""
    if state.status is not InstanceStatus.ACTIVE:
        if state.elements or state.jobs or state.tasks or state.timers or state.subscriptions or state.incidents:
            yield f"the instance is {state.status.name} and still has something open"
        return
    owing = {delivery.element for delivery in state.deliveries.values()}
    for element in state.elements.values():
        waits = element.job or element.task or element.timers or element.subscriptions or element.incidents
        waits = waits or element.children or element.child or element.local in owing
        if not waits:
            joining = f"; tokens wait at {', '.join(element.arrived)}" if element.arrived else ""
            yield f"element instance {element.element_id} ({element.local}) has nothing to wait for{joining}"
