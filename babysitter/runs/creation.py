"""Make a run: whole, with its first event, or not at all."""

from __future__ import annotations

import os
import sys

from babysitter import limits as limits_module
from babysitter.clock import iso, now_ms
from babysitter.disk import Folder, refuse
from babysitter.engine.replay import DeadlineExceeded
from babysitter.errors import BabysitterError, InvalidInput, RunExists, StorageError
from babysitter.files import publish, sync_folder, write_once
from babysitter.ids import base32, new_run_id, sha256_hex
from babysitter.journal.store import Journal
from babysitter.jsontext import compact
from babysitter.paths import STATE_FOLDER, user_name
from babysitter.runs.deadline import Aside, Deadline
from babysitter.runs.folder import LATEST, archive_of, check_id
from babysitter.runs.inputs import prepare
from babysitter.runs.run import FOLDER_MODE, LAYOUT, LINKS, Run
from babysitter.runs.source import Source

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, TypeVar

    from babysitter.library import Entry
    from babysitter.limits import Limits

    T = TypeVar("T")

TEMPORARY = ".new-"
IGNORED = ".gitignore"
ONLY_DEFINES = "a process file only defines; let it do its work inside `process` and its tasks"


class Origin:
    """Where a new run comes from, if from another one.

    Attributes:
        created: what its first event says of that, ``{"parent": …}`` for example.
        ms: the time of its first event; 0: now.
        past: given the run, the events that it begins with, each with its own time.
    """

    __slots__ = ("created", "ms", "past")

    def __init__(
        self,
        created: dict[str, Any] | None = None,
        *,
        ms: int = 0,
        past: Callable[[Run], list[tuple[str, dict[str, Any], int]]] | None = None,
    ) -> None:
        self.created = created or {}
        self.ms = ms
        self.past = past


def create(
    runs_dir: str,
    entry: Entry,
    inputs: Any,
    *,
    project: str,
    version: str,
    run_id: str | None = None,
    prompt: str | None = None,
    typed: dict[str, str] | None = None,
    options: dict[str, Any] | None = None,
    session: tuple[str, str] | None = None,
    limits: Limits = limits_module.DEFAULT,
    origin: Origin | None = None,
) -> Run:
    """Make a run, whole, with its first event.

    A failure leaves nothing behind, a kill either the run or a folder under a
    temporary name that nobody reads. ``typed`` are inputs as a person typed them;
    ``options`` is how the run is to be gone on with, such as ``{"breakpoints": "policy"}``;
    ``session`` is the host and the id of the agent's session that is about to be bound to it;
    ``origin`` is the run that it comes from.

    Raises:
        RunExists: a run by this id is there; it is not touched.
        UnsafePath: the id is not an id.
        InvalidInput: the process cannot be loaded, or the inputs do not fit it.
        NoSuchProcess: there is no such file, or no process in it.
        StorageError
    """
    origin = origin or Origin()
    if run_id is not None:
        check_free_id(run_id, runs_dir)
    source, completed = check_new(entry, inputs, typed, limits)
    run_id = run_id or new_run_id(entry.process_id)
    about = {
        "layout": LAYOUT,
        "runId": run_id,
        "processId": entry.process_id,
        "entrypoint": entry.stored(project),
        "project": project,
        "place": place_in(project, runs_dir),
        "prompt": prompt,
        "createdAt": iso(now_ms()),
        # Those who do not read the journal look for it here.
        **{name: origin.created[name] for name in LINKS if name in origin.created},
    }
    texts = (_as_json("the run", about), _as_json("the inputs", completed))
    _make_runs_dir(runs_dir)
    created = {**_first_of(options, session), **_source_of(source, version)}
    run = Run(_make(runs_dir, about, texts, created, origin), limits)
    run.is_new = True
    _remember(runs_dir)
    return run


def _remember(runs_dir: str) -> None:
    # Not at the top: `iterate` is called far more often, and makes no run.
    from babysitter.places import remember

    remember(runs_dir)


