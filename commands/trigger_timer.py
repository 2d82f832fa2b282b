"""TriggerTimer: a timer's time has come. Sent by the timer loop; safe to send twice."""

from __future__ import annotations

from collections.abc import Sequence

from commands.handling import Command, Context, Handler, Route, Stream, StreamRef, instance_ref
from commands.instances import execution
from domain.bpmn.timers import ENDLESS, next_due
from domain.process_instance import events as e
from domain.process_instance.catching import trigger


class TriggerTimer(Command, frozen=True, kw_only=True):
    """timer: its local."""

    instance_key: int
    timer: int


def streams(command: TriggerTimer, _context: Context, _route: Route) -> Sequence[StreamRef]:
    """The instance's stream."""
    return (instance_ref(command.instance_key),)


def decide(command: TriggerTimer, context: Context, streams: Sequence[Stream]) -> None:
    """Fire the timer if it still runs and is due; never early, never twice, never in a
    suspended instance."""
    (stream,) = streams
    timer = stream.state.timers.get(command.timer)
    if timer is None or timer.due > context.now or stream.state.suspended:
        return
    remaining = timer.remaining if timer.remaining == ENDLESS else timer.remaining - 1
    due = next_due(timer.cycle, timer.due, context.now, remaining) if timer.cycle and remaining else 0
    element = timer.element
    stream.emit(e.TimerTriggered(timer.local, due, remaining if due else 0))
    x = execution(stream, context)
    trigger(x, x.model.nodes[timer.element_id], element)
    x.run()


HANDLER = Handler(streams, decide)
