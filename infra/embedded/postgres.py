"""The embedded PostgreSQL: a server of our own under a data folder, on the loopback address, started when it is not up.

    server = EmbeddedPostgres(Path(".data/postgres"))
    url = server.start()          # about 1 s the first time, 0.15 s later
    server.stop()

The server outlives this process when that is killed: the next `start` finds it running. Layout of the folder:
`data/` (PostgreSQL's own), `password` (0600), `port`, `server.log`, `run/` (the unix socket, where the path is short).
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import quote

import psycopg
from psycopg import sql

from domain.errors import StorageUnavailable
from infra.embedded.postgres_host import (
    MAX_SOCKET_PATH,
    OsUser,
    find_binaries,
    free_port,
    is_server_process,
    make_home,
    reachable,
    reachable_binaries,
    reachable_home,
    run,
    server_user,
)

SUPERUSER = "flowledger"
DATABASE = "flowledger"
START_ATTEMPTS = 4
START_SECONDS = 60

_SETTINGS = {
    "listen_addresses": "'127.0.0.1'",
    "max_connections": "100",
    "password_encryption": "'scram-sha-256'",
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    "wal_level": "replica",
    "wal_buffers": "16MB",
    "min_wal_size": "256MB",
    "max_wal_size": "4GB",
    "checkpoint_timeout": "15min",
    "checkpoint_completion_target": "0.9",
    "effective_io_concurrency": "16",
    "random_page_cost": "1.1",
    "jit": "off",
    "autovacuum_naptime": "15s",
    "autovacuum_vacuum_cost_limit": "2000",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "log_line_prefix": "'%m [%p] '",
    "log_min_duration_statement": "2000",
    "tcp_keepalives_idle": "30",
}
"""Durable, and sized for one service on the machine. wal_compression stays off: the wheel has neither lz4 nor zstd, and
pglz costs more than it saves here. Statements without an index are not the server's to guess at: jit off."""


