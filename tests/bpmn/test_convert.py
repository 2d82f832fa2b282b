"""Models of Camunda 7 become models that run here, and the report says what needs a person."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path

import pytest
from lxml import etree

from domain.bpmn import load_models
from domain.bpmn.convert import Conversion, Severity, convert_model
from domain.bpmn.draft import BPMN
from domain.errors import InvalidModel
from infra.cli.main import main

MODELS = Path(__file__).with_name("camunda7")
HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:camunda="http://camunda.org/schema/1.0/bpmn" id="d" targetNamespace="urn:t">'
)
BETWEEN = '<bpmn:startEvent id="start"/>{}<bpmn:endEvent id="end"/>'
JOB = '<zeebe:taskDefinition type="work"/>'


def converted(body: str, roots: str = "", attributes: str = "") -> Conversion:
    """Convert the body of a process."""
    text = (
        f'{HEAD}{roots}<bpmn:process id="p" isExecutable="true" {attributes}>{body}</bpmn:process></bpmn:definitions>'
    )
    return convert_model(text.encode())


def task(tag: str, attributes: str = "", extensions: str = "", inner: str = "") -> Conversion:
    """Convert one task between a start and an end."""
    if extensions:
        inner = f"<bpmn:extensionElements>{extensions}</bpmn:extensionElements>{inner}"
    return converted(
        BETWEEN.format(f'<bpmn:{tag} id="t" {attributes}>{inner}</bpmn:{tag}>')
        + '<bpmn:sequenceFlow id="f" sourceRef="start" targetRef="t"/><bpmn:sequenceFlow id="g" sourceRef="t" targetRef="end"/>'
    )


def flat(done: Conversion) -> str:
    """The converted XML without white space between elements."""
    return re.sub(r">\s+<", "><", done.xml.decode())


def ids(xml: bytes) -> list[str]:
    """The ids of a document's BPMN and diagram elements, in order."""
    elements = etree.fromstring(xml).iter(f"{BPMN}*", "{*}BPMNShape", "{*}BPMNEdge")
    return [str(element.get("id")) for element in elements if element.get("id")]


def said(done: Conversion, severity: Severity) -> list[str]:
    return [note.what for note in done.notes if note.severity is severity]


