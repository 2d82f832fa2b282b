"""A fuzz target for atheris: any bytes as expression and as unary tests; only FEEL's own errors may come out.

python -m tests.feel.fuzz_feel -runs=100000 [corpus folder]
"""

from __future__ import annotations

import contextlib
import sys

import atheris  # type: ignore[import-untyped, import-not-found, unused-ignore]

with atheris.instrument_imports(include=["domain.feel"]):
    from domain.feel import (
        EvaluationContext,
        FeelBudgetExceeded,
        FeelSyntaxError,
        compile_expression,
        compile_unary_tests,
        to_json,
        unparse,
    )
    from domain.feel.parser import parse

SCOPE = {"a": 1, "b": [1, {"c": "x"}], "c": "text", "d": {"e": None, "f": 2.5}}
MAX_STEPS = 2_000
WORDS = (
    "for ", " in ", " return ", "some ", " satisfies ", "if ", " then ", " else ", "function(", "{a: ", " between ",
    " instance of ", "date and time(", '@"2021-01-01"', "[1..3]", "partial", "item", "not(", "string(", "sort(", " and ",
)  # fmt: skip


def text_of(data: bytes) -> str:
    """A text made of the bytes: low ones stand for FEEL's words, so that more than noise is tried."""
    return "".join(WORDS[byte] if byte < len(WORDS) else chr(byte) for byte in data)


def try_one(data: bytes) -> None:
    """Compile, evaluate, write and print; anything but FEEL's own errors is a finding."""
    text = text_of(data)
    with contextlib.suppress(FeelSyntaxError, FeelBudgetExceeded):
        compile_unary_tests(text, ("d e",)).matches(5, SCOPE, EvaluationContext(max_steps=MAX_STEPS))
    try:
        expression = compile_expression(text)
        to_json(expression.evaluate(SCOPE, EvaluationContext(max_steps=MAX_STEPS)))
    except (FeelSyntaxError, FeelBudgetExceeded):
        return
    printed = unparse(expression.tree)
    assert parse(printed) == expression.tree, printed


def main() -> None:
    """Fuzz until libFuzzer's limits are reached."""
    atheris.Setup(sys.argv, try_one)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
