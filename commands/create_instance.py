"""CreateInstance: start a process instance of a definition (by key, or by BPMN process id and version)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from commands.handling import Command, Context, Handler, Route, Stream, StreamRef, instance_ref
from commands.instances import check_variables, execution
from domain.errors import InvalidArgument, InvalidState
from domain.process_instance import events as e
from domain.process_instance.state import ROOT

MAX_TAGS = 10
MAX_BUSINESS_ID = 256


class CreateInstance(Command, frozen=True, kw_only=True):
    """definition_key, or bpmn_process_id with version (-1: the latest)."""

    definition_key: int = 0
    bpmn_process_id: str = ""
    version: int = -1
    variables: dict[str, Any] = {}
    business_id: str = ""
    tags: list[str] = []


class InstanceStarted(msgspec.Struct, frozen=True):
    """What was started."""

    instance_key: int
    definition_key: int
    bpmn_process_id: str
    version: int


def streams(_command: CreateInstance, context: Context, _route: Route) -> Sequence[StreamRef]:
    """A fresh stream under a new key."""
    return (instance_ref(context.new_key(), fresh=True),)


def decide(command: CreateInstance, context: Context, streams: Sequence[Stream]) -> InstanceStarted:
    """Create the instance and run it to its first wait state."""
    (stream,) = streams
    tenant = context.meta.tenant
    definition_key = command.definition_key or context.definitions.find_process(
        tenant, command.bpmn_process_id, command.version
    )
    model = context.definitions.process(definition_key)
    version = context.definitions.version_of(definition_key)
    if not model.root.start:
        raise InvalidState(f"the process '{model.id}' has no none start event: its events alone start instances")
    if len(command.tags) > MAX_TAGS:
        raise InvalidArgument(f"an instance has at most {MAX_TAGS} tags, not {len(command.tags)}", "tags")
    if len(command.business_id) > MAX_BUSINESS_ID:
        raise InvalidArgument(f"a business id has at most {MAX_BUSINESS_ID} characters", "businessId")
    variables = check_variables(command.variables)
    stream.emit(
        e.InstanceCreated(
            definition_key,
            model.id,
            version,
            variables,
            list(range(1, len(variables) + 1)),
            command.business_id,
            command.tags,
            tenant=tenant,
        )
    )
    x = execution(stream, context)
    x.begin(ROOT)
    x.run()
    return InstanceStarted(stream.ref.key, definition_key, model.id, version)


HANDLER = Handler(streams, decide, InstanceStarted, sheds=True)
