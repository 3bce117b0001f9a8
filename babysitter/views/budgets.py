"""What a run may spend, and has, for people."""

from __future__ import annotations

from babysitter.budget import shown
from babysitter.views.text import printable
from babysitter.views.values import table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def budget_lines(told: dict[str, Any]) -> list[str]:
    """A line for each amount, and what happens when one is reached."""
    if not (told["amounts"] or told["child"]):
        return [
            f"run {told['run']} has no budget; babysitter budget {told['run']} --set tokens=1M gives it one"
        ]
    if not told["amounts"]:
        return _notes(told)
    rows = [_row(amount, told["run"]) for amount in told["amounts"]]
    return [*table(("budget", "of", "spent", "left", ""), rows), *_notes(told)]


def _row(amount: dict[str, Any], run: str) -> tuple[str, ...]:
    of = f"task {amount['task']}" if amount["task"] else "the run"
    whose = of if amount["run"] == run else f"{of}, {amount['run']}"
    left = max(0, amount["limit"] - amount["spent"])
    return (
        _text(amount, "limit"),
        printable(whose),
        _text(amount, "spent"),
        f"{100 * left / amount['limit']:.0f} %",
        _open(amount),
    )


def _text(amount: dict[str, Any], name: str) -> str:
    return shown(amount["what"], amount[name], amount.get("currency", ""))


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
        lines.append(f"each child run may spend {_listed(told, 'child')}")
    if told["estimate"]:
        lines.append(f"a result that does not say what it took counts as {_listed(told, 'estimate')}")
    if told["asking"]:
        lines.append(f"a person is asked for more: babysitter approve {told['run']} {told['asking']}")
    elif told["isRefused"]:
        lines.append("a person was asked for more, and said no")
    else:
        reached = "a person is asked for more" if told["reached"] == "ask" else "the run halts"
        lines.append(f"when one is reached {reached}")
    return lines


def _listed(told: dict[str, Any], name: str) -> str:
    return ", ".join(shown(what, amount, told["currency"]) for what, amount in told[name].items())


def brief_lines(amounts: list[dict[str, Any]], run: str) -> list[str]:
    """The same in as few words as go into a status."""
    lines = []
    for amount in amounts:
        of = f" of task {amount['task']}" if amount["task"] else ""
        above = "" if amount["run"] == run else f" (of {amount['run']})"
        open_now = _open(amount)
        more = f", {open_now}" if open_now else ""
        lines.append(printable(f"{_spent(amount)} of {_text(amount, 'limit')}{of}{above}{more}"))
    return lines


def _spent(amount: dict[str, Any]) -> str:
    """Without the unit, which the limit has."""
    text = _text(amount, "spent")
    return text.removesuffix(" of time") if amount["what"] == "wall" else text.partition(" ")[0]
