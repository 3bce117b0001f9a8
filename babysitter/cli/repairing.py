"""``repair``: mend a damaged run, after showing what that means."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from babysitter.cli.options import json_option, run_argument, runs_dir_option
from babysitter.cli.output import as_json, line
from babysitter.paths import runs_dir as runs_folder
from babysitter.runs.folder import check_folder, find, name_of

if TYPE_CHECKING:
    from babysitter.journal.events import Head
    from babysitter.runs.repair import Plan

STILL_DAMAGED = 5


@click.command(
    epilog="""\b
Example:
  babysitter repair release-1-2-0 --dry-run
  babysitter repair release-1-2-0
  babysitter repair release-1-2-0 --before 57""",
)
@run_argument(required=True)
@click.option("--dry-run", is_flag=True, help="Show what would be done, and change nothing.")
@click.option(
    "--before",
    type=click.IntRange(min=2),
    metavar="NUMBER",
    help="Go back to before this event, although it may be whole.",
)
@runs_dir_option
@json_option
def repair(run: str, dry_run: bool, before: int | None, runs_dir: str | None, as_json: bool) -> int:
    """Mend what is damaged in RUN, and keep all that can be proven whole.

    Events are taken from wherever their bytes still are. Where the chain breaks for good, the journal is
    cut, and what was answered after that is asked for again. The damaged journal stays in quarantine/.
    """
    folder = find(run, runs_folder(runs_dir))
    check_folder(folder)
    if dry_run:
        return _tell_plan(_planned(folder, before), as_json, is_dry=True)
    return _repair(folder, before, as_json)


def _planned(folder: str, before: int | None) -> Plan:
    from babysitter.runs.repair import plan

    return plan(folder, before)


def _repair(folder: str, before: int | None, wants_json: bool) -> int:
    from babysitter.journal.lock import run_lock
    from babysitter.runs.repair import carry_out

    with run_lock(folder, 0):
        made = _planned(folder, before)
        if made.is_unfinished:
            carry_out(made)
            made = _planned(folder, before)
        if made.needs_person:
            from babysitter.approvals.permits import person_for

            made.person = person_for(made.run_id, "repair", hint=_ways_to_go_back(made))
        if made.person is not None and made.salvaged is not None:
            _tell_sessions(folder, made.salvaged.head)
        place = carry_out(made)
        if made.salvaged is not None or made.about is not None:
            # What is left of it after that is all that can be told as truth.
            made.unmendable = _planned(folder, None).unmendable
    return _tell_plan(made, wants_json, is_dry=False, place=place)


def _ways_to_go_back(made: Plan) -> str:
    """What a person can do; a permit in a damaged journal would be worth nothing."""
    if not made.was_whole:
        return f"in a terminal of your own: babysitter repair {made.run_id}"
    return (
        f"type /babysitter:approve repair {made.before} in the session; or in a terminal of your own: "
        f"babysitter repair {made.run_id} --before {made.before}"
    )


def _tell_sessions(folder: str, head: Head) -> None:
    """Whoever has seen more of the journal than a person wants left of it is not to miss that.

    Killed after this, nobody misses anything either: they just know less than there is.
    """
    from babysitter.sessions.binding import ENDED, binding_of
    from babysitter.sessions.place import known
    from babysitter.sessions.progress import keep_head, keep_head_below

    folder = os.path.realpath(folder)
    for session in known():
        binding = binding_of(session) or binding_of(session, ENDED)
        bound = os.path.realpath(binding.folder) if binding is not None else ""
        if bound == folder:
            keep_head(session, head)
        elif os.path.dirname(bound) == os.path.dirname(folder):
            keep_head_below(session, os.path.basename(folder), head)


def _tell_plan(made: Plan, wants_json: bool, *, is_dry: bool, place: str | None = None) -> int:
    if wants_json:
        as_json({**plan_json(made), "dryRun": is_dry, **({"quarantine": place} if place else {})})
    else:
        for text in _plan_lines(made, is_dry, place):
            line(text)
    return STILL_DAMAGED if any(reference.is_needed for reference, _ in made.unmendable) else 0


def plan_json(made: Plan) -> dict[str, Any]:
    """What a repair does, or would do."""
    from babysitter.runs.repair import report

    told = {name: item for name, item in report(made).items() if name != "at"}
    if made.is_unfinished:
        told["unfinished"] = True
    if made.about is not None:
        told["rewritten"] = ["run.json"]
    if made.unmendable:
        told["unmendable"] = [
            {"file": reference.file, "event": reference.seq, "message": fault.message}
            for reference, fault in made.unmendable
        ]
    return told


def _plan_lines(made: Plan, is_dry: bool, place: str | None) -> list[str]:
    done = "what a repair would do" if is_dry else "repaired"
    lines = [f"run {made.run_id}: {'nothing that can be mended' if made.is_empty else done}"]
    if made.is_unfinished:
        lines.append("  finish   a repair that was interrupted; then look again")
    name = name_of(made.folder, runs_folder(None))
    lines += _journal_lines(made)
    if made.about is not None:
        lines.append("  rewrite  run.json, from the event that made the run")
    for reference, fault in made.unmendable:
        lines += [f"  cannot   {fault.message}", f"           {reference.way_out(name)}"]
    if place:
        lines.append(f"  kept     the damaged journal is in {place}")
    if made.is_empty and not made.unmendable:
        return [f"run {made.run_id}: nothing to repair"]
    return lines


def _journal_lines(made: Plan) -> list[str]:
    found = made.salvaged
    if found is None:
        return []
    lines = [f"  because  {made.reason}", f"  keep     events 1 to {found.head.seq}"]
    if found.restored:
        numbers = ", ".join(str(kept.event.seq) for kept in found.restored[:20])
        more = f" and {len(found.restored) - 20} more" if len(found.restored) > 20 else ""
        is_one = len(found.restored) == 1
        which = (
            "event {}, which was not in its file" if is_one else "events {}, which were not in their files"
        )
        lines.append(f"  restore  {which.format(numbers + more)}")
    if found.left:
        lines.append(f"  aside    {counted(len(found.left), 'file')}, from {found.left[0]!r} on")
    if made.answers_cut:
        lines.append(f"  answers  among what is cut: {len(made.answers_cut)}")
    if made.asked_again:
        named = ", ".join(made.asked_again[:5])
        lines.append(f"  again    asked for anew: {counted(len(made.asked_again), 'effect')}: {named}")
    return lines


def counted(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"


commands = {"repair": repair}
