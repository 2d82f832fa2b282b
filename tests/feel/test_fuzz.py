"""A short, budgeted run of the fuzz target, where atheris is installed (extra `fuzz`)."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

RUNS = 3_000
SEED = 20_260_301


def test_a_short_fuzz_run_finds_nothing(tmp_path: Path) -> None:
    if importlib.util.find_spec("atheris") is None:
        from tests.feel.tables import evaluated
        from tests.feel.test_language import LITERALS

        print("atheris is not installed: only the literals are tried")
        assert all(evaluated(text) == value for text, value in LITERALS)
        return
    root = Path(__file__).resolve().parents[2]
    command = [sys.executable, "-m", "tests.feel.fuzz_feel", f"-runs={RUNS}", f"-seed={SEED}", "-max_len=200",
               f"-artifact_prefix={tmp_path}/"]  # fmt: skip
    run = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=300, check=False)
    assert run.returncode == 0, run.stderr[-3000:]
    assert f"Done {RUNS} runs" in run.stderr
