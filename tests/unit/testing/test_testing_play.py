"""A process in memory, with the results that a test gives."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel

from babysitter import Context, Failed, TaskFailed, agent, define_task, python, shell
from babysitter.errors import InvalidInput, NoAnswer, ProcessError, ResultRejected
from babysitter.testing import approves, begin, exits, fails, in_turn, never, play, takes


class Verdict(BaseModel):
    defects: list[str]


# pytest would take a task called `tests` for a test.
@shell(id="tests", title="Run the tests")
def run_tests(path: str) -> list[str]:
    return ["pytest", "-q", path]


@shell(check=False)
def lint() -> str:
    return "ruff check ."


@shell(parse="json")
def packages() -> list[str]:
    return ["pip", "list", "--format=json"]


@python
def count(path: str) -> int:
    return len(path)


@agent(returns={"type": "object", "required": ["defects"]})
def review(diff: str) -> str:
    return f"Find defects in {diff}"


@agent(returns=Verdict)
def judge(diff: str) -> str:
    return diff


post = define_task("post", lambda args: {"kind": "webhook", "title": "Post", "webhook": args})


def one(task: Any, **args: Any) -> Any:
    """A process of one task, which gives its result."""

    async def process(inputs: Any, ctx: Context) -> Any:
        return await ctx.task(task, **args)

    return process


async def release(inputs: Any, ctx: Context) -> Any:
    ran, found = await ctx.parallel.all(
        [lambda: ctx.task(run_tests, path="src"), lambda: ctx.task(review, diff="d")]
    )
    sizes = await ctx.parallel.map(inputs["files"], lambda file: ctx.task(count, path=file))
    return {"said": ran.stdout, "defects": found["defects"], "sizes": sizes}


def test_a_process_is_played_to_its_end() -> None:
    played = play(
        release,
        {"files": ["a", "bb"]},
        results={"tests": "2 passed", "review": {"defects": []}, "count": count},
    )
    assert (played.status, played.output) == (
        "completed",
        {"said": "2 passed", "defects": [], "sizes": [1, 2]},
    )


def test_what_was_asked_for_together_is_one_batch() -> None:
    played = play(
        release, {"files": ["a", "b"]}, results={"tests": "", "review": {"defects": []}, "count": 1}
    )
    assert played.tasks == [["tests", "review"], ["count", "count"]]
    assert played.calls == [
        ["tests(path='src')", "review(diff='d')"],
        ["count(path='a')", "count(path='b')"],
    ]
    assert played.titles == [["Run the tests", "review"], ["count", "count"]]


def test_a_request_shows_all_that_its_executor_gets() -> None:
    played = play(release, {"files": []}, results={"tests": "", "review": {"defects": []}})
    (ran,), (found,) = played.asked("tests"), played.asked("1.1.1")
    assert (ran.step, ran.kind, ran.args, ran.argv, ran.attempt) == (
        "1.0.1",
        "shell",
        {"path": "src"},
        ["pytest", "-q", "src"],
        1,
    )
    assert (found.task, found.prompt, found.argv) == ("review", "Find defects in d", None)
    assert played.asked("Run the tests") == [ran]


def test_a_result_is_found_by_the_task_itself() -> None:
    assert play(one(count, path="a"), results={count: 5}).output == 5


def test_a_result_for_a_step_comes_before_that_of_its_task() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        return [await ctx.task(count, path="a"), await ctx.task(count, path="b")]

    assert play(process, results={"count": 1, "2": 2}).output == [1, 2]


def test_a_result_is_computed_from_the_arguments() -> None:
    assert play(one(count, path="abc"), results={"count": lambda path: path * 2}).output == "abcabc"


def test_one_function_can_answer_everything() -> None:
    played = play(one(count, path="abc"), results=lambda asked: [asked.task, asked.step, asked.args])
    assert played.output == ["count", "1", {"path": "abc"}]


def test_results_in_turn_come_one_after_the_other() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        try:
            return await ctx.task(count, path="a")
        except TaskFailed as error:
            return [error.name, await ctx.task(count, path="a")]

    assert play(process, results={"count": in_turn(fails("TaskTimeout"), 7)}).output == ["TaskTimeout", 7]


def test_in_each_play_the_turns_begin_anew() -> None:
    results = {"count": in_turn(1)}
    assert [play(one(count, path="a"), results=results).output for _ in range(2)] == [1, 1]


def test_more_requests_than_turns_are_an_error() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        return [await ctx.task(count, path=path) for path in "ab"]

    with pytest.raises(
        NoAnswer, match=r"for the 2. time, by count.path='b'. at step '2', and in_turn has 1 res"
    ):
        play(process, results={"count": in_turn(1)})


def test_a_list_is_a_value_like_any_other() -> None:
    assert play(one(count, path="a"), results={"count": [1, 2]}).output == [1, 2]


def test_a_failure_is_seen_by_the_process() -> None:
    played = play(one(count, path="a"), results={"count": fails("OutOfDisk", "no space", data={"left": 0})})
    assert (played.status, repr(played.error)) == ("failed", "OutOfDisk: no space")


def test_a_timeout_and_a_cancellation_have_their_own_classes() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        outcomes = await ctx.parallel.settled([ctx.task(count, path=path) for path in "ab"])
        return [type(outcome.error).__name__ for outcome in outcomes]

    results = {"count": lambda path: fails("TaskTimeout" if path == "a" else "TaskCancelled")}
    assert play(process, results=results).output == ["TaskTimeout", "TaskCancelled"]


def test_what_a_python_task_itself_raises_is_its_failure() -> None:
    @python
    def broken(path: str) -> int:
        raise ValueError(f"no {path}")

    assert repr(play(one(broken, path="a"), results={"broken": broken}).error) == "ValueError: no a"


def test_what_a_function_of_the_test_raises_is_the_tests_mistake() -> None:
    def compute(path: str) -> int:
        raise KeyError(path)

    with pytest.raises(KeyError, match="a"):
        play(one(count, path="a"), results={"count": compute})


@pytest.mark.parametrize("given", [(1, 2), {"a": (1,)}, {1: "one"}])
def test_a_result_passes_through_json(given: Any) -> None:
    expected = {"(1, 2)": [1, 2], "{'a': (1,)}": {"a": [1]}, "{1: 'one'}": {"1": "one"}}[str(given)]
    assert play(one(count, path="a"), results={"count": given}).output == expected


def test_a_result_that_is_not_json_is_refused_and_names_the_request() -> None:
    with pytest.raises(ResultRejected, match=r"<count\(path='a'\) at step 1>: .* is not JSON"):
        play(one(count, path="a"), results={"count": {1, 2}})


def test_an_answer_of_an_agent_has_to_fit_its_schema() -> None:
    with pytest.raises(ResultRejected, match="defects is needed"):
        play(one(review, diff="d"), results={"review": {}})


def test_a_model_can_be_given_as_a_model_and_comes_as_one() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        return (await ctx.task(judge, diff="d")).defects

    assert play(process, results={"judge": Verdict(defects=["a"])}).output == ["a"]


def test_a_text_is_what_a_command_prints() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        ran = await ctx.task(run_tests, path="src")
        return [ran.ok, ran.exit_code, ran.stdout, ran.stderr]

    assert play(process, results={"tests": "2 passed\n"}).output == [True, 0, "2 passed\n", ""]


def test_a_number_is_the_exit_code_of_a_command() -> None:
    played = play(one(run_tests, path="src"), results={"tests": 3})
    assert played.error is not None
    assert (played.error.name, played.error.message, played.error.exit_code) == (
        "ShellFailed",
        "'pytest -q src' ended with exit code 3",
        3,
    )


def test_an_exit_code_that_is_not_checked_is_a_result() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        ran = await ctx.task(lint)
        return [ran.exit_code, ran.stderr]

    assert play(process, results={"lint": exits(1, stderr="E501")}).output == [1, "E501"]


@pytest.mark.parametrize("given", ['[{"name": "a"}]', [{"name": "a"}]])
def test_what_a_command_prints_as_json_is_parsed(given: Any) -> None:
    assert play(one(packages), results={"packages": given}).output == [{"name": "a"}]


def test_what_a_command_prints_and_is_no_json_fails_as_it_does_in_a_run() -> None:
    played = play(one(packages), results={"packages": "nonsense"})
    assert played.error is not None
    assert played.error.name == "ParseFailed"


def test_a_command_gives_no_value() -> None:
    with pytest.raises(InvalidInput, match=r"the result of shell task 'tests' is {'ok': True}"):
        play(one(run_tests, path="src"), results={"tests": {"ok": True}})


def test_secrets_in_what_a_command_prints_are_redacted_as_in_a_run() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        return (await ctx.task(lint)).stdout

    assert play(process, results={"lint": "password=hunter2000"}).output == "password=[redacted]"


def test_a_kind_of_the_authors_own_gets_what_the_test_gives() -> None:
    assert play(one(post, to="a"), results={"post": {"code": 200}}).output == {"code": 200}


def test_a_missing_answer_names_the_request_and_says_what_to_write() -> None:
    with pytest.raises(NoAnswer) as caught:
        play(one(run_tests, path="src"), results={"test": "ok"})
    assert str(caught.value) == (
        "the test has no answer for shell 'tests', asked for at step '1' as tests(path='src')"
    )
    (hint,) = caught.value.__notes__
    assert hint.startswith("hint: write results={'tests': 'what it prints'}, or an exit code, or")


def test_what_never_comes_is_waited_for() -> None:
    played = play(one(count, path="a"), results={"count": never})
    assert (played.status, [str(asked) for asked in played.pending]) == ("waiting", ["count(path='a')"])


def test_a_process_that_is_not_completed_has_no_output() -> None:
    played = play(one(count, path="a"), results={"count": never})
    with pytest.raises(AssertionError, match=r"no output: waiting for count\(path='a'\) at step 1"):
        _ = played.output


def test_a_mistake_of_the_author_makes_it_stuck_and_is_told_with_its_line() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        return inputs["nothing"]

    played = play(process)
    assert (played.status, played.error) == ("stuck", None)
    assert played.problem is not None
    assert "test_testing_play.py, line" in played.problem
    assert "KeyError: 'nothing'" in played.problem


def test_a_mistake_shows_where_a_test_fails_because_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        return inputs["nothing"]

    play(process)
    assert "test_testing_play.py, line" in capsys.readouterr().err


def test_an_error_points_to_the_line_of_the_test() -> None:
    with pytest.raises(NoAnswer) as caught:
        play(one(count, path="a"))
    shown = [entry.name for entry in caught.traceback if not entry.ishidden(caught)]
    assert shown == ["test_an_error_points_to_the_line_of_the_test"]


def test_a_failure_on_purpose_has_its_data() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        raise Failed("no good", {"why": 1})

    error = play(process).error
    assert error is not None
    assert (error.name, error.message, error.data) == ("Failed", "no good", {"why": 1})


def test_what_the_process_notes_is_there() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        ctx.log("begins", files=2)
        return ctx.record("listing", lambda: ["a"])

    played = play(process)
    assert (played.logs, played.records, played.output) == (["begins"], {"listing": ["a"]}, ["a"])


def test_the_scores_of_the_process_and_of_its_branches_are_there() -> None:
    async def improve(ctx: Context, path: str) -> None:
        for _ in range(2):
            ctx.score(await ctx.task(count, path=path), name="size")

    async def process(inputs: Any, ctx: Context) -> Any:
        while not (score := ctx.score(await ctx.task(count, path="own"), 3)).is_done:
            pass
        await ctx.parallel.map(["a", "bb"], lambda path: improve(ctx, path), key=str)
        return score.round

    played = play(process, results={"count": lambda path: len(path) if path != "own" else 3})
    assert (played.output, played.logs, played.warnings) == (1, [], [])
    assert played.scores == {"score": [3], "2.a.size": [1, 1], "2.bb.size": [2, 2]}


@pytest.mark.parametrize("given", [["b"], lambda: ["b"]])
def test_what_is_recorded_can_be_given(given: Any) -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        return ctx.record("listing", lambda: pytest.fail("it is really called"))

    assert play(process, records={"listing": given}).output == ["b"]


def test_what_nobody_needs_any_more_is_cancelled() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        return await ctx.parallel.race([ctx.task(count, path="a"), ctx.task(count, path="b")])

    played = play(process, results={"count": lambda path: never if path == "b" else 1})
    assert (played.output, [str(asked) for asked in played.cancelled]) == (1, ["count(path='b')"])


def test_an_error_in_a_branch_that_is_given_up_is_a_warning() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        async def slow() -> None:
            try:
                await ctx.task(count, path="b")
            finally:
                raise ValueError("in finally")

        return await ctx.parallel.race([ctx.task(count, path="a"), slow()])

    played = play(process, results={"count": lambda path: never if path == "b" else 1})
    assert (played.logs, played.warnings) == ([], ["ValueError while branch 1.1 was given up: in finally"])


def test_an_order_of_arrival_can_be_given() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        return await ctx.parallel.race([ctx.task(count, path="a"), ctx.task(count, path="b")])

    assert play(process, results={"count": lambda path: path}, order=["1.1.1"]).output == "b"


def test_an_order_that_cannot_be_is_refused() -> None:
    with pytest.raises(InvalidInput, match="nothing can come at step '7' now; what can: '1'"):
        play(one(count, path="a"), results={"count": 1}, order=["7"])


def test_a_process_that_does_not_end_is_stopped() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        while True:
            await ctx.sleep("1h")

    with pytest.raises(ProcessError, match="has asked for 101 effects and has not ended"):
        play(process, most_effects=100)


def test_what_a_run_has_can_be_chosen() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        return [ctx.run_id, ctx.artifacts, ctx.now().isoformat()]

    played = play(process, run_id="r-1", artifacts="/a", at="2026-02-03T04:05:06+00:00")
    assert played.output == ["r-1", "/a", "2026-02-03T04:05:06+00:00"]


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(InvalidInput, match="has no time zone"):
        play(one(count, path="a"), at="2026-02-03T04:05:06")


def test_step_by_step_what_has_no_answer_stays_pending() -> None:
    begun = begin(release, {"files": []}, results={"tests": "ok"})
    begun.advance(0)
    assert [asked.task for asked in begun.pending] == ["review"]
    assert begun.answer("review", {"defects": ["a"]}).output["defects"] == ["a"]


def test_an_answer_by_hand_needs_one_pending_request() -> None:
    begun = begin(release, {"files": []})
    with pytest.raises(InvalidInput, match="0 pending requests go by 'count'; pending: tests"):
        begun.answer("count", 1)


def test_a_play_shows_how_it_stands() -> None:
    assert repr(play(one(count, path="a"), results={"count": 1})) == "<play: completed with 1>"


def test_nothing_is_written_and_nothing_is_started(monkeypatch: pytest.MonkeyPatch) -> None:
    import os
    import subprocess

    for module, name in ((os, "open"), (os, "mkdir"), (os, "link"), (subprocess, "Popen")):
        monkeypatch.setattr(module, name, lambda *_, **__: pytest.fail("it touches the world"))
    assert play(one(run_tests, path="src"), results={"tests": "ok"}).status == "completed"


# Names, and turns.


@agent
def deploy(service: str) -> str:
    return service


async def deploys(_: Any, ctx: Context) -> Any:
    return [await ctx.task(deploy, service=service) for service in ("web", "api", "web")]


@pytest.mark.parametrize(
    "answer",
    [
        lambda service: in_turn(1, 0) if service == "web" else 0,
        lambda service: takes("1s", in_turn(1, 0)) if service == "web" else 0,
    ],
)
def test_a_function_that_makes_its_turns_anew_is_refused(answer: Any) -> None:
    with pytest.raises(
        InvalidInput, match="the function that answers 'deploy' gives a new in_turn at each call"
    ):
        play(deploys, results={"deploy": answer})


def test_a_function_may_give_turns_that_somebody_keeps() -> None:
    turns = in_turn(1, 0)
    given = play(deploys, results={"deploy": lambda service: turns if service == "web" else 5})
    assert given.output == [1, 5, 0]


def test_turns_may_be_made_when_they_are_needed() -> None:
    turns: dict[str, Any] = {}
    given = play(
        deploys, results={"deploy": lambda service: turns.setdefault(service, in_turn(service, "again"))}
    )
    assert given.output == ["web", "api", "again"]


def test_a_function_may_give_one_turn() -> None:
    assert play(deploys, results={"deploy": lambda service: in_turn(service + "!")}).output == [
        "web!",
        "api!",
        "web!",
    ]


def test_what_no_request_went_by_is_told() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        await ctx.breakpoint("Merge?")
        await ctx.hook("notify")
        await ctx.subprocess("child")
        ctx.record("used", lambda: 1)
        return await ctx.task(deploy, service="web")

    played = play(
        process,
        results={"deploy": 1, "nonsense": 1, "1": approves()},
        people={"Merge?": approves(), "Other?": approves()},
        hooks={"notify": [], "other": []},
        subprocesses={"child": 1, "other": 2},
        records={"used": 1, "other": 2},
    )
    assert played.unused == [
        "results 'nonsense'",
        "people 'Merge?'",
        "people 'Other?'",
        "hooks 'other'",
        "subprocesses 'other'",
        "records 'other'",
    ]


def test_a_name_that_is_nearly_right_is_told() -> None:
    with pytest.raises(NoAnswer) as caught:
        play(deploys, results={"depoly": 1})
    assert caught.value.hint.endswith("; results has 'depoly', by which no request goes")
