"""`flowledger tasks`, `complete`, `assign`, `unassign`: what people have to do."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.cli.client import Client
from infra.cli.options import Address, AsJson, Limit, Variables, key_argument, read_variables
from infra.cli.output import console, more, print_json, show_rows, when


def register(app: typer.Typer) -> None:
    """Add this topic's commands."""
    for command in (tasks, complete, assign, unassign):
        app.command()(command)


def tasks(
    assignee: Annotated[str, typer.Option("--assignee", "-a", metavar="NAME", help="Only those of this person.")] = "",
    group: Annotated[str, typer.Option("--group", "-g", metavar="NAME", help="Only those this group may take.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Also those that are done or cancelled.")] = False,
    limit: Limit = 100,
    address: Address = "",
    as_json: AsJson = False,
) -> None:
    """List the open user tasks, the oldest first."""
    filters = {
        "state": None if every else "CREATED",
        "assignee": assignee or None,
        "candidateGroup": group or None,
    }
    with Client(address) as client:
        answer = client.search("/user-tasks/search", filters, [{"field": "creationDate"}], limit)
    if as_json:
        print_json(answer)
        return
    items = answer["items"]
    columns = ["task", "name", "process", "instance", "assignee", "groups", "due", *(["state"] if every else [])]
    rows = (
        (
            item["userTaskKey"],
            item.get("name") or item["elementId"],
            item.get("processName") or item["processDefinitionId"],
            item["processInstanceKey"],
            item.get("assignee"),
            item.get("candidateGroups"),
            when(item.get("dueDate")),
            *([item["state"]] if every else []),
        )
        for item in items
    )
    show_rows(columns, rows, "No task is open." if not every else "No task.", more(answer["page"], len(items)))


def complete(
    task: Annotated[str, key_argument("Key of the task, as `flowledger tasks` lists it.")],
    variables: Variables = "",
    action: Annotated[str, typer.Option("--action", help="What was done, e.g. approve or reject.")] = "",
    address: Address = "",
) -> None:
    """Complete a user task; its variables go to the process."""
    body = {"variables": read_variables(variables), **({"action": action} if action else {})}
    with Client(address) as client:
        client.post(f"/user-tasks/{task}/completion", body)
    console().print(f"Task {task} is complete.")


def assign(
    task: Annotated[str, key_argument("Key of the task.")],
    assignee: Annotated[str, typer.Argument(metavar="NAME", help="Who is to do it.")],
    keep: Annotated[bool, typer.Option("--keep", help="Refuse if somebody has it already.")] = False,
    address: Address = "",
) -> None:
    """Give a user task to a person."""
    with Client(address) as client:
        client.post(f"/user-tasks/{task}/assignment", {"assignee": assignee, "allowOverride": not keep})
    console().print(f"Task {task} is assigned to {assignee}.", markup=False)


def unassign(task: Annotated[str, key_argument("Key of the task.")], address: Address = "") -> None:
    """Take a user task from the person that has it; its groups may take it again."""
    with Client(address) as client:
        client.delete(f"/user-tasks/{task}/assignee")
    console().print(f"Task {task} is assigned to nobody.")
