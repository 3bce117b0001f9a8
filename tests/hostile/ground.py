"""The project of these tests, with one run called ``r``, and what is outside of it."""

from __future__ import annotations

import os
import stat
import sys
from textwrap import dedent
from typing import TYPE_CHECKING

from babysitter.library import resolve
from babysitter.limits import Limits
from babysitter.runs.creation import create
from babysitter.runs.folder import open_run
from babysitter.runs.iterate import iterate
from babysitter.runs.results import Answer, accept
from tests.support.commands import HEAD

if TYPE_CHECKING:
    from pathlib import Path

    from babysitter.engine.state import Effect
    from babysitter.runs.run import Run

# The first is answered; the others wait, one for an agent, one for the local pool.
PROCESS = """
@shell
def say():
    return ["echo", "hello"]

async def process(inputs, ctx):
    first = await ctx.task(ask, question="one")
    await ctx.parallel.all([lambda: ctx.task(ask, question="two"), lambda: ctx.task(say)])
    return first
"""
UNSEEN = "what nobody may see"


class Ground:
    """A copy of the project: the working directory of a test."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        self.run = self.project / ".a5c" / "runs" / "r"
        self.outside = folder / "outside"

    def effect(self, step: str) -> Effect:
        run = open_run("r", str(self.run.parent)).load()
        return next(effect for effect in run.state.effects.values() if effect.step == step)

    def path(self, place: str) -> Path:
        """A place in the run folder: ``{1}`` is the id of the effect at step 1, a star anything."""
        for step in ("1", "2.0.1", "2.1.1"):
            if f"{{{step}}}" in place:
                place = place.replace(f"{{{step}}}", self.effect(step).id)
        return next(self.run.glob(place), self.run / place) if "*" in place else self.run / place

    def led_outside(self, place: str) -> None:
        """Move what is there outside, as it is, and put a link to it in its place."""
        inside = self.path(place)
        target = self.outside / "moved"
        inside.rename(target)
        inside.symlink_to(target)

    def digest(self) -> dict[str, tuple[str, bytes]]:
        """All that is outside: kind, rights, and what it holds."""
        found = {}
        for path in [self.outside, *sorted(self.outside.rglob("*"))]:
            mode = stat.filemode(path.lstat().st_mode)
            found[str(path)] = (mode, path.read_bytes() if mode[0] == "-" else b"")
        return found


def build(folder: Path) -> None:
    """Make the project that is copied."""
    before = list(sys.meta_path)
    file = folder / "p.py"
    file.write_text(HEAD + dedent(PROCESS), "utf-8")
    run = create_run(folder, file).load()
    iterate(run)
    accept(run, [Answer("1", "ok", "first")])
    iterate(run)
    sys.meta_path[:] = before


def create_run(folder: Path, file: Path, run_id: str = "r") -> Run:
    runs = folder / ".a5c" / "runs"
    return create(
        str(runs),
        resolve(str(file), str(folder)),
        {},
        project=str(folder),
        version="0",
        run_id=run_id,
        limits=Limits(inline_bytes=0),
    )


def limit_memory(memory_bytes: int) -> None:
    """Configure a limit that is reached sooner."""
    with open(os.path.join(os.environ["BABYSITTER_HOME"], "config.yaml"), "w", encoding="utf-8") as file:
        file.write(f"limits: {{memoryBytes: {memory_bytes}}}\n")


def is_root() -> bool:
    return os.geteuid() == 0
