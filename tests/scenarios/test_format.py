"""The scenarios' format: what a line of a model becomes, and that a mistake in a file is told, never passed over."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from lxml import etree

from tests.scenarios.__main__ import failure_of
from tests.scenarios.bpmn_xml import to_xml
from tests.scenarios.notation import Flow, NotationError, read_model, split
from tests.scenarios.scenario import BadScenario, Scenario, read_file

PLANNED = Path(__file__).parent / "planned"
BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
ZEEBE = "{http://camunda.org/schema/zeebe/1.0}"
SCENARIO = """
- name: one task
  cites: BPMN 2.0 §13.3.3
  model: |
    start -> work -> end
    work: service task
  steps:
  - start: {}
    waiting: [work]
  - complete: work
    state: completed
"""


def xml_of(model: str, suffix: str = "") -> etree._Element:
    """The process element of a model."""
    return find(etree.fromstring(to_xml([read_model(model, "p")], suffix)), f"{BPMN}process")


def find(element: etree._Element, path: str) -> etree._Element:
    """The element at a path, which must be there."""
    found = element.find(path)
    assert found is not None, f"there is no {path}"
    return found


def scenarios_of(text: str, folder: Path) -> list[Scenario]:
    """The scenarios of a file with this text."""
    path = folder / "file.yaml"
    path.write_text(text)
    return list(read_file(path))


class TestModels:
    def test_lists_on_both_sides_of_an_arrow_are_all_connected(self) -> None:
        model = read_model("start -> a, b -> c\na, b, c: task", "p")
        assert model.flows == [Flow("start", "a"), Flow("start", "b"), Flow("a", "c"), Flow("b", "c")]

    def test_conditions_and_the_default_flow(self) -> None:
        process = xml_of("start -> x -[a > 1 and b < 2]-> y\nx -[default]-> z\nx: exclusive gateway\ny, z: task")
        gateway = find(process, f"{BPMN}exclusiveGateway")
        assert gateway.get("default") == "x--z"
        assert process.findtext(f".//{BPMN}conditionExpression") == "=a > 1 and b < 2"

    def test_two_flows_between_the_same_elements_have_ids_of_their_own(self) -> None:
        process = xml_of("start -> x -> y\nx -> y\nx, y: parallel gateway")
        ids = [flow.get("id") for flow in process.iter(f"{BPMN}sequenceFlow")]
        assert ids == ["start--x", "x--y", "x--y--2"]

    def test_what_is_indented_lies_in_the_scope(self) -> None:
        process = xml_of("start -> sub -> end\nsub: subprocess\n  input a = 1\n  start1 -> end1")
        sub = find(process, f"{BPMN}subProcess")
        assert [event.get("id") for event in sub.iter(f"{BPMN}startEvent", f"{BPMN}endEvent")] == ["start1", "end1"]
        assert find(sub, f".//{ZEEBE}input").get("source") == "=1"

    def test_boundary_events_say_whether_they_interrupt(self) -> None:
        process = xml_of(
            "start -> w -> end\nw: task\na: boundary on w, timer PT1H\nb: non-interrupting boundary on w, error E"
        )
        a, b = process.findall(f"{BPMN}boundaryEvent")
        assert (a.get("attachedToRef"), a.get("cancelActivity")) == ("w", "true")
        assert b.get("cancelActivity") == "false"
        assert a.findtext(f".//{BPMN}timeDuration") == "PT1H"

    def test_a_multi_instance_line_becomes_loop_characteristics(self) -> None:
        process = xml_of(
            "start -> w\nw: service task\n  sequential for each i in items collect i + 1 into sums until i > 3"
        )
        loop = find(process, f".//{BPMN}multiInstanceLoopCharacteristics")
        zeebe = find(loop, f".//{ZEEBE}loopCharacteristics")
        assert loop.get("isSequential") == "true"
        assert {str(name): value for name, value in zeebe.attrib.items()} == {
            "inputCollection": "=items",
            "inputElement": "i",
            "outputCollection": "sums",
            "outputElement": "=i + 1",
        }
        assert loop.findtext(f"{BPMN}completionCondition") == "=i > 3"

    def test_a_suffix_keeps_shared_names_apart(self) -> None:
        document = to_xml([read_model("start -> m\nm: catch event, message paid key order", "p")], "-7")
        root = etree.fromstring(document)
        assert find(root, f"{BPMN}process").get("id") == "p-7"
        assert find(root, f"{BPMN}message").get("name") == "paid-7"

    def test_commas_inside_brackets_and_quotes_do_not_split(self) -> None:
        assert split('task, input x = max(1, 2), output y = "a, b"') == [
            "task",
            "input x = max(1, 2)",
            'output y = "a, b"',
        ]

    @pytest.mark.parametrize(
        ("model", "reason"),
        [
            ("start -> work -> end", "'work' is not described"),
            ("work: srvice task", "line 1: 'srvice task' is no kind of element"),
            ("a: task\na: task", "line 2: 'a' is described twice"),
            ("start -> a\na: task\n  retry 3", "line 3: 'retry 3' is neither a flow"),
            ("a: task\n  start -> end", "line 1: a task contains no elements"),
            ("start -> end\n  input x = 1", "line 2: only an element has indented lines"),
            ("start -> 1x -> end", "line 1: '1x' is not a list of element ids"),
        ],
    )
    def test_a_line_that_cannot_be_read_is_named(self, model: str, reason: str) -> None:
        with pytest.raises(NotationError) as refused:
            read_model(model, "p")
        assert str(refused.value).startswith(reason)


def planned_models() -> list[tuple[str, str]]:
    """(file, model) of the scenarios that wait for their feature."""
    found = []
    for path in sorted(PLANNED.glob("*.yaml")):
        for item in yaml.safe_load(path.read_text()):
            found += [(path.stem, model) for model in item.get("models", {"p": item.get("model")}).values()]
    return found


class TestPlanned:
    @pytest.mark.parametrize(("file", "model"), planned_models())
    def test_every_planned_model_is_good_notation(self, file: str, model: str) -> None:
        assert to_xml([read_model(model, file)]).startswith("<bpmn:definitions")


class TestFiles:
    def test_a_scenario_is_named_by_its_file_and_name(self, tmp_path: Path) -> None:
        (scenario,) = scenarios_of(SCENARIO, tmp_path)
        assert scenario.id == "file::one task"

    def test_dates_and_words_stay_text(self, tmp_path: Path) -> None:
        (scenario,) = scenarios_of(SCENARIO.replace("{}", "{at: 2027-01-01, yes: no, ok: true}"), tmp_path)
        assert scenario.steps[0].subject == {"at": "2027-01-01", "yes": "no", "ok": True}

    @pytest.mark.parametrize(
        ("before", "after", "reason"),
        [
            ("waiting:", "waitin:", "step 1: 'waitin' is unknown here; did you mean 'waiting'"),
            ("cites: BPMN 2.0 §13.3.3", "cites:", "'cites' is missing"),
            ("state: completed", "variables: {}", "the last step says neither"),
            ("state: completed", "state: done", "state is one of"),
            ("- start: {}\n    waiting", "- waiting", "step 1: it has one action"),
            ("complete: work", "complete: work\n    start: {}", "step 2: it has one action"),
        ],
    )
    def test_a_mistake_is_told_with_its_place(self, tmp_path: Path, before: str, after: str, reason: str) -> None:
        with pytest.raises(BadScenario) as refused:
            scenarios_of(SCENARIO.replace(before, after), tmp_path)
        assert str(refused.value).startswith("file::one task")
        assert reason in str(refused.value)


class TestExpectations:
    """Each expectation can fail: a scenario that says something else than what happens is told so."""

    @pytest.mark.parametrize(
        ("before", "after", "reason"),
        [
            (
                "waiting: [work]",
                "waiting: [work, work]",
                "step 1 (start {}): waiting are ['work'], not ['work', 'work']",
            ),
            ("waiting: [work]", "incidents: [work JOB_NO_RETRIES]", "no incident is 'work JOB_NO_RETRIES'"),
            ("waiting: [work]", "sees: {work: {x: 1}}", "'work' does not see 'x'"),
            ("waiting: [work]", "refused: INVALID", "step 1 (start {}) was not refused"),
            ("state: completed", "state: active", "the instance is completed, not active"),
            ("state: completed", "state: completed\n    variables: {x: 1}", "there is no variable 'x'"),
            ("state: completed", "state: completed\n    completed: {work: 2}", "'work' completed 1 times, not 2"),
            ("state: completed", "state: completed\n    terminated: {work: 1}", "'work' terminated 0 times, not 1"),
            ("state: completed", "state: completed\n    trace: [start, end, work]", "after ['start'] came"),
            ("state: completed", "state: completed\n    trace: [start, work]", "came ['end'] too"),
            ("state: completed", "instances: {p: [active]}", "instances of 'p' are ['completed'], not ['active']"),
            ("complete: work", "complete: other", "there is no active job or task 1 of 'other'"),
            ("complete: work", "fail: work", "incidents that were not expected"),
        ],
    )
    def test_what_does_not_hold_fails(self, tmp_path: Path, before: str, after: str, reason: str) -> None:
        (scenario,) = scenarios_of(SCENARIO.replace(before, after), tmp_path)
        assert reason in failure_of(scenario)

    def test_what_holds_passes(self, tmp_path: Path) -> None:
        (scenario,) = scenarios_of(SCENARIO, tmp_path)
        assert failure_of(scenario) == ""
