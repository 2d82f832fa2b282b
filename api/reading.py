"""Reading request bodies: bounded while they arrive, decoded by msgspec straight into records, refused with words that
say where the fault is and what would be right.

Numbers stay exact (integers as int, others as Decimal). A body may nest MAX_DEPTH levels deep; text may not hold NUL.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Hashable
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, TypeVar, cast

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from api.errors import BodyTooLarge, UnsupportedMediaType
from domain.errors import InvalidArgument

T = TypeVar("T")

MAX_DEPTH = 100
"""How deep objects and lists may nest: far beyond any form or document, far below what recursion bears."""
MAX_DIGITS = 1_000
MAX_EXPONENT = 6_144
"""Of IEEE 754 decimal128, which is what FEEL reckons with."""
_INFINITE = Decimal("Infinity")


async def read_body(request: Request, limit: int) -> bytes:
    """The whole body. Raises BodyTooLarge as soon as it exceeds `limit` bytes, whatever Content-Length claims."""
    receive = limited(request, limit)
    chunks: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect()
        chunk = message.get("body", b"")
        if chunk:
            chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


def limited(request: Request, limit: int) -> Receive:
    """The request's `receive`, which raises BodyTooLarge once more than `limit` bytes came (or are announced)."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise BodyTooLarge(f"the body has {int(announced):,} bytes; at most {limit:,} are allowed")
    receive = request.receive
    size = 0

    async def bounded() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > limit:
            raise BodyTooLarge(f"the body has more than {limit:,} bytes, which is all that is allowed")
        return message

    return bounded


def require_json(request: Request) -> None:
    """Raises UnsupportedMediaType unless the body is declared as JSON."""
    declared = request.headers.get("content-type", "")
    kind = declared.partition(";")[0].strip().lower()
    if kind != "application/json" and not kind.endswith("+json"):
        raise UnsupportedMediaType(f"the body must be application/json, not {declared or 'undeclared'!r}")


def _exact(text: str) -> Decimal:
    """The hook for numbers that are not whole. msgspec turns its ValueError into a refusal that names the place."""
    if len(text) > MAX_DIGITS:
        raise ValueError(f"a number has at most {MAX_DIGITS} digits")
    try:
        number = Decimal(text)
    except InvalidOperation:
        number = _INFINITE
    if not -MAX_EXPONENT < number.adjusted() < MAX_EXPONENT or not number.is_finite():
        raise ValueError(f"a number must have an exponent between -{MAX_EXPONENT} and {MAX_EXPONENT}")
    return number


@lru_cache
def _decoder(record: Hashable) -> msgspec.json.Decoder[Any]:
    """Not strict: clients write whole numbers that exceed JavaScript's range, like requestTimeout, as text."""
    return msgspec.json.Decoder(cast(Any, record), float_hook=_exact, strict=False)


def decode(body: bytes, record: type[T]) -> T:
    """The record in a JSON body. Raises InvalidArgument that names the field and what is expected, or the position."""
    try:
        value: T = _decoder(cast(Hashable, record)).decode(body)
    except msgspec.ValidationError as error:
        raise _invalid(str(error), record) from error
    except msgspec.DecodeError as error:
        raise InvalidArgument(f"the body is not valid JSON: {_syntax(body, str(error))}") from error
    except UnicodeDecodeError as error:
        raise InvalidArgument("the body is not valid JSON: it is not encoded in UTF-8") from error
    except RecursionError as error:
        raise _too_deep() from error
    if body.count(b"{") + body.count(b"[") > MAX_DEPTH or b"\\u0000" in body:
        _inspect(body)
    return value


def _too_deep() -> InvalidArgument:
    return InvalidArgument(f"the JSON nests more than {MAX_DEPTH} levels deep")


