from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.errors import InvalidInput, NoSuchProcess, StorageError
from babysitter.ids import sha256_hex
from babysitter.runs.source import MODULE_NAME, Source

if TYPE_CHECKING:
    from pathlib import Path

    from projects import Project

PROCESS = """
async def process(inputs, ctx):
    return None
"""


def load(project: Project, source: str = "") -> Source:
    return Source(str(project.write(source + PROCESS, "plain.py")), "process")


def digest_of(path: Path) -> str:
    return sha256_hex(path.read_bytes())


def test_the_digest_is_that_of_the_process_file(project: Project) -> None:
    source = load(project)
    assert source.digests == {"plain.py": digest_of(project.folder / "plain.py")}


def test_a_module_beside_the_process_is_loaded_and_hashed(project: Project) -> None:
    helper = project.write("NAME = 'beside'", "helper.py")
    source = load(project, "from helper import NAME\n")
    assert (source.module.NAME, source.digests["helper.py"]) == ("beside", digest_of(helper))


@pytest.mark.parametrize("init", [True, False])
def test_a_package_beside_the_process_is_loaded_and_hashed(project: Project, init: bool) -> None:
    if init:
        project.write("", "lib/__init__.py")
    project.write("NAME = 'inside'", "lib/deep.py")
    source = load(project, "from lib.deep import NAME\n")
    modules = {"plain.py", "lib/deep.py", *(["lib/__init__.py"] if init else [])}
    assert (source.module.NAME, set(source.digests)) == ("inside", modules)


def test_a_package_can_import_its_own_modules(project: Project) -> None:
    project.write("from .deep import NAME\nfrom . import other", "lib/__init__.py")
    project.write("from .other import NAME", "lib/deep.py")
    project.write("NAME = 'relative'", "lib/other.py")
    assert load(project, "from lib import NAME\n").module.NAME == "relative"


def test_a_module_that_is_imported_late_is_hashed_then(project: Project) -> None:
    project.write("NAME = 'late'", "later.py")
    source = load(project, "def name():\n  from later import NAME\n  return NAME\n")
    before = set(source.digests)
    assert (before, source.module.name(), set(source.digests)) == (
        {"plain.py"},
        "late",
        {"plain.py", "later.py"},
    )


def test_installed_packages_are_not_hashed(project: Project) -> None:
    assert set(load(project, "import yaml, json, email.mime.text\n").digests) == {"plain.py"}


def test_installed_packages_are_not_hashed_when_they_are_below_the_folder(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.write("from .part import NAME", ".venv/site-packages/installed/__init__.py")
    project.write("NAME = 'installed'", ".venv/site-packages/installed/part.py")
    monkeypatch.syspath_prepend(project.folder / ".venv" / "site-packages")
    source = load(project, "from installed import NAME\n")
    assert (source.module.NAME, set(source.digests)) == ("installed", {"plain.py"})


def test_an_installed_package_comes_before_a_folder_of_its_name(project: Project) -> None:
    (project.folder / "wcwidth_of_nobody").mkdir()
    (project.folder / "yaml").mkdir()
    project.write("", "yaml/notes.txt")
    assert hasattr(load(project, "import yaml\n").module.yaml, "safe_load")


def test_a_module_beside_the_process_comes_before_an_installed_one(project: Project) -> None:
    project.write("NAME = 'mine'", "pluggy.py")
    before = sys.modules.pop("pluggy")
    try:
        assert load(project, "import pluggy\n").module.pluggy.NAME == "mine"
    finally:
        sys.modules["pluggy"] = before


def test_a_module_of_the_standard_library_comes_first(project: Project) -> None:
    project.write("NAME = 'mine'", "cmd.py")
    assert hasattr(load(project, "import cmd\n").module.cmd, "Cmd")


def test_nobody_takes_the_place_of_babysitter(project: Project) -> None:
    project.write("raise ZeroDivisionError", "babysitter/__init__.py")
    project.write("raise ZeroDivisionError", "babysitter.py")
    assert set(load(project, "import babysitter\nfrom babysitter import shell\n").digests) == {"plain.py"}


def test_what_runs_is_what_was_hashed(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    path = project.write("VALUE = 1\n" + PROCESS, "plain.py")
    read = Source.read

    def read_and_change(self: Source, name: str) -> bytes:
        content = read(self, name)
        path.write_text("VALUE = 2\n" + PROCESS)
        return content

    monkeypatch.setattr(Source, "read", read_and_change)
    source = Source(str(path), "process")
    assert (source.module.VALUE, source.digests["plain.py"]) == (1, sha256_hex(source.content))


def test_no_bytecode_is_left_beside_the_process(project: Project) -> None:
    project.write("", "helper.py")
    load(project, "import helper\n")
    assert not list(project.folder.rglob("*.pyc"))


def test_the_modules_of_the_process_before_are_forgotten(project: Project) -> None:
    project.write("NAME = 'first'", "one/helper.py")
    project.write("NAME = 'second'", "two/helper.py")
    told = []
    for folder in ("one", "two"):
        path = project.write("from helper import NAME\n" + PROCESS, f"{folder}/plain.py")
        told.append(Source(str(path), "process").module.NAME)
    assert told == ["first", "second"]


def test_a_class_finds_its_module_by_name(project: Project) -> None:
    source = load(project, "import dataclasses\n@dataclasses.dataclass\nclass Point:\n  x: 'int' = 1\n")
    assert sys.modules[MODULE_NAME] is source.module


def test_another_function_of_the_file_can_be_named(project: Project) -> None:
    path = project.write(PROCESS.replace("process(", "other("), "plain.py")
    assert Source(str(path), "other").process.__name__ == "other"


def test_digests_are_known_also_of_a_file_that_raises(project: Project) -> None:
    path = project.write("1 / 0", "plain.py")
    digests: dict[str, str] = {}
    with pytest.raises(ZeroDivisionError):
        Source(str(path), "process", digests)
    assert digests == {"plain.py": digest_of(path)}


@pytest.mark.parametrize("name", ["missing.py", "file.txt/process.py", "."])
def test_a_file_that_is_not_there_is_no_process(project: Project, name: str) -> None:
    project.write("", "file.txt")
    with pytest.raises(NoSuchProcess, match="there is no process file"):
        Source(str(project.folder / name), "process")


def test_a_file_that_cannot_be_read_is_an_error_of_the_disk(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "read", refuse)
    with pytest.raises(StorageError, match="cannot be read"):
        load(project)


def test_a_syntax_error_in_a_module_beside_names_that_module(project: Project) -> None:
    project.write("x = (", "helper.py")
    with pytest.raises(InvalidInput, match=r"helper\.py' is not valid Python: line 1"):
        load(project, "import helper\n")
