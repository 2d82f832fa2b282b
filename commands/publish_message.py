"""PublishMessage: a message for whoever waits for its name and correlation key, now or within its time to live."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from commands.create_instance import MAX_BUSINESS_ID
from commands.handling import Command, Context, Handler, Route, Stream, StreamRef, message_ref
from commands.instances import check_variables
from domain.bpmn.check_messages import MAX_NAME
from domain.errors import InvalidArgument
from domain.messages.events import MessagePublished

MAX_KEY = 2_000
MAX_TIME_TO_LIVE = 100 * 365 * 86_400 * 1_000_000
"""µs: some hundred years."""


class PublishMessage(Command, frozen=True, kw_only=True):
    """time_to_live: µs for which it is kept; 0: it is for what waits already. message_id: while the message is kept,
    no other of its name and key may have it."""

    name: str
    key: str = ""
    time_to_live: int = 0
    message_id: str = ""
    variables: dict[str, Any] = {}
    business_id: str = ""


class PublishedMessage(msgspec.Struct, frozen=True):
    """The message's key."""

    message_key: int


def streams(_command: PublishMessage, context: Context, _route: Route) -> Sequence[StreamRef]:
    """A fresh stream under a new key."""
    return (message_ref(context.new_key(), fresh=True),)


def decide(command: PublishMessage, context: Context, streams: Sequence[Stream]) -> PublishedMessage:
    """Record it; correlation follows (commands/matcher.py). The log refuses an id that is taken."""
    (stream,) = streams
    check_name(command.name, "name")
    for field, text in (("correlationKey", command.key), ("messageId", command.message_id)):
        if len(text) > MAX_KEY:
            raise InvalidArgument(f"{field} has at most {MAX_KEY} characters, not {len(text)}", field)
    if not 0 <= command.time_to_live <= MAX_TIME_TO_LIVE:
        raise InvalidArgument("timeToLive must be 0 or more, and less than a hundred years", "timeToLive")
    if len(command.business_id) > MAX_BUSINESS_ID:
        raise InvalidArgument(f"a business id has at most {MAX_BUSINESS_ID} characters", "businessId")
    expires_at = context.now + command.time_to_live if command.time_to_live else 0
    variables = check_variables(command.variables)
    stream.emit(
        MessagePublished(
            command.name,
            command.key,
            expires_at,
            command.message_id,
            variables,
            context.meta.tenant,
            command.business_id,
        )
    )
    return PublishedMessage(stream.ref.key)


def check_name(name: str, field: str) -> None:
    """The name of a message or signal. Raises InvalidArgument."""
    if not 0 < len(name) <= MAX_NAME:
        raise InvalidArgument(f"{field} must have 1 to {MAX_NAME} characters, not {len(name)}", field)


HANDLER = Handler(streams, decide, PublishedMessage, sheds=True)
