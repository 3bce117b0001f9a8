"""An archive that a repository may have brought: what is wrong with it is found, and leaves nothing."""

from __future__ import annotations

import json
import os
import random
import stat
import struct
import warnings
import zipfile
from shutil import rmtree
from typing import TYPE_CHECKING, Any

import pytest
from put_away import FILE, FOLDER, archive_of, change, end, kept, left_in, members, packed, write

from babysitter.errors import CorruptArchive, JournalError, UnknownLayout, UnsafePath
from babysitter.runs import members as members_module
from babysitter.runs.unpacking import open_packed, restore
from tests.support.folders import digest_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from projects import Project


@pytest.fixture
def archive(project: Project) -> Path:
    """A packed run."""
    folder = end(project)
    packed(folder)
    return archive_of(folder)


def refused(archive: Path, error: type[Exception], match: str | None = None) -> None:
    """Restoring says this, and leaves nothing but what was there."""
    runs_dir = archive.parent.parent
    before = digest_of(runs_dir)
    with pytest.raises(error, match=match):
        restore("r", str(runs_dir))
    assert digest_of(runs_dir) == before


def test_an_archive_written_by_hand_is_restored(archive: Path) -> None:
    """So that what is refused below is refused for what was changed."""
    write(archive, members(archive))
    restore("r", str(archive.parent.parent))
    assert left_in(archive.parent.parent) == ["r"]


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "artifacts/../../evil",
        "/etc/evil",
        "artifacts//evil",
        "./evil",
        "artifacts/./evil",
        "artifacts/..",
        "..",
        ".",
        "/",
        "run.lock",
        "run.lock/x",
        "state",
        "state/head.json",
        "state/",
        "journal/000005.01M85VQD2HCR6QXQEQP111SBRV.json",
        "journal/1000050.json",
    ],
)
def test_a_name_that_no_file_of_a_run_has_is_unsafe(archive: Path, name: str) -> None:
    mode = FOLDER if name.endswith("/") else FILE
    write(archive, {**members(archive), name: (b"" if name.endswith("/") else b"x", mode)})
    refused(archive, UnsafePath, "which no file of a run is called")


@pytest.mark.parametrize(
    "kind", [stat.S_IFLNK, stat.S_IFIFO, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFSOCK, stat.S_IFDIR, 0]
)
def test_what_is_neither_a_file_nor_a_folder_is_unsafe(archive: Path, kind: int) -> None:
    write(archive, {**members(archive), "artifacts/x": (b"/etc/passwd", kind | 0o777)})
    refused(archive, UnsafePath, "which is neither a file nor a folder")


def test_a_file_that_calls_itself_a_folder_is_unsafe(archive: Path) -> None:
    write(archive, {**members(archive), "artifacts/x/": (b"", FILE)})
    refused(archive, UnsafePath, "which is neither a file nor a folder")


@pytest.mark.parametrize(
    ("more", "match"),
    [
        ({"artifacts/x/y": (b"", FILE)}, "without its folder"),
        ({"notes.txt/x": (b"", FILE)}, "without its folder"),
        ({"x/": (b"content", FOLDER)}, "the folder 'x/' has a content"),
    ],
)
def test_folders_that_do_not_fit_are_not_trusted(
    archive: Path, more: dict[str, tuple[bytes, int]], match: str
) -> None:
    write(archive, {**members(archive), **more})
    refused(archive, CorruptArchive, match)


@pytest.mark.parametrize("second", ["notes.txt", "notes.txt/"])
def test_a_name_that_is_there_twice_is_not_trusted(archive: Path, second: str) -> None:
    info = zipfile.ZipInfo(second)
    info.external_attr = (FOLDER if second.endswith("/") else FILE) << 16
    with zipfile.ZipFile(archive, "a") as opened, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        opened.writestr(info, b"" if second.endswith("/") else b"other")
    refused(archive, CorruptArchive, "it holds 'notes.txt' twice")


