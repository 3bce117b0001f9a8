"""A run in memory: its process driven along its journal, and what is to be written next.

One round is: results (in the journal already), then notes, cancellations and
requests. The round is drafted, appended, and only what was read back counts:
if another writer was first, its events are fed and the round is drafted anew.
"""

from __future__ import annotations

from babysitter.engine.calls import step_within
from babysitter.engine.context import Context
from babysitter.engine.ending import End, describe_failure
from babysitter.engine.notes import Notes
from babysitter.engine.places import place_of, place_of_step
from babysitter.engine.replay import DeadlineExceeded, Replay
from babysitter.engine.script import USUAL_CAUSE, Script, last_written, output_text
from babysitter.engine.state import CONTINUED, HALTED, STUCK
from babysitter.errors import (
    HeadMoved,
    InvalidInput,
    NondeterminismError,
    OtherPython,
    ProcessError,
    RunBusy,
    StorageError,
)
from babysitter.jsontext import compact
from babysitter.library import reopen
from babysitter.runs import drafts
from babysitter.runs.deadline import Aside, Deadline
from babysitter.runs.inputs import present
from babysitter.runs.run import MOST_LOST_RACES
from babysitter.runs.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import Any

    from babysitter.engine.branches import Branch
    from babysitter.engine.calls import Call
    from babysitter.engine.places import Place
    from babysitter.engine.state import Effect
    from babysitter.errors import ReplayError
    from babysitter.runs.budgets import Admitted, Budgets
    from babysitter.runs.drafts import Draft
    from babysitter.runs.other_arguments import OtherArguments
    from babysitter.runs.run import Run

# Written last, after which the process is somewhere else.
GOING_ON = frozenset({"EFFECTS_REUSED", "RUN_CANCELLED", "EFFECT_RESOLVED"})
SAME_PROBLEM = ("name", "message", "file", "line", "sourceDigests")


