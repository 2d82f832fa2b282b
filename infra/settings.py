"""Settings: the only place that reads the environment. Each is described in SETTINGS, which docs/operations.md lists.

settings = read_settings(os.environ)      # raises InvalidSetting, naming the variable and what would be right
"""

from __future__ import annotations

import difflib
import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from domain.errors import DomainError

PREFIX = "FLOWLEDGER_"
LOG_LEVELS = ("debug", "info", "warning", "error")
LOG_FORMATS = ("text", "json")
KAFKA_SECURITY = ("plaintext", "ssl", "sasl_plaintext", "sasl_ssl")
KAFKA_MECHANISMS = ("plain", "scram-sha-256", "scram-sha-512")
KAFKA_COMPRESSIONS = ("none", "gzip", "lz4")
KAFKA_LOCAL = "local"


class InvalidSetting(DomainError):
    """A variable of the environment has a value that cannot be used."""

    code = "INVALID_SETTING"


class Settings(NamedTuple):
    """What can be set from outside; the defaults run everything on one machine."""

    database_url: str = ""
    data_dir: Path = Path(".data")
    host: str = "127.0.0.1"
    port: int = 8080
    address: str = ""
    user: str = ""
    clock_control: bool = False
    log_level: str = "info"
    log_format: str = "text"
    max_body_bytes: int = 4 << 20
    max_deployment_bytes: int = 16 << 20
    queue_limit: int = 10_000
    lag_limit: int = 250_000
    cached_instances: int = 20_000
    drain_seconds: int = 15
    clickhouse: str = ""
    monitoring_port: int = 0
    monitoring_department: str = "department"
    monitoring_initiator: str = "initiator"
    kafka: str = ""
    kafka_security: str = "plaintext"
    kafka_mechanism: str = "scram-sha-512"
    kafka_user: str = ""
    kafka_password: str = ""
    kafka_ca_file: Path | None = None
    kafka_prefix: str = "flowledger."
    kafka_partitions: int = 6
    kafka_replication: int = 0
    kafka_retention_hours: int = 168
    kafka_compression: str = "lz4"


class Setting(NamedTuple):
    """One variable: how its text is read, and what it is for. read raises ValueError saying what would be right."""

    read: Callable[[str], object]
    about: str


def _user(text: str) -> str:
    if ":" in text:
        raise ValueError("must not contain a colon")
    return text


def _path(text: str) -> Path:
    return Path(text).expanduser()


def _flag(text: str) -> bool:
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    try:
        return words[text.lower()]
    except KeyError:
        raise ValueError("must be 'true' or 'false'") from None


