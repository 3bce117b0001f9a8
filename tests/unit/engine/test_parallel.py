"""What may be handed to ctx.parallel, and how branches get their names."""

from __future__ import annotations

import re
from collections import OrderedDict
from typing import Any

import pytest

from babysitter import Context, python
from babysitter.engine.parallel import name_items
from tests.support.rounds import a_task, start

step = a_task("step")


@python
def measure(path: str) -> int:
    return len(path)


def refusal(ask: Any, kind: type[Exception]) -> str:
    """The message of the error that a process is stuck in when it asks so."""

    async def process(_: Any, ctx: Context) -> Any:
        return await ask(ctx)

    run = start(process)
    assert type(run.error) is kind
    return str(run.error)


# What is no branch.


@pytest.mark.parametrize("mode", ["all", "settled", "any", "race"])
def test_a_value_in_place_of_a_branch_is_refused_and_named(mode: str) -> None:
    message = refusal(lambda ctx: getattr(ctx.parallel, mode)([lambda: ctx.task(step), 5]), TypeError)
    assert message == (
        f"branch 1 of ctx.parallel.{mode} is 5 (int), neither a function nor a call to await;"
        " write `lambda: ctx.task(…)`, without `await` before it"
    )


def test_a_result_in_place_of_a_call_is_refused() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.all([await ctx.task(step)])

    run = start(process)
    run.resolve({"1": {"n": 1}})
    assert str(run.error).startswith("branch 0 of ctx.parallel.all is {'n': 1} (dict), neither a function")


def test_a_branch_with_a_name_is_named_by_it() -> None:
    message = refusal(lambda ctx: ctx.parallel.all({"unit": None}), TypeError)
    assert message.startswith("branch 'unit' of ctx.parallel.all is None (NoneType)")


def test_a_task_itself_is_no_branch_since_it_would_run_inside_the_replay() -> None:
    message = refusal(lambda ctx: ctx.parallel.all([measure]), TypeError)
    assert message.startswith("branch 0 of ctx.parallel.all is <python task 'measure'>")


def test_a_task_itself_is_no_function_of_map() -> None:
    assert refusal(lambda ctx: ctx.parallel.map(["a"], measure), TypeError) == (
        "ctx.parallel.map needs a function of one item, found <python task 'measure'>;"
        " write `lambda item: ctx.task(…, item)`"
    )


@pytest.mark.parametrize("found", [5, "ab", b"ab", None])
def test_what_is_no_list_is_refused_with_an_example(found: Any) -> None:
    assert refusal(lambda ctx: ctx.parallel.all(found), TypeError) == (
        f"ctx.parallel.all needs a list of branches, found {found!r};"
        " write ctx.parallel.all([lambda: ctx.task(first), lambda: ctx.task(second)])"
    )


@pytest.mark.parametrize("single", [lambda ctx: lambda: ctx.task(step), lambda ctx: ctx.task(step)])
def test_a_single_branch_in_place_of_a_list_is_refused(single: Any) -> None:
    message = refusal(lambda ctx: ctx.parallel.race(single(ctx)), TypeError)
    assert message.startswith("ctx.parallel.race needs a list of branches, found a single one")


@pytest.mark.parametrize("mode", ["all", "settled", "any", "race"])
@pytest.mark.parametrize(("number", "listed"), [(2, "a, b"), (3, "a, b, c"), (5, "a, b, c")])
def test_branches_that_are_no_list_are_refused_with_the_cure(mode: str, number: int, listed: str) -> None:
    def several(ctx: Context) -> Any:
        return getattr(ctx.parallel, mode)(*[ctx.task(step) for _ in range(number)])

    assert refusal(several, TypeError) == (
        f"ctx.parallel.{mode} takes one list of branches, found {number} arguments;"
        f" write a list: ctx.parallel.{mode}([{listed}])"
    )


@pytest.mark.parametrize("branches", [list, tuple, lambda found: {"a": next(found)}])
def test_a_limit_without_its_name_is_refused_with_the_cure(branches: Any) -> None:
    def limited(ctx: Context) -> Any:
        thunks = branches(ctx.task(step) for _ in range(2))
        return ctx.parallel.all(thunks, 5)  # type: ignore[call-overload]

    assert refusal(limited, TypeError) == (
        "ctx.parallel.all takes one list of branches, found 2 arguments;"
        " give the limit by its name: ctx.parallel.all([…], limit=5)"
    )


@pytest.mark.parametrize("mode", ["any", "race"])
@pytest.mark.parametrize("nothing", [[], {}])
def test_a_contest_without_branches_is_refused(mode: str, nothing: Any) -> None:
    message = refusal(lambda ctx: getattr(ctx.parallel, mode)(nothing), ValueError)
    assert message == f"ctx.parallel.{mode} needs at least one branch; of none, none can win"


