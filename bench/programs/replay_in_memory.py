"""Seconds of a replay in memory, the journal being read already: replay_in_memory.py RUN TIMES."""

from __future__ import annotations

import json
import os
import sys
import time
from typing import TYPE_CHECKING, Any

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, ROOT)

from babysitter.engine.context import Context  # noqa: E402 - the checkout that this file is in
from babysitter.engine.notes import Notes  # noqa: E402
from babysitter.engine.replay import Replay  # noqa: E402
from babysitter.engine.script import Script  # noqa: E402
from babysitter.library import reopen  # noqa: E402
from babysitter.runs.run import Run  # noqa: E402
from babysitter.runs.source import Source  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Callable


def main() -> None:
    run = Run(sys.argv[1]).load()
    entry = reopen(run.state.created["entrypoint"], run.project)
    process, inputs = Source(entry.file, entry.export).process, run.inputs()
    times = range(int(sys.argv[2]))
    ours = [seconds(lambda: replay(run, process, inputs)) for _ in times]
    bare = [seconds(lambda: drive_bare(len(run.state.effects))) for _ in times]
    sys.stdout.write(json.dumps({"ours": ours, "bare": bare}))
    sys.stdout.flush()
    # Leaving the normal way would close the suspended processes.
    os._exit(0)


def seconds(work: Callable[[], None]) -> float:
    # No input or output in it: the processor's time is what it takes, however busy the machine is.
    began = time.process_time()
    work()
    return time.process_time() - began


def replay(run: Run, process: Any, inputs: Any) -> None:
    """Start the process and lead it to the end of its journal."""
    notes = Notes()
    engine = Replay(run.run_id, run.state.created_ms)
    script = Script(engine, notes, run.value_of)
    context = Context(engine, notes, run.artifacts)
    engine.start(lambda: process(inputs, context))
    script.follow(run.state.script)
    assert len(engine.waiting) == 1, "the run was made to wait for one last step"


class Bare:
    """An awaitable that does nothing but give up control."""

    def __await__(self) -> Any:
        yield self


def drive_bare(steps: int) -> None:
    """The floor: a coroutine that is resumed so many times and asks for nothing."""

    async def process() -> None:
        for _ in range(steps):
            await Bare()

    coroutine = process()
    for _ in range(steps):
        coroutine.send(None)


if __name__ == "__main__":
    main()
