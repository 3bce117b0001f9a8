"""What a repository suggests, and whether its user has trusted exactly these bytes.

A cloned repository can bring a configuration that names commands, and hooks.
Nothing of that is done before the user has looked at it and said so, once for
this project and these files; a change takes the trust away.
"""

from __future__ import annotations

import os

from babysitter.errors import InvalidInput, UnsafePath
from babysitter.files import read_regular, replace, sync_folder
from babysitter.ids import sha256_hex
from babysitter.jsontext import compact, loads
from babysitter.paths import STATE_FOLDER, home

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

FILE = "trusted.json"
CONFIG = os.path.join(STATE_FOLDER, "config.yaml")
HOOKS = os.path.join(STATE_FOLDER, "hooks")
MOST_BYTES = 1 << 22
# NAME/FILE
HOOK_DEPTH = 2


def suggested(project: str) -> dict[str, str]:
    """What a project suggests: path of each file in it → digest.

    Raises:
        InvalidInput, UnsafePath, StorageError: a file cannot be read; nothing is left out in silence.
    """
    return {name: sha256_hex(_read(os.path.join(project, name))) for name in sorted(_files(project))}


def _files(project: str) -> Iterator[str]:
    if os.path.isfile(os.path.join(project, CONFIG)):
        yield CONFIG
    yield from _hook_files(project)


def _hook_files(project: str) -> Iterator[str]:
    for folder, _, names in os.walk(os.path.join(project, HOOKS)):
        yield from (os.path.relpath(os.path.join(folder, name), project) for name in names)


def _read(path: str) -> bytes:
    return read_regular(path, MOST_BYTES, follow=True)


def trusted(project: str) -> dict[str, str]:
    """What the user has trusted of a project, as ``suggested`` gave it then."""
    found = _all().get(os.path.realpath(project))
    return found if isinstance(found, dict) else {}


def is_trusted(project: str, name: str, content: bytes) -> bool:
    """The user has trusted this file of a project with exactly this content."""
    return trusted(project).get(name) == sha256_hex(content)


def distrust_of(project: str, hook: str) -> str:
    """Why a file in ``.a5c/hooks/NAME/`` of a project is not to be executed; empty: the user trusts it.

    With it counts what stands in ``.a5c/hooks`` beside hooks, such as a file with functions that several
    of them read.
    """
    known = trusted(project)
    beside = {name for name in {*known, *_hook_files(project)} if _is_beside_hooks(name)}
    for name in (hook, *sorted(beside)):
        path, shown = os.path.join(project, name), "it" if name == hook else name
        if name not in known:
            return f"{shown} is not trusted"
        if not os.path.isfile(path) or sha256_hex(_read(path)) != known[name]:
            return f"{shown} is not as it was when it was trusted"
    return ""


def _is_beside_hooks(name: str) -> bool:
    inside = os.path.relpath(name, HOOKS).split(os.sep)
    return name.startswith(os.path.join(HOOKS, "")) and len(inside) != HOOK_DEPTH


def trust(project: str, files: dict[str, str]) -> None:
    """Trust these files of a project, with these digests, and no others."""
    _write({**_all(), os.path.realpath(project): files})


def revoke(project: str) -> bool:
    """Trust nothing of a project any more; whether anything was trusted."""
    every = _all()
    was = every.pop(os.path.realpath(project), None)
    if was is not None:
        _write(every)
    return was is not None


def _all() -> dict[str, object]:
    path = os.path.join(home(), FILE)
    try:
        told = loads(read_regular(path, MOST_BYTES, is_own=True))
    except FileNotFoundError:
        return {}
    except (ValueError, RecursionError, InvalidInput, UnsafePath) as error:
        # Not "nothing is trusted": what is in there would be lost with the next change.
        raise InvalidInput(f"{path!r} cannot be read: {error}", hint="mend it, or remove it") from None
    return told if isinstance(told, dict) else {}


def _write(every: dict[str, object]) -> None:
    folder = home()
    os.makedirs(folder, mode=0o700, exist_ok=True)
    replace(os.path.join(folder, FILE), compact(every).encode() + b"\n")
    sync_folder(folder)
