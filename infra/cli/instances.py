"""`flowledger start`, `instances`, `instance`, `cancel`, `suspend`, `resume`, `history`, `state`: process instances."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from rich.text import Text

from domain.events import encode_json
from infra.cli.client import Client
from infra.cli.options import Address, AsJson, Limit, Variables, key_argument, read_variables
from infra.cli.output import console, more, print_json, shorten, show_rows, when

WAIT_SECONDS = 60.0
HISTORY_PAGE = 500
InstanceKey = Annotated[str, key_argument("Key of the process instance.")]


def register(app: typer.Typer) -> None:
    """Add this topic's commands."""
    for command in (start, instances, instance, cancel, suspend, resume, history, state):
        app.command()(command)


def start(
    process: Annotated[str, typer.Argument(metavar="ID", help="Id of the process (`flowledger definitions`).")],
    variables: Variables = "",
    version: Annotated[int | None, typer.Option("--version", min=1, help="This version, not the latest.")] = None,
    business_id: Annotated[str, typer.Option("--business-id", help="Your own number of the case.")] = "",
    wait: Annotated[bool, typer.Option("--wait", help="Wait until the instance ends; print its variables.")] = False,
    address: Address = "",
    as_json: AsJson = False,
) -> None:
    """Start a process instance."""
    body: dict[str, Any] = {"processDefinitionId": process, "variables": read_variables(variables)}
    if version:
        body["processDefinitionVersion"] = version
    if business_id:
        body["businessId"] = business_id
    if wait:
        body |= {"awaitCompletion": True, "requestTimeout": int(WAIT_SECONDS * 1000)}
    with Client(address, WAIT_SECONDS + 10 if wait else 30.0) as client:
        answer = client.post("/process-instances", body)
    if as_json:
        print_json(answer)
        return
    known = f"{answer['processDefinitionId']} version {answer['processDefinitionVersion']}"
    verb = "ended" if wait else "started"
    console().print(f"Instance {answer['processInstanceKey']} of {known} {verb}.", markup=False)
    if wait:
        show_rows(("variable", "value"), sorted((answer.get("variables") or {}).items()), "No variables.")


def instances(
    process: Annotated[str, typer.Option("--process", "-p", metavar="ID", help="Only of this process.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Also those that ended.")] = False,
    limit: Limit = 100,
    address: Address = "",
    as_json: AsJson = False,
) -> None:
    """List the running process instances, the newest first."""
    filters = {"processDefinitionId": process or None, "state": None if every else {"$in": ["ACTIVE", "SUSPENDED"]}}
    with Client(address) as client:
        sort = [{"field": "startDate", "order": "DESC"}]
        answer = client.search("/process-instances/search", filters, sort, limit)
    if as_json:
        print_json(answer)
        return
    items = answer["items"]
    rows = (
        (
            item["processInstanceKey"],
            item.get("processDefinitionName") or item["processDefinitionId"],
            item["processDefinitionVersion"],
            item["state"],
            "incident" if item["hasIncident"] else "",
            when(item["startDate"]),
            when(item.get("endDate")),
        )
        for item in items
    )
    columns = ("instance", "process", "version", "state", "", "started", "ended")
    nothing = "No instance is running." if not every else "No instance."
    show_rows(columns, rows, nothing, more(answer["page"], len(items)))


