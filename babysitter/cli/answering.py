"""The breakpoints of an inbox, answered one after the other at the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from babysitter.approvals.place import level_here, own_names, person, seen_here
from babysitter.cli.asking import forget_typed
from babysitter.cli.awaiting import command_for
from babysitter.cli.options import watched
from babysitter.cli.output import complain, line, tell_error
from babysitter.cli.typed_answers import choices, options_of, read_answer
from babysitter.errors import AlreadyResolved, BabysitterError, EffectCancelled, RunFinished
from babysitter.journal.lock import holder
from babysitter.runs.above import top_of
from babysitter.runs.answering import Shown, decide, is_for
from babysitter.runs.assurance import ways_to_answer
from babysitter.runs.folder import name_of
from babysitter.runs.results import accept
from babysitter.views.questions import question_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from babysitter.runs.inbox import Waiting
    from babysitter.runs.results import Verdict
    from babysitter.runs.run import Run

QUIT = frozenset({"q", "quit"})
ELSEWHERE = "answered elsewhere meanwhile, or no longer needed"


class Ended(Exception):
    """Nothing more is to be asked."""


def answer_all(waiting: Sequence[Waiting], runs_dir: str) -> None:
    """Ask one after the other, record what is answered, and say how the runs go on.

    ``runs_dir`` is the folder whose runs are called by their ids.
    """
    answered: dict[str, Run] = {}
    try:
        for number, each in enumerate(waiting, 1):
            line("")
            line(f"({number} of {len(waiting)}) {each.run.project}")
            if _answer(each, name_of(each.run.folder, runs_dir)):
                answered[each.run.folder] = each.run
    except Ended:
        pass
    _tell_how_to_go_on(answered.values(), runs_dir)


def _answer(each: Waiting, name: str) -> bool:
    """Ask one; whether an answer of ours was recorded."""
    try:
        return _ask(each, name)
    except (AlreadyResolved, EffectCancelled, RunFinished) as error:
        line(f"{ELSEWHERE}: {error.message}")
    except BabysitterError as error:
        # The others can be answered all the same.
        tell_error(error, [])
    return False


def _ask(each: Waiting, name: str) -> bool:
    run, effect = watched(each.run), each.effect
    assert effect is not None
    run.refresh()
    if not effect.is_pending or run.state.is_finished:
        line(ELSEWHERE)
        return False
    level = level_here(
        "nobody answers a breakpoint", ways_to_answer(name, effect.id, None), is_guarded=run.is_guarded
    )
    shown = Shown(run, effect)
    for text in question_lines(run, shown, is_numbered=True):
        line(text)
    if not is_for(run, effect, person(), own_names):
        line(f"it asks others, or you have answered it; for one of them: {command_for(each, name)} --as NAME")
        return False
    if each.asked.get("assurance") == "signed":
        line(f"it wants a signature: {command_for(each, name)}")
        return False
    told = _typed({"title": effect.label, **each.asked})
    if told is None:
        return False
    answer = decide(
        run,
        effect,
        by=person(),
        names=own_names,
        assurance=level,
        evidence=seen_here(),
        shown=shown.digest,
        **told,
    )
    return _is_ours(accept(run, [answer])[0])


def _is_ours(verdict: Verdict) -> bool:
    if verdict.error is not None:
        raise verdict.error
    line(f"{verdict.effect_id}: {verdict.status}")
    return True


def _typed(question: dict[str, Any]) -> dict[str, Any] | None:
    """What a person decides, as arguments of a decision; None: nothing, to the next one.

    Raises:
        Ended: no more of this.
    """
    choice = choices(question).replace(" or ", "/")
    prompt = f"[{choice}; Enter skips; q ends; words after it are kept as feedback]: "
    forget_typed(sys.stdin.fileno())
    while True:
        sys.stdout.write(prompt)
        sys.stdout.flush()
        text = sys.stdin.readline()
        if not text or text.strip().lower() in QUIT:
            raise Ended
        if not text.strip():
            return None
        told = read_answer(text.strip(), options_of(question))
        if told is not None:
            return told
        prompt = f"please answer {choices(question)}, or press Enter: "


def _tell_how_to_go_on(runs: Iterable[Run], runs_dir: str) -> None:
    tops: dict[str, Run] = {}
    for run in runs:
        try:
            top = top_of(run)
        except BabysitterError as error:
            complain(f"warning: {error.message}")
            continue
        tops[top.folder] = top
    for top in tops.values():
        line(_how_it_goes_on(top, name_of(top.folder, runs_dir)))


def _how_it_goes_on(run: Run, name: str) -> str:
    from babysitter.sessions.presence import is_alive

    driver = holder(run.folder)
    if driver:
        return f"run {run.run_id} is driven by {driver}, and goes on"
    bound = run.state.session
    if bound is not None and is_alive(bound["sessionId"]):
        return f"run {run.run_id} goes on when its session stops next; or with: babysitter iterate {name}"
    return (
        f"run {run.run_id} goes on with: babysitter resume {name}, or by one step: babysitter iterate {name}"
    )
