"""Sleeps: waited for by ``run``, never from the start again, and not by ``work``."""

from __future__ import annotations

import signal
from pathlib import Path

from babysitter.clock import iso, ms_of, now_ms
from tests.support.driving import Command, effects, events, told, types, wait_until, write

SLEEP = """
async def process(inputs, ctx):
    await ctx.sleep(inputs["seconds"])
    return "rested"
"""


def slept_ms(run: str) -> int:
    """From the request of the sleep to its end."""
    at = {event["type"]: ms_of(event["recordedAt"]) for event in events(run)}
    return at["EFFECT_RESOLVED"] - at["EFFECT_REQUESTED"]


def test_run_waits_for_a_sleep() -> None:
    write("p.py", SLEEP)
    ended = told(0, "run", "p.py", "-i", "seconds=0.6")
    assert (ended["output"], slept_ms(ended["run"]) >= 600) == ("rested", True)


def test_run_waits_until_a_moment() -> None:
    write(
        "p.py", "async def process(inputs, ctx):\n    await ctx.sleep_until(inputs['until'])\n    return 1\n"
    )
    until = iso(now_ms() + 1000)
    told(0, "run", "p.py", "--run-id", "r", "-i", f"until={until}")
    assert next(event for event in events("r") if event["type"] == "EFFECT_RESOLVED")["recordedAt"] >= until


def test_a_killed_run_does_not_sleep_from_the_start_again() -> None:
    write("p.py", SLEEP)
    command = Command("run", "p.py", "--run-id", "r", "-i", "seconds=2", "--json")
    wait_until(lambda: command.is_running and "EFFECT_REQUESTED" in _types())
    command.send(signal.SIGKILL)
    command.end()
    due = ms_of(events("r")[-1]["recordedAt"]) + 2000
    wait_until(lambda: now_ms() > due)
    resumed = now_ms()
    told(0, "resume", "r")
    assert ms_of(events("r")[-1]["recordedAt"]) - resumed < 2000


def _types() -> list[str]:
    try:
        return types("r")
    except FileNotFoundError:
        return []


def test_work_does_not_wait_and_says_until_when_the_run_sleeps() -> None:
    write("p.py", SLEEP)
    told(0, "create", "p.py", "--run-id", "r", "-i", "seconds=3600")
    ended = told(0, "work", "r")
    assert (ended["status"], "until" in ended, ended["hint"]) == ("waiting", True, "babysitter work r --wait")


def test_work_takes_note_of_a_sleep_that_is_over() -> None:
    write("p.py", SLEEP)
    told(0, "create", "p.py", "--run-id", "r", "-i", "seconds=0.1")
    requested = ms_of(events("r")[-1]["recordedAt"])
    wait_until(lambda: now_ms() > requested + 100)
    assert told(0, "work", "r")["output"] == "rested"


def test_a_sleep_in_one_branch_holds_up_no_other() -> None:
    write(
        "p.py",
        """
        @shell
        def say():
            "say"
            return "true"

        async def process(inputs, ctx):
            async def chain():
                for _ in range(3):
                    await ctx.task(say)
            await ctx.parallel.all([lambda: ctx.sleep(1), chain])
        """,
    )
    run = told(0, "run", "p.py")["run"]
    resolved = [event["data"] for event in events(run) if event["type"] == "EFFECT_RESOLVED"]
    assert [data.get("executor") for data in resolved] == ["local", "local", "local", "clock"]


def test_a_sleep_that_wins_a_race_ends_the_slow_command() -> None:
    write(
        "p.py",
        """
        @shell
        def slow():
            "slow"
            return ["sleep", "60"]

        async def process(inputs, ctx):
            await ctx.parallel.race([lambda: ctx.task(slow), lambda: ctx.sleep(0.3)])
            return "too late"
        """,
    )
    run = told(0, "run", "p.py")["run"]
    assert effects(run)["slow"]["cancelled"] == 1


# work --wait

