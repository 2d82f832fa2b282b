"""Fields of searchable entities: how a field of the v2 API stands in SQL, which operators it takes, how its values are
read from requests and shown in answers. Identifiers in SQL come from these tables only, values only as parameters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any, NamedTuple

from domain.errors import InvalidArgument
from domain.events import decode_json, encode_json
from domain.keys import parse_key
from projections.queries import DEFAULT_TENANT
from projections.time import iso

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_INT8_MAX = (1 << 63) - 1


class Kind(StrEnum):
    """What a field holds."""

    KEY = "a key (decimal string)"
    TEXT = "a string"
    TENANT = "a tenant id"
    INTEGER = "an integer"
    DATE = 'a date-time such as "2026-11-23T09:30:00.000Z"'
    ENUM = "one of the names"
    BOOLEAN = "true or false"
    MEMBERS = "a string that the list contains"
    ALL_OF = "a list of strings"
    JSON_TEXT = "JSON text"
    JSON = "a JSON object"


_EQUALITY = ("$eq", "$neq", "$exists", "$in", "$notIn")
_ORDER = ("$gt", "$gte", "$lt", "$lte")
OPERATORS: Mapping[Kind, tuple[str, ...]] = {
    Kind.KEY: _EQUALITY,
    Kind.TEXT: (*_EQUALITY, "$like"),
    Kind.TENANT: (*_EQUALITY, "$like"),
    Kind.INTEGER: (*_EQUALITY, *_ORDER),
    Kind.DATE: (*_EQUALITY, *_ORDER),
    Kind.ENUM: (*_EQUALITY, "$like"),
    Kind.BOOLEAN: ("$eq", "$neq"),
    Kind.MEMBERS: (*_EQUALITY, "$like"),
    Kind.ALL_OF: (),
    Kind.JSON_TEXT: (*_EQUALITY, "$like"),
    Kind.JSON: (),
}


class Field(NamedTuple):
    """One field. sql: its expression. joins: those of the entity's that it needs. owned: a key of a part of an instance
    (found through the instance's rows). nested: the condition holds inside this EXISTS of the entity. shown, filtered,
    sorted: where the v2 API has it. open: states that only rows that have not ended have (they have small indexes)."""

    sql: str
    kind: Kind
    names: type[IntEnum] | None = None
    joins: tuple[str, ...] = ()
    nullable: bool = True
    owned: bool = False
    nested: str = ""
    shown: bool = True
    filtered: bool = True
    sorted: bool = True
    open: frozenset[int] = frozenset()

    @property
    def order_sql(self) -> str:
        """What rows are sorted by: states by name, everything else as it is."""
        if self.names is None:
            return self.sql
        names = ",".join(f"'{member.name}'" for member in sorted(self.names))
        return f"(ARRAY[{names}])[{self.sql} + 1]"


class Entity(NamedTuple):
    """A searchable entity. table: FROM's first item, with alias. joins: name → (SQL, joins it needs itself).
    nested: name → EXISTS with "{}" for the conditions. key: the columns that make the order unique, ascending.
    key_field: the field that `get` looks for."""

    title: str
    table: str
    key: tuple[str, ...]
    key_field: str
    tenant: str
    fields: Mapping[str, Field]
    joins: Mapping[str, tuple[str, tuple[str, ...]]]
    nested: Mapping[str, str]
    variables: Mapping[str, str]


def show_date(ms: int | None) -> str | None:
    """2026-11-23T09:30:00.000Z."""
    return None if ms is None else iso(ms)


def show_key(key: int | None) -> str | None:
    """A decimal string."""
    return None if key is None else str(key)


def _same(value: Any) -> Any:
    return value


def renderer(field: Field) -> Callable[[Any], Any]:
    """How a field's column is shown."""
    match field.kind:
        case Kind.KEY:
            return show_key
        case Kind.DATE:
            return show_date
        case Kind.TENANT:
            return lambda tenant: tenant or DEFAULT_TENANT
        case Kind.ENUM if field.names is not None:
            names = {int(member): member.name for member in field.names}
            return names.get
        case Kind.MEMBERS | Kind.ALL_OF:
            return lambda values: values or []
        case Kind.JSON:
            return lambda text: decode_json(text) if text else {}
        case _:
            return _same


def read_value(field: Field, value: object, where: str) -> Any:
    """A value of a request as its column holds it. Raises InvalidArgument naming the field and what would be right."""
    match field.kind:
        case Kind.KEY:
            return int(parse_key(value, where))
        case Kind.DATE:
            return _read_date(value, where)
        case Kind.INTEGER if isinstance(value, int) and not isinstance(value, bool) and abs(value) <= _INT8_MAX:
            return value
        case Kind.BOOLEAN if isinstance(value, bool):
            return value
        case Kind.TENANT if isinstance(value, str):
            return "" if value == DEFAULT_TENANT else _no_nul(value, where)
        case Kind.TEXT | Kind.MEMBERS if isinstance(value, str):
            return _no_nul(value, where)
        case Kind.ENUM if field.names is not None:
            return _read_name(field.names, value, where)
        case Kind.JSON_TEXT if isinstance(value, str):
            return _read_json(value, where)
        case _:
            raise InvalidArgument(f"'{where}' must be {field.kind.value}, not {_shown(value)}", where)


def _no_nul(value: str, where: str) -> str:
    if "\0" in value:
        raise InvalidArgument(f"'{where}' must not contain the character U+0000", where)
    return value


def _read_date(value: object, where: str) -> int:
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            pass
        else:
            if moment.tzinfo is None:
                raise InvalidArgument(f"'{where}' needs a zone or offset, e.g. \"{value}Z\"", where)
            return (moment - _EPOCH) // timedelta(milliseconds=1)
    raise InvalidArgument(f"'{where}' must be {Kind.DATE.value}, not {_shown(value)}", where)


def _read_name(names: type[IntEnum], value: object, where: str) -> int:
    if isinstance(value, str) and value in names.__members__:
        return int(names[value])
    allowed = ", ".join(sorted(names.__members__))
    raise InvalidArgument(f"'{where}' must be one of {allowed}, not {_shown(value)}", where)


def _read_json(value: str, where: str) -> str:
    """Variables are stored as compact JSON; what is looked for is brought to the same form."""
    try:
        return encode_json(decode_json(value)).decode()
    except ValueError as error:
        hint = f'a string is written with its quotes, as "\\"{value[:30]}\\""'
        raise InvalidArgument(f"'{where}' must be JSON text ({hint}), not {_shown(value)}", where) from error


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "…"


def like_pattern(value: object, where: str) -> str:
    """SQL's LIKE pattern for `*` (any characters), `?` (one) and backslash (the next one is meant literally)."""
    if not isinstance(value, str):
        raise InvalidArgument(f"'{where}' must be a string with * and ? as wildcards, not {_shown(value)}", where)
    parts: list[str] = []
    characters = iter(_no_nul(value, where))
    for character in characters:
        if character == "\\":
            parts.append(_literal(next(characters, "\\")))
        elif character in "*?":
            parts.append("%" if character == "*" else "_")
        else:
            parts.append(_literal(character))
    return "".join(parts)


def _literal(character: str) -> str:
    return f"\\{character}" if character in "%_\\" else character


def matching_names(names: type[IntEnum], pattern: str) -> Sequence[int]:
    """The members whose names match a LIKE pattern made by `like_pattern`."""
    return [int(member) for member in names if _is_like(member.name, pattern)]


def _is_like(name: str, pattern: str) -> bool:
    """LIKE, in time proportional to both lengths: which prefixes of `name` match the pattern so far."""
    matched = {0}
    characters = iter(pattern)
    for character in characters:
        if character == "%":
            matched = set(range(min(matched, default=len(name) + 1), len(name) + 1))
            continue
        literal = next(characters) if character == "\\" else "" if character == "_" else character
        matched = {i + 1 for i in matched if i < len(name) and literal in ("", name[i])}
    return len(name) in matched
