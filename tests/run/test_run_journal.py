"""``run`` writes the journal that step by step would have been written, and nothing but events."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import pytest

from tests.support.driving import ROOT, events, run_folder, told, types, write

# With one job results come one by one, in the order of requests; so they do below.
PROCESSES = {
    "a chain": """
async def process(inputs, ctx):
    said = []
    for number in range(4):
        said.append((await ctx.task(say, number=number)).stdout)
    ctx.log("said", count=len(said))
    return said
""",
    "branches": """
async def process(inputs, ctx):
    async def chain(number):
        first = await ctx.task(say, number=number)
        ctx.progress(1, 2, f"branch {number}")
        return first.stdout + (await ctx.task(say, number=number + 10)).stdout
    return await ctx.parallel.map([1, 2, 3], chain, limit=2)
""",
    "a race and a failure": """
async def process(inputs, ctx):
    async def careful():
        try:
            await ctx.parallel.all([lambda: ctx.task(say, number=1), lambda: ctx.task(say, number=2)])
        finally:
            await ctx.task(say, number=3)
    await ctx.parallel.race([lambda: ctx.task(say, number=0), careful])
    kept = ctx.record("kept", lambda: [1, {"a": None}])
    try:
        await ctx.parallel.all([lambda: ctx.task(broken), lambda: ctx.task(say, number=5)])
    except TaskFailed as error:
        return [error.exit_code, kept, ctx.uuid(), ctx.random.random()]
""",
    "a run that fails": """
async def process(inputs, ctx):
    await ctx.task(say, number=1)
    raise Failed("on purpose", {"a": 1})
""",
}
TASKS = """
@shell
def say(number):
    return f"echo {number}"

@shell
def broken():
    return "exit 3"
"""


TIMES = {"recordedAt", "startedAt", "finishedAt", "durationMs", "createdAt"}
# run.json names the time at which it was made, so its digest varies too.
VARYING = {*TIMES, "checksum", "prev", "runId", "effectId", "runDigest"}


def stripped(value: Any) -> Any:
    """Without what differs from one run to the next: times, ids of run and effects, and the chain."""
    if isinstance(value, dict):
        return {name: stripped(item) for name, item in value.items() if name not in VARYING}
    return [stripped(item) for item in value] if isinstance(value, list) else value


# A program of its own: its suspended coroutines must not be closed, and this way they are not.
STEP_BY_STEP = f"""
import os, sys
sys.path.insert(0, {ROOT!r})

from babysitter.executors.orders import answer_of, work_of
from babysitter.executors.pool import Pool
from babysitter.runs.execution import Execution
from babysitter.runs.folder import open_run
from babysitter.runs.iterate import iterate
from babysitter.runs.results import accept

run = open_run("r", os.path.abspath(".a5c/runs")).load()
while iterate(run).status == "waiting":
    execution = Execution(run)
    execution.start()
    pool = Pool(1)
    pool.offer([work_of(run, execution.source, next(iter(run.state.pending.values())))])
    finished = []
    while not finished:
        finished = pool.wait(None)
    accept(run, [answer_of(end) for end in finished])
    pool.close(0)
os._exit(0)
"""


def step_by_step() -> Any:
    """The journal of the same process with a fresh replay for every single result."""
    told(0, "create", "p.py", "--run-id", "r")
    subprocess.run([sys.executable, "-I", "-c", STEP_BY_STEP], check=True)
    return stripped(events("r"))


@pytest.mark.parametrize("name", PROCESSES)
def test_a_driven_run_has_the_journal_of_a_run_step_by_step(name: str) -> None:
    write("p.py", TASKS + PROCESSES[name])
    expected = step_by_step()
    run_folder("r").rename("step-by-step")
    code = 1 if "fails" in name else 0
    told(code, "run", "p.py", "--run-id", "r", "--jobs", "1")
    assert stripped(events("r")) == expected


def test_a_driven_run_replays() -> None:
    write("p.py", TASKS + PROCESSES["branches"])
    run = told(0, "run", "p.py", "--jobs", "3")["run"]
    assert told(0, "iterate", run)["status"] == "completed"


def test_results_that_come_together_are_one_round() -> None:
    """Requests of several branches that become ready at once stand in one batch."""
    write(
        "p.py",
        TASKS
        + """
async def process(inputs, ctx):
    await ctx.task(say, number=0)
    await ctx.parallel.map(list(range(5)), lambda n: ctx.task(say, number=n))
""",
    )
    run = told(0, "run", "p.py", "--jobs", "2")["run"]
    batches = [event["data"].get("batch") for event in events(run) if event["type"] == "EFFECT_REQUESTED"]
    assert (batches[0], len(set(map(tuple, batches[1:])))) == (None, 1)


def test_a_run_that_is_resumed_again_and_again_while_it_waits_gets_no_events() -> None:
    write("p.py", "async def process(inputs, ctx):\n    await ctx.breakpoint('Go on?')\n")
    told(8, "run", "p.py", "--run-id", "r")
    before = types("r")
    for _ in range(2):
        told(8, "resume", "r")
    assert types("r") == before