def instance(key: InstanceKey, address: Address = "", as_json: AsJson = False) -> None:
    """Show a process instance: where it stands, its variables and its incidents."""
    mine = {"processInstanceKey": key}
    with Client(address) as client:
        answer = {
            "processInstance": client.get(f"/process-instances/{key}"),
            "elementInstances": client.search("/element-instances/search", mine, [{"field": "startDate"}], 1000)[
                "items"
            ],
            "variables": client.search("/variables/search", mine, [{"field": "name"}], 1000)["items"],
            "incidents": client.search("/incidents/search", {**mine, "state": "ACTIVE"})["items"],
        }
    if as_json:
        print_json(answer)
        return
    about = answer["processInstance"]
    out = console()
    name = about.get("processDefinitionName") or about["processDefinitionId"]
    ended = f", ended {when(about['endDate'])}" if about.get("endDate") else ""
    since = f"started {when(about['startDate'])}{ended}"
    out.print(f"{name} version {about['processDefinitionVersion']}: {about['state']}, {since}", markup=False)
    elements = (
        (
            each["elementId"],
            each.get("elementName"),
            each["type"],
            each["state"],
            when(each["startDate"]),
            when(each["endDate"]),
        )
        for each in answer["elementInstances"]
    )
    show_rows(("element", "name", "type", "state", "entered", "left"), elements, "No element was entered.")
    variables = ((each["name"], Text(shorten(each["value"])), _scope(each, key)) for each in answer["variables"])
    show_rows(("variable", "value", "scope"), variables, "No variables.")
    if answer["incidents"]:
        stuck = ((each["incidentKey"], each["elementId"], each["errorMessage"]) for each in answer["incidents"])
        show_rows(("incident", "element", "message"), stuck, "")


def _scope(variable: dict[str, Any], instance_key: str) -> str:
    scope = variable.get("scopeKey")
    return "" if scope == instance_key else str(scope)


def cancel(key: InstanceKey, address: Address = "") -> None:
    """Cancel a process instance: everything in it ends."""
    with Client(address) as client:
        client.post(f"/process-instances/{key}/cancellation")
    console().print(f"Instance {key} is cancelled.")


Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; the history shows it.")]


def suspend(key: InstanceKey, reason: Reason = "", address: Address = "") -> None:
    """Let a process instance stand still until it is resumed: no job is handed out, no timer fires."""
    with Client(address) as client:
        client.post(f"/process-instances/{key}/suspension", {"reason": reason} if reason else None)
    console().print(f"Instance {key} is suspended.")


def resume(key: InstanceKey, reason: Reason = "", address: Address = "") -> None:
    """Let a suspended process instance go on; timers that were due meanwhile fire at once."""
    with Client(address) as client:
        client.post(f"/process-instances/{key}/resumption", {"reason": reason} if reason else None)
    console().print(f"Instance {key} goes on.")


def history(key: InstanceKey, limit: Limit = 1_000, address: Address = "", as_json: AsJson = False) -> None:
    """Tell what happened in a process instance: when, by whom, at which element, and how variables changed."""
    items: list[dict[str, Any]] = []
    with Client(address) as client:
        while len(items) < limit:
            after = items[-1]["version"] if items else 0
            size = min(HISTORY_PAGE, limit - len(items))
            answer = client.get(f"/process-instances/{key}/history", after=after, limit=size)
            items += answer["items"]
            if len(answer["items"]) < size:
                break
    if as_json:
        print_json({"items": items})
        return
    rows = (
        (item["version"], _exactly(item["timestamp"]), item.get("actor"), _what(item), _changes(item)) for item in items
    )
    show_rows(("#", "when (UTC)", "who", "what", "variables"), rows, "Nothing happened yet.")


def _exactly(time: str) -> str:
    return time[:23].replace("T", " ").rstrip("Z")


def _what(item: dict[str, Any]) -> str:
    return str(item.get("description") or item["topic"])


def _changes(item: dict[str, Any]) -> str:
    """`amount: 1 → 2`, a line each."""
    lines = []
    for change in item.get("variables") or ():
        before, after = change.get("before"), change.get("after")
        was = "" if before is None else f"{shorten(encode_json(before).decode(), 30)} → "
        lines.append(f"{change['name']}: {was}{shorten(encode_json(after).decode(), 40)}")
    return "\n".join(lines)


def state(
    key: InstanceKey,
    version: Annotated[
        int | None, typer.Option("--version", min=1, help="As of this event (`history` numbers them).")
    ] = None,
    address: Address = "",
) -> None:
    """Print the state that a process instance had after an event, as JSON, replayed from the log."""
    with Client(address) as client:
        print_json(client.get(f"/process-instances/{key}/state", version=version))
