"""`flowledger`: the one command. The topics' modules register theirs here; errors end here too, told in plain words.

Exit codes: 0 done; 1 refused, or something was found (verify); 2 the command line or the settings are wrong;
3 no server or database answers.
"""

from __future__ import annotations

import sys

import typer
from rich.console import Console

from domain.errors import DomainError, StorageUnavailable
from infra.cli import (
    calendars,
    decisions,
    definitions,
    instances,
    jobs,
    kafka,
    maintenance,
    messages,
    models,
    monitoring,
    serving,
    tasks,
)
from infra.cli.client import Problem, Unreachable
from infra.cli.output import show_problem
from infra.settings import InvalidSetting
from infra.supervisor import EXIT_CONFIGURATION

app = typer.Typer(
    name="flowledger",
    help="Event-sourced workflow platform: BPMN 2.0, FEEL and DMN.\n\n"
    "Start it with `flowledger dev`, deploy a model with `flowledger deploy`, start an instance with "
    "`flowledger start`.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
)
for topic in (
    serving,
    models,
    definitions,
    instances,
    tasks,
    jobs,
    messages,
    decisions,
    calendars,
    kafka,
    monitoring,
    maintenance,
):
    topic.register(app)


def main() -> None:
    """Entry point of the `flowledger` script."""
    errors = Console(stderr=True, soft_wrap=True)
    try:
        app()
    except Problem as refused:
        show_problem(errors, refused)
        sys.exit(1)
    except (Unreachable, StorageUnavailable) as missing:
        errors.print(f"[red]{missing.code}[/red]", end=" ")
        errors.print(str(missing), markup=False, highlight=False)
        sys.exit(3)
    except InvalidSetting as wrong:
        errors.print(str(wrong), style="red", markup=False, highlight=False)
        sys.exit(EXIT_CONFIGURATION if {"serve", "projector", "monitoring"} & set(sys.argv) else 2)
    except DomainError as error:
        errors.print(f"[red]{error.code}[/red]", end=" ")
        errors.print(str(error), markup=False, highlight=False)
        sys.exit(1)
