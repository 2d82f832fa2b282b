"""Decisions that were evaluated."""

from __future__ import annotations

from domain.process_instance import events as e
from domain.process_instance.evolve.shared import Appliers, claim
from domain.process_instance.state import ProcessInstance


def _decision_evaluated(state: ProcessInstance, event: e.DecisionEvaluated, _: int) -> None:
    claim(state, event.local)


APPLIERS: Appliers = {
    e.DecisionEvaluated: _decision_evaluated,
}
