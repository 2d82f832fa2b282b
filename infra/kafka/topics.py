"""Our topics: what they are for, how they are created, and which incarnation of one is there.

    flowledger.events            every event of the log, as public records, keyed by instance
    flowledger.commands          what others want done
    flowledger.command-results   what came of it

Names begin with the prefix of the settings. Creating is idempotent and changes nothing that exists.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import TopicAlreadyExistsError, UnknownTopicOrPartitionError

from domain.errors import StorageUnavailable
from infra.kafka.config import KafkaConfig, kafka_errors

EVENTS = "events"
COMMANDS = "commands"
RESULTS = "command-results"
TOPICS: Mapping[str, str] = {
    EVENTS: "every event of the log, keyed by instance",
    COMMANDS: "commands for the intake",
    RESULTS: "what came of the commands",
}
MS_PER_HOUR = 3_600_000
VISIBLE_SECONDS = 15.0


class TopicInfo(NamedTuple):
    """A topic as it is now. id: changes when the topic is deleted and made anew."""

    name: str
    id: str
    partitions: int


def ensure_topics(config: KafkaConfig, names: Sequence[str] = tuple(TOPICS)) -> list[str]:
    """Create those of our topics (short names) that are missing; their full names. Raises StorageUnavailable."""
    created = []
    with kafka_errors("topics cannot be created"):
        admin = KafkaAdminClient(**config.client())
        try:
            known = set(admin.list_topics())
            for name in names:
                topic = NewTopic(
                    name=config.topic(name),
                    num_partitions=config.partitions,
                    replication_factor=config.replication or -1,
                    topic_configs={
                        "cleanup.policy": "delete",
                        "retention.ms": str(config.retention_hours * MS_PER_HOUR),
                        "message.timestamp.type": "LogAppendTime",
                    },
                )
                if topic.name in known:
                    continue
                try:
                    admin.create_topics([topic])
                    created.append(topic.name)
                except TopicAlreadyExistsError:
                    continue
            _await_visible(admin, created)
        finally:
            admin.close()
    return created


def _await_visible(admin: KafkaAdminClient, names: Sequence[str]) -> None:
    """A topic is created by the controller; the brokers hear of it a moment later."""
    until = time.monotonic() + VISIBLE_SECONDS
    while not set(names) <= set(admin.list_topics()):
        if time.monotonic() > until:
            raise StorageUnavailable(f"the brokers do not know the new topics {', '.join(names)} yet; try again")
        time.sleep(0.05)


def delete_topics(config: KafkaConfig, names: Sequence[str]) -> None:
    """Delete some of our topics with all that is in them (for tests and for starting over)."""
    with kafka_errors("topics cannot be deleted"):
        admin = KafkaAdminClient(**config.client())
        try:
            admin.delete_topics([config.topic(name) for name in names])
        finally:
            admin.close()


def describe_topic(config: KafkaConfig, name: str) -> TopicInfo | None:
    """The topic with this full name, None if there is none. Raises StorageUnavailable."""
    with kafka_errors(f"the topic '{name}' cannot be looked up"):
        admin = KafkaAdminClient(**config.client())
        try:
            found = admin.describe_topics([name])
        except UnknownTopicOrPartitionError:
            return None
        finally:
            admin.close()
    for topic in found:
        if topic["name"] == name and topic["error_code"] != UnknownTopicOrPartitionError.errno:
            if topic["error_code"]:  # not available just now: that is not the same as gone
                raise StorageUnavailable(f"the topic '{name}' cannot be looked up: error {topic['error_code']}")
            return TopicInfo(name, str(topic["topic_id"]), len(topic["partitions"]))
    return None
