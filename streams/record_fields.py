"""How the fields of an event look in a public record, and back: names in camelCase, keys as decimal strings (a local
becomes the absolute key of the part that it names), times in RFC 3339, fields at their default left out.

The mapping follows from the events themselves (names and types of their fields), so a new event is covered by it. A
number that counts from the instance key must stand in LOCALS, or it is published as a plain number.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Callable
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple

import msgspec

LOCALS: dict[str, str] = {
    "local": "key",
    "element": "elementInstanceKey",
    "source": "sourceElementInstanceKey",
    "job": "jobKey",
    "task": "userTaskKey",
    "timer": "timerKey",
    "incident": "incidentKey",
    "subscription": "subscriptionKey",
    "parent_element": "parentElementInstanceKey",
    "caller_element": "callerElementInstanceKey",
    "delivery": "deliveryKey",
    "signal": "signalKey",
    "variable_locals": "variableKeys",
    "locals": "variableKeys",
    "offset": "blockKey",
}
"""Fields that count from the instance key (0 is "none"), and the names of the keys that they become."""

TEXTS: dict[str, str] = {"key": "correlationKey"}
"""Texts that are called something else in public: "key" is the key of a part there."""

SCOPES: dict[str, str] = {"scope": "scopeKey"}
"""The same, where 0 is the instance itself."""

BASES: dict[str, str] = {"parent_element": "parent_key", "caller_element": "caller_key"}
"""Locals of another instance: the field that holds its key."""

TIMES = frozenset({"at", "due", "deadline", "follow_up", "next_due"})
"""Times (µs since the Unix epoch, 0 is "none"), as are fields whose names end in _at or _due."""

NEVER = (1 << 63) - 1
NEVER_TEXT = "never"
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - arithmetic in UTC, "Z" is appended
_LAST = 253_402_300_799_999_999  # 9999-12-31T23:59:59.999999Z
_MICROSECOND = timedelta(microseconds=1)

Schema = dict[str, Any]
Encode = Callable[[Any, int], Any]
Decode = Callable[[Any, int], Any]

KEY_SCHEMA: Schema = {"type": "string", "pattern": "^[1-9][0-9]{0,18}$"}
TIME_SCHEMA: Schema = {"type": "string", "format": "date-time"}
_TIME_OR_NONE: Schema = {
    "oneOf": [
        TIME_SCHEMA,
        {"const": NEVER_TEXT},
        {"type": "integer", "description": "µs, after the year 9999"},
        {"type": "null"},
    ]
}


class Field(NamedTuple):
    """One field: its name in the event and in the record, both ways, and what the record may hold. base: the field
    with the key that a local counts from ("": the instance's own)."""

    name: str
    public: str
    encode: Encode | None
    decode: Decode | None
    schema: Schema
    default: Any
    base: str = ""


def time_text(at: int) -> str:
    """µs since the Unix epoch as RFC 3339."""
    return (_EPOCH + timedelta(microseconds=at)).isoformat(timespec="microseconds") + "Z"


def read_time(text: str) -> int:
    """The inverse of `time_text`. Raises ValueError."""
    if not text.endswith("Z"):
        raise ValueError(f"a time in UTC ends in Z, unlike {text!r}")
    return (datetime.fromisoformat(text[:-1]) - _EPOCH) // _MICROSECOND


def fields_of(kind: type[msgspec.Struct]) -> list[Field]:
    """The fields of an event type (or of a record inside one), in order."""
    return [_field(field) for field in msgspec.structs.fields(kind)]


def encode_fields(fields: list[Field], value: Any, base: int) -> dict[str, Any]:
    """The public members; base: the instance key."""
    members: dict[str, Any] = {}
    for name, public, encode, _, _, default, other in fields:
        item = getattr(value, name)
        if item == default and type(item) is type(default):
            continue
        if encode is not None:
            item = encode(item, getattr(value, other) if other else base)
        members[public] = item
    return members


def decode_fields(fields: list[Field], members: dict[str, Any], base: int) -> list[Any]:
    """The inverse: the event's fields in order, to be converted to its type. Raises ValueError naming the member.

    Members that are not known are passed over: a newer version of Flowledger may have appended some."""
    decoded: dict[str, Any] = {}
    for name, public, _, decode, _, default, other in fields:
        item = members.get(public, msgspec.UNSET)
        if item is msgspec.UNSET:
            if default is msgspec.NODEFAULT:
                raise ValueError(f"'{public}' is missing")
            decoded[name] = default
            continue
        if decode is not None:
            try:
                item = decode(item, decoded[other] if other else base)
            except (ValueError, TypeError, AttributeError, OverflowError) as error:
                raise ValueError(f"'{public}' is {item!r}: {error}") from error
        decoded[name] = item
    return [decoded[field.name] for field in fields]


def schema_of(fields: list[Field]) -> Schema:
    """The JSON Schema of the members."""
    properties: dict[str, Schema] = {}
    for field in fields:
        shown = dict(field.schema)
        if field.default is not msgspec.NODEFAULT:
            shown["default"] = _shown_default(field.default)
        properties[field.public] = shown
    required = [field.public for field in fields if field.default is msgspec.NODEFAULT]
    return {"type": "object", "properties": properties, "required": required}


def camel(name: str) -> str:
    """snake_case → camelCase."""
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


def _shown_default(default: Any) -> Any:
    return None if default == 0 and type(default) is int else default


def _field(field: msgspec.structs.FieldInfo) -> Field:
    name, default = field.name, field.default
    if field.default_factory is not msgspec.NODEFAULT:
        default = field.default_factory()
    kind, optional = _unwrapped(field.type)
    public, encode, decode, schema = _codec(name, kind)
    if optional and {"type": "null"} in schema.get("oneOf", ()):
        # null says "none" (0) here, so that None must be told by leaving the member out
        assert default is None, f"{name}: None must be the default of a field that may be cleared"
    elif optional:
        schema = {"oneOf": [schema, {"type": "null"}]}
        encode, decode = _optional(encode), _optional(decode)
    return Field(name, public, encode, decode, schema, default, BASES.get(name, ""))


def _unwrapped(kind: Any) -> tuple[Any, bool]:
    """The type without "or None", and whether it had that."""
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        others = [each for each in typing.get_args(kind) if each is not type(None)]
        if len(others) == 1:
            return others[0], True
    return kind, False


def _optional(convert: Callable[[Any, int], Any] | None) -> Callable[[Any, int], Any] | None:
    if convert is None:
        return None
    return lambda value, base: None if value is None else convert(value, base)


def _codec(name: str, kind: Any) -> tuple[str, Encode | None, Decode | None, Schema]:
    if kind is int:
        return _integer(name)
    if typing.get_origin(kind) is list:
        return _list(name, typing.get_args(kind)[0])
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        inner = fields_of(kind)
        return (
            camel(name),
            lambda value, base: encode_fields(inner, value, base),
            lambda value, base: _inner(kind, inner, value, base),
            schema_of(inner),
        )
    if isinstance(kind, type) and issubclass(kind, Enum):
        return camel(name), None, None, {"enum": [member.value for member in kind]}
    return TEXTS.get(name, camel(name)), None, None, _plain_schema(kind)


def _inner(kind: type[msgspec.Struct], fields: list[Field], members: dict[str, Any], base: int) -> Any:
    values = decode_fields(fields, members, base)
    if kind.__struct_config__.array_like:
        return msgspec.convert(values, kind)
    return msgspec.convert(dict(zip((field.name for field in fields), values, strict=True)), kind)


def _integer(name: str) -> tuple[str, Encode | None, Decode | None, Schema]:
    if name in SCOPES:
        return SCOPES[name], _encode_scope, _decode_local, KEY_SCHEMA
    if name in LOCALS:
        return LOCALS[name], _encode_local, _decode_local, {"oneOf": [KEY_SCHEMA, {"type": "null"}]}
    if name.endswith("_key"):
        return camel(name), _encode_key, _decode_key, {"oneOf": [KEY_SCHEMA, {"type": "null"}]}
    if name in TIMES or name.endswith(("_at", "_due")):
        return camel(name), _encode_time, _decode_time, _TIME_OR_NONE
    return camel(name), None, None, {"type": "integer"}


def _list(name: str, item: Any) -> tuple[str, Encode | None, Decode | None, Schema]:
    singular = name if name in LOCALS else name.removesuffix("s")
    public, encode, decode, schema = _codec(singular, item)
    public = LOCALS[name] if name in LOCALS and item is int else camel(name)
    if encode is None or decode is None:
        return public, None, None, {"type": "array", "items": schema}
    enc, dec = encode, decode
    return (
        public,
        lambda values, base: [enc(value, base) for value in values],
        lambda values, base: [dec(value, base) for value in values],
        {"type": "array", "items": schema},
    )


_PLAIN: dict[Any, Schema] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    float: {"type": "number"},
    Any: {"description": "any JSON value"},
}


