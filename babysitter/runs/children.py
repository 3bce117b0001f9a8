"""Child runs: what ``ctx.subprocess`` asks for, each a run of its own in the same folder of runs.

The id of a child is computed from the effect that asks for it, and its first
event says whose child it is. So it is made once, whoever makes it and however
often they are killed at that, and a run that only has its id is not taken for it.
"""

from __future__ import annotations

import os

from babysitter.clock import iso
from babysitter.engine.state import CANCELLED, COMPLETED, FAILED, SUBPROCESS
from babysitter.errors import (
    BabysitterError,
    CorruptRules,
    InvalidInput,
    JournalError,
    ProcessError,
    RunBusy,
    RunExists,
    RunFinished,
    StorageError,
)
from babysitter.ids import MOST_OF_ID, base32, digest10
from babysitter.jsontext import compact
from babysitter.library import DEFAULT_EXPORT, reopen, resolve
from babysitter.runs.above import read_above, runs_above
from babysitter.runs.creation import Origin, create
from babysitter.runs.folder import archive_of, check_folder
from babysitter.runs.results import Answer
from babysitter.runs.run import Run
from babysitter.runs.stopping import cancel_run, halt_run
from babysitter.runs.succession import newest, newest_there
from babysitter.version import version

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.engine.state import Effect
    from babysitter.runs.drafts import Draft

# A process that calls itself without end is stopped here.
MOST_DEPTH = 20
EXECUTOR = "child"
NOT_NEEDED = "its parent no longer needs it"


def child_id(run: Run, effect: Effect) -> str:
    """The id of the run that performs an effect: the same each time."""
    process, _ = _asked(run, effect)
    stem, _, export = process.partition("#")
    words = [os.path.basename(stem).removesuffix(".py"), *([export] if export != DEFAULT_EXPORT else [])]
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in "-".join(words))
    # With the run's id: the effects of a run may be those of another, from which it was forked.
    number = base32(digest10(compact([run.run_id, effect.id]).encode()))
    slug = "-".join(part for part in kept.lower().split("-") if part)[: MOST_OF_ID - len(number) - 1]
    return f"{slug.rstrip('-') or 'run'}-{number}"


def _asked(run: Run, effect: Effect) -> tuple[str, Any]:
    """The process and the inputs that an effect names; no process where it names none."""
    told = run.definition_of(effect).get(SUBPROCESS)
    described = told if isinstance(told, dict) else {}
    process = described.get("process")
    return process if isinstance(process, str) else "", described.get("inputs", {})


def find_child(run: Run, effect: Effect, *, is_new: bool = False) -> Run | None:
    """The child run of an effect, or the one in which it goes on by now; None when it was not made yet.

    Raises:
        RunExists: a run that is not its child has the id.
        JournalError, UnsafePath, StorageError
    """
    folder = os.path.join(os.path.dirname(run.folder), child_id(run, effect))
    if not os.path.lexists(folder):
        return None
    check_folder(folder)
    child = run.beside(folder, is_new=is_new)
    child.above = run
    parent = child.state.created.get("parent") or {}
    if (parent.get("runId"), parent.get("effectId")) != (run.run_id, effect.id):
        raise RunExists(f"the run {child.run_id!r} is not the child of run {run.run_id!r} whose id it has")
    found = newest_there(child)
    if run.state.meter is not None:
        # Whoever brings it on has it in memory, and what it spends need not be read once more.
        run.below[effect.id] = found
    return found


def make_child(run: Run, effect: Effect) -> Run:
    """The child run of a pending effect, made where it is missing.

    Raises:
        InvalidInput, NoSuchProcess: the process cannot be loaded, or the inputs do not fit it.
        ProcessError: it would be too deep.
        RunExists: as in ``find_child``.
        JournalError, UnsafePath, StorageError
    """
    child = find_child(run, effect)
    if child is None:
        child = find_child(run, effect, is_new=_create(run, effect))
        assert child is not None
    guard_child(run, child)
    limit_child(run, child)
    if not child.state.effects:
        _end_if_over(run, effect, child)
    return child


