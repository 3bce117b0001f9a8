"""One dry run, told batch by batch: what each step would be asked, and what it got."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babysitter.errors import ReplayError
from babysitter.executors.prompt import asked_of, render
from babysitter.graphs.dry_run import furthest
from babysitter.graphs.guesses import Guesses
from babysitter.testing.recording import essence, outcome_of

if TYPE_CHECKING:
    from babysitter.graphs.dry_run import DryRun
    from babysitter.graphs.told import Told
    from babysitter.testing import Asked
    from babysitter.testing.processes import Given

# More than this nobody reads.
MOST_EFFECTS = 100
# What no agent performs.
WITHOUT_PROMPT = ("shell", "python", "breakpoint", "sleep", "subprocess", "hook")


class Trial:
    """A dry run to be looked at.

    Attributes:
        told: as ``--json`` prints it, but for the name of the process.
        exit_code: 0, if no mistake has shown.
    """

    def __init__(self, source: Given, inputs: Any, given: Told) -> None:
        """Play the process.

        Raises:
            BabysitterError: it cannot be begun at all.
        """
        dry = furthest(source, inputs, Guesses(), told=given, most=MOST_EFFECTS)
        self.told: dict[str, Any] = outcome_of(dry.play.run)
        self.told["batches"] = [[_request(dry, asked) for asked in batch] for batch in dry.play.batches]
        self.told["notes"] = _notes(dry, given)
        self.exit_code = 0
        if dry.problem is not None:
            self.told |= {"status": "stuck", "problem": dry.problem}
            self.told.pop("pending", None)
            self.exit_code = getattr(dry.refusal, "exit_code", ReplayError.exit_code)


def _request(dry: DryRun, asked: Asked) -> dict[str, Any]:
    effect = dry.play.run.state.effects[asked.effect_id]
    told: dict[str, Any] = {"step": asked.step, "kind": asked.kind, "task": asked.task, "title": asked.title}
    told |= {"text": _text(asked), "definition": asked.definition}
    if effect.status == "ok":
        told["result"] = dry.play.run.value_of(effect)
    return told


def _text(asked: Asked) -> str:
    """What whoever performs it goes by: the prompt as an agent reads it, the command, the question."""
    if asked.kind in WITHOUT_PROMPT:
        return essence(asked.definition)
    return render(asked_of(asked.kind, asked.definition))


def _notes(dry: DryRun, given: Told) -> list[str]:
    notes = [f"no step goes by the name {name!r}, so its result was not used" for name in given.unused]
    if dry.is_cut:
        notes.append(f"it was ended after {len(dry.play.run.state.effects)} steps")
    stub = dry.stubs.last_open
    if dry.problem is not None and stub is not None:
        notes.append(
            f"nothing says what is in the result of {stub.task!r}; if its stub is to blame, say `returns=`,"
            f" or give one: --result {stub.task}=JSON"
        )
    return notes