def _first_of(options: dict[str, Any] | None, session: tuple[str, str] | None) -> dict[str, Any]:
    """What holds for the run from its first event on."""
    told: dict[str, Any] = {"options": options} if options else {}
    if session:
        # In the first event, so that no cut of the journal can make it a run that no session ever had.
        told["session"] = {"host": session[0], "sessionId": session[1]}
    return told


def _source_of(source: Source, version: str) -> dict[str, Any]:
    """What the first event says of the process, and of the engine that read it."""
    told = {"engine": version, "sourceDigests": source.digests, "gates": sorted(source.gates)}
    return {"sourcePython": source.python, **told} if source.python else told


def check_free_id(run_id: str, runs_dir: str) -> None:
    """A run by this id can be made.

    Raises:
        RunExists, UnsafePath, InvalidInput
    """
    check_id(run_id)
    if run_id == LATEST:
        raise InvalidInput(
            f"{LATEST!r} cannot be a run id, it stands for the newest run", hint="choose another id"
        )
    if os.path.lexists(os.path.join(runs_dir, run_id)):
        raise _exists(runs_dir, run_id)
    if os.path.lexists(archive_of(run_id, runs_dir)):
        raise RunExists(
            f"a run {run_id!r} exists, and is packed",
            hint=f"choose another id, or unpack it: babysitter restore {run_id}",
        )


def _as_json(what: str, value: Any) -> bytes:
    try:
        return compact(value).encode()
    except (TypeError, ValueError) as error:
        raise InvalidInput(f"{what} cannot be written as JSON: {error}") from None


def place_in(project: str, runs_dir: str) -> str | None:
    """Where in its project a folder of runs is; None when it is outside."""
    return os.path.relpath(runs_dir, project) if runs_dir.startswith(os.path.join(project, "")) else None


def check_new(entry: Entry, inputs: Any, typed: dict[str, str] | None, limits: Limits) -> tuple[Source, Any]:
    """All that is asked of a process and its inputs before there is a run; gives them, defaults filled in.

    Raises:
        InvalidInput, NoSuchProcess, StorageError
    """
    source = load_checked(entry, limits)
    return source, prepare_inputs(entry, source, inputs, typed, limits)


def load_checked(entry: Entry, limits: Limits) -> Source:
    """All that is asked of a process, whatever its inputs.

    Raises:
        InvalidInput, NoSuchProcess, StorageError
    """
    source = load_new(entry, limits)
    _look_through(source)
    return source


def prepare_inputs(
    entry: Entry, source: Source, inputs: Any, typed: dict[str, str] | None, limits: Limits
) -> Any:
    """The inputs as the process gets them.

    Raises:
        InvalidInput: they do not fit.
    """
    return ask_author(entry, limits, "checks its inputs", lambda: prepare(source, inputs, typed))


def load_new(entry: Entry, limits: Limits) -> Source:
    """Load a process for a new run: whatever is wrong with it is wrong input.

    Raises:
        InvalidInput, NoSuchProcess, StorageError
    """
    return ask_author(entry, limits, "is imported", lambda: Source(entry.file, entry.export))


def _look_through(source: Source) -> None:
    # Not at the top: only new and edited processes are looked through.
    from babysitter.runs.late_binding import refuse_late_binding

    refuse_late_binding(source)


def ask_author(entry: Entry, limits: Limits, when: str, work: Callable[[], T]) -> T:
    """Call code of a process file before there is a run that could be stuck in its mistakes.

    Raises:
        InvalidInput: it raises something, or does not end in time.
        BabysitterError: it cannot be called at all.
    """
    try:
        with Aside(), Deadline(limits.iterate_seconds):
            return work()
    except (BabysitterError, KeyboardInterrupt):
        raise
    except DeadlineExceeded:
        said = f"has not ended after {limits.iterate_seconds:g} s"
    except BaseException as error:
        from babysitter.redaction import redaction_of

        said = redaction_of(limits).text(f"raises {type(error).__name__}: {error}")
    raise InvalidInput(f"the process file {entry.file!r}, when it {when}, {said}", hint=ONLY_DEFINES)


