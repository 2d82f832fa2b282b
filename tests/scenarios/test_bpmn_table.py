"""docs/BPMN.md says what runs: every cell of its tables about events, and its rows about elements, are tried here."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.bpmn import load_models
from domain.errors import InvalidModel
from tests.scenarios.bpmn_xml import to_xml
from tests.scenarios.notation import read_model

TABLES = Path(__file__).parents[2] / "docs" / "BPMN.md"

EVENTS = {
    "none": "",
    "timer": ", timer PT1H",
    "error": ", error E",
    "escalation": ", escalation E",
    "link": ", link L",
    "terminate": ", terminate",
    "message": ", message m key k",
    "signal": ", signal s",
    "conditional": ", condition x > 1",
    "compensation": ", compensation",
    "cancel": ", cancel",
    "multiple": ", timer PT1H, error E",
}
POSITIONS = {
    "start": "start -> end\nstart: start event{0}",
    "event subprocess": "start -> w -> end\nw: user task\nh: event subprocess\n  s -> end1\n  s: start event{0}",
    "catch": "start -> e -> end\ne: catch event{0}",
    "boundary": "start -> w -> end\nw: user task\ne: boundary on w{0}\ne -> end2",
    "throw": "start -> e -> end\ne: throw event{0}",
    "end": "start -> e\ne: end event{0}",
}
MODELS = {
    "link catch": "start -> t\nt: throw event, link L\ne -> end\ne: catch event, link L",
    "link throw": "start -> e\ne: throw event, link L\nc -> end\nc: catch event, link L",
    "compensation boundary": (
        "start -> w -> end\nw: user task\ne: boundary on w, compensation\ne ~> u\nu: task, for compensation"
    ),
    "compensation event subprocess": (
        "start -> sub -> end\nsub: subprocess\n  start1 -> end1\n  h: event subprocess\n    s -> end2\n"
        "    s: start event, compensation"
    ),
    "cancel boundary": "start -> t -> end\nt: transaction\n  start1 -> end1\ne: boundary on t, cancel\ne -> end2",
    "cancel end": "start -> t -> end\nt: transaction\n  start1 -> e\n  e: end event, cancel",
    "start event": "start -> end",
    "user task": "start -> w -> end\nw: user task",
    "service task": "start -> w -> end\nw: service task",
    "script task": "start -> w -> end\nw: script task, result x = 1",
    "business rule task": "start -> w -> end\nw: business rule task, decision d into x",
    "send task": "start -> w -> end\nw: send task",
    "receive task": "start -> w -> end\nw: receive task, message m key k",
    "manual task, undefined task": "start -> a -> b -> end\na: manual task\nb: task",
    "embedded subprocess": "start -> s -> end\ns: subprocess\n  start1 -> end1",
    "transaction": "start -> s -> end\ns: transaction\n  start1 -> end1",
    "ad-hoc subprocess": "start -> s -> end\ns: ad-hoc subprocess\n  w: user task",
    "call activity": "start -> c -> end\nc: call activity, calls child",
    "multi-instance, parallel and sequential": (
        "start -> a -> b -> end\na: user task, for each i in [1]\nb: user task, sequential for each i in [1]"
    ),
    "standard loop": "start -> a -> b -> end\na: user task, loop while x\nb: user task, repeat while x max 3",
    "conditional flows out of activities, default flow of an activity": (
        "start -> a -[x]-> b -> end\na -[default]-> end\na, b: user task"
    ),
    "exclusive": "start -> g -[x]-> end\ng -[default]-> end2\ng: exclusive gateway",
    "parallel": "start -> g -> end\ng -> end2\ng: parallel gateway",
    "inclusive, fork": "start -> g -[x]-> end\ng -[default]-> end2\ng: inclusive gateway",
    "event-based (exclusive)": "start -> g -> a, b -> end\ng: event gateway\na, b: catch event, timer PT1H",
    "complex": "start -> g -> end\ng: complex gateway",
}


def rows(heading: str) -> list[list[str]]:
    """The cells of the table under a heading, without its head."""
    text = TABLES.read_text().partition(f"## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def runs(model: str) -> bool:
    """Whether the engine takes the model."""
    try:
        load_models(to_xml([read_model(model, "p")]).encode())
    except InvalidModel:
        return False
    return True


def event_cells() -> list[tuple[str, str, str]]:
    """(event, position, what the table says)."""
    cells = []
    for event, *said in rows("Events"):
        word = event.partition(":")[0].partition(",")[0]
        cells += [(word, position, cell) for position, cell in zip(POSITIONS, said, strict=False)]
    return cells


def element_rows() -> list[tuple[str, str]]:
    """(element, what the table says) of the rows that a model above stands for."""
    found = [row for heading in ("Activities", "Gateways") for row in rows(heading)]
    return [(row[0].partition(" (")[0] if row[0] not in MODELS else row[0], row[1]) for row in found]


@pytest.mark.parametrize(("event", "position", "said"), event_cells())
def test_the_table_of_events_is_true(event: str, position: str, said: str) -> None:
    model = MODELS.get(f"{event} {position}") or POSITIONS[position].format(EVENTS[event])
    assert runs(model) == said.startswith("executes"), f"docs/BPMN.md says '{said}' of a {event} {position} event"


@pytest.mark.parametrize(("element", "said"), [row for row in element_rows() if row[0] in MODELS])
def test_the_tables_of_elements_are_true(element: str, said: str) -> None:
    assert runs(MODELS[element]) == said.startswith("executes"), f"docs/BPMN.md says '{said}' of: {element}"


def test_every_event_and_every_model_above_is_in_the_tables() -> None:
    assert {event for event, _, _ in event_cells()} == set(EVENTS)
    named = {element for element, _ in element_rows()}
    missing = {name for name in MODELS if not name.endswith((*POSITIONS, "start event"))} - named
    assert not missing
