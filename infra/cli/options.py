"""Options that many commands share, and how their texts are read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer

from domain.events import decode_json
from domain.keys import parse_key

Address = Annotated[
    str,
    typer.Option(
        "--address",
        metavar="URL",
        help="The server, if not that of FLOWLEDGER_ADDRESS or of the data folder.",
        show_default=False,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print the server's answer as JSON.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=10_000, help="At most so many rows.")]
Variables = Annotated[
    str,
    typer.Option(
        "--variables", "-v", metavar="JSON|@FILE", help="A JSON object, or @ and the name of a file with one."
    ),
]


def read_variables(text: str) -> dict[str, Any]:
    """The object in an option's text or in the file that it names ("" is none). Raises typer.BadParameter."""
    if not text:
        return {}
    source, shown = text, "--variables"
    if text.startswith("@"):
        shown = text[1:]
        try:
            source = Path(shown).read_text(encoding="utf-8")
        except OSError as error:
            raise typer.BadParameter(f"'{shown}' cannot be read: {error.strerror}") from error
    try:
        value = decode_json(source)
    except msgspec.DecodeError as error:
        raise typer.BadParameter(
            f"{shown} is not JSON: {error}; give an object such as '{{\"amount\": 120}}'"
        ) from error
    if not isinstance(value, dict):
        raise typer.BadParameter(f"{shown} must be a JSON object such as '{{\"amount\": 120}}'")
    return value


def _key(text: str) -> str:
    return str(parse_key(text, "key"))


def key_argument(what: str) -> Any:
    """A positional key, checked here so that a typing error costs no request."""
    return typer.Argument(metavar="KEY", help=what, parser=_parse_key)


def _parse_key(text: str) -> str:
    from domain.errors import InvalidArgument

    try:
        return _key(text)
    except InvalidArgument as error:
        raise typer.BadParameter(str(error)) from error
