"""A run that asks one question, and people who answer it, on a clock of the test's own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from babysitter.library import resolve
from babysitter.runs.answering import Shown, decide
from babysitter.runs.creation import create
from babysitter.runs.folder import open_run
from babysitter.runs.iterate import iterate
from babysitter.runs.results import accept
from babysitter.runs.run import Run

if TYPE_CHECKING:
    from pathlib import Path

    from babysitter.engine.state import Effect
    from babysitter.journal.events import Event
    from babysitter.runs.iterate import Iteration
    from babysitter.runs.results import Verdict

START_MS = 1_800_000_000_000
PROCESS = """
async def process(inputs, ctx):
    told = await ctx.breakpoint("Go?", **inputs)
    return [told.approved, told.option, told.responded_by, told.feedback, told.all_responses]
"""


class Clock:
    """What time it is for everything that is written; it stands still.

    Attributes:
        ms: since 1970.
    """

    def __init__(self) -> None:
        self.ms = START_MS

    def __call__(self) -> int:
        return self.ms

    def pass_by(self, seconds: float) -> None:
        self.ms += round(seconds * 1000)


class Question:
    """A run called ``r`` that asks one question; every call opens it anew, as a command would."""

    def __init__(self, project: Path, clock: Clock | None = None) -> None:
        self.project = project
        self.clock = clock or Clock()
        self.runs = os.path.join(project, ".a5c", "runs")

    def ask(self, source: str = PROCESS, **told: Any) -> Iteration:
        """Make the run and bring it to its question; ``told`` is what is asked."""
        (self.project / "process.py").write_text(source, "utf-8")
        entry = resolve(str(self.project / "process.py"), str(self.project))
        about = {"project": str(self.project), "version": "0", "run_id": "r"}
        return iterate(create(self.runs, entry, told, **about).load())

    def open(self) -> Run:
        return open_run("r", self.runs).load()

    def effect(self, run: Run | None = None) -> Effect:
        """The question that was asked last."""
        effects = (run or self.open()).state.effects.values()
        return [effect for effect in effects if effect.kind == "breakpoint"][-1]

    def say(self, approved: bool, by: str = "alice", **told: Any) -> Verdict:
        """Somebody's answer, recorded if it counts."""
        run = self.open()
        return accept(run, [decide(run, self.effect(run), approved, by=by, **told)])[0]

    def yes(self, by: str = "alice", **told: Any) -> str:
        """What becomes of a yes, in a word or a sentence."""
        verdict = self.say(True, by, **told)
        return verdict.error.message if verdict.error else verdict.status

    def no(self, by: str = "alice", **told: Any) -> str:
        """What becomes of a no."""
        verdict = self.say(False, by, **told)
        return verdict.error.message if verdict.error else verdict.status

    def iterate(self) -> Iteration:
        return iterate(self.open())

    def output(self) -> Any:
        """What the process has got, after one more iteration; None while it waits."""
        run = self.iterate().run
        return run.output() if run.state.status == "completed" else None

    def shown(self) -> str:
        """The digest of what is shown now."""
        run = self.open()
        return Shown(run, self.effect(run)).digest

    def events(self) -> list[Event]:
        found: list[Event] = []
        Run(os.path.join(self.runs, "r")).journal.load(found.append, use_cache=False)
        return found

    def data_of(self, type: str) -> list[dict[str, Any]]:
        """The data of all events of a type, without what ties them to their journal."""
        events = [event for event in self.events() if event.type == type]
        return [
            {name: item for name, item in event.data.items() if name not in ("prev", "batch")}
            for event in events
        ]

    def write(self, name: str, text: str) -> None:
        (self.project / name).parent.mkdir(parents=True, exist_ok=True)
        (self.project / name).write_text(text, "utf-8")
