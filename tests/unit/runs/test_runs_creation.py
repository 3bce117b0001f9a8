from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from projects import ASK_ONCE, Project, flushed_from_now_on

from babysitter.errors import InvalidInput, NoSuchProcess, RunExists, StorageError, UnsafePath
from babysitter.limits import Limits

if TYPE_CHECKING:
    from pathlib import Path


def names(project: Project) -> list[str]:
    """What is in the folder of runs."""
    return sorted(os.listdir(project.runs_dir)) if project.runs_dir.exists() else []


def test_a_run_is_whole_when_create_returns(project: Project) -> None:
    run = project.create(ASK_ONCE, {"a": 1}, run_id="r", prompt="Do it")
    assert sorted(os.listdir(run.folder)) == ["artifacts", "inputs.json", "journal", "run.json", "state"]


def test_the_first_event_says_what_the_run_is_made_of(project: Project) -> None:
    project.create(ASK_ONCE, {"a": 1}, run_id="r", prompt="Do it", version="1.2.3")
    (created,) = project.data_of("RUN_CREATED")
    told = {name: created[name] for name in ("runId", "processId", "entrypoint", "prompt", "engine")}
    assert told == {
        "runId": "r",
        "processId": "project",
        "entrypoint": {"file": "process.py", "export": "process"},
        "prompt": "Do it",
        "engine": "1.2.3",
    }


def test_a_run_is_private(project: Project) -> None:
    run = project.create(ASK_ONCE)
    modes = {oct(os.stat(os.path.join(run.folder, name)).st_mode & 0o777) for name in os.listdir(run.folder)}
    assert (oct(os.stat(run.folder).st_mode & 0o777), modes) == ("0o700", {"0o700", "0o600"})


def test_an_id_of_its_own_shows_the_process(project: Project) -> None:
    assert project.create(ASK_ONCE).run_id.startswith("project-")


def test_an_existing_run_is_refused_and_not_touched(project: Project) -> None:
    project.create(ASK_ONCE, run_id="r")
    before = project.digest()
    with pytest.raises(RunExists):
        project.create(run_id="r")
    assert project.digest() == before


@pytest.mark.parametrize("run_id", ["../x", "a/b", "/x", ".", "..", "", "-rf", "a\n", "x" * 65, "é"])
def test_an_id_that_is_no_id_is_refused_before_it_becomes_a_path(project: Project, run_id: str) -> None:
    project.write(ASK_ONCE)
    before = project.digest()
    with pytest.raises(UnsafePath):
        project.create(run_id=run_id)
    assert project.digest() == before


def test_latest_cannot_be_an_id(project: Project) -> None:
    with pytest.raises(InvalidInput, match="newest run"):
        project.create(ASK_ONCE, run_id="latest")


def test_a_file_in_the_place_of_the_run_is_a_run_that_exists(project: Project) -> None:
    project.runs_dir.mkdir(parents=True)
    (project.runs_dir / "r").write_text("mine")
    with pytest.raises(RunExists):
        project.create(ASK_ONCE, run_id="r")
    assert (project.runs_dir / "r").read_text() == "mine"


def failing(number: int) -> Any:
    def fail(*_: Any, **__: Any) -> None:
        raise OSError(number, os.strerror(number))

    return fail


