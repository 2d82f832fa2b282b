"""What can be wrong with a decision model.

InvalidModel (domain.errors)
└── InvalidDecisionModel         INVALID_MODEL: a DMN file that cannot be executed; all findings at once
"""

from __future__ import annotations

from domain.errors import Finding, InvalidModel


class InvalidDecisionModel(InvalidModel):
    """A DMN file that cannot be executed; `findings` names everything that is wrong, with element and line."""


class Findings:
    """Collects findings while a model is read, so that one refusal names them all."""

    MAX_FINDINGS = 200
    """More are not collected: the first two hundred tell enough."""

    def __init__(self) -> None:
        self.found: list[Finding] = []

    def error(self, element_id: str, line: int, message: str, rule: str = "") -> None:
        """Note something that makes the model unusable."""
        self._add(Finding(element_id, message, line, "error", rule))

    def warning(self, element_id: str, line: int, message: str, rule: str = "") -> None:
        """Note something that is worth saying but does not keep the model from running."""
        self._add(Finding(element_id, message, line, "warning", rule))

    def errors(self) -> tuple[Finding, ...]:
        """What makes the model unusable, in the order of the file."""
        return tuple(sorted((f for f in self.found if f.severity == "error"), key=lambda f: f.line))

    def warnings(self) -> tuple[Finding, ...]:
        """What is worth saying, in the order of the file."""
        return tuple(sorted((f for f in self.found if f.severity == "warning"), key=lambda f: f.line))

    def _add(self, finding: Finding) -> None:
        if len(self.found) < self.MAX_FINDINGS and finding not in self.found:
            self.found.append(finding)
