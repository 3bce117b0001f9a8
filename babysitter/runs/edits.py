"""Edits of a process under a run that an agent works on: with gates in it, a person has to accept them.

An edit could take away a gate or an evidence step that is still to come, and
replay would not notice, because nothing of it is in the journal yet. Any file
of the process can do that: one that holds no gate may stop calling one that
does. So it is asked whether the process holds any, and then every file counts.
"""

from __future__ import annotations

import os

from babysitter.errors import BabysitterError, EditNeedsPerson
from babysitter.files import read_regular
from babysitter.ids import sha256_hex
from babysitter.library import reopen
from babysitter.runs.source import MOST_OF_SOURCE, holds_gate

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from babysitter.library import Entry
    from babysitter.runs.run import Run


def refused(
    run: Run, digests: Mapping[str, str], gates: Collection[str], *, is_new: bool
) -> EditNeedsPerson | None:
    """Why the source that was loaded cannot be gone on with; None when it can.

    ``is_new``: the process has not begun, so a module that the journal does not
    know is an edit as well, and not one that is imported late.
    """
    state = run.state
    if not run.is_guarded or not (state.gates is None or state.gates or gates):
        return None
    known = state.source_digests
    edited = [name for name in digests if digests[name] != known.get(name, "" if is_new else digests[name])]
    if not edited or _is_permitted(run, {name: digests[name] for name in edited}):
        return None
    return _refusal(
        run, f"the process was edited ({', '.join(sorted(edited))}), and it has steps that cannot be skipped"
    )


def _refusal(run: Run, message: str) -> EditNeedsPerson:
    return EditNeedsPerson(
        message,
        hint="undo the edit; or a person accepts it: /babysitter:approve edit in the session, "
        f"or in a terminal of your own: babysitter approve {run.run_id} --permit edit",
    )


def is_accepted(run: Run, digests: Mapping[str, str]) -> bool:
    """No person is needed for what was edited of the source that was loaded, or one has accepted it."""
    known = run.state.source_digests
    edited = {name: digest for name, digest in digests.items() if known.get(name, digest) != digest}
    return not run.is_guarded or _is_permitted(run, edited)


def _is_permitted(run: Run, edited: dict[str, str]) -> bool:
    """A person has accepted exactly these bytes."""
    for permit in run.state.permits:
        accepted = (permit.get("about") or {}).get("sourceDigests")
        if permit["what"] == "edit" and isinstance(accepted, dict) and edited.items() <= accepted.items():
            return True
    return False


def refused_unread(run: Run) -> EditNeedsPerson | None:
    """The same for what lies there now, before any is executed: code could undo whatever looks at it."""
    if not run.is_guarded:
        return None
    try:
        entry = reopen(run.state.created["entrypoint"], run.project)
        if _is_untouched(entry.folder, run.state.source_digests):
            return None
        now = _present(entry, run.state.source_digests, is_deep=False)
    except (BabysitterError, OSError) as error:
        # What cannot be looked at is not executed: a known file may lie hidden behind another.
        return None if run.state.gates == [] else _refusal(run, f"of the process a file is lost: {error}")
    gates = [name for name, (_, has_gate) in now.items() if has_gate]
    return refused(run, {name: digest for name, (digest, _) in now.items()}, gates, is_new=True)


def is_edited(run: Run) -> bool:
    """A file of the process is not as the journal has it; nothing of it is executed.

    For people: it is not asked for what is new beside these files, and where it cannot be seen it is no.
    """
    try:
        folder = reopen(run.state.created["entrypoint"], run.project).folder
        return any(_digest(folder, name) != digest for name, digest in run.state.source_digests.items())
    except (BabysitterError, OSError):
        return False


def _is_untouched(folder: str, known: Mapping[str, str]) -> bool:
    """The known files are as they were, and no other file is there that could be imported in place of one."""
    paths = {path for name in known for path in _ways_to(name)}
    return all(
        _importable(os.path.join(folder, inner), inner) <= paths
        for inner in {os.path.dirname(path) for path in paths}
    ) and all(_digest(folder, name) == digest for name, digest in known.items())


