"""What is asked for together, where the journal of a run does not tell.

An edit, a rewind or a fork leaves out results: what was asked for anew stands behind others that
came in long ago, and the process asks for it before those. A budget has held back what the process had
asked for already. And results that no iteration has seen yet lead to requests that are still to be made.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babysitter.engine.script import last_written
from babysitter.engine.state import WAITING
from babysitter.testing.processes import given
from babysitter.testing.recorded import Recorded

if TYPE_CHECKING:
    from babysitter.runs.run import Run
    from babysitter.testing.processes import Given


def regrouped(told: dict[str, Any], run: Run, process: str) -> dict[str, Any]:
    """The recorded run, with its requests where its process makes them.

    As it was where a play of it comes to another end, or its process has changed since: then that
    is for its test to show.
    """
    is_behind, has_budget = _is_behind(run), run.state.meter is not None
    if not (is_behind or has_budget) and run.state.edit is None and "forkedFrom" not in run.state.created:
        return told
    try:
        source = given(process)
        played = _played(told, source) if _is_of(run, source) else told
    except Exception:
        # Of the author's code: it comes again in the test, with its traceback.
        return told
    return played if is_behind or played["outcome"] == told["outcome"] else told


def _is_behind(run: Run) -> bool:
    """Whether something has come that no iteration has written anything after, or a budget holds back."""
    script, has_budget = run.state.script, run.state.meter is not None
    return run.state.status == WAITING and (has_budget or last_written(script) < len(script) - 1)


def _is_of(run: Run, source: Given) -> bool:
    """Whether these are the files that the run was last executed with."""
    known = run.state.source_digests
    return all(known.get(name, digest) == digest for name, digest in source.known_digests.items())


def _played(told: dict[str, Any], source: Given) -> dict[str, Any]:
    rounds: list[dict[str, Any]] = []
    seen = 0
    for came, play in Recorded(told).rounds_of(source):
        new = play.batches[seen:]
        seen += len(new)
        rounds.append({"came": came, "asked": [asked.line for batch in new for asked in batch]})
    return {**told, "rounds": rounds, "outcome": play.outcome}
