"""The project's git tree, kept with each batch and brought back; with real git."""

from __future__ import annotations

import os
import subprocess
from shutil import which
from typing import TYPE_CHECKING

import pytest

from babysitter.errors import InvalidInput
from babysitter.runs.changes import load_to_change, rewind
from babysitter.runs.folder import open_run
from babysitter.runs.forks import Told, commit_at
from babysitter.runs.workspace import Restored

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


def bring_back(project: Project, step: str) -> Restored:
    return Restored(project.open(), commit_of(project, step), "f")


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
    assert (files(folder), (folder / "added").exists(), told.files) == (before, False, 3)
    told.undo()
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
    Restored(repository.open(), commits[0], "f")
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
        Restored(repository.open(), "0" * 40, "f")
    assert str(caught.value).startswith(f"the commit {'0' * 40} is not in the repository of")


def test_a_repository_without_a_commit_is_kept_too(project: Project) -> None:
    git(project.folder, "init", "-q")
    (project.folder / "kept").write_text("one", "utf-8")
    project.begin(TWO, **KEEPING)
    (project.folder / "kept").write_text("two", "utf-8")
    project.answer("1")
    bring_back(project, "1")
    assert files(project.folder) == {"kept": "one"}


def test_what_git_ignores_by_now_is_not_overwritten(repository: Project) -> None:
    folder = repository.folder
    (folder / "config").write_text("then", "utf-8")
    repository.begin(TWO, **KEEPING)
    (folder / "config").unlink()
    repository.answer("1")
    (folder / ".gitignore").write_text("config\n", "utf-8")
    (folder / "config").write_text("the user's own", "utf-8")
    with pytest.raises(InvalidInput) as caught:
        bring_back(repository, "1")
    assert str(caught.value) == "'config' would be overwritten, and is in no commit"
    assert (folder / "config").read_text("utf-8") == "the user's own"


def test_a_folder_with_what_git_ignores_is_not_removed_for_a_file(repository: Project) -> None:
    folder = repository.folder
    (folder / "build").write_text("a file", "utf-8")
    repository.begin(TWO, **KEEPING)
    (folder / "build").unlink()
    (folder / "build").mkdir()
    (folder / ".gitignore").write_text("build/\n", "utf-8")
    (folder / "build" / "out").write_text("made for hours", "utf-8")
    with pytest.raises(InvalidInput):
        bring_back(repository, "1")
    assert (folder / "build" / "out").read_text("utf-8") == "made for hours"


def test_a_repository_in_the_place_of_a_file_is_not_removed(repository: Project) -> None:
    folder = repository.folder
    (folder / "sub").write_text("a file", "utf-8")
    repository.begin(TWO, **KEEPING)
    (folder / "sub").unlink()
    (folder / "sub").mkdir()
    git(folder / "sub", "init", "-q")
    (folder / "sub" / "inner").write_text("kept", "utf-8")
    git(folder / "sub", "add", "inner")
    git(folder / "sub", "commit", "-qm", "inner")
    with pytest.raises(InvalidInput):
        bring_back(repository, "1")
    assert ((folder / "sub" / ".git").is_dir(), (folder / "sub" / "inner").read_text("utf-8")) == (
        True,
        "kept",
    )


def test_only_the_project_counts_where_it_is_a_part_of_a_repository(project: Project) -> None:
    above = project.folder.parent
    git(above, "init", "-q")
    (above / "outside").write_text("one", "utf-8")
    (project.folder / "kept").write_text("one", "utf-8")
    project.begin(TWO, **KEEPING)
    (above / "outside").write_text("two", "utf-8")
    (above / "other").write_text("new", "utf-8")
    (project.folder / "kept").write_text("two", "utf-8")
    project.answer("1")
    bring_back(project, "1")
    assert ((above / "outside").read_text("utf-8"), (above / "other").exists()) == ("two", True)
    assert files(project.folder) == {"kept": "one"}


def test_the_tree_is_that_of_the_step_that_counts(repository: Project) -> None:
    folder = repository.folder
    repository.begin(TWO, **KEEPING)
    repository.answer("1")
    (folder / "kept").write_text("second", "utf-8")
    run = open_run("r", str(repository.runs_dir))
    rewind(run, "1", load_to_change(run), by="somebody")
    repository.iterate()
    repository.answer("1")
    assert git(folder, "show", f"{commit_of(repository, '2')}:kept") == "second"


def test_variables_of_git_lead_to_no_other_repository(
    repository: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    git(other, "init", "-q")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    repository.begin(TWO, **KEEPING)
    monkeypatch.delenv("GIT_DIR")
    assert git(repository.folder, "show", f"{commit_of(repository, '1')}:kept") == "one"


def test_that_git_refuses_is_told_once(repository: Project) -> None:
    (repository.folder / "sub").mkdir()
    git(repository.folder / "sub", "init", "-q")
    repository.begin(TWO, **KEEPING)
    repository.answer("1")
    (told,) = repository.data_of("PROCESS_LOG")
    assert (told["level"], told["message"].startswith("the project's git tree is not kept: ")) == (
        "warning",
        True,
    )


def test_what_was_there_stays_kept_whatever_runs_are_called(repository: Project) -> None:
    repository.begin(TWO, **KEEPING)
    (repository.folder / "kept").write_text("two", "utf-8")
    repository.answer("1")
    told = bring_back(repository, "1")
    repository.create(run_id="before-f", **KEEPING)
    repository.iterate("before-f")
    assert git(repository.folder, "rev-parse", told.ref) == told.before
