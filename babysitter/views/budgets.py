"""What a run may spend, and has, for people."""

from __future__ import annotations

from babysitter.budget import shown
from babysitter.views.text import printable
from babysitter.views.values import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


UNITS = {"wall": "time", "money": "money"}


def budget_lines(told: dict[str, Any]) -> list[str]:
    """A line for each amount, and what happens when one is reached."""
    if not told["amounts"]:
        return [
            f"run {told['run']} has no budget; babysitter budget {told['run']} --set tokens=1M gives it one"
        ]
    rows = [_row(amount, told["run"]) for amount in told["amounts"]]
    return [*table(("budget", "of", "spent", "left", ""), rows), *_notes(told)]


def _row(amount: dict[str, Any], run: str) -> tuple[str, ...]:
    of = f"task {amount['task']}" if amount["task"] else "the run"
    whose = of if amount["run"] == run else f"{of}, {amount['run']}"
    left = max(0, amount["limit"] - amount["spent"])
    return (
        shown(amount["what"], amount["limit"]),
        printable(whose),
        shown(amount["what"], amount["spent"]),
        f"{100 * left / amount['limit']:.0f} %",
        _open(amount),
    )


def _open(amount: dict[str, Any]) -> str:
    parts = []
    if amount.get("running"):
        parts.append(f"{amount['running']} at work")
    if amount.get("unknown"):
        parts.append(f"unknown for {amount['unknown']}")
    return ", ".join(parts)


def _notes(told: dict[str, Any]) -> list[str]:
    lines = []
    if told["child"]:
        each = ", ".join(shown(what, amount) for what, amount in told["child"].items())
        lines.append(f"each child run may spend {each}")
    if told["estimate"]:
        each = ", ".join(shown(what, amount) for what, amount in told["estimate"].items())
        lines.append(f"a result that does not say what it took counts as {each}")
    if told["asking"]:
        lines.append(f"a person is asked for more: babysitter approve {told['run']} {told['asking']}")
    elif told["isRefused"]:
        lines.append("a person was asked for more, and said no")
    else:
        reached = "a person is asked for more" if told["reached"] == "ask" else "the run halts"
        lines.append(f"when one is reached {reached}")
    return lines


def brief_lines(amounts: list[dict[str, Any]], run: str) -> list[str]:
    """The same in as few words as go into a status."""
    lines = []
    for amount in amounts:
        of = f" of task {amount['task']}" if amount["task"] else ""
        above = "" if amount["run"] == run else f" (of {amount['run']})"
        spent = shown(amount["what"], amount["spent"]).removesuffix(f" of {UNITS.get(amount['what'])}")
        spent = spent.removesuffix(f" {amount['what']}")
        open_now = _open(amount)
        more = f", {open_now}" if open_now else ""
        lines.append(printable(f"{spent} of {shown(amount['what'], amount['limit'])}{of}{above}{more}"))
    return lines
