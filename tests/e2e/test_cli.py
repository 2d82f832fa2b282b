"""The command line against a server in this process, and without one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from infra.cli.main import main
from infra.embedded.postgres import EmbeddedPostgres
from infra.postgres.read_models_position import ReadPosition
from infra.serving import RunningServer
from infra.settings import Settings
from tests.e2e.platform import ROOT

Run = Callable[..., tuple[int, str, str]]
MODELS = ROOT / "bench" / "models"
STRAIGHT = """
<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" id="d" targetNamespace="urn:test">
  <process id="straight" isExecutable="true">
    <startEvent id="from" /><sequenceFlow id="flow" sourceRef="from" targetRef="to" /><endEvent id="to" />
  </process>
</definitions>
"""
TABLE = ROOT / "tests" / "models" / "discount.dmn"


@pytest.fixture(scope="module")
def server(module_database: str) -> Iterator[RunningServer]:
    with RunningServer(Settings(database_url=module_database)) as running:
        yield running


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path) -> Run:
    """Run a command line in this process: (exit code, standard output, standard error)."""
    monkeypatch.setenv("FLOWLEDGER_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("FLOWLEDGER_USER", "wang.wei")

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["flowledger", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out = capfd.readouterr()
        return int(ended.value.code or 0), out.out, out.err

    return run


@pytest.fixture
def online(run: Run, server: RunningServer, module_database: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command line against the server; what earlier commands wrote can be searched."""
    monkeypatch.setenv("FLOWLEDGER_ADDRESS", server.address)

    def online(*arguments: str) -> tuple[int, str, str]:
        with ReadPosition(module_database) as read_models:
            assert read_models.wait_for(server.platform.core.log.last_position(), 30)
        return run(*arguments)

    return online


def test_a_model_is_deployed_started_and_worked_on(online: Run) -> None:
    code, out, _ = online("deploy", str(MODELS / "approval.bpmn"))
    assert code == 0
    assert "approval" in out
    code, out, _ = online("start", "approval", "--variables", '{"amount": 12.50}', "--json")
    instance = json.loads(out)["processInstanceKey"]
    assert code == 0
    code, out, _ = online("tasks", "--json")
    (task,) = (item["userTaskKey"] for item in json.loads(out)["items"] if item["processInstanceKey"] == instance)
    assert online("assign", task, "li.na")[:2] == (0, f"Task {task} is assigned to li.na.\n")
    assert task in online("tasks", "--assignee", "li.na")[1]
    assert task not in online("tasks", "--assignee", "nobody")[1]
    assert online("unassign", task)[0] == 0
    assert online("complete", task, "--variables", '{"approved": true}') == (0, f"Task {task} is complete.\n", "")
    code, out, _ = online("history", instance)
    assert code == 0
    assert "wang.wei" in out
    assert "approved: true" in out
    assert "amount: 12.50" in out
    assert "ACTIVE" in online("instance", instance)[1]
    for element, name in (("finance_check", "Check by finance"), ("legal_check", "Check by legal")):
        listed = json.loads(online("tasks", "--json")[1])["items"]
        (task,) = (item["userTaskKey"] for item in listed if item["elementId"] == element)
        assert name in online("tasks")[1]
        online("complete", task)
    assert ": COMPLETED, started" in online("instance", instance)[1]
    code, out, _ = online("state", instance, "--version", "1")
    assert json.loads(out)["state"] == "ACTIVE"


def test_an_instance_is_cancelled(online: Run) -> None:
    online("deploy", str(MODELS / "one_task.bpmn"))
    assert "one_task" in online("definitions")[1]
    instance = json.loads(online("start", "one_task", "--json")[1])["processInstanceKey"]
    assert instance in online("jobs", "--json")[1]
    assert online("cancel", instance)[0] == 0
    assert instance not in online("instances", "--json")[1]
    assert "TERMINATED" in online("instances", "--all")[1]
    code, _, err = online("cancel", instance)
    assert code == 1
    assert instance in err


def test_start_can_wait_for_the_end(online: Run, tmp_path: Path) -> None:
    (tmp_path / "straight.bpmn").write_text(STRAIGHT)
    assert online("deploy", str(tmp_path / "straight.bpmn"))[0] == 0
    code, out, _ = online("start", "straight", "--variables", '{"amount": 1.10}', "--wait")
    assert code == 0
    assert "of straight version 1 ended." in out
    assert "amount     1.10" in out


