"""`flowledger check` says offline what a deployment would find, and deployments say it too."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from commands.deployment_files import File, inspect, prepare
from domain.errors import InvalidModel
from infra.cli.main import main
from tests.engine.harness import END_EVENT, START_EVENT, flow, process, service, user

Run = Callable[..., tuple[int, str, str]]
GOOD = process(START_EVENT + user("u") + END_EVENT + flow("start", "u") + flow("u", "end"))
ODD = GOOD.replace("<zeebe:userTask/>", "")
BAD = process(
    START_EVENT + '\n<bpmn:serviceTask id="w"/>\n<bpmn:userTask id="u"/>' + flow("start", "w") + flow("w", "u")
)
CALLS = (
    '<bpmn:businessRuleTask id="rule"><bpmn:extensionElements><zeebe:calledDecision decisionId="risk" '
    'resultVariable="risk" bindingType="deployment"/></bpmn:extensionElements></bpmn:businessRuleTask>'
)
BOUND = process(START_EVENT + CALLS + flow("start", "rule"))
DMN = b"""<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" id="g" name="g" namespace="urn:g">
<decision id="risk" name="Risk"><literalExpression><text>1</text></literalExpression></decision></definitions>"""


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Run:
    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["flowledger", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        out = capfd.readouterr()
        return int(ended.value.code or 0), out.out, out.err

    return run


def write(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text, "utf-8")
    return str(path)


def test_a_model_without_findings(run: Run, tmp_path: Path) -> None:
    assert run("check", write(tmp_path, "good.bpmn", GOOD)) == (0, "Nothing to say.\n", "")


def test_errors_and_warnings_stand_in_one_table(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("check", write(tmp_path, "bad.bpmn", BAD))
    assert code == 1
    lines = out.splitlines()
    assert lines[0].split() == ["file", "line", "severity", "element", "rule", "finding"]
    assert "error" in lines[2]
    assert "the task needs a job type" in lines[2]
    assert "warning" in lines[3]
    assert lines[-1] == "1 errors, 1 warnings"


def test_warnings_alone_fail_only_when_strict(run: Run, tmp_path: Path) -> None:
    path = write(tmp_path, "odd.bpmn", ODD)
    assert run("check", path)[0] == 0
    assert run("check", "--strict", path)[0] == 1


def test_findings_as_json(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("check", "--json", write(tmp_path, "bad.bpmn", BAD))
    found = json.loads(out)
    assert (code, found["errors"], found["warnings"]) == (1, 1, 1)
    assert found["findings"][0] == {
        "file": "bad.bpmn",
        "elementId": "w",
        "line": 2,
        "severity": "error",
        "rule": "task-definition",
        "message": 'the task needs a job type: add <zeebe:taskDefinition type="…" />',
    }


def test_what_is_no_model_is_a_finding_too(run: Run, tmp_path: Path) -> None:
    code, out, _ = run("check", write(tmp_path, "x.bpmn", "<a"), write(tmp_path, "y.form", "{"))
    assert code == 1
    assert "this is not well-formed XML" in out
    assert "this is not JSON" in out
    assert run("check", write(tmp_path, "notes.txt", "hello"))[0] == 1


def test_what_is_bound_to_the_deployment_must_be_in_it(run: Run, tmp_path: Path) -> None:
    model, dmn = write(tmp_path, "bound.bpmn", BOUND), write(tmp_path, "risk.dmn", DMN.decode())
    code, out, _ = run("check", model)
    assert code == 1
    assert "it calls the decision 'risk' with bindingType=\"deployment\"" in out
    assert run("check", model, dmn)[0] == 0


def test_a_deployment_refuses_missing_references_with_all_else() -> None:
    broken = BOUND.replace("</bpmn:process>", service("w", retries="many") + "</bpmn:process>")
    with pytest.raises(InvalidModel) as refused:
        prepare([File("bound.bpmn", broken.encode())])
    assert {finding.element_id for finding in refused.value.findings} == {"rule", "w"}
    assert str(refused.value).startswith("'bound.bpmn' cannot be deployed:")
    _, warnings = prepare([File("bound.bpmn", BOUND.encode()), File("risk.dmn", DMN)])
    assert not warnings


def test_a_deployment_warns_and_goes_on() -> None:
    command, warnings = prepare([File("odd.bpmn", ODD.encode())])
    assert [resource.id for resource in command.resources] == ["p"]
    assert [(warning.element_id, warning.rule) for warning in warnings] == [("u", "user-task")]


def test_two_processes_and_one_that_is_drawn_only() -> None:
    two = GOOD.replace(
        "</bpmn:definitions>",
        '<bpmn:process id="q"><bpmn:startEvent id="start"/></bpmn:process></bpmn:definitions>',
    )
    found = inspect([File("two.bpmn", two.encode())])["two.bpmn"]
    assert [(finding.element_id, finding.rule, finding.severity) for finding in found] == [
        ("q", "executable", "warning"),
        ("start", "id", "warning"),
    ]
