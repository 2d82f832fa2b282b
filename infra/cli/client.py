"""Talks to a server's REST API (v2) for the commands: JSON in, JSON out, problem details as `Problem`."""

from __future__ import annotations

import os
import pwd
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from domain.errors import DomainError
from domain.events import decode_json, encode_json
from infra.data_folder import DataFolder
from infra.settings import read_settings

if TYPE_CHECKING:
    import httpx

TIMEOUT_SECONDS = 30.0
PAGE = 1_000
JSON = {"content-type": "application/json"}


class Unreachable(DomainError):
    """No server answers."""

    code = "UNREACHABLE"


class Problem(DomainError):
    """The server refused: its problem detail (RFC 9457)."""

    code = "PROBLEM"

    def __init__(self, status: int, detail: Mapping[str, Any]) -> None:
        self.status = status
        self.detail = detail
        super().__init__(str(detail.get("detail") or detail.get("title") or f"the server answered {status}"))


def server_address(given: str) -> str:
    """The server to talk to: as given, from FLOWLEDGER_ADDRESS, of the data folder, or the default one."""
    if given:
        return given.rstrip("/")
    settings = read_settings()
    return settings.address or DataFolder(settings.data_dir).address() or f"http://{settings.host}:{settings.port}"


def os_user() -> str:
    """The name of the user that runs this process (its number where it has none)."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return str(os.getuid())


class Client:
    """One server; to be used in a `with` block."""

    def __init__(self, address: str = "", timeout: float = TIMEOUT_SECONDS) -> None:
        import httpx  # takes its time, and half of the commands need none

        self.address = server_address(address)
        user = read_settings().user or os_user()
        self._http = httpx.Client(base_url=f"{self.address}/v2", timeout=timeout, auth=(user, ""))

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *_: object) -> None:
        self._http.close()

    def get(self, path: str, **query: Any) -> Any:
        """The JSON at `path`."""
        return self._send("GET", path, params={name: value for name, value in query.items() if value is not None})

    def text(self, path: str) -> str:
        """The text at `path` (XML of a definition)."""
        return self._request("GET", path).text

    def download(self, path: str, to: Path, **query: Any) -> None:
        """What is at `path`, into a file."""
        wanted = {name: value for name, value in query.items() if value is not None}
        to.write_bytes(self._request("GET", path, params=wanted).content)

    def post(self, path: str, body: Any = None) -> Any:
        """The answer to a body."""
        return self._send("POST", path, content=encode_json({} if body is None else body), headers=JSON)

    def patch(self, path: str, body: Any) -> Any:
        """The answer to a change."""
        return self._send("PATCH", path, content=encode_json(body), headers=JSON)

    def delete(self, path: str) -> Any:
        """The answer to a removal."""
        return self._send("DELETE", path)

    def upload(self, path: str, files: list[tuple[str, bytes]]) -> Any:
        """The answer to files, each sent as `resources`."""
        return self._send("POST", path, files=[("resources", file) for file in files])

    def search(
        self, path: str, filters: Mapping[str, Any], sort: list[dict[str, str]] | None = None, limit: int = 100
    ) -> dict[str, Any]:
        """The first `limit` items of a search, gathered page by page: `{items, page}`."""
        wanted = {name: value for name, value in filters.items() if value is not None}
        items: list[Any] = []
        page: dict[str, Any] = {}
        for answer in self._pages(path, wanted, sort, limit):
            items += answer["items"]
            page = answer["page"]
        return {"items": items[:limit], "page": page}

    def _pages(
        self, path: str, wanted: Mapping[str, Any], sort: list[dict[str, str]] | None, limit: int
    ) -> Iterator[dict[str, Any]]:
        cursor, left = "", limit
        while left > 0:
            page: dict[str, Any] = {"limit": min(left, PAGE)}
            if cursor:
                page["after"] = cursor
            answer = self.post(path, {"filter": wanted, "page": page, **({"sort": sort} if sort else {})})
            yield answer
            left -= len(answer["items"])
            cursor = answer["page"].get("endCursor") or ""
            if not cursor or len(answer["items"]) < page["limit"]:
                return

    def _send(self, method: str, path: str, **options: Any) -> Any:
        answer = self._request(method, path, **options)
        return decode_json(answer.content) if answer.content else None

    def _request(self, method: str, path: str, **options: Any) -> httpx.Response:
        import httpx

        try:
            answer = self._http.request(method, path, **options)
        except httpx.InvalidURL as error:
            raise Unreachable(f"'{self.address}' is no URL: {error}") from error
        except httpx.TimeoutException as error:
            raise Unreachable(f"the server at {self.address} did not answer in time") from error
        except httpx.HTTPError as error:
            raise Unreachable(
                f"no server answers at {self.address} ({error}): start one with `make run` or `flowledger dev`, "
                "or name it with --address"
            ) from error
        if answer.is_success:
            return answer
        try:
            detail = msgspec.json.decode(answer.content)
        except msgspec.DecodeError:
            detail = {"title": answer.reason_phrase, "detail": answer.text[:500]}
        raise Problem(answer.status_code, detail if isinstance(detail, dict) else {"detail": str(detail)})