class Execution:
    """The process of a loaded run, brought to where its journal is.

    Attributes:
        end: how the process ended, or is stuck; None while it waits.
        diverged: the script did not hold under a changed source, or that needs a person; nothing was written.
    """

    def __init__(self, run: Run, *, is_dry: bool = False) -> None:
        """``is_dry``: nothing will be written, it is only to be seen where the process comes to."""
        self.run = run
        self._is_dry = is_dry
        self.diverged: ReplayError | None = None
        self._source: Source | None = None
        self._digests: dict[str, str] = {}
        self._gates: set[str] = set()
        self._python: str | None = None
        self._inputs: Any = None
        self._others: OtherArguments | None = None
        self._at_the_start()

    def _at_the_start(self) -> None:
        self._failure: End | None = None
        self._asked_for: tuple[Branch, Call] | None = None
        self._has_begun = False
        self._can_be_written = True
        self._budgets: Budgets | None = None
        self._read = 0
        self._edit = self.run.state.edit
        self._notes = self._new_notes()
        self._put(Replay)

    def _new_notes(self) -> Notes:
        return Notes()

    def _put(self, kind: type[Replay]) -> None:
        """A replay of this kind at the beginning of the script."""
        self._replay = self._new_replay(kind)
        self._script = Script(
            self._replay, self._notes, self.run.value_of, self._is_free, self._other_arguments
        )

    def _new_replay(self, kind: type[Replay]) -> Replay:
        state = self.run.state
        return kind(self.run.run_id, state.created_ms, seed=state.created.get("seed"))

    @property
    def end(self) -> End | None:
        return self._failure or self._replay.end

    @property
    def is_stuck(self) -> bool:
        """A mistake of the author's is in the way."""
        return self.end is not None and self.end.status == STUCK

    @property
    def is_held(self) -> bool:
        """The process has ended, and its run ends when all its children have."""
        return self.end is not None and not self.is_stuck and bool(self.run.state.children)

    @property
    def held(self) -> int:
        """How much it asks for that a budget does not allow for, as far as that is known."""
        return 0 if self._budgets is None or self.run.state.is_finished else self._budgets.held

    @property
    def blocked(self) -> set[Any]:
        """Whose budget holds what back."""
        return self._budgets.blocked if self._budgets is not None and self.held else set()

    def is_blocked(self, blocked: set[Any]) -> bool:
        """All that is held back stays so, by what other runs have just found."""
        return self._budgets is not None and self._budgets.are_blocked(blocked)

    @property
    def is_held_too_long(self) -> bool:
        """Since a budget held something back, what is spent or at work has changed."""
        return self._budgets is not None and self.held > 0 and self._budgets.is_behind

    @property
    def source(self) -> Source:
        """The loaded process; only once ``start`` went well."""
        assert self._source is not None
        return self._source

    def start(self) -> None:
        """Load the process and replay the journal.

        Raises:
            NondeterminismError: the process, unchanged, asks for something else than the journal has.
        """
        state = self.run.state
        self._notes.records.update(state.records)
        self._notes.logged = set(state.logged)
        self._notes.marks = dict(state.marks)
        self._notes.patches = dict(state.patches)
        self._notes.scores = state.scores
        inputs = self.run.inputs()
        if self.run.is_guarded:
            from babysitter.runs.edits import refused_unread

            self.diverged = refused_unread(self.run)
        if self.diverged is not None:
            return
        self._guarded(lambda: self._of_author(lambda: self._load(inputs)))
        self._look_for_edit(is_new=True)
        if self.end is None and self.diverged is None:
            self._guarded(self._begin)
            self.follow()

    def _load(self, inputs: Any) -> None:
        entry = reopen(self.run.state.created["entrypoint"], self.run.project)
        self._digests, self._gates = {}, set()
        self._use(Source(entry.file, entry.export, self._digests, self._gates))
        if self.is_source_changed:
            # Not at the top: only new and edited processes are looked through.
            from babysitter.runs.late_binding import refuse_late_binding

            refuse_late_binding(self.source)
        self._inputs = present(self.source, inputs)

    def _use(self, source: Source) -> None:
        """Drive this process, with an event loop if it imports asyncio."""
        self._source = source
        self._python = source.python
        if source.uses_asyncio:
            from babysitter.engine.loop_replay import LoopReplay

            self._put(LoopReplay)

    def _look_for_edit(self, *, is_new: bool) -> None:
        """In a run that an agent works on, a person may have to accept that the source has changed."""
        if self.run.is_guarded and self.diverged is None:
            from babysitter.runs.edits import refused

            self.diverged = refused(self.run, self._digests, self._gates, is_new=is_new)

    def _begin(self) -> None:
        assert self._source is not None
        process = self._source.process
        context = Context(self._replay, self._notes, self.run.artifacts, self._source.folder)
        self._has_begun = True
        self._notes.is_past = last_written(self.run.state.script) >= 0
        self._replay.start(lambda: process(self._inputs, context))

    def follow(self) -> None:
        """Feed what the journal has and the process has not seen.

        Raises:
            NondeterminismError: as in ``start``.
        """
        if self.run.state.edit != self._edit or self._script.reworded:
            # Another command has accepted an edit or gone back: the script is another one.
            # Or somebody may have answered what is no longer asked in these words.
            self._start_again()
            return
        # First of all: a result that is fed now may lead to a note that another writer has made.
        self._notes.records.update(self.run.state.records)
        self._notes.patches |= self.run.state.patches
        lines = self.run.state.script[self._read :]
        self._read += len(lines)
        if not self.is_stuck:
            self._guarded(lambda: self._script.follow(lines))

    def _guarded(self, work: Callable[[], None]) -> None:
        """Run the author's code under the deadline; whatever it does ends in a state of the run."""
        try:
            with Aside(), Deadline(self.run.limits.iterate_seconds, self._give_up):
                if self._source is not None:
                    self._source.enter()
                work()
        except NondeterminismError as error:
            if not self.is_source_changed:
                raise
            self.diverged = self._blamed(error)
        except DeadlineExceeded as error:
            place = place_of(error.__traceback__) or self._replay.place_now()
            self._failure = End.stuck(self._too_slow(), place)
        is_explained = self._failure is not None or self.diverged is not None
        if self._has_begun and not is_explained and self._replay.is_quiet_for_ever:
            never = ProcessError(
                "the process waits for something that never comes", hint="await steps of ctx only"
            )
            self._failure = End.stuck(never, None)

    def _of_author(self, work: Callable[[], None]) -> None:
        """Call code of the author's that the engine does not drive; what it raises is for the author."""
        self._asked_for = None
        try:
            work()
        except (StorageError, DeadlineExceeded, KeyboardInterrupt):
            raise
        except BaseException as error:
            asked_for = place_of_step(*self._asked_for) if self._asked_for is not None else None
            place = place_of(error.__traceback__) or asked_for or self._place_of_returned_step()
            self._failure = End.stuck(error, place)

    def _place_of_returned_step(self) -> Place | None:
        """Where a step was made that is never awaited, and a part of what the process returns."""
        step = step_within(self.end.value) if self.end is not None else None
        return None if step is None else step.place

    def _give_up(self, place: Place) -> None:
        """The process swallows every interruption, so this is the last that is done here."""
        self._failure = End.stuck(self._too_slow(), place)
        if not self._is_dry:
            self.write_round()

    def _too_slow(self) -> ProcessError:
        limit = self.run.limits.iterate_seconds
        # A play has no limit of its own, and is ended by whoever asked for it.
        seconds = f"{limit:g} s" if limit else "too long"
        return ProcessError(
            f"the process ran for {seconds} without coming to a step",
            hint="move long work into a task, or raise iterateSeconds in the configuration",
        )

    @property
    def is_source_changed(self) -> bool:
        """What is executed is not what the journal has: a file, or Python, where that counts."""
        return self.is_other_python or self._is_edited

    @property
    def _is_edited(self) -> bool:
        known = self.run.state.source_digests
        return any(known.get(name, digest) != digest for name, digest in self._digests.items())

    @property
    def is_other_python(self) -> bool:
        """The process uses asyncio, and its run is of another version of Python."""
        return self._python is not None and self.run.state.source_python not in (None, self._python)

    def _blamed(self, error: NondeterminismError) -> NondeterminismError:
        """An edit is the likelier cause; without one it can only be the other Python."""
        if self._is_edited:
            return error
        known, run = self.run.state.source_python, self.run.run_id
        return OtherPython(
            f"{error} (the run is of Python {known}, and this is {self._python})",
            step=error.step,
            hint=f"go on with Python {known}; or see `babysitter check {run}`, and then"
            f" `babysitter iterate {run} --accept-edit redo`",
        )

    def write_round(self) -> list[Any]:
        """Append what this round asks for; gives the events, or an empty list when nothing is new.

        Raises:
            RunBusy: other writers were first, again and again.
        """
        written: list[Any] = []
        goes_on = True
        while goes_on:
            events, goes_on = self._write_batch()
            written += events
        return written

    def _write_batch(self) -> tuple[list[Any], bool]:
        """Append one batch; gives it, and whether the process has gone on by that and has more to write."""
        for _ in range(MOST_LOST_RACES):
            # Again, for a module may have been imported only now; and a session bound since.
            self._look_for_edit(is_new=False)
            is_over = self.run.state.is_finished or self.diverged is not None
            batch = [] if is_over else self._draft()
            if not batch:
                # What is told now may rest on what another writer has only just linked.
                self.run.journal.flush()
                return [], False
            if self.end is not None and not (self.is_stuck or self.is_held):
                # A run must not end on a journal of which only the cache was read.
                self.run.journal.verify()
            batch = self._with_workspace(batch)
            try:
                events = self.run.append(batch)
            except HeadMoved:
                self.run.refresh()
                self._catch_up()
                continue
            except InvalidInput as error:
                # Too deep or too large ever to be read again: the author's, unless it is the report of that.
                if not self._can_be_written:
                    raise
                self._can_be_written = False
                self._failure = End.stuck(error, None)
                continue
            # What was taken over is answered already, and what is given up ends: the process goes on.
            goes_on = self.run.state.edit != self._edit or events[-1].type in GOING_ON
            self.follow()
            return events, goes_on or self._is_let_by(events)
        raise RunBusy(
            f"run {self.run.run_id!r} is written by others all the time", hint="try again in a moment"
        )

    def _is_let_by(self, events: list[Any]) -> bool:
        """What was given up just now may be what kept a budget from letting something else go."""
        return bool(self.held) and any(event.type == "EFFECT_CANCELLED" for event in events)

    def _with_workspace(self, batch: list[Draft]) -> list[Draft]:
        """With the git tree as it is before what is asked for now is done, if the run keeps that."""
        if not self.run.state.created.get("options") or not any(d[0] == "EFFECT_REQUESTED" for d in batch):
            return batch
        from babysitter.runs.workspace import is_wanted, saved

        return [*saved(self.run), *batch] if is_wanted(self.run) else batch

    def count_new_requests(self) -> int:
        """How many effects it asks for that the journal does not have."""
        return len(self._script.to_request())

    def check_that_it_repeats(self) -> None:
        """Replay the whole journal in a process of its own, and compare.

        Kept in memory, a process that reads the clock goes on as if nothing was
        wrong, and fails when it is resumed some day. Here it is found at once.

        Raises:
            NondeterminismError: the replay asks for something else, or ends otherwise.
        """
        again = Execution(self.run)
        again._notes.records.update(self._notes.records)
        again.start()
        is_edited = again._digests != self._digests
        if is_edited or again.is_stuck or self.is_stuck:
            return
        if _told(again.end) != _told(self.end):
            raise NondeterminismError(
                "replayed from its journal, the process ends otherwise than it did when it ran",
                hint=USUAL_CAUSE,
            )

    def _catch_up(self) -> None:
        """Go on from what another writer has written first."""
        if self._notes.new_records or self._notes.new_patches:
            # The process went on with what it noted here, and the journal may have something else there.
            self._start_again()
        else:
            self.follow()

    def _start_again(self) -> None:
        self._at_the_start()
        self.start()

    def _draft(self) -> list[Draft]:
        """The round, in the order in which a replay meets it."""
        described: list[drafts.Described] = []
        redefined: list[str] = []
        reused = [] if self.is_stuck else self._draft_reused()
        admitted = None if self.is_stuck or reused else self._within_budgets()
        if not self.is_stuck:
            calls = self._script.to_request() if admitted is None else admitted.calls
            self._guarded(lambda: self._of_author(lambda: described.extend(self._describe(calls))))
        if not self.is_stuck and self.is_source_changed and not self.run.state.is_cancelled:
            self._guarded(lambda: self._of_author(lambda: redefined.extend(self._redefined())))
        if self.is_stuck:
            return self._draft_problem()
        if redefined:
            from babysitter.engine.plan import plan_of

            return self._draft_change(plan_of(self.run.state.script, redefined))
        return [
            *self._draft_change(),
            *(("PATCHED", {"id": name}) for name in self._notes.new_patches),
            *(("RECORDED", data) for data in self._notes.new_records.values()),
            *(drafts.said(self.run, data) for data in (*self._notes.to_log(), *self._draft_reports())),
            *(drafts.cancelled(self.run, effect) for effect in self._script.to_cancel()),
            *(reused or self._draft_requests(described, admitted)),
        ]

    def _draft_requests(self, described: list[drafts.Described], admitted: Admitted | None) -> list[Draft]:
        requests = [drafts.kept(self.run, *each) for each in described]
        if admitted is None:
            return requests
        return [*admitted.first, *requests, *admitted.last, *admitted.refusals(self.run, described)]

    def _within_budgets(self) -> Admitted | None:
        """What may be asked for now of what the process asks for; None: all of it, nobody limits it."""
        asked, meter = self._replay.asked, self.run.state.meter
        if meter is None or not (asked or meter.is_asking):
            return None
        from babysitter.runs.budgets import Budgets

        budgets = self._budgets = self._budgets or Budgets(self.run)
        self._guarded(lambda: self._of_author(lambda: budgets.take_in(asked, self._kind_of)))
        return None if self.is_stuck else budgets.admit(asked)

    def _kind_of(self, call: Call) -> str:
        return drafts.kind_of(self.run, call)

    def _draft_reused(self) -> list[Draft]:
        """Requests that results answer which an accepted edit has kept; then no others are made yet."""
        leftovers = self.run.state.leftovers
        if leftovers is None:
            return []
        found: dict[str, str] = {}
        for _, call in self._script.to_request():
            effect = leftovers.find(call.step, (call.task.id, call.args_hash, call.attempt))
            if effect is not None and effect.id not in found:
                found[effect.id] = call.step
        return [("EFFECTS_REUSED", {"effects": list(found.items())})] if found else []

    def _describe(self, calls: list[tuple[Branch, Call]]) -> Iterator[drafts.Described]:
        """The requests and the end, in the author's words."""
        for branch, call in calls:
            self._asked_for = branch, call
            yield drafts.described(self.run, branch, call)
        self._asked_for = None
        if self.end is not None and not self.is_held:
            yield drafts.outcome(self.run, self.end)

    def _is_free(self, effect: Effect) -> bool:
        """A question to which nobody has said anything may be edited: asking it anew loses nothing.

        Where a person has to accept an edit, only of these very bytes.
        """
        run = self.run
        is_open = effect.is_pending and effect.kind == "breakpoint" and effect.id not in run.state.answers
        if not (is_open and self._is_edited) or run.state.is_cancelled:
            return False
        from babysitter.runs.edits import is_accepted

        return is_accepted(run, self._digests)

    def _other_arguments(self, effect: Effect, call: Call) -> str:
        """What the process asks for otherwise than its journal has it, as the end of a sentence."""
        # Not at the top: hardly any run comes to this.
        if self._others is None:
            from babysitter.runs.other_arguments import OtherArguments

            self._others = OtherArguments(self.run)
        return self._others.told(effect, call)

    def _redefined(self) -> Iterator[str]:
        """Pending effects that the edited process would describe otherwise: they are asked for anew."""
        yield from self._script.reworded
        for effect in self.run.state.pending.values():
            entry = self._replay.waiting.get(effect.step)
            if entry is not None and effect.id not in self._script.reworded:
                told = drafts.defined(self.run, entry[1], effect.id, effect.step)
                if compact(told) != compact(self.run.definition_of(effect)):
                    yield effect.id

    def _draft_change(self, plan: list[list[Any]] | None = None) -> list[Draft]:
        """A changed source under which the script held; also the sign that a stuck run goes on."""
        told = self.source_now()
        is_known = told["sourceDigests"] == self.run.state.source_digests
        if is_known and not self.is_other_python and self.run.state.status != STUCK:
            return []
        if is_known and not self.is_other_python:
            # Something outside of it was missing, say: there was nothing to be mended in the process itself.
            told["isSame"] = True
        return [("PROCESS_CHANGED", told if plan is None else {**told, "plan": plan})]

    def source_now(self) -> dict[str, Any]:
        """What the journal is to know from now on of the source, and of what was told."""
        # A module that is imported late, inside the process, is new and not an edit.
        loaded = {**self.run.state.source_digests, **self._digests}
        told: dict[str, Any] = {"sourceDigests": loaded, "gates": self._gates_of(loaded)}
        if self._python is not None:
            told["sourcePython"] = self._python
        return {**told, **self._scores_now()}

    def _scores_now(self) -> dict[str, list[str]]:
        """Those of the journal's scores that this process has told too, unless it is all of them."""
        if not self.run.state.scores:
            return {}
        from babysitter.engine.scores import keys_of

        known = keys_of(self.run.state.scores)
        kept = known & self._notes.told_scores
        return {} if kept == known else {"scores": sorted(kept)}

    def _gates_of(self, loaded: dict[str, str]) -> list[str]:
        """The files that may hold a gate; of what was not loaded this time, as the journal has it."""
        known = self.run.state.gates
        if known is None:
            # An earlier version has not looked.
            known = list(self.run.state.source_digests)
        return sorted(self._gates | {name for name in known if name not in self._digests and name in loaded})

    def _draft_reports(self) -> list[dict[str, Any]]:
        reports = [drafts.reported(scope, message) for scope, message in self._replay.reports]
        return [data for data in reports if data["key"] not in self._notes.logged]

    def _draft_problem(self) -> list[Draft]:
        """The author's mistake, once: the same one again is no news."""
        assert self.end is not None
        problem = drafts.problem(self.run, self.end, self._digests)
        known = self.run.state.problem or {}
        if all(known.get(name) == problem[name] for name in SAME_PROBLEM):
            return []
        # What the process said on its way there helps to find the mistake, and renames no step.
        told = self._notes.to_log() if self._can_be_written else []
        return [*(drafts.said(self.run, data) for data in told), ("PROCESS_ERROR", problem)]


def _told(end: End | None) -> Any:
    """What an end comes to, to be compared."""
    if end is None:
        return None
    if end.error is not None:
        return end.status, describe_failure(end.error)
    told = end.value.value if end.status in (HALTED, CONTINUED) else end.value
    return end.status, output_text(told)
