"""Runs in their folder: made whole or not at all, found by id, prefix, path or ``latest``."""

from __future__ import annotations

import os
import stat
import sys

from babysitter import limits as limits_module
from babysitter.clock import iso, now_ms
from babysitter.errors import InvalidInput, NoSuchProcess, NoSuchRun, RunExists, UnsafePath
from babysitter.files import sync_folder, write_once
from babysitter.ids import base32, new_run_id, sha256_hex, valid_id
from babysitter.journal.store import Journal
from babysitter.jsontext import compact
from babysitter.runs.inputs import prepare
from babysitter.runs.run import FOLDER_MODE, LAYOUT, Run
from babysitter.runs.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from babysitter.library import Entry
    from babysitter.limits import Limits

LATEST = "latest"
TEMPORARY = ".new-"


def create(
    runs_dir: str,
    entry: Entry,
    inputs: Any,
    *,
    project: str,
    version: str,
    run_id: str | None = None,
    prompt: str | None = None,
    limits: Limits = limits_module.DEFAULT,
) -> Run:
    """Make a run, whole, with its first event.

    A crash leaves either the run or a folder under a temporary name that
    nobody reads.

    Raises:
        RunExists: a run by this id is there; it is not touched.
        UnsafePath: the id is not an id.
        InvalidInput: the process cannot be loaded, or the inputs do not fit it.
        NoSuchProcess: there is no such file, or no process in it.
    """
    if run_id is not None:
        check_id(run_id)
    source = load_new(entry)
    completed = prepare(source, inputs)
    os.makedirs(runs_dir, mode=FOLDER_MODE, exist_ok=True)
    _keep_out_of_git(runs_dir)
    run_id = run_id or new_run_id(entry.process_id)
    target = os.path.join(runs_dir, run_id)
    if os.path.lexists(target):
        raise _exists(run_id)
    about = {
        "layout": LAYOUT,
        "runId": run_id,
        "processId": entry.process_id,
        "entrypoint": entry.stored(project),
        "project": project,
        "prompt": prompt,
        "createdAt": iso(now_ms()),
    }
    temporary = os.path.join(runs_dir, TEMPORARY + base32(os.urandom(10)))
    try:
        _fill(temporary, about, compact(completed), source, version)
        os.rename(temporary, target)
    except OSError:
        _remove(temporary)
        if os.path.lexists(target):
            raise _exists(run_id) from None
        raise
    sync_folder(runs_dir)
    return Run(target, limits)


def _remove(folder: str) -> None:
    from shutil import rmtree

    rmtree(folder, ignore_errors=True)


def load_new(entry: Entry) -> Source:
    """Load a process for a new run: whatever is wrong with it is wrong input.

    Raises:
        InvalidInput, NoSuchProcess
    """
    try:
        return Source(entry.file, entry.export)
    except (InvalidInput, NoSuchProcess):
        raise
    except Exception as error:
        raise InvalidInput(
            f"the process file {entry.file!r} raises {type(error).__name__} when it is imported: {error}",
            hint="a process file only defines; let it do its work inside `process` and its tasks",
        ) from error


def _fill(folder: str, about: dict[str, Any], inputs: str, source: Source, version: str) -> None:
    os.mkdir(folder, FOLDER_MODE)
    for name in ("journal", "state", "artifacts"):
        os.mkdir(os.path.join(folder, name), FOLDER_MODE)
    content = inputs.encode()
    write_once(os.path.join(folder, "run.json"), compact(about).encode() + b"\n")
    write_once(os.path.join(folder, "inputs.json"), content)
    created = {
        "runId": about["runId"],
        "processId": about["processId"],
        "entrypoint": about["entrypoint"],
        "sourceDigests": source.digests,
        "inputsRef": "inputs.json",
        "inputsDigest": sha256_hex(content),
        "prompt": about["prompt"],
        "engine": version,
        "python": ".".join(map(str, sys.version_info[:3])),
    }
    Journal(folder, about["runId"]).append([("RUN_CREATED", created)], now_ms())
    sync_folder(folder)


