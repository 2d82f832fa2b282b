"""From a v2 filter to a WHERE clause: plain values, operators ($eq, $neq, $exists, $gt …, $in, $notIn, $like), nested
$or, and conditions on variables. Identifiers come from the entity's tables, values travel as parameters; whatever is
not understood is refused with the field's name, what is allowed, and the nearest name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NamedTuple

from domain.errors import InvalidArgument
from domain.keys import instance_key_of
from infra.postgres.queries_fields import OPERATORS, Entity, Field, Kind, like_pattern, matching_names, read_value

MAX_CONDITIONS = 500
MAX_VALUES = 1_000
_COMPARISONS = {"$gt": ">", "$gte": ">=", "$lt": "<", "$lte": "<="}


class Where(NamedTuple):
    """A condition in SQL, its parameters, and the joins that it needs."""

    sql: str
    parameters: list[Any]
    joins: frozenset[str]


def suggest(name: str, allowed: Iterable[str], title: str) -> str:
    """ "did you mean …? Allowed are …" for a name that is not known."""
    names = sorted(allowed)
    close = get_close_matches(name, names, 1)
    hint = f"did you mean '{close[0]}'? " if close else ""
    return f"{hint}{title} are {', '.join(names)}"


class FilterCompiler:
    """Compiles one filter of an entity; `conditions` are what has been compiled so far."""

    def __init__(self, entity: Entity, schema: str) -> None:
        self._entity = entity
        self._schema = schema
        self._joins: set[str] = set()
        self._count = 0

    def compile(self, filter: Mapping[str, Any], tenants: Sequence[str] | None) -> Where:
        """The whole filter, and the tenants that may be seen. Raises InvalidArgument."""
        conditions: list[str] = []
        parameters: list[Any] = []
        if tenants is not None:
            conditions.append(f"{self._entity.tenant} = ANY(%s::text[])")
            parameters.append(list(tenants))
        sql, more = self._group(filter, "filter")
        if sql:
            conditions.append(sql)
        return Where(" AND ".join(conditions) or "TRUE", parameters + more, frozenset(self._joins))

    def _group(self, filter: Mapping[str, Any], where: str) -> tuple[str, list[Any]]:
        """All conditions of one object, joined by AND."""
        conditions: list[str] = []
        parameters: list[Any] = []
        nested: dict[str, list[tuple[str, list[Any]]]] = {}
        for name, value in filter.items():
            path = f"{where}.{name}"
            if name == "$or":
                found = self._or(value, where, path)
            elif name in self._entity.variables:
                found = self._variables(name, value, path)
            else:
                field = self._field(name, path)
                found = self._condition(field, value, path)
                if field.nested:
                    nested.setdefault(field.nested, []).append(found)
                    continue
            conditions.append(found[0])
            parameters += found[1]
        for name, parts in nested.items():
            inner = " AND ".join(sql for sql, _ in parts)
            conditions.append(self._entity.nested[name].replace("{conditions}", inner))
            parameters += [value for _, values in parts for value in values]
        return " AND ".join(conditions), parameters

    def _or(self, value: object, where: str, path: str) -> tuple[str, list[Any]]:
        if where != "filter":
            raise InvalidArgument(f"'{path}': $or cannot stand inside another $or", path)
        if not isinstance(value, list) or not value or not all(isinstance(group, dict) for group in value):
            raise InvalidArgument(f"'{path}' must be a list of at least one filter object", path)
        groups = [self._group(group, f"{path}[{index}]") for index, group in enumerate(value)]
        sql = " OR ".join(f"({group or 'TRUE'})" for group, _ in groups)
        return f"({sql})", [parameter for _, parameters in groups for parameter in parameters]

    def _field(self, name: str, path: str) -> Field:
        field = self._entity.fields.get(name)
        if field is None or not field.filtered:
            allowed = [known for known, field in self._entity.fields.items() if field.filtered]
            title = f"the filter fields of a {self._entity.title}"
            allowed += [*self._entity.variables, "$or"]
            raise InvalidArgument(f"'{path}' is not a filter field: {suggest(name, allowed, title)}", path)
        self._joins.update(field.joins)
        return field

    def _condition(self, field: Field, value: object, path: str) -> tuple[str, list[Any]]:
        self._bound(path)
        if field.kind is Kind.ALL_OF:
            return self._all_of(field, value, path)
        operators = value if isinstance(value, dict) else {"$eq": value}
        if not operators:
            raise InvalidArgument(f"'{path}' has no operator: {', '.join(OPERATORS[field.kind])} are allowed", path)
        conditions: list[str] = []
        parameters: list[Any] = []
        for operator, operand in operators.items():
            self._bound(path)
            if operator not in OPERATORS[field.kind]:
                hint = suggest(operator, OPERATORS[field.kind], f"the operators for {field.kind.value}")
                raise InvalidArgument(f"'{path}.{operator}' is not an operator of this field: {hint}", path)
            at = path if operator == "$eq" and not isinstance(value, dict) else f"{path}.{operator}"
            sql, more = self._operator(field, operator, operand, at)
            conditions.append(sql)
            parameters += more
        return " AND ".join(conditions), parameters

    def _bound(self, path: str) -> None:
        self._count += 1
        if self._count > MAX_CONDITIONS:
            raise InvalidArgument(f"'{path}': a filter has at most {MAX_CONDITIONS} conditions", path)

    def _operator(self, field: Field, operator: str, operand: object, path: str) -> tuple[str, list[Any]]:
        if operator == "$exists":
            if not isinstance(operand, bool):
                raise InvalidArgument(f"'{path}' must be true or false", path)
            return f"({field.sql}) IS {'NOT ' if operand else ''}NULL", []
        if operator == "$like":
            return self._like(field, operand, path)
        if operator in ("$in", "$notIn"):
            if not isinstance(operand, list) or len(operand) > MAX_VALUES:
                raise InvalidArgument(f"'{path}' must be a list of at most {MAX_VALUES} values", path)
            values = [read_value(field, one, f"{path}[{index}]") for index, one in enumerate(operand)]
            sql, parameters = self._one_of(field, values)
            return (sql, parameters) if operator == "$in" else (f"({sql}) IS NOT TRUE", parameters)
        value = read_value(field, operand, path)
        if operator == "$eq":
            return self._one_of(field, [value]) if field.owned or field.open else self._equal(field, value)
        if operator == "$neq":
            sql, parameters = self._equal(field, value)
            return f"({sql}) IS NOT TRUE", parameters
        return f"({field.sql}) {_COMPARISONS[operator]} %s", [value]

    def _equal(self, field: Field, value: Any) -> tuple[str, list[Any]]:
        if field.kind is Kind.MEMBERS:
            return f"({field.sql}) @> ARRAY[%s]", [value]
        if field.kind is Kind.BOOLEAN:  # bare, so that EXISTS can become a join
            return f"({field.sql})" if value else f"NOT ({field.sql})", []
        return f"({field.sql}) = %s", [value]

    def _one_of(self, field: Field, values: list[Any]) -> tuple[str, list[Any]]:
        if field.kind is Kind.MEMBERS:
            return f"({field.sql}) && %s::text[]", [values]
        sql, parameters = f"({field.sql}) = ANY(%s{_array_cast(field.kind)})", [values]
        if field.open and values and field.open.issuperset(values):
            return f"{sql} AND t.ended IS NULL", parameters
        if not field.owned:
            return sql, parameters
        # The part's key tells its instance, whose rows lie together: an index leads there.
        blocks = [int(instance_key_of(value)) for value in values]
        owner = (
            f"t.instance_key IN (SELECT coalesce(b.instance_key, k.block) FROM unnest(%s::bigint[]) AS k(block) "  # noqa: S608
            f"LEFT JOIN {self._schema}.key_blocks b ON b.block = k.block)"
        )
        return f"{owner} AND {sql}", [blocks, *parameters]

    def _like(self, field: Field, operand: object, path: str) -> tuple[str, list[Any]]:
        pattern = like_pattern(operand, path)
        if field.names is not None:
            return f"({field.sql}) = ANY(%s::smallint[])", [list(matching_names(field.names, pattern))]
        if field.kind is Kind.MEMBERS:
            return f"EXISTS (SELECT FROM unnest({field.sql}) AS m(one) WHERE m.one LIKE %s)", [pattern]
        return f"({field.sql}) LIKE %s", [pattern]

    def _all_of(self, field: Field, value: object, path: str) -> tuple[str, list[Any]]:
        if not isinstance(value, list) or len(value) > MAX_VALUES or not all(isinstance(one, str) for one in value):
            raise InvalidArgument(f"'{path}' must be a list of at most {MAX_VALUES} strings", path)
        return f"({field.sql}) @> %s::text[]", [[one.replace("\0", "\ufffd") for one in value]]

    def _variables(self, name: str, value: object, path: str) -> tuple[str, list[Any]]:
        """[{"name": …, "value": JSON text or operators}]: an instance has all of these variables."""
        if not isinstance(value, list) or len(value) > MAX_VALUES:
            raise InvalidArgument(f'\'{path}\' must be a list like [{{"name": "amount", "value": "5000"}}]', path)
        found = [self._variable(self._entity.variables[name], one, f"{path}[{i}]") for i, one in enumerate(value)]
        sql = " AND ".join(condition for condition, _ in found) or "TRUE"
        return sql, [parameter for _, parameters in found for parameter in parameters]

    def _variable(self, scope: str, wanted: object, path: str) -> tuple[str, list[Any]]:
        if not isinstance(wanted, dict) or not isinstance(wanted.get("name"), str) or "value" not in wanted:
            raise InvalidArgument(f"'{path}' must be an object with a 'name' and a 'value' (JSON text)", path)
        extra = sorted(set(wanted) - {"name", "value"})
        if extra:
            raise InvalidArgument(f"'{path}.{extra[0]}' is not a member: name and value are", path)
        field = Field("v.value", Kind.JSON_TEXT)
        operand = wanted["value"]
        name = read_value(Field("v.name", Kind.TEXT), wanted["name"], f"{path}.name")
        absent = isinstance(operand, dict) and operand.get("$exists") is False
        if absent:
            operand = {key: value for key, value in operand.items() if key != "$exists"} or {"$exists": True}
        condition, parameters = self._condition(field, operand, f"{path}.value")
        exact = operand.get("$eq") if isinstance(operand, dict) else operand
        if isinstance(exact, str):
            # what the index on variables holds; the full comparison follows it
            condition = f"hashtext(v.name || '=' || v.value) = hashtext(%s) AND {condition}"
            parameters = [f"{name}={read_value(field, exact, path)}", *parameters]
        sql = (
            f"EXISTS (SELECT FROM {self._schema}.variables v WHERE v.instance_key = t.instance_key AND {scope} "
            f"AND v.name = %s AND {condition})"
        )
        return f"NOT {sql}" if absent else sql, [name, *parameters]


def _array_cast(kind: Kind) -> str:
    match kind:
        case Kind.KEY | Kind.INTEGER | Kind.DATE:
            return "::bigint[]"
        case Kind.ENUM:
            return "::smallint[]"
        case Kind.BOOLEAN:
            return "::boolean[]"
        case _:
            return "::text[]"
