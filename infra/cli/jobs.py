"""`flowledger jobs`, `incidents`, `resolve`: what workers have to do, and what is stuck."""

from __future__ import annotations

from typing import Annotated

import typer

from infra.cli.client import Client
from infra.cli.options import Address, AsJson, Limit, key_argument
from infra.cli.output import console, more, print_json, shorten, show_rows, when

OPEN_STATES = {"$in": ["CREATED", "FAILED", "RETRIES_UPDATED", "TIMED_OUT", "ERROR_THROWN"]}


def register(app: typer.Typer) -> None:
    """Add this topic's commands."""
    for command in (jobs, incidents, resolve):
        app.command()(command)


def jobs(
    job_type: Annotated[str, typer.Option("--type", "-t", metavar="TYPE", help="Only jobs of this type.")] = "",
    every: Annotated[bool, typer.Option("--all", help="Also those that are done or cancelled.")] = False,
    limit: Limit = 100,
    address: Address = "",
    as_json: AsJson = False,
) -> None:
    """List the jobs that workers have to do."""
    filters = {"type": job_type or None, "state": None if every else OPEN_STATES}
    with Client(address) as client:
        answer = client.search("/jobs/search", filters, [{"field": "jobKey"}], limit)
    if as_json:
        print_json(answer)
        return
    items = answer["items"]
    rows = (
        (
            item["jobKey"],
            item["type"],
            item["elementId"],
            item["processInstanceKey"],
            item["state"],
            item["retries"],
            item.get("worker"),
            when(item.get("deadline")),
        )
        for item in items
    )
    columns = ("job", "type", "element", "instance", "state", "retries", "worker", "deadline")
    show_rows(columns, rows, "No job is open." if not every else "No job.", more(answer["page"], len(items)))


def incidents(
    every: Annotated[bool, typer.Option("--all", help="Also those that are resolved.")] = False,
    limit: Limit = 100,
    address: Address = "",
    as_json: AsJson = False,
) -> None:
    """List the incidents: instances that cannot go on without help."""
    filters = {"state": None if every else "ACTIVE"}
    with Client(address) as client:
        answer = client.search("/incidents/search", filters, [{"field": "creationTime"}], limit)
    if as_json:
        print_json(answer)
        return
    items = answer["items"]
    rows = (
        (
            item["incidentKey"],
            item["errorType"],
            item["elementId"],
            item["processInstanceKey"],
            when(item["creationTime"]),
            item["state"],
            shorten(item["errorMessage"]),
        )
        for item in items
    )
    columns = ("incident", "kind", "element", "instance", "since", "state", "message")
    show_rows(columns, rows, "No incident is open." if not every else "No incident.", more(answer["page"], len(items)))


def resolve(incident: Annotated[str, key_argument("Key of the incident.")], address: Address = "") -> None:
    """Try again what an incident blocks, after its cause was mended."""
    with Client(address) as client:
        client.post(f"/incidents/{incident}/resolution")
    console().print(f"Incident {incident} is resolved; what it blocked is tried again.")
