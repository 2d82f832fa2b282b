"""What a command is and what deciding it may use. One file per command holds its record and its `decide`;
commands/registry.py ties them together; commands/bus.py loads the streams, decides, and appends.

    decide(command, context, streams) -> result        pure: it reads the streams' states, and emits events

A result is a plain msgspec struct (or None) that the caller gets once the events are durable.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol
from uuid import UUID

import msgspec

from domain.bpmn.model import Binding
from domain.calendar.events import CalendarStream
from domain.calendar.events import evolve as evolve_calendar
from domain.decision.events import Evaluation
from domain.decision.events import evolve as evolve_evaluation
from domain.events import Event
from domain.keys import Key, stream_id
from domain.messages.state import Message, Signal, evolve_message, evolve_signal
from domain.process_definition.lookup import DeployedDecision
from domain.process_definition.state import Family
from domain.process_definition.state import evolve as evolve_family
from domain.process_instance.evolve import evolve as evolve_instance
from domain.process_instance.state import ProcessInstance

if TYPE_CHECKING:
    from domain.bpmn.model import ProcessModel
    from domain.calendar.arithmetic import Clockwork


class Command(msgspec.Struct, frozen=True, kw_only=True):
    """Base of all command records: the request, without who asks and when."""


class Meta(msgspec.Struct, frozen=True):
    """Who asks, and under which id. tenant "" is the default tenant; command_id "" means: not idempotent."""

    actor: str = ""
    tenant: str = ""
    command_id: str = ""
    trace_id: str = ""


class Kind(NamedTuple):
    """A kind of aggregate: how its empty state is made and how events change it. is_over: nothing more is to be
    expected of it, so that it need not be kept in memory."""

    name: str
    new: Callable[[int], Any]
    evolve: Callable[[Any, Event, int], None]
    state_type: type[Any]
    is_over: Callable[[Any], bool] = lambda _state: False


INSTANCE = Kind("instance", ProcessInstance, evolve_instance, ProcessInstance, lambda state: state.is_over)
FAMILY = Kind("family", lambda _key: Family(), evolve_family, Family)
EVALUATION = Kind("evaluation", Evaluation, evolve_evaluation, Evaluation, lambda _state: True)
CALENDAR = Kind("calendar", lambda _key: CalendarStream(), evolve_calendar, CalendarStream)
MESSAGE = Kind("message", Message, evolve_message, Message, lambda state: state.expired)
SIGNAL = Kind("signal", Signal, evolve_signal, Signal, lambda state: state.delivered)
KINDS: dict[str, Kind] = {kind.name: kind for kind in (INSTANCE, FAMILY, EVALUATION, CALENDAR, MESSAGE, SIGNAL)}


class StreamRef(NamedTuple):
    """Which stream a command works on. key: the instance key (0 for a family). fresh: it cannot exist yet."""

    kind: Kind
    id: UUID
    key: int = 0
    fresh: bool = False


def instance_ref(key: int, fresh: bool = False) -> StreamRef:
    """The stream of a process instance."""
    return StreamRef(INSTANCE, stream_id(key), key, fresh)


def message_ref(key: int, fresh: bool = False) -> StreamRef:
    """The stream of a published message."""
    return StreamRef(MESSAGE, stream_id(key), key, fresh)


def signal_ref(key: int, fresh: bool = False) -> StreamRef:
    """The stream of a signal that was broadcast from outside."""
    return StreamRef(SIGNAL, stream_id(key), key, fresh)


class Stream:
    """An aggregate at work: its state, the version (number of events) it has, and what was emitted just now."""

    __slots__ = ("at", "emitted", "ref", "state", "version")

    def __init__(self, ref: StreamRef, state: Any, version: int) -> None:
        self.ref = ref
        self.state = state
        self.version = version
        self.at = 0
        self.emitted: list[Event] = []

    def emit(self, event: Event) -> None:
        """Record a fact: it changes the state at once and is appended when the command is decided."""
        self.ref.kind.evolve(self.state, event, self.at)
        self.emitted.append(event)


class Definitions(Protocol):
    """The deployed definitions, as executable models (cached; immutable)."""

    def process(self, definition_key: int) -> ProcessModel:
        """The model of a process definition. Raises NotFound."""
        ...

    def find_process(self, tenant: str, bpmn_process_id: str, version: int = -1) -> int:
        """The definition key of a version of a process (-1: the latest). Raises NotFound, naming what is there."""
        ...

    def find_called(
        self, tenant: str, bpmn_process_id: str, binding: Binding, version_tag: str, definition_key: int
    ) -> int:
        """The definition key of the process that a binding means, 0 if there is none; DEPLOYMENT: the one deployed with
        process definition `definition_key`."""
        ...

    def version_of(self, definition_key: int) -> int:
        """The version of a process definition. Raises NotFound."""
        ...

    def find_form(self, tenant: str, form_id: str) -> int:
        """The key of the latest form with this id, 0 if there is none."""
        ...

    def find_calendar(self, tenant: str, calendar_id: str) -> Clockwork | None:
        """The calendar with this id ("": the default one), None if there is none."""
        ...

    def find_decision(
        self, tenant: str, decision_id: str, binding: Binding, version_tag: str = "", definition_key: int = 0
    ) -> DeployedDecision | None:
        """The decision that a binding means; DEPLOYMENT: the one deployed with process definition `definition_key`."""
        ...

    def decision(self, decision_key: int) -> DeployedDecision:
        """The decision with this key. Raises NotFound."""
        ...


class Context(NamedTuple):
    """What deciding may use besides the states: the command's time (µs), its meta, new keys, the definitions."""

    now: int
    meta: Meta
    new_key: Callable[[], Key]
    definitions: Definitions


class Route(Protocol):
    """Finds the instance that a key belongs to: by arithmetic, or by the index of reserved key blocks."""

    def __call__(self, key: int) -> Key:
        """The instance key; for an unknown block the key's own block."""
        ...


class Handler(NamedTuple):
    """How a command is carried out.

    streams: the streams it needs, given (command, context, route); called again on each attempt.
    decide: pure; gets the streams in that order. Raises a Rejection; must do so before it emits, or the bus
    discards the stream's cached state. result: the type of what it returns (recorded for repeats), or None.
    sheds: whether the command is refused first under load (new work, not the end of old work).
    """

    streams: Callable[[Any, Context, Route], Sequence[StreamRef]]
    decide: Callable[[Any, Context, Sequence[Stream]], Any]
    result: type[Any] | None = None
    sheds: bool = False
