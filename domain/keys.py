"""Keys: 63-bit integers that carry time, writer and instance, rendered as decimal strings.

    | 38 bits: 10 ms ticks since 2026-01-01 UTC | 6 bits: lane | 7 bits: counter | 12 bits: local |

An instance's key has local 0. What belongs to an instance (element instances, jobs, user tasks, incidents,
variables) is numbered by the aggregate with *locals*: offsets from the instance key, so `key = instance_key + local`.
Locals 1 to 4,095 lie in the instance's own block: such a key routes to its instance by arithmetic alone. Further
blocks of 4,096 are reserved by an event; their offsets are larger, and `key_blocks` tells whose they are.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NewType
from uuid import UUID

from domain.errors import InvalidArgument

Key = NewType("Key", int)

EPOCH_SECONDS = 1_767_225_600  # 2026-01-01T00:00:00Z
TICKS_PER_SECOND = 100
LOCAL_BITS = 12
COUNTER_BITS = 7
LANE_BITS = 6
TIME_SHIFT = LOCAL_BITS + COUNTER_BITS + LANE_BITS
LANE_SHIFT = LOCAL_BITS + COUNTER_BITS
BLOCK_SIZE = 1 << LOCAL_BITS
LANES = 1 << LANE_BITS
KEYS_PER_TICK = 1 << COUNTER_BITS
MAX_KEY = (1 << 63) - 1


def compose_key(ticks: int, lane: int, counter: int, local: int = 0) -> Key:
    """The key made of its parts; ticks are 10 ms since 2026-01-01 UTC."""
    return Key(ticks << TIME_SHIFT | lane << LANE_SHIFT | counter << LOCAL_BITS | local)


def instance_key_of(key: int) -> Key:
    """The block that a key lies in: the instance's key, unless the block was reserved later (see `key_blocks`)."""
    return Key(key & ~(BLOCK_SIZE - 1))


def key_seconds(key: int) -> float:
    """When the key's block was handed out, in Unix seconds (10 ms resolution)."""
    return EPOCH_SECONDS + (key >> TIME_SHIFT) / TICKS_PER_SECOND


def parse_key(text: object, field: str) -> Key:
    """The key in a decimal string (or int) from outside; InvalidArgument names the field otherwise."""
    if isinstance(text, int) and not isinstance(text, bool):
        value = text
    elif isinstance(text, str) and text.isascii() and text.isdigit() and len(text) <= 19:
        value = int(text)
    else:
        raise InvalidArgument(f"'{field}' must be a key: a decimal string of up to 19 digits, not {text!r}", field)
    if not 0 < value <= MAX_KEY:
        raise InvalidArgument(f"'{field}' must be a key between 1 and {MAX_KEY}, not {text!r}", field)
    return Key(value)


def stream_id(key: int) -> UUID:
    """The event store's originator id of an instance."""
    return UUID(int=key)


class KeySource:
    """Hands out ascending block keys for one lane; `seconds` is the wall clock (Unix seconds).

    When a tick's 128 keys are used up, or the clock steps back, the next tick is borrowed: keys of one lane ascend
    and never repeat while the lane is held.
    """

    def __init__(self, lane: int, seconds: Callable[[], float], not_before: int = 0) -> None:
        if not 0 <= lane < LANES:
            raise ValueError(f"lane must be 0..{LANES - 1}, not {lane}")
        self._lane = lane
        self._seconds = seconds
        self._tick = max(not_before >> TIME_SHIFT, 0)
        self._counter = KEYS_PER_TICK if not_before else -1

    def next_key(self) -> Key:
        """A key that this lane has never handed out, with local 0."""
        now = int((self._seconds() - EPOCH_SECONDS) * TICKS_PER_SECOND)
        self._counter += 1
        if now > self._tick:
            self._tick, self._counter = now, 0
        elif self._counter >= KEYS_PER_TICK:
            self._tick, self._counter = self._tick + 1, 0
        return compose_key(self._tick, self._lane, self._counter)
