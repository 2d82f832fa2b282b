"""The lifecycle of an element instance, as a table (BPMN 2.0 §13.3.2, figure 13.2, reduced to what is recorded).

    ENTERED ──► STARTING ──► WAITING ──(its wait is over)──► LEAVING ──► ENDING ──► completed
       ├─────────────────────────┘                              │└───────────────────────┘
       └──────────(nothing to wait for)─────────────────────────┘
    any phase ──► terminated

ENTERED: input mappings run and the wait is set up; LEAVING: output mappings run and the outgoing flows are chosen.
STARTING and ENDING only where the model has listeners: after the input mappings the start listeners are asked one by
one, then the wait is set up; after the output mappings the end listeners are asked, then the outgoing flows are chosen.
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
    STARTING = 3
    ENDING = 4


NEXT: dict[Phase, frozenset[Phase]] = {
    Phase.ENTERED: frozenset({Phase.STARTING, Phase.WAITING, Phase.LEAVING, Phase.ENDING}),
    Phase.STARTING: frozenset({Phase.WAITING, Phase.LEAVING, Phase.ENDING}),
    Phase.WAITING: frozenset({Phase.LEAVING, Phase.ENDING}),
    Phase.LEAVING: frozenset({Phase.ENDING}),
    Phase.ENDING: frozenset(),
}
