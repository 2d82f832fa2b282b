"""`python -m tests.tck [CASES.jsonl] [--failures]`: a table by level and folder, the totals in the last line."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.tck.kit import DEFAULT_CASES, LEVELS, Outcome, read_cases, run_cases


def main(arguments: list[str]) -> int:
    """Run the cases of a file; 0 unless the file is missing."""
    verbose = "--failures" in arguments
    names = [argument for argument in arguments if not argument.startswith("--")]
    path = Path(names[0]) if names else DEFAULT_CASES
    if not path.is_file():
        print(f"no cases at {path}: give the path of the kit's cases.jsonl", file=sys.stderr)
        return 2
    outcomes = list(run_cases(read_cases(path), path.parent))
    console = Console(width=110, highlight=False, markup=False)
    console.print(by_folder(outcomes))
    if verbose:
        for outcome in outcomes:
            if not outcome.passed:
                console.print(f"{outcome.case_id}\n    {outcome.reason}", soft_wrap=True)
    print(summary(outcomes))
    return 0


def by_folder(outcomes: Iterable[Outcome]) -> Table:
    """Passed and all cases for every folder of every level."""
    counts: dict[tuple[str, str], list[int]] = {}
    for outcome in outcomes:
        row = counts.setdefault((outcome.level, outcome.folder), [0, 0, 0, 0])
        row[0] += outcome.passed
        row[1] += 1
        row[2] += outcome.passed and outcome.positive
        row[3] += outcome.positive
    table = Table("level", "folder", "passed", "of", "positive", "of", "")
    for (level, folder), (passed, total, positive, positives) in sorted(counts.items()):
        mark = "" if passed == total else f"{total - passed} missing"
        table.add_row(level, folder, str(passed), str(total), str(positive), str(positives), mark)
    return table


def summary(outcomes: Iterable[Outcome]) -> str:
    """The one line that judges: level 2, level 3, and of level 3 the cases that expect a value."""
    listed = list(outcomes)
    two, three = ([outcome for outcome in listed if outcome.level == level] for level in LEVELS)
    positive = [outcome for outcome in three if outcome.positive]
    return f"tck: level-2 {_ratio(two)} level-3 {_ratio(three)} positive {_ratio(positive)}"


def _ratio(outcomes: list[Outcome]) -> str:
    return f"{sum(outcome.passed for outcome in outcomes)}/{len(outcomes)}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
