"""A Kafka broker of our own: one node, KRaft combined mode, on the loopback address, for development and tests.

    broker = KafkaBroker(Path(".data/kafka"))
    bootstrap = broker.start()     # "127.0.0.1:45123", about 5 s
    broker.stop()

It keeps its ports, so that clients find it again after a restart. Layout of the folder: `data/` (Kafka's own), `ports`,
`server.properties`, `log4j2.properties`, `broker.log`. One replica on one machine: what it acknowledges may be lost
with the machine; the relay notices, and fills the topic again from the log.
"""

from __future__ import annotations

import base64
import contextlib
import ctypes
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from domain.errors import StorageUnavailable
from infra.kafka.jars import java, kafka_jars

HOST = "127.0.0.1"
START_SECONDS = 90.0
STOP_SECONDS = 30.0
PROBE_SECONDS = 0.05
LOG_TAIL = 3_000
_PR_SET_PDEATHSIG = 1

SETTINGS: Mapping[str, str] = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "auto.create.topics.enable": "false",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "offsets.topic.num.partitions": "1",
    "offsets.topic.replication.factor": "1",
    "transaction.state.log.num.partitions": "1",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "share.coordinator.state.topic.num.partitions": "1",
    "share.coordinator.state.topic.replication.factor": "1",
    "share.coordinator.state.topic.min.isr": "1",
    "num.network.threads": "2",
    "num.io.threads": "2",
    "num.recovery.threads.per.data.dir": "1",
    "log.cleaner.dedupe.buffer.size": "16777216",
    "controlled.shutdown.enable": "false",
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "500",
}

"""Small, and quick to come back: a broker that was killed may register again once its session is over (9 s by
default)."""

_LOGGING = """\
rootLogger.level = WARN
rootLogger.appenderRef.stdout.ref = stdout
appender.stdout.type = Console
appender.stdout.name = stdout
appender.stdout.layout.type = PatternLayout
appender.stdout.layout.pattern = %d{ISO8601} %p %c %m%n
"""


