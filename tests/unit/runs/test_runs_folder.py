from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING

import pytest
from projects import ASK_ONCE, Project

from babysitter.errors import CorruptEvent, MissingEvent, NoSuchRun, UnknownLayout, UnsafePath
from babysitter.runs.folder import run_ids

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def three(project: Project) -> Project:
    """Three runs, made in this order; by the times of their files it was the other way round."""
    project.write(ASK_ONCE)
    for age, name in enumerate(("alpha", "beta-1", "beta-2")):
        run = project.create(run_id=name)
        os.utime(os.path.join(run.folder, "run.json"), (1000 - age, 1000 - age))
    return project


@pytest.mark.parametrize(
    ("name", "found"), [("alpha", "alpha"), ("a", "alpha"), ("beta-1", "beta-1"), ("latest", "beta-2")]
)
def test_a_run_is_found(three: Project, name: str, found: str) -> None:
    assert three.open(name).run_id == found


def test_a_whole_id_comes_before_the_beginning_of_another(three: Project) -> None:
    three.create(run_id="beta-10")
    assert three.open("beta-1").run_id == "beta-1"


@pytest.mark.parametrize("name", ["beta", "b", "gamma", "alpha-1", "latest-1"])
def test_what_does_not_name_one_run_names_none(three: Project, name: str) -> None:
    with pytest.raises(NoSuchRun):
        three.open(name)


def test_a_run_that_cannot_be_read_is_never_the_latest(three: Project) -> None:
    latest = three.open("latest").run_id
    for content in (b"", b"[" * 100_000, b'{"createdAt":"9999-"'):
        (three.runs_dir / "alpha" / "run.json").write_bytes(content)
        assert three.open("latest").run_id == latest


def test_an_ambiguous_beginning_tells_the_runs_that_it_fits(three: Project) -> None:
    with pytest.raises(NoSuchRun, match="2 runs: beta-1, beta-2"):
        three.open("beta")


@pytest.mark.parametrize("name", ["", "-x", "a b", "a\n", "é", "x" * 65])
def test_a_name_that_cannot_be_an_id_is_unsafe(three: Project, name: str) -> None:
    with pytest.raises(UnsafePath):
        three.open(name)


@pytest.mark.parametrize("name", ["../nowhere", "/", "./x", "..", "."])
def test_a_path_that_is_no_run_folder_is_no_run(three: Project, name: str) -> None:
    with pytest.raises(NoSuchRun, match=r"no run\.json"):
        three.open(name)


def test_there_is_no_latest_run_where_there_is_none(project: Project) -> None:
    with pytest.raises(NoSuchRun, match="no run 'latest'"):
        project.open("latest")


@pytest.mark.parametrize(
    "name", ["{runs}/alpha", "{runs}/alpha/", ".a5c/runs/alpha", "./.a5c/../.a5c/runs/alpha"]
)
def test_a_run_is_found_by_its_folder(three: Project, name: str) -> None:
    assert three.open(name.format(runs=three.runs_dir)).folder == str(three.runs_dir / "alpha")


def test_a_link_is_not_listed_and_not_opened(three: Project) -> None:
    (three.runs_dir / "zulu").symlink_to(three.runs_dir / "alpha")
    assert sorted(run_ids(str(three.runs_dir))) == ["alpha", "beta-1", "beta-2"]
    with pytest.raises(UnsafePath, match="not a folder but a link"):
        three.open("zulu")


def test_a_journal_that_is_a_link_is_not_opened(three: Project) -> None:
    folder = three.runs_dir / "alpha"
    (folder / "journal").rename(three.folder / "moved")
    (folder / "journal").symlink_to(three.folder / "moved")
    with pytest.raises(UnsafePath):
        three.open("alpha")


def test_a_run_of_somebody_else_is_not_opened(three: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(UnsafePath, match="belongs to user"):
        three.open("alpha")


def test_what_is_no_run_is_not_listed(three: Project) -> None:
    (three.runs_dir / ".new-abc").mkdir()
    (three.runs_dir / "empty").mkdir()
    (three.runs_dir / "file").write_text("")
    assert sorted(run_ids(str(three.runs_dir))) == ["alpha", "beta-1", "beta-2"]


def test_a_run_folder_that_was_moved_is_read_and_belongs_to_its_project(
    three: Project, tmp_path: Path
) -> None:
    moved = shutil.move(three.runs_dir / "alpha", tmp_path / "moved")
    assert three.open(str(moved)).project == str(three.folder)


def test_a_project_that_was_moved_takes_its_runs_with_it(three: Project, tmp_path: Path) -> None:
    moved = Project(three.folder.rename(tmp_path / "moved"))
    assert moved.open("alpha").project == str(tmp_path / "moved")


def test_a_run_of_a_copied_project_belongs_to_the_copy(three: Project, tmp_path: Path) -> None:
    copy = Project(tmp_path / "copy")
    shutil.copytree(three.folder, copy.folder)
    assert copy.open("alpha").project == str(copy.folder)


def test_runs_outside_of_their_project_belong_to_it(project: Project, tmp_path: Path) -> None:
    project.runs_dir = tmp_path / "runs"
    project.create(ASK_ONCE, run_id="r")
    assert project.open().project == str(project.folder)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b"null",
        b"{}",
        b"\xff",
        b'{"layout":1}',
        b'{"layout":1,"runId":"r"}',
        b'{"layout":1,"runId":5,"processId":"p"}',
        b'{"layout":1,"runId":"../x","processId":"p"}',
        b"[" * 100_000,
    ],
)
def test_a_run_json_that_babysitter_did_not_write_is_not_trusted(three: Project, content: bytes) -> None:
    (three.runs_dir / "alpha" / "run.json").write_bytes(content)
    with pytest.raises(CorruptEvent, match=r"run\.json"):
        three.open("alpha")


def test_a_later_layout_is_not_guessed(three: Project) -> None:
    path = three.runs_dir / "alpha" / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "layout": 2}))
    with pytest.raises(UnknownLayout, match="layout 2"):
        three.open("alpha")


def test_the_run_json_of_another_run_does_not_fit_the_journal(three: Project) -> None:
    shutil.copy(three.runs_dir / "beta-1" / "run.json", three.runs_dir / "alpha" / "run.json")
    with pytest.raises(CorruptEvent):
        three.open("alpha")


def test_a_run_without_any_event_is_missing_its_first(three: Project) -> None:
    folder = three.runs_dir / "alpha"
    for path in (folder / "journal").iterdir():
        path.unlink()
    shutil.rmtree(folder / "state")
    with pytest.raises(MissingEvent):
        three.open("alpha")


def test_a_run_without_a_journal_folder_is_missing_it(three: Project) -> None:
    shutil.rmtree(three.runs_dir / "alpha" / "journal")
    with pytest.raises(MissingEvent):
        three.open("alpha")
