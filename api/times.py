"""Dates and times in requests."""

from __future__ import annotations

from datetime import datetime

from domain.errors import InvalidArgument


def micros_of(text: str | None, field: str) -> int | None:
    """µs since the Unix epoch of an ISO 8601 date and time; "" clears (0), None leaves as it is."""
    if text is None:
        return None
    if text == "":
        return 0
    try:
        at = datetime.fromisoformat(text)
        offset = at.utcoffset()
    except ValueError as error:
        raise InvalidArgument(
            f"'{field}' must be a date and time like 2026-11-23T17:00:00Z, not {text!r}", field
        ) from error
    if offset is None:
        raise InvalidArgument(
            f"'{field}' needs a time zone, like 2026-11-23T17:00:00Z or …+01:00; {text!r} has none", field
        )
    micros = int(at.timestamp() * 1000) * 1000
    if micros <= 0:
        raise InvalidArgument(f"'{field}' must be after 1970, not {text!r}", field)
    return micros
