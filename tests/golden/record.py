"""Record the runs in this folder.

    python tests/golden/record.py

A run that is there is never recorded again, and its process never edited: every later version has to
read it as it is. When what is written to disk changes, new recordings take their place beside the old ones.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parents[1]))

from babysitter.driver import Driver  # noqa: E402 - the checkout that this file is in
from babysitter.executors.pool import Pool  # noqa: E402
from babysitter.library import resolve  # noqa: E402
from babysitter.runs.answering import decide  # noqa: E402
from babysitter.runs.changes import accept_edit, load_to_change, rewind  # noqa: E402
from babysitter.runs.creation import create  # noqa: E402
from babysitter.runs.ended import EndedRun  # noqa: E402
from babysitter.runs.folder import open_run  # noqa: E402
from babysitter.runs.iterate import iterate  # noqa: E402
from babysitter.runs.packing import pack  # noqa: E402
from babysitter.runs.results import Answer, accept  # noqa: E402
from babysitter.runs.stopping import cancel_effect, cancel_run  # noqa: E402
from babysitter.views.quiet import QuietView  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable

    from babysitter.runs.run import Run

# Problems name their file, so a run is recorded in the same place on every machine.
PROJECT = Path("/tmp/golden")  # noqa: S108
LATER = ...
EDGES = {
    "": [[], {}, [[]], None, True],
    "numbers": [0, -1, 2**63, 10**40, 0.1, 1e-7, 1e22, 5e-324, 1.7976931348623157e308, -0.0],
    "texts": ["", "é 日本 😀", "e\u0301", "\u0000\t\u007f", "\u2028", "\u202e", '"\\/', "</script>"],
    "\u0000": {"b": 1, "a": {"Z": 2, "A": "1"}},
}


class Recording:
    """A run that is led by hand."""

    def __init__(self, name: str, inputs: Any) -> None:
        self.name = name
        self.runs = str(PROJECT / ".a5c" / "runs")
        shutil.rmtree(PROJECT, ignore_errors=True)
        (PROJECT / ".a5c").mkdir(parents=True)
        self.edit(name)
        entry = resolve(str(PROJECT / "process.py"), str(PROJECT))
        create(
            self.runs, entry, inputs, project=str(PROJECT), version="0.1.0", run_id=name, prompt="Record this"
        )
        self.iterate()

    def edit(self, source: str) -> None:
        shutil.copy(HERE / "processes" / f"{source}.py", PROJECT / "process.py")

    def open(self) -> Run:
        return open_run(self.name, self.runs).load()

    def iterate(self) -> None:
        iterate(self.open())

    def answer(self, *values: Any) -> None:
        """Answer what is pending, in the order of requests; LATER leaves one out. Then iterate."""
        run = self.open()
        pending = zip(run.state.pending.values(), values, strict=False)
        told = [_answer(run, effect, value) for effect, value in pending if value is not LATER]
        assert all(verdict.status == "recorded" for verdict in accept(run, told))
        self.iterate()

    def said(self, by: str, approved: bool, *, level: str = "terminal", **told: Any) -> None:
        """Somebody's answer to the one open breakpoint."""
        run = self.open()
        (effect,) = run.state.pending.values()
        answer = decide(run, effect, approved, by=by, assurance=level, **told)
        assert accept(run, [answer])[0].status == "recorded"

    def accept(self, source: str, rule: str) -> None:
        """Edit the process, and go on with that."""
        self.edit(source)
        opened = open_run(self.name, self.runs)
        accept_edit(opened, rule, load_to_change(opened), by="somebody")
        self.iterate()

    def work(self) -> None:
        """Perform the shell effects, one after the other, until the run has ended."""
        pool = Pool(1)
        Driver(self.open(), pool, QuietView(), kinds=frozenset({"shell"})).drive()

    def keep(self) -> None:
        folder = PROJECT / ".a5c" / "runs" / self.name
        shutil.rmtree(folder / "state")
        shutil.rmtree(folder / "artifacts")
        shutil.copytree(folder, HERE / "runs" / self.name)
        shutil.rmtree(PROJECT)


def _answer(run: Run, effect: Any, value: Any) -> Answer:
    if effect.kind == "breakpoint":
        return decide(run, effect, value, by="somebody", feedback="after lunch", option="live")
    executor = "outside" if effect.kind == "agent" else effect.kind
    if isinstance(value, Exception):
        error = {"name": "ShellFailed", "message": str(value), "exitCode": 1, "data": {"stderr": "no\n"}}
        return Answer(effect.id, "error", None, error, executor=executor)
    return Answer(effect.id, "ok", value, executor=executor)


def groups() -> None:
    """Every kind of group, with failures and cancellations; completed."""
    run = Recording("groups", {"files": ["a.py", "b.py", "a.py"]})
    run.answer(LATER, {"lines": 2})
    run.answer({"lines": 1}, {"lines": 3})
    run.answer(LATER, "quick")
    run.answer(ValueError("broken"), LATER, 4)
    run.answer({"exitCode": 0, "stdout": "ok\n", "stderr": "", "durationMs": 12}, "cleaned")
    run.keep()


def notes() -> None:
    """Notes, chance, time, a person's decision and a large result; it waits for an agent and for a person."""
    run = Recording("notes", {"seconds": 0.05})
    time.sleep(0.06)
    run.iterate()
    run.answer("x" * 40_000)
    run.answer(True)
    run.keep()


def mended() -> None:
    """An error of the author's, an edit that mends it, another edit ahead; completed."""
    run = Recording("mended", {})
    run.answer("first")
    run.edit("mended-2")
    run.iterate()
    run.edit("mended-3")
    run.answer("second")
    run.answer("third")
    run.keep()


