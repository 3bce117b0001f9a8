"""Trying again: how often, after which failures, after how long, and what of it the journal shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from babysitter import Context, Retry, TaskCancelled, TaskFailed, TaskTimeout
from babysitter.errors import NondeterminismError
from tests.support.rounds import Rounds, a_task, play, start

if TYPE_CHECKING:
    from tests.support.rounds import Asked, Process

flaky, other = a_task("flaky"), a_task("other")
NO = TaskFailed("no")
SEED = "run-1 1"


def tried(retry: Retry) -> Process:
    """A process of one task that is tried again."""

    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.task(flaky.using(retry=retry))

    return process


def attempts(run: Rounds) -> list[tuple[str, str, int]]:
    """Step, task and attempt of all that was asked for."""
    return [(effect.step, effect.task_id, effect.attempt) for effect in run.state.effects.values()]


def waits(retry: Retry, seed: str = SEED) -> list[float | None]:
    """The wait after each failure, until there is none."""
    found: list[float | None] = []
    while not found or found[-1] is not None:
        found.append(retry.wait_after(len(found) + 1, NO, seed))
    return found


# What is asked for


def test_a_failed_attempt_is_asked_for_again_under_the_same_step_after_a_wait() -> None:
    run = play(tried(Retry(3)), lambda asked: None if asked.task == "sleep" else NO)
    assert attempts(run) == [
        ("1", "flaky", 1),
        ("1~retry1", "sleep", 1),
        ("1", "flaky", 2),
        ("1~retry2", "sleep", 1),
        ("1", "flaky", 3),
    ]


def test_each_attempt_is_an_effect_of_its_own() -> None:
    run = play(tried(Retry(3, 0)), lambda _: NO)
    assert len({effect.id for effect in run.state.effects.values()}) == 3


def test_the_wait_is_a_sleep_of_its_length() -> None:
    run = start(tried(Retry(2, "3s")))
    run.resolve({"1": NO})
    assert [(asked.step, asked.args) for asked in run.rounds[-1]] == [("1~retry1", {"seconds": 3})]


def test_without_a_wait_the_next_attempt_is_asked_for_at_once() -> None:
    run = start(tried(Retry(2, backoff=0)))
    assert run.resolve({"1": NO}) == ["1"]


def test_what_an_attempt_gives_is_the_result() -> None:
    run = start(tried(Retry(2, 0)))
    run.resolve({"1": NO})
    run.resolve({"1": "at last"})
    assert run.result == "at last"


def test_a_result_is_read_as_that_of_the_task() -> None:
    from babysitter import shell

    @shell(retry=Retry(2, 0))
    def command() -> list[str]:
        return ["true"]

    async def process(_: Any, ctx: Context) -> Any:
        return (await ctx.task(command)).exit_code

    run = start(process)
    run.resolve({"1": NO})
    run.resolve({"1": {"exitCode": 7}})
    assert run.result == 7


def test_the_last_failure_stands_and_says_how_often_it_was_tried() -> None:
    run = play(tried(Retry(3, 0)), lambda _: NO)
    assert isinstance(run.error, TaskFailed)
    assert (run.error.attempts, run.error.step, run.error.message) == (3, "1", "no")


def test_one_attempt_is_no_retry() -> None:
    run = play(tried(Retry(1)), lambda _: NO)
    assert (attempts(run), str(run.error)) == ([("1", "flaky", 1)], "no")


def test_no_other_step_is_renamed_by_attempts() -> None:
    async def process(_: Any, ctx: Context) -> None:
        await ctx.task(flaky.using(retry=Retry(3)))
        await ctx.task(other)

    run = start(process)
    run.resolve({"1": NO})
    run.resolve({"1~retry1": None})
    assert run.resolve({"1": 1}) == ["2"]


def test_a_step_with_a_key_keeps_it_for_all_attempts() -> None:
    async def process(_: Any, ctx: Context) -> None:
        await ctx.task(flaky.using(key="unit", retry=Retry(2)))

    run = start(process)
    run.resolve({"unit": NO})
    run.resolve({"unit~retry1": None})
    assert run.pending == ["unit"]


def test_branches_are_tried_again_each_for_itself() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        task = flaky.using(retry=Retry(2, 0))
        return await ctx.parallel.map(["a", "b"], lambda name: ctx.task(task, name=name), key=str)

    failures = {"a": 1, "b": 0}

    def answer(asked: Asked) -> Any:
        name = asked.args["name"]
        failures[name] -= 1
        return NO if failures[name] >= 0 else name

    run = play(process, answer)
    assert (run.result, run.steps) == (["a", "b"], [["1.a.1", "1.b.1"], ["1.a.1"]])


@pytest.mark.parametrize("by_replay", [False, True])
def test_a_wait_that_is_abandoned_is_cancelled(by_replay: bool) -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.race(
            [lambda: ctx.task(flaky.using(retry=Retry(2))), lambda: ctx.task(other)]
        )

    run = start(process, by_replay=by_replay)
    run.resolve({"1.0.1": NO})
    run.resolve({"1.1.1": "won"})
    assert (run.cancelled, run.result) == (["1.0.1~retry1"], "won")


@pytest.mark.parametrize("by_replay", [False, True])
def test_an_attempt_that_is_abandoned_is_cancelled_and_not_tried_again(by_replay: bool) -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.race(
            [lambda: ctx.task(flaky.using(retry=Retry(9, 0))), lambda: ctx.task(other)]
        )

    run = start(process, by_replay=by_replay)
    run.resolve({"1.0.1": NO})
    run.resolve({"1.1.1": "won"})
    told = [
        (effect.attempt, effect.status) for effect in run.state.effects.values() if effect.step == "1.0.1"
    ]
    assert (told, run.result) == ([(1, "error"), (2, "cancelled")], "won")


# People who cancel


def test_what_a_person_has_cancelled_is_not_tried_again() -> None:
    run = start(tried(Retry(3, 0)))
    run.cancel("1")
    assert (type(run.error), len(run.state.effects)) == (TaskCancelled, 1)


def test_it_is_when_the_process_says_so_by_name() -> None:
    run = start(tried(Retry(3, 0, on=TaskCancelled)))
    assert run.cancel("1") == ["1"]


@pytest.mark.parametrize("by_replay", [False, True])
def test_a_wait_that_a_person_cancels_is_the_cancellation_of_its_task(by_replay: bool) -> None:
    run = start(tried(Retry(5)), by_replay=by_replay)
    run.resolve({"1": NO})
    run.resolve({"1~retry1": None})
    run.resolve({"1": NO})
    run.cancel("1~retry2")
    assert isinstance(run.error, TaskCancelled)
    assert (run.error.task_id, run.error.step, run.error.attempts) == ("flaky", "1", 2)


def test_an_attempt_that_a_person_cancels_says_which_one_it_was() -> None:
    run = start(tried(Retry(3, 0)))
    run.resolve({"1": NO})
    run.cancel("1")
    assert isinstance(run.error, TaskCancelled)
    assert run.error.attempts == 2


def test_another_attempt_than_the_journal_has_is_a_divergence() -> None:
    run = start(tried(Retry(3, 0)))
    asked = run.events[-1]
    events = [*run.events[:-1], asked._replace(data={**asked.data, "attempt": 2})]
    with pytest.raises(
        NondeterminismError, match="has attempt 2 of task 'flaky', but the process now has att"
    ):
        Rounds(tried(Retry(3, 0)), events=events)


# Which failures


def covers(on: Any, error: TaskFailed) -> bool:
    return Retry(2, 0, on=on).wait_after(1, error, SEED) is not None


TIMED_OUT, REFUSED = TaskTimeout("late", name="TaskTimeout"), TaskFailed("no", name="ConnectionError")
GIVEN_UP = TaskCancelled("no", name="TaskCancelled")


@pytest.mark.parametrize(
    ("on", "covered"),
    [
        (None, [TIMED_OUT, REFUSED]),
        (TaskTimeout, [TIMED_OUT]),
        (TimeoutError, [TIMED_OUT]),
        (Exception, [TIMED_OUT, REFUSED]),
        (ConnectionError, [REFUSED]),
        ("ConnectionError", [REFUSED]),
        ([TaskTimeout, "ConnectionError"], [TIMED_OUT, REFUSED]),
        ({"TaskTimeout"}, [TIMED_OUT]),
        (TaskCancelled, [GIVEN_UP]),
        ([TaskFailed, "TaskCancelled"], [TIMED_OUT, REFUSED, GIVEN_UP]),
        (lambda error: error.message == "late", [TIMED_OUT]),
        ("Other", []),
    ],
)
def test_a_failure_is_covered_by_class_name_or_function(on: Any, covered: list[TaskFailed]) -> None:
    assert [error for error in (TIMED_OUT, REFUSED, GIVEN_UP) if covers(on, error)] == covered


def test_a_failure_that_is_not_covered_stands_at_once() -> None:
    run = start(tried(Retry(3, on="Other")))
    run.resolve({"1": NO})
    assert isinstance(run.error, TaskFailed)
    assert run.error.attempts == 1


def test_a_mistake_in_the_function_is_the_authors() -> None:
    run = start(tried(Retry(3, on=lambda error: error.nothing)))  # type: ignore[attr-defined]
    run.resolve({"1": NO})
    assert run.end is not None
    assert (run.end.status, type(run.error)) == ("stuck", AttributeError)


# How long


@pytest.mark.parametrize(
    ("retry", "expected"),
    [
        (Retry(4), [1, 2, 4, None]),
        (Retry(4, "10s", factor=3), [10, 30, 90, None]),
        (Retry(5, 60, max_backoff="2m"), [60, 120, 120, 120, None]),
        (Retry(4, 2, factor=1), [2, 2, 2, None]),
        (Retry(4, [1, "5s"]), [1, 5, 5, None]),
        (Retry(4, (1, 2, 3)), [1, 2, 3, None]),
        (Retry(3, [1000], max_backoff=5), [1000, 1000, None]),
        (Retry(3, 0), [0, 0, None]),
        (Retry(3, 0.0004), [0, 0.001, None]),
    ],
)
def test_the_waits_grow_as_they_are_told_to(retry: Retry, expected: list[float | None]) -> None:
    assert waits(retry) == expected


@pytest.mark.parametrize(("backoff", "longest"), [(1, 300), (0, 0)])
def test_a_wait_that_is_too_large_for_a_number_is_the_longest(backoff: float, longest: float) -> None:
    assert Retry(1000, backoff, factor=1e300).wait_after(9, NO, SEED) == longest


def test_jitter_shortens_each_wait_by_chance_within_its_part() -> None:
    found = [Retry(9, 100, factor=1, jitter=0.25).wait_after(1, NO, f"run-{at} 1") for at in range(200)]
    assert all(wait is not None and 75 <= wait <= 100 for wait in found)
    assert len(set(found)) > 190
    assert [min(found) < 80, max(found) > 95] == [True, True]  # type: ignore[operator, type-var]


def test_jitter_is_the_same_on_every_replay() -> None:
    retry = Retry(5, 10, jitter=1)
    assert waits(retry) == waits(Retry(5, 10, jitter=1)) == waits(retry)


def test_jitter_differs_between_steps_and_between_attempts() -> None:
    retry = Retry(3, 10, factor=1, jitter=1)
    assert len({*waits(retry, "run-1 1")[:2], *waits(retry, "run-1 2")[:2]}) == 4


def test_jitter_is_of_the_run_and_the_step() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        task = flaky.using(retry=Retry(2, 10, jitter=1))
        return await ctx.parallel.all([lambda: ctx.task(task), lambda: ctx.task(task)])

    run = start(process)
    run.resolve({"1.0.1": NO, "1.1.1": NO})
    asked = [waiting.args["seconds"] for waiting in run.rounds[-1]]
    expected = [Retry(2, 10, jitter=1).wait_after(1, NO, f"run-1 1.{at}.1") for at in (0, 1)]
    assert asked == expected


# What makes no sense


@pytest.mark.parametrize(
    ("values", "error", "message"),
    [
        ({"max_attempts": 0}, ValueError, "max_attempts=0 is not from 1 to 1000"),
        ({"max_attempts": 1001}, ValueError, "max_attempts=1001 is not from 1 to 1000"),
        ({"max_attempts": True}, TypeError, "max_attempts=True is not a whole number"),
        ({"max_attempts": 2.0}, TypeError, "max_attempts=2.0 is not a whole number"),
        ({"max_attempts": 2, "backoff": -1}, ValueError, "-1 is not a length of time"),
        ({"max_attempts": 2, "backoff": "soon"}, ValueError, "'soon' is not a length of time"),
        ({"max_attempts": 2, "backoff": []}, ValueError, "has no wait in it; write backoff=0"),
        ({"max_attempts": 2, "backoff": [1, None]}, ValueError, "None is not a length of time"),
        ({"max_attempts": 2, "max_backoff": None}, ValueError, "None is not a length of time"),
        ({"max_attempts": 2, "factor": 0.5}, ValueError, "factor=0.5 is not a number from 1 on"),
        ({"max_attempts": 2, "factor": float("inf")}, ValueError, "factor=inf is not a number from 1 on"),
        ({"max_attempts": 2, "factor": "2"}, ValueError, "factor='2' is not a number from 1 on"),
        ({"max_attempts": 2, "jitter": 1.5}, ValueError, "jitter=1.5 is not a number from 0 to 1"),
        ({"max_attempts": 2, "jitter": float("nan")}, ValueError, "jitter=nan is not a number from 0 to 1"),
        ({"max_attempts": 2, "jitter": "some"}, ValueError, "jitter='some' is not a number from 0 to 1"),
        ({"max_attempts": 2, "on": 3}, TypeError, "on=3 is neither a class of failures nor the name of one"),
        ({"max_attempts": 2, "on": int}, TypeError, "is neither a class of failures"),
        ({"max_attempts": 2, "on": ["No", 3]}, TypeError, "on=3 is neither a class of failures"),
        ({"max_attempts": 2, "on": []}, ValueError, "on=\\[\\] covers no failure at all"),
    ],
)
def test_what_makes_no_sense_is_refused(values: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Retry(**values)


@pytest.mark.parametrize("retry", [3, "3", {"max_attempts": 3}])
def test_only_a_retry_is_an_option_of_a_task(retry: Any) -> None:
    with pytest.raises(TypeError, match="is not a Retry; write retry=Retry\\(3\\)"):
        flaky.using(retry=retry)


def test_a_retry_shows_how_often() -> None:
    assert repr(Retry(4, 9)) == "Retry(4)"