def _number(low: int, high: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(text)

    return read


def _one_of(words: tuple[str, ...]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text.lower() not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return text.lower()

    return read


def _host(text: str) -> str:
    """Loopback only, until Flowledger knows who is asking: whoever reaches the port may do everything."""
    host = "127.0.0.1" if text == "localhost" else text
    try:
        loopback = ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False
    if not loopback:
        raise ValueError(
            "must be a loopback address (127.0.0.1 or ::1): requests are not authenticated, so Flowledger does not "
            "listen to other machines; put a reverse proxy that authenticates in front of it"
        )
    return host


def _database_url(text: str) -> str:
    if not text.startswith(("postgresql://", "postgres://")):
        raise ValueError("must be a PostgreSQL URL: postgresql://user:password@host:port/database")
    return text


def _clickhouse(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("must be a URL of ClickHouse's HTTP interface: http://user:password@host:8123/database")
    return text


def _kafka(text: str) -> str:
    hosts = [host.strip() for host in text.split(",")]
    if text != KAFKA_LOCAL and not all(re.fullmatch(r"(\[[0-9a-fA-F:]+\]|[\w.-]+):\d{1,5}", host) for host in hosts):
        raise ValueError(f"must be host:port, several with commas between; or '{KAFKA_LOCAL}': a broker of its own")
    return ",".join(hosts)


def _prefix(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,100}", text):
        raise ValueError("must be letters, digits, '.', '_' and '-', such as 'flowledger.'")
    return text


def _address(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError("must be a URL: http://127.0.0.1:8080")
    return text.rstrip("/")


SETTINGS: dict[str, Setting] = {
    "database_url": Setting(_database_url, "PostgreSQL 15 or later; without it `flowledger dev` starts its own"),
    "data_dir": Setting(_path, "where `flowledger dev` keeps its database"),
    "host": Setting(_host, "address to listen on; loopback only"),
    "port": Setting(
        _number(0, 65535), "port to listen on; 0: any free one. `flowledger dev` takes a free one if taken"
    ),
    "address": Setting(_address, "server that the commands talk to; without it the one that runs on the data folder"),
    "user": Setting(_user, "whom the log names for what the commands do; without it the operating system's user"),
    "clock_control": Setting(_flag, "allow PUT /v2/clock, for tests of timers"),
    "log_level": Setting(_one_of(LOG_LEVELS), f"how much to tell: {', '.join(LOG_LEVELS)}"),
    "log_format": Setting(_one_of(LOG_FORMATS), "lines of text, or one JSON object a line"),
    "max_body_bytes": Setting(_number(1 << 10, 1 << 28), "largest request body"),
    "max_deployment_bytes": Setting(_number(1 << 10, 1 << 28), "largest deployment"),
    "queue_limit": Setting(_number(10, 1_000_000), "commands that may wait to be decided; more are told to come again"),
    "lag_limit": Setting(
        _number(100, 1_000_000_000), "events that read models may be behind before new work is refused"
    ),
    "cached_instances": Setting(_number(10, 10_000_000), "process instances kept in memory"),
    "drain_seconds": Setting(_number(0, 15), "time that running requests have to end when the server stops"),
    "clickhouse": Setting(
        _clickhouse, "ClickHouse server of the monitoring store; without it `flowledger monitoring` runs its own engine"
    ),
    "monitoring_port": Setting(
        _number(0, 65535), "port of that engine's HTTP interface, on 127.0.0.1; 0: any free one"
    ),
    "monitoring_department": Setting(str, "start variable that figures are grouped by; a path: applicant.department"),
    "monitoring_initiator": Setting(str, "start variable that names who began; without it the actor of the start"),
    "kafka": Setting(_kafka, "Kafka brokers, host:port with commas between; 'local': `flowledger dev` starts one"),
    "kafka_security": Setting(_one_of(KAFKA_SECURITY), f"how brokers are spoken to: {', '.join(KAFKA_SECURITY)}"),
    "kafka_mechanism": Setting(_one_of(KAFKA_MECHANISMS), f"SASL mechanism: {', '.join(KAFKA_MECHANISMS)}"),
    "kafka_user": Setting(str, "SASL user"),
    "kafka_password": Setting(str, "SASL password"),
    "kafka_ca_file": Setting(_path, "certificates that brokers are trusted by (PEM); without it the system's"),
    "kafka_prefix": Setting(_prefix, "what the names of topics and consumer groups begin with"),
    "kafka_partitions": Setting(_number(1, 1000), "partitions of topics that are created"),
    "kafka_replication": Setting(_number(0, 10), "replicas of topics that are created; 0: the broker's default"),
    "kafka_retention_hours": Setting(_number(1, 1_000_000), "how long topics that are created keep records"),
    "kafka_compression": Setting(_one_of(KAFKA_COMPRESSIONS), f"of records: {', '.join(KAFKA_COMPRESSIONS)}"),
}
"""The variable of each is FLOWLEDGER_ and its name in capitals."""
SECRET = frozenset({"database_url", "kafka_password", "clickhouse"})
"""Values that are never shown."""


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in the environment (default: that of this process). Raises InvalidSetting naming the variable."""
    source = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    for variable, text in source.items():
        if not variable.startswith(PREFIX) or not text.strip():
            continue
        name = variable.removeprefix(PREFIX).lower()
        setting = SETTINGS.get(name)
        if setting is None:
            raise InvalidSetting(f"there is no setting {variable}; {_nearest(name)}")
        try:
            values[name] = setting.read(text.strip())
        except ValueError as error:
            shown = "of another form" if name in SECRET else f"'{text.strip()}'"  # it may hold a password
            raise InvalidSetting(f"{variable} is {shown}; it {error}") from error
    return Settings()._replace(**values)


def _nearest(name: str) -> str:
    near = difflib.get_close_matches(name, SETTINGS, n=1)
    if near:
        return f"did you mean {PREFIX}{near[0].upper()}?"
    return f"there are {', '.join(PREFIX + known.upper() for known in SETTINGS)}"
