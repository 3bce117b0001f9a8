"""``ctx.on_cleanup``: what is done when a process has ended, however it did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from babysitter import Context, Failed, TaskFailed
from tests.support.rounds import a_task, start

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.support.rounds import Process, Rounds

step, clean, other = a_task("step"), a_task("clean"), a_task("other")
NO = TaskFailed("no")


def status(run: Rounds) -> str:
    return run.end.status if run.end is not None else "waiting"


def ending_with(end: Callable[[Context], Any]) -> Process:
    """A process that has something to clean up, does a step, and ends in this way."""

    async def process(_: Any, ctx: Context) -> Any:
        ctx.on_cleanup(lambda: ctx.task(clean))
        await ctx.task(step)
        return end(ctx)

    return process


def fails(_: Context) -> None:
    raise Failed("no good")


def is_wrong(_: Context) -> None:
    raise KeyError("a mistake")


@pytest.mark.parametrize("by_replay", [False, True])
@pytest.mark.parametrize(
    ("end", "expected"),
    [
        (lambda _: "done", "completed"),
        (fails, "failed"),
        (lambda ctx: ctx.halt("enough"), "halted"),
        (lambda ctx: ctx.continue_as_new({}), "continued"),
    ],
)
def test_it_is_done_however_the_process_ends_and_before_the_run_does(
    end: Any, expected: str, by_replay: bool
) -> None:
    run = start(ending_with(end), by_replay=by_replay)
    assert run.resolve({"1": None}) == ["cleanup.1.1"]
    assert (status(run), run.state.status) == ("waiting", "waiting")
    run.resolve({"cleanup.1.1": None})
    assert (status(run), run.state.status) == (expected, expected)


def test_it_is_done_when_a_task_fails() -> None:
    run = start(ending_with(lambda _: None))
    assert run.resolve({"1": NO}) == ["cleanup.1.1"]
    run.resolve({"cleanup.1.1": None})
    assert str(run.error) == "no"


@pytest.mark.parametrize("by_replay", [False, True])
def test_it_is_done_when_a_person_cancels_the_run(by_replay: bool) -> None:
    run = start(ending_with(lambda _: None), by_replay=by_replay)
    assert run.give_up() == ["cleanup.1.1"]
    run.resolve({"cleanup.1.1": None})
    assert status(run) == "halted"


def test_it_is_not_done_while_a_mistake_is_to_be_mended() -> None:
    run = start(ending_with(is_wrong))
    assert (run.resolve({"1": None}), status(run)) == ([], "stuck")


def test_the_output_is_that_of_the_process() -> None:
    run = start(ending_with(lambda _: "done"))
    run.resolve({"1": None})
    run.resolve({"cleanup.1.1": "something else"})
    assert run.result == "done"


def test_the_last_one_registered_is_first_and_one_waits_for_the_other() -> None:
    async def process(_: Any, ctx: Context) -> None:
        for name in "abc":
            ctx.on_cleanup(lambda name=name: ctx.task(clean, name=name))  # type: ignore[misc]

    run = start(process)
    run.resolve({"cleanup.3.1": None})
    run.resolve({"cleanup.2.1": None})
    run.resolve({"cleanup.1.1": None})
    assert [[(asked.step, asked.args["name"]) for asked in batch] for batch in run.rounds] == [
        [("cleanup.3.1", "c")],
        [("cleanup.2.1", "b")],
        [("cleanup.1.1", "a")],
    ]


def test_one_that_is_registered_in_a_cleanup_comes_next_under_a_name_of_its_own() -> None:
    async def process(_: Any, ctx: Context) -> None:
        async def second() -> None:
            ctx.on_cleanup(lambda: ctx.task(other))
            await ctx.task(clean)

        ctx.on_cleanup(lambda: ctx.task(clean))
        ctx.on_cleanup(second)

    run = start(process)
    run.resolve({"cleanup.2.1": None})
    run.resolve({"cleanup.3.1": None})
    run.resolve({"cleanup.1.1": None})
    assert (run.steps, status(run)) == ([["cleanup.2.1"], ["cleanup.3.1"], ["cleanup.1.1"]], "completed")


@pytest.mark.parametrize("by_replay", [False, True])
def test_what_an_abandoned_branch_has_registered_is_done_too(by_replay: bool) -> None:
    async def process(_: Any, ctx: Context) -> Any:
        async def loses() -> None:
            ctx.on_cleanup(lambda: ctx.task(clean))
            await ctx.task(other)

        return await ctx.parallel.race([lambda: ctx.task(step), loses])

    run = start(process, by_replay=by_replay)
    assert run.resolve({"1.0.1": "won"}) == ["cleanup.1.1"]
    run.resolve({"cleanup.1.1": None})
    assert run.result == "won"


def test_a_cleanup_is_ordinary_code_with_groups_retries_and_handlers() -> None:
    async def process(_: Any, ctx: Context) -> None:
        async def both() -> None:
            try:
                await ctx.parallel.all([lambda: ctx.task(clean), lambda: ctx.task(other)])
            except TaskFailed:
                await ctx.task(step)

        ctx.on_cleanup(both)

    run = start(process)
    assert run.resolve({"cleanup.1.1.0.1": NO}) == ["cleanup.1.2"]
    run.resolve({"cleanup.1.2": None})
    assert (status(run), run.cancelled) == ("completed", ["cleanup.1.1.1.1"])


# What goes wrong in one


@pytest.mark.parametrize(("end", "expected"), [(lambda _: "done", "completed"), (fails, "failed")])
def test_a_failure_in_one_is_reported_and_changes_nothing(end: Any, expected: str) -> None:
    run = start(ending_with(end))
    run.resolve({"1": None})
    run.resolve({"cleanup.1.1": NO})
    assert (status(run), run.reports) == (expected, ["TaskFailed in a cleanup: no"])


def test_after_a_failure_in_one_the_others_are_done() -> None:
    async def process(_: Any, ctx: Context) -> None:
        ctx.on_cleanup(lambda: ctx.task(clean))
        ctx.on_cleanup(lambda: ctx.task(other))

    run = start(process)
    assert run.resolve({"cleanup.2.1": NO}) == ["cleanup.1.1"]
    run.resolve({"cleanup.1.1": None})
    assert status(run) == "completed"


def test_a_mistake_in_one_is_to_be_mended_and_its_line_told() -> None:
    async def process(_: Any, ctx: Context) -> None:
        async def wrong() -> None:
            {}["nothing"]

        ctx.on_cleanup(lambda: ctx.task(clean))
        ctx.on_cleanup(wrong)

    run = start(process)
    assert run.end is not None
    assert (status(run), type(run.error), run.rounds) == ("stuck", KeyError, [])
    assert run.end.place is not None
    assert run.end.place[0] == __file__


@pytest.mark.parametrize("by_replay", [False, True])
@pytest.mark.parametrize(
    ("end", "expected"), [(lambda _: "done", "completed"), (lambda ctx: ctx.halt("enough"), "halted")]
)
def test_a_halt_in_one_ends_this_one_only(end: Any, expected: str, by_replay: bool) -> None:
    async def process(_: Any, ctx: Context) -> Any:
        async def halts() -> None:
            await ctx.task(other)
            ctx.halt("too late")

        ctx.on_cleanup(lambda: ctx.task(clean))
        ctx.on_cleanup(halts)
        return end(ctx)

    run = start(process, by_replay=by_replay)
    assert run.resolve({"cleanup.2.1": None}) == ["cleanup.1.1"]
    run.resolve({"cleanup.1.1": None})
    assert (status(run), run.state.status) == (expected, expected)
    assert run.reports == ["a cleanup wanted the run halted, which had ended already: too late"]
    assert run.events[-1].data.get("reason", "enough") == "enough"


def test_a_halt_in_a_branch_of_one_gives_up_its_other_branches() -> None:
    async def process(_: Any, ctx: Context) -> None:
        async def halts() -> None:
            await ctx.task(step)
            ctx.halt("too late")

        async def both() -> None:
            await ctx.parallel.settled([halts, lambda: ctx.task(other)])
            await ctx.task(clean)

        ctx.on_cleanup(both)

    run = start(process)
    run.resolve({"cleanup.1.1.0.1": None})
    assert (status(run), run.cancelled, len(run.reports)) == ("completed", ["cleanup.1.1.1.1"], 1)


def test_a_halt_that_one_swallows_by_force_is_told_once_and_it_goes_on() -> None:
    async def process(_: Any, ctx: Context) -> None:
        async def stubborn() -> None:
            for _ in range(2):
                try:
                    ctx.halt("too late")
                except BaseException:
                    await ctx.task(clean)

        ctx.on_cleanup(stubborn)

    run = start(process)
    run.resolve({"cleanup.1.1": None})
    run.resolve({"cleanup.1.2": None})
    assert (status(run), len(run.reports)) == ("completed", 1)


def test_continuing_in_one_is_told_and_changes_nothing() -> None:
    async def process(_: Any, ctx: Context) -> str:
        async def goes_on() -> None:
            ctx.continue_as_new({})

        ctx.on_cleanup(goes_on)
        return "done"

    run = start(process)
    assert (run.result, run.reports) == (
        "done",
        ["a cleanup wanted the run continued, which had ended already"],
    )


@pytest.mark.parametrize("by_replay", [False, True])
def test_a_person_who_cancels_the_run_lets_its_cleanup_end(by_replay: bool) -> None:
    run = start(ending_with(lambda _: "done"), by_replay=by_replay)
    run.resolve({"1": None})
    assert (run.give_up(), run.pending) == ([], ["cleanup.1.1"])
    run.resolve({"cleanup.1.1": None})
    assert run.result == "done"


def test_an_effect_of_one_can_be_cancelled_by_a_person() -> None:
    run = start(ending_with(lambda _: "done"))
    run.resolve({"1": None})
    run.cancel("cleanup.1.1")
    assert (run.result, run.reports) == (
        "done",
        ["TaskCancelled in a cleanup: task 'clean' was cancelled by a person"],
    )


# What may be registered


def test_a_plain_function_is_called_as_a_branch_would_be() -> None:
    called: list[str] = []

    async def process(_: Any, ctx: Context) -> None:
        ctx.on_cleanup(lambda: called.append("now"))  # type: ignore[arg-type, func-returns-value]
        await ctx.task(step)

    run = start(process)
    before = list(called)
    run.resolve({"1": None})
    assert (before, called, status(run)) == ([], ["now"], "completed")


def registers(what: Callable[[Context], Any]) -> Any:
    async def process(_: Any, ctx: Context) -> Any:
        try:
            ctx.on_cleanup(what(ctx))
        except TypeError as error:
            return str(error)

    return start(process).result


async def walk(ctx: Context) -> None:
    await ctx.task(clean)


@pytest.mark.parametrize("what", [lambda ctx: ctx.task(clean), walk, lambda _: clean, lambda _: None])
def test_what_was_called_already_is_refused_without_other_complaints(what: Any) -> None:
    told = registers(what)
    assert told.startswith("ctx.on_cleanup needs an async function without arguments, found ")
    assert told.endswith("; write `ctx.on_cleanup(clean)`, or `ctx.on_cleanup(lambda: ctx.task(…))`")


def test_a_function_with_arguments_is_a_mistake_that_is_told_when_it_is_called() -> None:
    async def process(_: Any, ctx: Context) -> None:
        ctx.on_cleanup(walk)  # type: ignore[arg-type]

    run = start(process)
    assert (status(run), type(run.error)) == ("stuck", TypeError)
