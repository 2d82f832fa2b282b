"""The literal tables are complete: every command has a handler, every event a golden file."""

import importlib
import pkgutil
from pathlib import Path

import pytest

import commands
import domain.calendar.events
import domain.decision.events
import domain.process_definition.events
import domain.process_instance.events  # noqa: F401 - registers its topics, as the line above does
from commands.handling import Command
from commands.registry import HANDLERS
from domain.events import REGISTRY, encode_envelope, encode_event

GOLDEN = Path(__file__).resolve().parents[1] / "golden" / "events"
TOPICS = sorted(REGISTRY.topics())


def test_every_command_is_registered() -> None:
    for module in pkgutil.iter_modules(commands.__path__, "commands."):
        importlib.import_module(module.name)
    defined = {command for command in Command.__subclasses__() if command.__module__.startswith("commands.")}
    assert defined == set(HANDLERS)


def test_every_golden_file_is_of_a_topic_that_can_be_read() -> None:
    """A topic that is gone from the code still stands in logs: its file stays, and an upcaster reads it."""
    for path in GOLDEN.glob("*.json"):
        REGISTRY.decode(path.stem, path.read_bytes().rstrip(b"\n"))


@pytest.mark.parametrize("topic", TOPICS)
def test_an_event_is_stored_today_as_it_was_when_it_was_released(topic: str) -> None:
    path = GOLDEN / f"{topic}.json"
    assert path.exists(), f"{topic} has no golden file: python -m tests.golden.write"
    stored = path.read_bytes().rstrip(b"\n")
    envelope, event = REGISTRY.decode(topic, stored)
    assert event.topic == topic
    appended_fields_follow = stored.removesuffix(b"]]")
    assert encode_event(encode_envelope(envelope), event).startswith(appended_fields_follow)
