"""FEEL, the expression language of DMN 1.5 and of Camunda 8: compiled once to closures, evaluated many times.

    expression = compile_expression('amount > 5000 and department = "IT"')
    expression.evaluate({"amount": 6000, "department": "IT"})        # True

Values: None, bool, numbers (int | Decimal, 34 digits), str, list, dict and the types of `domain.feel.values`.
Errors inside an expression give null and a warning in the EvaluationContext; only text that is not FEEL
(FeelSyntaxError) and exceeded budgets (FeelBudgetExceeded) raise.
"""

from domain.feel.calling import call_function
from domain.feel.context import EvaluationContext, Warning
from domain.feel.errors import FeelBudgetExceeded, FeelSyntaxError
from domain.feel.expression import Expression, UnaryTests, compile_expression, compile_unary_tests
from domain.feel.formatting import format_value, to_json
from domain.feel.operators import equal
from domain.feel.printer import unparse
from domain.feel.values import Function

__all__ = [
    "EvaluationContext",
    "Expression",
    "FeelBudgetExceeded",
    "FeelSyntaxError",
    "Function",
    "UnaryTests",
    "Warning",
    "call_function",
    "compile_expression",
    "compile_unary_tests",
    "equal",
    "format_value",
    "to_json",
    "unparse",
]
