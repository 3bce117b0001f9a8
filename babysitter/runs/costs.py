"""What runs have cost, summed up: in all, by task, branch, day, child run or process; as JSON."""

from __future__ import annotations

from babysitter.errors import BabysitterError
from babysitter.runs.accounts import Account, read_account, read_family
from babysitter.runs.folder import open_run, packed_ids, run_ids
from babysitter.usage import DIGITS, TOKENS, counts_of, currency_of, is_partial, money_of, tokens_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from babysitter.limits import Limits
    from babysitter.prices import Prices
    from babysitter.runs.accounts import Family, Spent
    from babysitter.runs.run import Run


class Sum:
    """What some effects have cost together, as far as it is known.

    Attributes:
        effects: how many there are; ``unknown`` those of which nobody has said anything, ``partial`` those
            of which it is known that there was more, ``unpriced`` those whose money nobody knows.
        money: by currency; ``is_estimated``: some of it at present prices, as no other was recorded.
    """

    __slots__ = ("counts", "effects", "is_estimated", "money", "partial", "tokens", "unknown", "unpriced")

    def __init__(self) -> None:
        self.effects = self.unknown = self.partial = self.unpriced = 0
        self.counts: dict[str, int] = {}
        self.tokens: int | None = None
        self.money: dict[str, float] = {}
        self.is_estimated = False

    def add(self, spent: Spent, prices: Prices | None) -> None:
        """Count an effect in."""
        self.effects += 1
        usage = spent.usage
        if usage is None:
            self.unknown += 1
            return
        for name, count in counts_of(usage).items():
            self.counts[name] = self.counts.get(name, 0) + count
        tokens = tokens_of(usage)
        if tokens is not None:
            self.tokens = tokens + (self.tokens or 0)
        self.partial += is_partial(usage) or tokens is None
        self._add_money(usage, prices)

    def _add_money(self, usage: dict[str, Any], prices: Prices | None) -> None:
        money = money_of(usage)
        if money is not None:
            currency = currency_of(usage)
        elif prices is not None and (money := prices.money_of(usage)) is not None:
            currency, self.is_estimated = prices.currency, True
        else:
            self.unpriced += 1
            return
        self.money[currency] = round(self.money.get(currency, 0) + money, DIGITS)

    def as_json(self) -> dict[str, Any]:
        """What is known; a key that is absent is not."""
        told: dict[str, Any] = {"effects": self.effects, "unknown": self.unknown}
        told |= {name: self.counts[name] for name in TOKENS if name in self.counts}
        if self.tokens is not None:
            told["tokens"] = self.tokens
        if self.money:
            told["money"] = self.money
        few = {"isEstimated": self.is_estimated, "partial": self.partial, "unpriced": self.unpriced}
        return {**told, **{name: value for name, value in few.items() if value}}


Counted = tuple["Account", "Spent"]


def costs_of_run(run: Run) -> dict[str, Any]:
    """What an opened run and those below it have cost.

    Raises:
        JournalError, UnsafePath, StorageError
    """
    family, prices = read_family(run), run.limits.prices
    counted = [(account, spent) for account in family.accounts for spent in account.spent]
    first = family.accounts[0]
    return {
        "run": first.state.run_id,
        "process": first.state.process_id,
        "total": _sum(counted, prices),
        "tasks": _sums(counted, prices, lambda _, spent: {"task": spent.task}),
        "branches": _sums(counted, prices, lambda _, spent: _branch_json(first, spent)),
        "days": _days(counted, prices),
        "children": _children(family, prices),
        **_not_counted(family),
        **({"continuedAs": first.goes_on_as} if first.goes_on_as else {}),
    }


def total_of_run(run: Run) -> dict[str, Any] | None:
    """The same in one sum; None when nobody has said anything of any effect.

    Raises:
        JournalError, UnsafePath, StorageError
    """
    family = read_family(run)
    counted = [(account, spent) for account in family.accounts for spent in account.spent]
    if not any(spent.usage for _, spent in counted):
        return None
    lost = len(family.missing) + len(family.unreadable)
    return {**_sum(counted, run.limits.prices), **({"missing": lost} if lost else {})}


def costs_of_all(runs_dir: str, limits: Limits) -> dict[str, Any]:
    """What all runs of a folder have cost, packed ones too; each counts once, be it copied."""
    accounts: dict[str, Account] = {}
    unreadable: list[dict[str, Any]] = []
    listed = set(run_ids(runs_dir))
    for run_id in sorted(listed | set(packed_ids(runs_dir))):
        try:
            # A kill may have left a run its folder beside the archive; the folder is what counts.
            is_here = run_id in listed
            account = _account(run_id, runs_dir, limits) if is_here else _packed_account(run_id, runs_dir)
        except BabysitterError as error:
            unreadable.append({"run": run_id, "error": error.message})
        else:
            accounts.setdefault(account.state.run_id, account)
    counted = [(account, spent) for account in accounts.values() for spent in account.spent]
    return {
        "runs": len(accounts),
        "total": _sum(counted, limits.prices),
        "processes": _sums(counted, limits.prices, lambda of, _: {"process": of.state.process_id}),
        "days": _days(counted, limits.prices),
        **({"unreadable": unreadable} if unreadable else {}),
    }


def _account(run_id: str, runs_dir: str, limits: Limits) -> Account:
    return read_account(open_run(run_id, runs_dir, limits))


def _packed_account(run_id: str, runs_dir: str) -> Account:
    """From the archive as it is; nothing is unpacked."""
    from babysitter.engine.state import RunState
    from babysitter.runs.unpacking import open_packed

    account = Account(RunState())
    with open_packed(run_id, runs_dir) as packed:
        for _, _, event in packed.events():
            account.state.apply(event)
            account.see(event)
    return account.close()


def _sum(counted: Iterable[Counted], prices: Prices | None) -> dict[str, Any]:
    total = Sum()
    for _, spent in counted:
        total.add(spent, prices)
    return total.as_json()


def _sums(
    counted: Iterable[Counted], prices: Prices | None, about: Callable[[Account, Spent], dict[str, str]]
) -> list[dict[str, Any]]:
    """A sum for everything that ``about`` tells apart, in the order in which it came up."""
    sums: dict[tuple[str, ...], tuple[dict[str, str], Sum]] = {}
    for account, spent in counted:
        told = about(account, spent)
        _, part = sums.setdefault(tuple(told.values()), (told, Sum()))
        part.add(spent, prices)
    return [{**told, **part.as_json()} for told, part in sums.values()]


def _days(counted: Iterable[Counted], prices: Prices | None) -> list[dict[str, Any]]:
    days = _sums(counted, prices, lambda _, spent: {"day": spent.day})
    return sorted(days, key=lambda told: str(told["day"]))


def _branch_json(first: Account, spent: Spent) -> dict[str, str]:
    path, branch = spent.branch
    label = first.labels.get(spent.branch)
    return {"path": path, "branch": branch, **({"label": label} if label else {})}


def _children(family: Family, prices: Prices | None) -> list[dict[str, Any]]:
    """Each run by itself, the first one too."""
    return [
        {
            "run": account.state.run_id,
            "process": account.state.process_id,
            **({"parent": account.parent} if account.parent else {}),
            **_sum(((account, spent) for spent in account.spent), prices),
        }
        for account in family.accounts
    ]


def _not_counted(family: Family) -> dict[str, Any]:
    """Child runs of which nothing can be known."""
    told: dict[str, Any] = {}
    if family.missing:
        told["missing"] = family.missing
    if family.unreadable:
        told["unreadable"] = [{"run": run, "error": error.message} for run, error in family.unreadable]
    return told
