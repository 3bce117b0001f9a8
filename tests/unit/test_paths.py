from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from babysitter.errors import UnsafePath, UsageError
from babysitter.paths import home, plugin_root, project_dir, runs_dir

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def inner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``outer/middle/inner``, which is the working directory."""
    folder = tmp_path / "outer" / "middle" / "inner"
    folder.mkdir(parents=True)
    monkeypatch.chdir(folder)
    return folder


def test_without_a_mark_the_working_directory_is_the_project(inner: Path) -> None:
    assert project_dir() == str(inner)


@pytest.mark.parametrize("mark", [".a5c", ".git"])
def test_the_nearest_folder_upward_with_a_mark_is_the_project(inner: Path, mark: str) -> None:
    (inner.parent / mark).mkdir()
    (inner.parent.parent / mark).mkdir()
    assert project_dir() == str(inner.parent)


def test_a_folder_of_ours_comes_before_one_of_git(inner: Path) -> None:
    (inner / ".git").mkdir()
    (inner.parent.parent / ".a5c").mkdir()
    assert project_dir() == str(inner.parent.parent)


def test_git_may_be_a_file(inner: Path) -> None:
    (inner.parent / ".git").write_text("gitdir: elsewhere")
    assert project_dir() == str(inner.parent)


def test_the_users_own_folder_makes_no_project(inner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own = inner.parent.parent / ".a5c"
    own.mkdir()
    monkeypatch.setenv("BABYSITTER_HOME", str(own))
    assert project_dir() == str(inner)


def test_a_project_is_found_from_any_folder(inner: Path, tmp_path: Path) -> None:
    (tmp_path / ".a5c").mkdir()
    assert project_dir(str(inner)) == str(tmp_path)


def test_a_working_directory_that_is_gone_is_told(inner: Path) -> None:
    inner.rmdir()
    with pytest.raises(UsageError, match="the working directory does not exist any more"):
        project_dir()


def test_a_path_that_is_not_text_is_refused(inner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = os.fsencode(inner) + b"/\xff"
    os.mkdir(folder)
    monkeypatch.chdir(os.fsdecode(folder))
    for find in (project_dir, runs_dir):
        with pytest.raises(UnsafePath, match="is not UTF-8"):
            find()


def test_runs_are_in_the_project(inner: Path) -> None:
    (inner.parent / ".a5c").mkdir()
    assert runs_dir() == str(inner.parent / ".a5c" / "runs")


def test_the_variable_names_the_folder_of_runs(inner: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BABYSITTER_RUNS_DIR", "elsewhere")
    assert runs_dir() == str(inner / "elsewhere")


def test_what_the_command_says_comes_before_the_variable(
    inner: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("BABYSITTER_RUNS_DIR", "elsewhere")
    assert runs_dir("told") == str(inner / "told")


def test_the_users_own_folder_is_where_the_variable_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BABYSITTER_HOME", "/some/where/../else")
    assert home() == "/some/else"


def test_the_users_own_folder_is_in_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BABYSITTER_HOME")
    monkeypatch.setenv("HOME", "/home/somebody")
    assert home() == "/home/somebody/.a5c"


def test_the_plugin_has_the_manifest() -> None:
    assert os.path.isfile(os.path.join(plugin_root(), ".claude-plugin", "plugin.json"))


def test_an_installed_package_brings_its_own_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("babysitter.paths.PACKAGE", str(tmp_path / "site-packages" / "babysitter"))
    assert plugin_root() == str(tmp_path / "site-packages" / "babysitter" / "_plugin")
