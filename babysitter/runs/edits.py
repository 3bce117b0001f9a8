"""Edits of a process under a run that an agent works on: with gates in it, a person has to accept them.

An edit could take away a gate or an evidence step that is still to come, and
replay would not notice, because nothing of it is in the journal yet. Any file
of the process can do that: one that holds no gate may stop calling one that
does. So it is asked whether the process holds any, and then every file counts.
"""

from __future__ import annotations

import os

from babysitter.errors import EditNeedsPerson
from babysitter.files import read_regular
from babysitter.ids import sha256_hex
from babysitter.library import reopen
from babysitter.runs.source import MOST_OF_SOURCE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from babysitter.runs.run import Run


def refused(
    run: Run, digests: Mapping[str, str], gates: Collection[str], *, is_new: bool
) -> EditNeedsPerson | None:
    """Why the source that was loaded cannot be gone on with; None when it can.

    ``is_new``: the process has not begun, so a module that the journal does not
    know is an edit as well, and not one that is imported late.
    """
    state = run.state
    if not state.is_guarded or not (state.gates is None or state.gates or gates):
        return None
    known = state.source_digests
    edited = [name for name in digests if digests[name] != known.get(name, "" if is_new else digests[name])]
    if not edited or _is_permitted(run, {name: digests[name] for name in edited}):
        return None
    return EditNeedsPerson(
        f"the process was edited ({', '.join(sorted(edited))}), and it has steps that cannot be skipped",
        hint="undo the edit; or a person accepts it: /babysitter:approve edit in the session, "
        f"or in a terminal of your own: babysitter approve {run.run_id} --permit edit",
    )


def _is_permitted(run: Run, edited: dict[str, str]) -> bool:
    """A person has accepted exactly these bytes."""
    for permit in run.state.permits:
        accepted = (permit.get("about") or {}).get("sourceDigests")
        if permit["what"] == "edit" and isinstance(accepted, dict) and edited.items() <= accepted.items():
            return True
    return False


def present_digests(run: Run) -> dict[str, str]:
    """The digests of the process's files as they are now; nothing of them is executed.

    The process file, what the journal knows, and whatever of their folder these
    files import by name, for an edit may bring in a file that is new.

    Raises:
        NoSuchProcess: the process is not there.
        UnsafePath, InvalidInput, StorageError: a file cannot be read.
    """
    entry = reopen(run.state.created["entrypoint"], run.project)
    found: dict[str, str] = {}
    waiting = [os.path.basename(entry.file), *run.state.source_digests]
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        try:
            content = read_regular(os.path.join(entry.folder, name), MOST_OF_SOURCE, follow=True)
        except FileNotFoundError:
            continue
        found[name] = sha256_hex(content)
        waiting += imported(content, name, entry.folder)
    return dict(sorted(found.items()))


def imported(content: bytes, name: str, folder: str) -> Iterator[str]:
    """The files of the folder that a source file imports; none of one that is not Python."""
    import ast

    try:
        tree = ast.parse(content)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
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
