"""A thread that works, sleeps, and is woken: what the timers and the matcher of messages have in common."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from domain.errors import DomainError

LOGGER = logging.getLogger(__name__)
POLL_SECONDS = 1.0
"""Seconds after which work is looked for anew, unless it says less: other processes make work too."""


class WakingLoop:
    """Calls `work` again and again in a thread; it returns how long to sleep (seconds), `wake` ends a sleep early."""

    def __init__(self, name: str, work: Callable[[], float]) -> None:
        self._name = name
        self._work = work
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        self._thread = threading.Thread(target=self._run, name=self._name, daemon=True)
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> None:
        """End the loop; to be called before the bus is stopped."""
        self._stopping = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def wake(self) -> None:
        """Work now."""
        self._wake.set()

    def _run(self) -> None:
        while not self._stopping:
            self._wake.clear()
            try:
                pause = self._work()
            except DomainError as error:  # the log is away: it is looked at again shortly
                LOGGER.warning("%s cannot work: %s", self._name, error)
                pause = POLL_SECONDS
            except Exception:
                LOGGER.exception("the loop of %s failed; it goes on", self._name)
                pause = POLL_SECONDS
            if pause > 0:
                self._wake.wait(pause)
