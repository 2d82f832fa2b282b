"""What nothing in an instance catches goes to the instance that called it, if there is one (BPMN 2.0 §10.5.7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from domain.process_instance import events as e

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution

ERROR = "error"
ESCALATION = "escalation"


def throw_to_caller(
    x: Execution, origin: int, kind: str, code: str, variables: dict[str, Any], *, by_job: int = 0, said: str = ""
) -> bool:
    """Hand on what element instance `origin` throws; whether there is a caller."""
    state = x.state
    if not state.parent_key:
        return False
    element_id = state.elements[origin].element_id
    caller = (state.parent_key, state.parent_element)
    x.emit(e.ThrownToCaller(x.next_local(), origin, element_id, kind, code, *caller, said, variables, by_job))
    return True
