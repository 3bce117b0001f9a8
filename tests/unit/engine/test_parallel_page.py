"""The uses of parallel steps that the original documents, and the slips it warns of, as Python processes.

Checked are values and batches: what is asked for together in which round.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from babysitter.engine.replay import DeadlineExceeded
from babysitter.errors import Failed, NondeterminismError, TaskFailed
from tests.support.rounds import Rounds, a_task, line_of, play, start

if TYPE_CHECKING:
    from babysitter import Context
    from tests.support.rounds import Asked

implement, build, deploy, document = (a_task(name) for name in ("implement", "build", "deploy", "document"))
coverage, lint, types, security = (a_task(name) for name in ("coverage", "lint", "types", "security"))
write_tests, run_tests, integration, browser = (
    a_task(name) for name in ("write_tests", "run_tests", "integration", "browser")
)
score, review, convert, fetch = (a_task(name) for name in ("score", "review", "convert", "fetch"))
CHECKS = ["coverage", "lint", "types", "security"]


def echo(asked: Asked) -> Any:
    """A result that shows what it is a result of."""
    return {"of": asked.task, **asked.args}


def named(value: Any) -> Any:
    """The ids of the tasks that gave these results."""
    return [result["of"] for result in value]


# Several checks of one change.


async def checks_one_change(inputs: Any, ctx: Context) -> Any:
    change = await ctx.task(implement, feature=inputs["feature"])
    found = await ctx.parallel.all(
        [
            lambda: ctx.task(coverage, tests=change["tests"]),
            lambda: ctx.task(lint, files=change["files"]),
            lambda: ctx.task(types, files=change["files"]),
            lambda: ctx.task(security, files=change["files"]),
        ]
    )
    return dict(zip(CHECKS, found, strict=True))


def one_change(asked: Asked) -> Any:
    return {"tests": ["t"], "files": ["f"]} if asked.task == "implement" else echo(asked)


def test_independent_checks_are_one_batch_after_the_step_that_they_need() -> None:
    run = play(checks_one_change, one_change, {"feature": "login"})
    assert run.batches == [["implement"], CHECKS]


def test_each_check_gets_what_the_step_before_gave_and_gives_its_own_result() -> None:
    run = play(checks_one_change, one_change, {"feature": "login"})
    assert run.result == {
        "coverage": {"of": "coverage", "tests": ["t"]},
        "lint": {"of": "lint", "files": ["f"]},
        "types": {"of": "types", "files": ["f"]},
        "security": {"of": "security", "files": ["f"]},
    }


# Many files.


async def converts_files(inputs: Any, ctx: Context) -> Any:
    converted = await ctx.parallel.map(inputs["files"], lambda file: ctx.task(convert, file=file))
    return {"count": len(converted), "files": [each["file"] for each in converted]}


def test_all_items_of_a_map_are_one_batch_and_keep_their_order() -> None:
    run = play(converts_files, echo, {"files": ["b", "a", "c"]}, order=lambda steps: steps[::-1])
    assert run.batches == [["convert"] * 3]
    assert run.result == {"count": 3, "files": ["b", "a", "c"]}


# Several services.


async def deploys_services(inputs: Any, ctx: Context) -> Any:
    deployed = await ctx.parallel.all(
        {
            service: lambda service=service: ctx.task(deploy, service=service, to=inputs["to"])
            for service in ("api", "web", "worker")
        }
    )
    return {"success": all(each["ok"] for each in deployed.values()), "deployed": deployed}


def test_services_are_deployed_together() -> None:
    run = play(deploys_services, lambda asked: {"ok": True, **asked.args}, {"to": "staging"})
    assert run.batches == [["deploy"] * 3]
    assert run.result["deployed"]["web"] == {"ok": True, "service": "web", "to": "staging"}


def test_one_service_that_does_not_succeed_is_seen_in_the_whole() -> None:
    run = play(deploys_services, lambda asked: {"ok": asked.args["service"] != "web"}, {"to": "staging"})
    assert run.result["success"] is False


# One after the other, side by side, one after the other.


async def builds_and_verifies(_: Any, ctx: Context) -> Any:
    built = await ctx.task(build, target="app")
    tested, browsed, _documented = await ctx.parallel.all(
        [
            lambda: ctx.task(run_tests, files=built["files"]),
            lambda: ctx.task(browser, url=built["url"]),
            lambda: ctx.task(document, files=built["files"]),
        ]
    )
    if not (tested["ok"] and browsed["ok"]):
        return {"deployed": False}
    return {"deployed": True, "by": await ctx.task(deploy, build=built)}


def built_app(asked: Asked, *, is_good: bool = True) -> Any:
    return {"files": ["app"], "url": "http://preview", "ok": is_good, "of": asked.task}


def test_what_follows_a_group_waits_for_all_of_it() -> None:
    run = play(builds_and_verifies, built_app)
    assert run.batches == [["build"], ["run_tests", "browser", "document"], ["deploy"]]
    assert run.result["by"]["of"] == "deploy"


def test_a_step_that_the_results_speak_against_is_never_asked_for() -> None:
    run = play(builds_and_verifies, lambda asked: built_app(asked, is_good=False))
    assert run.batches == [["build"], ["run_tests", "browser", "document"]]
    assert run.result == {"deployed": False}


# The same steps one after the other and side by side.


async def one_after_the_other(_: Any, ctx: Context) -> Any:
    return [await ctx.task(lint), await ctx.task(run_tests), await ctx.task(coverage)]


async def side_by_side(_: Any, ctx: Context) -> Any:
    return await ctx.parallel.all([ctx.task(lint), ctx.task(run_tests), ctx.task(coverage)])


def test_steps_without_a_group_are_a_batch_each() -> None:
    assert play(one_after_the_other, echo).batches == [["lint"], ["run_tests"], ["coverage"]]


def test_steps_in_a_group_are_one_batch() -> None:
    assert play(side_by_side, echo).batches == [["lint", "run_tests", "coverage"]]


def test_both_give_the_same_results() -> None:
    assert play(one_after_the_other, echo).result == play(side_by_side, echo).result


def test_a_branch_may_give_a_value_without_any_step() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.all([lambda: ctx.task(lint), lambda: "ready"])

    assert play(process, echo).result == [{"of": "lint"}, "ready"]


# A loop until the quality is good enough.


async def improves(inputs: Any, ctx: Context) -> Any:
    quality, rounds = 0, 0
    while rounds < inputs["rounds"] and quality < inputs["quality"]:
        rounds += 1
        tests = await ctx.task(write_tests, round=rounds)
        change = await ctx.task(implement, tests=tests, round=rounds)
        ran = await ctx.task(run_tests, tests=tests)
        checks = await ctx.parallel.all(
            {
                "coverage": lambda tests=tests: ctx.task(coverage, tests=tests),
                "lint": lambda change=change: ctx.task(lint, change=change),
                "types": lambda change=change: ctx.task(types, change=change),
                "security": lambda change=change: ctx.task(security, change=change),
            }
        )
        scored = await ctx.task(score, ran=ran, checks=checks)
        quality = scored["overall"]
    return {"quality": quality, "rounds": rounds}


def improving(scores: list[int]) -> Any:
    remaining = iter(scores)
    return lambda asked: {"overall": next(remaining)} if asked.task == "score" else asked.task


ONE_ROUND = [["write_tests"], ["implement"], ["run_tests"], CHECKS, ["score"]]


def test_a_loop_asks_again_until_the_score_is_reached() -> None:
    run = play(improves, improving([60, 90]), {"rounds": 5, "quality": 85})
    assert (run.batches, run.result) == (ONE_ROUND * 2, {"quality": 90, "rounds": 2})


def test_a_loop_ends_after_so_many_rounds() -> None:
    run = play(improves, improving([10, 20, 30]), {"rounds": 3, "quality": 85})
    assert (run.batches, run.result) == (ONE_ROUND * 3, {"quality": 30, "rounds": 3})


def test_the_score_is_asked_for_with_all_that_the_checks_gave() -> None:
    run = play(improves, improving([90]), {"rounds": 5, "quality": 85})
    (asked,) = run.rounds[-1]
    assert asked.args == {"ran": "run_tests", "checks": {name: name for name in CHECKS}}


# Failures item by item.


async def converts_what_it_can(inputs: Any, ctx: Context) -> Any:
    async def one(file: str) -> Any:
        try:
            return {"file": file, "ok": True, "result": await ctx.task(convert, file=file)}
        except TaskFailed as error:
            return {"file": file, "ok": False, "error": error.message}

    results = await ctx.parallel.map(inputs["files"], one)
    good = [each for each in results if each["ok"]]
    ctx.log(f"{len(good)} of {len(results)} files")
    return {"good": good, "bad": [each for each in results if not each["ok"]]}


def converted(asked: Asked) -> Any:
    return TaskFailed("unreadable") if asked.args["file"] == "bad" else "converted"


def test_a_failure_caught_in_its_branch_leaves_the_others_alone() -> None:
    run = play(converts_what_it_can, converted, {"files": ["a", "bad", "c"]})
    assert run.result == {
        "good": [
            {"file": "a", "ok": True, "result": "converted"},
            {"file": "c", "ok": True, "result": "converted"},
        ],
        "bad": [{"file": "bad", "ok": False, "error": "unreadable"}],
    }


def test_a_failure_caught_in_its_branch_cancels_nothing() -> None:
    run = start(converts_what_it_can, {"files": ["bad", "c"]})
    run.resolve({run.pending[0]: TaskFailed("unreadable")})
    assert (run.cancelled, len(run.pending)) == ([], 1)


def test_the_line_about_it_is_in_the_journal_once() -> None:
    run = play(converts_what_it_can, converted, {"files": ["a", "bad"]}, by_replay=True)
    assert [event.data["message"] for event in run.events if event.type == "PROCESS_LOG"] == ["1 of 2 files"]


# Chunks.


async def converts_in_chunks(inputs: Any, ctx: Context) -> Any:
    items, size, results = inputs["items"], inputs["size"], list[Any]()
    for first in range(0, len(items), size):
        chunk = items[first : first + size]
        results += await ctx.parallel.map(chunk, lambda item: ctx.task(convert, item=item))
        ctx.log(f"{len(results)} of {len(items)}")
    return results


def test_chunks_are_a_batch_each() -> None:
    run = play(converts_in_chunks, echo, {"items": list(range(25)), "size": 10})
    assert [len(batch) for batch in run.batches] == [10, 10, 5]
    assert [each["item"] for each in run.result] == list(range(25))


def test_chunks_log_how_far_they_are() -> None:
    run = play(converts_in_chunks, echo, {"items": list(range(25)), "size": 10}, by_replay=True)
    logged = [event.data["message"] for event in run.events if event.type == "PROCESS_LOG"]
    assert logged == ["10 of 25", "20 of 25", "25 of 25"]


# A last check of everything.


async def verifies(inputs: Any, ctx: Context) -> Any:
    tested, covered, integrated = await ctx.parallel.all(
        [
            lambda: ctx.task(run_tests, tests=inputs["tests"]),
            lambda: ctx.task(coverage, tests=inputs["tests"]),
            lambda: ctx.task(integration, feature=inputs["feature"]),
        ]
    )
    return await ctx.task(review, tested=tested, covered=covered, integrated=integrated)


def test_a_review_is_asked_for_with_all_results_of_the_group_before() -> None:
    run = play(verifies, lambda asked: asked.task, {"tests": ["t"], "feature": "login"})
    assert run.batches == [["run_tests", "coverage", "integration"], ["review"]]
    assert run.rounds[1][0].args == {
        "tested": "run_tests",
        "covered": "coverage",
        "integrated": "integration",
    }


# First slip: calls without a function around them.


def test_calls_without_lambda_wait_for_their_group_all_the_same() -> None:
    async def with_lambda(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.all([lambda: ctx.task(lint), lambda: ctx.task(types)])

    async def without(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.all([ctx.task(lint), ctx.task(types)])

    one, other = play(with_lambda, echo), play(without, echo)
    assert (one.batches, one.steps, one.result) == (other.batches, other.steps, other.result)


def test_awaiting_in_the_list_by_mistake_is_named() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.all([await ctx.task(lint), await ctx.task(types)])

    run = play(process, echo)
    assert str(run.error).endswith("write `lambda: ctx.task(…)`, without `await` before it")


# Second slip: a branch that needs what another one gives.


async def needs_its_neighbour(_: Any, ctx: Context) -> Any:
    fetched, converted = await ctx.parallel.all(
        [
            lambda: ctx.task(fetch),
            lambda: ctx.task(convert, source=fetched),  # here
        ]
    )
    return [fetched, converted]


def test_a_branch_that_uses_the_result_of_its_neighbour_is_an_error_at_its_line() -> None:
    run = start(needs_its_neighbour)
    assert run.end is not None
    assert (type(run.error), run.end.place) == (NameError, line_of(needs_its_neighbour))


def test_such_a_branch_asks_for_nothing_with_an_undefined_value() -> None:
    assert start(needs_its_neighbour).batches == []


def test_one_after_the_other_the_second_gets_what_the_first_gave() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        fetched = await ctx.task(fetch)
        return await ctx.task(convert, source=fetched)

    run = play(process, echo)
    assert run.batches == [["fetch"], ["convert"]]
    assert run.result == {"of": "convert", "source": {"of": "fetch"}}


# Third slip: one failure stops all.


async def all_three(_: Any, ctx: Context) -> Any:
    return await ctx.parallel.all([ctx.task(lint), ctx.task(types), ctx.task(security)])


def failing(name: str) -> Any:
    return lambda asked: TaskFailed(f"{name} failed") if asked.task == name else echo(asked)


def test_one_failure_fails_the_run_when_nobody_catches_it() -> None:
    run = play(all_three, failing("types"))
    assert run.end is not None
    assert (run.end.status, str(run.error)) == ("failed", "types failed")


def test_the_results_of_the_others_are_on_the_error_and_not_lost() -> None:
    run = play(all_three, failing("security"))
    partial = getattr(run.error, "partial", None)
    assert [outcome.value for outcome in partial or []] == [{"of": "lint"}, {"of": "types"}, None]


def test_settled_keeps_what_succeeded_and_what_failed_apart() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        outcomes = await ctx.parallel.settled([ctx.task(lint), ctx.task(types), ctx.task(security)])
        return [outcome.value if outcome.ok else str(outcome.error) for outcome in outcomes]

    assert play(process, failing("types")).result == [{"of": "lint"}, "types failed", {"of": "security"}]


def test_a_run_can_be_ended_as_failed_with_all_failures_told() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        outcomes = await ctx.parallel.settled({"lint": ctx.task(lint), "types": ctx.task(types)})
        failed = [name for name, outcome in outcomes.items() if not outcome.ok]
        if failed:
            raise Failed(f"failed: {', '.join(failed)}", {"failed": failed})

    run = play(process, failing("types"))
    assert run.events[-1].data["error"] == {
        "name": "Failed",
        "message": "failed: types",
        "data": {"failed": ["types"]},
    }


# Fourth slip: to expect results in the order of arrival.


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 1, 0], [1, 2, 0]])
def test_results_are_in_the_order_of_the_branches_whatever_is_fastest(order: list[int]) -> None:
    run = start(all_three)
    steps = list(run.pending)
    for at in order:
        run.resolve({steps[at]: {"of": ["lint", "types", "security"][at]}})
    assert named(run.result) == ["lint", "types", "security"]


# Fifth slip: too much at once.


async def converts_a_thousand(_: Any, ctx: Context) -> Any:
    return await ctx.parallel.map(range(1000), lambda item: ctx.task(convert, item=item), limit=50)


def test_a_limit_keeps_a_thousand_items_from_being_asked_for_at_once() -> None:
    run = play(converts_a_thousand, echo)
    assert max(len(batch) for batch in run.batches) == 50
    assert [each["item"] for each in run.result] == list(range(1000))


# What the original gets wrong.


async def two_chains(_: Any, ctx: Context) -> Any:
    async def chain(source: str) -> Any:
        fetched = await ctx.task(fetch, source=source)
        return await ctx.task(convert, source=source, fetched=fetched)

    return await ctx.parallel.all([lambda: chain("a"), lambda: chain("b")])


@pytest.mark.parametrize("order", [list, lambda steps: steps[::-1]], ids=["in order", "reversed"])
@pytest.mark.parametrize("by_replay", [True, False])
def test_a_second_step_never_holds_the_first_result_of_another_chain(order: Any, by_replay: bool) -> None:
    run = play(two_chains, echo, by_replay=by_replay, order=order)
    assert run.result == [
        {"of": "convert", "source": source, "fetched": {"of": "fetch", "source": source}} for source in "ab"
    ]


def test_chains_that_overtake_each_other_run_every_task_once() -> None:
    run = start(two_chains, by_replay=True)
    for step in ("1.1.1", "1.1.2", "1.0.1", "1.0.2"):
        run.resolve({step: step})
    assert sorted((asked.step, asked.args["source"]) for batch in run.rounds for asked in batch) == [
        ("1.0.1", "a"),
        ("1.0.2", "a"),
        ("1.1.1", "b"),
        ("1.1.2", "b"),
    ]
    assert run.result == ["1.0.2", "1.1.2"]


async def tries(_: Any, ctx: Context) -> Any:
    try:
        return await ctx.task(fetch)
    except Exception:
        return "nothing fetched"


def test_try_round_a_task_does_not_catch_that_it_is_not_ready_yet() -> None:
    run = start(tries)
    assert (run.end, run.batches) == (None, [["fetch"]])


def test_try_round_a_task_catches_its_failure() -> None:
    assert play(tries, lambda _: TaskFailed("no")).result == "nothing fetched"


def test_swapped_calls_do_not_get_each_others_results() -> None:
    async def fetches_first(_: Any, ctx: Context) -> Any:
        return [await ctx.task(fetch), await ctx.task(convert)]

    async def converts_first(_: Any, ctx: Context) -> Any:
        return [await ctx.task(convert), await ctx.task(fetch)]

    with pytest.raises(NondeterminismError, match="has task 'fetch', but the process now has task 'convert'"):
        Rounds(converts_first, events=play(fetches_first, echo).events)


def test_changed_arguments_do_not_get_the_old_result() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        return await ctx.task(fetch, source=inputs)

    with pytest.raises(NondeterminismError, match="the same task with other arguments"):
        Rounds(process, "b", events=play(process, echo, "a").events)


async def naps_then_works(_: Any, ctx: Context) -> Any:
    winner = await ctx.parallel.race({"nap": lambda: ctx.sleep("1h"), "work": lambda: ctx.task(fetch)})
    return [winner, await ctx.task(convert)]


@pytest.mark.parametrize("first", ["1.nap.1", "1.work.1"])
def test_a_sleep_that_ends_early_shifts_no_names(first: str) -> None:
    run = start(naps_then_works)
    assert run.resolve({first: None}) == ["2"]


def test_a_limit_is_obeyed() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return await ctx.parallel.map(range(6), lambda item: ctx.task(convert, item=item), limit=2)

    run = start(process)
    most = len(run.pending)
    while run.end is None:
        run.resolve({run.pending[-1]: None})
        most = max(most, len(run.pending))
    assert (most, len(run.result)) == (2, 6)


def test_a_failing_branch_leaves_no_orphans() -> None:
    run = start(all_three)
    run.resolve({"1.0.1": TaskFailed("no")})
    assert (run.pending, run.cancelled, run.state.status) == ([], ["1.1.1", "1.2.1"], "failed")


def test_a_process_that_awaits_what_never_comes_is_stuck_at_its_line() -> None:
    class Never:
        def __await__(self) -> Any:
            yield

    async def process(_: Any, ctx: Context) -> Any:
        await ctx.task(fetch)
        await Never()

    run = play(process, echo)
    assert run.end is not None
    assert (run.end.status, type(run.error).__name__) == ("stuck", "ForeignAwait")


def test_an_endless_loop_can_be_broken_from_outside() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        turns = 0
        while True:
            turns += 1
            if turns > 1000:
                raise DeadlineExceeded  # as the alarm does, at whatever line runs

    with pytest.raises(DeadlineExceeded):
        start(process)


def test_with_a_limit_nobody_waits_for_the_slowest_of_a_chunk() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        items = [f"i{number}" for number in range(6)]
        return await ctx.parallel.map(items, lambda item: ctx.task(convert, item=item), limit=3, key=str)

    run = start(process)
    slow = "1.i0.1"
    while len(run.pending) > 1:
        run.resolve({next(step for step in run.pending if step != slow): None})
    assert (run.pending, [len(batch) for batch in run.batches]) == ([slow], [3, 1, 1, 1])


def test_with_chunks_everybody_does() -> None:
    run = start(converts_in_chunks, {"items": list(range(6)), "size": 3})
    run.resolve(dict.fromkeys(run.pending[1:]))
    assert (len(run.pending), [len(batch) for batch in run.batches]) == (1, [3])