def _plain_schema(kind: Any) -> Schema:
    if kind in _PLAIN:
        return dict(_PLAIN[kind])
    if typing.get_origin(kind) is dict:
        return {"type": "object", "additionalProperties": _plain_schema(typing.get_args(kind)[1])}
    return {"description": "any JSON value"}


def _encode_scope(value: int, base: int) -> str:
    return str(base + value)


def _encode_local(value: int, base: int) -> str | None:
    return str(base + value) if value else None


def _decode_local(text: str | None, base: int) -> int:
    return 0 if text is None else _key(text) - base


def _encode_key(value: int, _base: int) -> str | None:
    return str(value) if value else None


def _decode_key(text: str | None, _base: int) -> int:
    return 0 if text is None else _key(text)


def _key(text: str) -> int:
    if not (isinstance(text, str) and text.isascii() and text.isdigit()):
        raise ValueError("a key is a string of digits")
    return int(text)


def _encode_time(value: int, _base: int) -> str | int | None:
    if value > _LAST:
        return NEVER_TEXT if value == NEVER else value
    return time_text(value) if value else None


def _decode_time(text: str | int | None, _base: int) -> int:
    if text is None:
        return 0
    if text == NEVER_TEXT:
        return NEVER
    if isinstance(text, int):
        return text
    return read_time(text)
