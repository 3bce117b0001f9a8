"""Whether whoever took an effect is still at it: by the lease, the session and the subagent."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.library import resolve
from babysitter.runs import run as run_module
from babysitter.runs.above import session_over, top_of
from babysitter.runs.children import family
from babysitter.runs.creation import create
from babysitter.runs.iterate import iterate
from babysitter.runs.taking import take
from babysitter.sessions.agents import carried, forget, note_gone, remember
from babysitter.sessions.binding import release
from babysitter.sessions.takers import is_at_it

if TYPE_CHECKING:
    from pathlib import Path

    from babysitter.engine.state import Effect
    from babysitter.runs.run import Run

SESSION, AGENT = "s-1", "a1"
PROCESS = """
from babysitter import agent

@agent
def ask():
    return "Hm?"

async def process(inputs, ctx):
    return await ctx.task(ask)
"""

PARENT = """
async def between(inputs, ctx):
    await ctx.subprocess(child)

async def process(inputs, ctx):
    await ctx.subprocess(between)
"""


@pytest.fixture
def run(project: Path) -> Run:
    (project / "p.py").write_text(PROCESS)
    runs, entry = str(project / ".a5c" / "runs"), resolve(str(project / "p.py"))
    found = create(runs, entry, {}, project=str(project), version="0", run_id="r").load()
    iterate(found)
    found.append([("SESSION_BOUND", {"host": "claude-code", "sessionId": SESSION})])
    return found


def only(run: Run) -> Effect:
    (effect,) = run.state.pending.values()
    return effect


def begin(run: Run, **told: Any) -> None:
    take(run, only(run), lambda effect: True, by="somebody", **told)


def by_subagent(run: Run) -> None:
    remember(SESSION, AGENT, only(run).id)
    begin(run, session=SESSION, agent=AGENT, lease=60)


def started(home: Path, pid: int) -> None:
    (home / "sessions" / SESSION).mkdir(parents=True, exist_ok=True)
    (home / "sessions" / SESSION / "host").write_text(f"{pid}\n\n")


def test_at_what_nobody_took_nobody_is(run: Run) -> None:
    assert not is_at_it(run, only(run))


def test_a_subagent_of_a_session_that_lives_is_at_it(run: Run, home: Path) -> None:
    started(home, os.getpid())
    by_subagent(run)
    assert is_at_it(run, only(run))


def test_one_of_a_session_that_has_died_is_not(run: Run, home: Path) -> None:
    started(home, 2**31 - 1)
    by_subagent(run)
    assert not is_at_it(run, only(run))


def test_a_session_that_is_not_seen_from_here_has_its_lease(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(run, session=SESSION, agent=AGENT, lease=60)
    before = is_at_it(run, only(run))
    monkeypatch.setattr(run_module, "now_ms", lambda: only(run).taken_ms + 60_000)
    assert (before, is_at_it(run, only(run))) == (True, False)


@pytest.mark.parametrize("how", [note_gone, forget])
def test_a_subagent_that_is_gone_is_not_at_it(run: Run, home: Path, how: Any) -> None:
    started(home, os.getpid())
    by_subagent(run)
    how(SESSION, AGENT)
    assert not is_at_it(run, only(run))


def test_what_a_subagent_carried_is_known_also_when_it_is_gone(run: Run) -> None:
    remember(SESSION, AGENT, "e1", sent_back=2)
    note_gone(SESSION, AGENT)
    assert (carried(SESSION, AGENT), carried(SESSION, AGENT, is_at_work=True)) == (("e1", 2), ("", 0))


def test_a_session_that_has_left_the_run_is_not_at_it(run: Run, home: Path) -> None:
    started(home, os.getpid())
    by_subagent(run)
    release(run, SESSION, "a person wanted it")
    assert not is_at_it(run, only(run))


def test_somebody_without_a_session_has_the_lease_alone(run: Run) -> None:
    begin(run, lease=60)
    assert is_at_it(run, only(run))


def test_the_session_of_a_child_is_that_of_the_run_at_the_top(project: Path, home: Path) -> None:
    (project / "p.py").write_text(PROCESS.replace("process(", "child(") + PARENT)
    runs, entry = str(project / ".a5c" / "runs"), resolve(str(project / "p.py"))
    top = create(runs, entry, {}, project=str(project), version="0", run_id="r").load()
    top.append([("SESSION_BOUND", {"host": "claude-code", "sessionId": SESSION})])
    iterate(top)
    child = family(top)[-1]
    started(home, os.getpid())
    by_subagent(child)
    before = is_at_it(child, only(child))
    release(top, SESSION, "a person wanted it")
    assert (len(family(top)), before, is_at_it(child, only(child))) == (3, True, False)


def test_a_child_whose_parent_is_not_there_is_no_sessions(project: Path, home: Path) -> None:
    (project / "p.py").write_text(PROCESS.replace("process(", "child(") + PARENT)
    runs, entry = str(project / ".a5c" / "runs"), resolve(str(project / "p.py"))
    top = create(runs, entry, {}, project=str(project), version="0", run_id="r").load()
    iterate(top)
    child = family(top)[1]
    shutil.rmtree(top.folder)
    assert (top_of(child).run_id, session_over(child)) == (child.run_id, None)
