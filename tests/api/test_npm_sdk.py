"""Camunda's own TypeScript SDK, unmodified, against this server (tests/api/node)."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infra.serving import RunningServer
from tests.api.client import model, unique

SOURCE = Path(__file__).parent / "node"
INSTALL_SECONDS = 300
RUN_SECONDS = 120


@pytest.fixture(scope="session")
def node_folder(pytestconfig: pytest.Config) -> Path:
    """The scenario with its packages installed from the lock file; kept in pytest's cache for the next session."""
    if shutil.which("npm") is None:
        pytest.fail("these tests need Node 20 or newer with npm")
    lock = (SOURCE / "package-lock.json").read_bytes()
    cache = pytestconfig.cache
    assert cache is not None
    folder = cache.mkdir(f"npm-{hashlib.sha256(lock).hexdigest()[:16]}")
    for file in SOURCE.iterdir():
        if file.is_file():
            shutil.copy(file, folder / file.name)
    if not (folder / "node_modules" / ".package-lock.json").exists():
        subprocess.run(["npm", "ci"], cwd=folder, check=True, timeout=INSTALL_SECONDS, capture_output=True)
    return folder


def run_node(folder: Path, script: str, address: str, validation: str, *arguments: str) -> Any:
    """The findings of a script; fails with its output if it does."""
    environment = {
        "PATH": os.environ["PATH"],
        "CAMUNDA_REST_ADDRESS": address,
        "CAMUNDA_AUTH_STRATEGY": "NONE",
        "CAMUNDA_SDK_VALIDATION": validation,
    }
    command = ["node", script, *arguments]
    ended = subprocess.run(
        command, cwd=folder, env=environment, timeout=RUN_SECONDS, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return json.loads(ended.stdout.splitlines()[-1])


# The shapes of answers are those of the newer client; the older one's schemas do not know that fields may be null.
@pytest.mark.parametrize(
    ("library", "validation"), [("camunda-8.8", "req:strict,res:none"), ("camunda-9.1", "req:strict,res:strict")]
)
def test_the_typescript_sdk_runs_a_process_from_deployment_to_the_end(
    api_server: RunningServer, node_folder: Path, tmp_path: Path, library: str, validation: str
) -> None:
    name = unique("npm")
    files = {
        f"{name}.bpmn": model("work_and_review.bpmn", ID=name, FORM=name),
        f"{name}.form": model("review.form", FORM=name),
    }
    for file, content in files.items():
        (tmp_path / file).write_bytes(content)

    seen = run_node(
        node_folder,
        "scenario.mjs",
        api_server.address,
        validation,
        library,
        name,
        *(str(tmp_path / file) for file in files),
    )

    assert seen == {
        "partitions": 1,
        "deployedProcess": name,
        "deployedForm": name,
        "job": {"variables": {"amount": 12.5, "customer": {"name": "Ada"}}, "instance": True},
        "task": {"name": "Review it", "total": 1},
        "formComponents": 1,
        "visible": ["amount", "checked", "customer"],
        "state": "COMPLETED",
        "approved": "true",
        "incident": {"type": "JOB_NO_RETRIES", "message": "out of paper"},
        "cancelled": "TERMINATED",
        "unknown": {"status": 404, "title": "NOT_FOUND"},
    }


def test_every_answer_has_the_shape_that_the_typescript_sdk_demands(
    api_server: RunningServer, node_folder: Path, tmp_path: Path
) -> None:
    name = unique("shapes")
    files = {
        f"{name}.bpmn": model("work_and_review.bpmn", ID=name, FORM=name),
        f"{name}.form": model("review.form", FORM=name),
        f"{name}.dmn": model("discount.dmn", ID=name),
    }
    for file, content in files.items():
        (tmp_path / file).write_bytes(content)

    paths = [str(tmp_path / file) for file in files]
    strict = "req:strict,res:strict"
    seen = run_node(node_folder, "shapes.mjs", api_server.address, strict, "camunda-9.1", name, name, *paths)

    assert len(seen) == 28
    assert {operation for operation, items in seen.items() if items == 0} == set()
