"""Context functions (DMN 1.5 table 82)."""

from __future__ import annotations

from typing import Any

from domain.feel.builtins.registry import Null, builtin
from domain.feel.context import EvaluationContext
from domain.feel.operators import kind_of


@builtin("get value(m: context, key: string)")
def get_value(_context: EvaluationContext, m: dict[str, Any], key: str) -> Any:
    """The entry of that name."""
    if key not in m:
        raise Null(f"the context has no entry '{key}'")
    return m[key]


@builtin("get value(context: context, keys: list)")
def get_nested_value(_context: EvaluationContext, m: dict[str, Any], keys: list[Any]) -> Any:
    """The entry at the end of a path of names."""
    value: Any = m
    for key in keys:
        if value.__class__ is not dict or key not in value:
            raise Null(f"there is no entry '{key}'")
        value = value[key]
    return value


@builtin("get entries(m: context)")
def get_entries(_context: EvaluationContext, m: dict[str, Any]) -> list[dict[str, Any]]:
    """A list of {key, value}."""
    return [{"key": key, "value": value} for key, value in m.items()]


@builtin("context(entries: list)")
def context_(context: EvaluationContext, entries: list[Any]) -> dict[str, Any]:
    """A context made of {key, value} entries."""
    context.step(len(entries))
    result: dict[str, Any] = {}
    for entry in entries:
        if entry.__class__ is not dict or entry.get("key").__class__ is not str or "value" not in entry:
            raise Null("each entry must be a context with a 'key' (a string) and a 'value'")
        if entry["key"] in result:
            raise Null(f"the key '{entry['key']}' is there twice")
        result[entry["key"]] = entry["value"]
    return result


@builtin("context put(context: context, key: string, value: any?)")
def context_put(_context: EvaluationContext, m: dict[str, Any], key: str, value: Any) -> dict[str, Any]:
    """The context with one entry more, or another value for it."""
    return {**m, key: value}


@builtin("context put(context: context, keys: list, value: any?)")
def context_put_path(_context: EvaluationContext, m: dict[str, Any], keys: list[Any], value: Any) -> dict[str, Any]:
    """The context with the entry at the end of a path of names changed."""
    if not keys:
        raise Null("'keys' must name an entry at least")
    result = copy = dict(m)
    for index, key in enumerate(keys):
        if key.__class__ is not str:
            raise Null(f"'keys' must hold strings, but has {kind_of(key)}")
        if index == len(keys) - 1:
            copy[key] = value
            break
        inner = copy.get(key, {})
        if inner.__class__ is not dict:
            raise Null(f"the entry '{key}' is no context, but a {kind_of(inner)}")
        copy[key] = inner = dict(inner)
        copy = inner
    return result


@builtin("context merge(contexts: list)")
def context_merge(context: EvaluationContext, contexts: list[Any]) -> dict[str, Any]:
    """All entries of the contexts; later ones win."""
    result: dict[str, Any] = {}
    for each in contexts:
        if each.__class__ is not dict:
            raise Null(f"'contexts' must hold contexts, but has a {kind_of(each)}")
        context.step(1 + len(each))
        result.update(each)
    return result
