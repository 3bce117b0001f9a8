"""Make runs with a history, without living through it.

    python make_runs.py RUNS_DIR PROCESS '[{"id": …, "shape": …, "inputs": …, "resolved": …, "asks": …}]'

A run gets the journal that so many resolved effects leave, in a few large batches, because
a flush for each of 10,000 steps would take minutes. ``asks``: what comes next is requested too.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, ROOT)

from babysitter.library import resolve  # noqa: E402 - the checkout that this file is in
from babysitter.runs import drafts  # noqa: E402
from babysitter.runs.creation import create  # noqa: E402
from babysitter.runs.execution import Execution  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.runs.run import Run

BATCH = 1000


def main() -> None:
    runs_dir, process, wanted = sys.argv[1:]
    for each in json.loads(wanted):
        make(runs_dir, process, each)
    sys.stdout.flush()
    # Leaving the normal way would close the suspended processes.
    os._exit(0)


def make(runs_dir: str, process: str, wanted: dict[str, Any]) -> None:
    """One run as described."""
    entry = resolve(f"{process}#{wanted['shape']}")
    project = os.path.dirname(runs_dir)
    run = create(runs_dir, entry, wanted["inputs"], project=project, version="0", run_id=wanted["id"]).load()
    pending: list[drafts.Draft] = []
    for draft in history(run, wanted["resolved"], wanted["asks"]):
        pending.append(draft)
        if len(pending) == BATCH:
            run.append(pending)
            pending.clear()
    if pending:
        run.append(pending)


def history(run: Run, resolved: int, asks: bool) -> Iterator[drafts.Draft]:
    """The events that so many resolved effects leave behind."""
    execution = Execution(run)
    execution.start()
    replay = execution._replay  # noqa: SLF001 - the engine has no need to show it, but here it is led by hand
    answered = 0
    while answered < resolved:
        asked = take_asked(replay)
        requests = [drafts.requested(run, branch, call) for branch, call in asked]
        yield from requests
        for (_, call), (_, data) in zip(asked[: resolved - answered], requests, strict=False):
            yield drafts.resolved(run, data["effectId"], "ok", {"verdict": "good"}, None, executor="outside")
            replay.resolve(call.step, {"verdict": "good"}, None, run.state.created_ms)
            answered += 1
    if asks:
        yield from (drafts.requested(run, branch, call) for branch, call in take_asked(replay))


def take_asked(replay: Any) -> list[Any]:
    """What is newly asked for, once."""
    asked = list(replay.asked.values())
    replay.asked.clear()
    return asked


if __name__ == "__main__":
    main()
