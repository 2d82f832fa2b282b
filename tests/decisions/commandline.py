"""Running command lines in this process."""

from __future__ import annotations

from collections.abc import Callable

Run = Callable[..., tuple[int, str, str]]
"""The arguments of `flowledger` → exit code, standard output, standard error."""
