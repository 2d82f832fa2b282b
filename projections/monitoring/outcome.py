"""How a user task's outcome and reason are read from what completed it.

BPMN knows no outcome of a task, so it is a convention, in this order:

1. the completion's `action`, where it is not the plain "complete";
2. a completion variable `decision` or `outcome` that is a text;
3. a completion variable `approved` that is a boolean.

Words of approval, rejection and rework are brought to one form (`WORDS`); any other word is kept, in lower case. The
reason is the variable `reason` or `rejectionReason`. What the task's output mappings set counts where the completion
itself says nothing; what jobs set never does.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

APPROVED = "approved"
REJECTED = "rejected"
REWORK = "rework"
WORDS: Mapping[str, str] = {
    **dict.fromkeys(("approve", "approved", "accept", "accepted", "agree", "agreed", "yes"), APPROVED),
    **dict.fromkeys(("reject", "rejected", "decline", "declined", "refuse", "refused", "deny", "no"), REJECTED),
    **dict.fromkeys(("rework", "return", "returned", "send_back", "sendback", "back", "amend", "revise"), REWORK),
}
PLAIN_ACTIONS = frozenset({"", "complete", "completed"})
DECISIONS = ("decision", "outcome")
APPROVAL = "approved"
REASONS = ("reason", "rejectionReason")
NAMES = frozenset({*DECISIONS, APPROVAL, *REASONS})
"""The variables that the convention looks at; of all others the monitoring store keeps nothing."""
MAX_OUTCOME = 64
MAX_REASON = 200


def word(text: str) -> str:
    """The outcome that a word stands for."""
    plain = text.strip().lower().replace(" ", "_").replace("-", "_")
    return WORDS.get(plain, plain[:MAX_OUTCOME])


def of_action(action: str) -> str:
    """The outcome that the caller's action says, "" where it says none."""
    return "" if action in PLAIN_ACTIONS else word(action)


def of_variables(variables: Mapping[str, Any]) -> str:
    """The outcome that completion variables say, "" where they say none."""
    for name in DECISIONS:
        value = variables.get(name)
        if isinstance(value, str) and value.strip():
            return word(value)
    approved = variables.get(APPROVAL)
    if isinstance(approved, bool):
        return APPROVED if approved else REJECTED
    return ""


def reason_of(variables: Mapping[str, Any]) -> str:
    """The reason in completion variables, "" where there is none."""
    for name in REASONS:
        value = variables.get(name)
        if isinstance(value, str) and value.strip():
            return " ".join(value.split())[:MAX_REASON]
    return ""
