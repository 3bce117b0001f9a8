"""A project with runs in every state. Made once and copied for each test: cheaper than commands are."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING, Any

from babysitter.library import resolve
from babysitter.runs.creation import create
from babysitter.runs.folder import open_run
from babysitter.runs.iterate import iterate
from babysitter.runs.results import Answer, accept
from tests.support.commands import HEAD
from tests.support.folders import digest_of

if TYPE_CHECKING:
    from pathlib import Path

    from babysitter.engine.state import Effect

PROCESSES = {
    "review": """
        Inputs = {"type": "object", "properties": {"what": {"type": "string", "default": "all of it"}}}

        VERDICT = {"verdict": {"enum": ["good", "bad"]}}
        SCHEMA = {"type": "object", "required": ["verdict"], "properties": VERDICT}

        @agent(returns=SCHEMA)
        def review(what):
            "Review the change"
            return f"Look at\\n\\t{what}"

        async def process(inputs, ctx):
            "Review something"
            return await ctx.task(review, what=inputs["what"])
        """,
    "many": """
        async def process(inputs, ctx):
            return await ctx.parallel.map(range(3), lambda n: ctx.task(ask, question=str(n)))
        """,
    "done": """
        async def process(inputs, ctx):
            return {"answer": await ctx.task(ask, question="one")}
        """,
    "failed": """
        async def process(inputs, ctx):
            await ctx.task(ask, question="one")
            raise Failed("it did not work", {"why": "tests"})
        """,
    "raced": """
        async def process(inputs, ctx):
            await ctx.parallel.race([
                lambda: ctx.task(ask, question="a"),
                lambda: ctx.task(ask, question="b"),
            ])
            await ctx.task(ask, question="next")
        """,
    "own": """
        @shell
        def list_files():
            "List files"
            return ["ls"]

        @python
        def count():
            "Count"
            return 1

        async def process(inputs, ctx):
            await ctx.parallel.settled([
                lambda: ctx.task(list_files),
                lambda: ctx.task(count),
                lambda: ctx.sleep(3600),
            ])
        """,
    "gate": """
        async def process(inputs, ctx):
            told = await ctx.breakpoint("Where to?", title="Release", options=["staging", "live"])
            return [told.approved, told.option, told.feedback, told.response]
        """,
    "stuck": """
        async def process(inputs, ctx):
            {}["nothing"]
        """,
}  # fmt: skip
# What is answered, by step, before the run is looked at.
ANSWERS: dict[str, dict[str, Any]] = {
    "done": {"1": "yes"},
    "failed": {"1": "yes"},
    "raced": {"1.0.1": "first"},
}


class Scene:
    """A copy of the project: the working directory of a test. Runs are called as their processes."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs = folder / ".a5c" / "runs"

    def digest(self) -> dict[str, str]:
        """All that is in the project, but the caches."""
        return digest_of(self.folder)

    def effects(self, run: str) -> dict[str, Effect]:
        """The effects of a run by step."""
        state = open_run(run, str(self.runs)).load().state
        return {effect.step: effect for effect in state.effects.values()}

    def id_of(self, run: str, step: str = "1") -> str:
        return self.effects(run)[step].id


def build(folder: Path) -> None:
    """Make the project that is copied."""
    from textwrap import dedent

    (folder / ".a5c").mkdir(parents=True)
    before = list(sys.meta_path)
    for name, source in PROCESSES.items():
        file = folder / f"{name}.py"
        file.write_text(HEAD + dedent(source), "utf-8")
        run = create(
            str(folder / ".a5c" / "runs"),
            resolve(str(file), str(folder)),
            {} if name != "review" else {"what": "the diff"},
            project=str(folder),
            version="0",
            run_id=name,
            prompt="Do it",
        ).load()
        iterate(run)
        for step, value in ANSWERS.get(name, {}).items():
            accept(run, [Answer(step, "ok", value)])
            iterate(run)
    sys.meta_path[:] = before


def break_run(scene: Scene, name: str) -> None:
    """Change an event of a run."""
    shutil.rmtree(scene.runs / name / "state")
    path = min((scene.runs / name / "journal").iterdir())
    path.write_bytes(path.read_bytes().replace(b"RUN_CREATED", b"RUN_CREATEE"))
