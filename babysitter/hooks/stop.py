"""The session wants to stop. Whether it may, and if not, what it is to do.

In this order: the run has ended, or is another session's → let go. Something can be begun that
nobody is at → go on. Stuck or diverged → go on. Only a person, the clock, or what is being done in
the background can bring it on → let go. Nothing has moved for some stops → let go, loudly: the guard
is against lack of progress, never against speed.
"""

from __future__ import annotations

import os

from babysitter.clock import iso
from babysitter.engine.state import CONTINUED
from babysitter.errors import InvalidInput
from babysitter.executors.effect_lock import worker_of
from babysitter.hooks.batch_text import (
    OTHERS,
    OWN,
    batch_text,
    blocked_text,
    diverged_text,
    ended_text,
    going_on_text,
    name_for,
    needless_text,
    question_text,
    shown_status,
    stuck_text,
    why_ended,
    work_command,
)
from babysitter.hooks.bound import bound_to, gone_on
from babysitter.hooks.rated import admitted, is_slept
from babysitter.hosts import adapter_of
from babysitter.hosts.calls import go_on as told_to_go_on
from babysitter.hosts.calls import let_go
from babysitter.runs.assurance import is_enough, minimum_of
from babysitter.runs.iterate import divergence_hint, iterate
from babysitter.runs.run import Run
from babysitter.runs.sleeping import deadline_of, deadline_of_breakpoint, due_at
from babysitter.sessions.agents import carried, folder_of, note_gone
from babysitter.sessions.binding import unbind
from babysitter.sessions.progress import check_below, heads_of, keep_head
from babysitter.sessions.takers import is_at_it
from babysitter.views.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from babysitter.engine.state import Effect
    from babysitter.hooks.bound import Bound
    from babysitter.hooks.rated import Held
    from babysitter.hosts.calls import Answer, Call
    from babysitter.runs.iterate import Iteration

    Pending = tuple[Run, Effect]

# So often a session may stop in a row without anything having moved in its run.
MOST_IDLE_STOPS = 6
MOST_ENDING = 500
TASKS = "tasks"


def stop(call: Call) -> Answer:
    """Bring the run of the session one step on, and say what is to be done."""
    bound = bound_to(call)
    if bound is None:
        return let_go()
    if bound.is_taken_over:
        unbind(call.session)
        return let_go(bound.taken_over_message)
    check_below(bound.run, bound.progress)
    is_known = bound.run.state.is_finished and bound.run.state.status != CONTINUED
    iteration = iterate(bound.run)
    run = iteration.run
    if run is not bound.run and not run.state.is_finished:
        bound = gone_on(call, run)
    if bound is None or run.state.is_finished:
        unbind(call.session)
        message = ended_message(run)
        needless = _needless(call, [run])
        # What ends only now the model has not seen: it reports that, and next time it stops it is free.
        is_told = is_known and not needless
        text = "\n".join([ended_text(run), *needless])
        return let_go(message) if is_told else told_to_go_on(text, message)
    return _decide(call, bound, iteration)


def _needless(call: Call, runs: list[Run]) -> list[str]:
    """What the model is told, once, of subagents that run on although nobody waits for their effects."""
    lines = []
    for task in call.background:
        name = carried(call.session, task.id, is_at_work=True)[0] if task.is_subagent else ""
        effect = _over(call, task.id, name, runs) if name else None
        if effect is not None:
            note_gone(call.session, task.id)
            lines.append(needless_text(effect, task.id))
    return lines


def _over(call: Call, agent: str, name: str, runs: list[Run]) -> Effect | None:
    """The effect that a subagent carries, if it is known and nobody waits for it any more."""
    run = next((run for run in runs if name in run.state.effects), None)
    folder = folder_of(call.session, agent)
    if run is None and folder and os.path.isdir(folder):
        # Of a child run that has ended.
        run = Run(folder).load()
    effect = run.state.effects.get(name) if run is not None else None
    is_over = run is not None and effect is not None and (run.state.is_finished or not effect.is_pending)
    return effect if is_over else None


