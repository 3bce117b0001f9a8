"""What another command cancels or halts is ended where it is performed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.driving import (
    Command,
    babysitter,
    effects,
    lines,
    processes,
    told,
    types,
    wait_until,
    write,
)

TASKS = """
@shell
def slow():
    "slow"
    return "trap 'echo asked to end >> log; exit 1' TERM; touch started; sleep 60 & wait"

@shell
def also():
    "also"
    return "trap 'echo asked to end >> log; exit 1' TERM; touch also; sleep 60 & wait"

@python
def idle():
    "idle"
    import pathlib, time
    pathlib.Path("idles").touch()
    time.sleep(60)

@shell
def clean():
    "clean"
    return "echo cleaned >> log"
"""
BOTH = """
async def process(inputs, ctx):
    ctx.on_cleanup(lambda: ctx.task(clean))
    done = await ctx.parallel.settled([ctx.task(slow), ctx.task(also), ctx.task(idle)])
    return [outcome.error and outcome.error.name for outcome in done]
"""
COMMANDS = pytest.mark.parametrize("command", ["resume", "work"])


def driven(command: str) -> Command:
    """A command that performs the three effects of a run."""
    write("p.py", TASKS + BOTH)
    told(0, "create", "p.py", "--run-id", "r")
    driver = Command(command, "r", "--jobs", "3", "--json")
    wait_until(lambda: all(Path(name).exists() for name in ("started", "also", "idles")))
    return driver


def children(driver: Command) -> list[str]:
    return [line for pid, line in processes().items() if pid != driver.process.pid]


@COMMANDS
def test_a_cancelled_effect_is_ended_and_the_others_go_on(command: str) -> None:
    driver = driven(command)
    ids = {label: data["effectId"] for label, data in effects("r").items()}
    told(0, "cancel", "r", ids["slow"])
    wait_until(lambda: lines("log") == ["asked to end"])
    assert driver.is_running
    for label in ("also", "idle"):
        told(0, "cancel", "r", ids[label])
    ended = driver.end()
    assert (ended.code, ended.told["output"]) == (0, ["TaskCancelled"] * 3)


@COMMANDS
def test_a_run_that_is_given_up_is_ended_and_cleaned_up_by_who_drives_it(command: str) -> None:
    driver = driven(command)
    babysitter("cancel", "r", "--reason", "enough")
    ended = driver.end()
    assert (ended.code, ended.told["status"], ended.told["reason"]) == (1, "halted", "enough")
    assert (sorted(lines("log")), types("r")[-1]) == (
        ["asked to end", "asked to end", "cleaned"],
        "RUN_HALTED",
    )


@COMMANDS
def test_of_a_halted_run_the_children_are_ended_and_nothing_is_cleaned_up(command: str) -> None:
    driver = driven(command)
    assert len(children(driver)) >= 3
    told(0, "halt", "r", "--reason", "fire")
    ended = driver.end()
    assert (ended.code, ended.told["status"], ended.told["reason"]) == (1, "halted", "fire")
    assert (lines("log"), children(driver)) == (["asked to end"] * 2, [])


def test_who_looks_on_is_told_why_it_was_halted() -> None:
    write("p.py", TASKS + BOTH)
    driver = Command("run", "p.py", "--run-id", "r", "--jobs", "3", "--plain")
    wait_until(Path("idles").exists)
    told(0, "halt", "r", "--reason", "fire")
    ended = driver.end()
    assert (ended.code, "halted: fire" in ended.stdout, "babysitter resume" in ended.stdout) == (
        1,
        True,
        False,
    )
