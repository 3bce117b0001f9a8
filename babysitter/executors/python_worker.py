"""The worker of a python effect: reads a request, calls the function, writes the answer.

It is run by path and may be run by the project's own interpreter, so it uses
the standard library of Python 3.9 only, and nothing of babysitter.

The request is JSON on standard input. The answer goes to the descriptor in
$BABYSITTER_ANSWER_FD: a line ``ok`` and the returned value, or a line ``error``
and ``name``, ``message``, ``traceback``; a last line break says that it is
whole. Standard output and error belong to
the function.
"""

from __future__ import annotations

import json
import os
import sys
from importlib.machinery import FileFinder, PathFinder, SourceFileLoader

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from importlib.machinery import ModuleSpec
    from types import CodeType, ModuleType
    from typing import Any

# The name that the process has where it is replayed: classes say it of themselves.
MODULE_NAME = "__babysitter_process__"
MESSAGE_LENGTH = 4000
TRACEBACK_LENGTH = 12000
STANDARD_LIBRARY: frozenset[str] = getattr(sys, "stdlib_module_names", frozenset())  # from Python 3.10 on


class NotJson(Exception):
    """The function returned what JSON does not have."""


class SourceOnly(SourceFileLoader):
    """Loads a module from its source, whatever lies in ``__pycache__``.

    A compiled file can be made that is loaded without a look at the source
    beside it, and then something else is executed than what people have read.
    """

    def get_code(self, fullname: str) -> CodeType:
        path = self.get_filename(fullname)
        return self.source_to_code(self.get_data(path), path)  # type: ignore[no-any-return, unused-ignore]


class StandardLibraryFirst:
    """Finds the standard library's modules before files of the same name beside the process."""

    def __init__(self) -> None:
        self.path = list(sys.path)

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> ModuleSpec | None:
        if path is None and name in STANDARD_LIBRARY:
            return PathFinder.find_spec(name, self.path)
        return None


class Babysitter:
    """Finds babysitter where it is not installed, and nothing else of what is installed beside it."""

    def __init__(self, package: str) -> None:
        self.path = [os.path.dirname(package)]

    def find_spec(self, name: str, path: Sequence[str] | None, target: Any = None) -> ModuleSpec | None:
        return PathFinder.find_spec(name, self.path) if name == "babysitter" else None


def make_importable(folder: str, package: str) -> None:
    """Let the process import what is beside it, and babysitter."""

    def find_local(path: str) -> FileFinder:
        path = os.path.abspath(path)
        installed = path.startswith(sys.prefix + os.sep) or "site-packages" in path.split(os.sep)
        if installed or not (path + os.sep).startswith(folder + os.sep):
            raise ImportError(path)
        return FileFinder(path, (SourceOnly, [".py"]))

    sys.meta_path.insert(0, StandardLibraryFirst())
    sys.path.insert(0, folder)
    sys.path_hooks.insert(0, find_local)
    sys.meta_path.append(Babysitter(package))


def read(file: str, source: str | None) -> bytes:
    """The process file: as it was loaded for the replay, a character for each byte, or else as it is now."""
    if source is not None:
        return source.encode("latin-1")
    with open(file, "rb") as stream:
        return stream.read()


def load(file: str, digest: str | None, source: str | None) -> ModuleType:
    """Run the process file, exactly the bytes that were hashed."""
    content = read(file, source)
    if digest:
        import hashlib

        found = hashlib.sha256(content).hexdigest()
        if found != digest:
            raise ImportError(
                f"{file!r} was changed after the function was asked for:"
                f" its SHA-256 is {found[:12]}..., and {digest[:12]}... is expected"
            )
    module = type(sys)(MODULE_NAME)
    module.__file__ = file
    sys.modules[MODULE_NAME] = module
    exec(compile(content, file, "exec", dont_inherit=True), module.__dict__)
    return module


def find(module: ModuleType, name: str, file: str) -> Callable[..., Any]:
    """The author's plain function, also where a task was made of it."""
    if "<locals>" in name:
        raise AttributeError(
            f"{name!r} is defined inside a function, where a worker cannot get at it; define it outside"
        )
    found: Any = module
    for part in name.split("."):
        found = getattr(found, part)
    plain = found if hasattr(found, "__code__") else getattr(found, "function", found)
    if not callable(plain):
        raise TypeError(f"{name!r} in {file!r} is {type(plain).__name__!r}, and a function is expected")
    return plain  # type: ignore[no-any-return]


def call(request: dict[str, Any]) -> Any:
    """Find the function and call it; one that is async is run to its end."""
    file = request["file"]
    make_importable(os.path.dirname(file), request["package"])
    if request["module"] is None or request["module"] == MODULE_NAME:
        module = load(file, request["sha256"], request.get("source"))
    else:
        import importlib

        module = importlib.import_module(request["module"])
    returned = find(module, request["function"], file)(**request["args"])
    if not hasattr(returned, "__await__"):
        return returned
    import asyncio

    async def wait() -> Any:
        return await returned

    return asyncio.run(wait())


def as_json(value: Any, function: str) -> str:
    try:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError, RecursionError) as error:
        raise NotJson(f"{function}() returned a {type(value).__name__} that is not JSON: {error}") from None


def describe(error: BaseException) -> str:
    """An exception for the journal, without the frames of this file."""
    import traceback

    trace = error.__traceback__
    while trace is not None and trace.tb_frame.f_code.co_filename in (
        __file__,
        "<frozen importlib._bootstrap>",
    ):
        trace = trace.tb_next
    try:
        message = str(error)
    except BaseException:
        message = "(its message cannot be shown)"
    try:
        lines = "".join(traceback.format_exception(type(error), error, trace))
    except BaseException:
        lines = f"{type(error).__name__}: {message}\n"
    try:
        sys.stderr.write(lines)
    except (AttributeError, OSError, ValueError):
        pass  # the function has closed it; the journal has the traceback too
    name = "ResultRejected" if isinstance(error, NotJson) else type(error).__name__
    told = {"name": name, "message": message[:MESSAGE_LENGTH] or name, "traceback": end_of(lines)}
    return json.dumps(
        {key: value.encode("utf-8", "backslashreplace").decode() for key, value in told.items()}
    )


def end_of(lines: str) -> str:
    """The end of a long text, from a line on: half of one may have a secret without the name before it."""
    if len(lines) <= TRACEBACK_LENGTH:
        return lines
    return lines[-TRACEBACK_LENGTH:].partition("\n")[2] or lines[-TRACEBACK_LENGTH:]


def answer(request: dict[str, Any]) -> str:
    try:
        return f"ok\n{as_json(call(request), request['function'])}\n"
    except BaseException as error:
        return f"error\n{describe(error)}\n"


def take_request() -> tuple[dict[str, Any], int]:
    """The request and the descriptor for the answer; the function sees neither."""
    with open(0, "rb", closefd=False) as stream:
        request = json.loads(stream.read())
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    target = int(os.environ.pop("BABYSITTER_ANSWER_FD"))
    os.set_inheritable(target, False)
    return request, target


def main() -> int:
    for stream in (sys.stdout, sys.stderr):
        # Whatever the locale says, the logs are UTF-8 and live.
        stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)  # type: ignore[union-attr]
    request, target = take_request()
    text = answer(request)
    with open(target, "wb") as file:
        file.write(text.encode())
    return 0 if text.startswith("ok\n") else 1


if __name__ == "__main__":
    sys.exit(main())
