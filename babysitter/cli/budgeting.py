"""``budget``: what a run may spend, and has; and the option by which it gets one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from babysitter.budget import CHILD, HALT, RUN, checked, has_money, narrowed
from babysitter.cli.options import AMOUNT, json_option, opened, run_argument, runs_dir_option
from babysitter.cli.output import as_json as print_json
from babysitter.cli.output import line
from babysitter.errors import InvalidInput, UsageError
from babysitter.usage import DEFAULT_CURRENCY

if TYPE_CHECKING:
    from collections.abc import Iterable

    from babysitter.prices import Prices
    from babysitter.runs.drafts import Draft
    from babysitter.runs.run import Run

NESTED = {"child": CHILD, "estimate": "estimate"}


def read_budget(texts: Iterable[str], configured: dict[str, Any] | None = None) -> dict[str, Any]:
    """The budget that a command line gives, within the one that is configured.

    Raises:
        InvalidInput: one of the texts is no amount.
    """
    told: dict[str, Any] = {}
    for text in texts:
        name, has_amount, amount = text.partition("=")
        if not has_amount:
            raise _refused(text, f"there is no amount; write {AMOUNT}")
        _put(told, text, name.strip().split(":"), amount.strip())
    try:
        return narrowed(configured or {}, checked(told))
    except ValueError as error:
        raise _refused(" ".join(texts), str(error)) from None


def _put(told: dict[str, Any], text: str, name: list[str], amount: str) -> None:
    match name:
        case ["reached"]:
            told["reached"] = amount
        case [what]:
            told.setdefault(RUN, {})[what] = amount
        case [scope, what] if scope in NESTED:
            told.setdefault(NESTED[scope], {})[what] = amount
        case ["task", task, what]:
            told.setdefault("tasks", {}).setdefault(task, {})[what] = amount
        case _:
            raise _refused(text, "the scope is 'child', 'task:NAME' or 'estimate', or there is none")


def _refused(text: str, why: str) -> InvalidInput:
    return InvalidInput(
        f"{text!r} is no budget: {why}",
        hint="as in tokens=1M, money=5, wall=2h, effects=200, iterations=50, child:tokens=100k,"
        " task:review:tokens=200k, estimate:tokens=20k, reached=halt",
    )


@click.command(
    epilog="""\b
Example:
  babysitter budget
  babysitter budget release-1-2-0 --raise tokens=500k
  babysitter budget release-1-2-0 --set money=5 --set reached=halt"""
)
@run_argument()
@click.option("--set", "set_to", multiple=True, metavar=AMOUNT, help="From now on it is this much in all.")
@click.option("--raise", "raised", multiple=True, metavar=AMOUNT, help="Add so much to what it is.")
@runs_dir_option
@json_option
def budget(
    run: str, set_to: tuple[str, ...], raised: tuple[str, ...], runs_dir: str | None, as_json: bool
) -> int:
    """Show what RUN may spend and has spent, or change what it may.

    Of a run that an agent's session works on, only a person at a terminal outside of it can allow more.
    """
    found = opened(run, runs_dir)
    if set_to or raised:
        _change(found, read_budget(set_to), read_budget(raised))
        _warn(found, read_budget(set_to))
    told = _standing(found)
    if as_json:
        print_json(told)
    else:
        from babysitter.views.budgets import budget_lines

        for text in budget_lines(told):
            line(text)
    return 0


def _warn(run: Run, budget: dict[str, Any]) -> None:
    if "tasks" in budget:
        from babysitter.cli.budget_tasks import warn_of_run

        warn_of_run(budget, run)


def _change(run: Run, set_to: dict[str, Any], raised: dict[str, Any]) -> None:
    from babysitter.runs.budgets import changed
    from babysitter.runs.spending import budget_now
    from babysitter.runs.stopping import check_going_on

    if "reached" in raised:
        raise _refused(f"reached={raised['reached']}", "that is no amount to be raised; use --set")

    def decide() -> tuple[None, list[Draft]]:
        # On the newest state: what is more than before depends on it, and so does what is still asked.
        check_going_on(run)
        before = {} if run.state.meter is None else budget_now(run)
        after = _merged(in_currency(before, run.limits.prices), set_to, raised)
        told = _whoever(run, before, after)
        return None, changed(run, after, told["by"], told.get("evidence"))

    run.append_decided(decide)


def in_currency(budget: dict[str, Any], prices: Prices | None) -> dict[str, Any]:
    """The budget, with what its money is in, if that is not the default."""
    if prices is None or prices.currency == DEFAULT_CURRENCY or has_money(budget):
        return budget
    return {**budget, "currency": prices.currency}


def _whoever(run: Run, before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """Who changes it, and what there is to show for that.

    Raises:
        PersonNeeded: that is for a person, and none is seen.
    """
    from babysitter.approvals.permits import person_of
    from babysitter.approvals.place import NO_MORE, demand_no_agent, person

    is_more = _is_more(before, after)
    if is_more:
        demand_no_agent(NO_MORE.format(run=run.run_id), is_guarded=run.is_guarded)
    # A run that halts where it would have asked is given up, and that is not for everybody either.
    is_end = after.get("reached") == HALT and after != before
    return person_of(run, "budget") if is_more or is_end else {"by": person()}


def _merged(before: dict[str, Any], set_to: dict[str, Any], raised: dict[str, Any]) -> dict[str, Any]:
    """The budget with some amounts set, and then some raised."""
    after = {**before, **{name: value for name, value in set_to.items() if name == "reached"}}
    for name in (RUN, CHILD, "estimate"):
        amounts = {**before.get(name, {}), **set_to.get(name, {})}
        after[name] = _added("" if name == RUN else f"{name}:", amounts, raised.get(name, {}))
    tasks = {**before.get("tasks", {})}
    for task in {**set_to.get("tasks", {}), **raised.get("tasks", {})}:
        amounts = {**tasks.get(task, {}), **set_to.get("tasks", {}).get(task, {})}
        tasks[task] = _added(f"task:{task}:", amounts, raised.get("tasks", {}).get(task, {}))
    return {name: value for name, value in {**after, "tasks": tasks}.items() if value}


def _added(scope: str, amounts: dict[str, float], more: dict[str, float]) -> dict[str, float]:
    for what in more:
        if what not in amounts:
            raise UsageError(
                f"the run has no budget of {scope}{what} that could be raised",
                hint=f"give it one: --set {scope}{what}=AMOUNT",
            )
    return {what: amount + more.get(what, 0) for what, amount in amounts.items()}


def _is_more(before: dict[str, Any], after: dict[str, Any]) -> bool:
    """Something more may be spent than before, or what is unknown counts for less, or is not asked about."""
    pairs = [(before.get(name, {}), after.get(name, {})) for name in (RUN, CHILD)]
    pairs += [
        (amounts, after.get("tasks", {}).get(task, {})) for task, amounts in before.get("tasks", {}).items()
    ]
    if any(now[what] > amount for was, now in pairs for what, amount in was.items()):
        return True
    is_asking_now = before.get("reached") == HALT and after.get("reached") != HALT
    return before.get("estimate", {}) != after.get("estimate", {}) or is_asking_now


def _standing(run: Run) -> dict[str, Any]:
    from babysitter.runs.budget_standing import standing_of

    return standing_of(run)


commands = {"budget": budget}
