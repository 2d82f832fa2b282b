"""Models that cannot be executed are refused with every finding at once; each says where and what would be right."""

from __future__ import annotations

import pytest

from commands.deployment_files import File, prepare
from domain.bpmn import load_models
from domain.errors import InvalidArgument, InvalidModel
from tests.engine.harness import BPMN_HEAD, END_EVENT, START_EVENT, flow, process, service, timer, user


def findings(xml: str | bytes) -> dict[str, list[str]]:
    """Messages by element id."""
    with pytest.raises(InvalidModel) as refused:
        load_models(xml.encode() if isinstance(xml, str) else xml)
    found: dict[str, list[str]] = {}
    for finding in refused.value.findings:
        found.setdefault(finding.element_id, []).append(finding.message)
    return found


def only(xml: str | bytes) -> str:
    """The message of the only finding."""
    ((message,),) = findings(xml).values()
    return message


class TestXml:
    def test_malformed_xml_says_the_line(self) -> None:
        with pytest.raises(InvalidModel) as refused:
            load_models(b"<a>\n<b>\n</a>")
        (finding,) = refused.value.findings
        assert finding.line == 3
        assert finding.message.startswith("this is not well-formed XML: Opening and ending tag mismatch")

    @pytest.mark.parametrize(
        "xml",
        [
            b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>',
            b'<?xml version="1.0"?>\n<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><lolz>&b;</lolz>',
            b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
            '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>'.encode("utf-16"),
            '<?xml version="1.0" encoding="UTF-16LE"?><!DOCTYPE a><a/>'.encode("utf-16-le"),
        ],
    )
    def test_a_document_type_declaration_is_refused(self, xml: bytes) -> None:
        message = only(xml)
        assert "document type declaration" in message or "not well-formed" in message

    def test_depth_size_and_emptiness_are_capped(self) -> None:
        assert only(b"<a>" * 150 + b"</a>" * 150).startswith("elements are nested more than 100 deep")
        assert "at most 4,194,304 are read" in only(b"<a>" + b" " * 5_000_000 + b"</a>")
        assert only(b"  ").startswith("the file is empty")

    def test_any_prefix_will_do(self) -> None:
        xml = process(START_EVENT + service("w") + flow("start", "w"))
        xml = (
            xml.replace("bpmn:", "x:").replace(":bpmn", ":x").replace("zeebe:", "z:").replace("xmlns:zeebe", "xmlns:z")
        )
        assert "w" in load_models(xml.encode())[0][0].nodes

    def test_other_documents_are_named(self) -> None:
        assert only("<html/>") == "the root element is <html>, not BPMN's <definitions>"
        assert "no process in it is executable" in only(BPMN_HEAD + "</bpmn:definitions>")


class TestUnsupported:
    def test_everything_unsupported_is_named_at_once_with_its_id(self) -> None:
        xml = process(
            START_EVENT
            + '<bpmn:complexGateway id="cg"/><bpmn:transaction id="tx"/>'
            + '<bpmn:endEvent id="err"><bpmn:cancelEventDefinition/></bpmn:endEvent>'
            + flow("start", "err")
        )
        found = findings(xml)
        (reason,) = found["cg"]
        assert reason.startswith("the element <complexGateway> is not supported: its activation rule")
        assert found["tx"] == ["the element <transaction> is not supported"]
        assert found["err"] == ["an end event with <cancelEventDefinition> is not supported"]