ASK = """
@agent
def look(n):
    "look"
    return "Look"

@shell
def say(text):
    "say"
    return f"echo {text} >> said"
"""


def test_work_that_waits_goes_on_through_sleeps_and_commands_to_the_end() -> None:
    write(
        "p.py",
        ASK
        + """
async def process(inputs, ctx):
    for n in range(2):
        await ctx.sleep(0.1)
        await ctx.task(say, text=str(n))
    return "rested"
""",
    )
    told(0, "create", "p.py", "--run-id", "r")
    assert (told(0, "work", "r", "--wait")["output"], Path("said").read_text()) == ("rested", "0\n1\n")


def test_work_that_waits_ends_when_an_agent_is_needed_although_a_sleep_goes_on() -> None:
    write(
        "p.py",
        ASK
        + """
async def process(inputs, ctx):
    async def check():
        await ctx.sleep(0.1)
        await ctx.task(look, n=1)
    await ctx.parallel.all([check, lambda: ctx.sleep(3600)])
""",
    )
    told(0, "create", "p.py", "--run-id", "r")
    ended = told(0, "work", "r", "--wait")
    assert (ended["status"], sorted(ended["pending"])) == ("waiting", ["agent", "sleep"])


def test_work_that_waits_ends_when_a_person_is_needed() -> None:
    write(
        "p.py",
        """
        async def process(inputs, ctx):
            async def gate():
                await ctx.sleep(0.1)
                await ctx.breakpoint("Go?")
            await ctx.parallel.all([gate, lambda: ctx.sleep(3600)])
        """,
    )
    told(0, "create", "p.py", "--run-id", "r")
    assert sorted(told(0, "work", "r", "--wait")["pending"]) == ["breakpoint", "sleep"]


def test_work_that_waits_finishes_what_runs_and_leaves_the_rest_when_there_is_news() -> None:
    write(
        "p.py",
        ASK
        + """
@shell
def wait_for_news(n):
    "wait"
    return "while ! [ -e news ]; do sleep 0.02; done"

async def process(inputs, ctx):
    async def first():
        await ctx.task(say, text="first")
        await ctx.task(look, n=1)
    # The second of these may have taken the place of the first command before there was news.
    waiting = [lambda n=n: ctx.task(wait_for_news, n=n) for n in range(2)]
    await ctx.parallel.all([first, *waiting, lambda: ctx.task(say, text="last")])
""",
    )
    told(0, "create", "p.py", "--run-id", "r")
    command = Command("work", "r", "--wait", "--jobs", "2", "--json")
    wait_until(lambda: effects("r").get("look") is not None)
    Path("news").touch()
    ended = command.end()
    said = Path("said").read_text()
    assert (sorted(ended.told["pending"]), said) == (["agent", "shell"], "first\n"), ended.stderr


def test_work_that_waits_does_not_end_for_what_another_command_has_asked_for() -> None:
    write(
        "p.py",
        ASK
        + """
async def process(inputs, ctx):
    await ctx.task(look, n=1)
    async def nap():
        await ctx.sleep(1)
        await ctx.task(say, text="woken")
    await ctx.parallel.all([nap, lambda: ctx.task(look, n=2)])
""",
    )
    told(0, "create", "p.py", "--run-id", "r")
    told(0, "post", "r", "1", "--value", '"seen"')
    told(0, "iterate", "r")
    ended = told(0, "work", "r", "--wait")
    assert (sorted(ended["pending"]), Path("said").read_text()) == (["agent"], "woken\n")


def test_a_breakpoint_that_is_answered_by_policy_is_no_news() -> None:
    write(
        "p.py",
        ASK
        + """
async def process(inputs, ctx):
    await ctx.sleep(0.1)
    await ctx.breakpoint("Go?")
    await ctx.task(say, text="went")
    return "gone"
""",
    )
    told(0, "create", "p.py", "--run-id", "r", "--yolo")
    assert (told(0, "work", "r", "--wait")["output"], Path("said").read_text()) == ("gone", "went\n")
