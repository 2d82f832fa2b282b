"""Who may ask: Host and Origin; what no answer lacks: the security headers."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tests.api.client import problem
from tests.api.fakes import FakeServer


def call(method: str, path: str, headers: dict[str, str], body: Any = None, **settings: Any) -> httpx.Response:
    return asyncio.run(FakeServer(**settings).call(method, path, body, headers))


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080", "LOCALHOST"])
def test_this_machines_names_are_served(host: str) -> None:
    assert call("GET", "/v2/topology", {"Host": host}).status_code == 200


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8080", "localhost.evil.example", "127.0.0.1.nip.io"])
def test_other_names_are_refused(host: str) -> None:
    found = problem(call("GET", "/v2/topology", {"Host": host}), 421, "MISDIRECTED_REQUEST")
    assert found["detail"] == f"this server is not '{host}'; it answers to 127.0.0.1, [::1], localhost"


def test_a_server_behind_a_proxy_may_have_another_name() -> None:
    allowed = frozenset({"flow.example"})
    assert call("GET", "/v2/topology", {"Host": "flow.example"}, allowed_hosts=allowed).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://localhost:9999", "Host": "localhost:8080"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_pages_of_other_origins_may_not_write(headers: dict[str, str]) -> None:
    found = problem(call("POST", "/v2/jobs/4097/completion", headers, {}), 403, "FORBIDDEN")
    assert found["detail"].endswith("may not write here")


@pytest.mark.parametrize(
    "headers",
    [{}, {"Origin": "http://localhost"}, {"Origin": "http://localhost", "Sec-Fetch-Site": "same-origin"}],
)
def test_its_own_pages_and_programs_may_write(headers: dict[str, str]) -> None:
    assert call("POST", "/v2/jobs/4097/completion", headers, {}).status_code == 204


def test_no_page_of_another_origin_is_told_that_it_may_read() -> None:
    response = call("GET", "/v2/topology", {"Origin": "http://evil.example"})
    assert "access-control-allow-origin" not in response.headers
    assert call("OPTIONS", "/v2/topology", {"Origin": "http://evil.example"}).status_code == 405


@pytest.mark.parametrize("path", ["/v2/topology", "/nowhere", "/docs", "/openapi.json", "/v2/status"])
def test_every_answer_has_the_security_headers(path: str) -> None:
    headers = call("GET", path, {}).headers
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cache-control"] == "no-store"
    assert "server" not in headers
