"""StartChild: a call activity's delivery. The called instance comes to be in the transaction in which its caller learns
its key, so there is exactly one. Sent by the delivery loop; safe to send twice."""

from __future__ import annotations

from collections.abc import Sequence

from commands.handling import Command, Context, Handler, Route, Stream, StreamRef, instance_ref
from commands.instances import execution
from domain.process_instance import events as e
from domain.process_instance.elements import call_activity
from domain.process_instance.state import ROOT, ProcessInstance
from domain.process_instance.suspension import holds_up


class StartChild(Command, frozen=True, kw_only=True):
    """delivery: its local in the calling instance."""

    caller_key: int
    delivery: int


def streams(command: StartChild, context: Context, _route: Route) -> Sequence[StreamRef]:
    """The caller's stream, and a fresh one."""
    return (instance_ref(command.caller_key), instance_ref(context.new_key(), fresh=True))


def decide(command: StartChild, context: Context, streams: Sequence[Stream]) -> None:
    """Create the called instance and run it to its first wait state, unless the call was made or withdrawn already;
    a suspended caller calls when it is resumed."""
    caller_stream, child = streams
    caller: ProcessInstance = caller_stream.state
    delivery = caller.deliveries.get(command.delivery)
    if delivery is None or delivery.kind != "call" or holds_up(caller):
        return
    x = execution(caller_stream, context)
    element = caller.elements[delivery.element]
    variables = call_activity.inputs(x, x.model.nodes[element.element_id], element)
    definition_key = delivery.definition_key
    caller_stream.emit(e.ChildStarted(delivery.local, child.ref.key))
    child.emit(
        e.InstanceCreated(
            definition_key,
            context.definitions.process(definition_key).id,
            context.definitions.version_of(definition_key),
            variables,
            list(range(1, len(variables) + 1)),
            caller.business_id,
            parent_key=caller.key,
            parent_element=element.local,
            root_key=caller.root_key,
            tenant=caller.tenant,
            depth=caller.depth + 1,
        )
    )
    y = execution(child, context)
    y.begin(ROOT)
    y.run()


HANDLER = Handler(streams, decide)
