"""What is recorded of a decision that was evaluated by itself."""

from __future__ import annotations

from typing import Any, ClassVar

import msgspec

from domain.errors import LogCorrupt
from domain.events import REGISTRY, Event


class DecisionEvaluatedAlone(Event, frozen=True):
    """A caller asked for a decision. Fields as in pi.decision_evaluated.1, with the inputs as they were given."""

    topic: ClassVar[str] = "decision.evaluated.1"
    decision_id: str
    decision_key: int
    requirements_key: int
    version: int
    inputs: dict[str, Any]
    output: Any
    evaluated: list[dict[str, Any]]
    failure: str = ""
    failed_decision: str = ""


class Evaluation(msgspec.Struct):
    """The state: what was recorded."""

    key: int
    recorded: DecisionEvaluatedAlone | None = None


def evolve(state: Evaluation, event: Event, at: int = 0) -> None:
    """Apply the one event (recorded at `at`, µs)."""
    del at
    if not isinstance(event, DecisionEvaluatedAlone):
        raise LogCorrupt(f"{type(event).__name__} is not an event of a decision evaluation")
    state.recorded = event


EVENTS: tuple[type[Event], ...] = (DecisionEvaluatedAlone,)
REGISTRY.register(EVENTS)