def test_a_server_refuses_a_database_that_is_not_migrated(
    run: Run, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWLEDGER_DATABASE_URL", postgres.url("postgres"))
    for command in ("serve", "projector"):
        code, _, err = run(command)
        assert code == 1
        assert "run `flowledger migrate`" in " ".join(err.split())


def test_refusals_tell_title_detail_field_and_findings(online: Run, tmp_path: Path) -> None:
    broken = tmp_path / "broken.bpmn"
    broken.write_text("<a/>")
    code, out, err = online("deploy", str(broken))
    assert (code, out) == (1, "")
    assert err.splitlines()[0] == "INVALID_MODEL 'broken.bpmn' cannot be deployed:"
    assert "  field: resources" in err
    assert "  line 1: the root element is <a>, not BPMN's <definitions>" in err
    code, _, err = online("start", "nothing-like-it")
    assert code == 1
    assert err.startswith("NOT_FOUND no process 'nothing-like-it' is deployed")


def test_verify_finds_a_row_that_is_not_what_the_log_says(
    run: Run, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLOWLEDGER_DATABASE_URL", database)
    code, out, _ = run("verify")
    assert code == 0
    assert "Nothing is wrong." in out
    with psycopg.connect(database) as connection:
        connection.execute("INSERT INTO wait_timers (instance_key, local, element, due) VALUES (4096, 1, 1, 1)")
    code, out, _ = run("verify")
    assert code == 1
    assert "1 problems." in out


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["complete", "x"], 2, "a decimal string"),
        (["start", "p", "--variables", "[1]"], 2, "must be a JSON object"),
        (["start", "p", "--variables", "{"], 2, "is not JSON"),
        (["start", "p", "--variables", "@no-such-file"], 2, "cannot be read"),
        (["tasks", "--address", "http://127.0.0.1:1"], 3, "no server answers at http://127.0.0.1:1"),
        (["serve"], 78, "FLOWLEDGER_DATABASE_URL"),
        (["migrate"], 2, "FLOWLEDGER_DATABASE_URL"),
        (["verify"], 1, "there is no database in"),
        (["feel", "1 +"], 1, "line 1, column 4"),
        (["decide", "README.md"], 1, "cannot be deployed"),
    ],
)
def test_mistakes_are_told_with_an_exit_code(run: Run, arguments: list[str], code: int, said: str) -> None:
    ended, _, err = run(*arguments)
    assert ended == code
    assert said in " ".join(err.replace("│", " ").split())


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("FLOWLEDGER_PROT", "1", "there is no setting FLOWLEDGER_PROT; did you mean FLOWLEDGER_PORT?"),
        ("FLOWLEDGER_PORT", "99999", "FLOWLEDGER_PORT is '99999'; it must be a whole number from 0 to 65535"),
        ("FLOWLEDGER_HOST", "0.0.0.0", "FLOWLEDGER_HOST is '0.0.0.0'; it must be a loopback address"),
        ("FLOWLEDGER_CLOCK_CONTROL", "maybe", "it must be 'true' or 'false'"),
        ("FLOWLEDGER_DATABASE_URL", "mysql://user:secret@h/d", "it must be a PostgreSQL URL"),
    ],
)
def test_a_wrong_setting_is_named(
    run: Run, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, said: str
) -> None:
    monkeypatch.setenv(variable, value)
    code, _, err = run("migrate")
    assert code == 2
    assert said in " ".join(err.split())
    assert "secret" not in err


def test_expressions_and_decisions_are_evaluated_without_a_server(run: Run, tmp_path: Path) -> None:
    assert run("feel", 'if amount > 5000 then "director" else "manager"', "-c", '{"amount": 7200}')[1] == "director\n"
    assert run("feel", "[1..3]", "--matches", "2")[1] == "true\n"
    code, out, err = run("feel", "amount + 1")
    assert (code, out) == (0, "null\n")
    assert "no variable 'amount'" in err
    model = str(TABLE)
    code, out, _ = run("decide", model, "--inputs", '{"amount": 50}', "--json")
    assert code == 0
    output = json.loads(out)["output"]
    examples = tmp_path / "examples.json"
    examples.write_text(json.dumps([{"inputs": {"amount": 50}, "expected": output}]))
    assert "1 passed, 0 failed" in run("dmn", "test", str(examples), "--model", model)[1]
    examples.write_text(json.dumps([{"inputs": {"amount": 50}, "expected": "else"}]))
    code, out, _ = run("dmn", "test", str(examples), "--model", model)
    assert code == 1
    assert "0 passed, 1 failed" in out
    assert run("dmn", "check", model)[0] == 0


def test_the_module_can_be_run() -> None:
    command = [sys.executable, "-m", "infra.cli", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "Start everything on this machine" in " ".join(done.stdout.split())
