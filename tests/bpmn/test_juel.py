"""JUEL to FEEL: what is translated gives the value that JUEL would; what runs Java is refused with a way out."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.bpmn.convert import Untranslatable, to_feel
from domain.feel import compile_expression

EMPTY = '(v = null or v instance of string and v = "" or v instance of list<Any> and count(v) = 0)'
VARIABLES = {"a": 3, "b": 4, "t": True, "f": False, "s": "x", "none": None, "l": [1, 2], "e": [], "o": {"k": {"n": 5}}}


@pytest.mark.parametrize(
    ("juel", "feel", "value"),
    [
        ("${a}", "a", 3),
        ("#{a + b * 2}", "a + b * 2", 11),
        ("${(a + b) * 2}", "(a + b) * 2", 14),
        ("${a - (b - 1)}", "a - (b - 1)", 0),
        ("${b / 2}", "b / 2", 2),
        ("${b div 2}", "b / 2", 2),
        ("${a % 2}", "modulo(a, 2)", 1),
        ("${a mod 2 == 1}", "modulo(a, 2) = 1", True),
        ("${-a}", "-a", -3),
        ("${a > 2 && b < 5}", "a > 2 and b < 5", True),
        ("${a gt 2 and b le 4}", "a > 2 and b <= 4", True),
        ("${f || t && f}", "f or t and f", False),
        ("${(f || t) && t}", "(f or t) and t", True),
        ("${!f}", "not(f)", True),
        ("${not t}", "not(t)", False),
        ("${s == 'x'}", 's = "x"', True),
        ("${s eq \"x\"}", 's = "x"', True),
        ("${s ne 'y'}", 's != "y"', True),
        ("${none == null}", "none = null", True),
        ("${empty e}", EMPTY.replace("v", "e"), True),
        ("${!empty l}", f"not({EMPTY})".replace("v", "l"), True),
        ("${empty none}", EMPTY.replace("v", "none"), True),
        ("${empty s}", EMPTY.replace("v", "s"), False),
        ("${empty a}", EMPTY.replace("v", "a"), False),
        ("${t ? a : b}", "if t then a else b", 3),
        ("${f ? 1 : t ? 2 : 3}", "if f then 1 else if t then 2 else 3", 2),
        ("${o.k.n}", "o.k.n", 5),
        ("${o['k'].n + 1}", "o.k.n + 1", 6),
        ("${l[0]}", "l[1]", 1),
        ("${l[a - 2]}", "l[a - 2 + 1]", 2),
        ("Order ${a}", '"Order " + string(a)', "Order 3"),
        ("${s}-${a}!", 'string(s) + "-" + string(a) + "!"', "x-3!"),
        ("${1.5e2}", "1.5e2", 150),
        ("${'it''s'}", None, None),
        ("${nrOfCompletedInstances >= 2}", "numberOfCompletedInstances >= 2", None),
    ],
)  # fmt: skip
def test_it_means_the_same_in_feel(juel: str, feel: str | None, value: object) -> None:
    if feel is None:
        with pytest.raises(Untranslatable):
            to_feel(juel)
        return
    assert to_feel(juel) == feel
    if value is not None:
        assert compile_expression(feel).evaluate(VARIABLES) == value


@pytest.mark.parametrize(
    ("juel", "says", "suggests"),
    [
        ("${list.size() > 1}", "the method 'size()' runs Java", "in FEEL: count(list)"),
        ("${bean.doIt(x)}", "the method 'doIt()' runs Java", "let a job worker do it"),
        ("${now()}", "the method 'now()' runs Java", "in FEEL: now()"),
        ("${execution.id}", "'execution' is a Java object", "variables are read by their name"),
        ("${task.assignee}", "'task' is a Java object", "input mapping"),
        ("${}", "the expression is empty", ""),
        ("${a b}", "'b' is not understood here", ""),
        ("${a +}", "ends too early", ""),
        ("${(a}", "')' is missing", ""),
        ("${a ? b}", "':' is missing", ""),
        ("${a", "brackets of an expression do not match", "mend the expression"),
        ("${a = b}", "'= b' is not understood", ""),
        ("${for}", "no name in FEEL", "another name"),
        ("${" + "(" * 60 + "a" + ")" * 60 + "}", "nested more than 50 deep", ""),
        ("${" + "!" * 60 + "a}", "nested more than 50 deep", ""),
        ("${" + "a + " * 2000 + "a}", "longer than 4000 characters", ""),
    ],
)
def test_what_is_no_feel_is_refused_with_a_way_out(juel: str, says: str, suggests: str) -> None:
    with pytest.raises(Untranslatable) as refused:
        to_feel(juel)
    assert says in str(refused.value)
    assert suggests in refused.value.suggestion


@given(st.text(alphabet="ab.[]()'\"!&|<>=+-*/%?: 1${}", max_size=40))
def test_any_text_is_translated_or_refused(text: str) -> None:
    with contextlib.suppress(Untranslatable):
        compile_expression(to_feel("${" + text + "}"))