def _inspect(body: bytes) -> None:
    """Refuse what is too deep, and NUL in names and texts (no PostgreSQL text can hold it)."""
    try:
        level: list[tuple[str, Any]] = [("", msgspec.json.decode(body))]
    except RecursionError as error:
        raise _too_deep() from error
    for _ in range(MAX_DEPTH + 1):
        below: list[tuple[str, Any]] = []
        for path, item in level:
            if isinstance(item, dict):
                for name, inner in item.items():
                    _refuse_nul(name, path)
                    below.append((f"{path}.{name}" if path else name, inner))
            elif isinstance(item, list):
                below.extend((path, inner) for inner in item)
            else:
                _refuse_nul(item, path)
        if not below:
            return
        level = below
    raise _too_deep()


def _refuse_nul(text: Any, path: str) -> None:
    if isinstance(text, str) and "\0" in text:
        raise InvalidArgument("text must not contain the character U+0000", path or None)


_EXPECTED = {
    "str": "text",
    "int": "a whole number",
    "bool": "true or false",
    "object": "an object",
    "array": "a list",
    "float": "a number",
    "number": "a number",
    "null": "null",
}
_MISMATCH = re.compile(r"^Expected `(?P<wanted>[^`]+)`(?: (?P<bound>[<>]=? .+?))?, got `(?P<got>[^`]+)`")
_BOUND = re.compile(r"^Expected `(?P<wanted>[^`]+)` (?P<bound>.+?)(?: - at `|$)")
_MISSING = re.compile(r"missing required field `(?P<name>[^`]+)`")
_UNKNOWN = re.compile(r"unknown field `(?P<name>[^`]+)`")
_PATH = re.compile(r" - at `(?:key in )?\$\.?(?P<path>[^`]*)`$")


def _invalid(message: str, record: type[Any]) -> InvalidArgument:
    """msgspec's validation error in our words; the field is a dotted path."""
    found = _PATH.search(message)
    path = found["path"] if found else ""
    if missing := _MISSING.search(message):
        field = _join(path, missing["name"])
        return InvalidArgument(f"'{field}' is required, but missing", field)
    if unknown := _UNKNOWN.search(message):
        name = unknown["name"]
        known = _known_names(record, path)
        near = difflib.get_close_matches(name, known, 1)
        hint = f"did you mean '{near[0]}'?" if near else f"known are {', '.join(known)}"
        return InvalidArgument(f"'{_join(path, name)}' is not a property of this request; {hint}", _join(path, name))
    subject = f"'{path}'" if path else "the body"
    if mismatch := _MISMATCH.search(message):
        text = f"{subject} must be {_words(mismatch['wanted'])}, not {_words(mismatch['got'])}"
        return InvalidArgument(text, path or None)
    if bound := _BOUND.search(message):
        return InvalidArgument(f"{subject} must be {_words(bound['wanted'])} {bound['bound']}", path or None)
    if message.startswith("Integer value out of range"):
        return InvalidArgument(f"{subject}: a whole number has at most 4,300 digits", path or None)
    return InvalidArgument(f"{subject}: {message.partition(' - at ')[0]}", path or None)


def _join(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _words(types: str) -> str:
    return " or ".join(_EXPECTED.get(part.strip(), part.strip()) for part in types.split("|"))


def _known_names(record: type[Any], path: str) -> list[str]:
    """The property names of the record at a dotted path within `record`."""
    for name in filter(None, path.split(".")):
        fields = {field.encode_name: field.type for field in msgspec.structs.fields(record)}
        nested = fields.get(name.partition("[")[0])
        records = [kind for kind in getattr(nested, "__args__", (nested,)) if isinstance(kind, type)]
        record = next((kind for kind in records if issubclass(kind, msgspec.Struct)), record)
    return [field.encode_name for field in msgspec.structs.fields(record)]


_BYTE = re.compile(r"^JSON is malformed: (?P<what>.*) \(byte (?P<byte>\d+)\)$")


def _syntax(body: bytes, message: str) -> str:
    """A syntax error with its line and column (1-based)."""
    if not body.strip():
        return "it is empty"
    found = _BYTE.match(message)
    if found is None:
        return f"{message[:1].lower()}{message[1:]} (after {len(body)} bytes)"
    before = body[: int(found["byte"])]
    line = before.count(b"\n") + 1
    column = len(before) - (before.rfind(b"\n") + 1) + 1
    return f"{found['what']} at line {line}, column {column}"