class TestStructure:
    def test_dangling_flows_are_named(self) -> None:
        found = findings(process(START_EVENT + END_EVENT + flow("start", "nowhere", "", "f1") + flow("start", "end")))
        assert found == {"f1": ["targetRef 'nowhere' is not an element of this process"]}

    def test_ids_are_unique(self) -> None:
        found = findings(process(START_EVENT + '<bpmn:task id="t"/><bpmn:task id="t"/>' + flow("start", "t")))
        assert found["t"] == ["the id 't' is used twice; ids are unique in a document"]

    def test_a_start_event_is_needed(self) -> None:
        assert only(process('<bpmn:task id="t"/>')) == "the process has no none start event; add one"

    def test_flows_stay_in_their_scope(self) -> None:
        inner = '<bpmn:subProcess id="s"><bpmn:startEvent id="i"/><bpmn:task id="t"/></bpmn:subProcess>'
        found = findings(process(START_EVENT + inner + flow("start", "s") + flow("start", "t", "", "f")))
        assert found == {"f": ["it crosses a subprocess border, from 'start' to 't'; flows stay in one scope"]}

    def test_gateway_rules(self) -> None:
        xml = process(
            START_EVENT
            + '<bpmn:exclusiveGateway id="x" default="nope"/><bpmn:parallelGateway id="p2"/><bpmn:task id="a"/><bpmn:task id="b"/>'
            + flow("start", "x")
            + flow("x", "a", "", "f1")
            + flow("x", "p2", "=true", "f2")
            + flow("p2", "b", "=true", "f3")
        )
        found = findings(xml)
        assert found["x"] == ["its default flow 'nope' is not one of its outgoing flows"]
        assert found["f1"] == [
            "it leaves the exclusive gateway 'x' without a condition; add one or make it the default"
        ]
        assert found["f3"] == ["a flow that leaves the parallel gateway 'p2' has no condition; remove it"]

    def test_expressions_are_compiled_at_deployment(self) -> None:
        xml = process(
            START_EVENT
            + '<bpmn:exclusiveGateway id="x"/><bpmn:task id="a"/>'
            + flow("start", "x")
            + flow("x", "a", "=1 +", "f")
        )
        (message,) = findings(xml)["f"]
        assert message.startswith("the condition '=1 +' is not a valid FEEL expression: line 1, column")

    def test_a_condition_begins_with_an_equals_sign(self) -> None:
        xml = process(
            START_EVENT
            + '<bpmn:exclusiveGateway id="x"/><bpmn:task id="a"/>'
            + flow("start", "x")
            + flow("x", "a", "${x > 1}".replace(">", "&gt;"), "f")
        )
        assert findings(xml)["f"] == [
            "the condition '${x > 1}' must be a FEEL expression: begin it with '=', as in '=${x > 1}'"
        ]

    def test_tasks_need_their_definitions(self) -> None:
        xml = process(
            START_EVENT + '<bpmn:serviceTask id="s"/><bpmn:scriptTask id="c"/>' + flow("start", "s") + flow("s", "c")
        )
        found = findings(xml)
        assert found["s"] == ['the task needs a job type: add <zeebe:taskDefinition type="…" />']
        assert "c" in found
        assert findings(process(START_EVENT + service("s", retries="many") + flow("start", "s")))["s"] == [
            "retries must be a whole number, not 'many'"
        ]

    @pytest.mark.parametrize(
        ("definition", "message"),
        [
            (timer("timeDuration", "5 minutes"), "'5 minutes' is not an ISO 8601 duration, such as PT15M or P1D"),
            (timer("timeDate", "soon"), "'soon' is not an ISO 8601 date and time, such as 2026-11-23T09:00:00Z"),
            (timer("timeCycle", "R3/PT1H"), "an intermediate timer fires once; use timeDate or timeDuration"),
            ("<bpmn:timerEventDefinition/>", "the timer needs a timeDate, timeDuration or timeCycle with a value"),
        ],
    )
    def test_timers_are_checked(self, definition: str, message: str) -> None:
        xml = process(
            START_EVENT
            + f'<bpmn:intermediateCatchEvent id="t">{definition}</bpmn:intermediateCatchEvent>'
            + flow("start", "t")
        )
        assert message in findings(xml)["t"]

    def test_what_only_deserves_a_word_is_a_warning(self) -> None:
        xml = process(START_EVENT + '<bpmn:userTask id="u"/><bpmn:task id="island"/>' + flow("start", "u"))
        ((_, warnings),) = load_models(xml.encode())
        assert {finding.element_id: finding.message for finding in warnings} == {
            "u": "the user task has no <zeebe:userTask />; it runs as a user task all the same",
            "island": "no path from a start event leads here",
        }


class TestDeployments:
    def test_findings_of_all_files_come_together(self) -> None:
        bad = process('<bpmn:task id="t"/>').encode()
        with pytest.raises(InvalidModel) as refused:
            prepare([File("a.bpmn", bad), File("b.form", b"{"), File("c.bpmn", b"<x")])
        assert len(refused.value.findings) == 3
        assert str(refused.value).startswith("'a.bpmn, b.form, c.bpmn' cannot be deployed:")

    def test_a_process_is_in_one_file_only(self) -> None:
        good = process(START_EVENT + user("u") + flow("start", "u")).encode()
        with pytest.raises(InvalidArgument, match=r"the process 'p' is in both 'a.bpmn' and 'b.bpmn'"):
            prepare([File("a.bpmn", good), File("b.bpmn", good)])

    def test_files_of_unknown_kind_are_refused(self) -> None:
        with pytest.raises(InvalidArgument, match=r"'notes.txt' is of no known kind; files end in .bpmn, .form, .dmn"):
            prepare([File("notes.txt", b"hello")])
        with pytest.raises(InvalidArgument, match="at least one file"):
            prepare([])

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("[]", "a form is a JSON object with a list of 'components'"),
            ('{"components": []}', "the form has no 'id'; give it one"),
            ("{nope}", "this is not JSON"),
        ],
    )
    def test_forms_are_checked(self, text: str, message: str) -> None:
        with pytest.raises(InvalidModel, match=message):
            prepare([File("x.form", text.encode())])
