"""The one error tree. Each error has a stable code that the API maps to a problem detail.

DomainError
├── Rejection                    a command was understood and refused; nothing was recorded
│   ├── NotFound                 NOT_FOUND
│   ├── InvalidState             INVALID_STATE
│   ├── InvalidArgument          INVALID_ARGUMENT
│   │   └── InvalidModel         INVALID_MODEL (all findings at once)
│   ├── AlreadyExists            ALREADY_EXISTS
│   ├── IdempotencyMismatch      IDEMPOTENCY_MISMATCH (same command id, another body)
│   └── Forbidden                FORBIDDEN
├── ExpressionError              EXPRESSION_ERROR (FEEL text that does not compile or exceeds its budget)
├── Overloaded                   OVERLOADED (a bounded queue is full; try again after `retry_after` seconds)
├── StorageUnavailable           STORAGE_UNAVAILABLE (the log cannot be reached; the outcome of a write is unknown)
├── ConcurrentWrite              CONCURRENT_WRITE (another writer appended to the stream first)
└── LogCorrupt                   LOG_CORRUPT (a recorded event cannot be understood; never skipped silently)
"""

from __future__ import annotations

from dataclasses import dataclass


class DomainError(Exception):
    """Root of all errors that Flowledger raises on purpose; `str(error)` is for people."""

    code = "INTERNAL"


class Rejection(DomainError):
    """A command that was understood and refused: nothing was recorded."""

    code = "REJECTED"


class NotFound(Rejection):
    """What the command names does not exist (or not for this tenant)."""

    code = "NOT_FOUND"


class InvalidState(Rejection):
    """The command does not fit the state that its subject is in."""

    code = "INVALID_STATE"


class InvalidArgument(Rejection):
    """A value of the command is wrong; `field` names it (dotted path) where one field is to blame."""

    code = "INVALID_ARGUMENT"

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong with (or worth saying about) a model: where, and how to mend it.

    `severity` is "error" (the model is refused) or "warning"; `line` is 1-based, 0 where unknown.
    """

    element_id: str
    message: str
    line: int = 0
    severity: str = "error"
    rule: str = ""

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        return f"{where}{self.element_id}: {self.message}" if self.element_id else f"{where}{self.message}"


class InvalidModel(InvalidArgument):
    """A model that cannot be executed; `findings` names everything that is wrong, at once."""

    code = "INVALID_MODEL"

    def __init__(self, resource: str, findings: tuple[Finding, ...]) -> None:
        self.resource = resource
        self.findings = findings
        lines = "".join(f"\n  {finding}" for finding in findings)
        super().__init__(f"'{resource}' cannot be deployed:{lines}", field="resources")


class AlreadyExists(Rejection):
    """The command would create what exists already."""

    code = "ALREADY_EXISTS"


class IdempotencyMismatch(Rejection):
    """A command id that was used before came with another body."""

    code = "IDEMPOTENCY_MISMATCH"


class Forbidden(Rejection):
    """The actor may not do this."""

    code = "FORBIDDEN"


class ExpressionError(DomainError):
    """An expression that does not compile, or exceeded its budget."""

    code = "EXPRESSION_ERROR"


class Overloaded(DomainError):
    """A bounded queue is full. Nothing was done; try again after `retry_after` seconds."""

    code = "OVERLOADED"

    def __init__(self, message: str, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class StorageUnavailable(DomainError):
    """The log cannot be reached. A write in flight may or may not have happened: repeat it with its command id."""

    code = "STORAGE_UNAVAILABLE"

    def __init__(self, message: str, retry_after: int = 1) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class ConcurrentWrite(DomainError):
    """Another writer appended to this stream first; the bus reloads and decides again."""

    code = "CONCURRENT_WRITE"


class LogCorrupt(DomainError):
    """A recorded event cannot be understood (unknown topic, undecodable state)."""

    code = "LOG_CORRUPT"
