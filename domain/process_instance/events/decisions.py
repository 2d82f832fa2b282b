"""Decisions that were evaluated."""

from __future__ import annotations

from typing import Any, ClassVar

from domain.events import Event


class DecisionEvaluated(Event, frozen=True):
    """A business rule task evaluated a decision. `evaluated` has the decisions in order of evaluation, the asked one
    last: {id, name, kind, inputs: [{id, name, value}], matchedRules: [{id, index, outputs}], output}.
    failure: why there is no proper output ("" where there is), in the decision `failed_decision`."""

    topic: ClassVar[str] = "pi.decision_evaluated.1"
    local: int
    element: int
    element_id: str
    decision_id: str
    decision_key: int
    requirements_key: int
    version: int
    output: Any
    evaluated: list[dict[str, Any]]
    failure: str = ""
    failed_decision: str = ""
