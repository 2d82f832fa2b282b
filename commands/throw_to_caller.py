"""ThrowToCaller: what nothing in a called instance catches is looked for in its caller, then in the caller's caller
(BPMN 2.0 §10.5.7). Sent by the delivery loop; safe to send twice.

Each command asks one caller, on the streams of the thrower and of that caller. Where nobody catches, an error becomes
an incident of the instance that threw it, and an escalation goes unheard. Whoever a catch interrupts ends with it.
"""

from __future__ import annotations

from collections.abc import Sequence

from commands.handling import Command, Context, Handler, Route, Stream, StreamRef, instance_ref
from commands.instances import end_instance, execution
from domain.process_instance import events as e
from domain.process_instance.evaluation import Blocked, ErrorType
from domain.process_instance.state import Delivery, InstanceStatus, ProcessInstance, Thrown
from domain.process_instance.suspension import holds_up
from domain.process_instance.throwing import ERROR
from domain.process_instance.variables import set_in


class ThrowToCaller(Command, frozen=True, kw_only=True):
    """delivery: its local in the throwing instance."""

    thrower_key: int
    caller_key: int
    delivery: int


def streams(command: ThrowToCaller, _context: Context, _route: Route) -> Sequence[StreamRef]:
    """Both instances."""
    return (instance_ref(command.thrower_key), instance_ref(command.caller_key))


def decide(command: ThrowToCaller, context: Context, streams: Sequence[Stream]) -> None:
    """Ask the caller, unless that was done already; while either is suspended the question waits."""
    thrower, caller = streams
    owed = thrower.state.deliveries.get(command.delivery)
    if owed is not None and owed.kind == "throw" and not holds_up(thrower.state, caller.state):
        deliver(thrower, caller, owed, context)


def deliver(thrower: Stream, caller: Stream, owed: Delivery, context: Context) -> None:
    """Look for a catching event in the caller; without one, ask the next or give up."""
    thrown = owed.thrown
    assert thrown is not None
    thrower.emit(e.DeliverySettled(owed.local))
    state: ProcessInstance = thrower.state
    if thrown.kind == ERROR and owed.element not in state.elements:
        return  # the element that threw it has been ended meanwhile
    if owed.peer_element not in caller.state.elements:
        _end(thrower, context, caller)  # the call is over, and so is what it called
    elif _is_caught(caller, owed, thrown, context):
        if owed.peer_element not in caller.state.elements:
            _end(thrower, context, caller)
    elif caller.state.parent_key:
        above = (caller.state.parent_key, caller.state.parent_element)
        x = execution(thrower, context)
        thrower.emit(
            e.ThrownToCaller(
                x.next_local(),
                owed.element,
                owed.element_id,
                thrown.kind,
                thrown.code,
                *above,
                thrown.message,
                thrown.variables,
                thrown.job,
            )
        )
    elif thrown.kind == ERROR:
        _give_up(thrower, owed, thrown, context)


def _is_caught(caller: Stream, owed: Delivery, thrown: Thrown, context: Context) -> bool:
    x = execution(caller, context)
    if thrown.kind == ERROR:
        caught = x.throw_error(owed.peer_element, thrown.code, thrown.variables)
    else:
        caught = x.throw_escalation_if_caught(owed.peer_element, thrown.code)
    if caught:
        x.run()
    return caught


def _end(thrower: Stream, context: Context, caller: Stream) -> None:
    if thrower.state.status is InstanceStatus.ACTIVE:
        end_instance(thrower, context, f"what it threw ended its call in the calling instance '{caller.state.key}'")


def _give_up(thrower: Stream, owed: Delivery, thrown: Thrown, context: Context) -> None:
    """Nobody catches the error: an incident where it was thrown (as Zeebe)."""
    x = execution(thrower, context)
    if thrown.variables:
        set_in(x, owed.element, thrown.variables, owed.element)
    said = f" ({thrown.message})" if thrown.message else ""
    message = f"the error '{thrown.code}'{said} was thrown, but no error event in the model or its callers catches it"
    x.raise_incident(owed.element, Blocked(ErrorType.UNHANDLED_ERROR_EVENT, message), thrown.job)
    x.run()


HANDLER = Handler(streams, decide)
