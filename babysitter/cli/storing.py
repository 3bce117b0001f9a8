"""``archive`` and ``restore``: put runs that have ended away, each in one file, and take them out again."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from babysitter.cli.options import complete_packed, complete_run, json_option, runs_dir_option
from babysitter.cli.output import as_json, complain, error_object, line
from babysitter.clock import iso, now_ms
from babysitter.engine.state import FINISHED
from babysitter.errors import BabysitterError, InvalidInput, RunPacked, StorageError, UsageError
from babysitter.paths import runs_dir as runs_folder
from babysitter.runs.ended import EndedRun
from babysitter.runs.folder import check_folder, descendants_in, find
from babysitter.runs.packing import pack
from babysitter.runs.removal import size_of
from babysitter.runs.selection import Choice
from babysitter.runs.unpacking import restore as restore_run
from babysitter.version import version
from babysitter.views.meter import Meter
from babysitter.views.text import size

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.runs.packed import Packed

ORDER = ("completed", "failed", "halted", "continued")
DRY_RUN = "--dry-run"


class Tally:
    """What became of each run of a command that takes many."""

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self.skipped: list[dict[str, Any]] = []
        self.exit_code = 0

    def skip(self, run: str, error: BabysitterError) -> None:
        """Leave a run as it is; the error of the only one that was named is that of the command."""
        if len(self._names) == 1:
            raise error
        self.skipped.append({"run": run, **error_object(error)})
        # What was not named was not promised: it is passed over, unless the disk is what is wrong.
        if self._names or isinstance(error, StorageError):
            self.exit_code = max(self.exit_code, error.exit_code)

    def warn(self) -> None:
        """Tell people what was left as it is, and why."""
        for told in self.skipped:
            complain(f"WARN: {told['run']} is left as it is: {told['message']}")
            if told.get("hint"):
                complain(f"  try: {told['hint']}")


def selection_options(command: Any) -> Any:
    """What ``archive`` and ``cleanup`` select runs by."""
    for option in (
        json_option,
        runs_dir_option,
        click.option(DRY_RUN, is_flag=True, help="Only say what would be done."),
        click.option(
            "--status",
            "statuses",
            metavar="STATUS,…",
            help="Only those: completed, failed, halted, continued.",
        ),
        click.option(
            "--older-than", metavar="AGE", help="Only those that ended so long ago, such as 30d or 12h."
        ),
    ):
        command = option(command)
    return command


def read_statuses(text: str | None) -> frozenset[str]:
    """The ways of ending that a command line names; all when it names none.

    Raises:
        UsageError
    """
    named = frozenset(FINISHED if text is None else (word.strip() for word in text.split(",")))
    for word in sorted(named - FINISHED):
        raise UsageError(
            f"--status {word!r} is no way in which a run ends", hint=f"one or more of {', '.join(ORDER)}"
        )
    return named


def ended_before(age: str | None) -> int:
    """The time, in milliseconds, before which a run has to have ended.

    Raises:
        InvalidInput: it is not a length of time.
    """
    from babysitter.durations import seconds

    try:
        return now_ms() - int(seconds(age or "0") * 1000)
    except ValueError as error:
        raise InvalidInput(f"--older-than: {error}", hint="such as 30d, 12h or 90m") from None


def named(names: tuple[str, ...], folder: str, tally: Tally, packed: list[str]) -> Iterator[EndedRun]:
    """The runs that a command line names, each after its children; packed ones' paths go to ``packed``."""
    for name in dict.fromkeys(names):
        try:
            found = find(name, folder)
            check_folder(found)
            ended = EndedRun(found)
        except RunPacked as error:
            packed.append(error.archive)
        except BabysitterError as error:
            tally.skip(name, error)
        else:
            yield from _below(found, tally)
            yield ended


def _below(folder: str, tally: Tally) -> Iterator[EndedRun]:
    """The runs below one that has ended: they go with it, each before its parent."""
    runs_dir, name = os.path.split(folder)
    for child in descendants_in(runs_dir, name):
        try:
            yield EndedRun(os.path.join(runs_dir, child))
        except BabysitterError as error:
            tally.skip(child, error)


def run_id_of(archive: str) -> str:
    """The run that an archive is named for."""
    return os.path.basename(archive).rpartition(".")[0]


