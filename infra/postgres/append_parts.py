"""The parts that the append statement is put together from (append_sql.py)."""

from __future__ import annotations

from enum import IntFlag
from typing import NamedTuple


class Part(IntFlag):
    """What a batch carries besides events."""

    EVENTS = 0
    PUT_JOBS = 1
    MOVE_JOBS = 2
    DROP_JOBS = 4
    PUT_TIMERS = 8
    MOVE_TIMERS = 16
    DROP_TIMERS = 32
    BLOCKS = 64
    COMMANDS = 128
    DEFINITIONS = 256
    SNAPSHOTS = 512
    DROP_FIRST = 1024
    PUT_DELIVERIES = 2048
    DROP_DELIVERIES = 4096
    PUT_SUBSCRIPTIONS = 1 << 13
    MOVE_SUBSCRIPTIONS = 1 << 14
    DROP_SUBSCRIPTIONS = 1 << 15
    PUT_MESSAGES = 1 << 16
    TAKE_MESSAGES = 1 << 17
    DROP_MESSAGES = 1 << 18
    PUT_SIGNALS = 1 << 19
    DROP_SIGNALS = 1 << 20
    REPLACE_STARTS = 1 << 21
    PUT_STARTS = 1 << 22
    MOVE_STARTS = 1 << 23


class Fragment(NamedTuple):
    """A statement in a WITH clause: its name, the types of its array parameters, and its text."""

    name: str
    types: tuple[str, ...]
    sql: str
