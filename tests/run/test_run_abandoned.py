"""What no group needs any more is really ended, and recorded as cancelled."""

from __future__ import annotations

import pytest

from tests.support.driving import Command, effects, lines, processes, told, types, wait_until, write

TASKS = """
@shell
def quick():
    "quick"
    return "until test -e started; do sleep 0.02; done; sleep 0.1; echo quick"

@shell
def broken():
    "broken"
    return "until test -e started; do sleep 0.02; done; sleep 0.1; exit 3"

@shell
def slow():
    "slow"
    return "trap 'echo asked to end >> log; exit 1' TERM; touch started; sleep 60 & wait"

@shell
def never():
    "never"
    return "echo never >> log"

@shell
def clean():
    "clean"
    return "echo cleaned >> log"

@shell
def held():
    "held"
    return "until test -e go; do sleep 0.05; done"
"""


def run(body: str, jobs: int = 4) -> dict[str, object]:
    write("p.py", TASKS + body)
    return told(0, "run", "p.py", "--run-id", "r", "--jobs", str(jobs))


@pytest.mark.parametrize("mode", ["race", "any"])
def test_the_loser_of_a_race_is_asked_to_end_and_recorded_as_cancelled(mode: str) -> None:
    ended = run(f"""
async def process(inputs, ctx):
    return (await ctx.parallel.{mode}([lambda: ctx.task(slow), lambda: ctx.task(quick)])).stdout
""")
    assert (ended["output"], lines("log"), effects("r")["slow"]["cancelled"]) == (
        "quick\n",
        ["asked to end"],
        1,
    )


def test_the_siblings_of_a_failure_are_ended_before_the_process_hears_of_it() -> None:
    ended = run("""
async def process(inputs, ctx):
    try:
        await ctx.parallel.all([lambda: ctx.task(slow), lambda: ctx.task(broken)])
    except TaskFailed as error:
        return [error.exit_code, error.partial[0] is None]
""")
    assert (ended["output"], effects("r")["slow"]["cancelled"]) == ([3, True], 1)


def test_a_branch_that_was_not_started_never_is() -> None:
    run("""
async def process(inputs, ctx):
    try:
        branches = [lambda: ctx.task(slow), lambda: ctx.task(broken), lambda: ctx.task(never)]
        await ctx.parallel.all(branches, limit=2)
    except TaskFailed:
        return
""")
    assert ("never" in effects("r"), lines("log")) == (False, ["asked to end"])


def test_an_effect_that_waits_for_a_job_is_forgotten_when_it_is_cancelled() -> None:
    write(
        "p.py",
        TASKS
        + """
async def process(inputs, ctx):
    both = lambda: ctx.parallel.all([lambda: ctx.task(held), lambda: ctx.task(never)])
    await ctx.parallel.race([both, lambda: ctx.breakpoint("Enough?")])
""",
    )
    command = Command("run", "p.py", "--run-id", "r", "--jobs", "1", "--json")
    wait_until(lambda: any("go; do" in line for line in processes().values()))
    told(0, "approve", "r")
    command.end()
    assert (effects("r")["never"]["cancelled"], lines("log")) == (1, [])


def test_an_ended_child_is_gone_while_the_run_goes_on() -> None:
    write(
        "p.py",
        TASKS
        + """
async def process(inputs, ctx):
    await ctx.parallel.race([lambda: ctx.task(slow), lambda: ctx.task(quick)])
    await ctx.task(held)
""",
    )
    command = Command("run", "p.py", "--run-id", "r", "--jobs", "4", "--json")
    wait_until(lambda: any("go; do" in line for line in processes().values()))
    wait_until(lambda: not any("asked to end" in line for line in processes().values()))
    assert command.is_running
    write("go", "")
    assert command.end().code == 0


def test_the_cleanup_of_an_abandoned_branch_is_performed() -> None:
    ended = run("""
async def process(inputs, ctx):
    async def careful():
        try:
            await ctx.task(slow)
        finally:
            await ctx.task(clean)
    return (await ctx.parallel.race([careful, lambda: ctx.task(quick)])).stdout
""")
    # Who is asked to end and who cleans up are two processes: either may be quicker.
    assert (ended["output"], sorted(lines("log"))) == ("quick\n", ["asked to end", "cleaned"])


def test_a_stubborn_loser_does_not_keep_the_next_step_waiting() -> None:
    run("""
@shell
def stubborn():
    "stubborn"
    return "trap 'echo no >> log' TERM; touch started; until test -e go; do sleep 0.05; done"

@shell
def let_go():
    return "touch go"

async def process(inputs, ctx):
    await ctx.parallel.race([lambda: ctx.task(stubborn), lambda: ctx.task(quick)])
    await ctx.task(let_go)
""")
    assert (lines("log"), types("r")[-1]) == (["no"], "RUN_COMPLETED")


def test_a_loser_left_behind_by_a_killed_driver_is_ended_when_the_run_goes_on() -> None:
    """The driver dies, the race is decided by an answer from elsewhere, and then somebody resumes."""
    import signal

    write(
        "p.py",
        TASKS
        + """
async def process(inputs, ctx):
    await ctx.parallel.race([lambda: ctx.task(slow), lambda: ctx.breakpoint("Enough?")])
    await ctx.breakpoint("More?")
""",
    )
    command = Command("run", "p.py", "--run-id", "r", "--json")
    wait_until(lambda: any("asked to end" in line for line in processes().values()))
    command.send(signal.SIGKILL)
    command.end()
    told(0, "approve", "r")
    told(0, "iterate", "r")
    told(8, "resume", "r")
    assert lines("log") == ["asked to end"]
