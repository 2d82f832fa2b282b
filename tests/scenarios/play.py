"""Plays a scenario in a world: does each step's action, then compares what is expected with what is there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from domain.bpmn.timers import parse_duration, parse_moment
from tests.scenarios.scenario import Scenario, Step
from tests.scenarios.world import OpenIncident, Refused, World


def play(scenario: Scenario, world: World, suffix: str = "") -> None:
    """Raises AssertionError that names the step and shows expected and found."""
    world.deploy(scenario.resources(suffix))
    for number, step in enumerate(scenario.steps, 1):
        where = f"step {number} ({step.action} {step.subject!r})"
        refusal = _do(scenario, step, world, suffix)
        wanted = step.expected.get("refused")
        if wanted is None:
            assert refusal is None, f"{where} was refused: {refusal}"
        else:
            assert refusal is not None, f"{where} was not refused"
            assert wanted in refusal, f"{where} was refused for another reason: {refusal}"
        for name, check in CHECKS.items():
            if name in step.expected or name == "incidents":  # incidents that nobody expects are failures
                check(where, step.expected.get(name, []), world)


def _do(scenario: Scenario, step: Step, world: World, suffix: str) -> str | None:
    """The reason of a refusal, None without one."""
    try:
        if step.action == "deploy":
            world.deploy(scenario.resources(suffix, (step.subject,)))
        else:
            DEEDS[step.action](world, step.subject, step.arguments)
    except Refused as refused:
        return str(refused)
    return None


# --- actions ---

Arguments = Mapping[str, Any]


def _start(world: World, subject: Any, arguments: Arguments) -> None:
    world.start(arguments.get("process", ""), subject or {})


def _complete(world: World, subject: Any, arguments: Arguments) -> None:
    for element in subject if isinstance(subject, list) else [subject]:
        nth, job_type = arguments.get("nth", 1), arguments.get("type", "")
        world.complete(element, nth, arguments.get("with", {}), job_type, arguments.get("result"))


def _fail(world: World, subject: Any, arguments: Arguments) -> None:
    message, variables = arguments.get("message", ""), arguments.get("with", {})
    nth, job_type = arguments.get("nth", 1), arguments.get("type", "")
    world.fail(subject, nth, arguments.get("retries", 0), message, variables, job_type)


def _throw_error(world: World, subject: Any, arguments: Arguments) -> None:
    message, variables = arguments.get("message", ""), arguments.get("with", {})
    world.throw_error(arguments["at"], arguments.get("nth", 1), str(subject), message, variables)


def _advance(world: World, subject: Any, _arguments: Arguments) -> None:
    world.advance(parse_duration(subject).add_to(world.now()))


def _advance_to(world: World, subject: Any, _arguments: Arguments) -> None:
    world.advance(parse_moment(subject))


def _set(world: World, subject: Any, arguments: Arguments) -> None:
    world.set_variables(arguments.get("at", ""), arguments.get("nth", 1), subject, arguments.get("local", False))


def _set_retries(world: World, subject: Any, arguments: Arguments) -> None:
    world.set_retries(arguments["at"], arguments.get("nth", 1), subject)


def _resolve(world: World, subject: Any, arguments: Arguments) -> None:
    world.resolve(subject, arguments.get("nth", 1))


def _assign(world: World, subject: Any, arguments: Arguments) -> None:
    world.assign(subject, arguments.get("nth", 1), arguments.get("to", ""))


def _update(world: World, subject: Any, arguments: Arguments) -> None:
    world.update(subject, arguments.get("nth", 1), arguments.get("with", {}))


def _cancel(world: World, subject: Any, _arguments: Arguments) -> None:
    world.cancel(subject if isinstance(subject, str) else "")


def _suspend(world: World, subject: Any, arguments: Arguments) -> None:
    world.suspend(subject if isinstance(subject, str) else "", arguments.get("reason", ""))


def _resume(world: World, subject: Any, arguments: Arguments) -> None:
    world.resume(subject if isinstance(subject, str) else "", arguments.get("reason", ""))


def _publish(world: World, subject: Any, arguments: Arguments) -> None:
    ttl = parse_duration(arguments.get("ttl", "PT0S")).add_to(0)
    world.publish(str(subject), str(arguments.get("key", "")), ttl, arguments.get("id", ""), arguments.get("with", {}))


def _broadcast(world: World, subject: Any, arguments: Arguments) -> None:
    world.broadcast(str(subject), arguments.get("with", {}))


DEEDS: dict[str, Callable[[World, Any, Arguments], None]] = {
    "start": _start,
    "complete": _complete,
    "fail": _fail,
    "throw_error": _throw_error,
    "advance": _advance,
    "advance_to": _advance_to,
    "set": _set,
    "set_retries": _set_retries,
    "resolve": _resolve,
    "assign": _assign,
    "update": _update,
    "cancel": _cancel,
    "suspend": _suspend,
    "resume": _resume,
    "publish": _publish,
    "broadcast": _broadcast,
}


# --- expectations ---


def _waiting(where: str, expected: list[str], world: World) -> None:
    found = world.waiting()
    assert sorted(found) == sorted(expected), f"{where}: waiting are {sorted(found)}, not {sorted(expected)}"


def _incidents(where: str, expected: list[str], world: World) -> None:
    found = world.incidents()
    unmatched = list(found)
    for wanted in expected:
        match = next((incident for incident in unmatched if _fits(incident, wanted)), None)
        assert match is not None, f"{where}: no incident is {wanted!r}; there are {found}"
        unmatched.remove(match)
    assert not unmatched, f"{where}: incidents that were not expected: {unmatched}"


def _fits(incident: OpenIncident, wanted: str) -> bool:
    """`element TYPE: fragment of the message`; the fragment may be left out."""
    what, _, fragment = wanted.partition(": ")
    return what == f"{incident.element} {incident.type}" and fragment in incident.message


def _variables(where: str, expected: dict[str, Any], world: World) -> None:
    found = world.variables()
    for name, value in expected.items():
        assert name in found, f"{where}: there is no variable '{name}'; there are {found}"
        assert found[name] == value, f"{where}: {name} is {found[name]!r}, not {value!r}"


def _absent(where: str, expected: list[str], world: World) -> None:
    found = world.variables()
    for name in expected:
        assert name not in found, f"{where}: there is a variable {name} = {found[name]!r}"


def _sees(where: str, expected: dict[str, dict[str, Any]], world: World) -> None:
    for element, values in expected.items():
        found = world.sees(element)
        for name, value in values.items():
            assert name in found, f"{where}: '{element}' does not see '{name}', but {found}"
            assert found[name] == value, f"{where}: '{element}' sees {name} = {found[name]!r}, not {value!r}"


def _task(where: str, expected: dict[str, dict[str, Any]], world: World) -> None:
    for element, values in expected.items():
        found = world.task(element)
        for name, value in values.items():
            assert found[name] == value, f"{where}: the task '{element}' has {name} = {found[name]!r}, not {value!r}"


def _completed(where: str, expected: dict[str, int], world: World) -> None:
    _counts(where, "completed", expected, world)


def _terminated(where: str, expected: dict[str, int], world: World) -> None:
    _counts(where, "terminated", expected, world)


def _counts(where: str, state: str, expected: dict[str, int], world: World) -> None:
    counts = Counter(visit.element for visit in world.visits() if visit.state == state)
    for element, count in expected.items():
        assert counts[element] == count, f"{where}: '{element}' {state} {counts[element]} times, not {count}"


def _trace(where: str, expected: list[Any], world: World) -> None:
    """The elements in order; a list inside stands for elements whose order does not matter."""
    found = [visit.element for visit in world.visits()]
    at = 0
    for wanted in expected:
        group = wanted if isinstance(wanted, list) else [wanted]
        here = found[at : at + len(group)]
        assert sorted(here) == sorted(group), f"{where}: after {found[:at]} came {found[at:]}, not {wanted}"
        at += len(group)
    assert at == len(found), f"{where}: after {found[:at]} came {found[at:]} too"


def _state(where: str, expected: str, world: World) -> None:
    (_, found), *_ = world.states()
    assert found == expected, f"{where}: the instance is {found}, not {expected}"
    if expected not in ("active", "suspended"):
        others = [state for _, state in world.states() if state in ("active", "suspended")]
        assert others or not world.waiting(), f"{where}: the instance is {found}, but {world.waiting()} wait"


def _instances(where: str, expected: dict[str, list[str]], world: World) -> None:
    found: dict[str, list[str]] = {}
    for process, state in world.states():
        found.setdefault(process, []).append(state)
    for process, states in expected.items():
        there = sorted(found.get(process, []))
        assert there == sorted(states), f"{where}: instances of '{process}' are {there}, not {sorted(states)}"


CHECKS: dict[str, Callable[[str, Any, World], None]] = {
    "incidents": _incidents,
    "waiting": _waiting,
    "variables": _variables,
    "absent": _absent,
    "sees": _sees,
    "task": _task,
    "completed": _completed,
    "terminated": _terminated,
    "trace": _trace,
    "state": _state,
    "instances": _instances,
}
