"""A decision table's rules as boxes: every column is cut into the stretches that its cells tell apart.

A cell is then a bit mask of stretches, a rule a tuple of masks; overlap is `&`, and what rules leave out is found by
cutting boxes. Numbers and strings are dense, dates and months are not: between two consecutive days lies nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

from domain.dmn import cells as c

Box: TypeAlias = tuple[int, ...]
"""Per column a mask of stretches."""

_DISCRETE = frozenset({"date", "years and months duration", "boolean"})


@dataclass(frozen=True, slots=True)
class Stretch:
    """A piece of a column's line: a point (`low` = `high`), or what lies between two bounds; "" is infinity."""

    kind: str
    point: bool
    low: str
    high: str


@dataclass(frozen=True, slots=True)
class Axis:
    """A column: its stretches, the masks of its cells (None where not understood) and the mask of all."""

    label: str
    stretches: tuple[Stretch, ...]
    masks: tuple[int | None, ...]
    universe: int

    def describe(self, mask: int) -> str:
        """A condition in words for a part of the column; "" where it is all of it."""
        if mask == self.universe:
            return ""
        runs = self._runs(mask)
        if all(self.stretches[first].point and first == last for first, last in runs):
            return f"{self.label} is {' or '.join(self.stretches[first].low for first, _ in runs)}"
        texts = [self._words(first, last) for first, last in runs]
        if any(stretch.kind == "string" and not stretch.point and not stretch.low for stretch in self._chosen(mask)):
            others = [each.low for index, each in enumerate(self.stretches) if each.point and not mask >> index & 1]
            return f"{self.label} is none of {', '.join(others)}" if others else f"{self.label} is another text"
        return f"{self.label} {' or '.join(texts)}"

    def _chosen(self, mask: int) -> list[Stretch]:
        return [each for index, each in enumerate(self.stretches) if mask >> index & 1]

    def _runs(self, mask: int) -> list[tuple[int, int]]:
        runs: list[tuple[int, int]] = []
        for index in range(len(self.stretches)):
            if not mask >> index & 1:
                continue
            before, here = self.stretches[index - 1], self.stretches[index]
            joins = here.kind == before.kind and not (here.point and before.point)
            if runs and runs[-1][1] == index - 1 and joins:
                runs[-1] = (runs[-1][0], index)
            else:
                runs.append((index, index))
        return runs

    def _words(self, first: int, last: int) -> str:
        low, high = self.stretches[first], self.stretches[last]
        if low.point and first == last:
            return f"is {low.low}"
        if not low.low and not high.high:
            return f"is a {low.kind}"
        if not low.low:
            return f"{'<=' if high.point else '<'} {high.high}"
        if not high.high:
            return f"{'>=' if low.point else '>'} {low.low}"
        return f"in {'[' if low.point else '('}{low.low}..{high.high}{']' if high.point else ')'}"


def axis(label: str, cells: Sequence[c.Cell | None], allowed: c.Cell | None, kind: str = "") -> Axis:
    """Cut a column; `allowed` limits its universe, `kind` is that of its values where all cells are irrelevant."""
    understood = [cell for cell in cells if cell is not None and not cell.is_any]
    limit = allowed if allowed is not None and not allowed.is_any else None
    kinds = sorted({cell.kind for cell in understood} | ({limit.kind} if limit is not None else set()))
    stretches: list[Stretch] = []
    masks = [0 if cell is not None else None for cell in cells]
    universe = 0
    for each in kinds or [kind]:
        members = [cell if cell is not None and cell.kind == each else None for cell in cells]
        found, cut, within = _cut(each, members, limit)
        shift = len(stretches)
        stretches.extend(found)
        universe |= within << shift
        for row, mask in enumerate(cut):
            present = masks[row]
            if present is not None:
                masks[row] = present | (mask & within) << shift
    final = tuple(
        universe if cell is not None and cell.is_any else mask for cell, mask in zip(cells, masks, strict=True)
    )
    return Axis(label, tuple(stretches), final, universe)


