"""How ``run`` and ``resume`` end: exit codes, what is printed, and what stays in the journal."""

from __future__ import annotations

import pytest

from tests.support.driving import Command, babysitter, effects, events, told, types, write

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


def test_the_output_of_a_completed_run_is_printed() -> None:
    write("p.py", "async def process(inputs, ctx):\n    return {'sum': inputs['a'] + 1}\n")
    assert told(0, "run", "p.py", "-i", "a=4")["output"] == {"sum": 5}


def test_a_finished_run_resumed_prints_its_output_again_and_writes_nothing() -> None:
    write("p.py", "async def process(inputs, ctx):\n    return 'done'\n")
    run = told(0, "run", "p.py")["run"]
    before = events(run)
    assert (told(0, "resume", run)["output"], events(run)) == ("done", before)


def test_a_failed_run_ends_with_1_and_its_error() -> None:
    write("p.py", "async def process(inputs, ctx):\n    raise Failed('too many faults', {'faults': 3})\n")
    error = told(1, "run", "p.py")["error"]
    assert (error["message"], error["data"]) == ("too many faults", {"faults": 3})


def test_people_are_told_why_a_run_failed() -> None:
    write("p.py", "async def process(inputs, ctx):\n    raise Failed('too many faults')\n")
    assert "too many faults" in babysitter("run", "p.py").stdout


def test_a_failed_task_that_nobody_catches_fails_the_run() -> None:
    write(
        "p.py",
        """
        @shell
        def broken():
            return "echo it is broken >&2; exit 3"

        async def process(inputs, ctx):
            await ctx.task(broken)
        """,
    )
    error = told(1, "run", "p.py")["error"]
    assert (error["name"], "it is broken" in error["message"]) == ("ShellFailed", True)


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


@pytest.mark.parametrize(
    ("kind", "body"), [("python", "return 'x' * 5000"), ("shell", "return \"printf '%05000d' 0\"")]
)
def test_a_result_larger_than_the_limit_is_a_failed_task(home, kind: str, body: str) -> None:
    (home / "config.yaml").write_text("limits: {resultBytes: 2000}\n")
    write(
        "p.py",
        f"""
        @{kind}
        def large():
            {body}

        async def process(inputs, ctx):
            try:
                await ctx.task(large)
            except TaskFailed as error:
                return error.name
        """,
    )
    assert told(0, "run", "p.py")["output"] == "ResultRejected"


def test_a_large_result_goes_through() -> None:
    write(
        "p.py",
        """
        @python
        def large():
            return "x" * 3_000_000

        async def process(inputs, ctx):
            return len(await ctx.task(large))
        """,
    )
    assert told(0, "run", "p.py")["output"] == 3_000_000


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


def test_a_mistaken_agent_command_leaves_no_run_behind() -> None:
    write("p.py", "async def process(inputs, ctx):\n    return 1\n")
    assert told(2, "run", "p.py", "--agent-command", "claude 'half")["error"]["name"] == "InvalidInput"
    assert told(0, "list")["runs"] == []


def test_a_run_with_standard_input_and_output_closed_does_its_work() -> None:
    write(
        "p.py",
        """
        @shell
        def say():
            return "echo hello; echo nothing >&2"

        async def process(inputs, ctx):
            return (await ctx.task(say)).stdout
        """,
    )
    closed = ("/bin/sh", "-c", 'exec "$@" <&- >&- 2>&-', "sh")
    ended = Command("run", "p.py", "--run-id", "r", prefix=closed).end()
    assert (ended.code, events("r")[-1]["data"]["output"]) == (0, "hello\n")


def test_work_does_what_can_be_done_and_ends_with_0() -> None:
    write("steps.py", TWO_STEPS.format(between="", second="two"))
    run = told(0, "create", "steps.py")["run"]
    ended = told(0, "work", run)
    assert (ended["status"], list(ended["pending"])) == ("waiting", ["breakpoint"])


def test_work_tells_of_a_failed_run() -> None:
    write(
        "p.py",
        """
        @shell
        def broken():
            return "exit 3"

        async def process(inputs, ctx):
            await ctx.task(broken)
        """,
    )
    run = told(0, "create", "p.py")["run"]
    assert told(1, "work", run)["status"] == "failed"


def test_the_evidence_of_a_command_is_what_ran_and_what_it_printed() -> None:
    write(
        "p.py",
        """
        @shell
        def say():
            "say it"
            return ["echo", "hello"]

        async def process(inputs, ctx):
            await ctx.task(say)
        """,
    )
    evidence = effects(told(0, "run", "p.py")["run"])["say it"]["result"]["evidence"]
    assert (evidence["argv"], evidence["exitCode"]) == (["echo", "hello"], 0)
