"""The part of ClickHouse's HTTP interface that its clients need, executed on the embedded engine: an ASGI application.

    POST or GET /?query=…&database=…&param_x=…&setting=…      statement in `query` and/or the body; answers in the
                                                            format of the FORMAT clause, `default_format` or
                                                            X-ClickHouse-Format
    GET /ping                                                Ok.

Taken: settings, query parameters, inserts in every input format with gzip, deflate or lz4 bodies, results piece by
piece, errors as ClickHouse words them with X-ClickHouse-Exception-Code, Basic authorization or X-ClickHouse-User/-Key.
Not taken: sessions (session_id is accepted and ignored: there are no temporary tables), external data, compression of
results, progress headers, several users.

At most MAX_RUNNING statements run at once and MAX_WAITING wait; each gets MAX_SECONDS unless it says otherwise.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import gzip
import hmac
import logging
import re
import uuid
import zlib
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from infra.clickhouse.engine import STREAMED_FORMATS, ChdbEngine, QueryFailed

LOG = logging.getLogger("flowledger.clickhouse")
MAX_RUNNING = 4
MAX_WAITING = 64
MAX_SECONDS = 60
MAX_BODY = 512 << 20
USER = "flowledger"
DEFAULT_FORMAT = "TabSeparated"

TRANSPORT = frozenset(
    "query database default_format query_id session_id session_timeout session_check quota_key compress decompress "
    "buffer_size wait_end_of_query client_protocol_version role enable_http_compression send_progress_in_http_headers "
    "http_headers_progress_interval_ms cancel_http_readonly_queries_on_client_close user password".split()
)
"""Parameters that are the interface's own; all others are settings."""
CONTENT_TYPES = {
    "CSV": "text/csv; charset=UTF-8",
    "JSON": "application/json; charset=UTF-8",
    "JSONEachRow": "application/x-ndjson; charset=UTF-8",
    "TabSeparated": "text/tab-separated-values; charset=UTF-8",
}
STATUS = {516: 401, 60: 404, 81: 404, 202: 503, 159: 408, 241: 503}
"""HTTP status of some of ClickHouse's codes; 400 for what the statement is to blame for, else 500."""
BLAMED = frozenset({36, 42, 43, 46, 47, 53, 57, 62, 115, 117, 179, 386, 456, 457, 27, 26, 6, 72, 16, 10})

_INSERT = re.compile(rb"\s*(INSERT\s+INTO\s+[^;]*?)\s+FORMAT\s+(\w+)[ \t]*(?:\r?\n|;\s*|$)", re.IGNORECASE | re.DOTALL)
_FORMAT = re.compile(r"\bFORMAT\s+(\w+)\s*;?\s*$", re.IGNORECASE)
_READS = re.compile(r"\s*(?:SELECT|WITH|\()", re.IGNORECASE)

Scope = dict[str, Any]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Statement(NamedTuple):
    """A request, taken apart. insert: format of `data`, "" where it is no insert of data."""

    sql: str
    output: str
    params: dict[str, str]
    settings: dict[str, str]
    database: str
    query_id: str
    insert: str = ""
    data: bytes = b""


