"""Runs the processes of `flowledger dev`: starts them, restarts one that ends by itself, stops them all in order.

A child reads its standard input until it ends (`follow_parent`): when the supervisor is gone, even by `kill -9`, the
pipe breaks and the child stops as if told to. That holds on every system and needs no cooperation of the dead.
"""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from domain.errors import DomainError

LOG = logging.getLogger("flowledger.supervisor")
FIRST_PAUSE = 0.2
LONGEST_PAUSE = 10.0
SETTLED_SECONDS = 30.0
"""A child that ran so long was well: its next restart waits FIRST_PAUSE again."""
EXIT_CONFIGURATION = 78
"""sysexits.h EX_CONFIG: a restart would end the same way, so the supervisor gives up at once."""
POLL_SECONDS = 0.1


class ChildRefused(DomainError):
    """A child says that it cannot run with its settings; it has told why."""

    code = "CHILD_REFUSED"


@dataclass
class Child:
    """A process to keep running. files: descriptors that it inherits. stop_seconds: time to end before it is killed."""

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    files: Sequence[int] = ()
    stop_seconds: float = 25.0
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    started_at: float = 0.0
    pause: float = FIRST_PAUSE
    due: float = field(default=0.0)

    def start(self) -> None:
        """Start the process in a session of its own: Ctrl-C in our terminal is for the supervisor alone."""
        self.process = subprocess.Popen(  # noqa: S603 - our own command
            self.command,
            stdin=subprocess.PIPE,
            env=dict(self.environment),
            pass_fds=tuple(self.files),
            start_new_session=True,
        )
        self.starts += 1
        self.started_at = time.monotonic()

    def check(self) -> None:
        """Start the process if it is not there and its pause is over. Raises ChildRefused."""
        now = time.monotonic()
        if self.process is None:
            if now >= self.due:
                self.start()
            return
        status = self.process.poll()
        if status is None:
            return
        _close(self.process)
        self.process = None
        if status == EXIT_CONFIGURATION:
            raise ChildRefused(f"{self.name} cannot run; the lines above say why")
        if now - self.started_at >= SETTLED_SECONDS:
            self.pause = FIRST_PAUSE
        LOG.warning("%s ended (%s); starting it again in %.1f s", self.name, describe_exit(status), self.pause)
        self.due = now + self.pause
        self.pause = min(self.pause * 2, LONGEST_PAUSE)

    def stop(self) -> None:
        """Ask the process to end and wait for it; kill it when its time is over."""
        process, self.process = self.process, None
        if process is None:
            return
        process.terminate()
        try:
            process.wait(self.stop_seconds)
        except subprocess.TimeoutExpired:
            LOG.error("%s did not end within %.0f s and is killed", self.name, self.stop_seconds)
            process.kill()
            process.wait()
        _close(process)


def supervise(children: Sequence[Child], stop: threading.Event, also: Callable[[], None] = lambda: None) -> None:
    """Keep the children running until `stop` is set, then stop them in order. `also` is called at each look round.

    Raises ChildRefused when a child cannot run with its settings; the others are stopped then too.
    """
    try:
        while not stop.is_set():
            also()
            for child in children:
                child.check()
            stop.wait(POLL_SECONDS)
    finally:
        for child in children:
            child.stop()


def stop_on_signals() -> threading.Event:
    """An event that Ctrl-C and SIGTERM set. To be called in the main thread."""
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    return stop


def follow_parent(ended: threading.Event) -> None:
    """Watch standard input in a thread: when it ends, the supervisor is dead; set `ended` and stop this process."""

    def watch() -> None:
        while os.read(sys.stdin.fileno(), 4096):
            pass
        ended.set()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="parent", daemon=True).start()


def describe_exit(status: int) -> str:
    """`exit status 1`, or `killed by SIGKILL`."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return f"killed by {signal.Signals(-status).name}"
    except ValueError:
        return f"killed by signal {-status}"


def _close(process: subprocess.Popen[bytes]) -> None:
    if process.stdin is not None:
        process.stdin.close()
