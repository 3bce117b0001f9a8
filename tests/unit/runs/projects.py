"""A project with a process, its runs, and what an iteration of them does, without any command."""

from __future__ import annotations

import json
import os
from textwrap import dedent
from typing import TYPE_CHECKING, Any

from babysitter.library import resolve
from babysitter.runs.creation import create
from babysitter.runs.folder import open_run
from babysitter.runs.iterate import Iteration, iterate
from babysitter.runs.results import Answer, Verdict, accept
from tests.support.folders import digest_of

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from babysitter.engine.state import Effect
    from babysitter.limits import Limits
    from babysitter.runs.run import Run

HEAD = """
from pathlib import Path

from babysitter import Failed, TaskFailed, agent, define_task, python, shell

@agent
def ask(question: str):
    \"\"\"Ask\"\"\"
    return question
"""
ASK_ONCE = """
async def process(inputs, ctx):
    return await ctx.task(ask, question="one")
"""
ASK_TWICE = """
async def process(inputs, ctx):
    first = await ctx.task(ask, question="one")
    second = await ctx.task(ask, question="two")
    return [first, second]
"""


class Project:
    """A folder with ``process.py``; every call opens the run anew, as a command would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs_dir = folder / ".a5c" / "runs"
        self.limits: Limits | None = None

    def write(self, source: str, name: str = "process.py") -> Path:
        """A source file; a process gets what all of these tests import."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        head = HEAD if name == "process.py" else ""
        path.write_text(head + dedent(source), "utf-8")
        return path

    def create(self, source: str | None = None, inputs: Any = None, **options: Any) -> Run:
        if source is not None:
            self.write(source)
        entry = resolve(str(self.folder / "process.py"))
        told = {"project": str(self.folder), "version": "0", **self._options(), **options}
        return create(str(self.runs_dir), entry, {} if inputs is None else inputs, **told)

    def begin(self, source: str | None = None, inputs: Any = None, **options: Any) -> Iteration:
        """Create a run called ``r`` and do its first iteration."""
        return iterate(self.create(source, inputs, run_id="r", **options).load())

    def _options(self) -> dict[str, Any]:
        return {} if self.limits is None else {"limits": self.limits}

    def open(self, name: str = "r") -> Run:
        return open_run(name, str(self.runs_dir), **self._options()).load()

    def iterate(self, name: str = "r") -> Iteration:
        return iterate(self.open(name))

    def effect(self, step: str, name: str = "r") -> Effect:
        (found,) = [effect for effect in self.open(name).state.effects.values() if effect.step == step]
        return found

    def post(self, step: str, value: Any = None, name: str = "r", **answer: Any) -> Verdict:
        """Answer the effect at a step."""
        status = "error" if "error" in answer else "ok"
        return accept(self.open(name), [Answer(step, status, value, **answer)])[0]

    def answer(self, step: str, value: Any = None) -> Iteration:
        """Post, and iterate."""
        verdict = self.post(step, value)
        assert verdict.error is None, verdict.error
        return self.iterate()

    def events(self, name: str = "r") -> list[dict[str, Any]]:
        """The journal, as its files are."""
        return [
            json.loads(path.read_bytes()) for path in sorted((self.runs_dir / name / "journal").iterdir())
        ]

    def types(self, name: str = "r") -> list[str]:
        return [event["type"] for event in self.events(name)]

    def data_of(self, type: str, name: str = "r") -> list[dict[str, Any]]:
        """The data of all events of a type."""
        return [event["data"] for event in self.events(name) if event["type"] == type]

    def digest(self) -> dict[str, str]:
        """All that is in the project, but the caches."""
        return digest_of(self.folder)


def flushed_from_now_on(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The inodes of what is flushed, in order; nothing is, really."""
    flushed: list[int] = []
    monkeypatch.setattr(os, "fsync", lambda fd: flushed.append(os.fstat(fd).st_ino))
    return flushed


def stuck_in(project: Project) -> dict[str, Any]:
    """The problem that a run is stuck in."""
    state = project.open().state
    assert (state.status, state.problem is None) == ("stuck", False)
    assert state.problem is not None
    return state.problem
