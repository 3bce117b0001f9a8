"""Find processes: a file, or a folder with process.py of the project, the user, the plugin or a package."""

from __future__ import annotations

import os

from babysitter.errors import NoSuchProcess
from babysitter.ids import valid_id
from babysitter.paths import STATE_FOLDER, as_text, home, plugin_root, project_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    from babysitter.installed import Offer

DEFAULT_EXPORT = "process"
PROCESS_FILE = "process.py"
# Found by its name, so a run looks for it by its name where it has gone from its place.
LIBRARIES = ("user", "plugin", "package")


class Entry:
    """A process that can be run.

    Attributes:
        file: where it is, and ``export`` the name in that file.
        origin: where it was found: ``project``, ``user``, ``plugin``, ``package``, or ``file`` by its path.
        package: name and version of the installed package that has it.
    """

    __slots__ = ("export", "file", "origin", "package", "process_id")

    def __init__(self, process_id: str, file: str, export: str, origin: str, package: str = "") -> None:
        self.process_id = process_id
        self.file = file
        self.export = export
        self.origin = origin
        self.package = package

    @property
    def folder(self) -> str:
        return os.path.dirname(self.file)

    def as_json(self) -> dict[str, str]:
        """Where it is, for ``--json``."""
        told = {"origin": self.origin, "file": self.file}
        return {**told, "package": self.package} if self.package else told

    def stored(self, project: str) -> dict[str, str]:
        """The form in the journal: relative to the project where possible, so that both can move together."""
        inside = self.file.startswith(project + os.sep)
        stored = {"file": os.path.relpath(self.file, project) if inside else self.file, "export": self.export}
        return {**stored, "library": self.process_id} if self.origin in LIBRARIES else stored


def places(project: str) -> list[tuple[str, str]]:
    """Where processes are looked for, the nearest first: (origin, folder)."""
    return [
        ("project", os.path.join(project, STATE_FOLDER, "processes")),
        ("user", os.path.join(home(), "processes")),
        ("plugin", os.path.join(plugin_root(), "processes")),
    ]


def resolve(name: str, project: str | None = None, folder: str = "") -> Entry:
    """The process that a name, or ``FILE`` or ``FILE#EXPORT``, stands for; ``FILE`` as seen from a folder.

    Raises:
        NoSuchProcess: there is none; names those that are near.
    """
    stem, _, export = name.partition("#")
    export = export or DEFAULT_EXPORT
    if stem.endswith(".py") or os.sep in stem:
        return _from_file(as_text(os.path.abspath(os.path.join(folder, stem))), export)
    project = project or project_dir()
    entry = find(stem, project, export)
    if entry is None:
        raise _unknown(name, project, folder)
    return entry


def find(name: str, project: str, export: str = DEFAULT_EXPORT) -> Entry | None:
    """The process of this name in the library, or None."""
    return next((entry for entry in find_all(name, project, export)), None)


def find_all(name: str, project: str, export: str = DEFAULT_EXPORT) -> Iterator[Entry]:
    """Every process of this name, the nearest first: it takes the place of the others."""
    if not valid_id(name):
        return
    for origin, folder in places(project):
        file = os.path.join(folder, name, PROCESS_FILE)
        if os.path.isfile(file):
            yield Entry(name, file, export, origin)
    # Last, and only when it comes to that: they take longer to find than most commands to run.
    for entry in _in_packages(project):
        if entry.process_id == name:
            yield Entry(name, entry.file, export, entry.origin, entry.package)


def reopen(entrypoint: dict[str, Any], project: str) -> Entry:
    """The process of an existing run: where it was, or, for one of the library, where it is now."""
    file = os.path.normpath(os.path.join(project, entrypoint["file"]))
    library = entrypoint.get("library")
    if library and not os.path.isfile(file):
        entry = find(library, project, entrypoint["export"])
        if entry is not None:
            return entry
    return Entry(library or _id_of(file), file, entrypoint["export"], "file")


def _from_file(file: str, export: str) -> Entry:
    if os.path.isdir(file):
        file = os.path.join(file, PROCESS_FILE)
    return Entry(_id_of(file), file, export, "file")


def _id_of(file: str) -> str:
    stem = os.path.basename(file).removesuffix(".py")
    return os.path.basename(os.path.dirname(file)) if stem == "process" else stem


def _unknown(name: str, project: str, folder: str) -> NoSuchProcess:
    stem, mark, export = name.partition("#")
    hint = _file_meant(stem, mark + export, folder) or _name_meant(stem, project)
    return NoSuchProcess(f"there is no process {stem!r}", hint=hint)


def _file_meant(stem: str, export: str, folder: str) -> str:
    """A file, or a folder with a process, that was named as only processes of the library are."""
    where = "beside this process" if folder else "here"
    if stem and os.path.isfile(os.path.join(folder, f"{stem}.py")):
        return f"did you mean {f'{stem}.py{export}'!r}? It lies {where}"
    if stem and os.path.isfile(os.path.join(folder, stem, PROCESS_FILE)):
        return f"did you mean {f'./{stem}{export}'!r}? That folder lies {where}"
    return ""


def _name_meant(name: str, project: str) -> str:
    from difflib import get_close_matches

    known = [entry.process_id for entry in list_all(project)]
    near = get_close_matches(name, known, n=1)
    return (
        f"did you mean {near[0]!r}?"
        if near
        else "`babysitter process list` shows them; or name a file: FILE.py"
    )


def list_all(project: str) -> list[Entry]:
    """Every process that a name can stand for; the nearest of equal names wins."""
    return [entries[0] for entries in look_around(project)[0]]


def look_around(project: str) -> tuple[list[list[Entry]], list[str]]:
    """For every name the processes of that name, the nearest first; and what there could not be looked at."""
    from babysitter.installed import offers

    offered = offers(project)
    near = [entry for origin, folder in places(project) for entry in _in_folder(folder, origin)]
    found: dict[str, list[Entry]] = {}
    for entry in [*near, *_of_offers(offered)]:
        found.setdefault(entry.process_id, []).append(entry)
    closed = [folder for _, folder in places(project) if os.path.isdir(folder) and not _is_open(folder)]
    faults = [f"the folder {folder!r} cannot be read" for folder in closed]
    return [found[name] for name in sorted(found)], [*faults, *(each.fault for each in offered if each.fault)]


def _is_open(folder: str) -> bool:
    return os.access(folder, os.R_OK | os.X_OK)


def _in_folder(folder: str, origin: str, package: str = "") -> Iterator[Entry]:
    for name in _folders(folder):
        file = os.path.join(folder, name, PROCESS_FILE)
        if valid_id(name) and os.path.isfile(file):
            yield Entry(name, file, DEFAULT_EXPORT, origin, package)


def _in_packages(project: str) -> Iterator[Entry]:
    from babysitter.installed import offers

    return _of_offers(offers(project))


def _of_offers(offered: list[Offer]) -> Iterator[Entry]:
    for offer in offered:
        if not offer.folder:
            continue
        file = os.path.join(offer.folder, PROCESS_FILE)
        if os.path.isfile(file):
            if valid_id(offer.name):
                yield Entry(offer.name, file, DEFAULT_EXPORT, "package", offer.package)
        else:
            yield from _in_folder(offer.folder, "package", offer.package)


def _folders(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except OSError:
        # Not there, or not for us to read: nothing in it can be run.
        return []
