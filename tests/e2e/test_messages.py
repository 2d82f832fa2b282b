"""Messages meet who waits exactly once, whoever is killed meanwhile, and with two servers on one log."""

from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path

import httpx
import psycopg

from domain.events import REGISTRY
from domain.messages.events import MessageCorrelated
from domain.process_instance import events as e
from infra.serving import RunningServer
from infra.settings import Settings
from tests.api.test_messages import waiting
from tests.e2e.platform import Dev, send, wait_until

ORDERS = 120


def publish_and_start(addresses: list[str], label: str) -> list[threading.Thread]:
    """Messages and instances of the same orders, from both ends."""

    def publish() -> None:
        for number in range(ORDERS):
            body = {"name": "paid", "correlationKey": f"{label}-{number}", "timeToLive": 3_600_000}
            send(addresses[number % len(addresses)], "POST", "/messages/publication", body, f"{label}-m-{number}")

    def start() -> None:
        for number in reversed(range(ORDERS)):
            body = {"processDefinitionId": "order", "variables": {"order": f"{label}-{number}"}}
            send(addresses[-1], "POST", "/process-instances", body, f"{label}-i-{number}")

    threads = [threading.Thread(target=publish), threading.Thread(target=start)]
    for thread in threads:
        thread.start()
    return threads


def correlations(url: str) -> tuple[Counter[str], Counter[tuple[int, int]]]:
    """By order how often it was correlated; by instance and message how often one met the other, in the log."""
    keys: Counter[str] = Counter()
    met: Counter[tuple[int, int]] = Counter()
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT originator_id, topic, state FROM stored_events").fetchall()
    for stream, topic, state in rows:
        event = REGISTRY.decode(topic, bytes(state))[1]
        if isinstance(event, MessageCorrelated):
            keys[event.key] += 1
            met[event.instance_key, stream.int] += 1
        elif isinstance(event, e.SubscriptionMet) and event.source_key:
            met[stream.int, event.source_key] += 1
    return keys, met


def assert_each_met_once(url: str, label: str) -> None:
    wanted = {f"{label}-{number}" for number in range(ORDERS)}

    def all_met() -> bool:
        return wanted <= set(correlations(url)[0])

    wait_until(all_met, "all messages to be correlated")
    keys, met = correlations(url)
    assert {keys[key] for key in wanted} == {1}
    assert set(met.values()) == {2}, "a message and its instance must both say so, once"


def test_two_servers_on_one_log(database: str) -> None:
    settings = Settings(database_url=database)
    with RunningServer(settings) as one, RunningServer(settings) as other:
        httpx.post(
            one.address + "/v2/deployments", files=[("resources", ("order.bpmn", waiting("order", "paid")))]
        ).raise_for_status()
        for thread in publish_and_start([one.address, other.address], "two"):
            thread.join()
        assert_each_met_once(database, "two")


def test_kill_9_of_the_server_while_messages_are_correlated(open_folder: Path) -> None:
    dev = Dev(open_folder / "messages")
    dev.start()
    try:
        httpx.post(
            dev.address + "/v2/deployments", files=[("resources", ("order.bpmn", waiting("order", "paid")))]
        ).raise_for_status()
        threads = publish_and_start([dev.address], "killed")
        for _ in range(3):
            time.sleep(0.3)
            dev.kill("serve")
        for thread in threads:
            thread.join()
        url = dev.postgres().url()
        assert_each_met_once(url, "killed")
        done = dev.run("verify")
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        dev.stop()
