"""ReturnToCaller: a called instance has completed; its call activity takes in the result and is left. Sent by the
delivery loop; safe to send twice."""

from __future__ import annotations

from collections.abc import Sequence

from commands.handling import Command, Context, Handler, Route, Stream, StreamRef, instance_ref
from commands.instances import execution
from commands.throw_to_caller import deliver
from domain.process_instance import events as e
from domain.process_instance.elements import call_activity
from domain.process_instance.state import ProcessInstance
from domain.process_instance.suspension import holds_up


class ReturnToCaller(Command, frozen=True, kw_only=True):
    """delivery: its local in the called instance."""

    child_key: int
    caller_key: int
    delivery: int


def streams(command: ReturnToCaller, _context: Context, _route: Route) -> Sequence[StreamRef]:
    """Both instances."""
    return (instance_ref(command.child_key), instance_ref(command.caller_key))


def decide(command: ReturnToCaller, context: Context, streams: Sequence[Stream]) -> None:
    """Hand the variables over, unless that was done already; a call activity that has ended wants them no
    more, and a suspended caller takes them when it is resumed."""
    child_stream, caller_stream = streams
    child: ProcessInstance = child_stream.state
    owed = child.deliveries.get(command.delivery)
    caller: ProcessInstance = caller_stream.state
    if owed is None or owed.kind != "return" or holds_up(caller):
        return
    for earlier in list(child.deliveries.values()):  # what was thrown before the end comes before the end
        if earlier.kind == "throw" and earlier.peer == owed.peer and earlier.local < owed.local:
            deliver(child_stream, caller_stream, earlier, context)
    element = caller.elements.get(owed.peer_element)
    result = child.result or {}
    child_stream.emit(e.DeliverySettled(owed.local))
    if element is None or element.child != child.key:
        return
    x = execution(caller_stream, context)
    caller_stream.emit(e.ChildCompleted(element.local, child.key))
    call_activity.complete(x, x.model.nodes[element.element_id], element, result)
    x.run()


HANDLER = Handler(streams, decide)
