"""The same journal in other interpreters, in which sets of texts have another order."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from babysitter.errors import NondeterminismError
from babysitter.jsontext import compact, loads
from babysitter.paths import PACKAGE
from babysitter.testing.crashes import OF_THE_JOURNAL, check_repeats, points
from babysitter.testing.execution import Known, MemoryExecution
from babysitter.testing.memory import MemoryRun
from babysitter.testing.processes import Given

if TYPE_CHECKING:
    from babysitter.testing.play import Play

MAIN = "import sys; sys.path[:] = {path!r}; from babysitter.testing.elsewhere import main; main()"


def check_other_hash_seeds(source: Given, plays: list[Play], count: int) -> None:
    """Replay plays in so many other interpreters; nothing where the process cannot be loaded there.

    Raises:
        NondeterminismError: there it asks for something else.
    """
    export = source.process.__qualname__
    if not export.isidentifier() or not os.path.isfile(source.file):
        return
    asked = compact(
        {"file": source.file, "export": export, "plays": [_told(play) for play in plays]}
    ).encode()
    children = [_start(str(seed)) for seed in range(1, count + 1)]
    answers = [child.communicate(asked)[0] for child in children]
    for answer in answers:
        if answer and (said := loads(answer)):
            raise NondeterminismError(
                f"in another interpreter, {said['message']}",
                hint=f"most often a set is to blame, whose order differs there; {said['hint']}",
            )


def _start(seed: str) -> subprocess.Popen[bytes]:
    path = [os.path.dirname(PACKAGE), *sys.path]
    return subprocess.Popen(
        [sys.executable, "-c", MAIN.format(path=path)],
        env={**os.environ, "PYTHONHASHSEED": seed},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def _told(play: Play) -> dict[str, Any]:
    """A play, for an interpreter that has not seen it."""
    run, execution = play.run, play.execution
    return {
        "about": run.about,
        "inputs": run.inputs(),
        "artifacts": run.artifacts,
        "events": [[event.type, event.ms, _own(event.data)] for event in run.journal.events],
        "records": [[*place, *known] for place, known in execution.records.items()],
        "points": points(run.journal.events),
    }


def _own(data: dict[str, Any]) -> dict[str, Any]:
    return {name: item for name, item in data.items() if name not in OF_THE_JOURNAL}


def main() -> None:
    """What the other interpreter does: it prints what was wrong, or ``null``; nothing when it cannot tell."""
    from babysitter.runs.source import Source

    out, sys.stdout = sys.stdout, sys.stderr
    asked = loads(sys.stdin.buffer.read())
    source = Source(asked["file"], asked["export"])
    found = None
    try:
        for told in asked["plays"]:
            _replay(Given(source.process, source.module, source.file), told)
    except NondeterminismError as error:
        found = {"message": error.message, "hint": error.hint}
    out.write(compact(found))
    out.flush()
    # No `finally` of a process that only waits may run.
    os._exit(0)


def _replay(source: Given, told: dict[str, Any]) -> None:
    run = MemoryRun(told["about"], told["inputs"], clock_ms=0, artifacts=told["artifacts"])
    for kind, ms, data in told["events"]:
        run.move_clock(ms)
        run.append([(kind, data)])
    records = {(scope, index): (name, value) for scope, index, name, value in told["records"]}
    execution = MemoryExecution(run, source, {}, Known(records))
    for at in told["points"]:
        check_repeats(execution, at)
