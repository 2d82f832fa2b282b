"""One port to ClickHouse, two ways: the engine in this process, and clickhouse-connect over the HTTP interface."""

from __future__ import annotations

import gzip
from typing import Any

import httpx
import pytest

from domain.errors import StorageUnavailable
from infra.clickhouse.connection import ClickHouse, HttpClickHouse, parse_url
from infra.clickhouse.engine import ChdbEngine, EngineInUse, QueryFailed
from infra.clickhouse.server import StoreServer


@pytest.fixture(params=["embedded", "http"])
def clickhouse(request: pytest.FixtureRequest, store: ClickHouse, over_http: HttpClickHouse) -> ClickHouse:
    chosen = store if request.param == "embedded" else over_http
    chosen.command(
        "CREATE TABLE things (id UInt64, name String, at DateTime64(3, 'UTC')) ENGINE = ReplacingMergeTree ORDER BY id"
    )
    return chosen


def test_rows_go_in_and_come_out(clickhouse: ClickHouse) -> None:
    clickhouse.insert("things", ("id", "name", "at"), b'[1,"\xc3\xa4\\n\\"",1.5]\n[18446744073709551615,"b",0]\n')
    rows = clickhouse.rows("SELECT id, name, toUnixTimestamp64Milli(at) FROM things ORDER BY id")
    assert rows == [[1, 'ä\n"', 1500], [18446744073709551615, "b", 0]]
    assert b"".join(clickhouse.stream("SELECT id FROM things ORDER BY id", "TabSeparated")).split() == [
        b"1",
        b"18446744073709551615",
    ]


def test_of_rows_with_one_key_the_last_counts(clickhouse: ClickHouse) -> None:
    for name in (b"a", b"b"):
        clickhouse.insert("things", ("id", "name"), b'[1,"' + name + b'"]\n')
    assert clickhouse.rows("SELECT name FROM things") == [["b"]]


@pytest.mark.parametrize(
    "value", ["plain", "it's", 'a "b"', "back\\slash", "new\nline", "tab\t", "{x:String}", "中文", "\\n", ""]
)
def test_parameters_arrive_as_they_are(clickhouse: ClickHouse, value: str) -> None:
    assert clickhouse.rows("SELECT {a:String}, {b:Array(String)}", {"a": value, "b": [value, ""]}) == [
        [value, [value, ""]]
    ]
    assert clickhouse.rows("SELECT {n:Int64}", {"n": -5}) == [[-5]]


def test_refusals_have_clickhouses_number(clickhouse: ClickHouse) -> None:
    with pytest.raises(QueryFailed, match=r"UNKNOWN_TABLE|does not exist|Unknown table") as missing:
        clickhouse.rows("SELECT * FROM nothing")
    assert missing.value.number == 60
    with pytest.raises(QueryFailed) as wrong:
        clickhouse.insert("things", ("id",), b'["x"]\n')
    assert wrong.value.number in {26, 27, 72, 117}


def test_a_large_result_comes_in_pieces(over_http: HttpClickHouse) -> None:
    pieces = list(over_http.stream("SELECT number, repeat('x', 100) FROM numbers(50000)", "JSONCompactEachRow"))
    assert len(pieces) > 10
    assert b"".join(pieces).count(b"\n") == 50_000


def test_a_failure_after_the_result_has_begun_is_no_short_result(over_http: HttpClickHouse) -> None:
    text = "SELECT throwIf(number = 900000), repeat('x', 100) FROM numbers(1000000) SETTINGS max_block_size = 1000"
    with pytest.raises((StorageUnavailable, QueryFailed)):
        list(over_http.stream(text, "JSONCompactEachRow"))


def test_a_store_that_is_away_and_a_wrong_password(store_server: StoreServer) -> None:
    with pytest.raises(StorageUnavailable, match="cannot be reached"):
        HttpClickHouse("http://flowledger:x@127.0.0.1:9/db").rows("SELECT 1")
    address = parse_url(store_server.url)
    with pytest.raises((QueryFailed, StorageUnavailable), match=r"Authentication|password"):
        HttpClickHouse(f"http://flowledger:wrong@127.0.0.1:{address.port}/default").rows("SELECT 1")


def test_the_interface_takes_compressed_bodies_and_refuses_nonsense(store_server: StoreServer) -> None:
    address = parse_url(store_server.url)
    with httpx.Client(base_url=f"http://127.0.0.1:{address.port}", auth=(address.user, address.password)) as http:
        assert http.get("/ping").text == "Ok.\n"
        zipped = http.post("/", content=gzip.compress(b"SELECT 1 + 1"), headers={"content-encoding": "gzip"})
        assert zipped.text == "2\n"
        assert (
            http.post("/", content=b"xx", headers={"content-encoding": "gzip"}).headers["x-clickhouse-exception-code"]
            == "271"
        )
        assert http.post("/", content=b"").status_code == 400
        assert http.post("/", content=b"SELEC 1").status_code == 400
        assert http.get("/", params={"query": "SELECT {x:UInt8}", "param_x": "7"}).text == "7\n"


def test_a_folder_has_one_owner(store_server: StoreServer) -> None:
    with pytest.raises(EngineInUse, match="is open in another process"):
        ChdbEngine(store_server._folder / "store")


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("http://h", (False, "h", 8123, "default", "", "flowledger")),
        ("https://u:p%40ss@h:1/d", (True, "h", 1, "u", "p@ss", "d")),
        ("https://h/", (True, "h", 8443, "default", "", "flowledger")),
    ],
)
def test_addresses(url: str, parts: tuple[Any, ...]) -> None:
    assert tuple(parse_url(url)) == parts