def failed() -> None:
    """A branch that fails takes the others with it, which still clean up, and then the run."""
    run = Recording("failed", None)
    run.answer(ValueError("exit code 1"), LATER)
    run.answer("undone")
    run.keep()


def interrupted() -> None:
    """A power cut took an event out of a batch: the rest was moved aside and asked for again; waiting."""
    run = Recording("interrupted", {"parts": 4})
    run.answer("first")
    # The requests of the parts are the events 4 to 7; of this batch nobody was told.
    (PROJECT / ".a5c" / "runs" / run.name / "state" / "head.json").unlink()
    sorted((PROJECT / ".a5c" / "runs" / run.name / "journal").iterdir())[4].unlink()
    run.iterate()
    run.answer(LATER, "1", LATER, "3")
    run.keep()


def values() -> None:
    """Texts and numbers of every sort wherever they can be, a large question and output; completed."""
    run = Recording("values", EDGES)
    run.answer(EDGES)
    run.answer(EDGES)
    run.answer({"é": "\u2029"}, ValueError("\u202eno"))
    run.keep()


def rejected() -> None:
    """Every branch fails, a sleep is given up, a person says no; failed with data."""
    run = Recording("rejected", None)
    run.answer(ValueError("one"), ValueError("two"))
    run.answer(LATER, {"exitCode": 0, "output": {"size": 1}, "durationMs": 3})
    run.answer(False)
    run.keep()


def worked() -> None:
    """Shell commands that were really performed, with what they printed, and a failure; completed."""
    run = Recording("worked", {})
    run.work()
    run.keep()


def tried() -> None:
    """Two attempts that fail, limits of time, a patch; halted by the process, which cleans up."""
    run = Recording("tried", {})
    run.answer(ValueError("first"))
    run.answer(ValueError("second"))
    run.answer("one")
    run.answer("two")
    time.sleep(0.06)
    run.iterate()
    run.answer("tidied")
    run.keep()


def given_up() -> None:
    """A person cancels an effect, and later the run, which cleans up; halted."""
    run = Recording("given_up", {})
    opened = run.open()
    cancel_effect(opened, next(iter(opened.state.pending.values())), by="somebody")
    run.iterate()
    run.answer(LATER, "three")
    cancel_run(run.open(), by="somebody", reason="not this week")
    run.iterate()
    run.answer("tidied")
    run.keep()


def edited() -> None:
    """An edit accepted by either rule, with results that are kept for later; and gone back; completed."""
    run = Recording("edited", {})
    for _ in range(3):
        run.answer("done")
    run.accept("edited-2", "redo")
    for _ in range(3):
        run.answer("done")
    run.accept("edited-3", "keep")
    run.answer("linted")
    opened = open_run(run.name, run.runs)
    rewind(opened, "5", load_to_change(opened), by="somebody")
    run.iterate()
    for _ in range(2):
        run.answer("done again")
    run.keep()


def tasks() -> None:
    """asyncio in the process: tasks beside a group, and a limit of time; completed."""
    run = Recording("tasks", {})
    for _ in range(3):
        run.answer(*["done"] * 4)
        time.sleep(0.06)
        run.iterate()
    run.keep()


def scored() -> None:
    """Scores of the process, which goes back once, and of branches: one is good, one stalls; completed."""
    run = Recording("scored", {})
    for value in (61, 74.5, 91):
        run.answer(value)
    opened = open_run(run.name, run.runs)
    rewind(opened, "2", load_to_change(opened), by="somebody")
    run.iterate()
    for value in (74.5, 90):
        run.answer(value)
    run.answer(3, 2)
    run.answer(2.75, LATER)
    run.answer(3, 1e-7)
    run.answer(0)
    run.answer(3)
    run.answer(0.4)
    run.keep()


def asked() -> None:
    """Answers of several people, one of them void; a default at the deadline; waiting for one more answer."""
    run = Recording("asked", {})
    run.said("anna", True, option="staging", feedback="early")
    time.sleep(0.25)
    run.iterate()
    run.said("bert", False, feedback="not on Fridays")
    run.said("anna", True, option="live")
    run.said("somebody", True, option="live", feedback="go")
    run.iterate()
    run.said("anna", True, option="a", level="script")
    time.sleep(0.06)
    run.iterate()
    run.said("anna", True, level="script")
    run.iterate()
    run.keep()


def packed(name: str) -> None:
    """The same run as one file."""
    shutil.rmtree(PROJECT, ignore_errors=True)
    folder = PROJECT / ".a5c" / "runs" / name
    shutil.copytree(HERE / "runs" / name, folder)
    folder.chmod(0o700)
    pack(EndedRun(str(folder)), "0.1.0")
    (HERE / "packed").mkdir(exist_ok=True)
    shutil.copy(folder.parent / ".archive" / f"{name}.zip", HERE / "packed")
    shutil.rmtree(PROJECT)


RECORDINGS: list[Callable[[], None]] = [
    groups,
    notes,
    mended,
    failed,
    interrupted,
    values,
    rejected,
    worked,
    tried,
    given_up,
    edited,
    tasks,
    scored,
    asked,
]

if __name__ == "__main__":
    os.umask(0o022)
    os.environ["LOGNAME"] = "somebody"
    for record in RECORDINGS:
        if not (HERE / "runs" / record.__name__).exists():
            record()
    # Those that have ended; the others cannot be packed.
    for name in ("groups", "failed"):
        if not (HERE / "packed" / f"{name}.zip").exists():
            packed(name)
    # Leaving the normal way would close the suspended processes.
    os._exit(0)
