"""The documents name what is there: every setting, every command, every file they point to."""

import re

import pytest

from infra.cli.main import app
from infra.settings import PREFIX, SETTINGS, Settings
from tests.architecture.sources import ROOT

DOCUMENTS = ["README.md", "docs/ARCHITECTURE.md", "docs/cli.md", "docs/operations.md", "docs/adr/README.md"]


def text(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_setting_is_described() -> None:
    assert set(SETTINGS) == set(Settings._fields)
    described = set(re.findall(rf"`{PREFIX}([A-Z_]+)`", text("docs/operations.md")))
    assert {name.lower() for name in described} == set(SETTINGS)


def test_every_command_is_described() -> None:
    names = {command.name or command.callback.__name__ for command in app.registered_commands if command.callback}
    assert [name for name in sorted(names) if f"`flowledger {name}" not in text("docs/cli.md")] == []


def test_every_decision_record_is_listed() -> None:
    records = {path.name for path in (ROOT / "docs" / "adr").glob("0*.md")}
    assert records == set(re.findall(r"\]\((0[^)]+)\)", text("docs/adr/README.md")))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_paths_in_a_document_exist(name: str) -> None:
    named = re.findall(
        r"`((?:domain|commands|projections|streams|api|infra|tests|docs|bench|examples)/[\w./]*)[`*]", text(name)
    )
    assert [path for path in named if not (ROOT / path).exists()] == []


@pytest.mark.parametrize("name", DOCUMENTS)
def test_links_in_a_document_exist(name: str) -> None:
    folder = (ROOT / name).parent
    linked = [link for link in re.findall(r"\]\(([^)#]+)\)", text(name)) if "://" not in link]
    assert [link for link in linked if not (folder / link).exists()] == []
