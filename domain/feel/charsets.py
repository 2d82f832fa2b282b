"""Sets of characters for regular expressions: properties, blocks and escapes of XSD as ranges of code points."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

MAX_CODE = 0x10FFFF
Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class CharSet:
    """Ranges of code points, or a general `category` by name, whose ranges are worked out only when needed."""

    own: tuple[Span, ...]
    category: str = ""
    negated: bool = False  # of a category

    @property
    def spans(self) -> tuple[Span, ...]:
        """The ranges, ascending."""
        if not self.category:
            return self.own
        found = CharSet(_spans_of(self.category))
        return found.complement().own if self.negated else found.own

    def union(self, other: CharSet) -> CharSet:
        """All characters of both."""
        merged: list[Span] = []
        for low, high in sorted((*self.spans, *other.spans)):
            if merged and low <= merged[-1][1] + 1:
                merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
            else:
                merged.append((low, high))
        return CharSet(tuple(merged))

    def complement(self) -> CharSet:
        """All other characters."""
        if self.category:
            return CharSet((), self.category, not self.negated)
        spans, start = [], 0
        for low, high in self.union(CharSet(())).spans:
            if low > start:
                spans.append((start, low - 1))
            start = high + 1
        if start <= MAX_CODE:
            spans.append((start, MAX_CODE))
        return CharSet(tuple(spans))

    def minus(self, other: CharSet) -> CharSet:
        """The characters that are not in the other set."""
        return self.complement().union(other).complement()

    def pattern(self) -> str:
        """The set as RE2 writes it."""
        if self.category:
            return f"\\{'P' if self.negated else 'p'}{{{self.category}}}"
        if not self.spans:
            return r"[^\x{0}-\x{10FFFF}]"
        if self.spans[0][0] == 0 and len(self.spans) > 1:  # shorter, and right under the flag i, as its complement
            return "[^" + _spelled(self.complement().spans) + "]"
        return "[" + _spelled(self.spans) + "]"


def _spelled(spans: tuple[Span, ...]) -> str:
    return "".join(f"\\x{{{low:x}}}-\\x{{{high:x}}}" if low < high else f"\\x{{{low:x}}}" for low, high in spans)


@lru_cache(maxsize=64)
def category(name: str) -> CharSet | None:
    """A general category such as L or Nd, None if there is none of that name."""
    if name not in _CATEGORIES:
        return None
    if name != "Cn":  # RE2 has all others
        return CharSet((), name)
    return CharSet(_spans_of(name))


@lru_cache(maxsize=64)
def _spans_of(name: str) -> tuple[Span, ...]:
    """The ranges of a category; L is the union of Lu, Ll and its other kinds."""
    found = CharSet(())
    for kind, spans in _all_spans().items():
        if kind.startswith(name):
            found = found.union(CharSet(spans))
    return found.own


@lru_cache(maxsize=1)
def _all_spans() -> dict[str, tuple[Span, ...]]:
    """The ranges of every two-letter category, by one walk through Unicode."""
    spans: dict[str, list[Span]] = {}
    start = 0
    for kind, run in groupby(map(unicodedata.category, map(chr, range(MAX_CODE + 1)))):
        end = start + sum(1 for _ in run)
        spans.setdefault(kind, []).append((start, end - 1))
        start = end
    return {kind: tuple(found) for kind, found in spans.items()}


_CATEGORIES = frozenset((
    "L", "Lu", "Ll", "Lt", "Lm", "Lo", "M", "Mn", "Mc", "Me", "N", "Nd", "Nl", "No", "P", "Pc", "Pd", "Ps", "Pe", "Pi",
    "Pf", "Po", "Z", "Zs", "Zl", "Zp", "S", "Sm", "Sc", "Sk", "So", "C", "Cc", "Cf", "Co", "Cn",
))  # fmt: skip
_NAME_START = ((0x3A, 0x3A), (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A), (0xC0, 0xD6), (0xD8, 0xF6), (0xF8, 0x2FF),
               (0x370, 0x37D), (0x37F, 0x1FFF), (0x200C, 0x200D), (0x2070, 0x218F), (0x2C00, 0x2FEF), (0x3001, 0xD7FF),
               (0xF900, 0xFDCF), (0xFDF0, 0xFFFD), (0x10000, 0xEFFFF))  # fmt: skip
_NAME_MORE = ((0x2D, 0x2E), (0x30, 0x39), (0xB7, 0xB7), (0x300, 0x36F), (0x203F, 0x2040))
_SPACES = CharSet(((0x9, 0xA), (0xD, 0xD), (0x20, 0x20)))


@lru_cache(maxsize=16)
def escape_set(character: str) -> CharSet | None:
    """What \\s, \\d, \\w, \\i, \\c and their capitals stand for; None for other characters."""
    lower = character.lower()
    if lower not in "sdwic":
        return None
    found = _small_escape(lower)
    return found if character == lower else found.complement()


def _small_escape(character: str) -> CharSet:
    if character == "s":
        return _SPACES
    if character == "d":
        return _known("Nd")
    if character == "w":
        return _word_characters()
    start = CharSet(_NAME_START)
    return start if character == "i" else start.union(CharSet(_NAME_MORE))


@lru_cache(maxsize=1)
def _word_characters() -> CharSet:
    return _known("P").union(_known("Z")).union(_known("C")).complement()


def _known(name: str) -> CharSet:
    found = category(name)
    assert found is not None
    return found


def block(name: str) -> CharSet | None:
    """A Unicode block by its XSD name (without "Is"), None where it is not known."""
    span = _BLOCKS.get(name)
    return CharSet((span,)) if span is not None else None


def _blocks(table: str) -> dict[str, Span]:
    blocks = {}
    for entry in table.split():
        name, _, span = entry.partition("=")
        low, _, high = span.partition("-")
        blocks[name] = (int(low, 16), int(high, 16))
    return blocks


_BLOCKS = _blocks("""
BasicLatin=0-7F Latin-1Supplement=80-FF LatinExtended-A=100-17F LatinExtended-B=180-24F IPAExtensions=250-2AF
SpacingModifierLetters=2B0-2FF CombiningDiacriticalMarks=300-36F Greek=370-3FF GreekandCoptic=370-3FF Cyrillic=400-4FF
CyrillicSupplement=500-52F Armenian=530-58F Hebrew=590-5FF Arabic=600-6FF Syriac=700-74F ArabicSupplement=750-77F
Thaana=780-7BF NKo=7C0-7FF Devanagari=900-97F Bengali=980-9FF Gurmukhi=A00-A7F Gujarati=A80-AFF Oriya=B00-B7F
Tamil=B80-BFF Telugu=C00-C7F Kannada=C80-CFF Malayalam=D00-D7F Sinhala=D80-DFF Thai=E00-E7F Lao=E80-EFF
Tibetan=F00-FFF Myanmar=1000-109F Georgian=10A0-10FF HangulJamo=1100-11FF Ethiopic=1200-137F Cherokee=13A0-13FF
UnifiedCanadianAboriginalSyllabics=1400-167F Ogham=1680-169F Runic=16A0-16FF Tagalog=1700-171F Khmer=1780-17FF
Mongolian=1800-18AF LatinExtendedAdditional=1E00-1EFF GreekExtended=1F00-1FFF GeneralPunctuation=2000-206F
SuperscriptsandSubscripts=2070-209F CurrencySymbols=20A0-20CF CombiningMarksforSymbols=20D0-20FF
CombiningDiacriticalMarksforSymbols=20D0-20FF LetterlikeSymbols=2100-214F NumberForms=2150-218F Arrows=2190-21FF
MathematicalOperators=2200-22FF MiscellaneousTechnical=2300-23FF ControlPictures=2400-243F
OpticalCharacterRecognition=2440-245F EnclosedAlphanumerics=2460-24FF BoxDrawing=2500-257F BlockElements=2580-259F
GeometricShapes=25A0-25FF MiscellaneousSymbols=2600-26FF Dingbats=2700-27BF BraillePatterns=2800-28FF
CJKRadicalsSupplement=2E80-2EFF KangxiRadicals=2F00-2FDF IdeographicDescriptionCharacters=2FF0-2FFF
CJKSymbolsandPunctuation=3000-303F Hiragana=3040-309F Katakana=30A0-30FF Bopomofo=3100-312F
HangulCompatibilityJamo=3130-318F Kanbun=3190-319F BopomofoExtended=31A0-31BF
EnclosedCJKLettersandMonths=3200-32FF CJKCompatibility=3300-33FF CJKUnifiedIdeographsExtensionA=3400-4DBF
CJKUnifiedIdeographs=4E00-9FFF YiSyllables=A000-A48F YiRadicals=A490-A4CF HangulSyllables=AC00-D7AF
PrivateUse=E000-F8FF PrivateUseArea=E000-F8FF CJKCompatibilityIdeographs=F900-FAFF
AlphabeticPresentationForms=FB00-FB4F ArabicPresentationForms-A=FB50-FDFF CombiningHalfMarks=FE20-FE2F
CJKCompatibilityForms=FE30-FE4F SmallFormVariants=FE50-FE6F ArabicPresentationForms-B=FE70-FEFF
HalfwidthandFullwidthForms=FF00-FFEF Specials=FFF0-FFFF OldItalic=10300-1032F Gothic=10330-1034F
Deseret=10400-1044F ByzantineMusicalSymbols=1D000-1D0FF MusicalSymbols=1D100-1D1FF
MathematicalAlphanumericSymbols=1D400-1D7FF CJKUnifiedIdeographsExtensionB=20000-2A6DF
CJKCompatibilityIdeographsSupplement=2F800-2FA1F Tags=E0000-E007F
""")