def ended_message(run: Run) -> str:
    """How a run ended, with the proof of it, for the person."""
    state, head = run.state, run.journal.head
    if state.status == "completed":
        return f"babysitter: run {run.run_id} has completed; proof {head.seq}-{head.checksum}"
    return printable(f"babysitter: run {run.run_id} has {shown_status(run)}: {why_ended(run, MOST_ENDING)}")


def _decide(call: Call, bound: Bound, iteration: Iteration) -> Answer:
    run, below = bound.run, list(iteration.below())
    if iteration.diverged is not None:
        # Those below were not looked at, so what was seen of them before still stands.
        return _go_on(
            call,
            bound,
            diverged_text(run, iteration.diverged.message, divergence_hint(iteration.diverged, run)),
        )
    bound.below = heads_of([each.run for each in below])
    if iteration.status == "stuck":
        return _go_on(call, bound, stuck_text(run))
    blocked = iteration.blocked
    bound.moved = sum(each.state.moved_seq for each in (run, *(each.run for each in below)))
    runs = [run, *(each.run for each in below if each not in blocked)]
    pending = [(each, effect) for each in runs for effect in each.state.pending.values()]
    idle = [(each, effect) for each, effect in pending if effect.kind not in OTHERS]
    idle, held = admitted(call, run.folder, _without_carried(call, run, idle))
    notes = [*_needless(call, runs), *([held.text] if held and not is_slept(call) else [])]
    if idle or notes:
        offers = [(name_for(call, each), effect) for each, effect in idle]
        text = batch_text(run, name_for(call, run), offers) if idle else going_on_text(run)
        return _go_on(call, bound, "\n".join([text, *notes, *map(blocked_text, blocked[:1])]))
    if blocked:
        return _go_on(call, bound, _trouble_text(blocked[0]))
    unasked = _unasked(call, bound, pending)
    if unasked:
        asked = [*bound.progress.get("asked", []), *unasked]
        effects = list(unasked.values())
        return _go_on(call, bound, question_text(run, effects, adapter_of(os.environ).QUESTION_TOOL), asked)
    keep_head(call.session, run.journal.head, asked=bound.progress.get("asked"), below=bound.below)
    return let_go(_waiting_message(call, run, pending, held))


def _trouble_text(iteration: Iteration) -> str:
    """Why a run below the session's does not go on."""
    if iteration.diverged is None:
        return stuck_text(iteration.run)
    run, diverged = iteration.run, iteration.diverged
    return diverged_text(run, diverged.message, divergence_hint(diverged, run))


def _without_carried(call: Call, run: Run, pending: list[Pending]) -> list[Pending]:
    """The effects that nobody is at: no subagent that this session hears of, no ``work``, nobody outside."""
    agents = {carried(call.session, task.id)[0] for task in call.background if task.is_subagent}
    shells = [task.command.strip() for task in call.background if not task.is_subagent]
    # As it was told to start it; it takes a moment until it holds its first effect.
    command = work_command(name_for(call, run))
    is_begun = command in shells or f"{command} --wait" in shells
    is_worked = is_begun or (bool(shells) and _is_worked(pending))
    return [
        (each, effect)
        for each, effect in pending
        if effect.id not in agents
        and not (is_worked and effect.kind in OWN)
        and not _is_anothers(call, each, effect)
    ]


def _is_anothers(call: Call, run: Run, effect: Effect) -> bool:
    """Somebody outside of the session is at it; a subagent that the session will not hear of is gone."""
    if effect.kind not in OWN and worker_of(os.path.join(run.folder, TASKS, effect.id)) is not None:
        # A `babysitter run` with an agent command of its own.
        return True
    taken = effect.taken
    if taken is None:
        return False
    if taken.get("session") != call.session:
        return is_at_it(run, effect)
    note_gone(call.session, taken.get("agent", ""))
    return False


