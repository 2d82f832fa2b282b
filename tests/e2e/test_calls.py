"""Call activities under `kill -9`: each call has one child and one return, each abandoned child ends."""

from __future__ import annotations

import threading
import time
from collections import Counter
from pathlib import Path

import httpx
import psycopg

from domain.events import REGISTRY
from domain.process_instance import events as e
from tests.api.client import model
from tests.e2e.platform import Dev, send, wait_until

INSTANCES = 100
"""Of each of the two kinds: those that run to their end, and those that are cancelled while their children work."""

Happened = list[tuple[int, object]]


def models() -> list[tuple[str, tuple[str, bytes]]]:
    """runs-2 → runs-1 → runs-0, which ends at once; works-2 → works-1 → works-0, which has a job."""
    files = [("runs-0", model("straight.bpmn", ID="runs-0")), ("works-0", model("one_task.bpmn", ID="works-0"))]
    for name in ("runs", "works"):
        for depth in (1, 2):
            files.append((f"{name}-{depth}", model("call.bpmn", ID=f"{name}-{depth}", CALLED=f"{name}-{depth - 1}")))
    return [("resources", (f"{id}.bpmn", content)) for id, content in files]


def happened(url: str) -> Happened:
    """(instance, event) of every instance, in log order."""
    with psycopg.connect(url) as connection:
        rows = connection.execute("SELECT originator_id, topic, state FROM stored_events ORDER BY notification_id")
        return [
            (stream.int, REGISTRY.decode(topic, bytes(state))[1])
            for stream, topic, state in rows
            if topic.startswith("pi.")
        ]


def ended(log: Happened) -> Counter[str]:
    """How many instances completed, and how many were terminated."""
    kinds = {e.InstanceCompleted: "completed", e.InstanceTerminated: "terminated"}
    return Counter(kinds[type(event)] for _, event in log if type(event) in kinds)


def test_kill_9_of_the_server_while_instances_call_each_other(open_folder: Path) -> None:
    dev = Dev(open_folder / "calls")
    dev.start()
    try:
        httpx.post(dev.address + "/v2/deployments", files=models(), timeout=30).raise_for_status()

        def run() -> None:
            for number in range(INSTANCES):
                send(dev.address, "POST", "/process-instances", {"processDefinitionId": "runs-2"}, f"run-{number}")

        def cancel() -> None:
            for number in range(INSTANCES):
                body = {"processDefinitionId": "works-2"}
                started = send(dev.address, "POST", "/process-instances", body, f"work-{number}")
                path = f"/process-instances/{started['processInstanceKey']}/cancellation"
                send(dev.address, "POST", path, {}, f"cancel-{number}")

        threads = [threading.Thread(target=run), threading.Thread(target=cancel)]
        for thread in threads:
            thread.start()
        for _ in range(3):
            time.sleep(0.3)
            dev.kill("serve")
        for thread in threads:
            thread.join()
        url = dev.postgres().url()
        # a caller that is cancelled before its call is made never has a child
        wait_until(lambda: not deliveries(url), "all deliveries to be made", 60)
        log = happened(url)
        assert_one_child_and_one_return(log)
        created = sum(type(event) is e.InstanceCreated for _, event in log)
        assert ended(log)["completed"] == 3 * INSTANCES
        assert ended(log).total() == created, "an instance of a cancelled caller goes on"
        done = dev.run("verify")
        assert done.returncode == 0, done.stdout + done.stderr
    finally:
        dev.stop()


def deliveries(url: str) -> int:
    """What is still owed."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM wait_deliveries").fetchone()
    assert row is not None
    return int(row[0])


def assert_one_child_and_one_return(log: Happened) -> None:
    """Every call that was made has one child that names it, every completed child of it came back once."""
    started: Counter[int] = Counter()
    created: Counter[int] = Counter()
    of_call: Counter[tuple[int, int]] = Counter()
    completed: Counter[int] = Counter()
    returned: Counter[int] = Counter()
    for instance, event in log:
        match event:
            case e.ChildStarted(child_key=child):
                started[child] += 1
            case e.InstanceCreated(parent_key=parent, parent_element=element) if parent:
                created[instance] += 1
                of_call[parent, element] += 1
            case e.ReturnOwed():
                completed[instance] += 1
            case e.ChildCompleted(child_key=child):
                returned[child] += 1
    assert created and returned
    assert started == created
    assert set(created.values()) == set(of_call.values()) == {1}
    assert returned == completed and set(returned.values()) == {1}
