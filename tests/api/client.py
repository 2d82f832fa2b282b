"""What the API tests say over and over: deploy, start, find, and check problem details."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx

MODELS = Path(__file__).parent.parent / "models"
_numbers = itertools.count(1)


def unique(name: str) -> str:
    """A name that no other test uses."""
    return f"{name}-{next(_numbers)}"


def model(name: str, **replacements: str) -> bytes:
    """A model of tests/models with `{{NAME}}` replaced."""
    text = (MODELS / name).read_text()
    for key, value in replacements.items():
        text = text.replace("{{" + key + "}}", value)
    assert "{{" not in text, f"{name} has placeholders that were not filled"
    return text.encode()


class Client:
    """A thin client over httpx; each method asserts success and gives the JSON.

    position: where the log of the server stands, so that searches can wait for all that was written before.
    """

    def __init__(self, http: httpx.Client, position: Callable[[], int] = int) -> None:
        self.http = http
        self.position = position

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> httpx.Response:
        """Any request; `headers` with _ for -."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.request(method, path, json=body, headers=named)

    def ok(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        """A request that must succeed; its JSON, None for 204."""
        response = self.call(method, path, body, **headers)
        assert response.status_code in (200, 204), response.text
        return response.json() if response.status_code == 200 else None

    def deploy(self, *files: tuple[str, bytes]) -> Any:
        """Deploy files (name, content)."""
        response = self.send(*files)
        assert response.status_code == 200, response.text
        return response.json()

    def send(self, *files: tuple[str, bytes], **headers: str) -> httpx.Response:
        """Try to deploy files."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.http.post("/deployments", files=[("resources", file) for file in files], headers=named)

    def start(self, process_id: str, variables: dict[str, Any] | None = None, **more: Any) -> Any:
        """Start an instance."""
        body = {"processDefinitionId": process_id, "variables": variables or {}, **more}
        return self.ok("POST", "/process-instances", body)

    def activate(self, job_type: str, count: int = 1, timeout: int = 60_000, **more: Any) -> list[Any]:
        """Take jobs, waiting up to 10 s for them."""
        body = {"type": job_type, "timeout": timeout, "maxJobsToActivate": count, "requestTimeout": 10_000, **more}
        jobs: list[Any] = self.ok("POST", "/jobs/activation", body)["jobs"]
        return jobs

    def search(self, entity: str, position: str | None = None, **filters: Any) -> list[Any]:
        """All items that pass the filter, once the read models have reached `position` (default: of the last commit)."""
        path = f"/{entity}/search"
        minimum = position or str(self.position())
        found: list[Any] = self.ok("POST", path, {"filter": filters}, Flowledger_Min_Position=minimum)["items"]
        return found


def problem(response: httpx.Response, status: int, title: str) -> Any:
    """The problem detail of a refused request, checked for its form."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    found = response.json()
    assert found["status"] == status
    assert found["title"] == title
    assert found["type"].startswith("urn:flowledger:problem:")
    assert found["instance"] == response.request.url.path
    assert found["detail"]
    return found
