"""Processes are killed under load. Every command that was acknowledged is in the log exactly once, none is lost, and
everything that is derived from the log says what the log says."""

from __future__ import annotations

import httpx
import pytest

from tests.e2e.platform import Dev, Load, instances, position_reached, wait_until


@pytest.fixture(scope="module", autouse=True)
def deployed(dev: Dev) -> None:
    done = dev.run("deploy", "bench/models/one_task.bpmn")
    assert done.returncode == 0, done.stderr


def assert_every_command_took_effect_once(dev: Dev, load: Load) -> None:
    position_reached(dev.address)
    found = instances(dev.address, load.label)
    assert {business_id: [key for key, _ in rows] for business_id, rows in found.items()} == {
        business_id: [key] for business_id, key in load.started.items()
    }
    assert {business_id for business_id, rows in found.items() if rows[0][1] == "TERMINATED"} == load.cancelled


def assert_verified(dev: Dev) -> str:
    done = dev.run("verify")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Nothing is wrong." in done.stdout
    return done.stdout


def test_kill_9_of_the_server_loses_and_doubles_nothing(dev: Dev) -> None:
    load = Load(dev.address, "server")
    with load.running():
        load.await_acknowledged(40)
        dev.kill("serve")
        load.await_acknowledged(40)
    assert load.unsure > 0
    assert_every_command_took_effect_once(dev, load)


def test_a_server_that_is_told_to_stop_fails_no_request(dev: Dev) -> None:
    load = Load(dev.address, "drained")
    with load.running():
        load.await_acknowledged(20)
        stopped = dev.child("serve")
        assert stopped is not None
        stopped.terminate()
        wait_until(lambda: dev.child("serve") not in {None, stopped}, "another server")
        load.await_acknowledged(20)
    assert load.unsure == 0
    assert_every_command_took_effect_once(dev, load)


def test_a_crash_of_postgresql_loses_and_doubles_nothing(dev: Dev) -> None:
    load = Load(dev.address, "postgres")
    with load.running():
        load.await_acknowledged(40)
        dev.postgres().stop("immediate")
        wait_until(lambda: dev.postgres().is_running(), "PostgreSQL")
        load.await_acknowledged(40)
    assert load.unsure > 0
    assert_every_command_took_effect_once(dev, load)


def test_kill_9_of_the_projector_only_delays_the_read_models(dev: Dev) -> None:
    load = Load(dev.address, "projector")
    with load.running():
        load.await_acknowledged(20)
        dev.kill("projector")
        load.await_acknowledged(20)
    assert load.unsure == 0
    assert_every_command_took_effect_once(dev, load)


def test_kill_9_of_the_monitoring_store_only_delays_it(dev: Dev) -> None:
    load = Load(dev.address, "monitoring")
    with load.running():
        load.await_acknowledged(40)
        dev.kill("monitoring")
        load.await_acknowledged(40)
        dev.kill("monitoring")
    assert load.unsure == 0
    assert_every_command_took_effect_once(dev, load)
    with httpx.Client(base_url=f"{dev.address}/v2", timeout=60) as http:
        search = {"filter": {"state": "ACTIVE"}, "page": {"limit": 1}}
        found = http.post("/process-instances/search", json=search).raise_for_status()
        position = found.headers["Flowledger-Position"]

        def board() -> httpx.Response:
            return http.get("/monitoring/board", headers={"Flowledger-Min-Position": position})

        wait_until(lambda: board().status_code == 200, "the monitoring store")
        (row,) = board().json()["items"]
    assert row["running"] == row["jobs"] == found.json()["page"]["totalItems"]


def test_kill_9_of_the_supervisor_takes_everything_along_and_the_next_one_goes_on(dev: Dev) -> None:
    load = Load(dev.address, "supervisor")
    with load.running():
        load.await_acknowledged(40)
    children = dev.children()
    assert dev.process is not None
    dev.process.kill()
    dev.process.wait()
    wait_until(lambda: not any(child.is_running() for child in children), "the children's end")
    wait_until(lambda: not dev.postgres().is_running(), "the end of PostgreSQL")
    dev.start()
    assert_every_command_took_effect_once(dev, load)


def test_a_second_supervisor_on_the_same_data_is_refused(dev: Dev) -> None:
    done = dev.run("dev")
    assert done.returncode == 1
    assert f"runs on '{dev.folder}' already at {dev.address}" in done.stderr


def test_what_survived_all_this_is_verified(dev: Dev) -> None:
    said = assert_verified(dev)
    assert "monitoring.visits" in said, "the monitoring store was not compared"


def test_sigterm_ends_everything_in_order(dev: Dev) -> None:
    children = dev.children()
    assert dev.stop() == 0
    assert not any(child.is_running() for child in children)
    assert not dev.postgres().is_running()
    assert_verified(dev)
