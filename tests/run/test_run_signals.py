"""Interrupted: children ended, what has ended recorded, and ``resume`` goes on."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

from tests.support.driving import (
    Command,
    Ended,
    babysitter,
    effects,
    lines,
    processes,
    run_folder,
    told,
    wait_until,
    write,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

QUICK_AND_SLOW = """
@shell
def quick():
    "quick"
    return "echo quick $BABYSITTER_ATTEMPT >> started"

@shell
def slow():
    "slow"
    return "echo slow $BABYSITTER_ATTEMPT >> started; test -e go && exit; {slow}"

async def process(inputs, ctx):
    await ctx.parallel.all([lambda: ctx.task(quick), lambda: ctx.task(slow)])
    return "done"
"""
PATIENT = "exec sleep 60"
STUBBORN = "trap 'echo asked >> started' TERM; for i in 1 2 3 4 5 6 7 8 9; do sleep 7; done"


def start(slow: str = PATIENT) -> Command:
    """A run whose quick effect is recorded and whose slow one is being performed."""
    write("p.py", QUICK_AND_SLOW.format(slow=slow))
    command = Command("run", "p.py", "--run-id", "r", "--jobs", "2", "--json")
    wait_until(
        lambda: len(lines("started")) == 2 and run_folder("r").exists() and effects("r")["quick"]["result"]
    )
    return command


@pytest.fixture(autouse=True)
def _hang_up_is_heard() -> Iterator[None]:
    """Also where the tests themselves were started with nohup, which children would inherit."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def interrupted(number: signal.Signals) -> Ended:
    command = start()
    command.send(number)
    return command.end()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_children_and_the_command_with_130(number: signal.Signals) -> None:
    ended = interrupted(number)
    assert (ended.code, ended.told["status"], processes()) == (130, "interrupted", {})


def test_an_interrupted_run_says_how_to_go_on() -> None:
    assert interrupted(signal.SIGINT).told["hint"] == "babysitter resume r"


def test_an_interrupted_run_goes_on_with_what_was_in_flight_and_no_more() -> None:
    interrupted(signal.SIGINT)
    write("go", "")
    told(0, "resume", "r")
    assert sorted(lines("started")) == ["quick 1", "slow 1", "slow 2"]


def test_what_was_in_flight_has_no_result_in_the_journal() -> None:
    interrupted(signal.SIGTERM)
    assert effects("r")["slow"]["result"] is None


def test_a_hang_up_is_ignored_where_the_caller_said_so() -> None:
    write("p.py", QUICK_AND_SLOW.format(slow="kill -HUP $PPID; sleep 0.2"))
    ended = Command("run", "p.py", "--run-id", "r", "--json", prefix=("nohup",)).end()
    assert ended.code == 0, ended.stdout


def test_a_second_signal_ends_a_stubborn_child_at_once() -> None:
    command = start(STUBBORN)
    command.send(signal.SIGINT)
    wait_until(lambda: "asked" in lines("started"))
    assert command.is_running
    again = time.monotonic()
    command.send(signal.SIGINT)
    ended = command.end()
    # Without it the child has five seconds from the first.
    assert (ended.code, time.monotonic() - again < 3) == (130, True)


def test_a_child_that_ignores_the_request_to_end_is_ended_by_force() -> None:
    command = start(STUBBORN)
    command.send(signal.SIGTERM)
    assert (command.end().code, processes()) == (130, {})


def test_two_signals_while_the_process_loops_break_into_it() -> None:
    write(
        "p.py",
        """
        import pathlib

        async def process(inputs, ctx):
            pathlib.Path("looping").touch()
            while True:
                pass
        """,
    )
    command = Command("run", "p.py", "--run-id", "r", "--json")
    wait_until(lambda: run_folder("r").parent.parent.parent.joinpath("looping").exists())
    command.send(signal.SIGINT)
    time.sleep(0.2)  # two signals of one number at the same moment are one
    command.send(signal.SIGINT)
    ended = command.end()
    assert (ended.code, ended.told["status"]) == (130, "interrupted")


def test_a_loop_that_was_broken_into_is_not_held_against_the_process() -> None:
    write(
        "p.py",
        "import time\nasync def process(inputs, ctx):\n    time.sleep(inputs.get('long', 0))\n    return 1\n",
    )
    command = Command("run", "p.py", "--run-id", "r", "--json", "-i", "long=20")
    wait_until(lambda: run_folder("r").joinpath("run.lock").exists())
    time.sleep(0.3)
    command.send(signal.SIGINT)
    time.sleep(0.2)
    command.send(signal.SIGINT)
    command.end()
    assert babysitter("status", "r", "--json").told["status"] == "waiting"


def test_nothing_new_is_started_after_a_signal() -> None:
    """The quick effect is held up until after the signal; its result would let the next one begin."""
    write(
        "p.py",
        """
        @shell
        def first():
            return "echo first >> started; trap 'exit 0' TERM; sleep 60 & wait"

        @shell
        def second():
            return "echo second >> started"

        async def process(inputs, ctx):
            await ctx.task(first)
            await ctx.task(second)
        """,
    )
    command = Command("run", "p.py", "--run-id", "r", "--json")
    wait_until(lambda: lines("started"))
    command.send(signal.SIGINT)
    command.end()
    assert lines("started") == ["first"]


def test_one_signal_leaves_children_their_grace_whenever_it_comes() -> None:
    """This one comes while the process itself is at work, so nobody is waiting for signals."""
    write(
        "p.py",
        """
        import os, signal

        SLOW = (
            "trap 'sleep 0.3; echo graceful >> started; exit' TERM;"
            " touch ready; while :; do sleep 0.05; done"
        )

        @shell
        def quick():
            return "until test -e ready; do sleep 0.05; done"

        @shell
        def slow():
            return SLOW

        async def process(inputs, ctx):
            async def signalled():
                await ctx.task(quick)
                os.kill(os.getpid(), signal.SIGINT)
            await ctx.parallel.all([signalled, lambda: ctx.task(slow)])
        """,
    )
    ended = Command("run", "p.py", "--jobs", "2", "--json").end()
    assert (ended.code, lines("started")) == (130, ["graceful"])
