"""FEEL types: does a value conform to one (DMN 1.5 §10.3.2.9)? And the implicit conversions between them.

Named types come from the EvaluationContext's `types`; the built-in names are NAMES.
"""

from __future__ import annotations

from typing import Any

from domain.feel.ast import TypeNode
from domain.feel.context import EvaluationContext
from domain.feel.numeric import is_number
from domain.feel.values import Date, DateTime, DaysTimeDuration, Function, Range, Time, YearsMonthsDuration

_CLASSES: dict[str, type] = {
    "string": str, "boolean": bool, "date": Date, "time": Time, "date and time": DateTime, "dateTime": DateTime,
    "days and time duration": DaysTimeDuration, "dayTimeDuration": DaysTimeDuration,
    "years and months duration": YearsMonthsDuration, "yearMonthDuration": YearsMonthsDuration,
    "list": list, "context": dict, "range": Range, "function": Function,
}  # fmt: skip
NAMES = frozenset((*_CLASSES, "number", "Any", "Null"))


def conforms(value: Any, kind: TypeNode, context: EvaluationContext | None = None) -> bool | None:
    """Whether a value is an instance of a type; null is of type Null only; None: the type is not known."""
    name = kind.name
    named = context.types.get(name) if context is not None else None
    if named is not None:
        return value is not None and named(value)
    if name in ("Null", "null"):
        return value is None
    if name not in NAMES:
        return None
    if value is None:
        return False
    if name == "Any":
        return True
    if name == "number":
        return is_number(value)
    if value.__class__ is not _CLASSES[name]:
        return False
    return True if kind.arguments is None else _conforms_inside(value, kind, kind.arguments, context)


def _conforms_inside(
    value: Any, kind: TypeNode, arguments: tuple[TypeNode, ...], context: EvaluationContext | None
) -> bool | None:
    if kind.name == "list":
        if context is not None:
            context.step(len(value))
        return _all(_member(item, arguments[0], context) for item in value)
    if kind.name == "context":
        members = zip(kind.members, arguments, strict=False)
        return _all(name in value and _member(value[name], inner, context) for name, inner in members)
    if kind.name == "range":
        return _all(conforms(end, arguments[0], context) for end in (value.low, value.high) if end is not None)
    if kind.name == "function":
        return _conforms_function(value, arguments, kind.result)
    return None


def _member(value: object, kind: TypeNode, context: EvaluationContext | None) -> bool | None:
    """Inside lists and contexts null conforms to every type."""
    return True if value is None else conforms(value, kind, context)


def _conforms_function(value: Function, arguments: tuple[TypeNode, ...], result: TypeNode | None) -> bool:
    if len(value.parameters) != len(arguments):
        return False
    declared = value.types or (None,) * len(arguments)
    fits = all(own is None or _accepts(own, wanted) for own, wanted in zip(declared, arguments, strict=False))
    if result is None or result.name == "Any" or value.result_type is None:
        return fits
    return fits and value.result_type == result


def _accepts(own: object, wanted: TypeNode) -> bool:
    return isinstance(own, TypeNode) and (own.name == "Any" or own == wanted)


def _all(results: Any) -> bool | None:
    unknown = False
    for result in results:
        if result is False:
            return False
        unknown = unknown or result is None
    return None if unknown else True


def coerce(value: Any, kind: TypeNode, context: EvaluationContext | None = None) -> tuple[bool, object]:
    """(fits, value) after the implicit conversions: a list of one to its element, a value to a list of one."""
    if value is None or conforms(value, kind, context):
        return True, value
    if value.__class__ is list and len(value) == 1 and conforms(value[0], kind, context):
        return True, value[0]
    if kind.name == "list" and value.__class__ is not list and conforms([value], kind, context):
        return True, [value]
    if kind.name == "date and time" and value.__class__ is Date:
        return True, DateTime(value, Time(0, 0))
    return conforms(value, kind, context) is None, value