def _keep_out_of_git(runs_dir: str) -> None:
    # Runs hold prompts and output; a run that is committed by accident is hard to take back.
    try:
        write_once(os.path.join(runs_dir, ".gitignore"), b"*\n", mode=0o644)
    except FileExistsError:
        pass


def _exists(run_id: str) -> RunExists:
    return RunExists(
        f"a run {run_id!r} exists", hint=f"choose another id, or go on with it: babysitter resume {run_id}"
    )


def check_id(run_id: str) -> None:
    """Refuse what is not an id before it becomes a path.

    Raises:
        UnsafePath
    """
    if not valid_id(run_id):
        raise UnsafePath(
            f"{run_id!r} is not a run id",
            hint="letters, digits, '-' and '_', at most 64, a letter or digit first",
        )


def open_run(name: str, runs_dir: str, limits: Limits = limits_module.DEFAULT) -> Run:
    """Open a run by its id, a unique beginning of it, its folder, or ``latest``.

    Raises:
        NoSuchRun: nothing or more than one fits.
        UnsafePath: the folder is a link, or belongs to somebody else.
    """
    folder = find(name, runs_dir)
    check_folder(folder)
    return Run(folder, limits)


def find(name: str, runs_dir: str) -> str:
    """The folder of a run."""
    if os.sep in name or name in (".", ".."):
        return _by_path(name)
    exact = os.path.join(runs_dir, name)
    if valid_id(name) and os.path.isfile(os.path.join(exact, "run.json")):
        return exact
    listed = list(run_ids(runs_dir))
    if name == LATEST and listed:
        return os.path.join(runs_dir, max(listed, key=lambda run_id: (_made(runs_dir, run_id), run_id)))
    if name != LATEST:
        check_id(name)
    return os.path.join(runs_dir, _by_prefix(name, listed, runs_dir))


def _by_path(name: str) -> str:
    folder = os.path.abspath(name)
    if not os.path.isfile(os.path.join(folder, "run.json")):
        raise NoSuchRun(f"{name!r} is not a run folder: it has no run.json", hint="babysitter list")
    return folder


def _by_prefix(name: str, listed: list[str], runs_dir: str) -> str:
    fitting = [run_id for run_id in listed if run_id.startswith(name)]
    if len(fitting) == 1:
        return fitting[0]
    if fitting:
        shown = ", ".join(sorted(fitting)[:5])
        raise NoSuchRun(
            f"{name!r} is the beginning of {len(fitting)} runs: {shown}", hint="write more of the id"
        )
    hint = "babysitter list shows the runs" if listed else "babysitter run PROCESS makes one"
    raise NoSuchRun(f"there is no run {name!r} in {runs_dir!r}", hint=hint)


def run_ids(runs_dir: str) -> Iterator[str]:
    """The ids of all runs in a folder."""
    try:
        names = os.listdir(runs_dir)
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        if valid_id(name) and os.path.isfile(os.path.join(runs_dir, name, "run.json")):
            yield name


def _made(runs_dir: str, run_id: str) -> int:
    return os.stat(os.path.join(runs_dir, run_id, "run.json")).st_mtime_ns


def check_folder(folder: str) -> None:
    """A run folder is a real folder of our own.

    Raises:
        UnsafePath
    """
    for path in (folder, os.path.join(folder, "journal")):
        try:
            found = os.lstat(path)
        except FileNotFoundError:
            continue
        if not stat.S_ISDIR(found.st_mode):
            raise UnsafePath(
                f"{path!r} is not a folder but a link or a file", hint="name the real run folder"
            )
        if found.st_uid != os.geteuid():
            raise UnsafePath(
                f"{path!r} belongs to user {found.st_uid}, and you are user {os.geteuid()}",
                hint="copy the run folder and use the copy",
            )
