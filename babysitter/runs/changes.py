"""A changed process under a run: what of its results still counts, as a plan, and putting one into force."""

from __future__ import annotations

from babysitter.engine.history import History
from babysitter.engine.matching import Keep, Redo
from babysitter.engine.plan import KEEP
from babysitter.engine.plan_rows import rows_of
from babysitter.engine.replan import PlannedNotes, Replan
from babysitter.errors import InvalidInput, ProcessError, RunFinished
from babysitter.ids import sha256_hex
from babysitter.jsontext import compact
from babysitter.runs import drafts
from babysitter.runs.begun import all_begun
from babysitter.runs.execution import Execution

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from babysitter.engine.branches import Branch
    from babysitter.engine.calls import Call
    from babysitter.engine.matching import Matching
    from babysitter.engine.plan_rows import Row
    from babysitter.engine.state import Effect
    from babysitter.journal.events import Event
    from babysitter.runs.drafts import Draft
    from babysitter.runs.run import Run


def load_to_change(run: Run) -> dict[str, str]:
    """Read the journal of a run; gives the digest of each effect's description, by its id.

    Raises:
        JournalError
    """
    digests: dict[str, str] = {}
    before = run.on_event

    def see(event: Event) -> None:
        if before is not None:
            before(event)
        if event.type == "EFFECT_REQUESTED":
            digests[event.data["effectId"]] = _digest_in(event.data)

    run.on_event = see
    run.load()
    run.on_event = before
    return digests


def _digest_in(data: dict[str, Any]) -> str:
    if "definitionSha256" in data:
        return str(data["definitionSha256"])
    return sha256_hex(compact(data.get("definition")).encode())


class Planning(Execution):
    """The process as it is now, driven along the results that its run has; writes nothing.

    Attributes:
        lines: the plan, once ``start`` is over.
    """

    def __init__(
        self, run: Run, matching: Matching, definitions: dict[str, str], *, is_to_count: bool = False
    ) -> None:
        """``is_to_count``: it is to be put into force, so a person has to have accepted what was edited."""
        self._matching = matching
        self._definitions = definitions
        self._is_to_count = is_to_count
        super().__init__(run, is_dry=True)

    def _at_the_start(self) -> None:
        self._replan = Replan(self.run.state, self._matching, self.run.value_of, self._is_redefined)
        super()._at_the_start()

    def _new_notes(self) -> PlannedNotes:
        return PlannedNotes(self.run.state, self._matching, self._replan.lines)

    def start(self) -> None:
        inputs = self.run.inputs()
        if self._is_to_count:
            from babysitter.runs.edits import refused_unread

            self.diverged = refused_unread(self.run)
        if self.diverged is None:
            self._guarded(lambda: self._of_author(lambda: self._load(inputs)))
        if self._is_to_count:
            self._look_for_edit(is_new=True)
        if self.end is None and self.diverged is None:
            self._guarded(self._begin)
            self._guarded(lambda: self._of_author(lambda: self._replan.follow(self._replay)))

    def _is_redefined(self, effect: Effect, branch: Branch, call: Call) -> bool:
        known = self._definitions.get(effect.id)
        definition = drafts.defined(self.run, call, effect.id, effect.step)
        return known is not None and known != sha256_hex(compact(definition).encode())

    @property
    def lines(self) -> list[list[Any]]:
        return self._replan.lines

    def rows(self) -> list[Row]:
        """For people: what becomes of each step."""
        return rows_of(self._replan, self._matching, self._replay, self._other_arguments)

    def recorded(self) -> list[Draft]:
        """Values that were recorded on the way: the plan rests on them."""
        return [("RECORDED", data) for data in self._notes.new_records.values()]


def plan_edit(run: Run, rule: str, definitions: dict[str, str], *, is_to_count: bool = False) -> Planning:
    """What an edited process would keep of what its run has; writes nothing."""
    history = History(run.state.script)
    matching: Matching = Keep(history) if rule == KEEP else Redo(history)
    return _planned(Planning(run, matching, definitions, is_to_count=is_to_count))


