"""Make a Python environment that holds what this project depends on, or complete one.

    python -I make_environment.py [--adopt] FOLDER [EXTRA ...]

It holds the dependencies only; the project itself runs from its checkout. With ``--adopt``, a working
environment that somebody else made in FOLDER is completed and never removed.

What counts is the file ``complete`` in FOLDER, which is written last. A folder without it was left
half-made by a call that was killed, and is made anew. An environment is built where it will
stay, behind a lock, and not moved there afterwards, because its scripts hold its absolute path.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import shlex
import shutil
import subprocess
import sys
import time
import tomllib
from collections import deque
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PYPROJECT = os.path.join(ROOT, "pyproject.toml")

# With one of these, pip would install somewhere else and call it a success.
MISLEADING = ("PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PYTHONHOME", "PYTHONPATH")


class NotMade(Exception):
    """The environment could not be made; the message says why and what to try."""


def main() -> None:
    """Make the environment that the command line names; the exit code is 0, 1 or 130."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--adopt", action="store_true")
    parser.add_argument("folder")
    parser.add_argument("extras", nargs="*")
    options = parser.parse_args()
    try:
        ensure(os.path.abspath(options.folder), requirements(options.extras), adopt=options.adopt)
    except (NotMade, OSError) as error:
        sys.exit(f"babysitter: {error}")
    except KeyboardInterrupt:
        say("interrupted; the next call makes the environment anew")
        sys.exit(130)


def say(text: str) -> None:
    sys.stderr.write(f"babysitter: {text}\n")
    sys.stderr.flush()


def requirements(extras: Sequence[str]) -> list[str]:
    """What pyproject.toml asks for, with the named extras."""
    with open(PYPROJECT, "rb") as file:
        project = tomllib.load(file)["project"]
    wanted: list[str] = list(project["dependencies"])
    for extra in extras:
        wanted += project["optional-dependencies"][extra]
    return wanted


def ensure(folder: str, wanted: Sequence[str], *, adopt: bool) -> None:
    """Return when the environment in the folder is complete, whoever completed it."""
    os.makedirs(os.path.dirname(folder), mode=0o700, exist_ok=True)
    with one_at_a_time(folder + ".lock") as lock:
        if is_complete(folder):
            return
        began = time.monotonic()
        if can_be_kept(folder, adopt=adopt):
            say(f"completing the environment {folder}")
        else:
            create(folder, lock)
        install(folder, wanted, lock)
        mark_complete(folder)
        say(f"ready after {time.monotonic() - began:.0f} s")


@contextlib.contextmanager
def one_at_a_time(path: str) -> Iterator[int]:
    """Hold the lock, which ends with the last process that inherited it, however that ends."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say("another call is making the environment; waiting for it")
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def is_complete(folder: str) -> bool:
    """Whether it was finished, since the list of dependencies last changed, and its Python is still there."""
    try:
        finished = os.stat(os.path.join(folder, "complete")).st_mtime_ns
    except FileNotFoundError:
        return False
    return finished >= os.stat(PYPROJECT).st_mtime_ns and starts(folder)


def mark_complete(folder: str) -> None:
    """Write the file that counts, never older than pyproject.toml, even where that is from the future."""
    marker = os.path.join(folder, "complete")
    touch(marker)
    newest = max(time.time_ns(), os.stat(PYPROJECT).st_mtime_ns)
    os.utime(marker, ns=(newest, newest))
    with contextlib.suppress(FileNotFoundError):
        os.unlink(os.path.join(folder, "half-made"))


def touch(path: str) -> None:
    with open(path, "w", encoding="utf-8"):
        pass


def can_be_kept(folder: str, *, adopt: bool) -> bool:
    """Whether what is in the folder only needs to be completed."""
    found = os.listdir(folder) if os.path.isdir(folder) else []
    if not found or "half-made" in found:
        return False
    if adopt and not starts(folder):
        raise NotMade(f"{folder!r} has no Python with pip that can be started: remove it and call again")
    return adopt or ("complete" in found and starts(folder))


def starts(folder: str) -> bool:
    """Whether the environment's Python can be started and has the packages of its own version."""
    command = [python_of(folder), "-I", "-c", "import pip"]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def create(folder: str, lock: int) -> None:
    """Put a new environment, with nothing but pip, in the place of whatever the folder holds."""
    if os.path.lexists(folder):
        say(f"removing {folder}, which is half-made or broken")
        shutil.rmtree(folder)
    say(f"making the environment {folder}, which takes a while, once")
    os.mkdir(folder)
    touch(os.path.join(folder, "half-made"))
    say(f"1/2 creating it with {sys.executable}")
    run([sys.executable, "-I", "-m", "venv", folder], lock)


def python_of(folder: str) -> str:
    return os.path.join(folder, "bin", "python")


def install(folder: str, wanted: Sequence[str], lock: int) -> None:
    """Let pip bring what is missing; what is there already needs no network."""
    say(f"2/2 installing {', '.join(wanted)}")
    pip = [python_of(folder), "-I", "-m", "pip", "install", "--no-input", "--disable-pip-version-check"]
    run([*pip, *wanted], lock)


def run(command: Sequence[str], lock: int) -> None:
    """Run a command, show how far it is, and raise NotMade with its last lines when it fails.

    It inherits the lock: should this process be killed, the next one does not begin before
    the command has gone as well.
    """
    environment = {name: value for name, value in os.environ.items() if name not in MISLEADING}
    environment["PIP_USER"] = "0"
    last_lines: deque[str] = deque(maxlen=6)
    with subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=environment,
        pass_fds=[lock],
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            last_lines.append(line.strip()[:200])
            if line.startswith(("Collecting ", "Building ", "Installing ", "WARNING: ")):
                say(f"    {line.strip()[:100]}")
    if process.returncode:
        raise NotMade(failure(command, last_lines))


def failure(command: Sequence[str], last_lines: Sequence[str]) -> str:
    lines = [
        "the environment could not be made; the last lines of what failed:",
        *(f"  | {line}" for line in last_lines),
        "  when the cause is gone (no network?), call again; to see all of it:",
        f"  {shlex.join(command)}",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