class EmbeddedPostgres:
    """A PostgreSQL server under `home`. `shared_buffers_mb` 0: a quarter of the memory, 128 to 512 MB."""

    def __init__(self, home: Path, shared_buffers_mb: int = 0, settings: dict[str, str] | None = None) -> None:
        self._user: OsUser | None = server_user(home)
        self.home = reachable_home(home.absolute(), self._user)
        self._data = self.home / "data"
        self._log = self.home / "server.log"
        self._settings = _SETTINGS | {"shared_buffers": f"{shared_buffers_mb or _buffers_mb()}MB"} | (settings or {})
        self._binaries: Path | None = None

    def start(self, database: str = DATABASE) -> str:
        """Make sure the server runs, and that the database exists; its URL (loopback TCP).

        Raises StorageUnavailable with the end of the server's log when it does not come up.
        """
        make_home(self.home, self._user)
        deadline = time.monotonic() + START_SECONDS
        while True:
            if not self.is_running():
                self._initialise()
                self._start_server()
            try:
                self._create_database(database)
                return self.url(database)
            except psycopg.OperationalError as error:
                # Recovering from a crash it refuses for a moment; and one that was being killed may have looked alive.
                if time.monotonic() > deadline or "password" in str(error):
                    raise StorageUnavailable(f"the embedded PostgreSQL does not answer: {error}") from error
                time.sleep(0.05)

    def stop(self, mode: str = "fast") -> None:
        """Stop the server: "fast" (sessions are cut, a checkpoint is written) or "immediate" (as in a crash)."""
        if self._pid() is None:
            return
        done = self._pg_ctl("stop", "-w", "-t", str(START_SECONDS), "-m", mode)
        if done.returncode != 0 and self.is_running():
            raise StorageUnavailable(f"the embedded PostgreSQL in '{self.home}' does not stop: {done.stdout.strip()}")

    def is_running(self) -> bool:
        """Whether the server is up (also one that another process of ours started)."""
        return self._pid() is not None

    def url(self, database: str = DATABASE) -> str:
        """The URL for loopback TCP, password included."""
        return f"postgresql://{SUPERUSER}:{quote(self._password())}@127.0.0.1:{self._port()}/{database}"

    def socket_url(self, database: str = DATABASE) -> str:
        """The URL for the unix socket (a little faster); that for TCP where the folder's path is too long for one."""
        folder = self._socket_folder()
        if folder is None:
            return self.url(database)
        host = quote(str(folder), safe="")
        return f"postgresql://{SUPERUSER}:{quote(self._password())}@/{database}?host={host}&port={self._port()}"

    @property
    def pid(self) -> int | None:
        """The postmaster's process id, None when it does not run."""
        return self._pid()

    def _password(self) -> str:
        return (self.home / "password").read_text(encoding="ascii").strip()

    def _port(self) -> int:
        return int((self.home / "port").read_text(encoding="ascii"))

    def _pid(self) -> int | None:
        try:
            lines = (self._data / "postmaster.pid").read_text(encoding="utf-8").splitlines()
            pid = int(lines[0])
        except (OSError, ValueError, IndexError):
            return None
        return pid if is_server_process(pid, self._data) else None

    def _socket_folder(self) -> Path | None:
        folder = self.home / "run"
        return folder if sys.platform != "win32" and len(str(folder)) <= MAX_SOCKET_PATH else None

    def _binary(self, name: str) -> Path:
        if self._binaries is None:
            self._binaries = reachable_binaries(find_binaries(), self.home, self._user)
        return self._binaries / name

    def _pg_ctl(self, action: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        return run([self._binary("pg_ctl"), action, "-D", self._data, *arguments], self._user, self.home)

    def _initialise(self) -> None:
        """initdb into a folder beside, renamed when complete: a first start that is killed leaves nothing half made."""
        if (self._data / "PG_VERSION").exists():
            return
        _refuse_unreachable(self.home, self._user)
        shutil.rmtree(self._data, ignore_errors=True)
        password = self.home / "password"
        _write_private(password, secrets.token_urlsafe(24))
        fresh, pwfile = self.home / "data.new", self.home / "password.new"
        shutil.rmtree(fresh, ignore_errors=True)
        _own_folder(fresh, self._user)
        _write_private(pwfile, self._password(), self._user)
        command: list[str | Path] = [
            self._binary("initdb"),
            "-D",
            fresh,
            "-U",
            SUPERUSER,
            "--pwfile",
            pwfile,
            "--auth=scram-sha-256",
        ]
        command += ["--encoding=UTF8", "--locale=C.UTF-8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if self._settings["fsync"] == "off":
            command.append("--no-sync")
        done = run([*command, "--data-checksums", "--no-instructions"], self._user, self.home)
        pwfile.unlink(missing_ok=True)
        if done.returncode != 0:
            raise StorageUnavailable(f"initdb failed in '{self.home}': {done.stdout.strip()[-2000:]}")
        with (fresh / "postgresql.conf").open("a", encoding="utf-8") as conf:
            conf.write("\ninclude = 'flowledger.conf'\n")
        fresh.rename(self._data)

    def _start_server(self) -> None:
        self._write_settings()
        folder = self._socket_folder()
        if folder is not None:
            _own_folder(folder, self._user)
        self._log.touch()
        _give(self._log, self._user)
        output = ""
        for attempt in range(START_ATTEMPTS):
            self._drop_stale_pid()
            port = self._choose_port(attempt)
            options = f"-p {port} -c unix_socket_directories='{folder or ''}'"
            wait = ("-w", "-t", str(START_SECONDS))
            done = self._pg_ctl("start", *wait, "-s", "-l", str(self._log), "-o", options)
            if done.returncode == 0:
                return
            output = done.stdout
            if "configuration file" in _tail(self._log) and "contains errors" in _tail(self._log):
                break  # trying again will not help
            time.sleep(0.2 * (attempt + 1))  # children of a killed postmaster let go of the memory shortly after it
        raise StorageUnavailable(
            f"the embedded PostgreSQL in '{self.home}' does not start: {output.strip()}\n{_tail(self._log)}"
        )

    def _choose_port(self, attempt: int) -> int:
        """The port of last time, so that URLs stay good over a restart; another one once that has failed."""
        known = self.home / "port"
        port = int(known.read_text(encoding="ascii")) if attempt == 0 and known.exists() else free_port()
        known.write_text(str(port), encoding="ascii")
        return port

    def _drop_stale_pid(self) -> None:
        """Remove the pid file of a server that is gone; PostgreSQL itself is misled where the number was reused."""
        pid_file = self._data / "postmaster.pid"
        if pid_file.exists() and self._pid() is None:
            pid_file.unlink(missing_ok=True)

    def _write_settings(self) -> None:
        lines = "".join(f"{name} = {value}\n" for name, value in sorted(self._settings.items()))
        path = self._data / "flowledger.conf"
        path.write_text(f"# written at every start by infra/embedded/postgres.py\n{lines}", encoding="utf-8")
        _give(path, self._user)

    def _create_database(self, name: str) -> None:
        with psycopg.connect(self.url("postgres"), autocommit=True, connect_timeout=10) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (name,)).fetchone()
            if found is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))


def _refuse_unreachable(home: Path, user: OsUser | None) -> None:
    if user is not None and not reachable(home / "data", user):
        raise StorageUnavailable(
            f"PostgreSQL runs as '{user.name}' when Flowledger runs as root, and '{user.name}' cannot enter '{home}': "
            "choose a data folder that others may traverse, or start Flowledger as another user"
        )


def _own_folder(path: Path, user: OsUser | None) -> None:
    path.mkdir(exist_ok=True)
    path.chmod(0o700)
    _give(path, user)


def _give(path: Path, user: OsUser | None) -> None:
    if user is not None:
        os.chown(path, user.uid, user.gid)


def _write_private(path: Path, text: str, user: OsUser | None = None) -> None:
    path.unlink(missing_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(text)
    _give(path, user)


def _tail(log: Path, size: int = 2000) -> str:
    try:
        return log.read_text(encoding="utf-8", errors="replace")[-size:]
    except OSError:
        return ""


def _buffers_mb() -> int:
    try:
        memory_mb = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") >> 20
    except (ValueError, OSError, AttributeError):
        return 128
    return max(128, min(512, memory_mb // 4))
