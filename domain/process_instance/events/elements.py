"""Element instances, the tokens between them, and loops."""

from __future__ import annotations

from typing import Any, ClassVar

from domain.events import Event


class ElementActivated(Event, frozen=True):
    """An element instance was entered and will stay (a wait state, a scope, or an incident on entering).

    body: it is the body of a loop, which the inner instances of the same element run in.
    """

    topic: ClassVar[str] = "pi.element_activated.1"
    local: int
    element_id: str
    scope: int
    flow: str = ""
    source: int = 0
    body: bool = False


class ElementPassed(Event, frozen=True):
    """An element was entered and completed at the same moment (events, gateways, undefined tasks)."""

    topic: ClassVar[str] = "pi.element_passed.1"
    local: int
    element_id: str
    scope: int
    flow: str = ""
    source: int = 0


class TokenArrived(Event, frozen=True):
    """A token waits at a joining gateway for the other incoming flows."""

    topic: ClassVar[str] = "pi.token_arrived.1"
    element_id: str
    scope: int
    flow: str
    source: int = 0


class TokensDiscarded(Event, frozen=True):
    """The tokens that waited at joining gateways of a scope are gone (a terminate end event ended it)."""

    topic: ClassVar[str] = "pi.tokens_discarded.1"
    scope: int


class LoopStarted(Event, frozen=True):
    """The body of a loop begins; `items` is the collection of a multi-instance activity, None for a standard loop."""

    topic: ClassVar[str] = "pi.loop_started.1"
    element: int
    items: list[Any] | None


class LoopInnerEnded(Event, frozen=True):
    """An inner instance of a loop is done; `index` counts from 0, `output` goes to the output collection."""

    topic: ClassVar[str] = "pi.loop_inner_ended.1"
    element: int
    index: int
    output: Any = None


class ListenersStarted(Event, frozen=True):
    """From now on an element instance asks its listeners of a moment (START, END, BEFORE_ALL), one after another."""

    topic: ClassVar[str] = "pi.listeners_started.1"
    element: int
    moment: str


class ElementCompleted(Event, frozen=True):
    """An element instance finished regularly. waits: how many jobs and timers ended with it."""

    topic: ClassVar[str] = "pi.element_completed.1"
    local: int
    waits: int = 0


class ElementTerminated(Event, frozen=True):
    """An element instance was ended from outside; its job, user task, timers and incidents ended with it.

    waits: how many jobs and timers those were.
    """

    topic: ClassVar[str] = "pi.element_terminated.1"
    local: int
    waits: int = 0
