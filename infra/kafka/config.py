"""How Flowledger speaks to Kafka: the settings in one record, and what kafka-python wants of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from kafka.errors import KafkaError

from domain.errors import StorageUnavailable
from infra.settings import InvalidSetting, Settings

REQUEST_MS = 10_000
CONNECT_MS = 10_000
RECONNECT_MS = (50, 1_000)


class KafkaConfig(NamedTuple):
    """bootstrap: host:port with commas between. prefix: what the names of topics and groups begin with. replication 0:
    the broker's default."""

    bootstrap: str
    prefix: str = "flowledger."
    partitions: int = 6
    replication: int = 0
    retention_hours: int = 168
    compression: str | None = "lz4"
    security: str = "PLAINTEXT"
    mechanism: str = ""
    user: str = ""
    password: str = ""
    ca_file: str | None = None

    @classmethod
    def of(cls, settings: Settings) -> KafkaConfig:
        """From the settings. Raises InvalidSetting if SASL is asked for without a user."""
        sasl = settings.kafka_security.startswith("sasl")
        if sasl and not (settings.kafka_user and settings.kafka_password):
            raise InvalidSetting(
                f"FLOWLEDGER_KAFKA_SECURITY is {settings.kafka_security}; it needs FLOWLEDGER_KAFKA_USER and "
                "FLOWLEDGER_KAFKA_PASSWORD"
            )
        return cls(
            settings.kafka,
            settings.kafka_prefix,
            settings.kafka_partitions,
            settings.kafka_replication,
            settings.kafka_retention_hours,
            None if settings.kafka_compression == "none" else settings.kafka_compression,
            settings.kafka_security.upper(),
            settings.kafka_mechanism.upper() if sasl else "",
            settings.kafka_user if sasl else "",
            settings.kafka_password if sasl else "",
            str(settings.kafka_ca_file) if settings.kafka_ca_file else None,
        )

    def topic(self, name: str) -> str:
        """The full name of one of our topics ("events" → "flowledger.events"), or of a consumer group."""
        return self.prefix + name

    def client(self) -> dict[str, Any]:
        """What every kafka-python client is told. A broker that does not answer shows within seconds."""
        options: dict[str, Any] = {
            "bootstrap_servers": self.bootstrap.split(","),
            "security_protocol": self.security,
            "request_timeout_ms": REQUEST_MS,
            "bootstrap_timeout_ms": CONNECT_MS,
            "reconnect_backoff_ms": RECONNECT_MS[0],
            "reconnect_backoff_max_ms": RECONNECT_MS[1],
        }
        if self.ca_file:
            options["ssl_cafile"] = self.ca_file
        if self.mechanism:
            options["sasl_mechanism"] = self.mechanism
            options["sasl_plain_username"] = self.user
            options["sasl_plain_password"] = self.password
        return options


@contextmanager
def kafka_errors(what: str) -> Iterator[None]:
    """Kafka's failures as StorageUnavailable: `what` names what was tried."""
    try:
        yield
    except (KafkaError, OSError) as error:
        raise StorageUnavailable(f"{what}: {type(error).__name__} {error}".strip()) from error
