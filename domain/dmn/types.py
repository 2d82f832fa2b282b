"""Item definitions compiled to checks: does a value conform to a type, and which implicit conversion makes it do so.

Conversions are the four of DMN 1.5, 10.3.2.9.4: a list of one element to that element, a value to a list of one, date
to date and time at UTC midnight, and, where nothing fits, null with a reason (the caller's part).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from domain.dmn import model as m
from domain.dmn import values as v
from domain.dmn.errors import Findings
from domain.feel import FeelSyntaxError, UnaryTests, compile_unary_tests

STRICT: Final = 0
"""Contexts have all members, and constraints hold."""

OPEN: Final = 1
"""As strict, but contexts may lack members: values from outside."""

SHAPE: Final = 2
"""As strict, but constraints are not looked at: `instance of` (a value is a number whatever numbers are allowed)."""

Accepts = Callable[[object, int], bool]
"""(value, STRICT | OPEN | SHAPE) -> whether the value conforms. null conforms to every type."""


class _Mismatch:
    def __repr__(self) -> str:
        return "MISMATCH"


MISMATCH: Final = _Mismatch()
"""What `Type.convert` answers where no conversion makes the value conform."""


@dataclass(frozen=True, slots=True, eq=False)
class Type:
    """A compiled type; `allowed` is the text of its enumeration ("" = none), `members` its component names."""

    name: str
    accepts: Accepts
    category: str = ""
    allowed: str = ""
    members: tuple[str, ...] = ()
    member_types: Mapping[str, Type] = field(default_factory=dict)
    element: Type | None = None
    function_output: str = ""

    @property
    def is_any(self) -> bool:
        """Whether every value conforms."""
        return self.category == "any"

    def convert(self, value: object, how: int = STRICT) -> object:
        """The value as this type wants it, or MISMATCH."""
        if value is None or self.accepts(value, how):
            return value
        if isinstance(value, list):
            if self.category != "list" and len(value) == 1:
                return self.convert(value[0], how) if not isinstance(value[0], list) else MISMATCH
            return MISMATCH
        if self.category == "list":
            return [value] if self.accepts([value], how) else MISMATCH
        if self.category == "date and time" and v.is_date(value):
            return v.midnight(value)
        return MISMATCH


def _builtin(name: str, test: Callable[[object], bool]) -> Type:
    return Type(name, lambda value, how: value is None or test(value), name)


ANY = Type("Any", lambda value, how: True, "any")
_BUILTINS: dict[str, Type] = {
    "": ANY,
    "Any": ANY,
    "any": ANY,
    "number": _builtin("number", v.is_number),
    "string": _builtin("string", v.is_string),
    "boolean": _builtin("boolean", v.is_boolean),
    "date": _builtin("date", v.is_date),
    "time": _builtin("time", v.is_time),
    "date and time": _builtin("date and time", v.is_date_time),
    "days and time duration": _builtin("days and time duration", v.is_days_duration),
    "years and months duration": _builtin("years and months duration", v.is_months_duration),
    "context": _builtin("context", v.is_context),
    "list": _builtin("list", v.is_list),
    "function": _builtin("function", v.is_function),
    "Null": Type("Null", lambda value, how: value is None, "null"),
}
_ALIASES = {
    "dateTime": "date and time",
    "dayTimeDuration": "days and time duration",
    "days and time": "days and time duration",
    "yearMonthDuration": "years and months duration",
    "integer": "number",
    "long": "number",
    "double": "number",
    "decimal": "number",
    "Number": "number",
    "String": "string",
    "Boolean": "boolean",
    "Context": "context",
}
_BUILTINS.update({alias: _BUILTINS[name] for alias, name in _ALIASES.items()})


class TypeTable:
    """The types of one model, compiled on first use; imported ones are found as `import.name`."""

    def __init__(self, model: m.DmnModel, imported: Sequence[tuple[str, TypeTable]], findings: Findings) -> None:
        self._definitions = {definition.name: definition for definition in model.types}
        self._imported = imported
        self._findings = findings
        self._compiled: dict[str, Type] = {}
        self._open: list[str] = []

    def compile_all(self) -> None:
        """Compile every definition, so that findings in unused types show as well."""
        for name in self._definitions:
            self._named(name)

    def resolve(self, type_ref: str, element_id: str, line: int) -> Type:
        """The type of that name; an unknown one is a finding and counts as Any."""
        found = self.find(type_ref)
        if found is None:
            known = ", ".join(sorted(self._definitions)) or "none"
            message = (
                f"the type '{type_ref}' is not known; use a FEEL type or an item definition of the model ({known})"
            )
            self._findings.error(element_id, line, message)
            return ANY
        return found

    def find(self, type_ref: str) -> Type | None:
        """The type of that name, None where there is none."""
        if type_ref in self._definitions:
            return self._named(type_ref)
        if type_ref in _BUILTINS:
            return _BUILTINS[type_ref]
        for name, table in self._imported:
            inner = type_ref if not name else type_ref[len(name) + 1 :] if type_ref.startswith(f"{name}.") else ""
            found = table.find(inner) if inner else None
            if found is not None:
                return found
        return None

    def predicates(self) -> dict[str, Callable[[object], bool]]:
        """Name → check, for FEEL's `instance of` and typed parameters."""
        named = {name: self._named(name) for name in self._definitions}
        checks = {name: _shape(each) for name, each in named.items()}
        for prefix, table in self._imported:
            checks.update({f"{prefix}.{name}" if prefix else name: test for name, test in table.predicates().items()})
        return checks

    def _named(self, name: str) -> Type:
        compiled = self._compiled.get(name)
        if compiled is not None:
            return compiled
        definition = self._definitions[name]
        if name in self._open:
            return self._recursive(definition)
        self._open.append(name)
        compiled = self._compile(definition)
        self._open.pop()
        self._compiled[name] = compiled
        return compiled

    def _recursive(self, definition: m.ItemDefinition) -> Type:
        cycle = self._open[self._open.index(definition.name) :]
        if not any(self._definitions[name].components for name in cycle):
            message = (
                f"the type refers to itself ({' → '.join([*cycle, definition.name])}); give one of them a base type"
            )
            self._findings.error(definition.id, definition.line, message)
            return ANY
        name = definition.name

        def accepts(value: object, how: int) -> bool:
            return self._compiled[name].accepts(value, how)

        return Type(name, accepts, "list" if definition.is_collection else "context")

    def _compile(self, definition: m.ItemDefinition) -> Type:
        base = self._base(definition)
        element = self._constrained(base, definition, definition.allowed_values, "allowedValues")
        if definition.is_collection:
            accepts_element = element.accepts

            def accepts_list(value: object, how: int) -> bool:
                return value is None or (isinstance(value, list) and all(accepts_element(e, how) for e in value))

            whole = Type(
                definition.name, accepts_list, "list", element.allowed, base.members, base.member_types, element
            )
        else:
            whole = element
        return self._constrained(whole, definition, definition.type_constraint, "typeConstraint")

    def _base(self, definition: m.ItemDefinition) -> Type:
        if definition.function_output is not None:
            output = definition.function_output
            return Type(definition.name, _BUILTINS["function"].accepts, "function", function_output=output)
        if definition.components:
            members = {each.name: self._compile(each) for each in definition.components}
            return Type(definition.name, _context_check(members), "context", "", tuple(members), members)
        base = self.resolve(definition.type_ref, definition.id, definition.line)
        return Type(
            definition.name,
            base.accepts,
            base.category,
            base.allowed,
            base.members,
            base.member_types,
            base.element,
            base.function_output,
        )

    def _constrained(self, base: Type, definition: m.ItemDefinition, text: str, what: str) -> Type:
        if not text:
            return base
        try:
            tests = compile_unary_tests(text, tuple(base.members))
        except FeelSyntaxError as error:
            message = f"{what} of type '{definition.name}' are not unary tests: {error}"
            self._findings.error(definition.id, definition.line, message)
            return base
        return Type(
            base.name,
            _with_constraint(base.accepts, tests),
            base.category,
            text,
            base.members,
            base.member_types,
            base.element,
            base.function_output,
        )