def _ways_to(name: str) -> Iterator[str]:
    """A file and the folders that it is in, as paths from the folder of the process."""
    while name:
        yield name
        name = os.path.dirname(name)


def _importable(folder: str, inner: str) -> set[str]:
    """What in a folder could be imported, as paths that begin with ``inner``."""
    try:
        names = os.listdir(folder)
    except (FileNotFoundError, NotADirectoryError):
        return set()
    return {
        os.path.join(inner, name)
        for name in names
        if name.endswith(".py") or ("." not in name and name != "__pycache__")
    }


def _digest(folder: str, name: str) -> str:
    try:
        return sha256_hex(read_regular(os.path.join(folder, name), MOST_OF_SOURCE, follow=True))
    except FileNotFoundError:
        return ""


def present_digests(run: Run) -> dict[str, str]:
    """The digests of the process's files as they are now; nothing of them is executed.

    The process file, what the journal knows, and whatever of their folder these
    files import by name, for an edit may bring in a file that is new.

    Raises:
        NoSuchProcess: the process is not there.
        UnsafePath, InvalidInput, StorageError: a file cannot be read.
    """
    entry = reopen(run.state.created["entrypoint"], run.project)
    found = _present(entry, run.state.source_digests, is_deep=True)
    return {name: digest for name, (digest, _) in sorted(found.items())}


def _present(entry: Entry, known: Collection[str], *, is_deep: bool) -> dict[str, tuple[str, bool]]:
    """Each file with its digest, and whether it may hold a gate; ``is_deep``: late imports too."""
    found: dict[str, tuple[str, bool]] = {}
    waiting = [os.path.basename(entry.file), *known, *_in_place_of(known)]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            content = read_regular(os.path.join(entry.folder, name), MOST_OF_SOURCE, follow=True)
        except FileNotFoundError:
            continue
        found[name] = sha256_hex(content), holds_gate(content)
        waiting += imported(content, name, entry.folder, is_deep=is_deep)
    return found


def _in_place_of(known: Collection[str]) -> set[str]:
    """The files that would be taken before the known ones, however these are imported."""
    modules = {path.removesuffix(".py") for name in known for path in _ways_to(name)}
    packages = {os.path.join(module, "__init__.py") for module in modules}
    # A folder without __init__.py gives way to a file; one that has it is known by that.
    files = {f"{module}.py" for module in modules if os.path.join(module, "__init__.py") not in known}
    return packages | files


def imported(content: bytes, name: str, folder: str, *, is_deep: bool) -> Iterator[str]:
    """The files of the folder that a source file imports; none of one that is not Python.

    ``is_deep``: also in functions, which are only called when the process is under way.
    """
    import ast

    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        # The last two: nested more deeply than Python reads.
        return
    functions = () if is_deep else (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if not isinstance(node, functions):
            waiting += ast.iter_child_nodes(node)
        for dotted in _modules(node, name):
            parts = dotted.split(".")
            # Importing a.b.c imports a and a.b before it.
            for length in range(1, len(parts) + 1):
                yield from _files_of(os.path.join(*parts[:length]), folder)


def _modules(node: object, name: str) -> Iterator[str]:
    """What an import statement may import, as dotted names from the folder of the process."""
    import ast

    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        package = os.path.dirname(name).split(os.sep) if node.level and os.path.dirname(name) else []
        above = package[: len(package) - node.level + 1] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        if base:
            yield base
        yield from (".".join(filter(None, (base, alias.name))) for alias in node.names if alias.name != "*")


def _files_of(stem: str, folder: str) -> Iterator[str]:
    for file in (os.path.join(stem, "__init__.py"), f"{stem}.py"):
        if os.path.isfile(os.path.join(folder, file)):
            yield file
