"""Which messages meet which subscriptions: the rules, as a pure function (Zeebe's, see docs/BPMN.md).

* A message is taken once by each process (all versions of one BPMN process id), and by one instance of it.
* An instance takes one message for each subscription; the oldest message goes to the one who has waited longest.
* Who waits comes before a new instance: a message that an instance of the process takes starts none.
* A message without a time to live is for those who waited before it.
* With a correlation key, a message start event has one active instance a key; the next message waits for its end.
"""

from __future__ import annotations

from collections.abc import Container, Iterator

from commands.correlate_message import CorrelateMessage, StartByMessage
from commands.message_ports import Candidates, KeptMessage, OpenSubscription

Pairing = CorrelateMessage | StartByMessage


def pairings(found: Candidates, without: Container[Pairing] = ()) -> Iterator[Pairing]:
    """The commands that let everything meet that can at one topic; `without`: those that were sent in vain."""
    free = list(found.subscriptions)
    begun: set[str] = set()
    for message in found.messages:
        takers = set(message.takers)
        for waiting in list(free):
            if waiting.process_id in takers or not _fits(message, waiting):
                continue
            command = CorrelateMessage(
                message_key=message.key, instance_key=waiting.instance_key, subscription=waiting.local
            )
            if command not in without:
                takers.add(waiting.process_id)
                free.remove(waiting)
                yield command
        for start in found.starts:
            held = bool(found.topic.key) and (start.held or start.process_id in begun)
            if start.process_id in takers or held:
                continue
            begin = StartByMessage(
                message_key=message.key, definition_key=start.definition_key, element_id=start.element_id
            )
            if begin not in without:
                takers.add(start.process_id)
                begun.add(start.process_id)
                yield begin


def _fits(message: KeptMessage, waiting: OpenSubscription) -> bool:
    return not message.once or waiting.position < message.position
