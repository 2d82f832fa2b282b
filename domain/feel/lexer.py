"""Turns FEEL text into tokens: the place where names with spaces and special characters are decided.

A name reaches as far as (1) the longest known name says (those the caller knows, those bound earlier in the text by
for, some, every, function parameters and context entries, and the built-in names that contain a keyword), or
(2) the run of plain words that follow each other, joined by single spaces: two names side by side mean nothing else.
`backticks` quote any name. After a dot only known names and plain words count.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from domain.feel.errors import FeelSyntaxError

MAX_TEXT = 100_000
MAX_NESTING = 100
MAX_NAME = 1_000
MAX_NAME_TRIES = 2_000_000

_START = (
    "A-Z_a-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_PART = _START + "0-9\u00b7\u0300-\u036f\u203f\u2040"
_SPACE = "\\s\u0085\u180e\u200b\ufeff"
WORD = re.compile(f"[{_START}][{_PART}]*")
_SKIP = re.compile(rf"(?:[{_SPACE}]+|//[^\n]*|/\*.*?\*/)*", re.DOTALL)
_BLANKS = re.compile(f"[{_SPACE}]+")
_NUMBER = re.compile(r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_SYMBOL = re.compile(r"\*\*|\.\.|->|<=|>=|!=|[-+*/=<>()\[\]{},:.?]")
_KEY = re.compile(rf"([{_START}?][^\"{{}}\[\](),:`]{{0,{MAX_NAME}}}):")
_ITERATOR = re.compile(rf"([{_START}][^\"{{}}\[\](),:`]{{0,{MAX_NAME}}}?)[{_SPACE}]+in(?![{_PART}])")
_PARAMETER = re.compile(rf"([{_START}][^\"{{}}\[\](),:`]{{0,{MAX_NAME}}})(?=[:,)])")
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|U([0-9a-fA-F]{6})|(.))", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "'": "'", "\\": "\\"}
_INSTANCE_OF = re.compile(rf"instance[{_SPACE}]+of(?![{_PART}])")
_OPERAND_START = re.compile(r'["@`(\[{?\-\]]|\.?[0-9]')
_FOLLOWS_BUILTIN = re.compile(rf"[{_SPACE}]*[(>,)]")

KEYWORDS = {
    "null": "NULL", "true": "TRUE", "false": "FALSE", "if": "_IF", "then": "_THEN", "else": "_ELSE", "for": "_FOR",
    "in": "IN", "return": "_RETURN", "some": "SOME", "every": "EVERY", "satisfies": "_SATISFIES",
    "function": "FUNCTION", "external": "EXTERNAL", "and": "AND", "or": "OR", "between": "BETWEEN",
}  # fmt: skip
_CONTINUES = frozenset(("and", "or", "in", "between", "then", "else", "return", "satisfies"))  # what can follow a name
BUILTIN_NAMES = ("date and time", "days and time duration", "years and months duration", "get or else")
_ENDS_OPERAND = frozenset(
    ("NAME", "NUMBER", "STRING", "AT", "NULL", "TRUE", "FALSE", ")", "]", "}", "RANGE_CLOSE", "TYPE_END")
)
_IN_TYPE = frozenset(("NAME", "FUNCTION", "NULL", ".", "->"))
_TYPE_FOLLOWS = frozenset(("INSTANCE_OF", ":", "->", "<"))
_OPENS = {"(": ")", "[": "]", "{": "}"}


@dataclass(slots=True)
class Token:
    """A token: `kind` is a terminal of the grammar or the symbol itself; `value` its meaning; `start` its offset."""

    kind: str
    value: str
    start: int


@dataclass(slots=True)
class _Bracket:
    """What is open: its symbol, the names bound inside, loops still short of their return, ".." seen or not."""

    symbol: str
    names: dict[str, list[re.Pattern[str]]] = field(default_factory=dict)  # by their first character
    loops: int = 0
    parameters: bool = False
    range_seen: bool = False


def normal_name(text: str) -> str:
    """A name with single spaces between its words."""
    return _BLANKS.sub(" ", text).strip(" ")


def unescape(text: str) -> str:
    """The characters a string literal's content denotes; unknown escapes stay as written (regular expressions)."""
    if "\\" not in text:
        return text

    def one(match: re.Match[str]) -> str:
        digits = match[1] or match[2]
        if digits is None:
            return _ESCAPES.get(match[3], match[0])
        code = int(digits, 16)
        return chr(code) if code <= 0x10FFFF else match[0]

    plain = _ESCAPE.sub(one, text)
    if any("\ud800" <= character <= "\udfff" for character in plain):
        plain = plain.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return plain


