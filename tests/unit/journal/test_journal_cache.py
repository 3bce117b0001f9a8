"""The cache: it saves time, it never decides, and it knows what must not be gone."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.disk import Folder
from babysitter.errors import CorruptEvent, MissingEvent, TailRemoved
from babysitter.journal import cache
from babysitter.journal.store import Journal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from journal_folders import RunFolder

NOW = 1_795_484_901_123


def ignore(event: object) -> None:
    pass


def note(number: int) -> list[tuple[str, dict[str, Any]]]:
    return [("NOTE", {"n": number})]


def opened_by(monkeypatch: pytest.MonkeyPatch, act: Callable[[], object]) -> list[str]:
    """The names of the files that were opened for reading."""
    names: list[str] = []
    real_open = os.open

    def open_(path: str, flags: int, *rest: Any, **options: Any) -> int:
        if flags & (os.O_WRONLY | os.O_RDWR | os.O_DIRECTORY) == 0:
            names.append(os.path.basename(path))
        return real_open(path, flags, *rest, **options)

    with monkeypatch.context() as patched:
        patched.setattr(os, "open", open_)
        act()
    return names


def is_warm(run: RunFolder, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Whether reading the run opens its last event and the one that is not there, and no others."""
    names = opened_by(monkeypatch, run.loaded)
    return sum(name.startswith("0") for name in names) == 2


def marker(run: RunFolder, **changes: Any) -> dict[str, Any]:
    """Read head.json, and write it again when something in it is to change."""
    path = run.state / cache.MARKER
    found: dict[str, Any] = json.loads(path.read_bytes())
    del found["check"]
    if changes:
        found.update(changes)
        body = json.dumps(found)[:-1]
        path.write_text(f'{body},"check":"{hashlib.sha256(body.encode()).hexdigest()}"}}')
    return found


def test_the_lines_are_the_event_files_one_after_the_other(run: RunFolder) -> None:
    run.write(1, 3, 20)
    expected = b"".join(path.read_bytes() for path in run.files())
    assert (run.state / cache.LINES).read_bytes() == expected


def test_the_marker_says_how_far_the_lines_go(run: RunFolder) -> None:
    journal = run.write(1, 3)
    lines = (run.state / cache.LINES).read_bytes()
    found = os.stat(run.journal)
    names = "".join(path.name + "\n" for path in run.files())
    assert marker(run) == {
        "layout": 1,
        "runId": "run-1",
        "journal": [found.st_dev, found.st_ino],
        "seq": 4,
        "checksum": journal.head.checksum,
        "ms": NOW,
        "size": len(lines),
        "sha256": hashlib.sha256(lines).hexdigest(),
        "names": hashlib.sha256(names.encode()).hexdigest(),
        "flushed": [4, journal.head.checksum],
    }


