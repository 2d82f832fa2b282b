"""Messages, signals and conditions over HTTP, as clients publish, correlate, broadcast and search them."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import camunda_orchestration_sdk as camunda

from infra.serving import RunningServer
from tests.api.client import Client, unique
from tests.api.test_python_sdk import SOON, client_of
from tests.engine.harness import END_EVENT, flow, process, service


def waiting(name: str, message: str) -> bytes:
    """A process that waits for a message by its order id, then has a job."""
    body = (
        f'<bpmn:startEvent id="start"/><bpmn:receiveTask id="wait" messageRef="m"/>{service("work", job_type=f"job-{name}")}'
        + END_EVENT
        + flow("start", "wait") + flow("wait", "work") + flow("work", "end")
    )  # fmt: skip
    return declared(process(body, name), message)


def declared(xml: str, message: str) -> bytes:
    declaration = (
        f'<bpmn:message id="m" name="{message}"><bpmn:extensionElements><zeebe:subscription correlationKey="=order"/>'
        f'</bpmn:extensionElements></bpmn:message><bpmn:signal id="s" name="{message}"/>'
    )
    return xml.replace("<bpmn:process", declaration + "<bpmn:process", 1).encode()


def started_by(name: str, definition: str, message: str) -> bytes:
    body = f'<bpmn:startEvent id="begin">{definition}</bpmn:startEvent>' + service("work") + END_EVENT
    return declared(process(body + flow("begin", "work") + flow("work", "end"), name), message)


def instances(api: Client, process_id: str) -> list[Any]:
    return api.search("process-instances", processDefinitionId=process_id)


def eventually(found: Any, wanted: Any) -> None:
    deadline = time.monotonic() + 30
    while (got := found()) != wanted:
        assert time.monotonic() < deadline, f"{got!r}, not {wanted!r}"
        time.sleep(0.05)


def test_a_message_is_correlated_and_the_answer_names_the_instance(api: Client) -> None:
    name, message = unique("order"), unique("paid")
    api.deploy((f"{name}.bpmn", waiting(name, message)))
    key = api.start(name, {"order": "o-1"})["processInstanceKey"]
    refused = api.call("POST", "/messages/correlation", {"name": message, "correlationKey": "o-2"})
    assert refused.status_code == 404
    assert "nothing waits for the message" in refused.json()["detail"]
    taken = api.ok("POST", "/messages/correlation", {"name": message, "correlationKey": "o-1", "variables": {"sum": 7}})
    assert taken["processInstanceKey"] == key
    (job,) = api.activate(f"job-{name}")
    assert job["variables"] == {"order": "o-1", "sum": 7}
    (correlated,) = api.search("correlated-message-subscriptions", processInstanceKey=key)
    assert (correlated["messageKey"], correlated["correlationKey"]) == (taken["messageKey"], "o-1")
    (subscription,) = api.search("message-subscriptions", processInstanceKey=key)
    assert subscription["messageSubscriptionState"] == "CORRELATED"


def test_a_message_is_kept_until_somebody_waits_and_an_id_is_taken_once(api: Client) -> None:
    name, message = unique("order"), unique("paid")
    api.deploy((f"{name}.bpmn", waiting(name, message)))
    body = {"name": message, "correlationKey": "o-9", "timeToLive": 600_000, "messageId": "id-1", "variables": {"n": 1}}
    api.ok("POST", "/messages/publication", body)
    again = api.call("POST", "/messages/publication", body)
    assert (again.status_code, again.json()["title"]) == (409, "ALREADY_EXISTS")
    api.start(name, {"order": "o-9"})
    assert api.activate(f"job-{name}")[0]["variables"]["n"] == 1


def test_each_message_is_taken_by_one_instance_when_both_come_at_once(api: Client) -> None:
    name, message = unique("order"), unique("paid")
    api.deploy((f"{name}.bpmn", waiting(name, message)))
    orders = [f"o-{number}" for number in range(60)]

    def publish(order: str) -> None:
        body = {"name": message, "correlationKey": order, "timeToLive": 600_000, "variables": {"of": order}}
        api.ok("POST", "/messages/publication", body)

    with ThreadPoolExecutor(8) as pool:
        done = [pool.submit(publish, order) for order in orders]
        done += [pool.submit(api.start, name, {"order": order}) for order in reversed(orders)]
        for each in done:
            each.result()
    found: dict[str, str] = {}
    while len(found) < len(orders):
        for job in api.activate(f"job-{name}", 60):
            assert job["jobKey"] not in found
            found[job["jobKey"]] = job["variables"]["of"]
            assert job["variables"]["of"] == job["variables"]["order"]
    assert sorted(found.values()) == sorted(orders)


def test_messages_and_signals_start_instances_of_the_newest_version(api: Client) -> None:
    name, message = unique("begun"), unique("paid")
    by_message = '<bpmn:messageEventDefinition messageRef="m"/>'
    api.deploy((f"{name}.bpmn", started_by(name, by_message, message)))
    api.deploy((f"{name}.bpmn", started_by(name, by_message, message).replace(b'id="work"', b'id="work" name="2"')))
    taken = api.ok("POST", "/messages/correlation", {"name": message, "variables": {"a": 1}})
    (instance,) = instances(api, name)
    assert (instance["processInstanceKey"], instance["processDefinitionVersion"]) == (taken["processInstanceKey"], 2)
    other = unique("signalled")
    by_signal = '<bpmn:signalEventDefinition signalRef="s"/>'
    api.deploy((f"{other}.bpmn", started_by(other, by_signal, message)))
    api.ok("POST", "/signals/broadcast", {"signalName": message, "variables": {"b": 2}})
    eventually(lambda: len(instances(api, other)), 1)


def test_conditions_start_what_holds(api: Client) -> None:
    name = unique("if")
    definition = "<bpmn:conditionalEventDefinition><bpmn:condition>=amount &gt; 5</bpmn:condition></bpmn:conditionalEventDefinition>"
    deployed = api.deploy((f"{name}.bpmn", started_by(name, definition, unique("m"))))
    key = deployed["deployments"][0]["processDefinition"]["processDefinitionKey"]
    body = {"processDefinitionKey": key, "variables": {"amount": 4}}
    assert api.ok("POST", "/conditionals/evaluation", body)["processInstances"] == []
    (started,) = api.ok("POST", "/conditionals/evaluation", {**body, "variables": {"amount": 6}})["processInstances"]
    assert [one["processInstanceKey"] for one in instances(api, name)] == [started["processInstanceKey"]]


def test_the_published_client_correlates_publishes_and_broadcasts(api: Client, api_server: RunningServer) -> None:
    name, message = unique("order"), unique("paid")
    api.deploy((f"{name}.bpmn", waiting(name, message)))
    key = api.start(name, {"order": "o-1"})["processInstanceKey"]

    async def talk() -> None:
        async with client_of(api_server) as client:
            query = camunda.MessageSubscriptionSearchQuery.from_dict({"filter": {"processInstanceKey": key}})
            open_ = await client.search_message_subscriptions(data=query, consistency=SOON)
            assert [item.message_name for item in open_.items] == [message]
            published = await client.publish_message(
                data=camunda.MessagePublicationRequest.from_dict(
                    {"name": message, "correlationKey": "o-5", "timeToLive": 1}
                )
            )
            assert int(published.message_key) > 0
            taken = await client.correlate_message(
                data=camunda.MessageCorrelationRequest.from_dict({"name": message, "correlationKey": "o-1"})
            )
            assert taken.process_instance_key == key
            sent = await client.broadcast_signal(
                data=camunda.SignalBroadcastRequest.from_dict({"signalName": message, "variables": {}})
            )
            assert int(sent.signal_key) > 0

    asyncio.run(talk())