class HttpInterface:
    """The ASGI application. password: of the one user; `ready` may refuse while the owner is not ready."""

    def __init__(self, engine: ChdbEngine, password: str) -> None:
        self._engine = engine
        self._password = password.encode()
        self._threads = ThreadPoolExecutor(MAX_RUNNING, "clickhouse")
        self._admitted = 0

    def close(self) -> None:
        """Wait for what runs."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        if scope["path"] == "/ping":
            await _answer(send, 200, b"Ok.\n", [])
            return
        try:
            headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            query = dict(parse_qsl(scope["query_string"].decode(), keep_blank_values=True))
            self._authorize(headers, query)
            body = await _body(receive, headers)
            statement = _statement(query, headers, body)
            if self._admitted >= MAX_RUNNING + MAX_WAITING:
                raise QueryFailed("Code: 202. DB::Exception: Too many queries. (TOO_MANY_SIMULTANEOUS_QUERIES)")
            self._admitted += 1
            try:
                await self._serve(statement, send)
            finally:
                self._admitted -= 1
        except QueryFailed as error:
            await _refuse(send, error)

    def _authorize(self, headers: dict[str, str], query: dict[str, str]) -> None:
        user = headers.get("x-clickhouse-user", query.get("user", ""))
        password = headers.get("x-clickhouse-key", query.get("password", ""))
        scheme, _, credentials = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            try:
                user, _, password = base64.b64decode(credentials, validate=True).decode().partition(":")
            except (binascii.Error, UnicodeDecodeError):
                password = ""
        if user != USER or not hmac.compare_digest(password.encode(), self._password):
            raise QueryFailed(
                f"Code: 516. DB::Exception: {USER}: Authentication failed: password is incorrect, or there is no user "
                "with such name. (AUTHENTICATION_FAILED)"
            )

    async def _serve(self, statement: Statement, send: Send) -> None:
        loop = asyncio.get_running_loop()
        pieces = self._execute(statement)
        first = await loop.run_in_executor(self._threads, _next, pieces)
        headers = [
            (b"x-clickhouse-query-id", statement.query_id.encode("latin-1", "replace")),
            (b"x-clickhouse-format", statement.output.encode()),
            (b"x-clickhouse-timezone", b"UTC"),
            (b"x-clickhouse-server-display-name", b"flowledger"),
            (b"x-clickhouse-summary", b"{}"),
            (b"content-type", CONTENT_TYPES.get(statement.output, "application/octet-stream").encode()),
        ]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        while first is not None:
            await send({"type": "http.response.body", "body": first, "more_body": True})
            try:
                first = await loop.run_in_executor(self._threads, _next, pieces)
            except QueryFailed as error:
                LOG.warning("a statement failed after its result had begun; the answer is cut off: %s", error)
                return
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    def _execute(self, s: Statement) -> Iterator[bytes]:
        settings = {"max_execution_time": str(MAX_SECONDS), **s.settings}
        if s.insert:
            self._engine.insert(s.sql, [s.data], s.insert, settings, s.database)
        elif s.output in STREAMED_FORMATS and _READS.match(s.sql):
            yield from self._engine.stream(s.sql, s.output, s.params, settings, s.database)
        else:
            yield self._engine.run(s.sql, s.output, s.params, settings, s.database)


def _next(pieces: Iterator[bytes]) -> bytes | None:
    return next(pieces, None)


async def _body(receive: Receive, headers: dict[str, str]) -> bytes:
    chunks, size = [], 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise QueryFailed("Code: 394. DB::Exception: The client is gone. (QUERY_WAS_CANCELLED)")
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        if size > MAX_BODY:
            raise QueryFailed(f"Code: 241. DB::Exception: More than {MAX_BODY} bytes. (MEMORY_LIMIT_EXCEEDED)")
        if not message.get("more_body", False):
            return _decompressed(b"".join(chunks), headers.get("content-encoding", ""))


def _decompressed(body: bytes, encoding: str) -> bytes:
    try:
        match encoding.lower():
            case "" | "identity":
                return body
            case "gzip":
                return gzip.decompress(body)
            case "deflate":
                return zlib.decompress(body)
            case "lz4":
                import lz4.frame

                return bytes(lz4.frame.decompress(body))
    except (OSError, EOFError, zlib.error, RuntimeError) as error:
        raise QueryFailed(f"Code: 271. DB::Exception: The body is damaged: {error}. (CANNOT_DECOMPRESS)") from error
    raise QueryFailed(
        f"Code: 48. DB::Exception: Content-Encoding {encoding!r} is not supported; gzip, deflate and lz4 are. "
        "(NOT_IMPLEMENTED)"
    )


def _statement(query: dict[str, str], headers: dict[str, str], body: bytes) -> Statement:
    """Take a request apart. ClickHouse runs `query` and the body, one after the other, as one text."""
    if headers.get("content-type", "").startswith("multipart/form-data"):
        raise QueryFailed("Code: 48. DB::Exception: External data and form fields are not supported. (NOT_IMPLEMENTED)")
    text = query.get("query", "").encode()
    whole = text + b"\n" + body if text and body else text or body
    if not whole.strip():
        raise QueryFailed("Code: 62. DB::Exception: Empty query. (SYNTAX_ERROR)")
    params = {name[6:]: value for name, value in query.items() if name.startswith("param_")}
    settings = {name: value for name, value in query.items() if name not in TRANSPORT and not name.startswith("param_")}
    database = query.get("database", headers.get("x-clickhouse-database", ""))
    query_id = query.get("query_id") or str(uuid.uuid4())
    output = query.get("default_format") or headers.get("x-clickhouse-format") or DEFAULT_FORMAT
    insert = _INSERT.match(whole)
    if insert is not None and insert.end() < len(whole):
        sql, data = insert[1].decode(), whole[insert.end() :]
        return Statement(sql, output, params, settings, database, query_id, insert[2].decode(), data)
    try:
        sql = whole.decode()
    except UnicodeDecodeError as error:
        raise QueryFailed("Code: 62. DB::Exception: The statement is not UTF-8. (SYNTAX_ERROR)") from error
    clause = _FORMAT.search(sql)
    return Statement(sql, clause[1] if clause else output, params, settings, database, query_id)


async def _refuse(send: Send, error: QueryFailed) -> None:
    number = error.number
    status = STATUS.get(number, 400 if number in BLAMED else 500)
    extra = [(b"x-clickhouse-exception-code", str(number).encode())]
    if number == 516:
        extra.append((b"www-authenticate", b'Basic realm="ClickHouse"'))
    await _answer(send, status, str(error).encode() + b"\n", extra)


async def _answer(send: Send, status: int, body: bytes, headers: list[tuple[bytes, bytes]]) -> None:
    headers = [*headers, (b"content-type", b"text/plain; charset=UTF-8"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
