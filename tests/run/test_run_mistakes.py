"""Mistakes of the process's author, and edits in the middle of a run: told, mended, gone on with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.driving import babysitter, events, told, types, write

TWO_STEPS = """
@shell
def say(word):
    return ["echo", word]

async def process(inputs, ctx):
    first = await ctx.task(say, word="one")
    {between}
    await ctx.breakpoint("Go on?")
    return (await ctx.task(say, word="{second}")).stdout
"""


def stopped_in_the_middle() -> str:
    """A run of two steps that waits between them."""
    write("steps.py", TWO_STEPS.format(between="", second="two"))
    return told(8, "run", "steps.py")["run"]


def test_a_mistake_of_the_author_ends_with_7_and_goes_on_when_it_is_mended() -> None:
    write("steps.py", TWO_STEPS.format(between="first.no_such_thing", second="two"))
    stuck = told(7, "run", "steps.py")
    assert (stuck["status"], stuck["problem"]["name"]) == ("stuck", "AttributeError")
    write("steps.py", TWO_STEPS.format(between="", second="two"))
    assert told(8, "resume", stuck["run"])["status"] == "waiting"
    assert types(stuck["run"]).count("EFFECT_RESOLVED") == 1


def test_a_mistake_that_is_still_there_is_written_once() -> None:
    write("steps.py", TWO_STEPS.format(between="first.no_such_thing", second="two"))
    run = told(7, "run", "steps.py")["run"]
    told(7, "resume", run)
    assert types(run).count("PROCESS_ERROR") == 1


def test_an_edit_ahead_of_the_work_that_is_done_goes_on() -> None:
    run = stopped_in_the_middle()
    write("steps.py", TWO_STEPS.format(between="", second="another"))
    babysitter("approve", run)
    ended = told(0, "resume", run)
    assert (ended["output"], types(run).count("PROCESS_CHANGED")) == ("another\n", 1)


def test_an_edit_that_does_not_fit_ends_with_7_and_writes_nothing() -> None:
    run = stopped_in_the_middle()
    before = events(run)
    write("steps.py", TWO_STEPS.format(between="", second="two").replace('word="one"', 'word="ten"'))
    ended = told(7, "resume", run)
    assert (ended["status"], ended["divergence"]["stepId"], events(run)) == ("diverged", "1", before)


def test_an_edit_that_does_not_fit_is_explained_to_people() -> None:
    run = stopped_in_the_middle()
    write("steps.py", TWO_STEPS.format(between="", second="two").replace('word="one"', 'word="ten"'))
    assert "no longer fits" in babysitter("resume", run).stdout


def test_a_process_that_asks_for_something_else_each_time_ends_with_7_and_writes_nothing() -> None:
    write(
        "p.py",
        """
        import os

        @shell
        def say(word):
            return ["echo", str(word)]

        async def process(inputs, ctx):
            await ctx.task(say, word=os.getpid())
            await ctx.breakpoint("Go on?")
        """,
    )
    run = told(8, "run", "p.py")["run"]
    before = events(run)
    assert told(7, "resume", run)["error"]["name"] == "NondeterminismError"
    assert events(run) == before


def test_a_process_that_loops_is_stuck_when_its_time_is_over(home) -> None:
    (home / "config.yaml").write_text("iterateSeconds: 0.3\n")
    write("p.py", "async def process(inputs, ctx):\n    while True:\n        pass\n")
    assert "without coming to a step" in told(7, "run", "p.py")["problem"]["message"]


def test_a_task_that_cannot_be_described_makes_the_run_stuck() -> None:
    write(
        "p.py",
        """
        @shell
        def odd():
            return 5

        async def process(inputs, ctx):
            await ctx.task(odd)
        """,
    )
    ended = told(7, "run", "p.py")
    assert (ended["problem"]["name"], "returned 5" in ended["problem"]["message"]) == ("TypeError", True)


def test_a_description_that_reads_an_absent_file_makes_the_run_stuck() -> None:
    write(
        "p.py",
        """
        @shell
        def odd():
            return ["echo", open("template.txt").read()]

        async def process(inputs, ctx):
            await ctx.task(odd)
        """,
    )
    assert told(7, "run", "p.py")["problem"]["name"] == "FileNotFoundError"


@pytest.mark.parametrize(
    "described",
    [
        '{"kind": "shell"}',
        '{"kind": "shell", "shell": {"argv": []}}',
        '{"kind": "shell", "shell": {"argv": ["no-such-program-anywhere"]}}',
        '{"kind": "python"}',
        '{"kind": "python", "python": {"function": 5}}',
        '{"kind": "python", "python": {"function": "absent", "args": {}}}',
    ],
)
def test_work_that_cannot_be_started_is_a_failed_task(described: str) -> None:
    write(
        "p.py",
        f"""
        odd = define_task("odd", lambda args: {described})

        async def process(inputs, ctx):
            try:
                await ctx.task(odd)
            except TaskFailed as error:
                return "failed"
        """,
    )
    assert told(0, "run", "p.py")["output"] == "failed"


@pytest.mark.parametrize(
    "described",
    [
        '{"kind": "sleep"}',
        '{"kind": "sleep", "sleep": {"seconds": "long"}}',
        '{"kind": "sleep", "sleep": {"until": "tomorrow"}}',
        '{"kind": "breakpoint", "breakpoint": "ask"}',
        '{"kind": "breakpoint", "breakpoint": {}}',
    ],
)
def test_a_sleep_or_question_that_says_nothing_is_the_authors_mistake(described: str) -> None:
    write(
        "p.py",
        f"""
        odd = define_task("odd", lambda args: {described})

        async def process(inputs, ctx):
            await ctx.task(odd)
        """,
    )
    assert told(7, "run", "p.py")["status"] == "stuck"


def test_a_function_edited_after_it_was_asked_for_is_still_the_one_that_is_called() -> None:
    write(
        "p.py",
        """
        @shell
        def edit():
            return "sed -i 's/first/second/' p.py"

        @python
        def name():
            return "first"

        async def process(inputs, ctx):
            await ctx.task(edit)
            return await ctx.task(name)
        """,
    )
    assert told(0, "run", "p.py")["output"] == "first"


CHANCE = """
import random

