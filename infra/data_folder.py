"""The data folder of `flowledger dev`: one supervisor at a time works on it; commands find its server's address there.

lock       held (flock) by the supervisor and, through inheritance, by its children: a new supervisor waits until
           the last process of a killed one is gone
address    the server's address, while it runs
postgres/  the embedded database
kafka/     the development broker, where one was asked for
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from domain.errors import DomainError

WAIT_SECONDS = 40.0
"""For the children of a supervisor that was killed: they drain first."""


class DataFolderInUse(DomainError):
    """Another `flowledger dev` runs on this data folder."""

    code = "DATA_FOLDER_IN_USE"


class DataFolder:
    """The folder at `path`, made if it is not there."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()
        self._lock = -1

    @property
    def postgres(self) -> Path:
        """The home of the embedded PostgreSQL."""
        return self.path / "postgres"

    @property
    def kafka(self) -> Path:
        """The home of the development broker."""
        return self.path / "kafka"

    def lock(self) -> int:
        """Take the folder; the descriptor that holds the lock, to be inherited by children. Raises DataFolderInUse."""
        self.path.mkdir(parents=True, exist_ok=True)
        self._lock = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        deadline = time.monotonic() + WAIT_SECONDS
        while True:
            try:
                fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                self._refuse_if_owned(deadline)
            time.sleep(0.1)
        os.ftruncate(self._lock, 0)
        os.pwrite(self._lock, str(os.getpid()).encode(), 0)
        return self._lock

    def unlock(self) -> None:
        """Let go of the folder."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _refuse_if_owned(self, deadline: float) -> None:
        owner = os.pread(self._lock, 32, 0).decode(errors="replace").strip()
        alive = owner.isdigit() and _alive(int(owner))
        if alive or time.monotonic() > deadline:
            os.close(self._lock)
            self._lock = -1
            address = self.address()
            where = f" at {address}" if address else ""
            raise DataFolderInUse(
                f"Flowledger runs on '{self.path}' already{where} (process {owner or 'unknown'}): stop that one, or "
                "choose another folder with FLOWLEDGER_DATA_DIR"
            )

    def address(self) -> str:
        """The address of the server that runs on this folder, "" if none is known."""
        try:
            return (self.path / "address").read_text(encoding="utf-8").strip()
        except OSError:
            return ""

    def announce(self, address: str) -> None:
        """Tell commands where the server is; "" when it is gone."""
        path = self.path / "address"
        if not address:
            path.unlink(missing_ok=True)
            return
        fresh = path.with_suffix(".new")
        fresh.write_text(f"{address}\n", encoding="utf-8")
        fresh.rename(path)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
