"""CancelChild: the call activity that called an instance was ended; the instance ends too. Sent by the delivery loop;
safe to send twice."""

from __future__ import annotations

from collections.abc import Sequence

from commands.handling import Command, Context, Handler, Route, Stream, StreamRef, instance_ref
from commands.instances import end_instance
from domain.process_instance import events as e
from domain.process_instance.state import InstanceStatus


class CancelChild(Command, frozen=True, kw_only=True):
    """delivery: its local in the calling instance."""

    caller_key: int
    child_key: int
    delivery: int


def streams(command: CancelChild, _context: Context, _route: Route) -> Sequence[StreamRef]:
    """Both instances."""
    return (instance_ref(command.caller_key), instance_ref(command.child_key))


def decide(command: CancelChild, context: Context, streams: Sequence[Stream]) -> None:
    """Terminate the called instance, if it is still active, even suspended; the instances that it called follow by
    deliveries of its own."""
    caller, child = streams
    owed = caller.state.deliveries.get(command.delivery)
    if owed is None or owed.kind != "cancel":
        return
    if child.state.status is InstanceStatus.ACTIVE:
        end_instance(child, context, f"the call activity of the calling instance '{caller.state.key}' was ended")
    caller.emit(e.DeliverySettled(owed.local))


HANDLER = Handler(streams, decide)
