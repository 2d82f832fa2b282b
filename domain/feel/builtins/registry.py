"""How built-in functions are declared and called: signatures in words, one check of arguments for all.

    @builtin("substring(string: string, start position: number, length?: number)")
    def substring(context, string, start, length=None): ...

A parameter's type is one of CHECKS. `name?` may be left out; `type?` may be null; `*name` takes any number of
arguments, or one list of them. A function body raises Null(reason) for null with that reason as warning.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import DecimalException
from functools import lru_cache
from typing import Any

from domain.feel.context import EvaluationContext
from domain.feel.numeric import is_number
from domain.feel.operators import kind_of
from domain.feel.values import Date, DateTime, DaysTimeDuration, Function, Range, Time, YearsMonthsDuration

Body = Callable[..., Any]
Invocation = Callable[[EvaluationContext, list[Any], tuple[int, int]], Any]


class Null(Exception):
    """A built-in function has no result; the text says why."""


def _is(*classes: type) -> Callable[[Any], bool]:
    allowed = frozenset(classes)
    return lambda value: value.__class__ in allowed


CHECKS: dict[str, Callable[[Any], bool]] = {
    "any": lambda _value: True,
    "value": lambda value: value is not None,
    "number": is_number,
    "string": _is(str),
    "boolean": _is(bool),
    "list": _is(list),
    "context": _is(dict),
    "function": _is(Function),
    "range": _is(Range),
    "date": _is(Date),
    "time": _is(Time),
    "date and time": _is(DateTime),
    "date or date and time": _is(Date, DateTime),
    "time or date and time": _is(Time, DateTime),
    "days and time duration": _is(DaysTimeDuration),
    "duration": _is(DaysTimeDuration, YearsMonthsDuration),
}


@dataclass(frozen=True, slots=True)
class BuiltinParameter:
    """One parameter: its name, type (a key of CHECKS) and whether it is optional, nullable, variadic."""

    name: str
    type: str
    optional: bool
    nullable: bool
    variadic: bool

    def convert(self, value: Any) -> tuple[bool, Any]:
        """(fits, value), after the implicit conversions from and to lists of one."""
        if CHECKS[self.type](value) or (value is None and self.nullable):
            return True, value
        if value is None:
            return False, None
        if self.type == "list":
            return True, [value]
        if value.__class__ is list and len(value) == 1 and CHECKS[self.type](value[0]):
            return True, value[0]
        return False, None


class Overload:
    """One signature of a built-in with its body."""

    def __init__(self, parameters: tuple[BuiltinParameter, ...], body: Body) -> None:
        self.parameters = parameters
        self.body = body
        self.required = sum(not p.optional and not p.variadic for p in parameters)
        self.variadic = bool(parameters) and parameters[-1].variadic

    def accepts_count(self, count: int) -> bool:
        """Whether so many positional arguments can be meant."""
        if self.variadic:
            return count > self.required
        return self.required <= count <= len(self.parameters)

    def accepts_names(self, names: tuple[str, ...]) -> bool:
        """Whether these argument names can be meant."""
        own = [p.name for p in self.parameters]
        needed = [p.name for p in self.parameters if not p.optional]
        return len(set(names)) == len(names) and set(names) <= set(own) and set(needed) <= set(names)

    def positional(self, values: list[Any]) -> list[Any] | str:
        """The body's arguments, or what is wrong."""
        if not self.variadic:
            return self._checked(self.parameters, values)
        fixed = len(self.parameters) - 1
        arguments = self._checked(self.parameters[:fixed], values[:fixed])
        if isinstance(arguments, str):
            return arguments
        rest = values[fixed:]
        if len(rest) == 1 and rest[0].__class__ is list and fixed == 0 and self.parameters[0].type != "list":
            rest = rest[0]
        return self._with_rest(arguments, rest)

    def _with_rest(self, arguments: list[Any], rest: list[Any]) -> list[Any] | str:
        parameter = self.parameters[-1]
        if parameter.type == "any":
            return [*arguments, rest]
        converted = [parameter.convert(value) for value in rest]
        for value, (fits, _) in zip(rest, converted, strict=True):
            if not fits:
                return self._misfit(parameter, value)
        return [*arguments, [value for _, value in converted]]

    def named(self, names: tuple[str, ...], values: list[Any]) -> list[Any] | str:
        """The body's arguments, or what is wrong."""
        given = dict(zip(names, values, strict=True))
        if self.variadic and len(self.parameters) == 1:
            value = given[self.parameters[0].name]
            if value is None:
                return self._misfit(self.parameters[0], value)
            return self._with_rest([], value if value.__class__ is list else [value])
        present = [given.get(p.name, _ABSENT) for p in self.parameters]
        while present and present[-1] is _ABSENT:
            present.pop()
        return self._checked(self.parameters, [None if value is _ABSENT else value for value in present], given)

    def _checked(
        self, parameters: tuple[BuiltinParameter, ...], values: list[Any], given: dict[str, Any] | None = None
    ) -> list[Any] | str:
        arguments: list[Any] = []
        for parameter, value in zip(parameters, values, strict=False):
            if given is not None and parameter.name not in given:
                arguments.append(None)
                continue
            fits, converted = parameter.convert(value)
            if not fits:
                return self._misfit(parameter, value)
            arguments.append(converted)
        return arguments

    @staticmethod
    def _misfit(parameter: BuiltinParameter, value: Any) -> str:
        wanted = "not null" if parameter.type == "value" else f"a {parameter.type}"
        return f"'{parameter.name}' must be {wanted}, but is a {kind_of(value)}".replace("is a null", "is null")


