"""How ``run`` and ``resume`` end: exit codes, what is printed, and what stays in the journal."""

from __future__ import annotations

import pytest

from tests.support.driving import Command, babysitter, effects, events, told, write

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


def test_the_output_of_a_completed_run_is_printed() -> None:
    write("p.py", "async def process(inputs, ctx):\n    return {'sum': inputs['a'] + 1}\n")
    assert told(0, "run", "p.py", "-i", "a=4")["output"] == {"sum": 5}


def test_people_are_shown_the_output_and_what_ran() -> None:
    write(
        "p.py",
        """
        @shell
        def say():
            "say it"
            return ["echo", "hello"]

        async def process(inputs, ctx):
            return {"said": (await ctx.task(say)).stdout}
        """,
    )
    shown = babysitter("run", "p.py").stdout
    assert [text for text in ("say it", "said: hello", "completed in") if text not in shown] == []


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
