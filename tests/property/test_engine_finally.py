"""A suspended ``finally`` belongs to a process that only waits: it never runs."""

from __future__ import annotations

import gc
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import given

from tests.property.strategies import chances, examples, feed_some, process_of, trees
from tests.support.rounds import start

if TYPE_CHECKING:
    from random import Random

    from tests.property.strategies import Tree

ROOT = Path(__file__).parents[2]
WAITING = """
import os, sys
from babysitter import define_task
from tests.support.rounds import start

step = define_task("step", lambda args: {"kind": "shell"})

async def process(inputs, ctx):
    try:
        await ctx.parallel.all([lambda: branch(ctx), lambda: branch(ctx)])
    finally:
        print("outer finally", flush=True)

async def branch(ctx):
    try:
        await ctx.task(step)
    finally:
        print("inner finally", flush=True)

run = start(process)
print("waits for", run.pending, flush=True)
"""


@examples(40)
@given(trees, chances)
def test_a_process_that_waits_runs_no_finally_when_it_is_forgotten(tree: Tree, chance: Random) -> None:
    # Only what this example makes is looked through; the rest of the program is large by now.
    gc.freeze()
    marks = list[str]()
    run = start(process_of(tree, marks.append))
    for _ in range(chance.randint(0, 3)):
        if run.end is None:
            feed_some(run, chance)
    before = list(marks)
    del run
    gc.collect()
    gc.unfreeze()
    assert marks == before


def exits_with(ending: str) -> str:
    """What a program prints that starts a process and then ends."""
    ran = subprocess.run(
        [sys.executable, "-c", WAITING + ending], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return ran.stdout + ran.stderr


def test_leaving_by_os_exit_runs_no_finally() -> None:
    assert exits_with("os._exit(0)") == "waits for ['1.0.1', '1.1.1']\n"


def test_deleting_and_collecting_runs_no_finally() -> None:
    ending = "del run, process, branch; import gc; gc.collect(); os._exit(0)"
    assert exits_with(ending) == "waits for ['1.0.1', '1.1.1']\n"