_ABSENT = object()


class Builtin:
    """A built-in function: one or more signatures under a name."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.overloads: list[Overload] = []

    @property
    def value(self) -> Function:
        """The function as a value, to be handed on."""
        parameters = tuple(p.name for p in self.overloads[0].parameters)
        return Function(parameters, self._call, self.name, builtin=self)

    def _call(self, context: EvaluationContext, values: list[Any]) -> Any:
        return self.caller(len(values), None)(context, values, (0, 0))

    def caller(self, count: int, names: tuple[str, ...] | None) -> Invocation:
        """What calls it with so many arguments, or with arguments of these names; refuses where none fits."""
        if names is None:
            fitting = [overload for overload in self.overloads if overload.accepts_count(count)]
            bind = [overload.positional for overload in fitting]
        else:
            fitting = [overload for overload in self.overloads if overload.accepts_names(names)]
            bind = [lambda values, o=overload: o.named(names, values) for overload in fitting]  # type: ignore[misc]
        if not fitting:
            return self._refusal(names)
        return self._invocation([(b, overload.body) for b, overload in zip(bind, fitting, strict=True)])

    def _invocation(self, candidates: list[tuple[Callable[[list[Any]], list[Any] | str], Body]]) -> Invocation:
        name = self.name

        def invoke(context: EvaluationContext, values: list[Any], at: tuple[int, int]) -> Any:
            reason = ""
            for bind, body in candidates:
                arguments = bind(values)
                if arguments.__class__ is str:
                    reason = reason or str(arguments)
                    continue
                try:
                    return body(context, *arguments)
                except Null as error:
                    reason = str(error)
                    break
                except DecimalException as error:
                    reason = f"the result is out of the range of numbers ({type(error).__name__})"
                    break
            context.warn(f"{name}(): {reason}", *at)
            return None

        return invoke

    def _refusal(self, names: tuple[str, ...] | None) -> Invocation:
        signatures = " or ".join(f"({', '.join(p.name for p in o.parameters)})" for o in self.overloads)
        given = "" if names is None else f", not ({', '.join(names)})"

        def refuse(context: EvaluationContext, _values: list[Any], at: tuple[int, int]) -> None:
            context.warn(f"{self.name}() takes {signatures}{given}", *at)

        return refuse


BUILTINS: dict[str, Builtin] = {}

_PARAMETER = re.compile(r"(\*?)([^:?]+)(\??): ([a-z ]+)(\??)")


@lru_cache(maxsize=1024)
def _parameter(text: str) -> BuiltinParameter:
    found = _PARAMETER.fullmatch(text.strip())
    assert found is not None, f"not a parameter: {text}"
    assert found[4] in CHECKS, f"no such type: {found[4]}"
    return BuiltinParameter(found[2], found[4], bool(found[3]), bool(found[5]), bool(found[1]))


def builtin(*signatures: str) -> Callable[[Body], Body]:
    """Register a function under one or more signatures."""

    def register(body: Body) -> Body:
        for signature in signatures:
            name, _, inside = signature.rstrip(")").partition("(")
            parameters = tuple(_parameter(part) for part in inside.split(",")) if inside else ()
            BUILTINS.setdefault(name, Builtin(name)).overloads.append(Overload(parameters, body))
        return body

    return register
