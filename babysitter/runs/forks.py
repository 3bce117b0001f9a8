"""A fork: a new run that begins with what another one had up to a step."""

from __future__ import annotations

import os

from babysitter.engine import plan
from babysitter.errors import InvalidInput
from babysitter.files import read_regular, sync_folder, write_once
from babysitter.ids import effect_id
from babysitter.jsontext import compact
from babysitter.library import reopen
from babysitter.runs import drafts
from babysitter.runs.changes import Planning, no_such_step, redo_from, sound
from babysitter.runs.creation import Origin, create
from babysitter.runs.run import FOLDER_MODE, LARGEST_OWN_FILE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.engine.replay import Replay
    from babysitter.engine.state import Effect
    from babysitter.journal.events import Event
    from babysitter.runs.run import Run

    Past = list[tuple[str, dict[str, Any], int]]

# What the journal adds to each event by itself.
OF_THE_JOURNAL = ("prev", "batch")
# A copy has cost nothing.
NOT_COPIED = (*OF_THE_JOURNAL, "usage")


class Told:
    """The data of a run's events, as far as a fork takes them over.

    Attributes:
        definitions: the digest of each effect's description, by its id.
    """

    def __init__(self, run: Run) -> None:
        """Read the journal of the run."""
        from babysitter.runs.changes import load_to_change

        self._events: dict[tuple[str, str], Event] = {}
        self._saved: list[tuple[int, str]] = []
        run.on_event = self._see
        self.definitions = load_to_change(run)
        run.on_event = None

    def _see(self, event: Event) -> None:
        if event.type == "WORKSPACE_SAVED":
            self._saved.append((event.seq, event.data["commit"]))
        elif event.type in ("EFFECT_REQUESTED", "EFFECT_RESOLVED", "EFFECT_CANCELLED"):
            self._events[event.type, event.data["effectId"]] = event

    def data(self, type: str, effect: Effect) -> dict[str, Any]:
        """What an event about an effect says, without what ties it to its journal."""
        told = self._events[type, effect.id].data
        return {name: value for name, value in told.items() if name not in NOT_COPIED}

    def ms(self, type: str, effect: Effect) -> int:
        return self._events[type, effect.id].ms

    def commit_before(self, seq: int) -> str | None:
        """The commit of the files as they were when the event of this number was written."""
        return next((commit for number, commit in reversed(self._saved) if number < seq), None)


class Forking(Planning):
    """The process, driven along what its run has, under the id of the new one."""

    def __init__(self, run: Run, step: str, new_id: str, told: Told) -> None:
        self.new_id = new_id
        self.told = told
        super().__init__(run, redo_from(run, step), told.definitions)

    def _new_replay(self, kind: type[Replay]) -> Replay:
        state = self.run.state
        # Chance is that of the run it comes from, or what it asked for would be another thing.
        return kind(self.new_id, state.created_ms, seed=state.created.get("seed") or self.run.run_id)

    def past(self, new: Run) -> Past:
        """The events that the new run begins with; what nobody has answered it asks for itself.

        The new run has not its name yet, so it gets its artifacts here: it is there with them, or not at all.
        """
        copy_files(self.run.artifacts, new.artifacts)
        writer = _Writer(self, new)
        return [event for line in self.lines for event in writer.write(*line)] + [
            ("RECORDED", data, writer.ms) for _, data in self.recorded()
        ]


