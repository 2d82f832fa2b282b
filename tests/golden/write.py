"""`python -m tests.golden.write`: a golden file for every event topic that has none, and one of its public record.

An existing file is never touched: it shows how the event was stored and published when it was released, and that never
changes. Every field gets a value of its own, so that two fields that change places are noticed. What documents the
records (docs/schemas, docs/asyncapi.yaml) is written anew: it follows the code.
"""

from __future__ import annotations

import enum
import types
import typing
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import yaml

import domain.calendar.events
import domain.decision.events
import domain.process_definition.events
import domain.process_instance.events  # noqa: F401 - registers its topics, as the lines above do
from domain.events import REGISTRY, Envelope, Event, Recorded, decode_json, encode_envelope, encode_event, encode_json
from streams.record_schemas import asyncapi, schemas
from streams.records import OutRecord, to_record, type_of

FOLDER = Path(__file__).resolve().parent / "events"
RECORDS = FOLDER.parent / "records"
DOCS = FOLDER.parents[2] / "docs"
STREAM, VERSION, POSITION, PREVIOUS = UUID(int=94720104704507904), 7, 4711, 4709
MICROSECONDS = 1795454390962689
KEY = 94720104704507904
TIMES = frozenset({"at", "due", "deadline", "follow_up", "next_due", "available_at"})
ENVELOPE = Envelope(MICROSECONDS, "li.na", "acme", "6f0c2f7e", "4bf92f3577b34da6a3ce929d0e0e4736")
VARIABLES: dict[str, Any] = {
    "amount": Decimal("12.50"),
    "count": 3,
    "approved": True,
    "note": None,
    "name": "李娜",
    "list": [1, {"a": "b"}],
}


def example(topic: str) -> bytes:
    """The stored form of an event of this topic with every field set."""
    kind = REGISTRY.topics()[topic]
    fields = enumerate(msgspec.structs.fields(kind), 1)
    event: Event = kind(**{field.name: _value(field.type, field.name, number) for number, field in fields})
    return encode_event(encode_envelope(ENVELOPE), event)


def _value(kind: Any, name: str, number: int) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin is list:
        return [_value(arguments[0], name, number), _value(arguments[0], name, number + 1)]
    if origin is dict:
        return VARIABLES if arguments[1] is Any else {"key": _value(arguments[1], name, number)}
    if origin in {types.UnionType, typing.Union}:
        return _value(next(each for each in arguments if each is not type(None)), name, number)
    if kind is Any:
        return {"x": Decimal("0.1")}
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return next(iter(kind))
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        fields = enumerate(msgspec.structs.fields(kind), number)
        return kind(**{field.name: _value(field.type, field.name, index) for index, field in fields})
    return _scalar(kind, name, number)


def _scalar(kind: Any, name: str, number: int) -> Any:
    if kind is bool:
        return True
    if kind is int:
        return MICROSECONDS if name in TIMES else KEY + number if name.endswith("_key") else number
    if kind is str:
        known = {"source": "<definitions/>", "checksum": "0" * 64}
        return known.get(name, f"{name}_{number}" if name.endswith("_id") else f"{name.replace('_', ' ')} {number}")
    raise TypeError(f"no example value is known for {kind} ({name})")


def golden_record(topic: str) -> OutRecord:
    """The public record of the golden event of this topic."""
    envelope, event = REGISTRY.decode(topic, (FOLDER / f"{topic}.json").read_bytes().rstrip(b"\n"))
    return to_record(Recorded(STREAM, VERSION, POSITION, envelope, event), PREVIOUS)


def shown(record: OutRecord) -> bytes:
    """A record as its golden file has it."""
    headers = {name: value.decode() for name, value in record.headers}
    content = {"key": (record.key or b"").decode(), "headers": headers, "value": decode_json(record.value or b"null")}
    return msgspec.json.format(encode_json(content), indent=1) + b"\n"


def documents() -> dict[Path, bytes]:
    """The files that document the records, as they should be."""
    files = {
        DOCS / "schemas" / f"{type}.json": msgspec.json.format(msgspec.json.encode(schema), indent=2) + b"\n"
        for type, schema in schemas().items()
    }
    text = yaml.safe_dump(asyncapi("1"), sort_keys=False, allow_unicode=True, width=110)
    files[DOCS / "asyncapi.yaml"] = b"# Written by `python -m tests.golden.write`.\n" + text.encode()
    return files


def main() -> None:
    """Write what is missing, and say so."""
    RECORDS.mkdir(exist_ok=True)
    (DOCS / "schemas").mkdir(exist_ok=True)
    for topic in sorted(REGISTRY.topics()):
        path, record = FOLDER / f"{topic}.json", RECORDS / f"{type_of(topic)}.json"
        if not path.exists():
            path.write_bytes(example(topic) + b"\n")
            print(f"wrote {path.name}")
        if not record.exists():
            record.write_bytes(shown(golden_record(topic)))
            print(f"wrote {record.name}")
    for path, content in documents().items():
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)
            print(f"wrote {path.name}")


if __name__ == "__main__":
    main()