def _end_if_over(run: Run, effect: Effect, child: Run) -> None:
    """Somebody may have given a child up, or have ended its parent, before it was there to be told."""
    run.refresh()
    if run.state.is_finished:
        ending = run.state.ending or {}
        try:
            halt_run(child, by=ending.get("by", EXECUTOR), reason=ending.get("reason", NOT_NEEDED))
        except RunFinished:
            return
    elif not effect.is_pending:
        give_up(child)


def _create(run: Run, effect: Effect) -> bool:
    """Whether it was made here, and not by another command meanwhile."""
    process, inputs = _asked(run, effect)
    if not process:
        raise InvalidInput(f"effect {effect.id!r} does not say which process is to be performed")
    folder = reopen(run.state.created["entrypoint"], run.project).folder
    state, run_id, runs_dir = run.state, child_id(run, effect), os.path.dirname(run.folder)
    guard = run.guard
    parent = {"runId": run.run_id, "effectId": effect.id, "depth": _depth_below(run)}
    options = state.created.get("options", {})
    try:
        create(
            runs_dir,
            resolve(process, run.project, folder),
            inputs,
            project=run.project,
            version=version(),
            run_id=run_id,
            options={**options, **_inherited(run, effect)},
            session=(guard["host"], guard["sessionId"]) if guard else None,
            origin=Origin({"parent": parent, **owner_of(run)}),
            limits=run.limits,
        )
    except RunExists:
        # Another command was first; unless it is put away, and then there is none to go on with.
        if os.path.lexists(archive_of(run_id, runs_dir)):
            raise
        return False
    return True


def _inherited(run: Run, effect: Effect) -> dict[str, Any]:
    """What holds for a child beyond what its parent was made with."""
    told: dict[str, Any] = {"breakpoints": "policy"} if run.state.answers_by_policy else {}
    own = (run.definition_of(effect).get(SUBPROCESS) or {}).get("budget")
    if run.state.meter is not None:
        budget = run.state.meter.budget
    elif own:
        prices = run.limits.prices
        budget = {} if prices is None else {"currency": prices.currency}
    else:
        return told
    from babysitter.budget import for_child

    return {**told, "budget": for_child(budget, own)}


def owner_of(run: Run) -> dict[str, Any]:
    """Whose run it is, for those that come of it."""
    created = run.state.created
    return {name: created[name] for name in ("createdBy",) if name in created}


def _depth_below(run: Run) -> int:
    above = (run.state.created.get("parent") or {}).get("depth", 0)
    depth = above + 1 if isinstance(above, int) else MOST_DEPTH + 1
    if depth > MOST_DEPTH:
        raise ProcessError(f"child runs are nested more than {MOST_DEPTH} deep; does a process call itself?")
    return depth


def guard_child(run: Run, child: Run) -> None:
    """What a session works on it works on with all that belongs to it, also when it came to it later."""
    guard = run.guard
    if guard is not None and child.state.guard is None and not child.state.is_finished:
        child.append_whatever_comes([("SESSION_BOUND", guard)])


def limit_child(run: Run, child: Run) -> None:
    """What holds for a run holds for all that belongs to it, also when it got its budget later.

    Raises:
        RunBusy, JournalError, StorageError
    """
    if run.state.meter is None or child.state.meter is not None:
        return
    from babysitter.budget import BY_BUDGET, for_child
    from babysitter.clock import iso

    told = {"budget": for_child(run.state.meter.budget), "by": BY_BUDGET, "at": iso(child.now_ms())}

    def decide() -> tuple[None, list[Draft]]:
        is_done = child.state.is_finished or child.state.meter is not None
        return None, [] if is_done else [("BUDGET_CHANGED", told)]

    child.append_decided(decide)


def limit_by_above(run: Run) -> None:
    """The same of a run that is gone on with by itself.

    Raises:
        RunBusy, JournalError, UnsafePath, StorageError
    """
    if run.state.meter is None and not run.state.is_finished:
        for above in runs_above(run):
            limit_child(above, run)


