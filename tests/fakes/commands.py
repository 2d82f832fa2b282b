"""A small command set on real events, for tests of the bus: it needs no model and no engine.

Open(type) -> key     Work(key) creates a job     Finish(key) completes it and the instance     Look(key) reads
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from commands.handling import Command, Context, Handler, Route, Stream, StreamRef, instance_ref
from domain.errors import InvalidState, NotFound
from domain.process_instance import events as e
from domain.process_instance.state import InstanceStatus

JOB = 2


class Open(Command, frozen=True, kw_only=True):
    """Start an instance with one job waiting (seven events with `chatter`)."""

    type: str = "work"
    variables: dict[str, Any] = msgspec.field(default_factory=dict)


class Take(Command, frozen=True, kw_only=True):
    """Activate the job."""

    key: int


class Finish(Command, frozen=True, kw_only=True):
    """Complete the job and the instance."""

    key: int


class Note(Command, frozen=True, kw_only=True):
    """Set variables; grows the stream by one event."""

    key: int
    variables: dict[str, Any] = msgspec.field(default_factory=dict)


class Look(Command, frozen=True, kw_only=True):
    """Read a variable; records nothing."""

    key: int


class Spoil(Command, frozen=True, kw_only=True):
    """Emit, and then be refused (or break)."""

    key: int
    breaks: bool = False


class Opened(msgspec.Struct, frozen=True):
    """The new instance."""

    key: int


class Seen(msgspec.Struct, frozen=True):
    """What `Look` saw."""

    variables: dict[str, Any]


def _new(_command: Open, context: Context, _route: Route) -> Sequence[StreamRef]:
    return (instance_ref(context.new_key(), fresh=True),)


def _existing(command: Any, _context: Context, route: Route) -> Sequence[StreamRef]:
    return (instance_ref(route(command.key)),)


def _open(command: Open, context: Context, streams: Sequence[Stream]) -> Opened:
    (stream,) = streams
    count = len(command.variables)
    stream.emit(
        e.InstanceCreated(7, "one_task", 1, command.variables, list(range(3, 3 + count)), tenant=context.meta.tenant)
    )
    stream.emit(e.ElementActivated(1, "task", 0, "f1"))
    stream.emit(e.JobCreated(JOB, 1, "task", command.type, 3))
    return Opened(stream.ref.key)


def _active(stream: Stream) -> Any:
    if stream.state.status is InstanceStatus.NEW:
        raise NotFound(f"no instance with key '{stream.ref.key}' exists")
    return stream.state


def _take(_command: Take, context: Context, streams: Sequence[Stream]) -> None:
    (stream,) = streams
    if JOB not in _active(stream).jobs:
        raise InvalidState("the job is not open")
    stream.emit(e.JobActivated(JOB, "worker", context.now + 60_000_000))


def _finish(_command: Finish, _context: Context, streams: Sequence[Stream]) -> None:
    (stream,) = streams
    if JOB not in _active(stream).jobs:
        raise InvalidState("the job is not open")
    stream.emit(e.JobCompleted(JOB))
    stream.emit(e.ElementCompleted(1, stream.state.waits(1)))
    stream.emit(e.ElementPassed(5, "end", 0, "f2", 1))
    stream.emit(e.InstanceCompleted())


def _note(command: Note, _context: Context, streams: Sequence[Stream]) -> Seen:
    (stream,) = streams
    state = _active(stream)
    first = state.next_local
    stream.emit(e.VariablesSet(0, command.variables, list(range(first, first + len(command.variables)))))
    return Seen(dict(state.elements[0].variables or {}))


def _look(_command: Look, _context: Context, streams: Sequence[Stream]) -> Seen:
    (stream,) = streams
    state = _active(stream)
    return Seen(dict(state.elements[0].variables or {}) if state.elements else {})


def _spoil(command: Spoil, _context: Context, streams: Sequence[Stream]) -> None:
    (stream,) = streams
    _active(stream)
    stream.emit(e.VariablesSet(0, {"spoilt": True}, [99]))
    if command.breaks:
        raise RuntimeError("a fault in deciding")
    raise InvalidState("refused after it had emitted")


HANDLERS: dict[type[Command], Handler] = {
    Open: Handler(_new, _open, Opened, sheds=True),
    Take: Handler(_existing, _take),
    Finish: Handler(_existing, _finish),
    Note: Handler(_existing, _note, Seen),
    Look: Handler(_existing, _look, Seen),
    Spoil: Handler(_existing, _spoil),
}
