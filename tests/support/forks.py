"""Commands as real processes at a tenth of the price: forked from one that has imported everything.

``Forks`` is the end that tests hold. The other end is a Python without
threads, which forks once for each command; so it must not be the tests' own.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from tests.support.operations import Operation, Plan, Watch, read_log

if TYPE_CHECKING:
    from tests.support.operations import Operation

ROOT = str(Path(__file__).parents[2])
KILLED = -signal.SIGKILL
# Everything that a command imports on its way, so that a fork finds it there.
IMPORTED = """
ctypes filelock resource shutil traceback babysitter.cli.main babysitter.cli.iterating babysitter.cli.original
babysitter.cli.posting babysitter.cli.looking babysitter.cli.running babysitter.cli.asking
babysitter.runs.schemas difflib babysitter.executors.work babysitter.views.tables babysitter.views.quiet
babysitter.staging babysitter.runs.packing babysitter.runs.late_binding babysitter.journal.sweep
babysitter.journal.lock
tests.support.operations
"""
LOG, OUTPUT, ERRORS = "log", "stdout", "stderr"


class Ended(NamedTuple):
    """How a command ended; ``operations`` when it was watched."""

    code: int
    stdout: str
    stderr: str
    operations: list[Operation]

    @property
    def told(self) -> Any:
        """The JSON that it printed."""
        return json.loads(self.stdout)


class Forks:
    """Runs commands. ``close`` when done."""

    def __init__(self, folder: Path) -> None:
        """``folder`` is for what the commands print."""
        self._folder = folder
        self._pipes = []
        # Pipes: no limit on files, and no full disk, keeps a command from telling.
        for name in (OUTPUT, ERRORS):
            os.mkfifo(folder / name)
            self._pipes.append(os.open(folder / name, os.O_RDONLY | os.O_NONBLOCK))
        start = f"import sys; sys.path.insert(0, {ROOT!r}); from tests.support.forks import serve; serve()"
        self._server = subprocess.Popen(
            [sys.executable, "-I", "-c", start], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        # What serves is no child of the tests' process: some of them look at what children it has.
        self._server.wait()

    def run(self, cwd: Path, *arguments: str, plan: Plan | None = None, **options: Any) -> Ended:
        """Run a command in a folder to its end.

        ``options``: ``call``, a function as ``module:name`` instead of the
        command; ``storm``, signals all the time; ``limits``, resource limits by
        name; ``is_powerless``, so that permissions count also for root.
        """
        request = {
            "folder": str(self._folder),
            "cwd": str(cwd),
            "environment": dict(os.environ),
            "arguments": arguments,
            "plan": plan,
            **options,
        }
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(request).encode() + b"\n")
        self._server.stdin.flush()
        code = json.loads(self._server.stdout.readline())
        told = [_read_all(pipe) for pipe in self._pipes]
        return Ended(code, *told, read_log((self._folder / LOG).read_text("utf-8")))

    def close(self) -> None:
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        for pipe in self._pipes:
            os.close(pipe)
        self._server.stdin.close()
        assert self._server.stdout.read() == b""  # it has ended
        self._server.stdout.close()


def _read_all(pipe: int) -> str:
    """What was written to a pipe by processes that have ended."""
    content = b""
    while piece := os.read(pipe, 1 << 16):
        content += piece
    return content.decode()


# The other end


def serve() -> None:
    """Fork for each request until there are no more."""
    if os.fork():
        os._exit(0)
    for name in IMPORTED.split():
        __import__(name)
    # A signal of the storm may come before the fork has done anything.
    signal.signal(signal.SIGUSR1, lambda *_: None)
    requests = os.fdopen(os.dup(0), "rb")
    while line := requests.readline():
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            _become_the_command(request)
        code = os.waitstatus_to_exitcode(_wait(child, is_stormy=request.get("storm", False)))
        os.write(1, json.dumps(code).encode() + b"\n")


def _wait(child: int, *, is_stormy: bool) -> int:
    while is_stormy:
        pid, status = os.waitpid(child, os.WNOHANG)
        if pid:
            return status
        os.kill(child, signal.SIGUSR1)
    return os.waitpid(child, 0)[1]


def _become_the_command(request: dict[str, Any]) -> NoReturn:
    try:
        os.environ.clear()
        os.environ.update(request["environment"])
        os.chdir(request["cwd"])
        _redirect(request["folder"])
        log = os.open(os.path.join(request["folder"], LOG), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        if request.get("is_powerless"):
            _give_up_powers()
        _limit(request.get("limits", {}))
        if request["plan"]:
            Watch(Plan(*request["plan"]), log).install()
        _work(request)
    finally:
        # Only when it could not even begin.
        os._exit(99)


def _redirect(folder: str) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    for number, name in ((1, OUTPUT), (2, ERRORS)):
        opened = os.open(os.path.join(folder, name), os.O_WRONLY)
        os.dup2(opened, number)
        os.close(opened)


def _give_up_powers() -> None:
    """Keep the user, also root, and drop all that root may beyond others."""
    import ctypes

    version_3 = (ctypes.c_uint32 * 2)(0x20080522, 0)
    nothing = (ctypes.c_uint32 * 6)()
    if ctypes.CDLL(None).capset(version_3, nothing) != 0:
        os._exit(98)


def _limit(limits: dict[str, int]) -> None:
    import resource

    for name, value in limits.items():
        resource.setrlimit(getattr(resource, name), (value, value))


def _work(request: dict[str, Any]) -> None:
    if "call" in request:
        module, _, name = request["call"].partition(":")
        getattr(__import__(module, fromlist=[name]), name)(*request["arguments"])
        os._exit(0)
    from babysitter.cli.main import main

    main(request["arguments"])
