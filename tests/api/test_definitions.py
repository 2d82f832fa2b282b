"""Deployments over HTTP: what they bring, and everything that a file can be refused for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.client import Client, model, problem, unique

HEAD = (
    '<bpmn:definitions xmlns:bpmn="http://www.omg.org/spec/BPMN/20100524/MODEL" '
    'xmlns:zeebe="http://camunda.org/schema/zeebe/1.0" id="d" targetNamespace="t">\n'
    '<bpmn:process id="p" isExecutable="true">\n'
)
TAIL = "\n</bpmn:process></bpmn:definitions>"


def process(content: str) -> bytes:
    return (HEAD + content + TAIL).encode()


def findings(api: Client, content: bytes, name: str = "bad.bpmn") -> list[Any]:
    """What is wrong with a file, when it is deployed."""
    found = problem(api.send((name, content)), 400, "INVALID_MODEL")
    assert found["field"] == "resources"
    return list(found["findings"])


class TestDeploying:
    def test_a_process_and_its_form(self, api: Client) -> None:
        name = unique("deployed")
        deployment = api.deploy(
            (f"{name}.bpmn", model("user_task.bpmn", ID=name, FORM=name)),
            (f"{name}.form", model("review.form", FORM=name)),
        )
        process_entry, form_entry = deployment["deployments"]
        assert deployment["tenantId"] == "<default>"
        assert process_entry["processDefinition"]["processDefinitionId"] == name
        assert (process_entry["form"], process_entry["decisionDefinition"]) == (None, None)
        assert (form_entry["form"]["formId"], form_entry["form"]["version"]) == (name, 1)
        again = api.ok("GET", f"/deployments/{deployment['deploymentKey']}")
        assert len(again["deployments"]) == 2

    def test_the_same_file_again_is_no_new_version(self, api: Client) -> None:
        name = unique("deployed")
        file = (f"{name}.bpmn", model("one_task.bpmn", ID=name))
        first, second = (api.deploy(file)["deployments"][0]["processDefinition"] for _ in range(2))
        assert second == first
        changed = (file[0], file[1] + b"<!-- changed -->")
        assert api.deploy(changed)["deployments"][0]["processDefinition"]["processDefinitionVersion"] == 2

    def test_a_definition_is_found_read_and_searched(self, api: Client) -> None:
        name = unique("deployed")
        xml = model("user_task.bpmn", ID=name, FORM=name)
        deployment = api.deploy((f"{name}.bpmn", xml), (f"{name}.form", model("review.form", FORM=name)))
        key = deployment["deployments"][0]["processDefinition"]["processDefinitionKey"]

        got = api.ok("GET", f"/process-definitions/{key}")
        assert (got["processDefinitionId"], got["version"], got["name"]) == (name, 1, "Review")
        assert got["hasStartForm"] is True
        assert [
            item["processDefinitionKey"] for item in api.search("process-definitions", processDefinitionId=name)
        ] == [key]
        shown = api.call("GET", f"/process-definitions/{key}/xml")
        assert (shown.content, shown.headers["content-type"]) == (xml, "text/xml; charset=utf-8")
        form = api.ok("GET", f"/process-definitions/{key}/form")
        assert form["formId"] == name
        assert api.ok("GET", f"/forms/{form['formKey']}")["schema"] == form["schema"]

    def test_a_process_without_a_start_form_answers_204(self, api: Client) -> None:
        name = unique("deployed")
        deployment = api.deploy((f"{name}.bpmn", model("one_task.bpmn", ID=name)))
        key = deployment["deployments"][0]["processDefinition"]["processDefinitionKey"]
        assert api.call("GET", f"/process-definitions/{key}/form").status_code == 204

    def test_statistics_count_over_all_instances(self, api: Client) -> None:
        name = unique("deployed")
        deployment = api.deploy((f"{name}.bpmn", model("one_task.bpmn", ID=name)))
        key = deployment["deployments"][0]["processDefinition"]["processDefinitionKey"]
        for _ in range(3):
            api.start(name)
        (job,) = api.activate(name)
        api.ok("POST", f"/jobs/{job['jobKey']}/completion")
        path = f"/process-definitions/{key}/statistics/element-instances"
        found = api.ok("POST", path, Flowledger_Min_Position=str(api.position()))["items"]
        assert {"elementId": "work", "active": 2, "completed": 1, "canceled": 0, "incidents": 0} in found

    def test_decisions_are_deployed_and_read(self, api: Client) -> None:
        name = unique("discount")
        xml = model("discount.dmn", ID=name)
        deployment = api.deploy((f"{name}.dmn", xml))
        requirements, decision = (entry for entry in deployment["deployments"])
        graph_key = requirements["decisionRequirements"]["decisionRequirementsKey"]
        key = decision["decisionDefinition"]["decisionDefinitionKey"]
        assert decision["decisionDefinition"]["decisionRequirementsKey"] == graph_key
        assert api.ok("GET", f"/decision-definitions/{key}")["decisionDefinitionId"] == name
        assert api.ok("GET", f"/decision-requirements/{graph_key}")["decisionRequirementsId"] == f"{name}-graph"
        assert api.call("GET", f"/decision-definitions/{key}/xml").content == xml
        assert api.call("GET", f"/decision-requirements/{graph_key}/xml").content == xml
        assert len(api.search("decision-definitions", decisionDefinitionId=name)) == 1
        assert len(api.search("decision-requirements", decisionRequirementsKey=graph_key)) == 1

    @pytest.mark.parametrize(
        "path",
        [
            "/process-definitions/4096",
            "/process-definitions/4096/xml",
            "/process-definitions/4096/form",
            "/forms/4096",
            "/deployments/4096",
            "/decision-definitions/4096/xml",
            "/decision-requirements/4096/xml",
        ],
    )
    def test_an_unknown_key_is_not_found(self, api: Client, path: str) -> None:
        problem(api.call("GET", path), 404, "NOT_FOUND")


class TestRefusing:
    def test_malformed_xml_says_its_line(self, api: Client) -> None:
        (finding,) = findings(api, b"<a>\n<b>\n</a>")
        assert finding["line"] == 3
        assert "not well-formed XML" in finding["message"]

    @pytest.mark.parametrize(
        "content",
        [
            b'<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><lolz>&b;</lolz>',
            b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        ],
    )
    def test_hostile_xml_is_refused_unread(self, api: Client, content: bytes) -> None:
        (finding,) = findings(api, content)
        assert "document type declaration" in finding["message"]

    def test_deeply_nested_xml_is_refused(self, api: Client) -> None:
        (finding,) = findings(api, b"<a>" * 150 + b"</a>" * 150)
        assert "nested more than" in finding["message"]

    def test_everything_unsupported_is_named_at_once(self, api: Client) -> None:
        content = '<bpmn:startEvent id="s"/><bpmn:complexGateway id="one"/>\n<bpmn:transaction id="two"/>'
        found = {finding["elementId"]: finding for finding in findings(api, process(content))}
        assert found["one"]["message"].startswith("the element <complexGateway> is not supported")
        assert found["two"]["message"].startswith("the element <transaction> is not supported")
        assert found["two"]["line"] == 4

    def test_dangling_flows_are_named(self, api: Client) -> None:
        content = (
            '<bpmn:startEvent id="s"/><bpmn:endEvent id="e"/>'
            '<bpmn:sequenceFlow id="f1" sourceRef="s" targetRef="e"/>'
            '<bpmn:sequenceFlow id="f2" sourceRef="s" targetRef="nowhere"/>'
        )
        (finding,) = findings(api, process(content))
        assert (finding["elementId"], finding["severity"]) == ("f2", "error")
        assert finding["message"] == "targetRef 'nowhere' is not an element of this process"

    def test_the_findings_of_all_files_come_together(self, api: Client) -> None:
        refused = api.send(
            ("one.bpmn", b"<one"), ("two.form", b"{}"), ("three.bpmn", model("straight.bpmn", ID="fine"))
        )
        found = problem(refused, 400, "INVALID_MODEL")
        assert found["detail"].startswith("'one.bpmn, two.form' cannot be deployed:")
        assert len(found["findings"]) == 2
        assert api.search("process-definitions", processDefinitionId="fine") == []

    @pytest.mark.parametrize(
        ("content", "message"),
        [
            (b"{", "this is not JSON"),
            (b"[]", "a form is a JSON object"),
            (b'{"components":[]}', "the form has no 'id'"),
        ],
    )
    def test_a_wrong_form_says_why(self, api: Client, content: bytes, message: str) -> None:
        (finding,) = findings(api, content, "bad.form")
        assert message in finding["message"]

    def test_an_unknown_kind_of_file(self, api: Client) -> None:
        found = problem(api.send(("notes.txt", b"hello")), 400, "INVALID_ARGUMENT")
        assert found["detail"] == "'notes.txt' is of no known kind; files end in .bpmn, .form, .dmn"

    def test_a_deployment_without_files(self, api: Client) -> None:
        refused = api.http.post("/deployments", files={"tenantId": (None, "<default>")})
        assert "needs at least one file in 'resources'" in problem(refused, 400, "INVALID_ARGUMENT")["detail"]

    def test_parts_of_other_names(self, api: Client) -> None:
        refused = api.http.post("/deployments", files=[("resource", ("a.bpmn", b""))])
        assert "'resource' is not a part of a deployment" in problem(refused, 400, "INVALID_ARGUMENT")["detail"]

    def test_bodies_that_are_no_multipart(self, api: Client) -> None:
        found = problem(api.call("POST", "/deployments", {}), 415, "UNSUPPORTED_MEDIA_TYPE")
        assert found["detail"].endswith("not 'application/json'")
        headers = {"Content-Type": "multipart/form-data; boundary=x"}
        problem(api.http.post("/deployments", content=b"rubbish", headers=headers), 400, "BAD_REQUEST")

    def test_more_bytes_than_allowed(self, api: Client) -> None:
        found = problem(api.send(("big.bpmn", b" " * 17_000_000)), 413, "BODY_TOO_LARGE")
        assert "at most 16,777,216 are allowed" in found["detail"]

    def test_more_files_than_allowed(self, api: Client) -> None:
        refused = api.send(*((f"{number}.form", b"{}") for number in range(101)))
        assert "Maximum number of files is 100" in problem(refused, 400, "BAD_REQUEST")["detail"]


def test_a_model_that_loops_for_ever_becomes_an_incident(api: Client) -> None:
    name = unique("loop")
    content = (
        '<bpmn:startEvent id="s"/><bpmn:exclusiveGateway id="again" default="f2"/><bpmn:task id="t"/>'
        '<bpmn:endEvent id="end"/>'
        '<bpmn:sequenceFlow id="f1" sourceRef="s" targetRef="again"/>'
        '<bpmn:sequenceFlow id="f2" sourceRef="again" targetRef="t"/>'
        '<bpmn:sequenceFlow id="f3" sourceRef="t" targetRef="again"/>'
        '<bpmn:sequenceFlow id="f4" sourceRef="again" targetRef="end">'
        "<bpmn:conditionExpression>=enough = true</bpmn:conditionExpression></bpmn:sequenceFlow>"
    )
    deployed = api.deploy((f"{name}.bpmn", process(content).replace(b'"p"', f'"{name}"'.encode())))
    (finding,) = deployed["findings"]
    assert (finding["elementId"], finding["rule"], finding["severity"]) == ("again", "loop", "warning")
    assert deployed["warnings"] == [f"line {finding['line']}: again: {finding['message']}"]
    started = api.start(name)
    (incident,) = api.search("incidents", processInstanceKey=started["processInstanceKey"])
    assert incident["state"] == "ACTIVE"
    assert "the model loops" in incident["errorMessage"]