@pytest.mark.parametrize("size", [1, 50, 300])
def test_a_warm_load_opens_four_files_however_long_the_run(
    run: RunFolder, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.write(size)
    names = opened_by(monkeypatch, run.loaded)
    assert (len(names), names[:2]) == (4, [cache.MARKER, cache.LINES])


def test_a_warm_load_gives_the_same_events_as_the_files(run: RunFolder) -> None:
    run.write(1, 3, 40)
    warm: list[Any] = []
    cold: list[Any] = []
    run.open().load(warm.append)
    run.open().load(cold.append, use_cache=False)
    assert [(event, event.data, event.raw_size) for event in warm] == [
        (event, event.data, event.raw_size) for event in cold
    ]


def test_what_was_appended_after_a_warm_load_is_in_the_cache(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.write(3)
    run.loaded().append(note(4), NOW)
    assert is_warm(run, monkeypatch)
    assert run.numbers() == [1, 2, 3, 4]


def test_what_others_wrote_is_in_the_cache_once_it_was_read(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = run.write(3)
    stale = {path.name: path.read_bytes() for path in run.state.iterdir()}
    run.loaded().append(note(4), NOW)
    for name, content in stale.items():
        (run.state / name).write_bytes(content)
    reader.read_since(ignore)
    assert is_warm(run, monkeypatch)


def test_a_stale_cache_is_read_and_then_the_files_behind_it(run: RunFolder) -> None:
    run.write(3)
    stale = {path.name: path.read_bytes() for path in run.state.iterdir()}
    run.write(2)
    for name, content in stale.items():
        (run.state / name).write_bytes(content)
    assert run.numbers() == [1, 2, 3, 4, 5]


def test_lines_of_several_megabytes_are_written_and_read(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = run.open()
    journal.append([("NOTE", {"n": n, "text": "x" * 100_000}) for n in range(35)], NOW)
    run.forget_cache()
    run.loaded()
    assert is_warm(run, monkeypatch)
    assert run.numbers() == list(range(35))


def remove_lines(run: RunFolder) -> None:
    (run.state / cache.LINES).unlink()


def remove_marker(run: RunFolder) -> None:
    (run.state / cache.MARKER).unlink()


def tear_lines(run: RunFolder) -> None:
    os.truncate(run.state / cache.LINES, 100)


def zero_lines(run: RunFolder) -> None:
    path = run.state / cache.LINES
    path.write_bytes(bytes(path.stat().st_size))


def flip_a_bit(run: RunFolder) -> None:
    path = run.state / cache.LINES
    content = bytearray(path.read_bytes())
    content[200] ^= 1
    path.write_bytes(content)


def make_a_folder(run: RunFolder) -> None:
    for name in (cache.LINES, cache.MARKER):
        (run.state / name).unlink()
        (run.state / name).mkdir()


def make_a_fifo(run: RunFolder) -> None:
    for name in (cache.LINES, cache.MARKER):
        (run.state / name).unlink()
        os.mkfifo(run.state / name)


def make_links(run: RunFolder) -> None:
    for name in (cache.LINES, cache.MARKER):
        (run.state / name).rename(run.path / name)
        (run.state / name).symlink_to(run.path / name)


def make_state_a_file(run: RunFolder) -> None:
    run.forget_cache()
    run.state.write_text("not a folder")


def make_state_a_link(run: RunFolder) -> None:
    run.state.rename(run.path / "elsewhere")
    run.state.symlink_to(run.path / "elsewhere")


def tear_marker(run: RunFolder) -> None:
    """A power cut in the middle of writing it over: the checksum is half of one event, half of another."""
    path = run.state / cache.MARKER
    content = path.read_bytes()
    middle = content.index(b'"flushed"') + len('"flushed":[99,"') + 32
    path.write_bytes(content[:middle] + b"0" * 16 + content[middle + 16 :])


def other_marker(**changes: Any) -> Callable[[RunFolder], object]:
    return lambda run: marker(run, **changes)


def marker_text(text: str) -> Callable[[RunFolder], object]:
    return lambda run: (run.state / cache.MARKER).write_text(text)


DAMAGES: list[Callable[[RunFolder], object]] = [
    lambda run: run.forget_cache(),
    remove_lines,
    remove_marker,
    tear_lines,
    tear_marker,
    zero_lines,
    flip_a_bit,
    make_a_folder,
    make_a_fifo,
    make_links,
    make_state_a_file,
    make_state_a_link,
    other_marker(layout=2),
    other_marker(runId="run-2"),
    other_marker(journal=[1, 2]),
    other_marker(size=10**9),
    other_marker(size=-1),
    other_marker(seq=0),
    other_marker(seq=10**30),
    other_marker(flushed=[]),
    other_marker(flushed=None),
    other_marker(names="0" * 64),
    other_marker(sha256=5),
    marker_text(""),
    marker_text("{"),
    marker_text("[]"),
    marker_text("null"),
    marker_text('{"layout": 1e999}'),
    marker_text("[" * 5000),
    marker_text("\0" * 300),
    marker_text("x" * 200_000),
]


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_cache_that_does_not_fit_is_rebuilt_without_a_word(
    run: RunFolder, damage: Callable[[RunFolder], object]
) -> None:
    head = run.write(1, 3, 20).head
    damage(run)
    assert run.numbers() == list(range(1, 25))
    assert run.open().verify() == head


@pytest.mark.parametrize("damage", DAMAGES)
def test_writing_goes_on_whatever_the_cache_is(run: RunFolder, damage: Callable[[RunFolder], object]) -> None:
    run.write(1, 3)
    damage(run)
    run.loaded().append(note(5), NOW)
    assert run.numbers() == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("damage", [tear_lines, zero_lines, flip_a_bit, remove_lines, remove_marker])
def test_after_one_reading_the_cache_fits_again(
    run: RunFolder, damage: Callable[[RunFolder], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    run.write(1, 3, 20)
    damage(run)
    run.loaded()
    assert is_warm(run, monkeypatch)


def test_nothing_is_written_through_links_in_the_cache(run: RunFolder) -> None:
    run.write(2)
    make_links(run)
    before = (run.path / cache.LINES).read_bytes()
    run.loaded().append(note(3), NOW)
    assert (run.path / cache.LINES).read_bytes() == before


def test_nothing_is_written_into_a_file_with_a_second_name(run: RunFolder) -> None:
    run.write(2)
    os.link(run.state / cache.LINES, run.path / "second")
    before = (run.path / "second").read_bytes()
    run.loaded().append(note(3), NOW)
    assert ((run.path / "second").read_bytes(), run.numbers()) == (before, [1, 2, 3])


def test_the_marker_is_written_over_in_place(run: RunFolder) -> None:
    before = (run.write(2) and run.state / cache.MARKER).stat().st_ino
    run.loaded().append(note(3), NOW)
    assert (os.stat(run.state / cache.MARKER).st_ino, marker(run)["seq"]) == (before, 3)


@pytest.mark.parametrize("damage", [remove_marker, marker_text("{"), marker_text("x" * 200_000)])
def test_a_marker_that_cannot_be_written_over_is_replaced(
    run: RunFolder, damage: Callable[[RunFolder], object]
) -> None:
    run.write(2)
    damage(run)
    run.loaded()
    assert marker(run)["seq"] == 2


def test_a_marker_with_a_second_name_is_replaced_and_not_written_over(run: RunFolder) -> None:
    run.write(2)
    os.link(run.state / cache.MARKER, run.path / "second")
    before = (run.path / "second").read_bytes()
    run.loaded().append(note(3), NOW)
    assert ((run.path / "second").read_bytes(), marker(run)["seq"]) == (before, 3)


def test_a_marker_that_is_just_being_written_is_read_again(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.write(3)
    whole = (run.state / cache.MARKER).read_bytes()
    real_read = Folder.read

    def read(folder: Folder, name: str, limit: int) -> bytes:
        content = real_read(folder, name, limit)
        if name == cache.MARKER and not torn:
            torn.append(content[:100] + b"0" * 10 + content[110:])
            return torn[0]
        return content

    torn: list[bytes] = []
    monkeypatch.setattr(Folder, "read", read)
    assert is_warm(run, monkeypatch)
    assert torn[0] != whole


def test_a_copied_run_builds_its_own_cache(run: RunFolder, tmp_path: Path) -> None:
    run.write(3)
    shutil.copytree(run.path, tmp_path / "copy")
    journal = Journal(str(tmp_path / "copy"), "run-1")
    journal.load(ignore)
    found = json.loads((tmp_path / "copy" / "state" / cache.MARKER).read_bytes())
    assert (journal.head.seq, found["journal"][1]) == (3, os.stat(tmp_path / "copy" / "journal").st_ino)


def test_a_copy_that_was_cut_short_is_no_removed_tail(run: RunFolder, tmp_path: Path) -> None:
    run.write(1, 1, 1)
    shutil.copytree(run.path, tmp_path / "copy")
    max((tmp_path / "copy" / "journal").iterdir()).unlink()
    assert Journal(str(tmp_path / "copy"), "run-1").load(ignore).seq == 2


def test_reading_a_folder_that_cannot_be_written_works(
    run: RunFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    run.write(3)
    run.forget_cache()
    real_open, real_mkdir = os.open, os.mkdir

    def open_(path: str, flags: int, *rest: Any, **options: Any) -> int:
        if flags & (os.O_WRONLY | os.O_CREAT):
            raise OSError(30, "Read-only file system")
        return real_open(path, flags, *rest, **options)

    def mkdir(*arguments: Any, **options: Any) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(os, "open", open_)
    monkeypatch.setattr(os, "mkdir", mkdir)
    assert run.numbers() == [1, 2, 3]
    monkeypatch.setattr(os, "mkdir", real_mkdir)


def test_verify_leaves_the_cache_as_it_is(run: RunFolder) -> None:
    run.write(3)
    run.forget_cache()
    run.open().verify()
    assert not run.state.exists()


@pytest.mark.parametrize("text", [b"", b"\n", b'"}\n'])
def test_a_last_event_of_which_only_the_end_is_left_is_noticed(run: RunFolder, text: bytes) -> None:
    run.write(1, 1, 1)
    run.files()[-1].write_bytes(text)
    with pytest.raises(CorruptEvent, match=run.files()[-1].name):
        run.loaded()


def test_a_marker_that_rots_accuses_nobody(run: RunFolder) -> None:
    run.write(1, 1, 1)
    path = run.state / cache.MARKER
    path.write_bytes(path.read_bytes().replace(b'"flushed":[3', b'"flushed":[7'))
    assert run.numbers() == [1, 2, 3]


# What must not be gone


def test_a_tail_that_was_removed_is_noticed(run: RunFolder) -> None:
    run.write(1, 1, 1)
    run.files()[-1].unlink()
    for read in (run.open().verify, run.loaded):
        with pytest.raises(
            TailRemoved, match="the journal ends with event 2, and event 3 was written before"
        ):
            read()


def test_a_removed_tail_is_noticed_from_the_marker_alone(run: RunFolder) -> None:
    run.write(1, 1, 1)
    run.files()[-1].unlink()
    remove_lines(run)
    with pytest.raises(TailRemoved):
        run.loaded()


def test_a_journal_that_was_emptied_is_a_removed_tail(run: RunFolder) -> None:
    run.write(1, 1)
    for path in run.files():
        path.unlink()
    with pytest.raises(TailRemoved, match="the journal ends with event 0"):
        run.loaded()


def test_a_removed_tail_is_noticed_as_long_as_nobody_looks_away(run: RunFolder) -> None:
    run.write(1, 1, 1)
    run.files()[-1].unlink()
    for _ in range(2):
        with pytest.raises(TailRemoved):
            run.loaded()


def test_a_tail_that_was_replaced_by_another_is_noticed(run: RunFolder, tmp_path: Path) -> None:
    run.write(1, 1, 1)
    kept = marker(run)
    run.files()[-1].unlink()
    run.forget_cache()
    run.loaded().append(note(300), NOW)
    marker(run, **kept)
    with pytest.raises(TailRemoved, match=r"event 3 has the checksum .* was written before"):
        run.loaded()


def test_what_was_read_before_it_was_flushed_may_vanish(run: RunFolder) -> None:
    run.write(1)
    stale = {path.name: path.read_bytes() for path in run.state.iterdir()}
    run.write(1)
    # The second writer was killed before it flushed the folder and wrote its marker.
    for name, content in stale.items():
        (run.state / name).write_bytes(content)
    run.loaded()
    assert marker(run)["flushed"][0] == 1
    run.files()[-1].unlink()
    assert run.loaded().head.seq == 1


def test_a_missing_event_is_noticed_with_a_warm_cache(run: RunFolder) -> None:
    run.write(1, 1, 1, 1)
    run.files()[1].unlink()
    with pytest.raises(MissingEvent, match="event 2 is missing"):
        run.loaded()


def test_lines_that_were_forged_digest_and_all_are_refused(run: RunFolder) -> None:
    run.write(1, 1, 1)
    path = run.state / cache.LINES
    forged = path.read_bytes().replace(b'"n":2', b'"n":7')
    path.write_bytes(forged)
    marker(run, sha256=hashlib.sha256(forged).hexdigest())
    with pytest.raises(CorruptEvent, match=r"the cache .*events.jsonl' was altered") as caught:
        run.loaded()
    assert caught.value.hint == "delete the folder 'state' of the run"


def test_lines_that_end_with_another_event_than_the_journal_are_not_used(run: RunFolder) -> None:
    run.write(1, 1, 1)
    path = run.state / cache.LINES
    forged = path.read_bytes().replace(b'"n":3', b'"n":7')
    path.write_bytes(forged)
    marker(run, sha256=hashlib.sha256(forged).hexdigest())
    assert run.numbers() == [1, 2, 3]
