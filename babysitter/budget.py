"""Budgets: how much a run may spend, as it stands in its first event.

``{"run": {"tokens": 1000000}, "child": {…}, "tasks": {"review": {…}}, "reached": "halt", "estimate": {…}}``:
``run`` is for all of it with everything below, ``child`` for each of its child runs, ``tasks`` for the
effects of one task. Lengths of time are seconds; ``currency`` is what money is in, if not the default.
"""

from __future__ import annotations

from babysitter.durations import brief, seconds
from babysitter.usage import DEFAULT_CURRENCY, currency_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

TOKENS, MONEY, WALL, EFFECTS, ITERATIONS = "tokens", "money", "wall", "effects", "iterations"
DIMENSIONS = (TOKENS, MONEY, WALL, EFFECTS, ITERATIONS)
# What is known of an effect only when it has ended, if then.
USED = (TOKENS, MONEY)
OF_TASKS = (TOKENS, MONEY, EFFECTS)
RUN, CHILD, TASK = "run", "child", "task"
ASK, HALT = "ask", "halt"
# Who gives up what a budget does not allow for.
BY_BUDGET = "budget"
_SHORT = {"k": 1_000, "M": 1_000_000, "G": 1_000_000_000}
MOST = 1 << 53


def amount_of(what: str, told: Any) -> float:
    """An amount of a dimension: a number, or a text such as ``500k``, ``2h``, ``4.50``.

    Raises:
        ValueError: it is none, or less than nothing.
    """
    amount = seconds(told) if what == WALL else _number(what, told)
    if not 0 < amount <= MOST:
        raise ValueError(f"{told!r} is not an amount of {what}: more than 0, at most {MOST}")
    return amount if what in (MONEY, WALL) else int(amount)


def _number(what: str, told: Any) -> float:
    number = _read(told)
    if number is None or not (what == MONEY or number.is_integer()):
        written = "a number such as 4.50" if what == MONEY else "a whole number such as 200, 500k or 2M"
        raise ValueError(f"{told!r} is not an amount of {what}; write {written}")
    return number


def _read(told: Any) -> float | None:
    """A number, also one that is written short; None: it is none."""
    factor, text = 1, told
    if isinstance(told, str):
        text = told.strip().replace("_", "")
        factor = _SHORT.get(text[-1:], 1)
        text = text[:-1] if factor > 1 else text
    try:
        number = float("nan") if isinstance(text, bool) else float(text) * factor
    except (TypeError, ValueError):
        return None
    return number if abs(number) <= MOST else None


def amounts_of(told: Mapping[str, Any], allowed: tuple[str, ...] = DIMENSIONS) -> dict[str, float]:
    """Amounts by dimension.

    Raises:
        ValueError: there is no such dimension here, or an amount is none.
    """
    for what in told:
        if what not in allowed:
            raise ValueError(f"there is no budget of {what!r} here; it is of {', '.join(allowed)}")
    return {what: amount_of(what, amount) for what, amount in told.items()}


def checked(told: Mapping[str, Any]) -> dict[str, Any]:
    """A budget with all its amounts read, without what says nothing.

    Raises:
        ValueError: something of it is not what it can be.
    """
    known = {RUN, CHILD, "tasks", "reached", "estimate"}
    unknown = set(told) - known
    if unknown:
        raise ValueError(f"a budget has no {min(unknown)!r}; it has {', '.join(sorted(known))}")
    if told.get("reached") not in (None, ASK, HALT):
        raise ValueError(f"when a budget is reached it is {ASK!r} or {HALT!r}, and not {told['reached']!r}")
    kept: dict[str, Any] = {name: amounts_of(told[name]) for name in (RUN, CHILD) if told.get(name)}
    if told.get("tasks"):
        kept["tasks"] = {task: amounts_of(each, OF_TASKS) for task, each in told["tasks"].items()}
    if told.get("estimate"):
        kept["estimate"] = amounts_of(told["estimate"], USED)
    return {**kept, "reached": told["reached"]} if told.get("reached") else kept


def recorded(told: Mapping[str, Any]) -> dict[str, Any]:
    """The same of one in a journal, which also says what money is in.

    Raises:
        ValueError
    """
    kept = checked({name: value for name, value in told.items() if name != "currency"})
    return {**kept, "currency": currency_of(dict(told))} if "currency" in told else kept


def limits_anything(budget: Mapping[str, Any]) -> bool:
    """There is an amount in it that can be reached."""
    return bool(budget.get(RUN) or budget.get(CHILD) or budget.get("tasks"))


def has_money(budget: Mapping[str, Any]) -> bool:
    """Something in it is an amount of money."""
    parts = [*(budget.get(name, {}) for name in (RUN, CHILD, "estimate")), *budget.get("tasks", {}).values()]
    return any(MONEY in amounts for amounts in parts)


def narrowed(first: Mapping[str, Any], second: Mapping[str, Any]) -> dict[str, Any]:
    """Both budgets together: of each amount the smaller; to halt wins over to ask; estimates, the larger."""
    tasks = {**first.get("tasks", {}), **second.get("tasks", {})}
    kept = {name: _least(first.get(name, {}), second.get(name, {})) for name in (RUN, CHILD)}
    told: dict[str, Any] = {name: amounts for name, amounts in kept.items() if amounts}
    if tasks:
        told["tasks"] = {
            task: _least(first.get("tasks", {}).get(task, {}), second.get("tasks", {}).get(task, {}))
            for task in tasks
        }
    estimate = _most(first.get("estimate", {}), second.get("estimate", {}))
    if estimate:
        told["estimate"] = estimate
    reached = {first.get("reached"), second.get("reached")} - {None}
    return {**told, "reached": HALT if HALT in reached else reached.pop()} if reached else told


def _least(first: Mapping[str, float], second: Mapping[str, float]) -> dict[str, float]:
    return {
        what: min(amounts[what] for amounts in (first, second) if what in amounts)
        for what in DIMENSIONS
        if what in first or what in second
    }


def _most(first: Mapping[str, float], second: Mapping[str, float]) -> dict[str, float]:
    return {
        what: max(first.get(what, 0), second.get(what, 0)) for what in USED if what in {**first, **second}
    }


def for_child(budget: Mapping[str, Any], own: Mapping[str, float] | None = None) -> dict[str, Any]:
    """The budget of a child run: what its parent has for each child, and what it was asked for with."""
    shared = (CHILD, "reached", "estimate", "currency")
    told = {name: budget[name] for name in shared if name in budget}
    limit = _least(budget.get(CHILD, {}), own or {})
    return {**told, RUN: limit} if limit else told


def is_asking(budget: Mapping[str, Any]) -> bool:
    """A person is asked when it is reached; else the run halts."""
    return bool(budget.get("reached", ASK) == ASK)


def currency_in(budget: Mapping[str, Any]) -> str:
    """What the money of a budget is in."""
    return str(budget.get("currency", DEFAULT_CURRENCY))


def shown(what: str, amount: float, currency: str = DEFAULT_CURRENCY) -> str:
    """An amount for people: ``1,000,000 tokens``, ``1 effect``, ``4.50 USD``, ``2 h of time``."""
    if what == WALL:
        return f"{brief(round(amount) if amount >= 10 else amount)} of time"
    if what == MONEY:
        return f"{_money(amount)} {currency}"
    return f"{amount:,.0f} {what.removesuffix('s') if amount == 1 else what}"


def _money(amount: float) -> str:
    # Below a unit the cents would say too little.
    return f"{amount:,.2f}" if amount >= 1 or round(amount, 2) == amount else f"{amount:.4g}"
