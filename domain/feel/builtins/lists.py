"""List functions and sort() (DMN 1.5 tables 76 and 81)."""

from __future__ import annotations

from collections.abc import Callable
from functools import cmp_to_key
from typing import Any

from domain.feel.builtins.registry import Null, builtin
from domain.feel.compiler.calls import apply
from domain.feel.context import EvaluationContext
from domain.feel.numeric import CONTEXT, Number, add, compact, divide, is_number, multiply, subtract, truncated
from domain.feel.operators import equal, kind_of, order
from domain.feel.values import Date, DaysTimeDuration, Function, YearsMonthsDuration


def _sized(context: EvaluationContext, values: list[Any]) -> list[Any]:
    context.step(len(values))
    context.check_size(len(values))
    return values


@builtin("list contains(list: list, element: any?)")
def list_contains(context: EvaluationContext, values: list[Any], element: Any) -> bool:
    """Whether the element is in the list (null too)."""
    context.step(len(values))
    return any(equal(value, element, context) for value in values)


@builtin("count(list: list)")
def count(_context: EvaluationContext, values: list[Any]) -> int:
    """The number of elements."""
    return len(values)


def _extreme(sign: int) -> Callable[[EvaluationContext, list[Any]], Any]:
    def extreme(context: EvaluationContext, values: list[Any]) -> Any:
        context.step(len(values))
        if not values:
            raise Null("the list is empty")
        best = values[0]
        for value in values:
            found = order(value, best)
            if found is None:
                raise Null(f"a {kind_of(value)} and a {kind_of(best)} have no order")
            if found == sign:
                best = value
        return best

    return extreme


builtin("min(*list: any)")(_extreme(-1))
builtin("max(*list: any)")(_extreme(1))


def _numbers(context: EvaluationContext, values: list[Any]) -> list[Number]:
    context.step(len(values))
    for value in values:
        if not is_number(value):
            raise Null(f"the list must hold numbers only, but has a {kind_of(value)}".replace("a null", "null"))
    if not values:
        raise Null("the list is empty")
    return values


@builtin("sum(*list: any)")
def sum_(context: EvaluationContext, values: list[Any]) -> Any:
    """The sum of numbers, or of durations of one kind."""
    if values and values[0].__class__ in (DaysTimeDuration, YearsMonthsDuration):
        return _sum_durations(context, values)
    total: Number = 0
    for number in _numbers(context, values):
        total = add(total, number)
    return total


def _sum_durations(context: EvaluationContext, values: list[Any]) -> Any:
    kind = values[0].__class__
    context.step(len(values))
    if any(value.__class__ is not kind for value in values):
        raise Null("the list mixes durations with other values")
    if kind is DaysTimeDuration:
        return DaysTimeDuration(sum(value.nanos for value in values))
    return YearsMonthsDuration(sum(value.months for value in values))


@builtin("product(*list: any)")
def product(context: EvaluationContext, values: list[Any]) -> Number:
    """The numbers multiplied."""
    total: Number = 1
    for number in _numbers(context, values):
        total = multiply(total, number)
    return total


@builtin("mean(*list: any)")
def mean(context: EvaluationContext, values: list[Any]) -> Number:
    """The arithmetic mean."""
    total: Number = 0
    for number in _numbers(context, values):
        total = add(total, number)
    return divide(total, len(values))


@builtin("median(*list: any)")
def median(context: EvaluationContext, values: list[Any]) -> Number:
    """The middle number, or the mean of the two in the middle."""
    ordered = sorted(_numbers(context, values))
    middle = len(ordered) // 2
    if len(ordered) % 2:
        return ordered[middle]
    return divide(add(ordered[middle - 1], ordered[middle]), 2)


@builtin("stddev(*list: any)")
def stddev(context: EvaluationContext, values: list[Any]) -> Number:
    """The sample standard deviation (n - 1)."""
    numbers = _numbers(context, values)
    if len(numbers) < 2:
        raise Null("the standard deviation needs two numbers at least")
    center = mean(context, values)
    total: Number = 0
    for number in numbers:
        distance = subtract(number, center)
        total = add(total, multiply(distance, distance))
    return compact(CONTEXT.sqrt(divide(total, len(numbers) - 1)))


@builtin("mode(*list: any)")
def mode(context: EvaluationContext, values: list[Any]) -> list[Number]:
    """The most frequent numbers, ascending."""
    if not values:
        return []
    counts: dict[Number, int] = {}
    for number in _numbers(context, values):
        counts[number] = counts.get(number, 0) + 1
    most = max(counts.values())
    return sorted(number for number, times in counts.items() if times == most)


def _truth(decisive: bool) -> Callable[[EvaluationContext, list[Any]], bool | None]:
    def truth(context: EvaluationContext, values: list[Any]) -> Any:
        context.step(len(values))
        unknown = False
        for value in values:
            if value is decisive:
                return decisive
            if value is None:
                unknown = True
            elif value.__class__ is not bool:
                raise Null(f"the list must hold booleans only, but has a {kind_of(value)}")
        return None if unknown else not decisive

    return truth


def _truths(name: str, decisive: bool) -> None:
    decide = _truth(decisive)

    @builtin(f"{name}(list: list)", f"{name}(*list: any)")
    def truth(context: EvaluationContext, values: list[Any]) -> Any:
        return decide(context, values)


_truths("all", False)
_truths("any", True)


