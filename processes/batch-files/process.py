"""Batch: do the same for many files, some at a time; one bad file spoils nothing."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from babysitter import Context, Failed, TaskFailed, python

if TYPE_CHECKING:
    from collections.abc import Iterable

BEGINNING = 8192
NOT_ENTERED = {"node_modules", "__pycache__"}

Inputs = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "path": {
            "description": "the folder with the files, relative to the project",
            "type": "string",
            "default": ".",
        },
        "pattern": {
            "description": "which files: a glob pattern such as '*.csv' or 'src/**/*.py'",
            "type": "string",
            "minLength": 1,
            "default": "**/*",
        },
        "limit": {
            "description": "how many files at a time",
            "type": "integer",
            "minimum": 1,
            "default": 8,
        },
    },
}


@python(title="find {pattern} in {path}")
def find_files(path: str, pattern: str) -> list[str]:
    """The files that fit the pattern, in order; hidden ones and installed packages are left out."""
    # Imported here, it costs only the worker that performs this task, not every replay of the process.
    from pathlib import Path

    root = Path(path)
    if not root.is_dir():
        raise NotADirectoryError(f"there is no folder {path!r} in {os.getcwd()}")
    found = [file.relative_to(root) for file in root.glob(pattern) if file.is_file()]
    return sorted(as_text(file) for file in found if not is_left_out(file.parts))


def is_left_out(parts: tuple[str, ...]) -> bool:
    return any(part.startswith(".") or part in NOT_ENTERED for part in parts)


def as_text(file: object) -> str:
    """A name as JSON can have it; one that is not UTF-8 cannot be opened under it, which is reported."""
    return str(file).encode("utf-8", "backslashreplace").decode()


@python(timeout="10m", title="measure {file}")
def measure(path: str, file: str) -> dict[str, Any]:
    """Digest and size of one file and, when it is text, its lines, words and longest line."""
    import hashlib

    with open(os.path.join(path, file), "rb") as stream:
        is_text = b"\0" not in stream.read(BEGINNING)
        stream.seek(0)
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
        measured: dict[str, Any] = {"file": file, "sha256": digest, "bytes": stream.tell()}
        stream.seek(0)
        return {**measured, **count(stream)} if is_text else measured


def count(stream: Iterable[bytes]) -> dict[str, int]:
    lines = words = longest = 0
    for line in stream:
        lines += 1
        words += len(line.split())
        longest = max(longest, len(line.rstrip(b"\r\n").decode("utf-8", "replace")))
    return {"lines": lines, "words": words, "longestLine": longest}


async def process(inputs: dict[str, Any], ctx: Context) -> dict[str, Any]:
    # Which files there are is asked in a task, not here: this function runs again from the top at every
    # step, and must then see the same files, whatever has happened to the folder.
    files = await ctx.task(find_files, path=inputs["path"], pattern=inputs["pattern"])
    done, step = 0, max(1, len(files) // 10)

    async def handle(file: str) -> dict[str, Any]:
        nonlocal done
        try:
            result = await ctx.task(measure, path=inputs["path"], file=file)
        except TaskFailed as error:
            # Caught here, it ends this branch only. Uncaught it would abandon all the others.
            result = {"file": file, "error": error.message}
        done += 1
        if done % step == 0 or done == len(files):
            ctx.log(f"{done} of {len(files)} files done")
        return result

    # As one file is done the next begins, so a slow one holds up nobody; whichever ends first, the
    # results are in the order of the files.
    results = await ctx.parallel.map(files, handle, limit=inputs["limit"])
    return report(results)


def report(results: list[dict[str, Any]]) -> dict[str, Any]:
    """The totals, what could not be read, and every file that was, the largest first."""
    good = [result for result in results if "error" not in result]
    failed = [result for result in results if "error" in result]
    if failed and not good:
        raise Failed(
            f"none of the {len(failed)} files could be read: {failed[0]['error']}", {"failed": failed}
        )
    totals = {name: sum(result.get(name, 0) for result in good) for name in ("bytes", "lines", "words")}
    ordered = sorted(good, key=lambda result: (-result["bytes"], result["file"]))
    return {"processed": len(good), "totals": totals, "failed": failed, "files": ordered}
