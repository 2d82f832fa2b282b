"""What one evaluation is given and what it leaves behind: the clock reading, the budget, the recorded warnings."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from domain.feel.errors import FeelBudgetExceeded

MAX_WARNINGS = 100
_CLOCK_EVERY = 1024


@dataclass(frozen=True, slots=True)
class Warning:
    """Why a part of an expression became null. `line` and `column` are 1-based, 0 where unknown."""

    message: str
    line: int = 0
    column: int = 0


class EvaluationContext:
    """One evaluation's surroundings: make one per evaluation (or per decision), it counts what it is charged.

    now: an aware datetime for now() and today(); None makes them null with a warning.
    failure: why the evaluation failed as a whole (an assert() that is not fulfilled), else None.
    warnings: the recorded reasons for null, at most MAX_WARNINGS.
    max_steps: loop rounds, calls and elements worked through; max_depth: nested calls of defined functions;
    max_size: elements of a list or characters of a string; max_seconds: only when a monotonic `clock` is handed in.
    random: a source of floats in [0, 1) for random number(); uuid: a source of UUID texts for uuid().
    types: named types for `instance of` and typed parameters, each a predicate on a value.
    """

    __slots__ = (
        "clock",
        "deadline",
        "depth",
        "failure",
        "max_depth",
        "max_seconds",
        "max_size",
        "max_steps",
        "next_check",
        "now",
        "random",
        "steps",
        "types",
        "uuid",
        "warnings",
    )

    def __init__(
        self,
        now: datetime | None = None,
        *,
        max_steps: int = 1_000_000,
        max_depth: int = 100,
        max_size: int = 1_000_000,
        max_seconds: float | None = None,
        clock: Callable[[], float] | None = None,
        random: Callable[[], float] | None = None,
        uuid: Callable[[], str] | None = None,
        types: Mapping[str, Callable[[object], bool]] | None = None,
    ) -> None:
        self.now = now
        self.warnings: list[Warning] = []
        self.failure: str | None = None
        self.max_steps = max_steps
        self.max_depth = max_depth
        self.max_size = max_size
        self.max_seconds = max_seconds
        self.clock = clock
        self.random = random
        self.uuid = uuid
        self.types: Mapping[str, Callable[[object], bool]] = types if types is not None else {}
        self.steps = 0
        self.depth = 0
        timed = clock is not None and max_seconds is not None
        self.deadline = clock() + max_seconds if clock is not None and max_seconds is not None else 0.0
        self.next_check = min(_CLOCK_EVERY, max_steps) if timed else max_steps

    def warn(self, message: str, line: int = 0, column: int = 0) -> None:
        """Record why something became null."""
        if len(self.warnings) < MAX_WARNINGS:
            self.warnings.append(Warning(message, line, column))

    def step(self, count: int = 1) -> None:
        """Charge `count` steps; raises FeelBudgetExceeded when steps or time are used up."""
        self.steps += count
        if self.steps > self.next_check:
            self._check()

    def check_size(self, size: int) -> None:
        """Refuse a list or string of `size` before it is built."""
        if size > self.max_size:
            raise FeelBudgetExceeded("size", self.max_size, f"a value of size {size} exceeds the limit {self.max_size}")

    def _check(self) -> None:
        if self.steps > self.max_steps:
            raise FeelBudgetExceeded("steps", self.max_steps)
        if self.clock is not None and self.max_seconds is not None:
            if self.clock() > self.deadline:
                raise FeelBudgetExceeded("seconds", self.max_seconds)
            self.next_check = min(self.steps + _CLOCK_EVERY, self.max_steps)
