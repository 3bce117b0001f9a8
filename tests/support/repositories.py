"""Small repositories of git, made by a test."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

WHO = ["-c", "user.name=A Person", "-c", "user.email=person@example.org", "-c", "commit.gpgsign=false"]


def git(folder: Path, *words: str) -> str:
    """What git prints."""
    done = subprocess.run(["git", *WHO, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout


def commit(folder: Path, files: dict[str, str]) -> None:
    """Write the files and commit them; the first time the folder becomes a repository."""
    if not (folder / ".git").exists():
        git(folder, "init", "--quiet", "--initial-branch=main")
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message=A change")


def changed(folder: Path) -> list[str]:
    """The files that are not as they were committed."""
    return [line[3:] for line in git(folder, "status", "--porcelain").splitlines()]
