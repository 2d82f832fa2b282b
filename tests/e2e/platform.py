"""`flowledger dev` as a process of its own, and clients that load it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil

from infra.data_folder import DataFolder
from infra.dev import is_ready
from infra.embedded.postgres import EmbeddedPostgres

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60.0


class Dev:
    """One `flowledger dev` on a data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environment = {**os.environ, "FLOWLEDGER_DATA_DIR": str(folder), "FLOWLEDGER_PORT": "0"}
        self.environment.pop("FLOWLEDGER_DATABASE_URL", None)
        self.process: subprocess.Popen[bytes] | None = None
        self.address = ""

    def start(self) -> None:
        """Start and wait until it is ready."""
        folder = DataFolder(self.folder)
        folder.announce("")
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "dev.log").open("ab") as log:
            command = [sys.executable, "-m", "infra.cli", "dev"]
            self.process = subprocess.Popen(command, cwd=ROOT, env=self.environment, stdout=log, stderr=log)
        wait_until(lambda: bool(folder.address()) or self.process.poll() is not None, "an address")
        assert self.process.poll() is None, self.log()
        self.address = folder.address()

    def stop(self) -> int:
        """SIGTERM, as an init system would; the exit status."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)

    def child(self, name: str) -> psutil.Process | None:
        """The process of `serve` or `projector`, None while it is being started again."""
        for child in self.children():
            try:
                if name in child.cmdline():
                    return child
            except psutil.Error:
                continue
        return None

    def kill(self, name: str) -> None:
        """`kill -9` of a child, and wait for the next one."""
        killed = self.child(name)
        assert killed is not None, self.log()
        killed.kill()

        def is_replaced() -> bool:
            child = self.child(name)
            return child is not None and child.pid != killed.pid

        wait_until(is_replaced, f"another {name}")

    def children(self) -> list[psutil.Process]:
        """All processes of ours below the supervisor."""
        assert self.process is not None
        return psutil.Process(self.process.pid).children(recursive=True)

    def postgres(self) -> EmbeddedPostgres:
        """The embedded server."""
        return EmbeddedPostgres(DataFolder(self.folder).postgres)

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """A command of `flowledger` on this data folder."""
        command = [sys.executable, "-m", "infra.cli", *arguments]
        return subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)

    def log(self) -> str:
        """What the processes said."""
        return (self.folder / "dev.log").read_text(errors="replace")[-4000:]


def wait_until(holds: Callable[[], bool], what: str, seconds: float = START_SECONDS) -> None:
    """Return as soon as it holds; fail when it does not within a bound that only a hung process exceeds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited {seconds:.0f} s for {what}"
        time.sleep(0.05)


class Load:
    """Clients that start instances and cancel them, each command under an idempotency key, repeated until acknowledged.

    started: business id → the key that was acknowledged; cancelled: business ids. unsure: commands sent twice or more.
    """

    CLIENTS = 8

    def __init__(self, address: str, label: str) -> None:
        self.address = address
        self.label = label
        self.started: dict[str, str] = {}
        self.cancelled: set[str] = set()
        self.unsure = 0
        self.errors: list[str] = []
        self._stop = threading.Event()

    @contextmanager
    def running(self) -> Iterator[Load]:
        """Load in the background; at the end every command that was begun is acknowledged."""
        threads = [threading.Thread(target=self._client, args=(number,)) for number in range(self.CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in threads:
                thread.join(90)
        assert self.errors == []

    def await_acknowledged(self, count: int) -> None:
        """Wait until `count` more instances are started."""
        wanted = len(self.started) + count
        wait_until(lambda: len(self.started) >= wanted or bool(self.errors), f"{count} instances")
        assert self.errors == []

    def _client(self, number: int) -> None:
        with httpx.Client(base_url=f"{self.address}/v2", timeout=10) as http:
            round_number = 0
            while not self._stop.is_set() and not self.errors:
                business_id = f"{self.label}-{number}-{round_number}"
                round_number += 1
                body = {"processDefinitionId": "one_task", "businessId": business_id}
                answer = self._insist(http, "/process-instances", body, f"start {business_id}")
                if answer is None:
                    return
                self.started[business_id] = answer.json()["processInstanceKey"]
                path = f"/process-instances/{self.started[business_id]}/cancellation"
                if self._insist(http, path, {}, f"cancel {business_id}") is None:
                    return
                self.cancelled.add(business_id)

    def _insist(self, http: httpx.Client, path: str, body: dict[str, str], command_id: str) -> httpx.Response | None:
        """Repeat a command until it is acknowledged; None (and an error noted) when it is refused."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            try:
                answer = http.post(path, json=body, headers={"Idempotency-Key": command_id})
            except httpx.TransportError:
                self.unsure += 1
            else:
                if answer.is_success:
                    return answer
                if answer.status_code != 503:
                    self.errors.append(f"{command_id}: {answer.status_code} {answer.text}")
                    return None
                self.unsure += 1
            time.sleep(0.05)
        self.errors.append(f"{command_id}: not acknowledged within a minute")
        return None


def instances(address: str, label: str) -> dict[str, list[tuple[str, str]]]:
    """Business id → (key, state) of every instance of a load, from the read models."""
    found: dict[str, list[tuple[str, str]]] = {}
    with httpx.Client(base_url=f"{address}/v2", timeout=30) as http:
        after = None
        while True:
            page = {"limit": 1000, **({"after": after} if after else {})}
            body = {"filter": {"businessId": {"$like": f"{label}-*"}}, "page": page}
            answer = http.post("/process-instances/search", json=body).raise_for_status().json()
            for item in answer["items"]:
                found.setdefault(item["businessId"], []).append((item["processInstanceKey"], item["state"]))
            after = answer["page"].get("endCursor")
            if len(answer["items"]) < 1000:
                return found


def position_reached(address: str, seconds: float = 60.0) -> None:
    """Wait until the read models show everything that is committed now."""
    with httpx.Client(base_url=f"{address}/v2", timeout=30) as http:
        body = {"processDefinitionId": "one_task", "businessId": "the last one"}
        position = http.post("/process-instances", json=body).raise_for_status().headers["Flowledger-Position"]
        wait_until(
            lambda: (
                http.post("/user-tasks/search", json={}, headers={"Flowledger-Min-Position": position}).status_code
                == 200
            ),
            "the read models",
            seconds,
        )


def send(address: str, method: str, path: str, body: Any, command: str) -> Any:
    """Repeat a request under an idempotency key until it is acknowledged."""
    while True:
        try:
            answer = httpx.request(
                method, address + "/v2" + path, json=body, timeout=20, headers={"Idempotency-Key": command}
            )
            if answer.status_code < 500:
                return answer.raise_for_status().json() if answer.content else None
        except httpx.TransportError:
            pass
        time.sleep(0.05)


__all__ = ["ROOT", "Dev", "Load", "instances", "is_ready", "position_reached", "send", "wait_until"]