class _Writer:
    def __init__(self, forking: Forking, new: Run) -> None:
        self._forking = forking
        self._run = forking.run
        self._new = new
        self._steps: dict[str, str] = {}
        self.ms = forking.run.state.created_ms

    def write(self, word: str, *about: Any) -> Past:
        if word == plan.RECORDED:
            name, value = self._run.state.records[about[0], about[1]]
            return [
                ("RECORDED", {"scope": about[2], "index": about[3], "name": name, "value": value}, self.ms)
            ]
        if word == plan.PATCHED:
            return [("PATCHED", {"id": about[0], "isNew": about[1]}, self.ms)]
        effect = self._run.state.effects[about[0]]
        if effect.is_pending:
            return []
        if word == plan.ASKED:
            self._steps[effect.id] = about[1]
            return [self._event("EFFECT_REQUESTED", effect, self._definition(effect))]
        if word == plan.CANCELLED:
            return [self._event("EFFECT_CANCELLED", effect, {"copiedFrom": self._origin(effect)})]
        return [self._event("EFFECT_RESOLVED", effect, self._result(effect))]

    def _event(self, type: str, effect: Effect, changed: dict[str, Any]) -> tuple[str, dict[str, Any], int]:
        told = self._forking.told
        self.ms = max(self.ms, told.ms(type, effect))
        data = {**told.data(type, effect), **changed, "effectId": self._id_of(effect)}
        if type == "EFFECT_REQUESTED":
            data["stepId"] = self._steps[effect.id]
        return type, data, self.ms

    def _id_of(self, effect: Effect) -> str:
        step = self._steps[effect.id]
        return effect_id(self._new.run_id, step, effect.task_id, effect.args_hash, effect.attempt, None)

    def _definition(self, effect: Effect) -> dict[str, Any]:
        if effect.definition_ref is None:
            return {}
        value = self._run.read_ref(*effect.definition_ref)
        return drafts.stored(self._new, self._id_of(effect), "definition", value, compact(value))

    def _origin(self, effect: Effect) -> dict[str, Any]:
        return {"runId": self._run.run_id, "effectId": effect.id}

    def _result(self, effect: Effect) -> dict[str, Any]:
        evidence = self._forking.told.data("EFFECT_RESOLVED", effect).get("evidence") or {}
        told: dict[str, Any] = {"evidence": {**evidence, "copiedFrom": self._origin(effect)}}
        if effect.result_ref is not None:
            value = self._run.value_of(effect)
            told |= drafts.stored(self._new, self._id_of(effect), "value", value, compact(value))
        return told


def copy_files(folder: str, to: str) -> None:
    """Copy the regular files below a folder, durably; links and whatever else is there stay behind.

    Raises:
        StorageError
    """
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except FileNotFoundError:
        return
    for entry in entries:
        target = os.path.join(to, entry.name)
        if entry.is_dir(follow_symlinks=False):
            os.mkdir(target, FOLDER_MODE)
            copy_files(entry.path, target)
        elif entry.is_file(follow_symlinks=False):
            write_once(target, read_regular(entry.path, LARGEST_OWN_FILE))
    sync_folder(to)


def fork(run: Run, step: str, new_id: str, *, runs_dir: str, version: str, told: Told) -> Run:
    """Make a run that has what this one had before a step, as far as the process as it is now asks for it.

    The run itself is not touched. Files in its artifacts are copied.

    Raises:
        InvalidInput: there is no such step, or the process or its inputs cannot be used any more.
        ProcessError: the process has a mistake.
        RunExists, UnsafePath, StorageError
    """
    forking = Forking(run, step, new_id, told)
    forking.start()
    sound(forking)
    state = run.state
    created: dict[str, Any] = {
        "forkedFrom": {"runId": run.run_id, "step": step},
        "seed": state.created.get("seed") or run.run_id,
    }
    options = state.created.get("options")
    if state.meter is not None:
        from babysitter.runs.spending import carried_by

        # A fork is no way to spend the same budget twice.
        created |= carried_by(run, is_same_run=False)
        options = {**(options or {}), "budget": state.meter.budget}
    if run.guard is not None:
        # Whoever went round the process there could go round it here.
        known = state.session or state.created.get("session") or run.guard
        created["session"] = {"host": known["host"], "sessionId": known["sessionId"]}
    return create(
        runs_dir,
        reopen(state.created["entrypoint"], run.project),
        run.inputs(),
        project=run.project,
        version=version,
        run_id=new_id,
        prompt=run.about.get("prompt"),
        options=options,
        limits=run.limits,
        origin=Origin(created, ms=state.created_ms, past=forking.past),
    )


def commit_at(run: Run, step: str, told: Told) -> str:
    """The commit of the project's files as they were when a step, or a group, was asked for.

    Raises:
        InvalidInput: none was kept, or there is no such step.
    """
    counting = [effect for effect in run.state.effects.values() if not effect.is_superseded]
    asked = [effect.seq for effect in counting if f"{effect.step}.".startswith(f"{step}.")]
    if not asked:
        raise no_such_step(run, step)
    commit = told.commit_before(min(asked))
    if commit is None:
        raise InvalidInput(
            f"run {run.run_id!r} has kept no git tree from before step {step!r}",
            hint="a run keeps them when it is made with --snapshots, or in an agent's session",
        )
    return commit
