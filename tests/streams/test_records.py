"""Public records: lossless, as they were when they were released, and as the documents say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import jsonschema
import msgspec
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import InvalidArgument
from domain.events import REGISTRY, Envelope, Event, Recorded
from domain.process_instance import events as e
from streams.command_records import (
    BODIES,
    COMMAND_SCHEMA,
    RESULT_SCHEMA,
    CommandResult,
    Problem,
    encode_result_record,
    read_command,
)
from streams.feeds import Undecodable
from streams.record_fields import LOCALS, fields_of, read_time, time_text
from streams.record_schemas import HEADERS, asyncapi, schemas
from streams.records import (
    WATERMARK_TYPE,
    OutRecord,
    RecordInvalid,
    from_record,
    mark_upto,
    read_record,
    to_record,
    to_reference,
    type_of,
    unreadable_record,
    watermark_record,
)
from tests.golden.write import (
    FOLDER,
    POSITION,
    PREVIOUS,
    RECORDS,
    STREAM,
    VERSION,
    documents,
    example,
    golden_record,
    shown,
)

TOPICS = sorted(REGISTRY.topics())
MISSING = "python -m tests.golden.write"
ENVELOPE = Envelope(1_795_454_390_962_689, "kim", "acme", "c-1", "4bf92f3577b34da6a3ce929d0e0e4736")


def recorded(event: Event, stream: UUID = STREAM, envelope: Envelope = ENVELOPE) -> Recorded:
    return Recorded(stream, 3, 17, envelope, event)


def back(record: OutRecord) -> Recorded | None:
    return from_record(record.headers, record.value)


@pytest.mark.parametrize("topic", TOPICS)
def test_an_event_is_published_today_as_it_was_when_it_was_released(topic: str) -> None:
    path = RECORDS / f"{type_of(topic)}.json"
    assert path.exists(), f"{topic} has no golden public record: {MISSING}"
    assert shown(golden_record(topic)) == path.read_bytes()


@pytest.mark.parametrize("path", sorted(RECORDS.glob("*.json")), ids=lambda path: path.stem)
def test_a_golden_record_is_read_as_the_event_it_was_made_of(path: Path) -> None:
    golden = json.loads(path.read_bytes())
    headers = [(name, value.encode()) for name, value in golden["headers"].items()]
    event = from_record(headers, json.dumps(golden["value"]).encode())
    assert event is not None
    stored = REGISTRY.decode(event.event.topic, (FOLDER / f"{event.event.topic}.json").read_bytes().rstrip(b"\n"))
    assert (event.stream, event.version, event.position) == (STREAM, VERSION, POSITION)
    assert (event.envelope, event.event) == stored
    assert read_record(headers, json.dumps(golden["value"]).encode()).previous == PREVIOUS


@pytest.mark.parametrize("topic", TOPICS)
def test_what_is_sent_is_what_the_schema_says(topic: str) -> None:
    """The schema leaves room for members that a later version appends; what is sent now has none of them."""
    schema = schemas()[type_of(topic)]
    kind = REGISTRY.topics()[topic]
    fields = msgspec.structs.fields(kind)
    _, full = REGISTRY.decode(topic, example(topic))
    sparse = msgspec.convert([getattr(full, f.name) if f.required else _default(f) for f in fields], kind)
    for event in (full, sparse):
        record = to_record(recorded(event))
        value = json.loads(record.value or b"")
        jsonschema.validate(value, schema | {"additionalProperties": False})
        headers = {name: text.decode() for name, text in record.headers}
        jsonschema.validate(headers, HEADERS | {"additionalProperties": False})
        assert back(record) == recorded(event)


def _default(field: msgspec.structs.FieldInfo) -> Any:
    return field.default if field.default is not msgspec.NODEFAULT else field.default_factory()


@pytest.mark.parametrize("path", list(documents()), ids=lambda path: path.name)
def test_the_documents_are_what_the_code_says(path: Path) -> None:
    assert path.exists() and path.read_bytes() == documents()[path], f"{path.name} is out of date: {MISSING}"


def test_the_asyncapi_document_names_every_type_and_points_to_what_is_there() -> None:
    text = next(content for path, content in documents().items() if path.name == "asyncapi.yaml")
    document = yaml.safe_load(text)
    assert document == asyncapi("1")
    assert document["asyncapi"] == "3.0.0"
    assert {type_of(topic) for topic in TOPICS} <= set(document["channels"]["events"]["messages"])

    def check(part: Any) -> None:
        if isinstance(part, dict):
            reference = part.get("$ref", "")
            if reference.startswith("#/"):
                found = document
                for name in reference.removeprefix("#/").split("/"):
                    found = found[name]
            elif reference:
                assert any(path.as_posix().endswith("docs/" + reference) for path in documents()), reference
            for value in part.values():
                check(value)
        elif isinstance(part, list):
            for value in part:
                check(value)

    check(document)


def test_every_schema_is_a_schema() -> None:
    for schema in [*schemas().values(), HEADERS, COMMAND_SCHEMA, RESULT_SCHEMA]:
        jsonschema.Draft202012Validator.check_schema(schema)


def test_locals_become_the_keys_of_the_parts_that_they_name() -> None:
    value = json.loads(to_record(recorded(e.JobCreated(5, 4, "work", "t", 3))).value or b"")
    assert (value["key"], value["elementInstanceKey"]) == (str(STREAM.int + 5), str(STREAM.int + 4))
    entered = json.loads(to_record(recorded(e.ElementActivated(4, "work", 0))).value or b"")
    assert entered["scopeKey"] == str(STREAM.int)
    assert "sourceElementInstanceKey" not in entered
    called = e.InstanceCreated(1, "p", 1, {}, [], parent_key=8192, parent_element=3)
    assert json.loads(to_record(recorded(called)).value or b"")["parentElementInstanceKey"] == "8195"


def test_no_field_of_an_event_looks_like_a_local_that_is_published_as_a_number() -> None:
    """Numbers that are no locals are named here, so that a new field is looked at once."""
    counts = {
        "version",
        "waits",
        "retries",
        "remaining",
        "priority",
        "index",
        "decision_versions",
        "depth",
        "day_minutes",
        "position",
    }
    found = {
        f"{topic}: {field.name}"
        for topic, kind in REGISTRY.topics().items()
        for field in fields_of(kind)
        if field.schema in ({"type": "integer"}, {"type": "array", "items": {"type": "integer"}})
        and field.name not in counts
    }
    assert not found, f"add these to streams/record_fields.py, LOCALS ({len(LOCALS)} are), or name them in this test"


keys = st.integers(1, (1 << 51) - 1).map(lambda block: UUID(int=block << 12))
times = st.one_of(st.just(0), st.just(e.NEVER), st.integers(1, (1 << 63) - 1), st.integers(10**15, 2 * 10**15))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
values = st.recursive(
    st.one_of(st.none(), st.booleans(), texts, st.integers()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts, inner, max_size=3)),
    max_leaves=8,
)
happenings = st.one_of(
    st.builds(e.JobUpdated, st.integers(0, 1 << 40), st.integers(), times, times),
    st.builds(
        e.VariablesSet,
        st.integers(0, 1 << 40),
        st.dictionaries(texts, values, max_size=4),
        st.lists(st.integers(0, 9999), max_size=4),
    ),
    st.builds(e.LoopStarted, st.integers(0, 99), st.one_of(st.none(), st.lists(values, max_size=3))),
    st.builds(
        e.UserTaskUpdated,
        st.integers(1, 99),
        st.one_of(st.none(), st.lists(texts, max_size=2)),
        st.none(),
        st.one_of(st.none(), times),
    ),
    st.builds(e.TimerStarted, st.integers(1, 99), st.integers(0, 99), texts, times, st.integers(-1, 9), texts),
)
envelopes = st.builds(
    Envelope, st.integers(0, 4 * 10**15), texts, texts, texts, st.one_of(texts, st.just(ENVELOPE.trace_id))
)


@settings(max_examples=200, deadline=None)
@given(keys, happenings, envelopes)
def test_nothing_is_lost_on_the_way(stream: UUID, event: Event, envelope: Envelope) -> None:
    original = recorded(event, stream, envelope)
    assert back(to_record(original)) == original


@given(st.integers(0, 253_402_300_799_999_999))
def test_times_keep_their_microseconds(at: int) -> None:
    assert read_time(time_text(at)) == at


def test_a_stream_that_is_no_instance_is_named_by_its_uuid() -> None:
    family = uuid4()
    event = REGISTRY.decode("definition.form_deployed.1", example("definition.form_deployed.1"))[1]
    record = to_record(recorded(event, family))
    assert record.key == str(family).encode()
    assert back(record) == recorded(event, family)


def test_a_watermark_says_how_far_a_partition_is() -> None:
    record = watermark_record(9, ENVELOPE.at, 7, 2)
    read = read_record(record.headers, record.value)
    assert (read.event, read.position, read.previous, read.upto, read.at) == (None, 9, 7, 9, ENVELOPE.at)
    jsonschema.validate(json.loads(record.value or b""), schemas()[WATERMARK_TYPE])
    assert back(record) is None


def test_an_event_may_speak_for_those_after_it() -> None:
    record = to_record(recorded(e.InstanceCompleted()), 12)
    mark_upto(record, 20, ENVELOPE.at + 5)
    read = read_record(record.headers, record.value)
    assert (read.position, read.previous, read.upto, read.at) == (17, 12, 20, ENVELOPE.at + 5)


def test_what_is_too_large_or_unreadable_is_referred_to() -> None:
    large = to_reference(to_record(recorded(e.InstanceCompleted()), 12), 17)
    broken = unreadable_record(Undecodable(STREAM, 3, 17, "pi.new.9", "?"), 12)
    for record in (large, broken):
        assert record.value is None
        read = read_record(record.headers, None)
        assert (read.event, read.position, read.previous, read.reference) == (None, 17, 12, True)
        with pytest.raises(RecordInvalid, match="read it from the log"):
            back(record)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"ce_type": None}, "ce_type is missing"),
        ({"ce_type": b"com.flowledger.instance.new.v1"}, "does not know the type"),
        ({"ce_source": b"/other"}, "not a CloudEvent"),
        ({"ce_position": b"x"}, "invalid literal"),
        ({"ce_time": b"yesterday"}, "ends in Z"),
        ({"ce_subject": b"-"}, "badly formed"),
        ({"value": b"["}, "truncated"),
        ({"value": b"[]"}, "not a JSON object"),
        ({"value": b'{"retries": 1}'}, "'jobKey' is missing"),
        ({"value": b'{"jobKey": 5, "retries": 1, "availableAt": null}'}, "a key is a string of digits"),
        ({"value": b'{"jobKey": "5", "retries": "1", "availableAt": null}'}, "Expected `int`"),
        ({"value": b'{"jobKey": "5", "retries": 1, "availableAt": "soon"}'}, "'availableAt' is 'soon'"),
        ({"value": None}, "no value"),
    ],
)
def test_a_record_that_is_none_of_ours_is_refused_with_the_reason(change: dict[str, Any], said: str) -> None:
    good = to_record(recorded(e.JobUpdated(1, 2, 3)))
    value = change.pop("value", good.value)
    headers = {**dict(good.headers), **change}
    with pytest.raises(RecordInvalid, match=said):
        read_record([(name, text) for name, text in headers.items() if text is not None], value)


def test_members_that_a_newer_version_appended_are_passed_over() -> None:
    good = to_record(recorded(e.InstanceCompleted(2)))
    assert from_record(good.headers, b'{"waits": 2, "later": 1}') == recorded(e.InstanceCompleted(2))


def test_every_command_is_understood_and_fits_its_schema() -> None:
    bodies: dict[str, dict[str, Any]] = {
        "start-instance": {"processDefinitionId": "p", "variables": {"amount": 1.5}},
        "cancel-instance": {"processInstanceKey": "4096"},
        "complete-job": {"jobKey": "4097", "variables": {}},
        "fail-job": {"jobKey": "4097", "retries": 1, "retryBackOff": 250},
        "throw-job-error": {"jobKey": "4097", "errorCode": "E"},
        "complete-user-task": {"userTaskKey": "4097"},
        "assign-user-task": {"userTaskKey": "4097", "assignee": ""},
        "set-variables": {"elementInstanceKey": "4097", "variables": {"a": None}},
        "resolve-incident": {"incidentKey": "4097"},
    }
    assert set(bodies) <= set(BODIES)
    for type, body in bodies.items():
        record = {"type": type, "commandId": "c-1", "tenant": "acme", "actor": "kim", "body": body}
        jsonschema.validate(record, COMMAND_SCHEMA)
        named, command, meta = read_command(json.dumps(record).encode(), "trace")
        assert (named, meta.tenant, meta.actor, meta.command_id, meta.trace_id) == (type, "acme", "kim", "c-1", "trace")
        assert type.split("-")[0] in command.__class__.__name__.lower() or type in (
            "start-instance",
            "assign-user-task",
        )


@pytest.mark.parametrize(
    ("value", "said"),
    [
        (None, "no value"),
        (b"\xff", "not a command"),
        (b"[" * 100_000, "not a command"),
        (b'{"type": "complete-job"}', "body"),
        (b'{"type": "explode", "body": {}}', "there is no command 'explode'; there are start-instance"),
        (b'{"type": "complete-job", "body": {"jobKey": "x"}}', "'body.jobKey' must be a key"),
        (b'{"type": "complete-job", "body": {"jobkey": "1"}}', "jobkey"),
        (b'{"type": "complete-job", "body": {}}', "jobKey"),
        (b'{"type": "start-instance", "body": {}}', "either 'processDefinitionId' or 'processDefinitionKey'"),
        (
            b'{"type": "complete-job", "commandId": "%b", "body": {"jobKey": "1"}}' % (b"x" * 257),
            "'commandId' has at most",
        ),
    ],
)
def test_what_is_no_command_is_refused_with_what_would_be_right(value: bytes | None, said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        read_command(value)


def test_results_fit_their_schema() -> None:
    problem = Problem("urn:x", "NOT_FOUND", 404, "no such job", "body.jobKey")
    for result in (
        CommandResult(id="c/0@1", status="done", result={"processInstanceKey": "1"}, position="7"),
        CommandResult(id="c/0@1", status="refused", type="complete-job", command_id="x", tenant="t", problem=problem),
    ):
        jsonschema.validate(json.loads(encode_result_record(result)), RESULT_SCHEMA)
