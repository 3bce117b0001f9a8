"""An effect of a run as work for the pool, and what the pool gives back as an answer for the run."""

from __future__ import annotations

import os

from babysitter.clock import iso
from babysitter.errors import CorruptEvent
from babysitter.executors.folders import TASKS
from babysitter.executors.work import Work
from babysitter.ids import valid_id
from babysitter.runs.results import Answer
from babysitter.runs.source import MODULE_NAME

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.engine.state import Effect
    from babysitter.executors.work import Finished
    from babysitter.runs.run import Run
    from babysitter.runs.source import Source


def work_of(run: Run, source: Source, effect: Effect) -> Work:
    """A pending effect, with all that the pool needs to perform it.

    Raises:
        CorruptEvent: its id is none of ours, and would be the name of its folder.
    """
    if not valid_id(effect.id):
        raise CorruptEvent(
            f"event {effect.seq} requests an effect {effect.id!r}, which no effect can be called"
        )
    definition = run.definition_of(effect)
    if isinstance(definition.get("python"), dict):
        definition = {**definition, "python": _located(definition["python"], source)}
    return Work(
        effect_id=effect.id,
        kind=effect.kind,
        definition=definition,
        run_id=run.run_id,
        folder=os.path.join(run.folder, TASKS, effect.id),
        project=run.project,
        run_folder=run.folder,
        task_id=effect.task_id,
        attempt=effect.attempt,
    )


def _located(described: dict[str, Any], source: Source) -> dict[str, Any]:
    """Which code to call: the journal has the function's name, the loaded process its source.

    The source goes along because the file may be edited while the run is driven.
    """
    module = described.get("module")
    process = {
        "file": source.file,
        "sha256": source.digests[os.path.basename(source.file)],
        "source": source.content.decode("latin-1"),
    }
    return {**described, "process": process, "module": None if module == MODULE_NAME else module}


def answer_of(end: Finished) -> Answer:
    """What the pool reports, for the journal."""
    return Answer(
        end.effect_id,
        end.status,
        end.value,
        end.error,
        executor=end.executor,
        started_at=iso(end.started_ms),
        finished_at=iso(end.finished_ms),
        evidence=end.evidence,
        usage=end.usage,
    )
