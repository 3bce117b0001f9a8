"""How a process ends, and how its end is described."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.engine.ending import End, causes_of, describe_failure, describe_stuck
from babysitter.errors import AllFailed, BranchCancelled, Failed, TaskFailed
from tests.support.rounds import a_task, line_of, start

if TYPE_CHECKING:
    from babysitter import Context
    from tests.support.rounds import Rounds

step = a_task("step")


def ending_with(error: BaseException) -> End:
    """How a process ends that raises this."""

    async def process(_: Any, ctx: Context) -> None:
        raise error

    end = start(process).end
    assert end is not None
    return end


def test_a_value_completes_the_run() -> None:
    async def process(_: Any, ctx: Context) -> int:
        return 7

    end = start(process).end
    assert end is not None
    assert (end.status, end.value, end.error, end.place) == ("completed", 7, None, None)


@pytest.mark.parametrize(
    "error",
    [
        Failed("on purpose"),
        TaskFailed("no"),
        AllFailed([TaskFailed("no"), Failed("no")]),
        ExceptionGroup("both", [TaskFailed("no"), AllFailed([Failed("no")])]),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_failure_that_the_process_lets_through_ends_the_run(error: Exception) -> None:
    end = ending_with(error)
    assert (end.status, end.error) == ("failed", error)


@pytest.mark.parametrize(
    "error",
    [
        ValueError("a slip"),
        SystemExit(3),
        AllFailed([TaskFailed("no"), ValueError("a slip")]),
        ExceptionGroup("both", [TaskFailed("no"), ValueError("a slip")]),
        BranchCancelled(),
        GeneratorExit(),
    ],
    ids=lambda error: type(error).__name__,
)
def test_a_mistake_in_the_authors_code_leaves_the_run_stuck(error: BaseException) -> None:
    end = ending_with(error)
    assert (end.status, end.error) == ("stuck", error)


def test_a_stuck_run_knows_the_authors_line() -> None:
    async def process(_: Any, ctx: Context) -> None:
        sys.exit(3)  # here

    end = start(process).end
    assert end is not None
    assert end.place == line_of(process)


def test_a_mistake_in_a_branch_is_the_authors_line_in_that_branch() -> None:
    async def branch() -> None:
        raise ValueError  # here

    async def process(_: Any, ctx: Context) -> None:
        await ctx.parallel.all([branch])

    end = start(process).end
    assert end is not None
    assert end.place == line_of(branch)


def test_a_task_that_fails_uncaught_ends_the_run_with_what_is_known_of_it() -> None:
    async def process(_: Any, ctx: Context) -> None:
        await ctx.task(step)

    run = start(process)
    run.resolve({"1": TaskFailed("exit 2", name="ShellFailed", data={"stdout": "x"}, exit_code=2)})
    (effect,) = run.state.effects.values()
    assert run.events[-1].data["error"] == {
        "name": "ShellFailed",
        "message": "exit 2",
        "effectId": effect.id,
        "stepId": "1",
        "exitCode": 2,
        "data": {"stdout": "x"},
    }


# What is journalled.


def test_a_failure_on_purpose_is_described_with_its_data() -> None:
    assert describe_failure(Failed("2 checks failed", {"failed": ["lint"]})) == {
        "name": "Failed",
        "message": "2 checks failed",
        "data": {"failed": ["lint"]},
    }


def test_a_failure_without_data_has_none() -> None:
    assert describe_failure(Failed("no")) == {"name": "Failed", "message": "no"}


def test_all_failed_is_described_by_what_each_branch_said() -> None:
    error = AllFailed([TaskFailed("one"), TaskFailed("two")])
    assert describe_failure(error) == {"name": "AllFailed", "message": "every branch failed: one; two"}


# What it came of.


def ended_after_failures(process: Any, *steps: str) -> Rounds:
    """A run in which these steps have failed."""
    run = start(process)
    for number in steps:
        run.resolve({number: TaskFailed(f"no {number}")})
    return run


def ids(run: Rounds, *steps: str) -> list[str]:
    by_step = {effect.step: effect.id for effect in run.state.effects.values()}
    return [by_step[each] for each in steps]


def test_what_is_raised_while_a_failure_is_handled_came_of_it() -> None:
    async def process(_: Any, ctx: Context) -> None:
        try:
            await ctx.task(step)
        except TaskFailed:
            try:
                await ctx.task(step)
            except TaskFailed as error:
                raise Failed("no") from error

    run = ended_after_failures(process, "1", "2")
    assert run.events[-1].data["error"] == {"name": "Failed", "message": "no", "causes": ids(run, "2", "1")}


def test_a_failure_that_was_caught_before_is_no_cause() -> None:
    async def process(_: Any, ctx: Context) -> None:
        try:
            await ctx.task(step)
        except TaskFailed:
            pass
        raise Failed("for another reason")

    run = ended_after_failures(process, "1")
    assert run.events[-1].data["error"] == {"name": "Failed", "message": "for another reason"}


def test_a_halt_and_a_mistake_name_the_failure_that_was_handled() -> None:
    async def halting(_: Any, ctx: Context) -> None:
        try:
            await ctx.task(step)
        except TaskFailed:
            ctx.halt("enough")

    async def mistaken(_: Any, ctx: Context) -> None:
        try:
            await ctx.task(step)
        except TaskFailed as error:
            error.data["missing"]

    halted = ended_after_failures(halting, "1")
    assert halted.events[-1].data == {"reason": "enough", "causes": ids(halted, "1")}
    stuck = ended_after_failures(mistaken, "1")
    assert problem(stuck)["causes"] == ids(stuck, "1")


def test_all_branches_of_any_are_causes_and_a_hidden_one_is_none() -> None:
    one, two, hidden = (TaskFailed("no", effect_id=each) for each in ("one", "two", "hidden"))
    one.__context__ = two.__context__ = AllFailed([one, two])
    assert causes_of(AllFailed([one, two])) == ["one", "two"]
    one.__context__, one.__suppress_context__ = hidden, True
    assert causes_of(ExceptionGroup("both", [one, ValueError()])) == ["one"]


def test_of_many_causes_the_nearest_are_kept() -> None:
    failures = [TaskFailed("no", effect_id=str(number)) for number in range(30)]
    assert causes_of(AllFailed(failures)) == [str(number) for number in range(20)]


class Falsy(Exception):
    def __bool__(self) -> bool:
        return False


def test_a_cause_may_be_an_exception_that_is_false() -> None:
    between, error = Falsy(), ValueError()
    between.__cause__, error.__cause__ = TaskFailed("no", effect_id="one"), between
    assert causes_of(error) == ["one"]


def problem(run: Rounds) -> dict[str, Any]:
    assert run.end is not None
    return describe_stuck(run.end)


def test_a_mistake_is_described_with_its_line_and_traceback() -> None:
    async def process(_: Any, ctx: Context) -> None:
        {}["missing"]  # here

    described = problem(start(process))
    file, line = line_of(process)
    assert {name: described[name] for name in ("name", "message", "file", "line", "hint")} == {
        "name": "KeyError",
        "message": "'missing'",
        "file": file,
        "line": line,
        "hint": "",
    }
    assert f'File "{file}", line {line}, in process' in described["traceback"]


def test_an_error_without_a_message_is_described_by_its_repr() -> None:
    assert describe_stuck(ending_with(ValueError()))["message"] == "ValueError()"


def test_a_broken_rule_of_ours_has_a_hint_and_needs_no_traceback() -> None:
    async def process(_: Any, ctx: Context) -> None:
        ctx.task(step)

    described = problem(start(process))
    assert (described["name"], described["hint"], described["traceback"]) == (
        "ProcessError",
        "write `await` before it, or hand it to ctx.parallel as `lambda: ctx.task('step')`",
        "",
    )


def test_a_mistake_tells_in_its_traceback_of_the_call_that_it_kept_from_its_await() -> None:
    async def process(_: Any, ctx: Context) -> None:
        await ctx.parallel.all([ctx.task(step), ctx.task(step, n={}["missing"])])

    assert "the ctx.task('step') made here is never awaited" in problem(start(process))["traceback"]


def test_a_run_stuck_in_no_known_line_says_so_with_an_empty_place() -> None:
    described = describe_stuck(End.stuck(ValueError("x"), None))
    assert (described["file"], described["line"]) == ("", 0)
