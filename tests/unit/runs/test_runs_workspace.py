"""The project's git tree, kept with each batch and brought back; with real git."""

from __future__ import annotations

import os
import subprocess
from shutil import which
from typing import TYPE_CHECKING

import pytest

from babysitter.errors import InvalidInput
from babysitter.runs.folder import open_run
from babysitter.runs.forks import Told, commit_at
from babysitter.runs.workspace import restore

if TYPE_CHECKING:
    from pathlib import Path

    from projects import Project

pytestmark = pytest.mark.skipif(which("git") is None, reason="git is not installed")
TWO = """
async def process(inputs, ctx):
    await ctx.task(ask, question="a")
    await ctx.task(ask, question="b")
    await ctx.task(ask, question="c")
"""
KEEPING = {"options": {"workspace": True}}


def git(folder: Path, *arguments: str) -> str:
    who = ("-c", "user.name=somebody", "-c", "user.email=somebody@localhost")
    return subprocess.run(
        ["git", *who, *arguments], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


@pytest.fixture
def repository(project: Project) -> Project:
    git(project.folder, "init", "-q")
    (project.folder / "kept").write_text("one", "utf-8")
    git(project.folder, "add", "kept")
    git(project.folder, "commit", "-qm", "first")
    return project


def files(folder: Path) -> dict[str, str]:
    """What a person has written there."""
    names = [path for path in folder.rglob("*") if path.is_file() or path.is_symlink()]
    own = [path for path in names if not {".git", ".a5c", "process.py"} & set(path.relative_to(folder).parts)]
    return {str(path.relative_to(folder)): path.read_text("utf-8") for path in own}


def commit_of(project: Project, step: str) -> str:
    run = open_run("r", str(project.runs_dir))
    return commit_at(run, step, Told(run))


def bring_back(project: Project, step: str) -> dict[str, object]:
    commit = commit_of(project, step)
    return restore(project.open(), commit, "f")


def test_what_lay_there_is_kept_before_each_batch(repository: Project) -> None:
    repository.begin(TWO, **KEEPING)
    (repository.folder / "new").write_text("untracked", "utf-8")
    repository.answer("1")
    assert git(repository.folder, "show", f"{commit_of(repository, '1')}:kept") == "one"
    assert git(repository.folder, "show", f"{commit_of(repository, '2')}:new") == "untracked"


def test_where_nothing_has_changed_nothing_is_kept_again(repository: Project) -> None:
    repository.begin(TWO, **KEEPING)
    repository.answer("1")
    assert repository.types().count("WORKSPACE_SAVED") == 1
    assert commit_of(repository, "2") == commit_of(repository, "1")


def test_the_files_come_back_as_they_were(repository: Project) -> None:
    folder = repository.folder
    (folder / "deep").mkdir()
    (folder / "deep" / "gone").write_text("gone", "utf-8")
    repository.begin(TWO, **KEEPING)
    before = files(folder)
    (folder / "kept").write_text("changed", "utf-8")
    (folder / "deep" / "gone").unlink()
    (folder / "added").mkdir()
    (folder / "added" / "new").write_text("new", "utf-8")
    now = files(folder)
    repository.answer("1")
    told = bring_back(repository, "1")
    assert (files(folder), (folder / "added").exists(), told["files"]) == (before, False, 3)
    restore(repository.open(), str(told["before"]), "again")
    assert files(folder) == now


def test_head_branch_and_index_stay_as_they_are(repository: Project) -> None:
    folder = repository.folder
    repository.begin(TWO, **KEEPING)
    (folder / "kept").write_text("staged", "utf-8")
    git(folder, "add", "kept")
    before = [git(folder, "rev-parse", "HEAD"), git(folder, "branch", "-a"), git(folder, "ls-files", "-s")]
    repository.answer("1")
    bring_back(repository, "1")
    after = [git(folder, "rev-parse", "HEAD"), git(folder, "branch", "-a"), git(folder, "ls-files", "-s")]
    assert (after, (folder / "kept").read_text("utf-8")) == (before, "one")


def test_a_file_behind_a_link_that_came_since_is_not_removed(repository: Project, tmp_path: Path) -> None:
    folder, elsewhere = repository.folder, tmp_path / "elsewhere"
    repository.begin(TWO, **KEEPING)
    (folder / "sub").mkdir()
    (folder / "sub" / "file").write_text("inside", "utf-8")
    repository.answer("1")
    commits = commit_of(repository, "1"), commit_of(repository, "2")
    elsewhere.mkdir()
    (elsewhere / "file").write_text("somebody else's", "utf-8")
    (folder / "sub" / "file").unlink()
    (folder / "sub").rmdir()
    os.symlink(elsewhere, folder / "sub")
    restore(repository.open(), commits[0], "f")
    assert (elsewhere / "file").read_text("utf-8") == "somebody else's"


def test_a_project_without_git_runs_as_always(project: Project) -> None:
    project.begin(TWO, **KEEPING)
    assert (project.answer("1").status, "WORKSPACE_SAVED" in project.types()) == ("waiting", False)


def test_a_run_that_does_not_want_it_keeps_nothing(repository: Project) -> None:
    repository.begin(TWO)
    assert "WORKSPACE_SAVED" not in repository.types()


def test_a_commit_that_is_gone_is_told(repository: Project) -> None:
    repository.begin(TWO, **KEEPING)
    with pytest.raises(InvalidInput) as caught:
        restore(repository.open(), "0" * 40, "f")
    assert str(caught.value).startswith(f"the commit {'0' * 40} is not in the repository of")


def test_a_repository_without_a_commit_is_kept_too(project: Project) -> None:
    git(project.folder, "init", "-q")
    (project.folder / "kept").write_text("one", "utf-8")
    project.begin(TWO, **KEEPING)
    (project.folder / "kept").write_text("two", "utf-8")
    project.answer("1")
    bring_back(project, "1")
    assert files(project.folder) == {"kept": "one"}
