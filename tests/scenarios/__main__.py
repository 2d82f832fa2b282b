"""Plays scenario files in the domain: python -m tests.scenarios FILE.yaml … (all of the suite without one)."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.scenarios.in_domain import InDomain
from tests.scenarios.play import play
from tests.scenarios.scenario import BadScenario, Scenario, read_file, read_suite
from tests.scenarios.world import Refused


def failure_of(scenario: Scenario) -> str:
    """Why a scenario fails, "" if it does not."""
    try:
        play(scenario, InDomain())
    except (AssertionError, BadScenario, Refused) as failure:
        return str(failure)
    return ""


def main(files: list[str]) -> int:
    """Print what fails; the number of failures."""
    scenarios = [scenario for file in files for scenario in read_file(Path(file))] if files else read_suite()
    failures = 0
    for scenario in scenarios:
        if reason := failure_of(scenario):
            failures += 1
            print(f"{scenario.id}\n    {reason}")
    print(f"{len(scenarios) - failures} of {len(scenarios)} scenarios pass")
    return failures


if __name__ == "__main__":
    sys.exit(min(main(sys.argv[1:]), 1))
