"""BroadcastSignal: a signal from outside, for everybody who waits for its name now."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from commands.handling import Command, Context, Handler, Route, Stream, StreamRef, signal_ref
from commands.instances import check_variables
from commands.publish_message import check_name
from domain.messages.events import SignalBroadcast


class BroadcastSignal(Command, frozen=True, kw_only=True):
    """The signal's name, and the variables that it carries."""

    name: str
    variables: dict[str, Any] = {}


class BroadcastedSignal(msgspec.Struct, frozen=True):
    """The signal's key."""

    signal_key: int


def streams(_command: BroadcastSignal, context: Context, _route: Route) -> Sequence[StreamRef]:
    """A fresh stream under a new key."""
    return (signal_ref(context.new_key(), fresh=True),)


def decide(command: BroadcastSignal, context: Context, streams: Sequence[Stream]) -> BroadcastedSignal:
    """Record it; delivery follows (commands/matcher.py)."""
    (stream,) = streams
    check_name(command.name, "signalName")
    stream.emit(SignalBroadcast(command.name, check_variables(command.variables), context.meta.tenant))
    return BroadcastedSignal(stream.ref.key)


HANDLER = Handler(streams, decide, BroadcastedSignal, sheds=True)
