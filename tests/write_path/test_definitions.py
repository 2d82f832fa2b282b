"""The deployed definitions: found by id, version and key, parsed once, and never stale for long."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from commands.definitions import DeployedDefinitions
from commands.deployment_files import File, prepare
from commands.handling import Meta
from commands.registry import HANDLERS
from domain.bpmn import load_model
from domain.bpmn.model import Binding, ProcessModel
from domain.errors import NotFound
from tests.fakes.event_log import FakeEventLog
from tests.write_path.harness import TestBus, running_bus

ONE_TASK = (Path(__file__).parents[2] / "bench" / "models" / "one_task.bpmn").read_bytes()


class Seconds:
    """A monotonic clock that is moved by hand."""

    at = 0.0

    def __call__(self) -> float:
        return self.at


class Parser:
    """Counts what it parses."""

    def __init__(self) -> None:
        self.parsed = 0

    def __call__(self, source: bytes, process_id: str, resource: str) -> ProcessModel:
        self.parsed += 1
        return load_model(source, process_id, resource)


@pytest.fixture
def log() -> FakeEventLog:
    return FakeEventLog()


@pytest.fixture
def bus(log: FakeEventLog) -> Iterator[TestBus]:
    with running_bus(log, handlers=HANDLERS) as bus:
        yield bus


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def parser() -> Parser:
    return Parser()


@pytest.fixture
def definitions(log: FakeEventLog, parser: Parser, seconds: Seconds) -> DeployedDefinitions:
    return DeployedDefinitions(log, parser, monotonic=seconds)


def deploy(bus: TestBus, comment: str = "", tenant: str = "") -> int:
    source = ONE_TASK + f"<!-- {comment} -->".encode()
    command, _ = prepare([File("one_task.bpmn", source)])
    outcome = bus.run(command, Meta("demo", tenant))
    key: int = outcome.result.resources[0].key
    return key


def process_id() -> str:
    return load_model(ONE_TASK).id


def test_a_process_is_found_by_id_version_and_key(bus: TestBus, definitions: DeployedDefinitions) -> None:
    first, second = deploy(bus), deploy(bus, "changed")
    assert definitions.find_process("", process_id()) == second
    assert definitions.find_process("", process_id(), 1) == first
    assert definitions.version_of(second) == 2
    assert definitions.process(first).id == process_id()


def test_a_model_is_parsed_once(bus: TestBus, definitions: DeployedDefinitions, parser: Parser) -> None:
    key = deploy(bus)
    assert definitions.process(key) is definitions.process(key)
    assert parser.parsed == 1


def test_not_found_names_what_is_there(bus: TestBus, definitions: DeployedDefinitions) -> None:
    with pytest.raises(NotFound, match="none is deployed yet"):
        definitions.find_process("", "order")
    deploy(bus)
    with pytest.raises(NotFound, match=f"no process 'order' is deployed; deployed are '{process_id()}'"):
        definitions.find_process("", "order")
    with pytest.raises(NotFound, match="has no version 7; its latest are 1"):
        definitions.find_process("", process_id(), 7)
    with pytest.raises(NotFound, match="key '5'"):
        definitions.process(5)


def test_definitions_belong_to_their_tenant(bus: TestBus, definitions: DeployedDefinitions) -> None:
    key = deploy(bus, tenant="acme")
    assert definitions.find_process("acme", process_id()) == key
    with pytest.raises(NotFound, match="no process"):
        definitions.find_process("", process_id())


def test_an_own_deployment_is_seen_at_once(bus: TestBus, definitions: DeployedDefinitions) -> None:
    bus.bus.add_listener(definitions.on_commit)
    deploy(bus)
    definitions.find_process("", process_id())
    second = deploy(bus, "changed")
    assert definitions.find_process("", process_id()) == second


def test_another_processs_deployment_is_seen_within_a_second(
    bus: TestBus, definitions: DeployedDefinitions, seconds: Seconds
) -> None:
    first = deploy(bus)
    assert definitions.find_process("", process_id()) == first
    second = deploy(bus, "changed")
    assert definitions.find_process("", process_id()) == first
    seconds.at += 1
    assert definitions.find_process("", process_id()) == second


def test_models_beyond_the_limit_are_parsed_again(bus: TestBus, log: FakeEventLog, parser: Parser) -> None:
    definitions = DeployedDefinitions(log, parser, models=1)
    keys = [deploy(bus), deploy(bus, "changed")]
    for key in [*keys, keys[0]]:
        definitions.process(key)
    assert parser.parsed == 3


def test_a_form_that_is_not_there_has_key_0(definitions: DeployedDefinitions) -> None:
    assert definitions.find_form("", "order-form") == 0


def tagged(tag: str) -> File:
    """The one-task process with a version tag."""
    head, close, rest = ONE_TASK.partition(b'isExecutable="true">')
    assert close
    extension = f'<bpmn:extensionElements><zeebe:versionTag value="{tag}" /></bpmn:extensionElements>'.encode()
    return File("one_task.bpmn", head + close + extension + rest)


def test_a_binding_means_the_latest_that_of_the_deployment_or_that_with_a_tag(
    bus: TestBus, definitions: DeployedDefinitions
) -> None:
    caller = File("caller.bpmn", ONE_TASK.replace(process_id().encode(), b"caller"))
    command, _ = prepare([tagged("green"), caller])
    keys = {resource.id: resource.key for resource in bus.run(command).result.resources}
    red = bus.run(prepare([tagged("red")])[0]).result.resources[0].key

    def called(binding: Binding, tag: str = "", tenant: str = "") -> int:
        return definitions.find_called(tenant, process_id(), binding, tag, keys["caller"])

    green = keys[process_id()]
    assert called(Binding.LATEST) == red
    assert called(Binding.DEPLOYMENT) == green
    assert called(Binding.VERSION_TAG, "green") == green
    assert called(Binding.VERSION_TAG, "red") == red
    assert called(Binding.VERSION_TAG, "blue") == 0
    assert called(Binding.LATEST, tenant="acme") == 0