@pytest.mark.parametrize("name", ["packed.json", "journal.jsonl", "run.json"])
def test_an_archive_without_what_every_run_has_is_not_trusted(archive: Path, name: str) -> None:
    held = members(archive)
    about = json.loads(held["packed.json"][0])
    if name == "packed.json":
        del held[name]
        with zipfile.ZipFile(archive, "w") as opened:
            for each, (content, mode) in held.items():
                info = zipfile.ZipInfo(each)
                info.external_attr = mode << 16
                opened.writestr(info, content)
    else:
        del held[name], about["files"][name]
        write(archive, held, files=about["files"])
    refused(archive, CorruptArchive, f"it lacks '{name}'")


def test_a_file_that_the_list_does_not_name_is_not_trusted(archive: Path) -> None:
    held = members(archive)
    about = json.loads(held["packed.json"][0])
    write(archive, {**held, "artifacts/x": (b"", FILE)}, files=about["files"])
    refused(archive, CorruptArchive, "names other files or folders than there are")


def test_a_folder_that_the_list_does_not_name_is_not_trusted(archive: Path) -> None:
    held = members(archive)
    about = json.loads(held["packed.json"][0])
    write(archive, {**held, "x/": (b"", FOLDER)}, folders=about["folders"])
    refused(archive, CorruptArchive, "names other files or folders than there are")


@pytest.mark.parametrize(("name", "mode"), [("notes.txt", FILE | 0o100), ("artifacts/empty.txt", FILE)])
def test_a_program_that_the_list_names_otherwise_is_not_trusted(archive: Path, name: str, mode: int) -> None:
    held = members(archive)
    write(archive, {**held, name: (held[name][0], mode)})
    refused(archive, CorruptArchive, "names other programs than there are")


def test_a_file_that_is_not_there_is_missed(archive: Path) -> None:
    held = members(archive)
    about = json.loads(held["packed.json"][0])
    del held["notes.txt"]
    write(archive, held, files=about["files"])
    refused(archive, CorruptArchive, "names other files or folders than there are")


@pytest.mark.parametrize("name", ["notes.txt", "run.json", "journal.jsonl", "artifacts/empty.txt"])
def test_a_digest_that_does_not_fit_is_not_trusted(archive: Path, name: str) -> None:
    held = members(archive)
    files = {**json.loads(held["packed.json"][0])["files"], name: "0" * 64}
    write(archive, held, files=files)
    refused(archive, CorruptArchive, f"'{name}' is not what was packed")


@pytest.mark.parametrize(
    "edit",
    [
        lambda raw: raw.replace(b"RUN_COMPLETED", b"RUN_COMPLETEE"),
        lambda raw: raw[:-1],
        lambda raw: raw[raw.index(b"\n") + 1 :],
        lambda raw: raw[: raw[:-1].rindex(b"\n") + 1],
        lambda raw: raw + raw[raw[:-1].rindex(b"\n") + 1 :],
        lambda raw: raw + b"\n",
        lambda raw: b"",
        lambda raw: b"\xff" * 100,
        lambda raw: raw.replace(b"\n", b"\r\n"),
        lambda raw: b"".join(reversed(raw.splitlines(keepends=True))),
    ],
)
def test_a_journal_that_was_changed_digest_and_all_is_not_trusted(
    archive: Path, edit: Callable[[bytes], bytes]
) -> None:
    change(archive, "journal.jsonl", edit)
    refused(archive, JournalError)


def test_a_journal_of_another_run_is_not_trusted(archive: Path, project: Project) -> None:
    other = end(project, "other")
    packed(other)
    journal = members(archive_of(other))["journal.jsonl"][0]
    change(archive, "journal.jsonl", lambda raw: journal)
    refused(archive, JournalError)


@pytest.mark.parametrize("beginning", ["inputs.json", "tasks/", "output-"])
def test_a_file_that_is_not_what_its_event_says_is_not_trusted(archive: Path, beginning: str) -> None:
    (name,) = [each for each in members(archive) if each.startswith(beginning) and each.endswith(".json")]
    change(archive, name, lambda raw: b"1")
    refused(archive, CorruptArchive, "than its journal says")


