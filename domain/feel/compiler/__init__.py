"""Compiles FEEL trees to Python closures; one module per kind of node, tied together by `core.HANDLERS`."""

from domain.feel.compiler import access, arithmetic, calls, comparison, iteration, literals, logic
from domain.feel.compiler.calls import apply
from domain.feel.compiler.comparison import any_of, compile_test
from domain.feel.compiler.core import FIRST_LOCAL, HANDLERS, Code, Compiler, Frame

__all__ = [
    "FIRST_LOCAL",
    "HANDLERS",
    "Code",
    "Compiler",
    "Frame",
    "access",
    "any_of",
    "apply",
    "arithmetic",
    "calls",
    "comparison",
    "compile_test",
    "iteration",
    "literals",
    "logic",
]
