"""The scene of a measurement: a scratch project with runs in it, and the commands to be compared."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from children import Children

if TYPE_CHECKING:
    from collections.abc import Sequence

    from original import Original

BENCH = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(BENCH)
LAUNCHER = os.path.join(ROOT, "bin", "babysitter")
# The one that the launcher finds in a checkout, whichever runs this.
PYTHON = os.path.join(ROOT, ".venv", "bin", "python")
PROCESS = os.path.join(BENCH, "processes", "steps.py")
START = "import sys; sys.path.insert(0, sys.argv.pop(1)); from babysitter.cli.main import main; main()"
# An agent host or a setting of the person who measures must not change what is measured.
FOREIGN = ("AI_AGENT", "BABYSITTER_", "CLAUDE", "CODEX_", "CURSOR_", "GEMINI_", "PLUGIN_", "PYTHON")


class Scene:
    """A project folder, which becomes the working directory, and what is measured in it.

    Attributes:
        rounds: how often each command is measured.
        original: the original's command line, if one was named.
    """

    def __init__(
        self,
        folder: str,
        *,
        rounds: int,
        is_quick: bool = False,
        counts_processor: bool = False,
        original: Original | None = None,
    ) -> None:
        self.folder = os.path.realpath(folder)
        self.rounds = rounds
        self.is_quick = is_quick
        self.original = original
        self.runs_dir = os.path.join(self.folder, ".a5c", "runs")
        self.python = PYTHON
        self.children = Children(self.folder, self.python, counts_processor=counts_processor)
        self.bare = [self.python, "-I", "-c", "pass"]
        self._numbers: dict[str, int] = {}
        self._standing: dict[tuple[str, int], str] = {}

    def enter(self) -> None:
        """Make the folder the working directory and the environment one that nobody has touched."""
        for name in [name for name in os.environ if name.startswith(FOREIGN)]:
            del os.environ[name]
        os.environ["HOME"] = os.environ["BABYSITTER_HOME"] = os.path.join(self.folder, "home")
        os.makedirs(os.environ["HOME"])
        os.makedirs(self.runs_dir)
        os.chdir(self.folder)

    def python_version(self) -> str:
        """Of the Python that is measured."""
        code = "import sys; print('.'.join(map(str, sys.version_info[:3])))"
        return self.children.output([self.python, "-I", "-c", code]).decode().strip()

    def few(self, most: int) -> int:
        """Rounds for what takes long."""
        return min(most, self.rounds)

    def ours(self, *words: str) -> list[str]:
        """A command as people and agents start it."""
        return [LAUNCHER, *words]

    def direct(self, *words: str) -> list[str]:
        """The same without the launcher's shell."""
        return [self.python, "-I", "-c", START, ROOT, *words]

    def program(self, name: str, *words: str) -> list[str]:
        """A program of ``bench/programs``, run as bare as the floor."""
        return [self.python, "-I", os.path.join(BENCH, "programs", name), *words]

    def new_id(self, stem: str) -> str:
        """An id, or the name of a file, that was not given before."""
        self._numbers[stem] = self._numbers.get(stem, 0) + 1
        return f"{stem}-{self._numbers[stem]}"

    def make_runs(
        self, count: int, shape: str, inputs: dict[str, Any], *, resolved: int, asks: bool = True
    ) -> list[str]:
        """The ids of new runs with so many resolved effects; with ``asks`` what comes next is requested."""
        ids = [self.new_id(f"{shape}-{resolved}") for _ in range(count)]
        described = {"shape": shape, "inputs": inputs, "resolved": resolved, "asks": asks}
        wanted = json.dumps([{"id": run_id, **described} for run_id in ids])
        self.children.seconds(self.program("make_runs.py", self.runs_dir, PROCESS, wanted))
        return ids

    def make_run(self, shape: str, effects: int) -> str:
        """A run of that shape with so many resolved effects, which waits for one more; made once."""
        if (shape, effects) not in self._standing:
            inputs = {"n": effects + 1} if shape == "sequence" else {"n": effects, "after": 1}
            self._standing[shape, effects] = self.make_runs(1, shape, inputs, resolved=effects)[0]
        return self._standing[shape, effects]

    def in_runs(self, run_id: str, *names: str) -> str:
        return os.path.join(self.runs_dir, run_id, *names)

    def write(self, name: str, text: str) -> str:
        """A file in the project; its name."""
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            file.write(text)
        return name

    def json(self, command: Sequence[str]) -> Any:
        """Run a command; the JSON value that it printed."""
        return json.loads(self.children.output(command))