def test_a_map_needs_a_function() -> None:
    message = refusal(lambda ctx: ctx.parallel.map([1], 5), TypeError)
    assert message.startswith("ctx.parallel.map needs a function of one item, found 5")


@pytest.mark.parametrize("items", ["abc", 5])
def test_a_map_needs_a_list_of_items(items: Any) -> None:
    message = refusal(lambda ctx: ctx.parallel.map(items, ctx.task), TypeError)
    assert message == f"ctx.parallel.map needs a list of items, found {items!r}"


@pytest.mark.parametrize("limit", [0, -1])
def test_a_limit_below_one_is_refused(limit: int) -> None:
    message = refusal(lambda ctx: ctx.parallel.map([1], ctx.task, limit=limit), ValueError)
    assert message == f"limit of ctx.parallel.map is {limit}; below 1 no branch could ever start"


@pytest.mark.parametrize("limit", ["2", 2.0, True])
def test_a_limit_that_is_no_whole_number_is_refused(limit: Any) -> None:
    message = refusal(lambda ctx: ctx.parallel.all([lambda: 1], limit=limit), TypeError)
    assert message == f"limit of ctx.parallel.all is {limit!r}; it is a whole number of branches"


# What is a list of branches.


@pytest.mark.parametrize("container", [list, tuple, iter, dict.fromkeys])
def test_branches_may_come_in_any_container(container: Any) -> None:
    async def process(_: Any, ctx: Context) -> Any:
        thunks = container([lambda: 1, lambda: 2])
        return await ctx.parallel.all(list(thunks) if isinstance(thunks, dict) else thunks)

    assert start(process).result == [1, 2]


def test_calls_without_lambda_are_branches_as_well() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.all([ctx.task(step, n=1), ctx.task(step, n=2)])

    run = start(process)
    assert run.steps == [["1.0.1", "1.1.1"]]
    run.resolve({"1.1.1": "b", "1.0.1": "a"})
    assert run.result == ["a", "b"]


def test_a_mapping_gives_results_under_its_names() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.all({"unit": lambda: ctx.task(step), "lint": lambda: ctx.task(step)})

    run = start(process)
    assert run.steps == [["1.unit.1", "1.lint.1"]]
    run.resolve({"1.lint.1": 2, "1.unit.1": 1})
    assert run.result == {"unit": 1, "lint": 2}


def test_a_mapping_gives_outcomes_under_its_names() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        outcomes = await ctx.parallel.settled(OrderedDict(unit=lambda: 1))
        return {name: outcome.value for name, outcome in outcomes.items()}

    assert start(process).result == {"unit": 1}


@pytest.mark.parametrize("name", ["a.b", "", "a b", "~2", 5])
def test_a_name_that_cannot_be_part_of_a_step_is_refused(name: Any) -> None:
    message = refusal(lambda ctx: ctx.parallel.all({name: lambda: 1}), ValueError)
    assert message.startswith(f"branch name {name!r} cannot be part of a step's name")


# Names of items.


def test_a_branch_of_map_is_named_by_what_the_item_is() -> None:
    assert name_items(["a", {"x": 1, "y": 2}], None) == name_items(["a", {"y": 2, "x": 1}], None)


def test_an_item_put_in_between_renames_no_other() -> None:
    before, after = name_items(["a", "b"], None), name_items(["a", "new", "b"], None)
    assert [after[0], after[2]] == before


def test_equal_items_have_an_occurrence_number() -> None:
    first, second, third = name_items(["a", "a", "a"], None)
    assert (second, third) == (f"{first}~2", f"{first}~3")


def test_a_name_of_an_item_is_short_and_can_be_part_of_a_step() -> None:
    assert re.fullmatch("[0-9a-f]{10}", name_items([{"path": "a/b.py"}], None)[0])


def test_a_key_that_is_an_id_is_the_name() -> None:
    assert name_items([{"id": "api"}, {"id": "web"}], lambda item: item["id"]) == ["api", "web"]


def test_equal_keys_have_an_occurrence_number() -> None:
    assert name_items([1, 2], lambda _: "same") == ["same", "same~2"]


@pytest.mark.parametrize("key", ["a/b.py", 5, None, ["a"]])
def test_a_key_that_is_no_id_is_hashed(key: Any) -> None:
    assert re.fullmatch("[0-9a-f]{10}", name_items(["item"], lambda _: key)[0])


def test_items_that_are_no_json_values_need_a_key() -> None:
    with pytest.raises(TypeError, match=r"an item of ctx.parallel.map is \{1\}, .* is not JSON.*key="):
        name_items([{1}], None)


def test_items_that_are_no_json_values_can_be_named_by_a_key() -> None:
    assert name_items([{1}], lambda item: f"n{min(item)}") == ["n1"]


def test_a_key_has_to_be_a_json_value() -> None:
    with pytest.raises(TypeError, match=r"a key of ctx.parallel.map is \{1\}"):
        name_items(["a"], lambda _: {1})
