"""Rate limits in real commands: what waits is told, and goes on in time, also after a kill."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

from babysitter.runs.run import Run
from tests.support.driving import Command, babysitter, run_folder, told, types, wait_until, write

TWO = """
@shell
def build(n):
    return f"echo {n} >> log"

@shell
def test():
    return "echo test >> log"

async def process(inputs, ctx):
    await ctx.parallel.all([
        *(lambda n=n: ctx.task(build, n=n) for n in range(2)),
        lambda: ctx.task(test),
    ])
    return "done"
"""


def configure(home: Path, text: str) -> None:
    (home / "config.yaml").write_text(text)


def has(run: str, event: str, count: int) -> bool:
    return run_folder(run).exists() and types(run).count(event) == count


def starts() -> list[str]:
    return sorted(Path("log").read_text().split())


def test_what_a_limit_holds_up_is_told_and_others_go_on(home: Path) -> None:
    configure(home, "tasks: {build: {limit: 1/hour}}\n")
    write("p.py", TWO)
    command = Command("run", "p.py", "--run-id", "r", "--plain")
    wait_until(lambda: has("r", "EFFECT_RESOLVED", 2))
    status = told(0, "status", "r")
    lines = babysitter("status", "r").stdout
    command.send(signal.SIGINT)
    ended = command.end()
    (held,) = status["rateLimits"]
    assert (held["task"], held["limit"], held["effects"], sorted(starts())) == (
        "build",
        "1/hour",
        1,
        ["0", "test"],
    )
    assert "1 effect waits for the rate limit of build, next at " in lines
    assert "limit     1 effect waits for the rate limit of build, next at " in ended.stdout
    assert ended.code == 130


def test_a_run_that_was_killed_while_it_waited_goes_on_when_it_may(home: Path) -> None:
    configure(home, "kinds: {shell: {limit: 2/hour}}\n")
    write("p.py", TWO)
    command = Command("run", "p.py", "--run-id", "r")
    wait_until(lambda: has("r", "EFFECT_RESOLVED", 2))
    os.kill(command.process.pid, signal.SIGKILL)
    command.end()
    configure(home, "kinds: {shell: {limit: 3/hour}}\n")
    assert (told(0, "resume", "r")["output"], len(starts())) == ("done", 3)


def test_two_runs_share_a_limit(home: Path) -> None:
    configure(home, "kinds: {shell: {limit: 3/hour}}\n")
    write("p.py", TWO)
    assert told(0, "run", "p.py", "--run-id", "first")["status"] == "completed"
    command = Command("run", "p.py", "--run-id", "second", "--json")
    wait_until(lambda: has("second", "EFFECT_REQUESTED", 3))
    command.send(signal.SIGINT)
    ended = command.end()
    assert (json.loads(ended.stdout)["status"], len(starts())) == ("interrupted", 3)


def test_a_projects_limit_holds_beside_the_users(home: Path) -> None:
    configure(home, "kinds: {shell: {limit: 100/hour}}\n")
    Path(".a5c").mkdir()
    Path(".a5c", "config.yaml").write_text("kinds: {shell: {limit: 3/hour}}\n")
    write("p.py", TWO)
    told(0, "run", "p.py", "--run-id", "first")
    command = Command("run", "p.py", "--run-id", "second", "--json")
    wait_until(lambda: has("second", "EFFECT_REQUESTED", 3))
    command.send(signal.SIGINT)
    command.end()
    assert len(starts()) == 3


def test_what_is_being_done_or_was_taken_does_not_wait_for_a_limit(home: Path) -> None:
    configure(home, "kinds: {shell: {limit: 1/hour}, agent: {limit: 1/hour}}\n")
    write(
        "p.py",
        """
        @shell
        def slow(n):
            return "echo > begun; sleep 600"

        @agent
        def ask(n):
            return "Say something."

        async def process(inputs, ctx):
            await ctx.parallel.all([*(lambda n=n: ctx.task(slow, n=n) for n in range(2)),
                                    *(lambda n=n: ctx.task(ask, n=n) for n in range(3))])
        """,
    )
    first, *_ = told(0, "create", "p.py", "--run-id", "r")["new"]["agent"]
    run = Run(str(run_folder("r").resolve())).load()
    run.append([("EFFECT_TAKEN", {"effectId": first, "attempt": 1, "by": "somebody"})])
    command = Command("work", "r")
    wait_until(Path("begun").exists)
    seen = told(0, "status", "r")["rateLimits"]
    command.send(signal.SIGINT)
    command.end()
    assert [(each["kind"], each["effects"]) for each in seen] == [("shell", 1), ("agent", 1)]