class KafkaBroker:
    """A broker under `home`. jars: the folder of Kafka's jars (fetched where not given); settings: beside SETTINGS."""

    def __init__(
        self, home: Path, jars: Path | None = None, heap_mb: int = 512, settings: Mapping[str, str] | None = None
    ) -> None:
        self.home = home.absolute()
        self._jars = jars
        self._heap_mb = heap_mb
        self._settings = {**SETTINGS, **(settings or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0
        self._controller_port = 0

    @property
    def bootstrap(self) -> str:
        """What clients are told: host and port."""
        return f"{HOST}:{self.port}"

    @property
    def pid(self) -> int | None:
        """The broker's process, None while there is none."""
        return self._process.pid if self.is_running() and self._process is not None else None

    def is_running(self) -> bool:
        """Whether the process that was started lives."""
        return self._process is not None and self._process.poll() is None

    def start(self, port: int = 0) -> str:
        """Start (on `port`; 0: the port it had, or a free one), wait until it answers; the bootstrap address.

        Raises KafkaMissing, or StorageUnavailable with the end of the broker's log when it does not come up.
        """
        if self.is_running():
            return self.bootstrap
        self._launch(port)
        self._wait_until_up()
        return self.bootstrap

    def _launch(self, port: int) -> None:
        if self._jars is None:
            self._jars = kafka_jars()
        self.home.mkdir(parents=True, exist_ok=True)
        self._choose_ports(port)
        for taken in (self.port, self._controller_port):
            if _is_taken(taken):
                raise StorageUnavailable(f"the Kafka broker cannot start: port {taken} on {HOST} is taken")
        self._write_files()
        if not (self.home / "data" / "meta.properties").exists():
            self._format()
        with (self.home / "broker.log").open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own command line
                self._command("kafka.Kafka", str(self.home / "server.properties"), heap_mb=self._heap_mb),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=_end_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 - one prctl
            )

    def stop(self) -> None:
        """Stop it properly: SIGTERM, and no patience beyond 30 s."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                self.kill()
        self._process = None

    def kill(self) -> None:
        """Stop it as a crash does (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process = None

    def wait(self) -> int:
        """Wait until it ends by itself; its exit code."""
        return self._process.wait() if self._process is not None else 0

    def terminate(self) -> None:
        """Ask it to end, without waiting (for signal handlers)."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(signal.SIGTERM)

    def wipe(self) -> None:
        """Lose all data of a stopped broker; the next start makes a new cluster on the same ports."""
        assert not self.is_running(), "stop the broker before its data is wiped"
        shutil.rmtree(self.home / "data", ignore_errors=True)

    def _choose_ports(self, port: int) -> None:
        known = self._known_ports()
        taken = [candidate for candidate in (port or known[0], known[1]) if candidate]
        self.port = port or known[0] or _free_port(taken)
        self._controller_port = known[1] or _free_port([self.port])

    def _known_ports(self) -> tuple[int, int]:
        """Of the last start; the controller's is part of what formatting wrote."""
        if self.port:
            return self.port, self._controller_port
        try:
            text = (self.home / "ports").read_text(encoding="ascii").split()
            return int(text[0]), int(text[1])
        except (OSError, ValueError, IndexError):
            return 0, 0

    def _write_files(self) -> None:
        (self.home / "ports").write_text(f"{self.port} {self._controller_port}\n", encoding="ascii")
        (self.home / "log4j2.properties").write_text(_LOGGING, encoding="ascii")
        settings = {
            **self._settings,
            "listeners": f"PLAINTEXT://{self.bootstrap},CONTROLLER://{HOST}:{self._controller_port}",
            "advertised.listeners": f"PLAINTEXT://{self.bootstrap}",
            "controller.quorum.bootstrap.servers": f"{HOST}:{self._controller_port}",
            "log.dirs": str(self.home / "data"),
        }
        lines = "".join(f"{name}={value}\n" for name, value in settings.items())
        (self.home / "server.properties").write_text(lines, encoding="utf-8")

    def _format(self) -> None:
        cluster = base64.urlsafe_b64encode(secrets.token_bytes(16)).rstrip(b"=").decode()
        arguments = ("format", "--standalone", "--cluster-id", cluster)
        command = self._command(
            "kafka.tools.StorageTool", *arguments, "--config", str(self.home / "server.properties"), heap_mb=128
        )
        done = subprocess.run(command, capture_output=True, text=True, timeout=START_SECONDS, check=False)  # noqa: S603
        if done.returncode != 0:
            shutil.rmtree(self.home / "data", ignore_errors=True)
            raise StorageUnavailable(
                f"the broker's storage cannot be formatted: {(done.stdout + done.stderr)[-LOG_TAIL:]}"
            )

    def _command(self, main: str, *arguments: str, heap_mb: int) -> list[str]:
        return [
            java(),
            f"-Xmx{heap_mb}m",
            "-Xss512k",
            "-XX:+UseSerialGC",
            *(("-XX:TieredStopAtLevel=1",) if main.endswith("Tool") else ()),
            f"-Dlog4j2.configurationFile={self.home / 'log4j2.properties'}",
            "-cp",
            f"{self._jars}/*",
            main,
            *arguments,
        ]

    def _wait_until_up(self) -> None:
        """The port answers, and so does a request for metadata."""
        deadline = time.monotonic() + START_SECONDS
        while not _answers(self.port):
            if not self.is_running() or time.monotonic() > deadline:
                tail = (self.home / "broker.log").read_bytes()[-LOG_TAIL:].decode(errors="replace")
                self.kill()
                raise StorageUnavailable(f"the Kafka broker does not come up: {tail}")
            time.sleep(PROBE_SECONDS)


def _answers(port: int) -> bool:
    """Whether the broker answers ApiVersions (key 18, version 0): 12 bytes of header, and it is up once it replies."""
    request = b"\x00\x12\x00\x00\x00\x00\x00\x01\x00\x02up"
    try:
        with socket.create_connection((HOST, port), timeout=1.0) as connection:
            connection.settimeout(5.0)
            connection.sendall(len(request).to_bytes(4, "big") + request)
            return connection.recv(8)[4:8] == b"\x00\x00\x00\x01"
    except OSError:
        return False


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


def _free_port(besides: list[int]) -> int:
    while True:
        with socket.socket() as probe:
            probe.bind((HOST, 0))
            port = int(probe.getsockname()[1])
        if port not in besides:
            return port


def _end_with_parent() -> None:
    """A broker does not outlive who started it, killed or not (Linux)."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
