"""One `flowledger dev` for the module; faults are done to it one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.platform import Dev


@pytest.fixture(scope="module")
def dev(open_folder: Path, request: pytest.FixtureRequest) -> Iterator[Dev]:
    platform = Dev(open_folder / request.module.__name__.rpartition(".")[2])
    platform.start()
    yield platform
    if platform.process is not None and platform.process.poll() is None:
        platform.stop()
    postgres = platform.postgres()
    if postgres.is_running():
        postgres.stop("immediate")
