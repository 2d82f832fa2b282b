"""A small HTTP/1.1 client for loads: keep-alive, one request at a time a connection, nothing that a load does not need,
so that the client is not what is measured.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import urlsplit

import msgspec

from bench.peers.workload import BenchError

_encode = msgspec.json.Encoder().encode


class Connection(asyncio.Protocol):
    """One connection; `post` answers (status, body). Bodies must come with Content-Length.

    position: where the log stood at this connection's last write; a read that sends it shows that write.
    """

    def __init__(self, host: str) -> None:
        self._host = host.encode()
        self._buffer = bytearray()
        self.position = 0
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[tuple[int, bytes]] | None = None

    @classmethod
    async def open(cls, address: str) -> Connection:
        """Connect to the server at a URL."""
        parts = urlsplit(address)
        assert parts.hostname
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(lambda: cls(parts.netloc), parts.hostname, parts.port)
        return connection

    def close(self) -> None:
        """Hang up."""
        if self._transport is not None:
            self._transport.close()

    async def post(self, path: str, body: Any, own_writes: bool = False) -> tuple[int, bytes]:
        """Send JSON; the status and the body of the answer. own_writes: of a search that is to show them."""
        content = _encode(body)
        head = b"POST %b HTTP/1.1\r\nHost: %b\r\nContent-Type: application/json\r\nContent-Length: %d\r\n"
        head += b"Flowledger-Min-Position: %d\r\n\r\n" % self.position if own_writes else b"\r\n"
        assert self._transport is not None
        assert self._waiter is None
        self._waiter = asyncio.get_running_loop().create_future()
        self._transport.write(head % (path.encode(), self._host, len(content)) + content)
        return await self._waiter

    async def must(self, path: str, body: Mapping[str, Any], own_writes: bool = False) -> Any:
        """Send JSON and expect success; the decoded answer. Raises BenchError with what the server said."""
        status, content = await self.post(path, body, own_writes)
        if status >= 300:
            raise BenchError(f"POST {path} answered {status}: {content[:500].decode(errors='replace')}")
        return msgspec.json.decode(content) if content else None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio.Protocol."""
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, error: Exception | None) -> None:
        """See asyncio.Protocol."""
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_exception(error or ConnectionResetError("the server hung up"))

    def data_received(self, data: bytes) -> None:
        """See asyncio.Protocol."""
        buffer = self._buffer
        buffer += data
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        length = _number(buffer, end, b"\r\ncontent-length:")
        if len(buffer) < end + 4 + length:
            return
        self.position = max(self.position, _number(buffer, end, b"\r\nflowledger-position:"))
        status, body = int(buffer[9:12]), bytes(buffer[end + 4 : end + 4 + length])
        del buffer[: end + 4 + length]
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result((status, body))


def _number(buffer: bytearray, end: int, header: bytes) -> int:
    """The number in a header of an answer, 0 if it has none."""
    head = buffer[:end].lower()
    at = head.find(header)
    if at < 0:
        return 0
    stop = head.find(b"\r\n", at + 2)
    return int(head[at + len(header) : stop if stop >= 0 else end])
