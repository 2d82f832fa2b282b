"""`flowledger publish`, `signal`, `waiting`: messages and signals."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from domain.bpmn.timers import parse_duration
from infra.cli.client import Client
from infra.cli.options import Address, AsJson, Limit, Variables, read_variables
from infra.cli.output import console, more, print_json, show_rows, when


def register(app: typer.Typer) -> None:
    """Add this topic's commands."""
    for command in (publish, signal, waiting):
        app.command()(command)


def publish(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the message.")],
    key: Annotated[str, typer.Option("--key", "-k", help="Correlation key: which of those who wait is meant.")] = "",
    variables: Variables = "",
    ttl: Annotated[str, typer.Option("--ttl", metavar="PT1H", help="Keep it so long for who waits later.")] = "",
    message_id: Annotated[str, typer.Option("--id", help="Refuse another with this id while it is kept.")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Wait until an instance took it; fail if none does.")] = False,
    address: Address = "",
    as_json: AsJson = False,
) -> None:
    """Publish a message."""
    body: dict[str, Any] = {"name": name, "correlationKey": key, "variables": read_variables(variables)}
    if wait and (ttl or message_id):
        raise typer.BadParameter("a message that is waited for is not kept: leave out --ttl and --id")
    if ttl:
        body["timeToLive"] = parse_duration(ttl).add_to(0) // 1000
    if message_id:
        body["messageId"] = message_id
    with Client(address) as client:
        answer = client.post("/messages/correlation" if wait else "/messages/publication", body)
    if as_json:
        print_json(answer)
        return
    taken = f"; instance {answer['processInstanceKey']} took it" if wait else ""
    console().print(f"Message {answer['messageKey']} published{taken}.", markup=False)


def signal(
    name: Annotated[str, typer.Argument(metavar="NAME", help="Name of the signal.")],
    variables: Variables = "",
    address: Address = "",
    as_json: AsJson = False,
) -> None:
    """Broadcast a signal to everybody who waits for it."""
    with Client(address) as client:
        answer = client.post("/signals/broadcast", {"signalName": name, "variables": read_variables(variables)})
    if as_json:
        print_json(answer)
        return
    console().print(f"Signal {answer['signalKey']} broadcast.", markup=False)


def waiting(
    name: Annotated[str, typer.Option("--name", "-n", metavar="NAME", help="Only for this message.")] = "",
    limit: Limit = 100,
    address: Address = "",
    as_json: AsJson = False,
) -> None:
    """List the messages that are waited for."""
    filters = {"messageName": name or None, "messageSubscriptionState": "CREATED"}
    with Client(address) as client:
        sort = [{"field": "lastUpdatedDate", "order": "DESC"}]
        answer = client.search("/message-subscriptions/search", filters, sort, limit)
    if as_json:
        print_json(answer)
        return
    items = answer["items"]
    rows = (
        (
            item["messageName"],
            item["correlationKey"] or "",
            item.get("processDefinitionName") or item["processDefinitionId"],
            item["elementId"],
            item["processInstanceKey"] or "starts one",
            when(item["lastUpdatedDate"]),
        )
        for item in items
    )
    columns = ("message", "key", "process", "element", "instance", "since")
    show_rows(columns, rows, "No message is waited for.", more(answer["page"], len(items)))
