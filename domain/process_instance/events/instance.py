"""The instance as a whole, and its variables."""

from __future__ import annotations

from typing import Any, ClassVar

from domain.events import Event


class InstanceCreated(Event, frozen=True):
    """An instance of a definition came to be; `variables[i]` (in order) got the key of `variable_locals[i]`.

    depth: how many callers it has above it.
    """

    topic: ClassVar[str] = "pi.created.1"
    definition_key: int
    bpmn_process_id: str
    version: int
    variables: dict[str, Any]
    variable_locals: list[int]
    business_id: str = ""
    tags: list[str] = []
    parent_key: int = 0
    parent_element: int = 0
    root_key: int = 0
    tenant: str = ""
    depth: int = 0


class InstanceTriggered(Event, frozen=True):
    """An event started the instance, at start event `element_id`. kind: "message" or "signal" (with `source_key`),
    "timer" or "condition". `name` and `key` are the message's, or the signal's name.

    A timer was due at `due` (µs) and is due next at `next_due` (0: no more), `remaining` times (-1: endless).
    variables: of a start event with output mappings, which decide what the instance gets of them.
    """

    topic: ClassVar[str] = "pi.triggered.1"
    element_id: str
    kind: str
    name: str = ""
    key: str = ""
    source_key: int = 0
    definition_key: int = 0
    due: int = 0
    next_due: int = 0
    remaining: int = 0
    variables: dict[str, Any] | None = None


class KeyBlockReserved(Event, frozen=True):
    """The instance may number its parts in [offset, offset + 4096) too."""

    topic: ClassVar[str] = "pi.key_block_reserved.1"
    offset: int


class VariablesSet(Event, frozen=True):
    """Variables of one scope were created or overwritten; `locals[i]` is the key of the i-th; `source` set them."""

    topic: ClassVar[str] = "pi.variables_set.1"
    scope: int
    variables: dict[str, Any]
    locals: list[int]
    source: int = 0


class InstanceCompleted(Event, frozen=True):
    """All work is done. waits: how many timers (of event subprocesses) ended with it."""

    topic: ClassVar[str] = "pi.completed.1"
    waits: int = 0


class InstanceTerminated(Event, frozen=True):
    """The instance was cancelled. waits: how many timers (of event subprocesses) ended with it."""

    topic: ClassVar[str] = "pi.terminated.1"
    reason: str = ""
    waits: int = 0