def _cut(kind: str, members: Sequence[c.Cell | None], limit: c.Cell | None) -> tuple[list[Stretch], list[int], int]:
    """Stretches of one kind, the mask of each member, the mask of what is allowed."""
    limited = limit if limit is not None and limit.kind == kind else None
    present = [cell for cell in (*members, limited) if cell is not None]
    texts: dict[c.Key, str] = {False: "false", True: "true"} if kind == "boolean" else {}
    for cell in present:
        for span in cell.spans:
            for key, text in ((span.low, span.text[0]), (span.high, span.text[1])):
                if key is not None:
                    texts.setdefault(key, text)
    bounds = sorted(texts)
    stretches = [Stretch(kind, False, "", texts[bounds[0]] if bounds else "")]
    for index, bound in enumerate(bounds):
        after = texts[bounds[index + 1]] if index + 1 < len(bounds) else ""
        stretches.append(Stretch(kind, True, texts[bound], texts[bound]))
        stretches.append(Stretch(kind, False, texts[bound], after))
    whole = (1 << len(stretches)) - 1
    if limit is not None:
        whole = _mask(limited.spans, bounds) if limited is not None else 0
    whole &= ~_nothing(kind, bounds)
    cut = [_mask(cell.spans, bounds) if cell is not None else 0 for cell in members]
    return _collapsed(kind, stretches, cut, whole)


def _mask(spans: Sequence[c.Span], bounds: Sequence[c.Key]) -> int:
    position = {bound: 2 * index + 1 for index, bound in enumerate(bounds)}
    mask = 0
    for span in spans:
        first = 0 if span.low is None else position[span.low] + (not span.low_included)
        last = 2 * len(bounds) if span.high is None else position[span.high] - (not span.high_included)
        if last >= first:
            mask |= ((1 << (last - first + 1)) - 1) << first
    return mask


def _nothing(kind: str, bounds: Sequence[c.Key]) -> int:
    """The stretches that hold no value: between consecutive days or months, and around the booleans."""
    if kind not in _DISCRETE:
        return 0
    mask = 0
    if kind == "boolean":
        mask |= 1 | 1 << 2 * len(bounds)
    for index in range(len(bounds) - 1):
        if bounds[index + 1] - bounds[index] == 1:
            mask |= 1 << 2 * index + 2
    return mask


def _collapsed(kind: str, stretches: list[Stretch], cut: list[int], whole: int) -> tuple[list[Stretch], list[int], int]:
    """Strings that are only compared for equality: all stretches between them are one, 'any other text'."""
    gaps = sum(1 << index for index in range(0, len(stretches), 2))
    if kind != "string" or any(mask & gaps not in (0, gaps) for mask in (*cut, whole)):
        return stretches, cut, whole
    kept = [stretch for stretch in stretches if stretch.point]

    def squeeze(mask: int) -> int:
        points = sum((mask >> 2 * index + 1 & 1) << index for index in range(len(kept)))
        return points | (1 << len(kept) if mask & gaps else 0)

    return [*kept, Stretch(kind, False, "", "")], [squeeze(mask) for mask in cut], squeeze(whole)


def meet(left: Box, right: Box) -> Box | None:
    """The box that two boxes share, None where they share nothing."""
    shared = tuple(a & b for a, b in zip(left, right, strict=True))
    return shared if all(shared) else None


def covers(outer: Box, inner: Box) -> bool:
    """Whether a box holds all of another."""
    return all(b & ~a == 0 for a, b in zip(outer, inner, strict=True))


def subtract(boxes: Sequence[Box], cutter: Box) -> list[Box]:
    """What is left of boxes when one is cut out of them."""
    left: list[Box] = []
    for box in boxes:
        if meet(box, cutter) is None:
            left.append(box)
            continue
        rest = list(box)
        for column, mask in enumerate(cutter):
            outside = rest[column] & ~mask
            if outside:
                left.append((*rest[:column], outside, *rest[column + 1 :]))
            rest[column] &= mask
    return left
