"""Processes in installed packages: real wheels and editable installs, laid out as pip does."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING

import pytest

from babysitter.installed import offers
from babysitter.library import find, list_all, look_around, reopen

if TYPE_CHECKING:
    from pathlib import Path

PROCESS = "async def process(inputs, ctx): return 'from a package'\n"


def site_packages(root: Path) -> Path:
    folder = root / "lib" / f"python3.{sys.version_info[1]}" / "site-packages"
    folder.mkdir(parents=True)
    return folder


def install(site: Path, name: str, points: str, *, source: str | None = None) -> None:
    """What pip leaves of a package; ``source``: where it is worked on, if it is editable."""
    told = site / f"{name.replace('-', '_')}-1.2.dist-info"
    told.mkdir()
    (told / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    (told / "entry_points.txt").write_text(points)
    if source is not None:
        (told / "direct_url.json").write_text(json.dumps({"url": source, "dir_info": {"editable": True}}))


def put(folder: Path) -> None:
    folder.mkdir(parents=True)
    (folder / "process.py").write_text(PROCESS)


def points(value: str, name: str = "acme") -> str:
    return f"[babysitter.processes]\n{name} = {value}\n\n[console_scripts]\nx = x:y\n"


@pytest.fixture
def site(project: Path) -> Path:
    """Where the project's own environment has its packages."""
    return site_packages(project / ".venv")


def named(project: Path) -> dict[str, str]:
    """The processes of packages, each with where it lies within the project."""
    return {
        entry.process_id: os.path.relpath(entry.file, project)
        for entry in list_all(str(project))
        if entry.origin == "package"
    }


def test_a_package_without_the_entry_point_has_none(site: Path, project: Path) -> None:
    install(site, "acme-tools", "[console_scripts]\nx = x:y\n")
    assert offers(str(project)) == []


def test_the_folders_in_a_folder_are_processes_by_their_names(site: Path, project: Path) -> None:
    install(site, "acme-tools", points("acme.processes"))
    for name in ("release", "publish", "not a name"):
        put(site / "acme" / "processes" / name)
    (site / "acme" / "processes" / "empty").mkdir()
    where = os.path.relpath(site / "acme" / "processes", project)
    assert named(project) == {name: f"{where}/{name}/process.py" for name in ("release", "publish")}


def test_a_folder_with_a_process_is_one_by_the_name_of_the_entry_point(site: Path, project: Path) -> None:
    install(site, "acme-tools", points("acme.release_process", "release"))
    put(site / "acme" / "release_process")
    entry = find("release", str(project))
    assert entry is not None
    assert (entry.origin, entry.package, entry.as_json()["package"]) == (
        "package",
        "acme-tools 1.2",
        "acme-tools 1.2",
    )


@pytest.mark.parametrize("below", ["", "src"])
def test_a_package_that_is_worked_on_is_found_where_its_source_is(
    site: Path, project: Path, tmp_path: Path, below: str
) -> None:
    source = tmp_path / "a package"
    install(site, "acme-tools", points("acme"), source=source.as_uri())
    put(source / below / "acme" / "release")
    entry = find("release", str(project))
    assert entry is not None
    assert entry.file == str(source / below / "acme" / "release" / "process.py")


@pytest.mark.parametrize("told", ["nonsense", "{}", "null", '{"url": 1, "dir_info": {"editable": true}}'])
def test_where_the_source_is_may_be_said_badly(site: Path, project: Path, told: str) -> None:
    install(site, "acme-tools", points("acme"), source="file:///x")
    (site / "acme_tools-1.2.dist-info" / "direct_url.json").write_text(told)
    assert [offer.folder for offer in offers(str(project))] == [""]


def test_what_a_package_names_and_does_not_have_is_told(site: Path, project: Path) -> None:
    install(site, "acme-tools", points("acme.processes"))
    (fault,) = look_around(str(project))[1]
    assert fault == "package acme-tools 1.2 names 'acme.processes' as a folder of processes; it is not there"
    assert named(project) == {}