CASES: list[tuple[str, Conversion, list[str], list[str]]] = [
    # name, conversion, what the XML contains, what a person must do
    ("an assignee", task("userTask", 'camunda:assignee="${boss}"'), ["<zeebe:userTask/>", 'assignee="=boss"'], []),
    (
        "candidates",
        task("userTask", 'camunda:candidateUsers="anna, bob" camunda:candidateGroups="${group}"'),
        ['candidateUsers="anna, bob"', 'candidateGroups="=group"'],
        [],
    ),
    (
        "dates and priority",
        task("userTask", 'camunda:dueDate="2027-01-04T08:00:00Z" camunda:followUpDate="${d}" camunda:priority="60"'),
        ['dueDate="2027-01-04T08:00:00Z"', 'followUpDate="=d"', '<zeebe:priorityDefinition priority="60"/>'],
        [],
    ),
    ("a date that Java computes", task("userTask", 'camunda:dueDate="${now().plusDays(1)}"'), [], ["camunda:dueDate"]),
    (
        "a form of Camunda",
        task("userTask", 'camunda:formRef="review" camunda:formRefBinding="deployment"'),
        ['formId="review"', 'bindingType="deployment"'],
        [],
    ),
    (
        "a form key",
        task("userTask", 'camunda:formKey="camunda-forms:deployment:f/review.form"'),
        ['formId="review"'],
        [],
    ),
    (
        "an embedded form",
        task("userTask", 'camunda:formKey="embedded:app:x.html"'),
        ['externalReference="embedded:app:x.html"'],
        ["camunda:formKey"],
    ),
    (
        "form fields in the model",
        task("userTask", "", '<camunda:formData><camunda:formField id="ok" type="boolean"/></camunda:formData>'),
        [],
        ["camunda:formData"],
    ),
    (
        "an external task",
        task("serviceTask", 'camunda:type="external" camunda:topic="pay"'),
        ['<zeebe:taskDefinition type="pay"/>'],
        [],
    ),
    (
        "a topic that is an expression",
        task("serviceTask", 'camunda:type="external" camunda:topic="${kind}"'),
        ['type="=kind"'],
        [],
    ),
    ("a class", task("serviceTask", 'camunda:class="org.acme.PayInvoice"'), ['type="pay-invoice"'], []),
    ("a delegate", task("sendTask", 'camunda:delegateExpression="${mailSender}"'), ['type="mail-sender"'], []),
    (
        "an expression that reads",
        task("serviceTask", 'camunda:expression="${a + 1}" camunda:resultVariable="b"'),
        ["<bpmn:scriptTask", '<zeebe:script expression="=a + 1" resultVariable="b"/>'],
        [],
    ),
    ("an expression that calls", task("serviceTask", 'camunda:expression="${bean.pay(x)}"'), ['type="pay"'], []),
    ("a service task that says nothing", task("serviceTask"), [], ["serviceTask"]),
    (
        "retries",
        task(
            "serviceTask",
            'camunda:type="external" camunda:topic="t"',
            "<camunda:failedJobRetryTimeCycle>R7/PT1M</camunda:failedJobRetryTimeCycle>",
        ),
        ['retries="7"'],
        [],
    ),
    (
        "retries of another form",
        task(
            "serviceTask",
            'camunda:type="external" camunda:topic="t"',
            "<camunda:failedJobRetryTimeCycle>PT1M,PT5M</camunda:failedJobRetryTimeCycle>",
        ),
        [],
        ["camunda:failedJobRetryTimeCycle"],
    ),
    (
        "injected fields",
        task(
            "serviceTask",
            'camunda:class="a.Mail"',
            '<camunda:field name="to" stringValue="x"/><camunda:field name="n"><camunda:expression>${name}'
            "</camunda:expression></camunda:field>",
        ),
        ['<zeebe:header key="to" value="x"/>', '<zeebe:input source="=name" target="n"/>'],
        [],
    ),
    (
        "a connector",
        task(
            "serviceTask",
            "",
            "<camunda:connector><camunda:connectorId>http</camunda:connectorId><camunda:inputOutput>"
            '<camunda:inputParameter name="url">u</camunda:inputParameter></camunda:inputOutput></camunda:connector>',
        ),
        ['type="http"', 'source="=&quot;u&quot;" target="url"'],
        ["camunda:connector"],
    ),
    (
        "errors by expression",
        task(
            "serviceTask",
            'camunda:type="external" camunda:topic="t"',
            '<camunda:errorEventDefinition errorRef="e" expression="${true}"/>',
        ),
        [],
        ["camunda:errorEventDefinition"],
    ),
    (
        "inputs and outputs",
        task(
            "serviceTask",
            'camunda:type="external" camunda:topic="t"',
            '<camunda:inputOutput><camunda:inputParameter name="a">${x.y}</camunda:inputParameter>'
            '<camunda:inputParameter name="l"><camunda:list><camunda:value>1</camunda:value><camunda:value>${z}'
            '</camunda:value></camunda:list></camunda:inputParameter><camunda:inputParameter name="m"><camunda:map>'
            '<camunda:entry key="k">v</camunda:entry></camunda:map></camunda:inputParameter>'
            '<camunda:outputParameter name="o">${r}</camunda:outputParameter></camunda:inputOutput>',
        ),
        [
            '<zeebe:input source="=x.y" target="a"/>',
            '<zeebe:input source="=[&quot;1&quot;, z]" target="l"/>',
            '<zeebe:input source="={&quot;k&quot;: &quot;v&quot;}" target="m"/>',
            '<zeebe:output source="=r" target="o"/>',
        ],
        [],
    ),
    (
        "an input that a script makes",
        task(
            "serviceTask",
            'camunda:type="external" camunda:topic="t"',
            '<camunda:inputOutput><camunda:inputParameter name="a"><camunda:script scriptFormat="groovy">1'
            "</camunda:script></camunda:inputParameter></camunda:inputOutput>",
        ),
        [],
        ["camunda:inputParameter 'a'"],
    ),
    (
        "a script that is an expression",
        task("scriptTask", 'scriptFormat="juel" camunda:resultVariable="x"', "", "<bpmn:script>${a * 2}</bpmn:script>"),
        ['<zeebe:script expression="=a * 2" resultVariable="x"/>'],
        [],
    ),
    (
        "a script in another language",
        task("scriptTask", 'scriptFormat="JavaScript"', "", "<bpmn:script>print(1)</bpmn:script>"),
        ['type="script-javascript"', 'key="script" value="print(1)"'],
        ["script in javascript"],
    ),
    (
        "a decision",
        task(
            "businessRuleTask",
            'camunda:decisionRef="risk" camunda:decisionRefBinding="deployment" camunda:resultVariable="r" '
            'camunda:mapDecisionResult="singleEntry"',
        ),
        ['<zeebe:calledDecision decisionId="risk" resultVariable="r" bindingType="deployment"/>'],
        [],
    ),
    (
        "a decision bound to a number",
        task(
            "businessRuleTask",
            'camunda:decisionRef="risk" camunda:decisionRefBinding="version" camunda:decisionRefVersion="3"',
        ),
        ['decisionId="risk" resultVariable="decisionResult"'],
        ["camunda:decisionRefBinding"],
    ),
    (
        "a called process",
        task(
            "callActivity",
            'calledElement="child" camunda:calledElementBinding="versionTag" camunda:calledElementVersionTag="v1"',
            '<camunda:in variables="all"/><camunda:out source="a" target="b"/>',
        ),
        [
            'processId="child" bindingType="versionTag" versionTag="v1" propagateAllParentVariables="true" '
            'propagateAllChildVariables="false"',
            '<zeebe:output source="=a" target="b"/>',
        ],
        [],
    ),
    (
        "a called process whose variables Java maps",
        task("callActivity", 'calledElement="c" camunda:variableMappingClass="a.B"'),
        [],
        ["camunda:variableMappingClass"],
    ),
    (
        "execution listeners",
        task(
            "userTask",
            "",
            '<camunda:executionListener event="start" class="a.LogIt"/>'
            '<camunda:taskListener event="complete" expression="${audit.done(task)}"/>',
        ),
        [
            '<zeebe:executionListener eventType="start" type="log-it"/>',
            '<zeebe:taskListener eventType="completing" type="done"/>',
        ],
        [],
    ),
    (
        "a task listener for a timeout",
        task("userTask", "", '<camunda:taskListener event="timeout" class="a.B"/>'),
        [],
        ["camunda:taskListener on timeout"],
    ),
    (
        "properties",
        task("userTask", "", '<camunda:properties><camunda:property name="a" value="b"/></camunda:properties>'),
        ['<zeebe:property name="a" value="b"/>'],
        [],
    ),
    (
        "what needs no counterpart",
        task("userTask", 'camunda:asyncBefore="true" camunda:asyncAfter="true" camunda:jobPriority="5"'),
        [],
        [],
    ),
    ("what nobody knows", task("userTask", 'camunda:wonder="x"'), [], ["camunda:wonder"]),
    (
        "multi-instance over a collection",
        task(
            "userTask",
            "",
            "",
            '<bpmn:multiInstanceLoopCharacteristics camunda:collection="people" camunda:elementVariable="person">'
            "<bpmn:completionCondition>${nrOfCompletedInstances == 2}</bpmn:completionCondition>"
            "</bpmn:multiInstanceLoopCharacteristics>",
        ),
        [
            '<zeebe:loopCharacteristics inputCollection="=people" inputElement="person"/>',
            "<bpmn:completionCondition>=numberOfCompletedInstances = 2<",
        ],
        [],
    ),
    (
        "multi-instance by number",
        task(
            "userTask",
            "",
            "",
            "<bpmn:multiInstanceLoopCharacteristics><bpmn:loopCardinality>${n}</bpmn:loopCardinality>"
            "</bpmn:multiInstanceLoopCharacteristics>",
        ),
        ['inputCollection="=for i in 1..n return i"'],
        [],
    ),
]


