"""What a conversion has to say about a model."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Severity(StrEnum):
    """INFO: converted, worth knowing. REVIEW: converted, and the meaning may differ. MANUAL: a person must act."""

    INFO = "info"
    REVIEW = "review"
    MANUAL = "manual"


@dataclass(frozen=True, slots=True)
class Note:
    """One thing about one element. what: the attribute or element of Camunda 7; why: what became of it and the
    reason; suggestion: what to do, "" if nothing. line: 1-based in the file that was read."""

    element_id: str
    line: int
    what: str
    severity: Severity
    why: str
    suggestion: str = ""