@pytest.mark.parametrize(
    ("about", "match"),
    [
        ({"runId": "../x"}, "does not say what the run is"),
        ({"runId": "s"}, "holds the run 's'"),
        ({"runId": None}, "does not say what the run is"),
        ({"status": "waiting"}, "does not say what the run is"),
        ({"status": "failed"}, "holds another journal than it says"),
        ({"status": ["completed"]}, "does not say what the run is"),
        ({"events": True}, "does not say what the run is"),
        ({"events": 5}, "its journal ends with event 4"),
        ({"events": -1}, "its journal ends with event 4"),
        ({"checksum": "0" * 64}, "its journal ends with event 4"),
        ({"endedAt": "yesterday"}, "is not a time"),
        ({"files": []}, "does not say what the run is"),
        ({"files": {}}, "names other files or folders than there are"),
    ],
)
def test_what_the_archive_says_of_itself_has_to_be_so(
    archive: Path, about: dict[str, Any], match: str
) -> None:
    write(archive, members(archive), **about)
    refused(archive, CorruptArchive, match)


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[]", b"null", b"\xff", b'{"layout":1}', b'{"a":1,"a":2}', b"[" * 100_000, b"NaN"]
)
def test_a_list_that_is_none_is_not_trusted(archive: Path, raw: bytes) -> None:
    held = members(archive)
    with zipfile.ZipFile(archive, "w") as opened:
        for name, (content, mode) in held.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            opened.writestr(info, raw if name == "packed.json" else content)
    refused(archive, JournalError)


def test_a_later_layout_is_not_guessed(archive: Path) -> None:
    write(archive, members(archive), layout=2)
    refused(archive, UnknownLayout, "has layout 2")


@pytest.mark.parametrize("raw", [b"", b"PK", b"not a zip", b"PK\x05\x06" + b"\0" * 18, b"\0" * 5000])
def test_what_is_no_zip_is_not_trusted(archive: Path, raw: bytes) -> None:
    archive.write_bytes(raw)
    refused(archive, CorruptArchive)


def test_an_encrypted_member_is_not_trusted(archive: Path) -> None:
    raw = bytearray(archive.read_bytes())
    at = raw.rindex(b"PK\x01\x02")
    raw[at + 8] |= 1
    archive.write_bytes(raw)
    refused(archive, CorruptArchive, "is encrypted")


def test_a_member_packed_in_another_way_is_not_trusted(archive: Path) -> None:
    held = members(archive)
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_BZIP2) as opened:
        for name, (content, mode) in held.items():
            info = zipfile.ZipInfo(name)
            info.external_attr = mode << 16
            info.compress_type = zipfile.ZIP_BZIP2
            opened.writestr(info, content)
    refused(archive, CorruptArchive, "packed in an unknown way")


def directory(raw: bytearray, name: bytes) -> int:
    """Where in the file the directory's entry of a member begins."""
    at = raw.index(b"PK\x01\x02")
    while raw[at + 46 : at + 46 + len(name)] != name:
        at = raw.index(b"PK\x01\x02", at + 4)
    return at


@pytest.mark.parametrize("size", [0, 1, 76_799, 76_801, 0x7FFFFFFF])
def test_a_size_that_is_not_so_is_found_out(archive: Path, size: int) -> None:
    raw = bytearray(archive.read_bytes())
    at = directory(raw, b"artifacts/deep/down/file.bin")
    struct.pack_into("<I", raw, at + 24, size)
    archive.write_bytes(raw)
    with pytest.raises(CorruptArchive), open_packed("r", str(archive.parent.parent)) as opened:
        opened.check()


def test_members_that_share_their_bytes_are_not_trusted(archive: Path) -> None:
    """Thousands of names for one large content would make a small file endless."""
    raw = bytearray(archive.read_bytes())
    first, second = directory(raw, b"artifacts/deep/down/file.bin"), directory(raw, b"inputs.json")
    raw[second + 42 : second + 46] = raw[first + 42 : first + 46]
    archive.write_bytes(raw)
    refused(archive, CorruptArchive, "lies over another member")


