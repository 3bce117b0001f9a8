"""What the commands of an agent's turn import, counted in modules: milliseconds depend on the machine."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from babysitter.library import resolve
from babysitter.rulebook import add
from babysitter.rules import Rule
from babysitter.runs.creation import create
from babysitter.runs.iterate import iterate

ROOT = str(Path(__file__).parents[2])
# Beyond our own: the C modules behind json and hashlib, the deadline's signals, what click needs for
# its texts. rich, pydantic, jsonschema, filelock, yaml, asyncio, subprocess, dataclasses, json, hashlib,
# pathlib: each of them costs as much as replaying a small run, or more.
ALLOWED = {
    "_json",
    "_locale",
    "_sha2",
    "_sha256",
    "errno",
    "gc",
    "locale",
    "signal",
    "__babysitter_process__",
}
# How many modules of our own a command may load.
MOST = {"status": 34, "post": 33, "iterate": 56}
# The program ends by `os._exit`, so that is where it can be asked.
TELL_IMPORTED = """
import sys
sys.path.insert(0, sys.argv.pop(1))
import click
known = set(sys.modules)
import os
end = os._exit
def tell(code):
    sys.stderr.write("\\n".join(sorted(set(sys.modules) - known)))
    sys.stderr.flush()
    end(code)
os._exit = tell
from babysitter.cli.main import main
main()
"""
PROCESS = """
from babysitter import define_task

work = define_task("work", lambda args: {"kind": "agent", "title": "Do it", "agent": {"prompt": "do it"}})

async def process(inputs, ctx):
    await ctx.parallel.map(range(3), lambda n: ctx.task(work, n=n))
"""


@pytest.fixture
def effect(project: Path) -> str:
    """An effect that waits, in the run ``small``."""
    (project / "process.py").write_text(PROCESS)
    entry = resolve(str(project / "process.py"))
    run = create(str(project / ".a5c" / "runs"), entry, {}, project=str(project), version="0", run_id="small")
    return iterate(run.load()).new[0].id


def imported_by(command: str, effect: str) -> list[str]:
    """The modules that a command loads beyond those of ``import click``."""
    words = [effect, "--value", "1"] if command == "post" else []
    start = [sys.executable, "-I", "-c", TELL_IMPORTED, ROOT, command, "small", *words, "--json"]
    done = subprocess.run(start, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["run"] == "small"
    return done.stderr.splitlines()


@pytest.mark.parametrize("command", MOST)
def test_a_command_of_an_agents_turn_imports_nothing_that_is_heavy(command: str, effect: str) -> None:
    others = {name for name in imported_by(command, effect) if name.partition(".")[0] != "babysitter"}
    assert others - ALLOWED == set()


@pytest.mark.parametrize("command", MOST)
def test_a_command_of_an_agents_turn_imports_few_of_our_own_modules(command: str, effect: str) -> None:
    own = [name for name in imported_by(command, effect) if name.partition(".")[0] == "babysitter"]
    assert len(own) <= MOST[command], own


GATED = """
async def process(inputs, ctx):
    await ctx.breakpoint("Go?")
"""


@pytest.fixture
def gated(project: Path) -> None:
    """A breakpoint that is open, in the run ``small``."""
    (project / "process.py").write_text(GATED)
    entry = resolve(str(project / "process.py"))
    run = create(str(project / ".a5c" / "runs"), entry, {}, project=str(project), version="0", run_id="small")
    iterate(run.load())


@pytest.mark.usefixtures("gated")
def test_without_rules_an_open_breakpoint_costs_nothing_more() -> None:
    own = {name for name in imported_by("iterate", "") if name.startswith("babysitter.")}
    assert own & {"babysitter.rules", "babysitter.rulebook", "babysitter.runs.policy"} == set()


@pytest.mark.usefixtures("gated")
def test_rules_without_patterns_import_nothing_that_is_heavy() -> None:
    add(Rule("mine", "never", match="confirm.deploy", tags=["prod"]))
    imported = imported_by("iterate", "")
    others = {name for name in imported if name.partition(".")[0] != "babysitter"}
    assert ("babysitter.rulebook" in imported, others - ALLOWED) == (True, set())


def test_importing_the_package_loads_nothing_else() -> None:
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import __future__; known = set(sys.modules);"
        " import babysitter; print(*sorted(set(sys.modules) - known))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-c", code, ROOT], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["babysitter"]
