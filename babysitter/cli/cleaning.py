"""``cleanup``: remove runs that ended long ago, and what killed commands have left."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from babysitter.cli.options import complete_run
from babysitter.cli.output import as_json, line
from babysitter.cli.storing import (
    Tally,
    also,
    ended_before,
    named,
    read_statuses,
    run_id_of,
    selection_options,
)
from babysitter.clock import iso, now_ms
from babysitter.errors import BabysitterError, RunPacked, UsageError
from babysitter.paths import runs_dir as runs_folder
from babysitter.runs.ended import EndedRun
from babysitter.runs.litter import clear, litter
from babysitter.runs.removal import remove, remove_archive, size_of
from babysitter.runs.selection import Choice
from babysitter.runs.unpacking import open_packed
from babysitter.views.tables import moment
from babysitter.views.text import size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.runs.packed import Packed

DEFAULT_AGE = "30d"


class Plan:
    """What is to be removed, each thing with its path: runs and packed runs, and litter."""

    def __init__(self) -> None:
        self.runs: list[tuple[dict[str, Any], str]] = []
        self.litter: list[tuple[int, str]] = []

    @property
    def is_empty(self) -> bool:
        return not (self.runs or self.litter)

    @property
    def bytes(self) -> int:
        counts = [told["bytes"] for told, _ in self.runs] + [count for count, _ in self.litter]
        return int(sum(counts))

    def lines(self) -> Iterator[str]:
        """For people, one for each."""
        for told, _ in self.runs:
            mark = " (packed)" if told.get("packed") else ""
            ended = f"{told['status']}{mark}, ended {moment(told['endedAt'])}"
            yield f"  {told['run']}  {ended}  {size(told['bytes'])}"
        for count, path in self.litter:
            yield f"  {path}  left by a killed command  {size(count)}"

    def summary(self) -> str:
        """``2 runs, 12.3 MB``."""
        parts = [f"{len(self.runs)} run{'' if len(self.runs) == 1 else 's'}"]
        if self.litter:
            parts.append(f"{len(self.litter)} left by killed commands")
        return f"{', '.join(parts)}, {size(self.bytes)}"


@click.command(
    epilog="""\b
Example:
  babysitter cleanup --dry-run
  babysitter cleanup --older-than 90d --status completed --archived
  babysitter cleanup release-1-2-0 --yes"""
)
@click.argument("run", metavar="[RUN]...", nargs=-1, shell_complete=complete_run)
@click.option("--archived", is_flag=True, help="Packed runs too.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@selection_options
def cleanup(
    run: tuple[str, ...],
    archived: bool,
    yes: bool,
    older_than: str | None,
    statuses: str | None,
    dry_run: bool,
    runs_dir: str | None,
    as_json: bool,
) -> int:
    """Delete runs that ended long ago (default: 30 days), and what killed commands have left.

    Shows what goes, and asks. With RUN, those runs and their child runs, however old. Runs that
    can still go on are never deleted.
    """
    if run and (older_than is not None or statuses is not None):
        raise UsageError("cleanup takes runs by name, or a selection, not both")
    _check_that_somebody_agrees(yes=yes, dry_run=dry_run, wants_json=as_json)
    folder, tally = runs_folder(runs_dir), Tally(run)
    if run:
        plan = _named_plan(run, folder, archived, tally)
    else:
        choice = Choice(folder, read_statuses(statuses), ended_before(older_than or DEFAULT_AGE))
        plan = _plan(choice, folder, archived, tally)
    if not (as_json or plan.is_empty):
        _show(plan, dry_run=dry_run)
    if not (dry_run or plan.is_empty):
        if not (yes or click.confirm("remove them?")):
            line("nothing was removed")
            return 0
        plan = _carry_out(plan, tally)
    _tell(plan, tally, dry_run=dry_run, wants_json=as_json)
    return tally.exit_code


def _check_that_somebody_agrees(*, yes: bool, dry_run: bool, wants_json: bool) -> None:
    from babysitter.approvals.place import is_person_there

    if not (yes or dry_run or (is_person_there() and not wants_json)):
        raise UsageError(
            "cleanup asks before it removes anything, and there is nobody to ask",
            hint="--dry-run shows what it would remove, --yes removes it",
        )


def _plan(choice: Choice, folder: str, archived: bool, tally: Tally) -> Plan:
    plan = Plan()
    plan.runs = [_of_run(ended) for ended in choice.runs()]
    if archived:
        plan.runs += [_of_packed(packed) for packed in choice.packed()]
    plan.litter = [(size_of(path), path) for path in litter(folder, now_ms() / 1000)]
    for run_id, error in choice.skipped:
        tally.skip(run_id, error)
    return plan


def _named_plan(names: tuple[str, ...], folder: str, archived: bool, tally: Tally) -> Plan:
    plan, archives = Plan(), list[str]()
    plan.runs = [_of_run(ended) for ended in named(names, folder, tally, archives)]
    for path in archives:
        run_id = run_id_of(path)
        try:
            if not archived:
                raise RunPacked(
                    f"the run {run_id!r} is packed", hint=f"babysitter cleanup {run_id} --archived"
                )
            with open_packed(run_id, os.path.dirname(os.path.dirname(path))) as packed:
                plan.runs.append(_of_packed(packed))
        except BabysitterError as error:
            tally.skip(run_id, error)
    return plan


def _of_run(ended: EndedRun) -> tuple[dict[str, Any], str]:
    state, folder = ended.run.state, ended.run.folder
    told = {"run": ended.name, "status": state.status, "endedAt": iso(state.ended_ms)}
    return {**told, "bytes": size_of(folder)}, folder


def _of_packed(packed: Packed) -> tuple[dict[str, Any], str]:
    about = packed.about
    told = {"run": about["runId"], "status": about["status"], "endedAt": about["endedAt"]}
    return {**told, "bytes": packed.packed_size, "packed": True}, packed.path


def _show(plan: Plan, *, dry_run: bool) -> None:
    line(f"{'would remove' if dry_run else 'to be removed'}: {plan.summary()}")
    for text in plan.lines():
        line(text)


def _carry_out(plan: Plan, tally: Tally) -> Plan:
    """Remove them; gives what is gone."""
    done = Plan()
    for told, path in plan.runs:
        try:
            # Read again: it may have come to life while the question was open.
            remove_archive(path) if told.get("packed") else remove(EndedRun(path))
            done.runs.append((told, path))
        except BabysitterError as error:
            tally.skip(told["run"], error)
    for count, path in plan.litter:
        try:
            if clear(path):
                done.litter.append((count, path))
        except BabysitterError as error:
            tally.skip(path, error)
    return done


def _tell(plan: Plan, tally: Tally, *, dry_run: bool, wants_json: bool) -> None:
    if wants_json:
        told: dict[str, Any] = {"removed": [told for told, _ in plan.runs], "bytes": plan.bytes}
        if plan.litter:
            told["litter"] = [{"path": path, "bytes": count} for count, path in plan.litter]
        as_json({**told, **also(tally, dry_run)})
        return
    if not dry_run:
        line("nothing to remove" if plan.is_empty else f"removed: {plan.summary()}")
    elif plan.is_empty:
        line("nothing to remove")
    tally.warn()


commands = {"cleanup": cleanup}