@pytest.mark.parametrize("call", ["rename", "mkdir", "link", "fsync", "write"])
def test_a_disk_that_refuses_leaves_nothing_behind(
    project: Project, call: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.create(ASK_ONCE)  # so that the folder of runs is there
    before = project.digest()
    monkeypatch.setattr(os, call, failing(errno.ENOSPC))
    with pytest.raises(StorageError):
        project.create(run_id="r")
    monkeypatch.undo()
    assert project.digest() == before


def test_an_interruption_leaves_nothing_behind(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "rename", interrupt)
    with pytest.raises(KeyboardInterrupt):
        project.create(ASK_ONCE, run_id="r")
    monkeypatch.undo()
    assert names(project) == [".gitignore"]


def test_a_kill_before_the_rename_leaves_no_run(project: Project) -> None:
    project.write(ASK_ONCE)
    script = f"""
import os, sys
sys.path[:0] = {sys.path!r}
rename = os.rename
os.rename = lambda *names, **folders: rename(*names, **folders) if folders else os._exit(9)
from projects import Project
from pathlib import Path
Project(Path({str(project.folder)!r})).create(run_id="r")
"""
    code = subprocess.run([sys.executable, "-c", script], check=False).returncode
    # Under a name that nobody takes for a run.
    assert (code, [name[:5] for name in names(project)]) == (9, [".giti", ".new-"])


def test_a_run_that_another_command_makes_at_the_same_moment_stands(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = project.create(ASK_ONCE, run_id="other")
    rename = os.rename

    def late(source: str, target: str, **folders: int) -> None:
        if not folders:  # with them it is the cache's
            shutil.copytree(other.folder, target)
        rename(source, target, **folders)

    monkeypatch.setattr(os, "rename", late)
    with pytest.raises(RunExists):
        project.create(run_id="r")
    monkeypatch.undo()
    assert (names(project), project.open("r").run_id) == ([".gitignore", "other", "r"], "other")


def test_folders_that_a_killed_creation_may_not_have_flushed_are_flushed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.runs_dir.mkdir(parents=True)
    flushed = flushed_from_now_on(monkeypatch)
    project.create(ASK_ONCE)
    assert {project.folder.stat().st_ino, project.runs_dir.parent.stat().st_ino} <= set(flushed)


def test_the_way_to_the_runs_is_flushed_once(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.create(ASK_ONCE)
    flushed = flushed_from_now_on(monkeypatch)
    project.create()
    assert project.folder.stat().st_ino not in flushed


def test_the_first_who_writes_flushes_the_way_to_a_run_whose_creation_may_have_been_killed(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.create(ASK_ONCE, run_id="r")
    flushed = flushed_from_now_on(monkeypatch)
    project.iterate()
    assert {project.runs_dir.stat().st_ino, (project.runs_dir / "r").stat().st_ino} <= set(flushed)


def test_two_creations_at_once_make_one_run_of_one_id(project: Project) -> None:
    project.write(ASK_ONCE)
    script = f"""
import sys
sys.path[:0] = {sys.path!r}
from projects import Project
from pathlib import Path
from babysitter.errors import RunExists
try:
    Project(Path({str(project.folder)!r})).create(run_id="r")
except RunExists:
    sys.exit(3)
"""
    started = [subprocess.Popen([sys.executable, "-c", script]) for _ in range(4)]
    assert sorted(process.wait() for process in started) == [0, 3, 3, 3]


def test_runs_are_kept_out_of_git(project: Project) -> None:
    project.create(ASK_ONCE)
    assert (project.runs_dir / ".gitignore").read_text() == "*\n"


def test_git_is_told_nothing_in_a_folder_that_was_there_before(project: Project, tmp_path: Path) -> None:
    project.runs_dir = tmp_path / "mine"
    project.runs_dir.mkdir()
    project.create(ASK_ONCE, run_id="r")
    assert names(project) == ["r"]


@pytest.mark.parametrize(
    ("source", "error", "said"),
    [
        ("x = ]", InvalidInput, "line 10: "),
        ("x = 1\0", InvalidInput, "null bytes"),
        ("y = 1", NoSuchProcess, "has no 'process'"),
        ("def process(inputs, ctx): pass", InvalidInput, "not an async function"),
        ("async def process(inputs, ctx):\n  yield", InvalidInput, "not an async function"),
        ("process = 3", InvalidInput, "not an async function"),
        ("1 / 0", InvalidInput, "raises ZeroDivisionError"),
        ("import sys; sys.exit()", InvalidInput, "raises SystemExit"),
        ("class Odd(BaseException): pass\nraise Odd('x')", InvalidInput, "raises Odd: x"),
        ("import nowhere_to_be_found", InvalidInput, "raises ModuleNotFoundError"),
        ("while True: pass", InvalidInput, "has not ended after 0.2 s"),
        ("while True:\n  try: pass\n  except BaseException: pass", InvalidInput, "has not ended after 0.2 s"),
    ],
)
def test_a_process_that_cannot_be_loaded_makes_no_run(
    project: Project, source: str, error: type[Exception], said: str
) -> None:
    project.write(source)
    before = project.digest()
    with pytest.raises(error, match=said):
        project.create(limits=Limits(iterate_seconds=0.2))
    assert project.digest() == before


def test_a_process_file_that_is_missing_makes_no_run(project: Project) -> None:
    with pytest.raises(NoSuchProcess, match="there is no process file"):
        project.create()
    assert names(project) == []


def test_what_a_process_prints_while_it_is_imported_goes_to_standard_error(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.create(f"print('hello')\n{ASK_ONCE}")
    assert capsys.readouterr() == ("", "hello\n")


def test_inputs_that_do_not_fit_make_no_run(project: Project) -> None:
    project.write(f"Inputs = {{'type': 'object', 'required': ['name']}}\n{ASK_ONCE}")
    before = project.digest()
    with pytest.raises(InvalidInput, match="name is needed"):
        project.create()
    assert project.digest() == before


@pytest.mark.parametrize(("inputs", "prompt"), [({"a": "\ud800"}, None), ({}, "\ud800")])
def test_half_a_character_makes_no_run(project: Project, inputs: Any, prompt: str | None) -> None:
    project.write(ASK_ONCE)
    with pytest.raises(InvalidInput, match="surrogate"):
        project.create(inputs=inputs, prompt=prompt)
    assert names(project) == []


def test_a_folder_of_runs_that_is_a_file_is_an_error_of_the_disk(project: Project, tmp_path: Path) -> None:
    project.runs_dir = tmp_path / "file"
    project.runs_dir.write_text("")
    with pytest.raises(StorageError):
        project.create(ASK_ONCE)


def test_a_process_outside_of_the_project_is_stored_with_its_whole_path(
    project: Project, tmp_path: Path
) -> None:
    path = project.write(ASK_ONCE)
    project.create(project=str(tmp_path / "elsewhere"), run_id="r")
    assert project.data_of("RUN_CREATED")[0]["entrypoint"]["file"] == str(path)


def test_the_place_of_runs_in_the_project_is_kept(project: Project) -> None:
    run = project.create(ASK_ONCE)
    about = json.loads((project.runs_dir / run.run_id / "run.json").read_text())
    assert (about["project"], about["place"]) == (str(project.folder), ".a5c/runs")
