"""The context: what a process can ask for, and what it is told when it asks wrongly."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest

from babysitter import Context, Decision, python
from tests.support.rounds import STARTED_MS, Rounds, a_task, line_of, start

if TYPE_CHECKING:
    from tests.support.rounds import Process

step = a_task("step")


@python
def measure(path: str) -> int:
    return len(path)


def stuck_in(process: Process) -> tuple[str, str]:
    """The error that a process is stuck in at once."""
    run = start(process)
    assert run.end is not None
    assert run.end.status == "stuck"
    return type(run.error).__name__, str(run.error)


def asking(ask: Any) -> Process:
    """A process that awaits one thing."""

    async def process(_: Any, ctx: Context) -> Any:
        return await ask(ctx)

    return process


# Tasks.


def test_a_task_is_asked_for_with_its_arguments_by_name() -> None:
    run = start(asking(lambda ctx: ctx.task(measure, "a.py")))
    assert [(asked.task, asked.args) for asked in run.rounds[0]] == [("measure", {"path": "a.py"})]


def test_what_is_no_task_is_refused() -> None:
    assert stuck_in(asking(lambda ctx: ctx.task(len, "a")))[1] == (
        "ctx.task needs a task, found <built-in function len>;"
        " make one with @shell, @python, @agent or define_task"
    )


def test_arguments_that_are_no_json_values_are_refused_with_the_task_and_the_place() -> None:
    assert stuck_in(asking(lambda ctx: ctx.task(step, names={"a"})))[1] == (
        "the arguments of task 'step' are not JSON values:"
        " the value at 'names' is of type 'set', which is not JSON"
    )


def test_a_step_among_the_arguments_of_another_is_named_for_what_it_is() -> None:
    assert stuck_in(asking(lambda ctx: ctx.task(step, found=[ctx.task(step)])))[1] == (
        "the arguments of task 'step' are not JSON values:"
        " the value at 'found[0]' is ctx.task('step'), which is not awaited; write `await` before it"
    )


def test_a_parameter_may_be_called_task_or_self() -> None:
    run = start(asking(lambda ctx: ctx.task(step, task=1, self=2)))
    assert run.rounds[0][0].args == {"task": 1, "self": 2}


# Breakpoints and sleeps.


def test_a_breakpoint_asks_a_person_and_gives_a_decision() -> None:
    run = start(asking(lambda ctx: ctx.breakpoint("Merge?", title="Merge", options=("yes", "no"))))
    assert run.rounds[0][0].args == {"question": "Merge?", "title": "Merge", "options": ["yes", "no"]}
    run.resolve({"1": {"approved": True, "option": "yes"}})
    assert run.result == Decision(True, option="yes")


@pytest.mark.parametrize("question", ["", "  ", None, 5])
def test_a_breakpoint_needs_a_question(question: Any) -> None:
    assert stuck_in(asking(lambda ctx: ctx.breakpoint(question))) == (
        "TypeError",
        f"ctx.breakpoint needs a question, found {question!r}",
    )


@pytest.mark.parametrize("level", ["dialog", "command", "terminal", "signed"])
def test_a_breakpoint_may_demand_a_level_of_assurance(level: str) -> None:
    run = start(asking(lambda ctx: ctx.breakpoint("Merge?", assurance=level)))
    assert run.rounds[0][0].args == {"question": "Merge?", "title": None, "options": None, "assurance": level}


@pytest.mark.parametrize(
    ("told", "error", "message"),
    [
        (
            "script",
            "ValueError",
            "there is no assurance 'script'; it is one of dialog, command, terminal, signed",
        ),
        ("", "ValueError", "there is no assurance ''; it is one of dialog, command, terminal, signed"),
        (5, "TypeError", "assurance=5 is not a text; it is one of dialog, command, terminal, signed"),
    ],
)
def test_any_other_assurance_is_refused_and_the_levels_are_listed(
    told: Any, error: str, message: str
) -> None:
    assert stuck_in(asking(lambda ctx: ctx.breakpoint("Merge?", assurance=told))) == (error, message)


def test_a_sleep_is_asked_for_in_seconds() -> None:
    run = start(asking(lambda ctx: ctx.sleep("1h30m")))
    assert [(asked.task, asked.args) for asked in run.rounds[0]] == [("sleep", {"seconds": 5400})]


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 11, 24, 12, 0, 0, 5000, tzinfo=UTC),
        datetime(2026, 11, 24, 14, 0, 0, 5000, tzinfo=timezone(timedelta(hours=2))),
        "2026-11-24T12:00:00.005Z",
        "2026-11-24T14:00:00.005+02:00",
    ],
)
def test_a_sleep_until_a_moment_is_asked_for_in_utc(moment: Any) -> None:
    run = start(asking(lambda ctx: ctx.sleep_until(moment)))
    assert run.rounds[0][0].args == {"until": "2026-11-24T12:00:00.005Z"}


def test_a_moment_without_time_zone_is_refused() -> None:
    assert stuck_in(asking(lambda ctx: ctx.sleep_until("2026-11-24T12:00:00"))) == (
        "ValueError",
        "2026-11-24T12:00:00 has no time zone; write datetime(…, tzinfo=UTC)",
    )


def test_what_is_no_moment_is_refused() -> None:
    assert stuck_in(asking(lambda ctx: ctx.sleep_until(5))) == (
        "TypeError",
        "ctx.sleep_until needs a datetime or an ISO 8601 text, found 5",
    )


def test_a_sleep_takes_a_step_like_any_other_so_that_waking_early_renames_nothing() -> None:
    async def process(_: Any, ctx: Context) -> None:
        await ctx.parallel.race([lambda: ctx.sleep(1), lambda: ctx.task(step)])
        await ctx.task(step)

    slept, worked = start(process), start(process)
    slept.resolve({"1.0.1": None})
    worked.resolve({"1.1.1": None})
    assert slept.steps == worked.steps == [["1.0.1", "1.1.1"], ["2"]]


# Time and chance.


async def tells_time(_: Any, ctx: Context) -> list[str]:
    before = ctx.now()
    await ctx.task(step)
    return [before.isoformat(), ctx.now().isoformat()]


def test_now_is_the_time_of_the_last_event_that_the_process_has_seen() -> None:
    run = start(tells_time)
    run.resolve({"1": None})
    seen = [STARTED_MS, next(event.ms for event in run.events if event.type == "EFFECT_RESOLVED")]
    assert run.result == [datetime.fromtimestamp(ms / 1000, tz=UTC).isoformat() for ms in seen]


def test_now_random_and_uuid_are_the_same_on_a_replay() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        told = await tells_time(inputs, ctx)
        return [told, ctx.random.random(), ctx.uuid(), ctx.uuid()]

    run = start(process)
    run.resolve({"1": None})
    assert Rounds(process, events=run.events).result == run.result


def test_branches_have_chance_of_their_own() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        async def draw() -> Any:
            return ctx.random.random(), ctx.uuid()

        return await ctx.parallel.all([draw, draw])

    first, second = start(process).result
    assert (first[0] != second[0], first[1] != second[1]) == (True, True)


# Recorded values.


def test_record_runs_a_function_once_however_often_it_is_replayed() -> None:
    calls = list[int]()

    async def process(_: Any, ctx: Context) -> Any:
        found = ctx.record("files", lambda: calls.append(1) or len(calls))
        await ctx.task(step, found=found)
        return found

    run = start(process, by_replay=True)
    run.resolve({"1": None})
    assert (run.result, calls) == (1, [1])


def test_record_gives_the_value_as_the_journal_gives_it_back() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return ctx.record("files", lambda: ("a", "b"))

    assert start(process).result == ["a", "b"]


def test_changing_a_recorded_value_does_not_change_what_is_journalled() -> None:
    async def process(_: Any, ctx: Context) -> None:
        ctx.record("files", lambda: ["a"]).append("b")
        await ctx.task(step)

    assert [event.data["value"] for event in start(process).events if event.type == "RECORDED"] == [["a"]]


def test_a_function_of_record_may_have_an_event_loop_of_its_own() -> None:
    async def fetch() -> str:
        await asyncio.sleep(0)
        return "fetched"

    async def process(_: Any, ctx: Context) -> Any:
        return ctx.record("fetch", lambda: asyncio.run(fetch()))

    assert start(process).result == "fetched"


def test_an_error_in_a_function_of_record_cannot_be_swallowed() -> None:
    async def process(_: Any, ctx: Context) -> str:
        try:
            ctx.record("files", lambda: 1 // 0)  # here
        except ZeroDivisionError:
            return "swallowed"
        return "went on"

    run = start(process)
    assert run.end is not None
    assert (str(run.error), run.end.place) == (
        "the function of ctx.record('files') gave no value to record",
        line_of(process),
    )


def test_an_error_in_a_function_of_record_is_shown_as_it_is() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return ctx.record("files", lambda: 1 // 0)

    assert stuck_in(process)[0] == "ZeroDivisionError"


def test_a_value_that_is_no_json_cannot_be_recorded() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return ctx.record("files", lambda: {1})

    assert stuck_in(process) == ("TypeError", "the value is of type 'set', which is not JSON")


# Log lines and progress.


def logged(run: Rounds) -> list[Any]:
    return [event.data for event in run.events if event.type == "PROCESS_LOG"]


def test_a_line_is_logged_once_however_often_it_is_replayed() -> None:
    async def process(_: Any, ctx: Context) -> None:
        ctx.log("begins", size=3)
        await ctx.task(step)
        ctx.log("ends")

    run = start(process, by_replay=True)
    run.resolve({"1": None})
    assert [(data["message"], data["fields"]) for data in logged(run)] == [
        ("begins", {"size": 3}),
        ("ends", {}),
    ]


def test_a_log_line_renames_no_step() -> None:
    async def process(_: Any, ctx: Context) -> None:
        ctx.log("begins")
        ctx.record("files", list)
        ctx.progress(1)
        await ctx.task(step)

    assert start(process).steps == [["1"]]


def test_progress_is_noted_with_its_scope() -> None:
    async def process(_: Any, ctx: Context) -> None:
        async def branch() -> None:
            ctx.progress(1, 4, "files")
            await ctx.task(step)

        await ctx.parallel.all([branch])

    assert logged(start(process)) == [
        {"scope": "1.0.", "index": 1, "progress": {"done": 1, "total": 4, "label": "files"}}
    ]


@pytest.mark.parametrize(
    "note",
    [
        lambda ctx: ctx.progress(float("nan")),
        lambda ctx: ctx.log("x", size={1}),
        lambda ctx: ctx.record(5, list),
    ],
    ids=["progress", "log", "the name of a record"],
)
def test_a_note_that_no_journal_can_hold_is_refused_at_its_line(note: Any) -> None:
    async def process(_: Any, ctx: Context) -> None:
        note(ctx)

    assert stuck_in(process)[0] in {"TypeError", "ValueError"}


# The rest.


def test_a_process_knows_its_run_and_its_artifacts() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return [ctx.run_id, ctx.artifacts]

    assert start(process).result == ["run-1", "/artifacts"]


def test_a_process_gets_its_inputs() -> None:
    async def process(inputs: Any, ctx: Context) -> Any:
        return inputs["feature"]

    assert start(process, {"feature": "login"}).result == "login"