@click.command(
    epilog="""\b
Example:
  babysitter archive release-1-2-0
  babysitter archive --older-than 30d --status completed
  babysitter archive --all --dry-run"""
)
@click.argument("run", metavar="[RUN]...", nargs=-1, shell_complete=complete_run)
@click.option("--all", "everything", is_flag=True, help="All that have ended.")
@selection_options
def archive(
    run: tuple[str, ...],
    everything: bool,
    older_than: str | None,
    statuses: str | None,
    dry_run: bool,
    runs_dir: str | None,
    as_json: bool,
) -> int:
    """Pack runs that have ended into one file each.

    Names RUNs, or selects those that have ended; the child runs of a RUN go with it. A packed run is
    listed and can be looked at; `babysitter restore` gives it its folder back. Runs that can still
    go on are refused.
    """
    selects = everything or older_than is not None or statuses is not None
    if bool(run) == selects:
        raise UsageError(
            "archive needs runs by name, or a selection: --older-than, --status or --all",
            hint="babysitter archive --help",
        )
    tally, packed = Tally(run), list[str]()
    choice = Choice(runs_folder(runs_dir), read_statuses(statuses), ended_before(older_than))
    meant = named(run, runs_folder(runs_dir), tally, packed) if run else choice.runs()
    with Meter(is_quiet=as_json) as meter:
        done = [told for ended in meant if (told := _archived(ended, dry_run, meter, tally)) is not None]
    for run_id, error in choice.skipped:
        tally.skip(run_id, error)
    _tell_archived(done, packed, tally, dry_run=dry_run, wants_json=as_json)
    return tally.exit_code


def _archived(ended: EndedRun, dry_run: bool, meter: Meter, tally: Tally) -> dict[str, Any] | None:
    told = {
        "run": ended.name,
        "status": ended.run.state.status,
        "endedAt": iso(ended.run.state.ended_ms),
        "bytes": size_of(ended.run.folder),
    }
    if dry_run:
        return told
    meter.begin(f"packing {ended.name}")
    try:
        packed = pack(ended, version(), meter.add)
    except BabysitterError as error:
        meter.clear()
        tally.skip(ended.name, error)
        return None
    return {**told, "packedBytes": packed.packed_size, "archive": packed.path}


def _tell_archived(
    done: list[dict[str, Any]], packed: list[str], tally: Tally, *, dry_run: bool, wants_json: bool
) -> None:
    if wants_json:
        told: dict[str, Any] = {"archived": done}
        if packed:
            told["already"] = [run_id_of(path) for path in packed]
        as_json({**told, **also(tally, dry_run)})
        return
    for each in done:
        became = f" -> {size(each['packedBytes'])}  {each['archive']}" if "archive" in each else ""
        verb = "would pack" if dry_run else "packed"
        line(f"{verb}  {each['run']}  {each['status']}  {size(each['bytes'])}{became}")
    for path in packed:
        line(f"packed already  {run_id_of(path)}  {path}")
    if not (done or packed or tally.skipped):
        line("nothing to pack")
    tally.warn()


def also(tally: Tally, dry_run: bool) -> dict[str, Any]:
    """What such a command says besides what it has done."""
    return {
        **({"skipped": tally.skipped} if tally.skipped else {}),
        **({"dryRun": True} if dry_run else {}),
    }


@click.command(
    epilog="""\b
Example:
  babysitter restore release-1-2-0
  babysitter restore release-1-2-0 --keep --json"""
)
@click.argument("run", metavar="RUN", shell_complete=complete_packed)
@click.option("--keep", is_flag=True, help="Leave the packed run where it is.")
@runs_dir_option
@json_option
def restore(run: str, keep: bool, runs_dir: str | None, as_json: bool) -> None:
    """Give the packed RUN its folder back."""
    folder = runs_folder(runs_dir)
    with Meter(is_quiet=as_json) as meter:
        run_id = _packed_id(run, folder)
        meter.begin(f"unpacking {run_id}")
        packed = restore_run(run_id, folder, keep=keep, tell=meter.add)
    _tell_restored(packed, os.path.join(folder, run_id), wants_json=as_json)


def _packed_id(name: str, folder: str) -> str:
    """The id of the run that a name stands for; that it has a folder is found out later."""
    try:
        return os.path.basename(find(name, folder))
    except RunPacked as error:
        return run_id_of(error.archive)


def _tell_restored(packed: Packed, folder: str, *, wants_json: bool) -> None:
    told = {
        "run": packed.about["runId"],
        "status": packed.about["status"],
        "folder": folder,
        "bytes": packed.size,
    }
    if wants_json:
        as_json({**told, **({"archive": packed.path} if os.path.lexists(packed.path) else {})})
    else:
        line(f"restored  {told['run']}  {told['status']}  {size(packed.size)}  {folder}")


commands = {"archive": archive, "restore": restore}
