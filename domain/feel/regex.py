"""Regular expressions as XPath defines them (XPath functions 3.1 §5.6, XSD 1.1 part 2 appendix G), run by RE2.

RE2 matches in time linear in the text, so no pattern can hang an evaluation. What it lacks is translated where that
is exact (class subtraction, blocks such as \\p{IsGreek}, the escapes \\i and \\c); back-references are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

import re2

from domain.feel.charsets import CharSet, block, category, escape_set

MAX_PATTERN = 10_000
MAX_TRANSLATED = 500_000
_FLAGS = frozenset("smixq")
_MAX_MEMORY = 8 << 20


class RegexError(ValueError):
    """A pattern, flag or replacement that is not valid (or needs back-references); the text says why."""


def matches(text: str, pattern: str, flags: str = "") -> bool:
    """Whether any part of the text matches."""
    return compiled(pattern, flags).search(text) is not None


def split(text: str, pattern: str) -> list[str]:
    """The parts of the text between the matches."""
    expression = _consuming(pattern, "")
    parts, end = [], 0
    for match in expression.finditer(text):
        parts.append(text[end : match.start()])
        end = match.end()
    return [*parts, text[end:]]


def replace(text: str, pattern: str, replacement: str, flags: str, check_size: Callable[[int], None]) -> str:
    """The text with every match replaced; `check_size` is asked before more is built."""
    expression = _consuming(pattern, flags)
    pieces = [replacement] if "q" in flags else _replacement(replacement, expression.groups)
    parts: list[str] = []
    end = size = 0
    for match in expression.finditer(text):
        new = [piece if isinstance(piece, str) else match.group(piece) or "" for piece in pieces]
        parts += [text[end : match.start()], *new]
        size += match.start() - end + sum(map(len, new))
        check_size(size)
        end = match.end()
    return "".join([*parts, text[end:]])


def find_all(text: str, pattern: str) -> list[str]:
    """All matches, in order."""
    return [match.group(0) for match in compiled(pattern, "").finditer(text)]


def _consuming(pattern: str, flags: str) -> re2._Regexp:
    """A pattern that does not match the empty text (fn:replace and fn:tokenize refuse such)."""
    expression = compiled(pattern, flags)
    if expression.search("") is not None:
        raise RegexError(f"the pattern '{pattern[:40]}' matches the empty string")
    return expression


def _replacement(text: str, groups: int) -> list[str | int]:
    """The pieces of a replacement: literal text and group numbers."""
    pieces: list[str | int] = []
    index = 0
    while index < len(text):
        character = text[index]
        if character == "\\":
            if text[index + 1 : index + 2] not in ("\\", "$") or index + 1 == len(text):
                raise RegexError("in a replacement '\\' must be followed by '\\' or '$'")
            pieces.append(text[index + 1])
            index += 2
        elif character == "$":
            found = re.match(r"[0-9]+", text[index + 1 :])
            if found is None:
                raise RegexError("in a replacement '$' must be followed by a digit, or be written '\\$'")
            digits = found[0]
            while len(digits) > 1 and int(digits) > groups:
                digits = digits[:-1]
            pieces.append(int(digits) if int(digits) <= groups else "")
            index += 1 + len(digits)
        else:
            pieces.append(character)
            index += 1
    return pieces


@lru_cache(maxsize=1024)
def compiled(pattern: str, flags: str) -> re2._Regexp:
    """The RE2 expression of an XPath pattern; raises RegexError."""
    unknown = set(flags) - _FLAGS
    if unknown:
        raise RegexError(f"the flag '{sorted(unknown)[0]}' is not one of s, m, i, x, q")
    if len(pattern) > MAX_PATTERN:
        raise RegexError(f"the pattern has {len(pattern)} characters; the limit is {MAX_PATTERN}")
    if "q" in flags:
        body = re2.escape(pattern)
    else:
        body = _Translator(_stripped(pattern) if "x" in flags else pattern, "s" in flags).translate()
    modes = "".join(flag for flag in "sim" if flag in flags)
    options = re2.Options()
    options.max_mem = _MAX_MEMORY
    options.log_errors = False
    try:
        return re2.compile(f"(?{modes}){body}" if modes else body, options)
    except re2.error as error:
        reason = error.args[0].decode() if error.args and isinstance(error.args[0], bytes) else str(error)
        raise RegexError(f"the pattern '{pattern[:40]}' is not valid: {reason}") from None


def _stripped(pattern: str) -> str:
    """The pattern without white space outside of character classes (flag x)."""
    kept, depth, index = [], 0, 0
    while index < len(pattern):
        character = pattern[index]
        if character == "\\" and depth and index + 1 < len(pattern):
            kept.append(pattern[index : index + 2])
            index += 2
            continue
        if depth or character not in " \t\n\r":
            kept.append(character)
        depth += (character == "[") - (character == "]" and depth > 0)
        index += 1
    return "".join(kept)


class _Translator:
    """Walks an XPath pattern once and writes RE2's."""

    def __init__(self, pattern: str, dot_all: bool) -> None:
        self.pattern = pattern
        self.at = self.size = 0
        self.dot = "(?s:.)" if dot_all else "[^\\n\\r]"

    def translate(self) -> str:
        """The whole pattern."""
        out = []
        while self.at < len(self.pattern):
            character = self.take()
            if character == "\\":
                out.append(self.escape())
            elif character == "[":
                out.append(self.char_class().pattern())
            elif character == ".":
                out.append(self.dot)
            elif character == "(":
                out.append(self.group())
            elif character in "]":
                raise RegexError("a ']' has no '['; write '\\]'")
            else:
                out.append(character)
            self.size += len(out[-1])
            if self.size > MAX_TRANSLATED:
                raise RegexError("the pattern is too large")
        return "".join(out)

    def take(self) -> str:
        if self.at >= len(self.pattern):
            raise RegexError("the pattern ends too early")
        self.at += 1
        return self.pattern[self.at - 1]

    def peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def group(self) -> str:
        if self.peek() != "?":
            return "("
        if self.pattern.startswith("?:", self.at):
            self.at += 2
            return "(?:"
        raise RegexError("after '(?' only ':' is allowed")

    def escape(self) -> str:
        """What stands behind a backslash, outside of classes."""
        character = self.take()
        if character.isdigit():
            raise RegexError("back-references are not supported")
        if character in "wW":  # the same as set_of(), but short
            return f"[{'^' if character == 'w' else ''}\\p{{P}}\\p{{Z}}\\p{{C}}]"
        found = self.set_of(character)
        if found is None:
            return _single(character)
        return f"(?-i:{found.pattern()})" if found.category else found.pattern()  # \p{Lu} stays so under the flag i

    def set_of(self, character: str) -> CharSet | None:
        """The set that a multi-character escape stands for, None for single characters."""
        if character in "pP":
            name = self.braced()
            found = block(name[2:]) if name.startswith("Is") else category(name)
            if found is None:
                raise RegexError(f"there is no character property '{name}'")
            return found if character == "p" else found.complement()
        return escape_set(character)

    def braced(self) -> str:
        end = self.pattern.find("}", self.at)
        if self.peek() != "{" or end < 0:
            raise RegexError("after \\p stands a property in braces, as in \\p{L}")
        name = self.pattern[self.at + 1 : end]
        self.at = end + 1
        return name

    def char_class(self) -> CharSet:
        """A class, behind its opening bracket, with its subtractions."""
        negated = self.peek() == "^"
        self.at += negated
        found, empty = CharSet(()), True
        while True:
            character = self.take()
            if character == "]":
                if empty:
                    raise RegexError("a character class is empty")
                return found.complement() if negated else found
            if character == "-" and self.peek() == "[" and not empty:
                self.at += 1
                subtracted = self.char_class()
                if self.take() != "]":
                    raise RegexError("after a subtracted class stands ']'")
                return (found.complement() if negated else found).minus(subtracted)
            found = found.union(self.member(character))
            empty = False

    def member(self, character: str) -> CharSet:
        """One member of a class: a character, a range or an escape."""
        if character == "[":
            raise RegexError("inside a character class write '\\['")
        if character == "\\":
            character = self.take()
            if character.isdigit():
                raise RegexError("back-references are not supported")
            found = self.set_of(character)
            if found is not None:
                return found
            character = _unescaped(character)
        following = self.pattern[self.at + 1 : self.at + 2]
        if self.peek() != "-" or following in ("]", "[", ""):
            return CharSet(((ord(character), ord(character)),))
        self.at += 1
        end = self.take()
        if end == "\\":
            end = _unescaped(self.take())
        if ord(end) < ord(character):
            raise RegexError(f"the range {character}-{end} is empty")
        return CharSet(((ord(character), ord(end)),))


_CONTROL = {"n": "\n", "r": "\r", "t": "\t"}


def _unescaped(character: str) -> str:
    if character in _CONTROL:
        return _CONTROL[character]
    if character in "\\|.-^?*+{}()[]$":
        return character
    raise RegexError(f"the escape '\\{character}' is not known")


def _single(character: str) -> str:
    plain = _unescaped(character)
    return f"\\{character}" if character in _CONTROL else f"\\{plain}"