def test_more_than_is_ever_packed_is_not_unpacked(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members_module, "MOST_BYTES", 100_000)
    refused(archive, CorruptArchive, "it claims to hold more than is ever packed")
    monkeypatch.undo()
    monkeypatch.setattr(members_module, "MOST_MEMBERS", 5)
    refused(archive, CorruptArchive, "it claims to hold more than is ever packed")


def test_a_list_larger_than_any_is_not_read(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(members_module, "MOST_ABOUT", 100)
    refused(archive, CorruptArchive, r"packed\.json has \d+ bytes")


@pytest.mark.parametrize("make", [lambda path, to: path.symlink_to(to), lambda path, to: os.mkfifo(path)])
def test_what_is_no_file_is_not_read(
    archive: Path, make: Callable[[Path, Path], object], tmp_path: Path
) -> None:
    archive.rename(tmp_path / "moved")
    make(archive, tmp_path / "moved")
    runs_dir = str(archive.parent.parent)
    with pytest.raises(UnsafePath):
        restore("r", runs_dir)
    assert left_in(archive.parent.parent) == ["r.zip"]


def test_a_folder_of_archives_that_is_a_link_is_not_read(archive: Path, tmp_path: Path) -> None:
    archive.parent.rename(tmp_path / "moved")
    archive.parent.symlink_to(tmp_path / "moved")
    with pytest.raises(UnsafePath, match="not a folder but a link"):
        restore("r", str(archive.parent.parent))


def test_an_archive_of_somebody_else_is_not_read(archive: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(UnsafePath, match="belongs to user"):
        restore("r", str(archive.parent.parent))


def outcome(archive: Path) -> str:
    """What becomes of an archive: restored, or the class of the error; anything else is a defect."""
    runs_dir = archive.parent.parent
    try:
        restore("r", str(runs_dir), keep=True)
    except (JournalError, UnsafePath) as error:
        assert left_in(runs_dir) == ["r.zip"]
        return type(error).__name__
    return "restored"


@pytest.mark.torture
def test_an_archive_that_is_cut_anywhere_is_not_trusted(
    archive: Path, torture: bool, count: Callable[[str, int], None]
) -> None:
    raw = archive.read_bytes()
    lengths = range(0, len(raw), 1 if torture else 197)
    for length in lengths:
        archive.write_bytes(raw[:length])
        assert outcome(archive) == "CorruptArchive", length
    count("archives cut", len(lengths))


def with_modes(folder: Path) -> dict[str, tuple[str, int]]:
    """What is in a run folder, with the rights."""
    return {name: (held, (folder / name).stat().st_mode) for name, held in kept(folder).items()}


@pytest.mark.torture
def test_an_archive_with_a_changed_byte_is_refused_or_the_same(
    archive: Path, torture: bool, count: Callable[[str, int], None]
) -> None:
    """A byte that nobody needs, such as a time, may differ; then what comes out is what was packed."""
    raw = archive.read_bytes()
    runs_dir = archive.parent.parent
    restore("r", str(runs_dir), keep=True)
    expected = with_modes(runs_dir / "r")
    chance = random.Random(len(raw))  # noqa: S311
    places = range(len(raw)) if torture else sorted(chance.sample(range(len(raw)), 60))
    for place in places:
        rmtree(runs_dir / "r", ignore_errors=True)
        archive.write_bytes(raw[:place] + bytes([raw[place] ^ 1 << place % 8]) + raw[place + 1 :])
        if outcome(archive) == "restored":
            assert with_modes(runs_dir / "r") == expected, place
    count("archives changed", len(places))


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_an_archive_that_was_given_away_is_not_read(archive: Path) -> None:
    os.chown(archive, 12345, -1)
    refused(archive, UnsafePath, "is not a regular file of your own")
