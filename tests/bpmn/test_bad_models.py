"""Models with one thing wrong each (bad_models.yaml): what is found, where, how grave, and what would mend it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

from domain.bpmn import read_models
from domain.errors import Finding
from tests.engine.harness import process
from tests.scenarios.bpmn_xml import to_xml
from tests.scenarios.notation import read_model

TABLE = Path(__file__).with_name("bad_models.yaml")
WITHOUT_LINE = ("start-event", "link", "compensation")
"""Rules whose findings about whole scopes are found when the lines are no longer at hand."""


class Bad(NamedTuple):
    """A model and the finding it must give. also: rules of further findings that belong to it."""

    name: str
    element: str
    rule: str
    severity: str
    says: str
    model: str = ""
    xml: str = ""
    also: tuple[str, ...] = ()

    def findings(self) -> list[Finding]:
        document = process(self.xml) if self.xml else to_xml([read_model(self.model, "p")])
        return [finding for _, findings in read_models(document.encode()) for finding in findings]


MODELS = [Bad(**entry) for entry in yaml.safe_load(TABLE.read_text("utf-8"))]


@pytest.mark.parametrize("bad", MODELS, ids=[bad.name for bad in MODELS])
def test_it_is_found_and_nothing_else(bad: Bad) -> None:
    findings = bad.findings()
    fitting = [finding for finding in findings if (finding.element_id, finding.rule) == (bad.element, bad.rule)]
    assert any(bad.says in finding.message and finding.severity == bad.severity for finding in fitting), findings
    others = {finding.rule for finding in findings if finding not in fitting}
    assert others == set(bad.also), findings


def test_every_finding_says_where_and_in_one_sentence_what_to_do() -> None:
    for bad in MODELS:
        for finding in bad.findings():
            assert finding.element_id, finding
            assert finding.line or finding.rule in WITHOUT_LINE, finding
            assert not re.search(r"[.\n]$", finding.message), finding


def test_there_are_at_least_sixty_and_no_two_are_the_same() -> None:
    assert len({bad.model + bad.xml for bad in MODELS}) == len(MODELS) >= 60


def test_all_findings_come_at_once_in_the_order_of_the_file() -> None:
    body = (
        '<bpmn:startEvent id="start"/>\n<bpmn:serviceTask id="a"/>\n<bpmn:userTask id="b"/>\n'
        '<bpmn:sequenceFlow id="f" sourceRef="start" targetRef="a"/><bpmn:sequenceFlow id="g" sourceRef="a" '
        'targetRef="b"/>\n<bpmn:sequenceFlow id="h" sourceRef="b" targetRef="nobody"/>'
    )
    findings = Bad("", "", "", "", "", xml=body).findings()
    assert [(f.element_id, f.severity, f.line) for f in findings] == [
        ("a", "error", 2),
        ("b", "warning", 3),
        ("h", "error", 5),
    ]
