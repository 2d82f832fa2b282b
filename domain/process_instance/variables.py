"""How variables move: input mappings into an element instance, results and output mappings out of it.

A result without output mappings is merged upwards: each variable is set in the nearest scope that has it, else in the
instance's root. With output mappings the result stays local, and only what the mappings name goes out (Zeebe's rules).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from domain.bpmn.model import VariableMapping
from domain.process_instance import events as e
from domain.process_instance.evaluation import ErrorType, evaluate
from domain.process_instance.state import ROOT, ElementInstance

if TYPE_CHECKING:
    from domain.process_instance.execution import Execution


def set_in(x: Execution, scope: int, values: dict[str, Any], source: int) -> None:
    """Set variables in one scope; names new there get the next locals as keys."""
    known = x.state.elements[scope].variable_locals
    locals_ = [known.get(name) or x.next_local() for name in values] if known else [x.next_local() for _ in values]
    x.emit(e.VariablesSet(scope, values, locals_, source))
    if x.state.subscriptions:
        x.variables_changed()


def merge_upwards(x: Execution, start: int, values: Mapping[str, Any], source: int) -> None:
    """Set each variable in the nearest scope that has it, from `start` on; in the root where none has."""
    elements = x.state.elements
    by_scope: dict[int, dict[str, Any]] = {}
    for name, value in values.items():
        scope = start
        while scope != ROOT:
            variables = elements[scope].variables
            if variables and name in variables:
                break
            scope = elements[scope].scope
        by_scope.setdefault(scope, {})[name] = value
    for scope, part in by_scope.items():
        set_in(x, scope, part, source)


def merge_result(x: Execution, element: ElementInstance, values: dict[str, Any], has_outputs: bool) -> None:
    """Take in what a job, task or script resulted in."""
    if has_outputs:
        set_in(x, element.local, values, element.local)
    else:
        merge_upwards(x, element.local, values, element.local)


def map_inputs(x: Execution, element: ElementInstance, mappings: Sequence[VariableMapping]) -> None:
    """Create an element instance's local variables. Raises Blocked(IO_MAPPING_ERROR)."""
    scope = dict(x.state.scope_variables(element.local))
    values = _mapped(x, mappings, scope, {})
    set_in(x, element.local, values, element.local)


def map_outputs(x: Execution, element: ElementInstance, mappings: Sequence[VariableMapping]) -> None:
    """Send out what the output mappings name, to the scopes around. Raises Blocked(IO_MAPPING_ERROR).

    An inner instance of a loop has its output element as a variable of its own, which its mappings may set (Zeebe)."""
    scope = dict(x.state.scope_variables(element.local))
    start = element.local if x.is_inner(element) else element.scope
    values = _mapped(x, mappings, scope, x.state.scope_variables(start))
    merge_upwards(x, start, values, element.local)


def _mapped(
    x: Execution, mappings: Sequence[VariableMapping], scope: dict[str, Any], present: Mapping[str, Any]
) -> dict[str, Any]:
    """Evaluate mappings in order, each seeing those before. A dotted target extends the context that is `present`."""
    values: dict[str, Any] = {}
    for mapping in mappings:
        value = evaluate(x, mapping.source, scope, ErrorType.IO_MAPPING_ERROR)
        name, *path = mapping.target
        if path:
            value = _nested(values.get(name, present.get(name)), path, value)
        values[name] = scope[name] = value
    return values


def _nested(base: object, path: list[str], value: object) -> dict[str, Any]:
    """A copy of context `base` in which the value at `path` is `value`."""
    context: dict[str, Any] = dict(base) if isinstance(base, dict) else {}
    name, *rest = path
    context[name] = _nested(context.get(name), rest, value) if rest else value
    return context
