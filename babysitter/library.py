"""Find processes: a file, or a folder with process.py in the project, the user's folder or the plugin."""

from __future__ import annotations

import os

from babysitter.errors import InvalidInput, NoSuchProcess
from babysitter.files import read_regular
from babysitter.ids import valid_id
from babysitter.paths import STATE_FOLDER, as_text, home, plugin_root, project_dir

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

DEFAULT_EXPORT = "process"
PROCESS_FILE = "process.py"
SKILL_FILE = "SKILL.md"
MOST_OF_SKILL = 1 << 20


class Entry:
    """A process that can be run: its file, the name in it, and where it was found."""

    __slots__ = ("export", "file", "origin", "process_id")

    def __init__(self, process_id: str, file: str, export: str, origin: str) -> None:
        self.process_id = process_id
        self.file = file
        self.export = export
        self.origin = origin

    @property
    def folder(self) -> str:
        return os.path.dirname(self.file)

    def stored(self, project: str) -> dict[str, str]:
        """The form in the journal: relative to the project where possible, so that both can move together."""
        inside = self.file.startswith(project + os.sep)
        stored = {"file": os.path.relpath(self.file, project) if inside else self.file, "export": self.export}
        return {**stored, "library": self.process_id} if self.origin in ("user", "plugin") else stored


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
        raise _unknown(stem, project)
    return entry


def find(name: str, project: str, export: str = DEFAULT_EXPORT) -> Entry | None:
    """The process of this name in the library, or None."""
    if not valid_id(name):
        return None
    for origin, folder in places(project):
        file = os.path.join(folder, name, PROCESS_FILE)
        if os.path.isfile(file):
            return Entry(name, file, export, origin)
    return None


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


def _unknown(name: str, project: str) -> NoSuchProcess:
    from difflib import get_close_matches

    known = [entry.process_id for entry in list_all(project)]
    near = get_close_matches(name, known, n=1)
    hint = (
        f"did you mean {near[0]!r}?"
        if near
        else "`babysitter process list` shows them; or name a file: FILE.py"
    )
    return NoSuchProcess(f"there is no process {name!r}", hint=hint)


def list_all(project: str) -> list[Entry]:
    """Every process that a name can stand for; the nearest of equal names wins."""
    found: dict[str, Entry] = {}
    for origin, folder in places(project):
        for name in _folders(folder):
            file = os.path.join(folder, name, PROCESS_FILE)
            if name not in found and valid_id(name) and os.path.isfile(file):
                found[name] = Entry(name, file, DEFAULT_EXPORT, origin)
    return sorted(found.values(), key=lambda entry: entry.process_id)


def _folders(folder: str) -> list[str]:
    try:
        return sorted(os.listdir(folder))
    except (FileNotFoundError, NotADirectoryError):
        return []


def describe(entry: Entry) -> dict[str, Any]:
    """Name and description from the front matter of SKILL.md, and its body; empty when there is none.

    Raises:
        InvalidInput: the file is not UTF-8, or its front matter not YAML.
    """
    path = os.path.join(entry.folder, SKILL_FILE)
    try:
        text = read_regular(path, MOST_OF_SKILL, follow=True).decode()
    except FileNotFoundError:
        return {}
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path!r} is not UTF-8: {error}") from None
    if not text.startswith("---\n"):
        return {}
    matter, _, body = f"{text[4:]}\n".partition("\n---\n")
    told = _front_matter(matter, path)
    # YAML has more than text: a date, say, and JSON could not name it.
    kept: dict[str, Any] = {name: str(told[name]) for name in ("name", "description") if name in told}
    return {**kept, "body": body.strip()}


def _front_matter(text: str, path: str) -> dict[str, Any]:
    from babysitter.yamltext import load

    loaded = load(text, f"the front matter of {path!r}")
    return loaded if isinstance(loaded, dict) else {}
