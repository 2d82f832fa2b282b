"""Durable follow-up commands between aggregates: what one instance owes another is delivered exactly once (ADR 0023).

An event says what is owed (ChildCalled, ReturnOwed …); a row of `wait_deliveries` is written in the transaction that
appends it. This loop sends the command of its kind, which works on the streams of both; the events of that command
settle the delivery and remove the row in *their* transaction. So a crash at any point leaves either the row (the
command is sent again) or both effects; a command that is sent twice finds nothing to do.

New deliveries of this process come straight from the bus's commit listener, without a query. Those of other processes,
or of one that was killed, are found by a look at the table once a second; what was not there at the look before is left
to the process that wrote it, so that several servers do not get into each other's way. A delivery of or to a suspended
instance is tried ever more rarely; the process that resumes the instance makes it at once.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence

from commands.bus import CommandBus
from commands.bus_batch import Emission
from commands.due_work import BATCH, POLL_SECONDS, DueWorkLoop, Found
from commands.handling import INSTANCE, Command
from commands.ports import DueDelivery, EventLog
from domain.process_instance.events import InstanceResumed
from domain.process_instance.wait_states import PutDelivery, delivery_change

ACTOR = "delivery"
MAX_AT_HAND = 100_000
"""Deliveries kept in memory; what is beyond is found in the table."""


class DeliveryLoop(DueWorkLoop[DueDelivery]):
    """See the module. `make_command` makes the command of a delivery, by its kind (commands/registry.py)."""

    def __init__(
        self,
        log: EventLog,
        bus: CommandBus,
        make_command: Callable[[DueDelivery], Command],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._log = log
        self._at_hand: deque[DueDelivery] = deque()
        self._resumed: deque[int] = deque()  # instances, for which deliveries may have waited
        self._seen: frozenset[DueDelivery] | None = None  # at the last look; None: before the first
        self._next_look = 0.0
        super().__init__(ACTOR, bus, make_command, monotonic)

    def find(self, limit: int) -> Found[DueDelivery]:
        """What was committed here since, and once a second what has been lying about for as long."""
        fresh = [self._at_hand.popleft() for _ in range(min(len(self._at_hand), BATCH))]
        resumed = {self._resumed.popleft() for _ in range(len(self._resumed))}
        if self._monotonic() < self._next_look and not resumed:
            return Found(fresh, complete=False)
        rows = self._log.due_deliveries(limit)
        let_go = {row for row in rows if row.instance_key in resumed or row.peer in resumed}
        left = [row for row in rows if self._seen is None or row in self._seen or row in let_go]
        self._seen = frozenset(rows)
        self._next_look = self._monotonic() + POLL_SECONDS
        self._tried = {row: tried for row, tried in self._tried.items() if row in self._seen and row not in let_go}
        return Found(list(dict.fromkeys([*fresh, *left])), complete=False)

    def pause(self) -> float:
        """Until the next look at the table."""
        return 0.0 if self._at_hand or self._resumed else max(self._next_look - self._monotonic(), 0.0)

    def on_commit(self, emissions: Sequence[Emission]) -> None:
        """Take over what was just committed, but for what is settled already."""
        found: dict[tuple[int, int], DueDelivery] = {}
        for emission in emissions:
            if emission.ref.kind is not INSTANCE:
                continue
            key = emission.ref.key
            for event in emission.events:
                if type(event) is InstanceResumed:
                    self._resumed.append(key)
                    self.wake()
                change = delivery_change(event)
                if change is None:
                    continue
                if isinstance(change, PutDelivery):
                    found[key, change.local] = DueDelivery(key, change.local, change.kind, change.peer)
                else:
                    found.pop((key, change.local), None)
        if found:
            if len(self._at_hand) < MAX_AT_HAND:
                self._at_hand.extend(found.values())
            self.wake()
