"""A small run to be damaged: every kind of file that a run has, and a state that is known."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from textwrap import dedent
from typing import Any, NamedTuple

from babysitter.journal.events import Head, decode, encode, file_name
from babysitter.library import resolve
from babysitter.runs.creation import create
from babysitter.runs.folder import open_run
from babysitter.runs.iterate import iterate
from babysitter.runs.results import Answer, accept
from tests.support.folders import digest_of

PROCESS = """
    from babysitter import agent

    @agent
    def ask(question):
        return question

    async def process(inputs, ctx):
        outcomes = await ctx.parallel.settled([
            lambda: ctx.task(ask, question="large"),
            lambda: ctx.task(ask, question="no"),
        ])
        ctx.log("both", there=inputs["there"])
        third = await ctx.task(ask, question="third")
        last = await ctx.task(ask, question="last")
        return [len(outcomes[0].value), third, last]
"""
LARGE = "a large result, " * 3000
# The events: created; two requests in one batch; two results; a log and a request in one batch; a result.
EVENTS = 8


class Truth(NamedTuple):
    """What a run says to who reads it."""

    status: str
    events: int
    effects: dict[str, tuple[str, Any]]


class SmallRun:
    """One run on disk."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.journal = folder / "journal"
        self.state = folder / "state"

    def files(self) -> list[Path]:
        """The event files in order, as they were written."""
        return sorted(path for path in self.journal.iterdir() if path.name[:6].isdigit())

    def event(self, number: int) -> Path:
        return self.files()[number - 1]

    def read(self) -> Truth:
        """What ``status`` tells, from the cache as far as it fits."""
        run = open_run(str(self.folder), "").load()
        effects = {
            effect.step: (effect.status, effect.error or run.value_of(effect))
            for effect in run.state.effects.values()
        }
        return Truth(run.state.status, run.state.last_seq, effects)

    def verify(self) -> int:
        """Read all event files; gives their number."""
        return open_run(str(self.folder), "").journal.verify().seq

    def forget_cache(self) -> None:
        shutil.rmtree(self.state, ignore_errors=True)

    def forge(self, after: int, *drafts: tuple[str, dict[str, Any]]) -> None:
        """Put events that fit the chain in place of all that stands behind one of them."""
        head = self.head_after(after)
        for path in self.files()[after:]:
            path.unlink()
        for kind, data in drafts:
            raw = encode(head, kind, head.ms, data, None)
            self.journal.joinpath(file_name(head)).write_bytes(raw)
            head = decode(raw, head)
        self.forget_cache()

    def head_after(self, number: int) -> Head:
        """The head of the journal that ends with an event."""
        head = Head.genesis(self.folder.name)
        for path in self.files()[:number]:
            head = decode(path.read_bytes(), head)
        return head

    def next_path(self) -> Path:
        """The one place that the next event can have."""
        return self.journal / file_name(self.head_after(EVENTS))

    def type_of(self, number: int) -> str:
        return decode(self.event(number).read_bytes(), self.head_after(number - 1)).type

    def data_of(self, number: int) -> dict[str, Any]:
        """What an event says, without what the journal adds."""
        data = decode(self.event(number).read_bytes(), self.head_after(number - 1)).data
        return {name: value for name, value in data.items() if name not in ("prev", "batch")}

    def digest(self) -> dict[str, str]:
        return digest_of(self.folder)

    @property
    def large_file(self) -> Path:
        (found,) = self.folder.glob("tasks/*/value-*.json")
        return found


def build(project: Path, name: str) -> SmallRun:
    """Make the run: three of four results are there, the last of them was not looked at yet."""
    (project / ".a5c").mkdir(parents=True, exist_ok=True)
    (project / "p.py").write_text(dedent(PROCESS))
    entry = resolve(str(project / "p.py"), str(project))
    runs, before = str(project / ".a5c" / "runs"), list(sys.meta_path)
    run = create(
        runs, entry, {"there": True}, project=str(project), version="0", run_id=name, prompt="Ask"
    ).load()
    iterate(run)
    accept(run, [Answer("1.0.1", "ok", LARGE)])
    accept(run, [Answer("1.1.1", "error", None, {"name": "No", "message": "it did not work"})])
    iterate(run)
    accept(run, [Answer("2", "ok", {"third": [1.5, None, "é 日本 😀"]})])
    sys.meta_path[:] = before
    return SmallRun(Path(runs, name))
