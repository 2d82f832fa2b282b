"""`flowledger deploy` and `definitions`: models, forms and decisions on the server."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from infra.cli.client import Client
from infra.cli.options import Address, AsJson, Limit
from infra.cli.output import console, more, print_json, show_rows

KINDS = {
    "processDefinition": ("process", "processDefinitionId", "processDefinitionVersion", "processDefinitionKey"),
    "form": ("form", "formId", "version", "formKey"),
    "decisionDefinition": ("decision", "decisionDefinitionId", "version", "decisionDefinitionKey"),
    "decisionRequirements": ("decision requirements", "decisionRequirementsId", "version", "decisionRequirementsKey"),
}
"""Member of a deployment's item → what it is called, and where its id, version and key stand."""


def register(app: typer.Typer) -> None:
    """Add this topic's commands."""
    app.command()(deploy)
    app.command()(definitions)


def deploy(
    files: Annotated[
        list[Path],
        typer.Argument(metavar="FILES…", help="BPMN, form and DMN files.", exists=True, dir_okay=False, readable=True),
    ],
    address: Address = "",
    as_json: AsJson = False,
) -> None:
    """Deploy models: all of the files or, if one has errors, none.

    If no file differs from its latest version, nothing is deployed; the answer names those versions.
    """
    with Client(address) as client:
        answer = client.upload("/deployments", [(path.name, path.read_bytes()) for path in files])
    if as_json:
        print_json(answer)
        return
    show_rows(("kind", "id", "version", "key", "file"), (_row(item) for item in answer["deployments"]), "nothing")
    for warning in answer.get("warnings", ()):
        typer.echo(f"warning: {warning}", err=True)


def _row(item: dict[str, Any]) -> tuple[Any, ...]:
    for member, (kind, id_at, version_at, key_at) in KINDS.items():
        found = item.get(member)
        if found:
            return kind, found[id_at], found[version_at], found[key_at], found.get("resourceName")
    return "resource", None, None, None, None


def definitions(
    all_versions: Annotated[bool, typer.Option("--all", help="Every version, not only the latest.")] = False,
    limit: Limit = 100,
    xml: Annotated[str, typer.Option("--xml", metavar="KEY", help="Print the BPMN of this definition instead.")] = "",
    address: Address = "",
    as_json: AsJson = False,
) -> None:
    """List the process definitions, or print the BPMN of one."""
    with Client(address) as client:
        if xml:
            console().file.write(client.text(f"/process-definitions/{xml}/xml"))
            return
        filters = {"isLatestVersion": None if all_versions else True}
        sort = [{"field": "processDefinitionId"}, {"field": "version"}]
        answer = client.search("/process-definitions/search", filters, sort, limit)
    if as_json:
        print_json(answer)
        return
    items = answer["items"]
    rows = (
        (
            item["processDefinitionId"],
            item["version"],
            item.get("name"),
            item["processDefinitionKey"],
            item["resourceName"],
        )
        for item in items
    )
    nothing = "Nothing is deployed: flowledger deploy FILE…"
    show_rows(("id", "version", "name", "key", "file"), rows, nothing, more(answer["page"], len(items)))
