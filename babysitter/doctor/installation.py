"""Looks at the installation: Python, the libraries, the configuration, the folder of runs."""

from __future__ import annotations

import os
import platform
import shutil
import sys

from babysitter import config
from babysitter.disk import Folder
from babysitter.doctor.checks import Check, failed, passed, warned
from babysitter.errors import BabysitterError, StorageError
from babysitter.executors.hook_files import hook_files, hook_names
from babysitter.library import list_all
from babysitter.paths import home
from babysitter.rulebook import load
from babysitter.staging import kind_of
from babysitter.views.text import size

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

LIBRARIES = ("click", "filelock", "jsonschema", "pydantic", "pyyaml", "rich")
# A run or two no longer fit.
LITTLE_SPACE = 64 << 20
# They lack hard links, or locks that hold, or tell of a flush that has not happened.
DOUBTFUL = ("vfat", "exfat", "msdos", "9p", "nfs", "nfs4", "cifs", "smb3", "fuse", "fuseblk", "fuse.sshfs")


def examine(project: str, runs_dir: str, version: str) -> Iterator[Check]:
    """Look at everything but the single runs."""
    yield passed(
        "environment",
        f"babysitter {version}, Python {platform.python_version()} ({sys.executable}), {platform.platform()}",
    )
    yield _libraries()
    yield _home()
    yield _configuration(project)
    yield _rules()
    yield _hooks(project)
    yield _processes(project)
    try:
        yield from _runs_folder(runs_dir)
    except BabysitterError as error:
        yield failed("runs", error)


def _libraries() -> Check:
    from importlib.metadata import PackageNotFoundError, version

    found, absent = [], []
    for name in LIBRARIES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            absent.append(name)
    if absent:
        error = StorageError(f"{', '.join(absent)} cannot be found beside {sys.executable!r}")
        return failed("libraries", error, f"remove {sys.prefix} and call babysitter again")
    return passed("libraries", ", ".join(found))


def _home() -> Check:
    folder = home()
    if not os.path.isdir(folder):
        return passed("home", f"{folder} is not there yet; it is made when something is to be kept in it")
    if os.stat(folder).st_mode & 0o022:
        return warned("home", f"{folder} can be written by other users", f"chmod go-w {folder}")
    return passed("home", folder)


def _configuration(project: str) -> Check:
    try:
        settings = config.load(project)
        config.agent_command(settings)
    except BabysitterError as error:
        return failed("configuration", error)
    agents = ", ".join(sorted(settings.agents)) or "none"
    told = f"agents: {agents}; effects at once: {settings.jobs or os.cpu_count()}"
    rates = ", ".join(f"{rate.what} {rate.name} {rate.text}" for rate in settings.rates)
    return passed("configuration", f"{told}; rate limits: {rates}" if rates else told)


def _rules() -> Check:
    try:
        found = load()
    except BabysitterError as error:
        return failed("rules", error)
    return passed("rules", f"{len(found)} say what is answered without asking" if found else "none")


def _hooks(project: str) -> Check:
    names = sorted(hook_names(project))
    files = [file for name in names for file in hook_files(project, name)]
    untrusted = [file.shown for file in files if file.distrust]
    if untrusted:
        told = f"{', '.join(untrusted)} of this project are not called: nobody has trusted them as they are"
        return warned("hooks", told, "babysitter trust list")
    return passed("hooks", f"{len(files)} executables for {', '.join(names)}" if files else "none")


def _processes(project: str) -> Check:
    try:
        found = list_all(project)
    except BabysitterError as error:
        return failed("processes", error)
    return passed("processes", f"{len(found)} can be run by name", "" if found else "babysitter process list")


def _runs_folder(folder: str) -> Iterator[Check]:
    if not os.path.isdir(folder):
        yield passed("runs", f"{folder} is not there yet; the first run makes it")
        return
    with Folder(folder) as opened:
        kind = kind_of(opened).decode()
    if kind in DOUBTFUL:
        yield warned(
            "runs",
            f"{folder} is on {kind}, of which it is not known that it keeps what it has flushed",
            "set BABYSITTER_RUNS_DIR to a folder on a disk of this machine",
        )
    elif not os.access(folder, os.W_OK):
        yield warned("runs", f"{folder} cannot be written: runs can be read, and nothing more")
    else:
        yield passed("runs", f"{folder}, on {kind or 'a file system that says no name'}")
    free = shutil.disk_usage(folder).free
    if free < LITTLE_SPACE:
        yield warned("space", f"{size(free)} are free", "babysitter cleanup --dry-run")
    else:
        yield passed("space", f"{size(free)} are free")
    yield _litter(folder)


def _litter(folder: str) -> Check:
    left = [name for name in os.listdir(folder) if name.startswith((".new-", ".removed-"))]
    if left:
        told = f"{len(left)} folders that nobody reads, left by commands that were killed or work now"
        return passed("litter", told, "babysitter cleanup --dry-run")
    return passed("litter", "none")