def position_in(values: list[Any], position: Number, *, room: int = 0) -> int:
    """The 0-based index of a 1-based or negative position; Null beyond the list (`room` more are allowed)."""
    index = truncated(position)
    if 0 < index <= len(values) + room:
        return index - 1
    if index < 0 and -index <= len(values):
        return len(values) + index
    raise Null(f"there is no position {index} in a list of {len(values)}")


@builtin("sublist(list: list, start position: number, length?: number)")
def sublist(_context: EvaluationContext, values: list[Any], start: Number, length: Number | None = None) -> list[Any]:
    """Elements from a position on."""
    begin = position_in(values, start)
    if length is None:
        return values[begin:]
    size = truncated(length)
    if size < 1 or begin + size > len(values):
        raise Null(f"there are no {size} elements from position {truncated(start)} in a list of {len(values)}")
    return values[begin : begin + size]


@builtin("append(list: list, *item: any)")
def append(context: EvaluationContext, values: list[Any], items: list[Any]) -> list[Any]:
    """The list with the items at its end."""
    return _sized(context, [*values, *items])


@builtin("concatenate(*list: list)")
def concatenate(context: EvaluationContext, lists: list[list[Any]]) -> list[Any]:
    """The elements of all lists."""
    context.check_size(sum(map(len, lists)))
    return _sized(context, [value for values in lists for value in values])


@builtin("insert before(list: list, position: number, newItem: any?)")
def insert_before(context: EvaluationContext, values: list[Any], position: Number, item: Any) -> list[Any]:
    """The list with an item put in."""
    index = position_in(values, position, room=1)
    return _sized(context, [*values[:index], item, *values[index:]])


@builtin("remove(list: list, position: number)")
def remove(context: EvaluationContext, values: list[Any], position: Number) -> list[Any]:
    """The list without the element at a position."""
    index = position_in(values, position)
    return _sized(context, [*values[:index], *values[index + 1 :]])


@builtin("list replace(list: list, position: number, newItem: any?)")
def list_replace(context: EvaluationContext, values: list[Any], position: Number, item: Any) -> list[Any]:
    """The list with another item at a position."""
    index = position_in(values, position)
    return _sized(context, [*values[:index], item, *values[index + 1 :]])


@builtin("list replace(list: list, match: function, newItem: any?)")
def list_replace_matching(context: EvaluationContext, values: list[Any], match: Function, item: Any) -> list[Any]:
    """The list with another item wherever match(item, newItem) is true."""
    result = []
    for value in values:
        found = call(context, match, [value, item])
        if found.__class__ is not bool:
            raise Null("'match' must give a boolean for two arguments")
        result.append(item if found else value)
    return _sized(context, result)


def call(context: EvaluationContext, function: Function, values: list[Any]) -> Any:
    """Call a function argument."""
    return apply(function, values, context)


@builtin("reverse(list: list)")
def reverse(context: EvaluationContext, values: list[Any]) -> list[Any]:
    """The other way round."""
    return _sized(context, values[::-1])


@builtin("index of(list: list, match: any?)")
def index_of(context: EvaluationContext, values: list[Any], match: Any) -> list[int]:
    """The positions of all elements equal to match."""
    context.step(len(values))
    return [index for index, value in enumerate(values, 1) if equal(value, match, context)]


class Seen:
    """A growing set of FEEL values: hashes what it can, compares the rest."""

    def __init__(self, context: EvaluationContext) -> None:
        self.context = context
        self.hashed: set[Any] = set()
        self.others: list[Any] = []

    def add(self, value: Any) -> bool:
        """Whether it is new."""
        if value is None or value.__class__ in (bool, str, Date) or is_number(value):
            key = (value.__class__ is bool, value)
            new = key not in self.hashed
            self.hashed.add(key)
            return new
        self.context.step(1 + len(self.others))
        if any(equal(other, value, self.context) for other in self.others):
            return False
        self.others.append(value)
        return True


def distinct(context: EvaluationContext, values: list[Any]) -> list[Any]:
    """The values without repetitions, in order."""
    seen = Seen(context)
    return _sized(context, [value for value in values if seen.add(value)])


@builtin("distinct values(list: list)")
def distinct_values(context: EvaluationContext, values: list[Any]) -> list[Any]:
    """The list without repetitions."""
    return distinct(context, values)


@builtin("union(*list: list)")
def union(context: EvaluationContext, lists: list[list[Any]]) -> list[Any]:
    """The elements of all lists without repetitions."""
    return distinct(context, [value for values in lists for value in values])


@builtin("flatten(list: list)")
def flatten(context: EvaluationContext, values: list[Any]) -> list[Any]:
    """The elements of all lists inside, however deep."""
    result: list[Any] = []
    stack = [iter(values)]
    while stack:
        for value in stack[-1]:
            context.step()
            if value.__class__ is list:
                stack.append(iter(value))
                break
            result.append(value)
        else:
            stack.pop()
    return _sized(context, result)


@builtin("sort(list: list, precedes?: function)")
def sort(context: EvaluationContext, values: list[Any], precedes: Function | None = None) -> list[Any]:
    """The list ordered by precedes(x, y), or by its elements' own order; equal elements keep their order."""
    context.step(len(values))

    def compare(left: Any, right: Any) -> int:
        if precedes is None:
            found = order(left, right)
            if found is None:
                raise Null(f"a {kind_of(left)} and a {kind_of(right)} have no order")
            return found
        if call(context, precedes, [left, right]) is True:
            return -1
        return 1 if call(context, precedes, [right, left]) is True else 0

    return sorted(values, key=cmp_to_key(compare))
