"""A table of what becomes of each step of a run."""

from __future__ import annotations

from babysitter.views.tables import lines_of_table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def plan_table(steps: Sequence[dict[str, Any]]) -> list[str]:
    """One line for each step; of one that has moved also where it stood before."""
    if not steps:
        return []
    rows = [[told["plan"], _place(told), told["kind"], told["title"], told.get("note", "")] for told in steps]
    return lines_of_table(["plan", "step", "kind", "title", "note"], rows)


def _place(told: dict[str, Any]) -> str:
    step, before = told.get("stepId", ""), told.get("before", "")
    if step and before:
        return f"{before} > {step}"
    return str(step or f"({before})")


def diff_table(steps: Sequence[dict[str, Any]]) -> list[str]:
    """One line for each step of two runs."""
    if not steps:
        return []
    rows = [[told["what"], told["stepId"], _title(told)] for told in steps]
    return lines_of_table(["difference", "step", "title"], rows)


def _title(told: dict[str, Any]) -> str:
    titles = [told[name]["title"] for name in ("first", "second") if name in told]
    return " > ".join(dict.fromkeys(titles))
