"""A project with a run folder, and pools that perform effects in it."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from babysitter.executors.pool import Finished, Pool, Work

if TYPE_CHECKING:
    from pathlib import Path

# Long enough for a busy machine; nothing here takes so long when it works.
PATIENCE = 60.0


class Workshop:
    def __init__(self, folder: Path) -> None:
        self.project = folder / "project"
        self.run = folder / "run"
        self.project.mkdir()
        self.run.mkdir(0o700)
        self.pools: list[Pool] = []

    def pool(self, jobs: int = 4, **options: Any) -> Pool:
        pool = Pool(jobs, **options)
        self.pools.append(pool)
        return pool

    def folder(self, effect: str) -> Path:
        return self.run / "tasks" / effect

    def work(self, kind: str, described: Any, effect: str = "e1") -> Work:
        return Work(
            effect,
            kind,
            {"kind": kind, "title": effect, kind: described},
            run_id="run-1",
            folder=str(self.folder(effect)),
            project=str(self.project),
            run_folder=str(self.run),
        )

    def shell(self, command: str | list[str], effect: str = "e1", **options: Any) -> Work:
        word = "command" if isinstance(command, str) else "argv"
        return self.work("shell", {word: command, **options}, effect)

    def finish(self, *works: Work, pool: Pool | None = None) -> list[Finished]:
        """Perform effects to their ends; in the order in which they were given."""
        pool = pool or self.pool()
        pool.offer(works)
        ended = collect(pool, len(works))
        return [ended[work.effect_id] for work in works]

    def perform(self, work: Work, pool: Pool | None = None) -> Finished:
        return self.finish(work, pool=pool)[0]

    def close(self) -> None:
        for pool in reversed(self.pools):
            pool.close(0)


def collect(pool: Pool, count: int) -> dict[str, Finished]:
    """Wait until so many effects have ended."""
    ended: dict[str, Finished] = {}
    until = time.monotonic() + PATIENCE
    while len(ended) < count:
        assert time.monotonic() < until, f"only {sorted(ended)} ended in time"
        ended.update((end.effect_id, end) for end in pool.wait(1))
    return ended


def appears(path: Path, pool: Pool | None = None) -> str:
    """Wait until somebody has written a line to a file; its content."""
    until = time.monotonic() + PATIENCE
    while not path.exists() or not path.read_text("utf-8").endswith("\n"):
        assert time.monotonic() < until, f"{path} did not appear"
        if pool is None:
            time.sleep(0.005)
        else:
            pool.wait(0.005)
    return path.read_text("utf-8").strip()


def is_alive(pid: int) -> bool:
    """Whether a process runs; one that waits to be reaped does not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return not os.path.exists("/proc/self/stat")


def vanishes(pid: int) -> bool:
    """Wait until a process is gone."""
    until = time.monotonic() + PATIENCE
    while is_alive(pid):
        assert time.monotonic() < until, f"process {pid} lives on"
        time.sleep(0.005)
    return True
