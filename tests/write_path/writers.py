"""A writer in a process of its own, for the order test: python -m tests.write_path.writers URL NUMBER BATCHES."""

from __future__ import annotations

import sys
from uuid import UUID

from commands.ports import Append, NewEvent
from infra.postgres.appender import Appender


def write(url: str, number: int, batches: int) -> None:
    """Append batches of one to nine events to one stream."""
    appender = Appender(url)
    stream, version = UUID(int=number), 0
    for batch in range(batches):
        events = [NewEvent(stream, version + i, "test.1", b"x") for i in range(1, 2 + (batch * 7 + number) % 9)]
        version += len(events)
        appender.append([Append(events, "")])
    appender.close()


if __name__ == "__main__":
    write(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
