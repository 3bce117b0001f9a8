"""``run`` with what goes wrong and takes long: attempts, limits of time, halts and cleanups, for real."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.driving import babysitter, events, told, types, write

FLAKY = """
from babysitter import Retry

@shell(retry=Retry(3, backoff="10ms"))
def flaky():
    "Flaky"
    return 'echo x >> tries; [ "$(wc -l < tries)" -ge {good} ]'

async def process(inputs, ctx):
    await ctx.task(flaky)
    return "done"
"""


def attempts(run: str) -> list[tuple[str, int]]:
    """Step and attempt of what a run asked for, in order."""
    asked = [event["data"] for event in events(run) if event["type"] == "EFFECT_REQUESTED"]
    return [(data["stepId"], data["attempt"]) for data in asked]


def test_a_command_that_fails_is_tried_again_until_it_goes_well() -> None:
    write("p.py", FLAKY.format(good=3))
    ended = told(0, "run", "p.py")
    assert (ended["output"], attempts(ended["run"])) == (
        "done",
        [("1", 1), ("1~retry1", 1), ("1", 2), ("1~retry2", 1), ("1", 3)],
    )


def test_a_command_learns_which_attempt_it_is_and_that_this_one_was_started_once() -> None:
    counting = FLAKY.replace("echo x", 'echo "$BABYSITTER_TRY/$BABYSITTER_ATTEMPT"')
    write("p.py", counting.format(good=3))
    told(0, "run", "p.py")
    assert Path("tries").read_text("utf-8").split() == ["1/1", "2/1", "3/1"]


def test_the_last_failure_ends_the_run() -> None:
    write("p.py", FLAKY.format(good=4))
    error = told(1, "run", "p.py")["error"]
    assert (error["stepId"], error["exitCode"]) == ("1", 1)


def test_each_attempt_has_its_own_time() -> None:
    write(
        "p.py",
        """
        from babysitter import Retry, TaskTimeout

        @shell(timeout="100ms", retry=Retry(2, backoff=0, on=TaskTimeout))
        def slow():
            return "echo x >> tries; sleep 60"

        async def process(inputs, ctx):
            try:
                await ctx.task(slow)
            except TimeoutError as error:
                return [error.name, error.attempts]
        """,
    )
    assert told(0, "run", "p.py")["output"] == ["TaskTimeout", 2]


def test_a_branch_that_takes_too_long_is_ended_with_all_that_runs_in_it() -> None:
    write(
        "p.py",
        """
        @shell
        def slow(number):
            return ["sleep", "60"]

        async def process(inputs, ctx):
            both = ctx.parallel.map([1, 2], lambda number: ctx.task(slow, number=number))
            try:
                await ctx.timeout("50ms", both)
            except TimeoutError as error:
                return str(error)
        """,
    )
    ended = told(0, "run", "p.py")
    assert ended["output"] == "the branch did not end within 0.05 s"
    assert types(ended["run"]).count("EFFECT_CANCELLED") == 2


HALTS = """
@shell
def say(word):
    return f"echo {word} >> said"

async def process(inputs, ctx):
    ctx.on_cleanup(lambda: ctx.task(say, word="cleaned"))
    await ctx.task(say, word="first")
    if inputs.get("stop"):
        ctx.halt("nothing to do", left=3)
    raise Failed("no good")
"""


@pytest.mark.parametrize(("given", "status"), [("stop=true", "halted"), ("stop=false", "failed")])
def test_cleanups_are_performed_before_the_run_ends(given: str, status: str) -> None:
    write("p.py", HALTS)
    ended = told(1, "run", "p.py", "-i", given)
    with open("said") as said:
        assert (ended["status"], said.read().split()) == (status, ["first", "cleaned"])


def test_a_halted_run_resumed_stays_halted_and_writes_nothing() -> None:
    write("p.py", HALTS)
    run = told(1, "run", "p.py", "-i", "stop=true")["run"]
    before = events(run)
    assert (told(1, "resume", run)["status"], events(run)) == ("halted", before)


def test_a_halted_run_is_verified_as_any_other() -> None:
    write("p.py", HALTS)
    run = told(1, "run", "p.py", "-i", "stop=true")["run"]
    assert babysitter("verify", run).code == 0


def test_work_that_comes_to_a_pause_between_attempts_says_how_to_wait_for_it() -> None:
    write("p.py", FLAKY.format(good=2).replace("10ms", "1h"))
    told(0, "create", "p.py", "--run-id", "r")
    ended = told(0, "work", "r")
    (failed,) = ended["failed"]
    assert (failed["title"], failed["message"].startswith("'echo x >> tries;")) == ("Flaky", True)
    assert (list(ended["pending"]), ended["hint"]) == (["sleep"], "babysitter work r --wait")


def test_what_has_failed_before_is_not_told_again() -> None:
    write("p.py", FLAKY.format(good=2).replace("10ms", "1h"))
    told(0, "create", "p.py", "--run-id", "r")
    told(0, "work", "r")
    assert "failed" not in told(0, "work", "r")
