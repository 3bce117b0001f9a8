"""Which program a command's first word stands for, and its digest: as evidence, for PATH can be anything."""

from __future__ import annotations

import os
import stat

from babysitter.ids import sha256_hex

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

# What is longer takes too long to read while effects wait.
MOST_BYTES = 1 << 26
# A program runs again and again; each is read once, as long as it is the same file.
_digests: dict[tuple[str, int, int, int], str] = {}


def program_of(argv: Sequence[str], cwd: str, env: Mapping[str, str]) -> dict[str, str]:
    """The program that is going to be started, as far as it is found, and the digest of its file.

    It is found as the system finds it: by PATH, and what is not absolute from the folder of the command.
    """
    name = argv[0]
    folders = [""] if os.path.dirname(name) else os.get_exec_path(env)
    for folder in folders:
        path = os.path.join(cwd, folder, name)
        if os.path.isfile(path) and os.access(path, os.X_OK):
            digest = _digest(path)
            return {"program": path, **({"programSha256": digest} if digest else {})}
    return {}


def _digest(path: str) -> str:
    """Empty for what cannot be read, or is too long."""
    try:
        with open(path, "rb") as file:
            found = os.fstat(file.fileno())
            if not stat.S_ISREG(found.st_mode) or found.st_size > MOST_BYTES:
                return ""
            known = (path, found.st_ino, found.st_mtime_ns, found.st_size)
            if known not in _digests:
                _digests[known] = sha256_hex(file.read())
            return _digests[known]
    except OSError:
        return ""