@pytest.mark.parametrize(("name", "done", "contains", "manual"), CASES, ids=[case[0] for case in CASES])
def test_each_attribute_has_its_counterpart(
    name: str, done: Conversion, contains: list[str], manual: list[str]
) -> None:
    for part in contains:
        assert part in flat(done)
    assert said(done, Severity.MANUAL) == manual
    assert "camunda.org/schema/1.0" not in done.xml.decode()
    assert all(note.element_id and note.line and note.why for note in done.notes)


class TestDocument:
    def test_the_process_keeps_its_version_tag(self) -> None:
        done = converted(BETWEEN.format(""), "", 'camunda:versionTag="v2" camunda:candidateStarterGroups="hr"')
        assert '<zeebe:versionTag value="v2"/>' in flat(done)
        assert said(done, Severity.MANUAL) == ["camunda:candidateStarterGroups"]

    def test_names_and_codes_may_be_expressions(self) -> None:
        roots = '<bpmn:signal id="s" name="stop-${id}"/><bpmn:error id="e" errorCode="E"/>'
        assert 'name="=&quot;stop-&quot; + string(id)"' in flat(converted(BETWEEN.format(""), roots))

    def test_a_message_that_is_waited_for_needs_a_correlation_key(self) -> None:
        body = (
            '<bpmn:startEvent id="start"><bpmn:messageEventDefinition messageRef="m"/></bpmn:startEvent>'
            '<bpmn:intermediateCatchEvent id="c"><bpmn:messageEventDefinition messageRef="n"/></bpmn:intermediateCatchEvent>'
        )
        done = converted(body, '<bpmn:message id="m" name="begin"/><bpmn:message id="n" name="go"/>')
        assert [(note.element_id, note.what) for note in done.notes] == [("n", "correlationKey")]
        assert done.needs_a_person

    def test_a_condition_in_a_script_language_is_left_to_a_person(self) -> None:
        flow = (
            '<bpmn:sequenceFlow id="f" sourceRef="start" targetRef="end"><bpmn:conditionExpression language="groovy">'
            "x</bpmn:conditionExpression></bpmn:sequenceFlow>"
        )
        assert said(converted(BETWEEN.format("") + flow), Severity.MANUAL) == ["conditionExpression"]

    def test_what_would_still_be_refused_is_in_the_findings(self) -> None:
        done = task("serviceTask")
        assert [finding.rule for finding in done.findings if finding.severity == "error"] == ["task-definition"]
        assert done.needs_a_person

    def test_what_is_no_model_is_refused(self) -> None:
        with pytest.raises(InvalidModel, match="not BPMN's <definitions>"):
            convert_model(b"<html/>")


