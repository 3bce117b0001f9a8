"""``take``: an agent that is no subagent of a session's takes an effect, so that nobody else does it too."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from babysitter.cli.effects_told import prompt_json
from babysitter.cli.options import (
    complete_effect,
    json_option,
    opened,
    run_argument,
    runs_dir_option,
    settings,
)
from babysitter.cli.output import as_json as print_json
from babysitter.cli.output import complain, document, line
from babysitter.clock import iso, now_ms
from babysitter.errors import InvalidInput, UsageError
from babysitter.executors.effect_lock import worker_of
from babysitter.executors.folders import TASKS
from babysitter.executors.rates import rates_of
from babysitter.runs.above import session_over
from babysitter.runs.results import OWN_KINDS, find_effect
from babysitter.runs.sleeping import deadline_of
from babysitter.runs.stopping import check_awaited, check_pending
from babysitter.runs.taking import SESSIONS_OWN, beat, is_leased, lease_end, take, taken_by_another
from babysitter.sessions.takers import is_at_it

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.engine.state import Effect
    from babysitter.runs.run import Run

DEFAULT_LEASE, MOST_LEASE_SECONDS = "10m", 86_400
NOTHING = 8


@click.command(
    "take",
    epilog="""\b
Example:
  babysitter take release-1-2-0 --by reviewer-1 --json
  babysitter take release-1-2-0 4f9k2m --by reviewer-1 --lease 1h
  babysitter take release-1-2-0 4f9k2m --by reviewer-1 --renew""",
)
@run_argument(required=True)
@click.argument("effect", required=False, shell_complete=complete_effect)
@click.option("--by", required=True, metavar="NAME", help="Who works on it; a name of your own choice.")
@click.option(
    "--lease", metavar="TIME", help=f"How long that counts without --renew (default: {DEFAULT_LEASE})."
)
@click.option("--renew", is_flag=True, help="Say that NAME is still at EFFECT; its lease begins anew.")
@runs_dir_option
@json_option
def take_command(
    run: str,
    effect: str | None,
    by: str,
    lease: str | None,
    renew: bool,
    runs_dir: str | None,
    as_json: bool,
) -> int:
    """Take an agent effect of RUN to work on it, and print its prompt; the oldest free one without EFFECT.

    Nobody is offered it then before the lease is over; give the result with `babysitter post`. With
    nothing to take the exit code is 8.
    """
    if not by.strip() or len(by) > 200:
        raise UsageError(f"--by {by!r} is no name; a short text is expected")
    found = opened(run, runs_dir)
    if renew:
        if effect is None or lease is not None:
            raise UsageError("--renew is of an EFFECT that was taken, with the lease that it was taken with")
        return _renew(found, find_effect(found, effect), by, as_json)
    seconds = _seconds(lease or DEFAULT_LEASE)
    check_awaited(found)
    if effect is not None and _is_his(found, find_effect(found, effect), by):
        return _renew(found, find_effect(found, effect), by, as_json, is_asked=True)
    chosen, at = _admitted(_free(found) if effect is None else iter([find_effect(found, effect)]))
    if chosen is None:
        return _tell_nothing(found, at, as_json)
    take(
        found,
        chosen,
        lambda each: is_free(found, each),
        by=by,
        session=_session_of(found),
        lease=seconds,
    )
    return _tell(found, chosen, as_json, is_asked=True)


def _seconds(lease: str) -> float:
    from babysitter.durations import seconds

    try:
        told = seconds(lease)
    except ValueError as error:
        raise InvalidInput(f"--lease: {error}") from None
    if not 1 <= told <= MOST_LEASE_SECONDS:
        raise InvalidInput(f"--lease {lease!r} is not between 1s and 24h", hint="renew it in time: --renew")
    return told


def is_free(run: Run, effect: Effect) -> bool:
    """Nobody is at the effect, as far as can be seen from here."""
    return not is_at_it(run, effect) and worker_of(os.path.join(run.folder, TASKS, effect.id)) is None


def _free(run: Run) -> Iterator[Effect]:
    """What an agent can begin, the oldest first."""
    # What a session's agent is to do itself it can do; without one, anybody may.
    kept = {*OWN_KINDS, SESSIONS_OWN} if session_over(run) else {*OWN_KINDS}
    return (each for each in run.state.pending.values() if each.kind not in kept and is_free(run, each))


def _admitted(effects: Iterator[Effect]) -> tuple[Effect | None, int]:
    """The first that the rate limits admit, its start taken; else when the first of them may begin."""
    rates = rates_of(settings())
    times = []
    for effect in effects:
        is_over = not effect.is_pending or effect.kind in OWN_KINDS
        at = rates.take(effect.kind, effect.task_id, now_ms()) if rates and not is_over else 0
        if not at:
            return effect, 0
        times.append(at)
    return None, min(times, default=0)


def _session_of(run: Run) -> str:
    """The session that is to finish the run, if this is called in it: it stays its own task all the same.

    In a host that does not say in which session, it is taken to be in that one.
    """
    from babysitter.approvals.place import is_inside_host, sessions_here

    bound = session_over(run)
    if bound is None:
        return ""
    session, here = str(bound["sessionId"]), sessions_here()
    return session if session in here or (not here and is_inside_host(is_guarded=True)) else ""


def _is_his(run: Run, effect: Effect, by: str) -> bool:
    taken = effect.taken or {}
    return taken.get("by") == by and "agent" not in taken and is_leased(run, effect, run.now_ms())


def _renew(run: Run, effect: Effect, by: str, wants_json: bool, *, is_asked: bool = False) -> int:
    check_pending(run, effect)
    if effect.taken is None:
        raise UsageError(f"nobody has taken effect {effect.id!r}", hint="take it without --renew")
    if effect.taken["by"] != by or "agent" in effect.taken:
        raise taken_by_another(run, effect)
    # Another command, which was killed, may only just have linked that.
    run.journal.flush()
    beat(run.folder, effect.id)
    return _tell(run, effect, wants_json, is_asked=is_asked)


def _tell(run: Run, effect: Effect, wants_json: bool, *, is_asked: bool) -> int:
    end, deadline = lease_end(run, effect), deadline_of(run, effect)
    told: dict[str, Any] = {"run": run.run_id, "effect": effect.id, "attempt": effect.takes}
    told.update({"title": effect.label, "until": iso(end or 0)})
    if deadline is not None:
        told["timeoutAt"] = iso(deadline)
    asked = prompt_json(run, effect.id) if is_asked else {}
    if wants_json:
        print_json({**told, **asked})
        return 0
    # Apart from the prompt, which is for whoever reads standard output.
    complain(f"{effect.id} {effect.label} (attempt {effect.takes}, until {told['until']})")
    if is_asked:
        document(asked["prompt"].rstrip("\n"))
    return 0


def _tell_nothing(run: Run, at: int, wants_json: bool) -> int:
    run.journal.flush()
    if wants_json:
        next_one = {"next": iso(at)} if at else {}
        print_json({"run": run.run_id, "status": run.state.status, "effect": None, **next_one})
    else:
        line(f"run {run.run_id}: nothing to take now{f', by a rate limit until {iso(at)}' if at else ''}")
    return NOTHING


commands = {"take": take_command}
