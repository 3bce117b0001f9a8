"""Tasks: what an author defines once and asks for many times."""

from __future__ import annotations

from typing import Any

import pytest

from babysitter import Context, Task, agent, define_task, python, shell
from tests.support.rounds import a_task, start


@shell
def lint(path: str) -> list[str]:
    """Lint the code."""
    return ["ruff", path]


@python(id="sizes", timeout="1m")
def measure(path: str) -> int:
    return len(path)


@agent(returns={"type": "string"})
def review(diff: str) -> str:
    return f"Review {diff}"


@pytest.mark.parametrize(
    ("task", "expected"),
    [
        (lint, ("lint", "shell", {})),
        (measure, ("sizes", "python", {"timeout": "1m"})),
        (review, ("review", "agent", {"returns": {"type": "string"}})),
    ],
)
def test_a_decorated_function_is_a_task_of_its_name(task: Any, expected: Any) -> None:
    assert (task.id, task.kind, task.options) == expected


def test_a_task_can_be_called_as_the_plain_function() -> None:
    assert measure("abc") == 3


def test_a_task_keeps_the_plain_function_for_its_worker() -> None:
    assert measure.function("abc") == 3


def test_a_task_shows_its_kind_and_id() -> None:
    assert repr(lint) == "<shell task 'lint'>"


@pytest.mark.parametrize("name", ["", "a b", "../x", "<lambda>", "x" * 65])
def test_an_id_that_cannot_stand_in_the_journal_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="is not an id: letters, digits, '-' and '_', at most 64"):
        define_task(name, lambda args: {"kind": "shell"})


# Options.


def test_options_of_one_call_do_not_change_the_task() -> None:
    other = lint.using(timeout=5, key="unit")
    assert (other.options, other.key, lint.options, lint.key) == (
        {"timeout": 5, "key": "unit"},
        "unit",
        {},
        None,
    )


def test_options_of_one_call_are_added_to_those_of_the_task() -> None:
    assert measure.using(title="Measure").options == {"timeout": "1m", "title": "Measure"}


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: python(check=False),
            "a task of kind 'python' has no option 'check'; it has key, title, retry, timeout, interpreter",
        ),
        (
            lambda: agent(model="x"),
            "a task of kind 'agent' has no option 'model'; it has key, title, retry, timeout, returns, name",
        ),
        (
            lambda: a_task("t").using(timeout=1),
            "a task of kind 'described' has no option 'timeout'; it has key, title, retry",
        ),
    ],
)
def test_an_option_that_the_kind_does_not_have_is_refused(make: Any, message: str) -> None:
    with pytest.raises(TypeError) as caught:
        make()
    assert str(caught.value) == message


@pytest.mark.parametrize(
    "option", ["timeout", "check", "parse", "cwd", "env", "secrets", "input", "key", "title"]
)
def test_a_shell_task_has_options_of_its_own(option: str) -> None:
    value = "1" if option == "timeout" else "x"
    assert lint.using(**{option: value}).options == {option: value}


@pytest.mark.parametrize("key", ["a.b", "", "12", "a b", "-a", 5])
def test_a_key_that_cannot_name_a_step_is_refused(key: Any) -> None:
    with pytest.raises(ValueError, match="cannot name a step"):
        lint.using(key=key)


@pytest.mark.parametrize("make", [lambda: shell(timeout="ten"), lambda: measure.using(timeout=-1)])
def test_a_timeout_that_is_no_length_of_time_is_refused_at_once(make: Any) -> None:
    with pytest.raises(ValueError, match="is not a length of time"):
        make()


def test_a_key_names_the_step() -> None:
    async def process(_: Any, ctx: Context) -> None:
        await ctx.task(lint.using(key="unit"), path="a")

    assert start(process).steps == [["unit"]]


def test_a_key_does_not_change_what_the_effect_is() -> None:
    assert lint.using(key="a").define({"path": "x"}) == lint.define({"path": "x"})


# What the process gets.


def test_the_value_of_a_described_task_comes_back_as_it_is() -> None:
    assert a_task("t").read_result({"a": [1]}) == {"a": [1]}


def test_a_described_task_takes_one_mapping_or_keywords() -> None:
    async def process(_: Any, ctx: Context) -> None:
        await ctx.parallel.all([ctx.task(a_task("t"), {"a": 1}), ctx.task(a_task("t"), a=1)])

    assert [asked.args for asked in start(process).rounds[0]] == [{"a": 1}, {"a": 1}]


def test_a_task_carries_its_types_at_run_time_without_importing_typing() -> None:
    assert Task[..., int] is Task