class TestWholeModels:
    """Five models as people have them."""

    @pytest.mark.parametrize("name", ["invoice", "onboarding", "claim", "order", "leave"])
    def test_nothing_of_camunda_7_is_left_and_the_structure_stays(self, name: str) -> None:
        source = (MODELS / f"{name}.bpmn").read_bytes()
        done = convert_model(source)
        assert ids(done.xml) == ids(source)
        assert b'executionPlatform="Camunda Cloud"' in done.xml

    @pytest.mark.parametrize("name", ["invoice", "leave"])
    def test_it_deploys_without_further_work(self, name: str) -> None:
        done = convert_model((MODELS / f"{name}.bpmn").read_bytes())
        assert not done.needs_a_person
        ((model, _),) = load_models(done.xml)
        assert model.id == name
        assert b"${" not in done.xml

    @pytest.mark.parametrize(
        ("name", "manual"),
        [
            ("onboarding", {"camunda:initiator", "script", "script in juel", "script in groovy"}),
            (
                "claim",
                {
                    "correlationKey",
                    "camunda:errorEventDefinition",
                    "camunda:errorCodeVariable",
                    "camunda:errorMessageVariable",
                    "camunda:formKey",
                    "camunda:formData",
                },
            ),
            (
                "order",
                {"camunda:inputParameter 'payload'", "camunda:connector", "camunda:executionListener on take"},
            ),
        ],
    )
    def test_what_needs_a_person_is_said(self, name: str, manual: set[str]) -> None:
        done = convert_model((MODELS / f"{name}.bpmn").read_bytes())
        assert set(said(done, Severity.MANUAL)) == manual

    def test_the_diagram_is_kept(self) -> None:
        done = flat(convert_model((MODELS / "invoice.bpmn").read_bytes()))
        assert '<dc:Bounds x="152" y="102" width="36" height="36"/>' in done
        assert '<di:waypoint x="188" y="120"/>' in done


def test_the_command_writes_the_model_and_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def run(*arguments: str) -> int:
        monkeypatch.setattr(sys, "argv", ["flowledger", "convert", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return int(ended.value.code or 0)

    model, out, report = str(MODELS / "invoice.bpmn"), tmp_path / "out.bpmn", tmp_path / "report.json"
    assert run(model, "-o", str(out), "--report", str(report)) == 0
    assert "out.bpmn can be deployed." in capfd.readouterr().out
    assert load_models(out.read_bytes())[0][0].id == "invoice"
    told = json.loads(report.read_text())
    assert told["needsAPerson"] is False
    assert {"elementId", "line", "what", "severity", "why", "suggestion"} == set(told["notes"][0])
    assert run(str(MODELS / "order.bpmn"), "-o", str(out)) == 1
    assert run(model, "-o", model) == 2
