"""Exports of tables: CSV and XLSX (Parquet is ClickHouse's own). Rows come as JSON arrays, a line each.

A text that a spreadsheet would take for a formula (it begins with = + - @, a tab or a return) gets an apostrophe before
it: business data must not run in the reader's program (OWASP, "CSV injection").
"""

from __future__ import annotations

import asyncio
import csv
import io
import tempfile
from collections.abc import AsyncIterator, Sequence
from typing import IO, Any

import msgspec

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")
CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
LINES = "JSONCompactEachRow"
_PIECE = 1 << 16
_IN_MEMORY = 8 << 20
_DECODER = msgspec.json.Decoder(list[Any])


def cell(value: Any) -> Any:
    """A value as a spreadsheet may safely have it."""
    match value:
        case bool() | int() | float() | None:
            return value
        case list():
            value = " › ".join(map(str, value))
    text = str(value)
    return f"'{text}" if text.startswith(FORMULA_STARTS) else text


async def rows_of(pieces: AsyncIterator[bytes]) -> AsyncIterator[list[list[Any]]]:
    """The rows in pieces of text whose borders are anywhere, some at a time."""
    rest = b""
    async for piece in pieces:
        whole, newline, rest = (rest + piece).rpartition(b"\n")
        if newline:
            yield _DECODER.decode_lines(whole)
    if rest.strip():
        yield _DECODER.decode_lines(rest)


async def as_csv(header: Sequence[str], pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """CSV (RFC 4180) in UTF-8, with a byte order mark: Excel takes it for another encoding without one."""
    buffer = io.StringIO()
    out = csv.writer(buffer)
    out.writerow(header)
    yield b"\xef\xbb\xbf" + buffer.getvalue().encode()
    async for rows in rows_of(pieces):
        buffer.seek(0)
        buffer.truncate()
        out.writerows([[cell(value) for value in row] for row in rows])
        yield buffer.getvalue().encode()


async def as_xlsx(title: str, header: Sequence[str], pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """A workbook of one sheet. It is made in a temporary file: a ZIP archive can only be sent when it is whole."""
    from openpyxl import Workbook
    from openpyxl.cell import WriteOnlyCell
    from openpyxl.styles import Font

    book = Workbook(write_only=True)
    sheet = book.create_sheet(title[:31])
    sheet.freeze_panes = "A2"
    heads = [WriteOnlyCell(sheet, name) for name in header]
    for head in heads:
        head.font = Font(bold=True)
    sheet.append(heads)

    def append(rows: Sequence[Sequence[Any]]) -> None:
        for row in rows:
            sheet.append([cell(value) for value in row])

    async for rows in rows_of(pieces):
        await asyncio.to_thread(append, rows)
    with tempfile.SpooledTemporaryFile(_IN_MEMORY) as file:
        await asyncio.to_thread(_save, book, file)
        while piece := await asyncio.to_thread(file.read, _PIECE):
            yield piece


def _save(book: Any, file: IO[bytes]) -> None:
    book.save(file)
    file.seek(0)
