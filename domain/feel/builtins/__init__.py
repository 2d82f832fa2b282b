"""The built-in functions of DMN 1.5 §10.3.4 and those Camunda adds; importing a module registers its functions."""

from domain.feel.builtins import camunda, contexts, conversions, lists, numbers, ranges, strings, temporals
from domain.feel.builtins.registry import BUILTINS

__all__ = [
    "BUILTINS",
    "camunda",
    "contexts",
    "conversions",
    "lists",
    "numbers",
    "ranges",
    "strings",
    "temporals",
]