def _is_worked(pending: list[Pending]) -> bool:
    """A ``work`` lives that performs one of these; it takes the others too, as soon as it can."""
    return any(
        effect.kind in OWN and worker_of(os.path.join(run.folder, TASKS, effect.id)) is not None
        for run, effect in pending
    )


def _unasked(call: Call, bound: Bound, pending: list[Pending]) -> dict[str, Effect]:
    """Breakpoints that the person at this session can answer in a dialog, and was not asked yet."""
    breakpoints = [(run, effect) for run, effect in pending if effect.kind == "breakpoint"]
    if not call.has_person or not breakpoints:
        return {}
    from babysitter.hooks.shown import asking_of

    asking = {
        asking_of(run, effect): effect
        for run, effect in breakpoints
        if is_enough("dialog", minimum_of(run.definition_of(effect))) and _is_for_this_person(run, effect)
    }
    asked = bound.progress.get("asked", [])
    return {name: effect for name, effect in asking.items() if name not in asked}


def _go_on(call: Call, bound: Bound, text: str, asked: list[str] | None = None) -> Answer:
    """Tell the agent to go on, unless that has changed nothing for some time."""
    head, progress = bound.run.journal.head, bound.progress
    asked = progress.get("asked") if asked is None else asked
    moved = bound.moved or bound.run.state.moved_seq
    stops = progress["stops"] + 1 if progress and progress["moved"] == moved else 1
    is_idle = stops >= MOST_IDLE_STOPS
    stops_kept = 0 if is_idle else stops
    keep_head(bound.session, head, moved=moved, stops=stops_kept, asked=asked, below=bound.below)
    if is_idle:
        name = name_for(call, bound.run)
        return let_go(
            f"babysitter: run {bound.run.run_id} is NOT finished, but nothing has moved in it for {stops}"
            f" stops; the session is let go. Where it stands: babysitter status {name}"
        )
    return told_to_go_on(text)


def _waiting_message(call: Call, run: Run, pending: list[Pending], held: Held | None) -> str:
    """Whom the run waits for, for the person."""
    waits = []
    for each, effect in pending:
        if effect.kind == "breakpoint":
            waits.append(_answer_awaited(call, each, effect))
        elif effect.kind == "sleep":
            waits.append(iso(due_at(effect)))
    others = sum(effect.kind not in OTHERS for _, effect in pending)
    if held is not None:
        others -= held.count
        waits.append(f"a rate limit, until {iso(held.at_ms)}")
    if others:
        late = [at for each, effect in pending if (at := deadline_of(each, effect)) is not None]
        until = f", until {iso(min(late))} at the latest" if late else ""
        waits.append(f"{others} effects that are being worked on{until}")
    return printable(f"babysitter: run {run.run_id} is not finished; it waits for {'; '.join(waits[:5])}")


def _answer_awaited(call: Call, run: Run, effect: Effect) -> str:
    """Whose answer a breakpoint waits for, and until when."""
    from babysitter.engine.breakpoints import Asked

    at = deadline_of_breakpoint(run, effect)
    until = f", until {iso(at)}" if at is not None else ""
    if _is_for_this_person(run, effect):
        way = f"/babysitter:approve, or babysitter approve {name_for(call, run)} {effect.id}"
        return f"your answer to {effect.label!r}{until} ({way})"
    others = ", ".join(Asked(run.definition_of(effect)).experts) or "others"
    return f"the answer of {others} to {effect.label!r}{until}"


def _is_for_this_person(run: Run, effect: Effect) -> bool:
    """Whether a breakpoint asks the user; by the name of the account where the configuration is broken."""
    from babysitter.approvals.place import own_names, person
    from babysitter.runs.answering import is_for

    try:
        return is_for(run, effect, person(), own_names)
    except InvalidInput:
        return is_for(run, effect, person(), list)