def _pattern(name: str) -> re.Pattern[str] | None:
    """What finds a known name in text, or None where plain words find it anyway."""
    words = name.split(" ")
    keyword = len(words) > 1 and (words[0] in KEYWORDS or not _CONTINUES.isdisjoint(words))
    if all(WORD.fullmatch(word) for word in words) and not keyword:
        return None
    body = f"[{_SPACE}]+".join(re.escape(word) for word in words)
    return re.compile(body + (f"(?![{_PART}])" if re.match(f"[{_PART}]", name[-1]) else ""))


_BUILTINS: dict[str, list[re.Pattern[str]]] = {}
for _builtin_name in BUILTIN_NAMES:
    _found = _pattern(_builtin_name)
    assert _found is not None
    _BUILTINS.setdefault(_builtin_name[0], []).append(_found)


def tokenize(text: str, names: Iterable[str] = ()) -> list[Token]:
    """All tokens of a text; raises FeelSyntaxError where it cannot go on, and above the caps on length and depth."""
    if len(text) > MAX_TEXT:
        raise FeelSyntaxError(f"the expression has {len(text)} characters; the limit is {MAX_TEXT}")
    return list(_Lexer(text, names).tokens())


class _Lexer:
    def __init__(self, text: str, names: Iterable[str]) -> None:
        self.text = text
        self.at = 0
        self.kind = ""  # of the last token
        self.open = [_Bracket("")]
        self.tries = 0
        self.angles = -1  # open "<" of the type being read; -1 outside of types
        for name in {normal_name(name) for name in names}:
            self.bind(name)

    def tokens(self) -> Iterator[Token]:
        """The tokens one by one; each tells the next where it stands."""
        while True:
            self.skip()
            if self.at >= len(self.text):
                return
            token = self.token()
            self.follow_type(token.kind)
            yield token

    def follow_type(self, kind: str) -> None:
        """Remember the token, and whether it belongs to a type, whose ">" ends an operand."""
        if kind == "INSTANCE_OF" or (kind == ":" and self.open[-1].parameters):
            self.angles = 0
        elif kind == "<" and self.angles >= 0:
            self.angles += 1
        elif kind == ">" and self.angles > 0:
            self.angles -= 1
            kind = "TYPE_END"
        elif self.angles == 0 and kind not in _IN_TYPE:
            self.angles = -1
        self.kind = kind

    def skip(self) -> None:
        """Step over blanks and comments."""
        found = _SKIP.match(self.text, self.at)
        if found:
            self.at = found.end()
        if self.text.startswith("/*", self.at):
            raise self.error("the comment is not closed", ("*/",))

    def error(self, message: str, expected: tuple[str, ...] = ()) -> FeelSyntaxError:
        """A syntax error at the current place."""
        line, column = position(self.text, self.at)
        return FeelSyntaxError(message, line, column, expected)

    def make(self, kind: str, value: str, end: int) -> Token:
        token = Token(kind, value, self.at)
        self.at = end
        return token

    def token(self) -> Token:
        """The token at the current place."""
        text, at = self.text, self.at
        character = text[at]
        if character == '"':
            return self.string("STRING", at)
        if character == "@" and text.startswith('"', at + 1):
            return self.string("AT", at + 1)
        if character == "`":
            quoted = self.quoted()
            if self.binding_pattern() is not None:
                self.bind(quoted.value)
            return quoted
        bound = self.binding()
        if bound is not None:
            return bound
        number = _NUMBER.match(text, at) if self.kind != "." or not character.isdigit() else None
        if number and not (character == "." and self.kind in _ENDS_OPERAND):
            return self.make("NUMBER", number[0], number.end())
        return self.name() or self.symbol()

    def string(self, kind: str, start: int) -> Token:
        found = _STRING.match(self.text, start)
        if found is None:
            raise self.error("the string is not closed", ('"',))
        return self.make(kind, unescape(found[1]), found.end())

    def quoted(self) -> Token:
        end = self.text.find("`", self.at + 1)
        name = normal_name(self.text[self.at + 1 : end]) if end > 0 else ""
        if not name:
            raise self.error("the quoted name is not closed" if end < 0 else "the quoted name is empty", ("`",))
        return self.make("NAME", name, end + 1)

    def binding(self) -> Token | None:
        """A name at a place that binds it."""
        pattern = self.binding_pattern()
        found = pattern.match(self.text, self.at) if pattern is not None else None
        if found is None:
            return None
        name = normal_name(found[1])
        self.bind(name)
        return self.make("NAME", name, self.at + len(found[1].rstrip()))

    def binding_pattern(self) -> re.Pattern[str] | None:
        """What a name looks like at a place that binds one: context key, loop variable, function parameter."""
        here, kind = self.open[-1], self.kind
        if here.symbol == "{" and kind in ("{", ","):
            return _KEY
        if kind in ("_FOR", "SOME", "EVERY") or (kind == "," and here.loops):
            return _ITERATOR
        return _PARAMETER if here.parameters and kind in ("(", ",") else None

    def bind(self, name: str) -> None:
        """Make a name known up to the end of the bracket that holds the binding."""
        pattern = _pattern(name) if 0 < len(name) <= MAX_NAME else None
        if pattern is not None:
            scope = self.open[-2] if self.open[-1].parameters else self.open[-1]
            scope.names.setdefault(name[0], []).append(pattern)

    def known(self) -> str | None:
        """The longest known name at the current place, as it is written."""
        found = []
        first = self.text[self.at]
        for bracket in self.open:
            patterns = bracket.names.get(first, ())
            self.tries += len(patterns)
            found += [match[0] for pattern in patterns if (match := pattern.match(self.text, self.at))]
        if self.tries > MAX_NAME_TRIES:
            raise self.error("too many names with special characters are known here")
        if self.kind != ".":
            for pattern in _BUILTINS.get(first, ()):
                match = pattern.match(self.text, self.at)
                if match and (self.kind in _TYPE_FOLLOWS or _FOLLOWS_BUILTIN.match(self.text, match.end())):
                    found.append(match[0])
        return max(found, key=len) if found else None

    def name(self) -> Token | None:
        """A name or keyword at the current place, None if none stands here."""
        written = self.known()
        word = WORD.match(self.text, self.at)
        if written is None and word is None:
            return None
        if word is not None and (written is None or len(written) <= len(word[0])) and self.kind != ".":
            keyword = self.keyword(word[0])
            if keyword is not None:
                return keyword
        start, end = self.at, self.joined_end(word.end()) if word is not None else self.at
        special = written is not None and any(symbol in written for symbol in "+-*/.'")
        if written is not None and (special or start + len(written) >= end):
            end = start + len(written)
        return self.make("NAME", normal_name(self.text[start:end]), end)

    def keyword(self, word: str) -> Token | None:
        if word == "instance":
            found = _INSTANCE_OF.match(self.text, self.at)
            return self.make("INSTANCE_OF", "instance of", found.end()) if found else None
        kind = KEYWORDS.get(word)
        if kind is None:
            return None
        here = self.open[-1]
        if kind in ("_FOR", "SOME", "EVERY"):
            here.loops += 1
        elif kind in ("_RETURN", "_SATISFIES") and here.loops:
            here.loops -= 1
        return self.make(kind, word, self.at + len(word))

    def joined_end(self, end: int) -> int:
        """Where the run of plain words ends."""
        text = self.text
        while True:
            blanks = _BLANKS.match(text, end)
            word = WORD.match(text, blanks.end()) if blanks else None
            if word is None or word[0] in _CONTINUES or _INSTANCE_OF.match(text, word.start()):
                return end
            end = word.end()

    def symbol(self) -> Token:
        found = _SYMBOL.match(self.text, self.at)
        if found is None:
            raise self.error(f"the character {self.text[self.at]!r} means nothing here")
        symbol, here = found[0], self.open[-1]
        if symbol == ">=" and self.angles > 0:
            return self.make(">", ">", self.at + 1)
        after_operand = self.kind in _ENDS_OPERAND
        if symbol == "?":
            return self.make("NAME", "?", found.end())
        if symbol == "..":
            here.range_seen = True
        if symbol == "]" and not after_operand and self.kind != "[":
            self.push("]")
            return self.make("RANGE_OPEN", symbol, found.end())
        if symbol == "[" and after_operand and here.range_seen and self.closes_range(found.end()):
            if len(self.open) > 1:
                self.open.pop()
            return self.make("RANGE_CLOSE", symbol, found.end())
        if symbol in _OPENS:
            self.push(symbol)
        elif symbol in ")]}" and len(self.open) > 1:
            self.open.pop()
        return self.make(symbol, symbol, found.end())

    def push(self, symbol: str) -> None:
        if len(self.open) > MAX_NESTING:
            raise self.error(f"more than {MAX_NESTING} brackets are open")
        self.open.append(_Bracket(symbol, parameters=symbol == "(" and self.kind == "FUNCTION"))

    def closes_range(self, after: int) -> bool:
        """Whether the "[" before `after` ends a range: nothing that could be a filter follows."""
        skipped = _SKIP.match(self.text, after)
        rest = skipped.end() if skipped else after
        word = WORD.match(self.text, rest)
        if word:
            return word[0] in _CONTINUES or word[0] == "instance"
        return _OPERAND_START.match(self.text, rest) is None


def position(text: str, offset: int) -> tuple[int, int]:
    """The 1-based line and column of an offset."""
    return text.count("\n", 0, offset) + 1, offset - (text.rfind("\n", 0, offset) + 1) + 1
