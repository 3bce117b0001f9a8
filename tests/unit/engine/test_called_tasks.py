"""A task that the process calls like a function is its author's mistake, told with the line and the cure."""

from __future__ import annotations

import threading
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from babysitter import Context, agent, define_task, python, shell
from babysitter.errors import ProcessError
from tests.support.rounds import Rounds, a_task, line_of, start

if TYPE_CHECKING:
    from tests.support.rounds import Process

step = a_task("step")
DONE: list[str] = []


@python
def count(path: str, words: int = 1) -> int:
    DONE.append(path)
    return len(path) * words


@python
def counted_twice(path: str) -> int:
    return 2 * count(path)


@shell
def show(path: str) -> list[str]:
    return ["cat", *([path] * counted_twice("a"))]


@agent
def review(path: str) -> str:
    return f"Review {show(path)}"


describe = define_task("describe-it", lambda args: {"kind": "agent", "title": "Do it"})
short = python(id="short")(lambda path: path)


def cure(process: Process) -> str:
    return stuck_in(start(process)).hint


def stuck_in(run: Rounds) -> ProcessError:
    assert isinstance(run.error, ProcessError), run.error
    return run.error


def test_a_task_called_by_the_process_makes_it_stuck_at_that_line_and_does_nothing() -> None:
    async def process(_: Any, ctx: Context) -> int:
        await ctx.task(step)
        return count("a.txt", words=2)  # here

    DONE.clear()
    run = start(process)
    run.resolve({"1": None})
    assert run.end is not None
    assert (run.end.status, str(run.error), stuck_in(run).hint, run.end.place, DONE) == (
        "stuck",
        "the task 'count' is called like a function, so it is done inside the process",
        "write `await ctx.task(count, path=…, words=…)`",
        line_of(process),
        [],
    )


def test_whoever_catches_it_is_stuck_all_the_same() -> None:
    async def process(_: Any, ctx: Context) -> str:
        try:
            return str(count("a.txt"))  # here
        except Exception:
            return "caught"

    run = start(process)
    assert run.end is not None
    assert (run.end.status, run.end.place) == ("stuck", line_of(process))


def test_in_a_lambda_the_cure_has_no_await() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.all([lambda: ctx.task(step), lambda: count("a.txt")])

    assert cure(process) == "write `lambda: ctx.task(count, path=…)`"


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda: list(map(count, ["a"])), "lambda: ctx.task(count, path=…)"),
        (partial(count, path="a"), "await ctx.task(count, path=…)"),
        (partial(show, "a"), "await ctx.task(show, path=…)"),
        (partial(review.using(timeout=5), "a"), "await ctx.task(review, path=…)"),
        (partial(describe, {"path": "a"}), "await ctx.task(describe-it, …)"),
        (partial(short, "a"), "await ctx.task(short, path=…)"),
        (partial(count), "await ctx.task(count)"),
    ],
    ids=["map", "python", "shell", "agent", "described", "lambda", "bare"],
)
def test_every_kind_of_task_is_refused_however_it_is_called(call: Any, told: str) -> None:
    def helper() -> Any:
        return call()

    async def process(_: Any, ctx: Context) -> Any:
        return helper()

    assert cure(process) == f"write `{told}`"


def test_a_recorded_function_is_code_of_the_process() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return ctx.record("size", lambda: count("a.txt"))  # here

    run = start(process)
    assert (str(run.error), run.end and run.end.place) == (
        "the task 'count' is called like a function, so it is done inside the process",
        line_of(process),
    )


def test_a_cleanup_is_code_of_the_process() -> None:
    async def process(_: Any, ctx: Context) -> None:
        async def clean() -> None:
            count("a.txt")

        ctx.on_cleanup(clean)

    assert isinstance(start(process).error, ProcessError)


def test_with_an_event_loop_it_is_refused_as_well() -> None:
    from babysitter.engine.loop_replay import LoopReplay

    async def process(_: Any, ctx: Context) -> int:
        return count("a.txt")

    assert isinstance(Rounds(process, replay=LoopReplay).error, ProcessError)


def test_a_description_may_call_what_it_likes() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.task(review, path="a.txt")

    run = start(process)
    assert run.batches == [["review"]]
    assert review.define({"path": "a.txt"})["agent"]["prompt"] == "Review ['cat', 'a.txt', 'a.txt']"


def test_a_test_may_call_it_also_after_a_process_that_was_stuck_and_while_one_waits() -> None:
    async def stuck(_: Any, ctx: Context) -> Any:
        return count("a")

    async def waiting(_: Any, ctx: Context) -> Any:
        return await ctx.task(step)

    start(stuck)
    run = start(waiting)
    assert (run.pending, counted_twice("abc")) == (["1"], 6)


def test_another_thread_is_none_of_the_process() -> None:
    found: list[int] = []

    async def process(_: Any, ctx: Context) -> list[int]:
        other = threading.Thread(target=lambda: found.append(count("abc")))
        other.start()
        other.join()
        return found

    assert start(process).result == [3]


def test_a_play_within_a_recorded_function_ends_and_the_process_is_still_refused() -> None:
    async def inner(_: Any, ctx: Context) -> str:
        return "done"

    async def process(_: Any, ctx: Context) -> Any:
        ctx.record("played", lambda: Rounds(inner).result)
        return count("a.txt")  # here

    run = start(process)
    assert run.end is not None
    assert (run.end.status, run.end.place) == ("stuck", line_of(process))


def test_a_description_in_such_a_play_may_call_what_it_likes() -> None:
    async def inner(_: Any, ctx: Context) -> Any:
        return await ctx.task(review, path="a.txt")

    async def process(_: Any, ctx: Context) -> Any:
        prompt = ctx.record("described", lambda: review.define({"path": "a.txt"})["agent"]["prompt"])
        ctx.record("played", lambda: len(Rounds(inner).batches))
        return prompt

    assert start(process).result == "Review ['cat', 'a.txt', 'a.txt']"


def test_nothing_is_left_of_a_process_that_was_interrupted() -> None:
    from babysitter.engine.tasks import DRIVEN

    async def process(_: Any, ctx: Context) -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        start(process)
    assert (DRIVEN.replay, count("abc")) == (None, 3)
