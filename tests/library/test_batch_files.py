"""The batch over files, on real files, by the command line."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

import pytest
from small_projects import Babysitter, write

if TYPE_CHECKING:
    from pathlib import Path


def batch(babysitter: Babysitter, *words: str) -> Any:
    return babysitter("run", "batch-files", "--json", *words)


def test_every_file_is_measured(project: Path, babysitter: Babysitter) -> None:
    text = "ein Wort\nZwölf Boxkämpfer jagen\n"
    write(project, {"a b.txt": text})
    (measured,) = batch(babysitter).data["files"]
    assert measured == {
        "file": "a b.txt",
        "sha256": hashlib.sha256(text.encode()).hexdigest(),
        "bytes": len(text.encode()),
        "lines": 2,
        "words": 5,
        "longestLine": 22,
    }


def test_a_binary_file_has_no_lines(project: Path, babysitter: Babysitter) -> None:
    (project / "a.bin").write_bytes(b"\0\n" * 5000)
    (measured,) = batch(babysitter).data["files"]
    assert sorted(measured) == ["bytes", "file", "sha256"]


def test_the_report_begins_with_the_largest_file_and_has_the_totals(
    project: Path, babysitter: Babysitter
) -> None:
    write(project, {"b.txt": "1\n", "sub/c.txt": "1\n2\n3\n", "a.txt": "1\n"})
    data = batch(babysitter, "-i", "limit=2").data
    assert ([file["file"] for file in data["files"]], data["totals"]) == (
        ["sub/c.txt", "a.txt", "b.txt"],
        {"bytes": 10, "lines": 5, "words": 5},
    )


def test_only_files_that_fit_the_pattern_are_taken(project: Path, babysitter: Babysitter) -> None:
    write(project, {"data/a.csv": "", "data/b.txt": "", "data/sub/c.csv": "", ".hidden.csv": ""})
    data = batch(babysitter, "-i", "path=data", "-i", "pattern=*.csv").data
    assert [file["file"] for file in data["files"]] == ["a.csv"]


def test_hidden_files_and_installed_packages_are_left_out(project: Path, babysitter: Babysitter) -> None:
    write(project, {".git/a": "", "node_modules/b/c.js": "", "d.js": ""})
    assert [file["file"] for file in batch(babysitter).data["files"]] == ["d.js"]


def test_a_file_that_cannot_be_read_spoils_no_other(project: Path, babysitter: Babysitter) -> None:
    write(project, {"good.txt": "1\n"})
    # Its name is no text, so that nobody can open it under the name that the report has for it.
    (project / os.fsdecode(b"bad-\xff.txt")).write_bytes(b"")
    ended = batch(babysitter)
    assert (ended.code, ended.data["processed"], [bad["file"] for bad in ended.data["failed"]]) == (
        0,
        1,
        ["bad-\\udcff.txt"],
    )


def test_the_run_fails_when_no_file_can_be_read(project: Path, babysitter: Babysitter) -> None:
    (project / os.fsdecode(b"bad-\xff.txt")).write_bytes(b"")
    ended = batch(babysitter)
    assert (ended.code, ended.json["error"]["message"].partition(":")[0]) == (
        1,
        "none of the 1 files could be read",
    )


def test_no_files_are_no_failure(babysitter: Babysitter) -> None:
    ended = batch(babysitter)
    assert (ended.code, ended.data["processed"]) == (0, 0)


def test_people_are_told_how_far_it_is(project: Path, babysitter: Babysitter) -> None:
    write(project, {f"{number}.txt": "" for number in range(20)})
    text = babysitter("run", "batch-files").text
    assert [f"{count} of 20 files done" in text for count in (2, 10, 20)] == [True, True, True]


@pytest.mark.parametrize("pair", ["limit=0", "limit=many", "pattern="])
def test_inputs_that_do_not_fit_are_refused(pair: str, babysitter: Babysitter) -> None:
    assert batch(babysitter, "-i", pair).code == 2


def test_a_folder_that_does_not_exist_fails_the_run(babysitter: Babysitter) -> None:
    assert batch(babysitter, "-i", "path=nowhere").code == 1
