"""What runs have cost, for people: tables of sums, and one line where a run is shown."""

from __future__ import annotations

import sys

from babysitter.usage import CACHE_READ, CACHE_WRITE, INPUT, OUTPUT
from babysitter.views.tables import lines_of_table
from babysitter.views.text import can_show_unicode

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

UNKNOWN = "?"
TOTAL = "total"
LEAST, ALMOST_ONE = 0.0001, 0.99995
COUNTED = {INPUT: "input", OUTPUT: "output", CACHE_READ: "cache read", CACHE_WRITE: "cache write"}
# By what there are sums: their list, and the head of its first column.
SUMS = {
    "task": ("tasks", "task"),
    "branch": ("branches", "branch"),
    "day": ("days", "day (UTC)"),
    "child": ("children", "run"),
    "process": ("processes", "process"),
}


def cost_lines(told: dict[str, Any], shown: Iterable[str]) -> list[str]:
    """Tables of what was asked for, each with the total, and what is not in them."""
    if not told["total"]["effects"]:
        return ["nothing that an agent performs has come to its end here", *_notes(told)]
    lines: list[str] = []
    for by in shown:
        lines += [*_table(told, by), ""]
    return [*lines, *_notes(told)] if _notes(told) else lines[:-1]


def _table(told: dict[str, Any], by: str) -> list[str]:
    name, head = SUMS[by]
    heads = [head, "effects", "unknown", *COUNTED.values(), "money"]
    rows = [_row(_name_of(each, by), each) for each in told[name]]
    return lines_of_table(heads, [*rows, _row(TOTAL, told["total"])], right=set(range(1, len(heads))))


def _row(name: str, told: dict[str, Any]) -> list[str]:
    counts = [f"{told[kind]:,}" if kind in told else UNKNOWN for kind in COUNTED]
    return [name, str(told["effects"]), str(told["unknown"]), *counts, money_text(told) or UNKNOWN]


def _name_of(told: dict[str, Any], by: str) -> str:
    if by == "branch":
        return _branch_name(told)
    if by == "child":
        return f"{told['run']} (child of {told['parent']})" if "parent" in told else str(told["run"])
    return str(told[by])


def _branch_name(told: dict[str, Any]) -> str:
    if not told["path"]:
        return "(in no branch)"
    name = f"{told['path']}.{told['branch']}"
    return f"{name} {told['label']}" if "label" in told else name


def money_text(told: dict[str, Any], about: str | None = None) -> str:
    """``4.31 USD``; with a mark where some of it is estimated; empty when nothing is known."""
    mark = (about or _about()) if told.get("isEstimated") else ""
    return " + ".join(
        f"{mark}{_amount(amount)} {currency}" for currency, amount in told.get("money", {}).items()
    )


def _about() -> str:
    return "≈" if can_show_unicode(sys.stdout) else "~"


def _amount(amount: float) -> str:
    if amount >= ALMOST_ONE or not amount:
        return f"{amount:,.2f}"
    # Below a unit the cents would say too little.
    return f"{amount:.4f}" if amount >= LEAST else f"<{LEAST}"


def tokens_text(count: int) -> str:
    """``980``, ``12.3k``, ``1.2M``."""
    amount, unit = float(count), ""
    for unit in ("", "k", "M", "G"):
        if amount < 999.95 or unit == "G":
            break
        amount /= 1000
    return f"{amount:.1f}{unit}" if unit else str(count)


def usage_text(told: dict[str, Any], about: str | None = None) -> str:
    """``1.2M tokens, 4.31 USD, unknown for 2 effects``."""
    parts = [f"{tokens_text(told['tokens'])} tokens"] if "tokens" in told else []
    parts += [text] if (text := money_text(told, about)) else []
    if "money" in told and "unpriced" in told:
        parts.append(f"no price for {_effects(told['unpriced'])}")
    if told["unknown"]:
        parts.append(f"unknown for {_effects(told['unknown'])}")
    if "partial" in told:
        parts.append(f"incomplete for {_effects(told['partial'])}")
    if "missing" in told:
        parts.append(f"without {told['missing']} child run{'s' if told['missing'] != 1 else ''}")
    return ", ".join(parts)


def _effects(count: int) -> str:
    return f"{count} effect{'s' if count != 1 else ''}"


def _notes(told: dict[str, Any]) -> list[str]:
    """What the numbers do not say."""
    total = told["total"]
    notes = []
    if total["unknown"]:
        notes.append(f"unknown: of {_effects(total['unknown'])} nobody has said what was used")
    if "partial" in total:
        notes.append(f"incomplete: of {_effects(total['partial'])} only a part is known")
    if "unpriced" in total:
        notes.append(f"no money: {_effects(total['unpriced'])} without a price in your config.yaml")
    if "isEstimated" in total:
        notes.append(f"{_about()} by the prices in your config.yaml now, where none was recorded")
    notes += [f"not counted: the child run {run} is not there any more" for run in told.get("missing", ())]
    notes += [f"not counted: {each['run']}: {each['error']}" for each in told.get("unreadable", ())]
    if "continuedAs" in told:
        notes.append(f"goes on as {told['continuedAs']}, which is not counted here")
    return notes
