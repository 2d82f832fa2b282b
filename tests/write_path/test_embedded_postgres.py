"""The embedded PostgreSQL: starts, is found again, recovers from every kind of end, and stands beside another."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from domain.errors import StorageUnavailable
from infra.embedded import postgres_host
from infra.embedded.postgres import EmbeddedPostgres

QUICK = {"fsync": "off"}


@pytest.fixture(scope="module")
def server(open_folder: Path) -> Iterator[EmbeddedPostgres]:
    server = EmbeddedPostgres(open_folder / "embedded", shared_buffers_mb=16)
    server.start()
    yield server
    server.stop("immediate")


def rows(url: str) -> list[int]:
    with psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        return [row[0] for row in connection.execute("SELECT n FROM kept ORDER BY n").fetchall()]


def add_row(url: str) -> list[int]:
    before = rows(url)
    with psycopg.connect(url) as connection:
        connection.execute("INSERT INTO kept VALUES (%s)", (len(before),))
    return [*before, len(before)]


def test_it_answers_on_loopback_and_on_the_socket(server: EmbeddedPostgres) -> None:
    for url in (server.url(), server.socket_url()):
        with psycopg.connect(url) as connection:
            settings = connection.execute(
                "SELECT current_setting('fsync'), current_setting('synchronous_commit'),"
                " current_setting('listen_addresses'), current_setting('server_encoding')"
            ).fetchone()
        assert settings == ("on", "on", "127.0.0.1", "UTF8")


def test_it_asks_for_a_password_that_only_we_can_read(server: EmbeddedPostgres) -> None:
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.url().replace((server.home / "password").read_text(), "wrong"))
    assert stat.S_IMODE((server.home / "password").stat().st_mode) == 0o600


def test_it_does_not_run_as_root(server: EmbeddedPostgres) -> None:
    assert Path(f"/proc/{server.pid}").stat().st_uid != 0


def test_starting_it_again_finds_it_running(server: EmbeddedPostgres) -> None:
    again = EmbeddedPostgres(server.home)
    assert again.start() == server.url()
    assert again.pid == server.pid


@pytest.mark.parametrize("end", ["fast", "immediate", "kill -9"])
def test_it_comes_back_with_its_data(server: EmbeddedPostgres, end: str) -> None:
    kept = add_row(server.start())
    pid = server.pid
    assert pid is not None
    if end == "kill -9":
        os.kill(pid, signal.SIGKILL)
    else:
        server.stop(end)
    assert rows(server.start()) == kept
    assert server.pid != pid


def test_a_stale_pid_file_does_not_hinder_it(server: EmbeddedPostgres) -> None:
    server.start()
    server.stop()
    pid_file = server.home / "data" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{server.home / 'data'}\n")
    assert not server.is_running()
    server.start()
    assert server.is_running()


def test_two_stand_side_by_side(server: EmbeddedPostgres, open_folder: Path) -> None:
    server.start()
    other = EmbeddedPostgres(open_folder / "beside", shared_buffers_mb=16, settings=QUICK)
    try:
        other.start()
        assert other.url() != server.url()
        add_row(server.url())
        assert rows(other.url()) == []
    finally:
        other.stop("immediate")


def test_a_port_that_was_taken_meanwhile_is_replaced(server: EmbeddedPostgres, open_folder: Path) -> None:
    server.start()
    other = EmbeddedPostgres(open_folder / "beside", shared_buffers_mb=16, settings=QUICK)
    (other.home / "port").write_text((server.home / "port").read_text())
    try:
        other.start()
        assert other.url() != server.url()
    finally:
        other.stop("immediate")


def test_a_killed_first_start_is_begun_anew(open_folder: Path) -> None:
    home = open_folder / "begun"
    (home / "data.new").mkdir(parents=True)
    (home / "data.new" / "half").write_text("made")
    server = EmbeddedPostgres(home, shared_buffers_mb=16, settings=QUICK)
    try:
        server.start()
        assert server.is_running()
    finally:
        server.stop("immediate")


def test_a_folder_out_of_reach_is_replaced_by_one_in_reach(tmp_path: Path) -> None:
    nobody = postgres_host.OsUser("nobody", 65_534, 65_534)
    tmp_path.chmod(0o700)
    home = tmp_path / "pg"
    assert not postgres_host.reachable(home, nobody)
    fallback = postgres_host.reachable_home(home, nobody)
    assert fallback.parent == Path("/var/tmp")
    assert fallback == postgres_host.reachable_home(home, nobody)
    assert postgres_host.reachable_home(home, None) == home


def test_binaries_out_of_reach_are_copied(tmp_path: Path) -> None:
    nobody = postgres_host.OsUser("nobody", 65_534, 65_534)
    tmp_path.chmod(0o700)
    binaries = tmp_path / postgres_host.WHEEL / "pginstall18" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "postgres").write_text("binary")
    copy = postgres_host.reachable_binaries(binaries, tmp_path / "home", nobody)
    assert (copy / "postgres").read_text() == "binary"
    assert copy.is_relative_to(tmp_path / "home")


def test_a_server_that_cannot_start_says_why(open_folder: Path) -> None:
    server = EmbeddedPostgres(open_folder / "broken", shared_buffers_mb=16, settings=QUICK | {"no_such_setting": "1"})
    with pytest.raises(StorageUnavailable, match="no_such_setting"):
        server.start()
