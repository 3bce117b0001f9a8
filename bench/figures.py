"""Figures: what was measured beside its floor, against its target, as a table and as JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

SCALES = {"ms": 1e-3, "s": 1.0, "MB": 1e6, "kB": 1e3, "files": 1.0}


class Target:
    """At most so much: as a value (in the unit of the row), as a ratio to the floor, to the original."""

    def __init__(
        self, *, value: float | None = None, ratio: float | None = None, original: float | None = None
    ) -> None:
        self.value = value
        self.ratio = ratio
        self.original = original

    def text(self, unit: str) -> str:
        parts = []
        if self.ratio is not None:
            parts.append(f"≤ {self.ratio:g} x floor")
        if self.value is not None:
            parts.append(f"≤ {self.value:g} {unit}")
        if self.original is not None:
            parts.append(f"≤ {self.original:g} x original")
        return ", ".join(parts)


NONE = Target()


class Figure:
    """One row: values in seconds, bytes or pieces, with those of the floor and of the original beside them.

    The three lists are parallel: what stands at one place was measured right after one another.
    """

    def __init__(
        self,
        what: str,
        values: Sequence[float],
        *,
        unit: str,
        target: Target = NONE,
        floors: Sequence[float] = (),
        originals: Sequence[float] = (),
        note: str = "",
    ) -> None:
        self.what = what
        self.values = list(values)
        self.unit = unit
        self.target = target
        self.floors = list(floors)
        self.originals = list(originals)
        self.note = note

    @property
    def ratio(self) -> float | None:
        """To the floor: the median of the ratios, not the ratio of the medians."""
        return pairwise(self.values, self.floors)

    @property
    def original_ratio(self) -> float | None:
        """To the original."""
        return pairwise(self.values, self.originals)

    @property
    def verdict(self) -> str:
        """``ok`` or ``over``; empty without a target or without a measurement."""
        scale = SCALES[self.unit]
        pairs = [
            (median(self.values) / scale if self.values else None, self.target.value),
            (self.ratio, self.target.ratio),
            (self.original_ratio, self.target.original),
        ]
        known = [value <= most for value, most in pairs if value is not None and most is not None]
        return ("ok" if all(known) else "over") if known else ""

    def as_json(self) -> dict[str, Any]:
        """Everything, in seconds, bytes and pieces."""
        return {
            "what": self.what,
            "unit": self.unit,
            "values": self.values,
            "floors": self.floors,
            "originals": self.originals,
            "median": median(self.values) if self.values else None,
            "ratio": self.ratio,
            "originalRatio": self.original_ratio,
            "target": self.target.text(self.unit),
            "verdict": self.verdict,
            "note": self.note,
        }

    def cells(self) -> list[str]:
        """The row as people read it."""
        return [
            self.what,
            shown(self.values, self.unit),
            spread(self.values, self.unit),
            shown(self.floors, self.unit),
            times(self.ratio),
            shown(self.originals, self.unit),
            times(self.original_ratio),
            self.target.text(self.unit),
            self.verdict,
            self.note,
        ]


HEADER = ["what", "value", "min … max", "floor", "ratio", "original", "ratio", "target", "verdict", "note"]


def median(values: Sequence[float]) -> float:
    """The middle one; not from `statistics`, which would make this process larger than what it measures."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def pairwise(values: Sequence[float], others: Sequence[float]) -> float | None:
    """The median of the ratios; one other for many values counts for each of them."""
    if not values or not others:
        return None
    full = list(others) * len(values) if len(others) == 1 else others
    return median([value / other for value, other in zip(values, full, strict=False)])


def number(value: float, unit: str) -> str:
    """A number in its unit, with three digits that count."""
    scaled = value / SCALES[unit]
    return f"{scaled:.0f}" if abs(scaled) >= 100 or unit == "files" else f"{scaled:.3g}"


def shown(values: Sequence[float], unit: str) -> str:
    return f"{number(median(values), unit)} {unit}" if values else ""


def spread(values: Sequence[float], unit: str) -> str:
    return f"{number(min(values), unit)} … {number(max(values), unit)}" if len(values) > 1 else ""


def times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.3g} x"


def table(figures: Iterable[Figure]) -> str:
    """All rows as a Markdown table, which lines up in a terminal as well; empty columns are left out."""
    rows = [figure.cells() for figure in figures]
    used = [at for at in range(len(HEADER)) if any(row[at] for row in rows)]
    lines = [[HEADER[at] for at in used], *([row[at] for at in used] for row in rows)]
    widths = [max(len(line[at]) for line in lines) for at in range(len(used))]
    written = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |"
        for line in lines
    ]
    rule = "| " + " | ".join("-" * width for width in widths) + " |"
    return "\n".join([written[0], rule, *written[1:]])