@shell
def say(word):
    return ["echo", str(word)]

async def process(inputs, ctx):
    for count in range(3):
        await ctx.task(say, word={word})
    return {output}
"""


def test_chance_in_the_arguments_is_found_after_the_first_result() -> None:
    write("p.py", CHANCE.format(word="random.random()", output="1"))
    error = told(7, "run", "p.py", "--run-id", "r")["error"]
    assert (error["name"], types("r").count("EFFECT_RESOLVED")) == ("NondeterminismError", 1)


def test_chance_in_the_output_is_found_before_the_run_ends_for_good() -> None:
    write("p.py", CHANCE.format(word="count", output="random.random()"))
    error = told(7, "run", "p.py", "--run-id", "r")["error"]
    assert (error["name"], "RUN_COMPLETED" in types("r")) == ("NondeterminismError", False)


def test_recorded_chance_repeats_itself() -> None:
    write("p.py", CHANCE.format(word="count", output="ctx.record('chance', random.random)"))
    assert 0 <= told(0, "run", "p.py")["output"] < 1


def test_what_a_command_gave_can_be_returned_as_it_is() -> None:
    write("p.py", CHANCE.format(word="count", output="await ctx.task(say, word='last')"))
    output = told(0, "run", "p.py")["output"]
    assert (output["exitCode"], output["stdout"]) == (0, "last\n")


def test_a_result_that_is_used_without_await_is_named() -> None:
    write("p.py", CHANCE.format(word="count", output="ctx.task(say, word='last').stdout"))
    problem = told(7, "run", "p.py")["problem"]
    assert problem["message"] == "a step that is not awaited has no 'stdout'; write `await` before it"


@pytest.mark.parametrize(
    ("use", "has"),
    [
        ("ctx.task(say, word='last')['stdout']", "has no 'stdout'"),
        ("list(ctx.task(say, word='last'))", "cannot be gone through"),
        ("dict(zip('a', ctx.parallel.all([ctx.task(say, word='last')])))", "cannot be gone through"),
        ("await ctx.parallel.map(ctx.task(say, word='last'), print)", "cannot be gone through"),
    ],
)
def test_a_result_that_is_taken_apart_without_await_is_named(use: str, has: str) -> None:
    write("p.py", CHANCE.format(word="count", output=use))
    problem = told(7, "run", "p.py")["problem"]
    assert problem["message"] == f"a step that is not awaited {has}; write `await` before it"


@pytest.mark.parametrize(
    "use", ["len({})", "{} + 1", "[1] + {}", "int({})", "{} < 3", "max([1, {}])", "'a' * {}"]
)
def test_a_result_that_is_reckoned_with_without_await_is_named(use: str) -> None:
    write("p.py", CHANCE.format(word="count", output=use.format("ctx.task(say, word='last')")))
    problem = told(7, "run", "p.py")["problem"]
    assert (
        problem["message"] == "ctx.task('say') is not awaited, so it is no value yet; write `await` before it"
    )


def test_a_task_called_like_a_function_makes_the_run_stuck_before_it_does_anything() -> None:
    called = """
        from pathlib import Path

        @python
        def note(text: str) -> str:
            Path("noted").write_text(text)
            return text

        async def process(inputs, ctx):
            return {call}
    """
    write("p.py", called.replace("{call}", 'note("a")'))
    stuck = told(7, "run", "p.py")
    problem = stuck["problem"]
    assert (problem["name"], problem["line"], problem["hint"], Path("noted").exists()) == (
        "ProcessError",
        11,
        "write `await ctx.task(note, text=…)`",
        False,
    )
    write("p.py", called.replace("{call}", 'await ctx.task(note, text="a")'))
    assert told(0, "resume", stuck["run"])["output"] == "a"
