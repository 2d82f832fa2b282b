"""The state of a family of deployed resources: its versions, and how events change it."""

from __future__ import annotations

from typing import assert_never, cast

import msgspec

from domain.events import Event
from domain.process_definition.events import DecisionDeployed, DecisionsDeployed, FormDeployed, ProcessDeployed

Deployed = ProcessDeployed | FormDeployed | DecisionsDeployed | DecisionDeployed


class Family(msgspec.Struct):
    """All versions of one resource, oldest first; `versions[-1]` is the latest."""

    versions: list[Deployed] = []

    @property
    def latest(self) -> Deployed | None:
        """The newest version, or None before the first deployment."""
        return self.versions[-1] if self.versions else None


def evolve(family: Family, event: Event, at: int = 0) -> None:
    """Apply one event."""
    deployed = cast(Deployed, event)
    match deployed:
        case ProcessDeployed() | FormDeployed() | DecisionsDeployed() | DecisionDeployed():
            family.versions.append(deployed)
        case _:
            assert_never(deployed)
