"""Calling FEEL functions from Python (business knowledge models, boxed invocations)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from domain.feel.compiler.calls import apply
from domain.feel.context import EvaluationContext
from domain.feel.native import native
from domain.feel.operators import kind_of
from domain.feel.values import Function


def call_function(
    function: object,
    arguments: Sequence[object] = (),
    named: Mapping[str, object] | None = None,
    context: EvaluationContext | None = None,
) -> object:
    """Call any FEEL function value with positional `arguments`, or with `named` ones.

    Null with a warning in `context` where it is no function or the arguments misfit. Raises FeelBudgetExceeded only.
    """
    context = context if context is not None else EvaluationContext()
    if not isinstance(function, Function):
        context.warn(f"a {kind_of(function)} cannot be called")
        return None
    if named is not None:
        values = [native(value) for value in named.values()]
        return apply(function, values, context, tuple(named))
    return apply(function, [native(value) for value in arguments], context)