def _shape(checked: Type) -> Callable[[object], bool]:
    return lambda value: checked.accepts(value, SHAPE)


def _context_check(members: Mapping[str, Type]) -> Accepts:
    checks = tuple((name, member.accepts) for name, member in members.items())

    def accepts(value: object, how: int) -> bool:
        if value is None:
            return True
        if not isinstance(value, dict):
            return False
        for name, accepts_member in checks:
            if name in value:
                if not accepts_member(value[name], how):
                    return False
            elif how != OPEN:
                return False
        return True

    return accepts


def _with_constraint(accepts_base: Accepts, tests: UnaryTests) -> Accepts:
    def accepts(value: object, how: int) -> bool:
        if value is None:
            return True
        return accepts_base(value, how) and (how == SHAPE or tests.matches(value, {}) is True)

    return accepts


def special_names(types: Iterable[Type]) -> set[str]:
    """Member names that FEEL could misread without knowing them (those with blanks, operators or quotes)."""
    found: set[str] = set()
    seen: set[int] = set()
    todo = list(types)
    while todo:
        each = todo.pop()
        if id(each) in seen:
            continue
        seen.add(id(each))
        found.update(name for name in each.members if not name.isidentifier())
        todo.extend(each.member_types.values())
        if each.element is not None:
            todo.append(each.element)
    return found


def from_json(value: object, wanted: Type) -> object:
    """A JSON value read as the type says: texts become dates, times and durations; others stay as they are."""
    if isinstance(value, str):
        return v.temporal_of(value, wanted.category) if wanted.category in v.TEMPORAL_KINDS else value
    if isinstance(value, list) and wanted.element is not None:
        return [from_json(element, wanted.element) for element in value]
    if isinstance(value, dict) and wanted.member_types:
        members = wanted.member_types
        return {name: from_json(member, members.get(name, ANY)) for name, member in value.items()}
    return value
