"""Scenarios as they stand in the YAML files: read, and checked for what only looks like an expectation.

A step has one action, what belongs to it, and what must hold afterwards (docs/scenarios.md).
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.scenarios.bpmn_xml import to_xml
from tests.scenarios.notation import NotationError, read_model

SUITE = Path(__file__).parent / "suite"
MODELS = Path(__file__).parent / "models"

ACTIONS: dict[str, tuple[str, ...]] = {
    "start": ("process",),
    "complete": ("with", "nth", "type", "result"),
    "fail": ("retries", "message", "with", "nth", "type"),
    "throw_error": ("at", "with", "nth", "message"),
    "advance": (),
    "advance_to": (),
    "set": ("at", "local", "nth"),
    "set_retries": ("at", "nth"),
    "resolve": ("nth",),
    "assign": ("to", "nth"),
    "update": ("with", "nth"),
    "cancel": (),
    "suspend": ("reason",),
    "resume": ("reason",),
    "deploy": (),
    "publish": ("key", "with", "ttl", "id"),
    "broadcast": ("with",),
}
"""Actions and the arguments that each may have."""

EXPECTATIONS = (
    "waiting",
    "incidents",
    "variables",
    "absent",
    "sees",
    "task",
    "completed",
    "terminated",
    "trace",
    "state",
    "instances",
    "refused",
)
SCENARIO_KEYS = ("name", "cites", "model", "models", "decisions", "steps")
STATES = ("active", "suspended", "completed", "terminated")


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc]
    """YAML in which dates and words such as yes and on are text, as they are in JSON."""


_Loader.yaml_implicit_resolvers = {
    first: [
        (tag, pattern)
        for tag, pattern in resolvers
        if tag != "tag:yaml.org,2002:timestamp" and (tag != "tag:yaml.org,2002:bool" or first in "tTfF")
    ]
    for first, resolvers in _Loader.yaml_implicit_resolvers.items()
}


class BadScenario(ValueError):
    """A scenario file cannot be read."""


class Step(NamedTuple):
    """What is done (action, its subject and arguments), and what is expected then."""

    action: str
    subject: Any
    arguments: Mapping[str, Any]
    expected: Mapping[str, Any]


class Scenario(NamedTuple):
    """One scenario. models: process id → model in notation; files: BPMN files in place of those."""

    id: str
    name: str
    cites: str
    models: Mapping[str, str]
    decisions: str
    steps: tuple[Step, ...]

    def resources(self, suffix: str, names: tuple[str, ...] = ()) -> list[tuple[str, str]]:
        """(file name, content) of what is deployed: these models (default: all that no step deploys) and decisions."""
        later = {name for step in self.steps if step.action == "deploy" for name in [step.subject]}
        chosen = names or tuple(name for name in self.models if name not in later)
        found = [(f"{name}{suffix}.bpmn", self._xml(name, suffix)) for name in chosen]
        if self.decisions and not names:
            found.append((self.decisions, (MODELS / self.decisions).read_text()))
        return found

    def _xml(self, name: str, suffix: str) -> str:
        text = self.models[name]
        if text.strip().endswith(".bpmn"):
            return (MODELS / text.strip()).read_text().replace("{{SUFFIX}}", suffix)
        process_id = name.partition(" ")[0]
        try:
            return to_xml([read_model(text, process_id)], suffix)
        except NotationError as error:
            raise BadScenario(f"{self.id}: model '{name}': {error}") from error


def read_suite(folder: Path = SUITE) -> list[Scenario]:
    """All scenarios, by file and place. Raises BadScenario naming the scenario and what would be right."""
    found: dict[str, Scenario] = {}
    for path in sorted(folder.glob("*.yaml")):
        for scenario in read_file(path):
            if scenario.id in found:
                raise BadScenario(f"{scenario.id}: the name is used twice")
            found[scenario.id] = scenario
    return list(found.values())


def read_file(path: Path) -> Iterator[Scenario]:
    """The scenarios of one file: a list of them."""
    content = yaml.load(path.read_text(), Loader=_Loader)
    if not isinstance(content, list):
        raise BadScenario(f"{path.name}: a list of scenarios is expected")
    return (_scenario(path.stem, item) for item in content)


def _scenario(file: str, item: dict[str, Any]) -> Scenario:
    name = str(item.get("name", ""))
    scenario_id = f"{file}::{name}"
    _known(scenario_id, item, SCENARIO_KEYS)
    for needed in ("name", "cites", "steps"):
        if not item.get(needed):
            raise BadScenario(f"{scenario_id}: '{needed}' is missing")
    if ("model" in item) == ("models" in item):
        raise BadScenario(f"{scenario_id}: give either 'model' or 'models'")
    models = item.get("models") or {"p": item["model"]}
    steps = tuple(_step(f"{scenario_id}, step {number}", step) for number, step in enumerate(item["steps"], 1))
    if not {"state", "waiting", "instances"} & set(steps[-1].expected):
        raise BadScenario(f"{scenario_id}: the last step says neither 'state' nor 'waiting' nor 'instances'")
    return Scenario(scenario_id, name, item["cites"], models, item.get("decisions", ""), steps)


def _step(where: str, item: dict[str, Any]) -> Step:
    actions = [key for key in item if key in ACTIONS]
    if len(actions) != 1:
        raise BadScenario(f"{where}: it has one action of {', '.join(ACTIONS)}; found {actions or 'none'}")
    (action,) = actions
    _known(where, item, (action, *ACTIONS[action], *EXPECTATIONS))
    for state in [item["state"]] if "state" in item else []:
        if state not in STATES:
            raise BadScenario(f"{where}: state is one of {', '.join(STATES)}, not {state!r}")
    arguments = {key: item[key] for key in ACTIONS[action] if key in item}
    expected = {key: item[key] for key in EXPECTATIONS if key in item}
    return Step(action, item[action], arguments, expected)


def _known(where: str, item: Mapping[str, Any], known: tuple[str, ...]) -> None:
    for key in item:
        if key not in known:
            near = difflib.get_close_matches(str(key), known, n=1)
            hint = f"did you mean '{near[0]}'?" if near else f"there are {', '.join(known)}"
            raise BadScenario(f"{where}: '{key}' is unknown here; {hint}")
