"""Regular expressions: XPath's syntax and flags on RE2."""

from __future__ import annotations

import pytest

from tests.feel.tables import evaluated, reasons

CALLED = "matches( replace( split("

MATCHES = [
    ('matches("foobar", "^fo*bar")', "true"),
    ('matches("foobar", "o{2}b")', "true"),
    ('matches("FooBar", "foo", "i")', "true"),
    ('matches("a\\nb", "a.b")', "false"),
    ('matches("a\\nb", "a.b", "s")', "true"),
    ('matches("a\\r", "a.")', "false"),
    ('matches("a\\nb", "^b$")', "false"),
    ('matches("a\\nb", "^b$", "m")', "true"),
    ('matches("hello world", "hello\\ sworld", "x")', "true"),
    ('matches("hello world", "hello[ ]world", "x")', "true"),
    ('matches("a.b", "a.b", "q")', "true"),
    ('matches("axb", "a.b", "q")', "false"),
    ('matches("x", "[A-Z-[OI]]", "i")', "true"),
    ('matches("i", "[A-Z-[OI]]", "i")', "false"),
    ('matches("q", "[^Q]", "i")', "false"),
    ('matches("m", "\\p{Lu}", "i")', "false"),
    ('matches("\u212a", "k", "i")', "true"),
    ('matches("É", "^[\\p{L}-[a-z]]$")', "true"),
    ('matches("é1", "^\\p{Ll}\\d$")', "true"),
    ('matches("α", "^\\p{IsGreek}$")', "true"),
    ('matches("α", "^\\P{IsBasicLatin}$")', "true"),
    ('matches("a-b", "^\\i\\c+$")', "true"),
    ('matches("a_1", "^[\\w]+$")', "false"),
    ('matches("ab", "^\\w+$")', "true"),
    ('matches("a b", "\\S\\s\\S")', "true"),
    ('matches("[", "[\\[]")', "true"),
    ('matches("-", "[a-c-]")', "true"),
    ('matches("b", "[a-c-]")', "true"),
]

REPLACES = [
    ('replace("abcd", "(ab)|(a)", "[1=$1][2=$2]")', '"[1=ab][2=]cd"'),
    ('replace("0123456789", "(\\d{3})(\\d{3})(\\d{4})", "($1) $2-$3")', '"(012) 345-6789"'),
    ('replace("ab", "a", "\\\\$1")', '"$1b"'),
    ('replace("abc", "(a)(b)", "$12")', '"a2c"'),
    ('replace("a.b", ".", "$", "q")', '"a$b"'),
    ('split("a, b;c", "[,;]\\s*")', '["a", "b", "c"]'),
]

REFUSED = [
    ('matches("a", "(a)\\1")', "back-references are not supported"),
    ('matches("a", "a", "p")', "the flag 'p' is not one of"),
    ('matches("a", "[z-a]")', "the range z-a is empty"),
    ('matches("a", "a)")', "is not valid"),
    ('matches("a", "\\p{Nope}")', "there is no character property 'Nope'"),
    ('matches("a", "(?=a)")', "after '(?' only ':' is allowed"),
    ('matches("a", "[a")', "the pattern ends too early"),
    ('matches("a", "]")', "a ']' has no '['"),
    ('replace("a", "a*", "b")', "matches the empty string"),
    ('replace("a", "a", "$x")', "must be followed by a digit"),
]


@pytest.mark.parametrize(("text", "value"), [*MATCHES, *REPLACES])
def test_patterns_mean_what_xpath_says(text: str, value: str) -> None:
    assert evaluated(text) == value


@pytest.mark.parametrize(("text", "reason"), REFUSED)
def test_a_pattern_that_cannot_be_run_gives_null_and_says_why(text: str, reason: str) -> None:
    assert evaluated(text) == "null"
    assert any(reason in found for found in reasons(text))