def answer_of(child: Run, effect: Effect) -> Answer:
    """What the end of a child means for the effect that asked for it."""
    status, ending = child.state.status, child.state.ending or {}
    if status == COMPLETED:
        answer = Answer(effect.id, "ok", child.output(), executor=EXECUTOR)
    else:
        error = _failure(child) if status == FAILED else _halted(ending)
        answer = Answer(effect.id, "error", None, error, executor=EXECUTOR)
        data = {"data": error["data"]} if "data" in error else {}
        error["data"] = {"runId": child.run_id, **data}
    proof = {"proof": child.proof} if child.proof else {}
    answer.evidence = {"childRun": child.run_id, **proof, **spent_by(child)}
    answer.started_at, answer.finished_at = iso(child.state.created_ms), iso(child.state.ended_ms)
    return answer


def spent_by(child: Run) -> dict[str, Any]:
    """What a child has spent with all below it, for the budgets of those above it."""
    if child.state.meter is None:
        return {}
    from babysitter.runs.spending import spending_of

    return {"spent": spending_of(child).ledger().as_json()}


def _failure(child: Run) -> dict[str, Any]:
    told = (child.state.ending or {}).get("error") or {}
    kept = {name: told[name] for name in ("exitCode", "data") if name in told}
    return {"name": str(told.get("name")), "message": str(told.get("message")), **kept}


def _halted(ending: dict[str, Any]) -> dict[str, Any]:
    told = {"name": "RunHalted", "message": str(ending.get("reason"))}
    return {**told, "data": ending["data"]} if "data" in ending else told


def answer_to_mistake(run: Run, effect: Effect, error: BabysitterError) -> Answer:
    """The child of an effect cannot be made, or cannot go on as another: the effect has failed."""
    if isinstance(error, (JournalError, StorageError, RunBusy, CorruptRules)):
        # Not of the author's making, and it may be another time.
        raise error
    hint = f"; {error.hint}" if error.hint and not isinstance(error, RunExists) else ""
    told = {"name": type(error).__name__, "message": f"{error.message}{hint}"}
    return Answer(effect.id, "error", None, told, executor=EXECUTOR, evidence=_spent_before(run, effect))


def _spent_before(run: Run, effect: Effect) -> dict[str, Any] | None:
    """What a child has spent until a mistake ended it, where there is one."""
    try:
        child = None if run.state.meter is None else find_child(run, effect)
    except RunExists:
        return None
    return None if child is None else spent_by(child)


def is_needed(run: Run) -> bool:
    """A child that its parent gave up, or whose parent has ended, is only to be brought to its end."""
    above = read_above(run.state.created, os.path.dirname(run.folder), run.limits)
    if above is None:
        return True
    effect = above.state.effects.get(run.state.created["parent"]["effectId"])
    return effect is None or not (
        effect.status == CANCELLED or (effect.is_pending and above.state.is_finished)
    )


def next_needed(run: Run) -> Run:
    """The run in which a continued run goes on, made where it is missing; given up if it is a child too late.

    Made first: whoever gives it up meanwhile either finds it, or is seen here.

    Raises:
        as ``newest``
    """
    following = newest(run)
    give_up_if_not_needed(following)
    return following


def give_up_if_not_needed(run: Run) -> None:
    """Cancel a child that nobody needs any more.

    Raises:
        RunBusy, JournalError, StorageError
    """
    if not (run.state.is_finished or run.state.is_cancelled or is_needed(run)):
        give_up(run)


def give_up(child: Run) -> None:
    """Have a child come to its end, because its parent does not wait for it any more."""
    try:
        cancel_run(child, by=EXECUTOR, reason=NOT_NEEDED)
    except RunFinished:
        # It has ended by itself just now, or goes on as another run, which is given up as well.
        following = newest_there(child)
        if not following.state.is_finished:
            give_up(following)


def living_child(run: Run, effect: Effect) -> Run | None:
    """The child run of an effect, if it is there and has not ended."""
    child = find_child(run, effect)
    return child if child is not None and not child.state.is_finished else None


def family(run: Run) -> list[Run]:
    """A loaded run, and all runs below it that are there and have not ended, each after its parent.

    Raises:
        JournalError, UnsafePath, StorageError
    """
    found, waiting = list[Run](), [run]
    while waiting:
        member = waiting.pop()
        found.append(member)
        waiting += reversed(
            [child for effect in member.state.children.values() if (child := _seen(member, effect))]
        )
    return found


def _seen(run: Run, effect: Effect) -> Run | None:
    try:
        return living_child(run, effect)
    except RunExists:
        # Not its child; whoever goes on with the run says so.
        return None