def test_packages_beside_babysitter_are_looked_through(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = tmp_path / "beside"
    beside.mkdir()
    install(beside, "acme-tools", points("acme"))
    put(beside / "acme" / "release")
    monkeypatch.syspath_prepend(str(beside))
    assert (entry := find("release", str(project)))
    assert entry.file == str(beside / "acme" / "release" / "process.py")


def test_nothing_of_a_package_is_imported_to_find_its_processes(site: Path, project: Path) -> None:
    install(site, "acme-tools", points("acme"))
    put(site / "acme" / "release")
    (site / "acme" / "__init__.py").write_text("raise SystemExit")
    assert list(named(project)) == ["release"]


def test_the_nearer_one_wins(site: Path, project: Path, home: Path) -> None:
    install(site, "acme-tools", points("acme"))
    for folder in (
        site / "acme" / "release",
        site / "acme" / "quality-checks",
        home / "processes" / "release",
    ):
        put(folder)
    origins = {entry.process_id: entry.origin for entry in list_all(str(project))}
    assert (origins["release"], origins["quality-checks"]) == ("user", "plugin")


def test_a_run_of_a_package_finds_its_process_where_it_is_now(
    site: Path, project: Path, tmp_path: Path
) -> None:
    install(site, "acme-tools", points("acme"))
    put(site / "acme" / "release")
    entry = find("release", str(project))
    assert entry is not None
    stored = entry.stored(str(project))
    (project / ".venv").rename(tmp_path / "old")
    (newer := project / ".venv" / "lib" / "python3.99" / "site-packages").mkdir(parents=True)
    install(newer, "acme-tools", points("acme"))
    put(newer / "acme" / "release")
    assert reopen(stored, str(project)).file == str(newer / "acme" / "release" / "process.py")


# Whoever can write into a project can put anything into its environment


def info(site: Path) -> Path:
    return site / "acme_tools-1.2.dist-info"


@pytest.mark.parametrize("content", [b"[babysitter.processes]\nno value\n= acme\n# a = acme\n", b"]\n[", b""])
def test_lines_that_name_nothing_are_passed_over(site: Path, project: Path, content: bytes) -> None:
    install(site, "acme-tools", "")
    (info(site) / "entry_points.txt").write_bytes(content)
    assert [offer.folder for offer in offers(str(project))] in ([], [""])


def test_points_that_cannot_be_read_are_told(site: Path, project: Path) -> None:
    install(site, "acme-tools", "")
    (info(site) / "entry_points.txt").write_bytes(b"[babysitter.processes]\nacme = \xff\n")
    (offer,) = offers(str(project))
    assert offer.fault.startswith("the entry points of package acme-tools 1.2 cannot be read: ")


@pytest.mark.parametrize("target", ["/dev/zero", "/dev/stdin"])
def test_a_device_in_the_place_of_points_is_not_read(site: Path, project: Path, target: str) -> None:
    install(site, "acme-tools", "")
    (info(site) / "entry_points.txt").unlink()
    (info(site) / "entry_points.txt").symlink_to(target)
    assert "cannot be read" in offers(str(project))[0].fault


def test_a_pipe_in_the_place_of_points_is_not_waited_for(site: Path, project: Path) -> None:
    install(site, "acme-tools", "")
    (info(site) / "entry_points.txt").unlink()
    os.mkfifo(info(site) / "entry_points.txt")
    assert "cannot be read" in offers(str(project))[0].fault


@pytest.mark.parametrize("value", ["..", "../outside", "/outside", "", "acme..x", "acme/processes", "a b"])
def test_a_value_that_is_no_module_leads_nowhere(site: Path, project: Path, value: str) -> None:
    put(site / "outside" / "evil")
    install(site, "acme-tools", points(value))
    assert named(project) == {}


def test_a_source_that_is_no_file_is_none(site: Path, project: Path, tmp_path: Path) -> None:
    put(tmp_path / "acme" / "release")
    install(site, "acme-tools", points("acme"), source=f"https://{tmp_path}")
    assert named(project) == {}


def test_a_name_that_is_no_id_names_no_process(site: Path, project: Path) -> None:
    put(site / "acme")
    install(site, "acme-tools", points("acme", "not a name"))
    assert named(project) == {}


def test_the_path_of_a_project_may_have_brackets_in_it(tmp_path: Path) -> None:
    project = tmp_path / "odd [x]"
    site = site_packages(project / ".venv")
    install(site, "acme-tools", points("acme"))
    put(site / "acme" / "release")
    assert list(named(project)) == ["release"]


def test_what_is_beside_babysitter_comes_before_what_the_project_has(
    site: Path, project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = tmp_path / "beside"
    for folder in (beside, site):
        folder.mkdir(exist_ok=True)
        install(folder, "acme-tools", points("acme"))
        put(folder / "acme" / "release")
    monkeypatch.syspath_prepend(str(beside))
    files = {entry.file for entry in list_all(str(project)) if entry.origin == "package"}
    assert files == {str(beside / "acme" / "release" / "process.py")}


def test_a_package_beside_babysitter_may_be_anywhere_that_python_looks(
    project: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside, source = tmp_path / "beside", tmp_path / "source" / "lib"
    beside.mkdir()
    install(beside, "acme-tools", points("acme"), source=(tmp_path / "source").as_uri())
    put(source / "acme" / "release")
    for folder in (source, beside):
        monkeypatch.syspath_prepend(str(folder))
    assert (entry := find("release", str(project)))
    assert entry.file == str(source / "acme" / "release" / "process.py")
