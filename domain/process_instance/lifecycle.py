"""The lifecycle of an element instance, as a table (BPMN 2.0 §13.3.2, figure 13.2, reduced to what is recorded).

    ENTERED ──(its wait begins)──► WAITING ──(its wait is over)──► LEAVING ──► completed
       └──────────(nothing to wait for)──────────────────────────────┘
    any phase ──► terminated

ENTERED: input mappings run and the wait is set up; LEAVING: output mappings run and the outgoing flows are chosen.
An incident stops an element instance in its phase; resolving it runs that phase again. `evolve` moves
element instances by this table only.
"""

from __future__ import annotations

from enum import IntEnum


class Phase(IntEnum):
    """Where an active element instance stands."""

    ENTERED = 0
    WAITING = 1
    LEAVING = 2


NEXT: dict[Phase, frozenset[Phase]] = {
    Phase.ENTERED: frozenset({Phase.WAITING, Phase.LEAVING}),
    Phase.WAITING: frozenset({Phase.LEAVING}),
    Phase.LEAVING: frozenset(),
}
