"""Folders of runs that are known: noted once, found from everywhere, never in the way."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from babysitter.places import known, remember

if TYPE_CHECKING:
    from pathlib import Path


def folder(path: Path) -> str:
    path.mkdir(parents=True)
    return str(path)


def files(home: Path) -> list[Path]:
    return sorted((home / "places").iterdir())


def test_what_was_noted_is_known(tmp_path: Path) -> None:
    places = [folder(tmp_path / name) for name in ("b", "a")]
    for place in places:
        remember(place)
    assert known() == sorted(places)


def test_without_any_nothing_is_known() -> None:
    assert known() == []


def test_a_place_is_written_once(home: Path, tmp_path: Path) -> None:
    place = folder(tmp_path / "runs")
    remember(place)
    (file,) = files(home)
    before = file.stat().st_ino
    remember(place)
    assert (files(home), file.stat().st_ino, file.stat().st_mode & 0o777) == ([file], before, 0o600)


def test_a_file_that_a_power_cut_has_left_empty_is_written_again(home: Path, tmp_path: Path) -> None:
    place = folder(tmp_path / "runs")
    remember(place)
    files(home)[0].write_bytes(b"")
    assert known() == []
    remember(place)
    assert known() == [place]


def test_a_folder_that_has_gone_is_passed_over(tmp_path: Path) -> None:
    for name in ("here", "gone"):
        remember(folder(tmp_path / name))
    os.rmdir(tmp_path / "gone")
    assert known() == [str(tmp_path / "here")]


def test_one_that_was_noted_by_two_ways_is_one(tmp_path: Path) -> None:
    place = folder(tmp_path / "runs")
    (tmp_path / "way").symlink_to(place)
    for path in (place, str(tmp_path / "way")):
        remember(path)
    assert known() == [place]


@pytest.mark.parametrize("content", [b"relative/path", b"/another/path", b"\xff\xfe", b"x" * (1 << 15)])
def test_a_file_that_says_something_else_than_its_name_is_passed_over(
    home: Path, tmp_path: Path, content: bytes
) -> None:
    remember(folder(tmp_path / "runs"))
    files(home)[0].write_bytes(content)
    assert known() == []


def test_a_home_that_cannot_be_written_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("in the place of the user's folder")
    monkeypatch.setenv("BABYSITTER_HOME", str(tmp_path / "file"))
    remember(folder(tmp_path / "runs"))
    assert known() == []
