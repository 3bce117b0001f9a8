"""Other processes of this machine: whether one is still the same, and which perform an effect."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Fields of /proc/*/stat, counted from the state on, which is the third.
_GROUP, _START_TIME = 2, 19
# Names the lock under which a process was started; inherited by all that it starts.
LOCK_VARIABLE = "BABYSITTER_EFFECT_LOCK"
_HAS_PROC = os.path.exists("/proc/self/stat")


def start_time(pid: int) -> str | None:
    """When a process started, as text to be compared; None when there is no such process.

    A number alone names nobody: it is given to another process sooner or later.
    """
    return _start_time_from_proc(pid) if _HAS_PROC else _start_time_from_ps(pid)


def _start_time_from_proc(pid: int) -> str | None:
    fields = _fields(str(pid))
    return fields[_START_TIME].decode() if fields else None


def _fields(pid: str) -> list[bytes] | None:
    """What /proc says of a process that is alive; one that waits to be reaped is not."""
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            content = file.read()
    except OSError:
        return None
    # The second field is the program's name, in parentheses and with anything in it.
    fields = content[content.rindex(b")") + 2 :].split()
    return None if fields[0] in (b"Z", b"X") else fields


def _start_time_from_ps(pid: int) -> str | None:
    import subprocess

    told = subprocess.run(
        ["ps", "-o", "stat=,lstart=", "-p", str(pid)],
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        # The text must be the same whoever asks.
        env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"},
    )
    state, _, started = told.stdout.strip().partition(" ")
    return None if not state or state.startswith("Z") else started.strip()


def is_same_process(pid: Any, started: Any) -> bool:
    """Whether the process that had this number and start time is still alive; anything may be asked."""
    if not isinstance(pid, int) or isinstance(pid, bool) or pid <= 1 or not isinstance(started, str):
        return False
    return start_time(pid) == started


def group_lives(group: int) -> bool:
    """Whether any process of a group is alive.

    Signals reach zombies too, and where process 1 is no real init (in many
    containers) nobody ever reaps an orphan. Without /proc the signal has to do.
    """
    try:
        os.killpg(group, 0)
    except (ProcessLookupError, PermissionError):
        # PermissionError: on macOS, a group of zombies; elsewhere one that has become another user's.
        return False
    return not _HAS_PROC or any(_is_member(name, group) for name in os.listdir("/proc") if name.isdigit())


def _is_member(pid: str, group: int) -> bool:
    fields = _fields(pid)
    return fields is not None and int(fields[_GROUP]) == group


def marked_processes(mark: str) -> list[int]:
    """Processes that were started under an effect's lock, as their environment says.

    Only where there is /proc; elsewhere, and for processes that changed their
    environment or belong to somebody else, the list is silent.
    """
    if not _HAS_PROC:
        return []
    variable = f"\0{LOCK_VARIABLE}={mark}\0".encode()
    pids = (int(name) for name in os.listdir("/proc") if name.isdigit())
    return [pid for pid in pids if pid != os.getpid() and variable in b"\0" + _environment_of(pid)]


def effects_at_work(run_id: str) -> set[str]:
    """The effects of runs by this id for which any process is alive; of all runs on this machine."""
    mark, name = b"\0BABYSITTER_RUN_ID=" + run_id.encode() + b"\0", b"\0BABYSITTER_EFFECT_ID="
    found = set()
    for pid in filter(str.isdigit, os.listdir("/proc") if _HAS_PROC else ()):
        environment = b"\0" + _environment_of(int(pid))
        if mark in environment and name in environment:
            found.add(environment.partition(name)[2].partition(b"\0")[0].decode(errors="replace"))
    return found


def _environment_of(pid: int) -> bytes:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return file.read() + b"\0"
    except OSError:
        return b""


def signal_all(pids: list[int], number: int) -> None:
    """Signal processes, each once: with its whole group those that lead one, the others alone."""
    groups = {pid: _group_of(pid) for pid in pids}
    leaders = {pid for pid, group in groups.items() if pid == group}
    for pid, group in groups.items():
        try:
            if pid in leaders:
                os.killpg(pid, number)
            elif group not in leaders:
                os.kill(pid, number)
        except (ProcessLookupError, PermissionError):
            # It has ended meanwhile.
            continue


def _group_of(pid: int) -> int | None:
    try:
        return os.getpgid(pid)
    except OSError:
        return None