def plan_return(run: Run, step: str, definitions: dict[str, str], *, is_to_count: bool = False) -> Planning:
    """What is left when everything from this step on, or from this group on, is asked for again.

    Raises:
        InvalidInput: the run has no such step.
    """
    return _planned(Planning(run, redo_from(run, step), definitions, is_to_count=is_to_count))


def redo_from(run: Run, step: str) -> Redo:
    """Everything from a step on, or from a group on, is asked for again.

    Raises:
        InvalidInput: there is no such step.
    """
    history = History(run.state.script)
    if history.at(step, 1) is None and step not in history.branches:
        raise no_such_step(run, step)
    return Redo(history, again_from=step, is_keyed_kept=False)


def no_such_step(run: Run, step: str) -> InvalidInput:
    """The error for a step, or a group, at which nothing was asked for."""
    return InvalidInput(
        f"run {run.run_id!r} has asked for nothing at step {step!r}",
        hint=f"babysitter tasks {run.run_id} lists the steps",
    )


def _planned(planning: Planning) -> Planning:
    planning.start()
    return planning


def accept_edit(run: Run, rule: str, definitions: dict[str, str], *, by: str) -> Planning:
    """Let the run go on with its process as it is now, by this rule; durable when this returns.

    Raises:
        RunFinished: nothing is left to go on with.
        ProcessError: the process as it is now has a mistake, or the run has been cancelled.
        RunBusy, JournalError, StorageError
    """

    def decide() -> tuple[Planning, list[Draft]]:
        if run.state.is_finished:
            raise RunFinished(
                f"run {run.run_id!r} has {run.state.status}; it takes no more events",
                hint=f"babysitter rewind {run.run_id} --to STEP goes back in it",
            )
        if run.state.is_cancelled:
            raise ProcessError(
                f"run {run.run_id!r} was cancelled and only cleans up",
                hint=f"undo the edit; or go back: babysitter rewind {run.run_id} --to STEP",
            )
        planning = sound(plan_edit(run, rule, definitions, is_to_count=True))
        if not planning.is_source_changed:
            # It was accepted already, or there is nothing to accept.
            return planning, []
        told = {**planning.source_now(), "accepted": rule, "by": by, "plan": planning.lines}
        told |= all_begun(run)
        return planning, [("PROCESS_CHANGED", told), *planning.recorded()]

    return _decide(run, decide)


def rewind(
    run: Run, step: str, definitions: dict[str, str], *, by: str, evidence: dict[str, Any] | None = None
) -> Planning:
    """Take a run back to before a step: all from there on is asked for again; durable when this returns.

    A run that has ended goes on. What it had stays in the journal.

    Raises:
        InvalidInput: there is no such step.
        ProcessError: the process as it is now has a mistake.
        RunBusy, JournalError, StorageError
    """

    def decide() -> tuple[Planning, list[Draft]]:
        planning = sound(plan_return(run, step, definitions, is_to_count=True))
        told = {"to": step, "by": by, **planning.source_now(), "plan": planning.lines, **all_begun(run)}
        if evidence:
            told["evidence"] = evidence
        return planning, [("RUN_REWOUND", told), *planning.recorded()]

    return _decide(run, decide)


def sound(planning: Planning) -> Planning:
    """A process that is stuck in a mistake shows only a part of what it asks for."""
    if planning.diverged is not None:
        raise planning.diverged
    if planning.is_stuck:
        end = planning.end
        assert end is not None
        raise ProcessError(
            f"the process as it is now has a mistake: {type(end.error).__name__}: {end.error}",
            hint="mend it first" + (f": {end.place[0]}, line {end.place[1]}" if end.place else ""),
        )
    return planning


def _decide(run: Run, decide: Callable[[], tuple[Planning, list[Draft]]]) -> Planning:
    """Append what is decided."""

    def decided() -> tuple[Planning, list[Draft]]:
        # Also a refusal may rest on what another writer has only just linked.
        run.journal.flush()
        return decide()

    return run.append_decided(decided)
