"""The README's tour works as printed: its commands are run, and what they print is compared with what it shows.

Keys, times and the width of columns differ from run to run; everything else must be the same. A key that the README
shows stands for the one that this run printed at the same place.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from infra.postgres.read_models_position import ReadPosition
from tests.e2e.platform import ROOT, Dev, wait_until

KEY = re.compile(r"\b\d{15,19}\b")
TIME = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?Z?")
LINE = re.compile(r"─+")


class Step(NamedTuple):
    """A command of the tour and what the README shows under it."""

    command: str
    shown: str


def tour(text: str) -> Iterator[Step]:
    """The steps in the README's console block."""
    block = re.search(r"```console\n(.*?)```", text, re.DOTALL)
    assert block is not None, "the README has no console block"
    for part in re.split(r"^\$ ", block[1], flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        yield Step(command, shown)


def normal(output: str) -> list[str]:
    """The words of each line, with keys, times and rules replaced by what they are."""
    plain = LINE.sub("-", TIME.sub("TIME", KEY.sub("KEY", output)))
    return [" ".join(line.split()) for line in plain.splitlines() if line.strip()]


@pytest.fixture
def shell(dev: Dev, tmp_path: Path) -> dict[str, str]:
    """The environment of the reader's second terminal: `flowledger` on the path, working on this server."""
    script = tmp_path / "flowledger"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m infra.cli "$@"\n')
    script.chmod(0o755)
    path = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    return {**dev.environment, "PATH": path, "FLOWLEDGER_USER": "wang.wei"}


def test_the_tour_works_as_printed(dev: Dev, shell: dict[str, str]) -> None:
    steps = list(tour((ROOT / "README.md").read_text(encoding="utf-8")))
    assert len(steps) == 5
    keys: dict[str, str] = {}
    with ReadPosition(dev.postgres().url()) as read_models:
        for step in steps:
            command = KEY.sub(lambda match: keys.get(match[0], match[0]), step.command)
            done = subprocess.run(command, shell=True, cwd=ROOT, env=shell, capture_output=True, text=True, check=False)
            assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
            assert normal(done.stdout) == normal(step.shown), command
            keys.update(zip(KEY.findall(step.shown), KEY.findall(done.stdout), strict=True))
            wait_until(lambda: read_models.lag() == 0, "the read models")


def test_the_files_that_the_readme_names_exist() -> None:
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    linked = re.findall(r"\]\(([^)#]+)\)", text)
    assert len(linked) >= 5
    assert [name for name in linked if "://" not in name and not (ROOT / name).exists()] == []