def _make_runs_dir(runs_dir: str) -> None:
    is_ours = not os.path.isdir(runs_dir) or runs_dir.endswith(os.path.join(os.sep, STATE_FOLDER, "runs"))
    try:
        os.makedirs(runs_dir, mode=FOLDER_MODE, exist_ok=True)
        is_new = not os.path.lexists(os.path.join(runs_dir, IGNORED))
        if is_new:
            _flush_way_to(runs_dir)
        # In any other folder that was there before, git is told nothing.
        if is_ours or not is_new:
            _keep_out_of_git(runs_dir)
    except FileExistsError:
        # The folder is a file, which the next step finds.
        pass
    except OSError as error:
        refuse(error, runs_dir, "made")


def _keep_out_of_git(runs_dir: str) -> None:
    """Runs hold prompts and output; a run that is committed by accident is hard to take back."""
    with Folder(runs_dir) as folder:
        try:
            if not folder.has(IGNORED):
                publish(folder, IGNORED, b"*\n")
                return
        except FileExistsError:
            # Another command was first.
            pass
        # Whoever wrote it may have been killed before this, and no run is to be there without it.
        folder.sync()


def _flush_way_to(folder: str) -> None:
    """Flush every folder above that may have been made for this one.

    Also where nothing was missing now: another command may have made it and
    been killed before it had flushed it.
    """
    here = os.stat(folder)
    while True:
        above = os.path.dirname(folder)
        found = os.stat(above)
        if above == folder or found.st_dev != here.st_dev:
            return
        if os.access(above, os.R_OK):
            sync_folder(above)
        if found.st_uid != here.st_uid:
            # What stands in somebody else's folder above this one was there before us.
            return
        folder = above


def _make(
    runs_dir: str, about: dict[str, Any], texts: tuple[bytes, bytes], created: dict[str, Any], origin: Origin
) -> str:
    target = os.path.join(runs_dir, about["runId"])
    temporary = os.path.join(runs_dir, TEMPORARY + base32(os.urandom(10)))
    try:
        _fill(temporary, about, texts, created, origin)
        os.rename(temporary, target)
    except BaseException as error:
        _remove(temporary)
        if not isinstance(error, OSError):
            raise
        if os.path.lexists(target):
            raise _exists(runs_dir, about["runId"]) from None
        raise StorageError(f"the run {target!r} cannot be made: {os.strerror(error.errno or 0)}") from error
    sync_folder(runs_dir)
    return target


def _remove(folder: str) -> None:
    from shutil import rmtree

    rmtree(folder, ignore_errors=True)


def _fill(
    folder: str, about: dict[str, Any], texts: tuple[bytes, bytes], created: dict[str, Any], origin: Origin
) -> None:
    os.mkdir(folder, FOLDER_MODE)
    for name in ("journal", "state", "artifacts"):
        os.mkdir(os.path.join(folder, name), FOLDER_MODE)
    described, inputs = texts
    described += b"\n"
    write_once(os.path.join(folder, "run.json"), described)
    write_once(os.path.join(folder, "inputs.json"), inputs)
    first = {
        # All of run.json but its layout, so that it can be written again.
        **{name: about[name] for name in about if name != "layout"},
        "runDigest": sha256_hex(described),
        "inputsRef": "inputs.json",
        "inputsDigest": sha256_hex(inputs),
        "python": ".".join(map(str, sys.version_info[:3])),
        "createdBy": user_name(),
        **created,
        **origin.created,
    }
    journal = Journal(folder, about["runId"])
    journal.keep_no_cache()
    past = [] if origin.past is None else origin.past(Run(folder, about=about))
    journal.append([("RUN_CREATED", first), *past], origin.ms or now_ms())
    sync_folder(folder)


def _exists(runs_dir: str, run_id: str) -> RunExists:
    # Whoever made it may have been killed before that was flushed, and who reads this relies on it.
    sync_folder(runs_dir)
    return RunExists(
        f"a run {run_id!r} exists",
        hint=f"choose another id, or go on with it: babysitter resume {run_id},"
        f" or by one step: babysitter iterate {run_id}",
    )
