"""A step's name is its place in the process, whatever arrives first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hypothesis import given

from babysitter import Context, define_task
from babysitter.engine.branches import Branch
from tests.property.strategies import chance_of, examples, feed_all, placed_process_of, quiet_trees, seeds
from tests.support.rounds import Rounds, start

if TYPE_CHECKING:
    import pytest

    from tests.property.strategies import Tree

step = define_task("step", lambda args: {"kind": "shell"})


def names_of(run: Rounds) -> dict[str, str]:
    """The place in the process of each step."""
    return {asked.step: str(asked.args) for batch in run.rounds for asked in batch}


@examples(150)
@given(quiet_trees, seeds, seeds)
def test_names_of_steps_do_not_depend_on_the_order_of_arrival(tree: Tree, one: int, other: int) -> None:
    first = feed_all(start(placed_process_of(tree)), chance_of(one), cancelled_by_people=False)
    second = feed_all(start(placed_process_of(tree)), chance_of(other), cancelled_by_people=False)
    assert names_of(first) == names_of(second)
    assert first.result == second.result


@examples(100)
@given(quiet_trees, seeds)
def test_no_two_steps_have_the_same_name(tree: Tree, seed: int) -> None:
    run = feed_all(start(placed_process_of(tree)), chance_of(seed), cancelled_by_people=False)
    asked = [(effect.step, effect.attempt) for effect in run.state.effects.values()]
    assert len(asked) == len(set(asked))


async def two_chains(_: Any, ctx: Context) -> Any:
    async def chain(name: str) -> Any:
        await ctx.task(step, place=f"{name} first")
        return await ctx.task(step, place=f"{name} second")

    return await ctx.parallel.all([lambda: chain("a"), lambda: chain("b")])


def names_after(first: str, then: str) -> dict[str, str]:
    """The names that steps get when the chains' first results arrive in this order."""
    run = start(two_chains)
    places = {place: name for name, place in names_of(run).items()}
    run.resolve({places[str({"place": f"{first} first"})]: 1})
    run.resolve({places[str({"place": f"{then} first"})]: 1})
    return names_of(run)


def test_two_chains_have_the_same_names_whoever_is_first() -> None:
    assert names_after("a", "b") == names_after("b", "a")


def test_with_one_counter_for_all_branches_a_name_would_mean_what_came_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Branch, "next_step", one_counter_for_each_run())
    a_first, b_first = names_after("a", "b"), names_after("b", "a")
    assert a_first["3"] == str({"place": "a second"})
    assert b_first["3"] == str({"place": "b second"})


def one_counter_for_each_run() -> Any:
    counts = dict[Any, int]()

    def next_step(branch: Branch, _: str | None) -> str:
        root = branch
        while root.group is not None:
            root = root.group.parent
        if root is branch:
            return "group"
        counts[root] = counts.get(root, 0) + 1
        return str(counts[root])

    return next_step
