"""Leaves the kit's test out where the kit is not at hand, and says so in the summary."""

from __future__ import annotations

import pytest

from tests.tck.kit import DEFAULT_CASES

collect_ignore = [] if DEFAULT_CASES.is_file() else ["test_tck.py"]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say that the kit was not run."""
    if collect_ignore:
        terminalreporter.write_line(
            f"DMN TCK not run: no {DEFAULT_CASES}; where it is at hand, `python -m tests.tck CASES.jsonl` runs it"
        )
