from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from babysitter import library
from babysitter.errors import NoSuchProcess, UnsafePath
from babysitter.library import find_all, list_all, look_around, reopen, resolve

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def places(project: Path, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, Path]:
    """Empty folders of processes: of the project, the user and the plugin."""
    found = {
        "project": project / ".a5c" / "processes",
        "user": home / "processes",
        "plugin": tmp_path / "plugin" / "processes",
    }
    for folder in found.values():
        folder.mkdir(parents=True)
    monkeypatch.setattr(library, "plugin_root", lambda: str(tmp_path / "plugin"))
    return found


def add(folder: Path, name: str, skill: str | None = None) -> Path:
    """Put a process into a folder of processes; gives its file."""
    (folder / name).mkdir()
    file = folder / name / "process.py"
    file.write_text("async def process(inputs, ctx): pass\n")
    if skill is not None:
        (folder / name / "SKILL.md").write_text(skill)
    return file


@pytest.mark.parametrize("origin", ["project", "user", "plugin"])
def test_a_process_is_found_by_its_name(places: dict[str, Path], origin: str) -> None:
    file = add(places[origin], "deploy")
    entry = resolve("deploy")
    assert (entry.process_id, entry.file, entry.origin, entry.export) == (
        "deploy",
        str(file),
        origin,
        "process",
    )


def test_the_nearest_of_equal_names_is_found(places: dict[str, Path]) -> None:
    for folder in reversed(places.values()):
        add(folder, "deploy")
    assert [resolve("deploy").origin, *(entry.origin for entry in list_all(os.getcwd()))] == ["project"] * 2


def test_another_function_can_be_named(places: dict[str, Path]) -> None:
    add(places["user"], "deploy")
    assert [resolve(name).export for name in ("deploy#other", "x.py#other", "x.py#")] == [
        "other",
        "other",
        "process",
    ]


@pytest.mark.parametrize(
    ("name", "file", "process_id"),
    [
        ("release.py", "release.py", "release"),
        ("./release.py", "release.py", "release"),
        ("a/process.py", "a/process.py", "a"),
        ("a/b.py", "a/b.py", "b"),
    ],
)
def test_a_file_is_relative_to_the_working_directory(
    project: Path, name: str, file: str, process_id: str
) -> None:
    entry = resolve(name)
    assert (entry.file, entry.process_id, entry.origin) == (str(project / file), process_id, "file")


def test_a_folder_stands_for_the_process_in_it(project: Path) -> None:
    add(project, "deploy")
    assert resolve("./deploy").file == str(project / "deploy" / "process.py")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("links", "did you mean 'links.py'? It lies here"),
        ("links#other", "did you mean 'links.py#other'? It lies here"),
        ("deploy", "did you mean './deploy'? That folder lies here"),
        ("link", "`babysitter process list` shows them; or name a file: FILE.py"),
    ],
)
def test_a_file_that_was_named_without_its_ending_is_offered(
    project: Path, places: dict[str, Path], name: str, hint: str
) -> None:
    (project / "links.py").write_text("async def process(inputs, ctx): pass\n")
    add(project, "deploy")
    with pytest.raises(NoSuchProcess) as caught:
        resolve(name)
    assert caught.value.hint == hint


def test_a_file_beside_the_process_that_asks_for_it_is_offered(
    project: Path, tmp_path: Path, places: dict[str, Path]
) -> None:
    (tmp_path / "links.py").write_text("async def process(inputs, ctx): pass\n")
    with pytest.raises(NoSuchProcess) as caught:
        resolve("links", folder=str(tmp_path))
    assert caught.value.hint == "did you mean 'links.py'? It lies beside this process"


def test_a_name_that_there_is_not_tells_the_nearest(places: dict[str, Path]) -> None:
    add(places["plugin"], "quality-checks")
    with pytest.raises(NoSuchProcess, match="no process 'quality-cheks'") as caught:
        resolve("quality-cheks")
    assert caught.value.hint == "did you mean 'quality-checks'?"


@pytest.mark.parametrize("name", ["nothing", "", "#process", "-x", "a b"])
def test_a_name_that_is_like_no_other_tells_where_to_look(places: dict[str, Path], name: str) -> None:
    with pytest.raises(NoSuchProcess) as caught:
        resolve(name)
    assert "babysitter process list" in caught.value.hint


def test_a_file_name_that_is_not_text_is_refused(project: Path) -> None:
    with pytest.raises(UnsafePath):
        resolve(os.fsdecode(b"\xff.py"))


def test_what_is_no_process_is_not_listed(places: dict[str, Path]) -> None:
    (places["user"] / "empty").mkdir()
    (places["user"] / "file.txt").write_text("")
    add(places["user"], "not a name")
    add(places["user"], "good")
    assert [entry.process_id for entry in list_all(os.getcwd())] == ["good"]


def test_folders_that_are_absent_hold_nothing(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "plugin_root", lambda: "/nowhere")
    assert list_all(str(project)) == []


# As it stands in the journal


def test_a_file_of_the_project_is_stored_relative_to_it(project: Path) -> None:
    assert resolve("a/b.py").stored(str(project)) == {"file": "a/b.py", "export": "process"}


def test_a_file_elsewhere_is_stored_with_its_whole_path(project: Path, tmp_path: Path) -> None:
    assert resolve(f"{tmp_path}/b.py").stored(str(project))["file"] == f"{tmp_path}/b.py"


def test_a_project_whose_name_is_the_beginning_of_another_is_another(project: Path) -> None:
    assert resolve(f"{project}-2/b.py").stored(str(project))["file"] == f"{project}-2/b.py"


def test_a_process_of_the_library_is_found_again_where_it_is_now(
    places: dict[str, Path], project: Path
) -> None:
    add(places["plugin"], "deploy")
    stored = resolve("deploy").stored(str(project))
    (places["plugin"] / "deploy").rename(places["user"] / "deploy")
    assert reopen(stored, str(project)).file == str(places["user"] / "deploy" / "process.py")


def test_a_process_of_the_library_stays_where_it_was(places: dict[str, Path], project: Path) -> None:
    add(places["plugin"], "deploy")
    stored = resolve("deploy").stored(str(project))
    add(places["user"], "deploy")
    assert reopen(stored, str(project)).file == str(places["plugin"] / "deploy" / "process.py")


def test_a_file_of_the_project_moves_with_it(project: Path) -> None:
    stored = resolve("a/b.py#other").stored(str(project))
    entry = reopen(stored, "/moved")
    assert (entry.file, entry.export, entry.process_id) == ("/moved/a/b.py", "other", "b")


# Shadowed


def test_all_of_one_name_are_found_the_nearest_first(places: dict[str, Path], project: Path) -> None:
    for origin in ("plugin", "project", "user"):
        add(places[origin], "deploy")
    add(places["user"], "alone")
    nearest_first = ["project", "user", "plugin"]
    listed = [[entry.origin for entry in entries] for entries in look_around(str(project))[0]]
    assert (listed, [entry.origin for entry in find_all("deploy", str(project))]) == (
        [["user"], nearest_first],
        nearest_first,
    )
