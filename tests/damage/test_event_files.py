"""Event files that were cut, removed, moved, doubled or replaced: commands name the first bad one."""

from __future__ import annotations

import os
import shutil
import socket
import stat
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from asking import COMMANDS, SOUND, UNTRUSTED, ask
from small_runs import EVENTS, build

from babysitter.errors import JournalError
from tests.support.driving import babysitter

if TYPE_CHECKING:
    from collections.abc import Callable

    from small_runs import SmallRun

    Count = Callable[[str, int], None]

pytestmark = pytest.mark.torture


class Damage(NamedTuple):
    """What is done to a run, and what a command has to say about it.

    Attributes:
        names: what the message names: an event's number, for its file, or words.
        is_hidden: a cache that fits keeps the damage from being seen, and gives the truth.
    """

    act: Callable[[SmallRun], object]
    names: int | str
    is_hidden: bool = False


def rewrite(number: int, change: Callable[[bytes], bytes], run: SmallRun) -> None:
    path = run.event(number)
    path.write_bytes(change(path.read_bytes()))


def remove(number: int, run: SmallRun) -> None:
    run.event(number).unlink()


def swap_names(first: int, second: int, run: SmallRun) -> None:
    one, other = run.event(first), run.event(second)
    one.rename(run.folder / "aside")
    other.rename(one)
    (run.folder / "aside").rename(other)


def swap_texts(first: int, second: int, run: SmallRun) -> None:
    one, other = run.event(first), run.event(second)
    texts = one.read_bytes(), other.read_bytes()
    other.write_bytes(texts[0])
    one.write_bytes(texts[1])


def double(number: int, name: str, run: SmallRun) -> None:
    """A second file with an event's text; ``name`` begins with its number."""
    shutil.copy(run.event(number), run.journal / f"{name}{run.event(number).name[6:]}")


def renumber(by: int, run: SmallRun) -> None:
    for path in sorted(run.files(), reverse=by > 0):
        path.rename(path.with_name(f"{int(path.name[:6]) + by:06d}{path.name[6:]}"))


def take_from_another_run(number: int, run: SmallRun, *, keeps_name: bool) -> None:
    other = build(run.folder.parents[2] / "elsewhere", "other").event(number)
    if not keeps_name:
        other.rename(run.journal / other.name)
        run.event(number).unlink()
    else:
        other.rename(run.event(number))


def take_journal_of_another_run(run: SmallRun) -> None:
    other = build(run.folder.parents[2] / "elsewhere", "other")
    shutil.rmtree(run.journal)
    shutil.copytree(other.journal, run.journal)


def merge(number: int, run: SmallRun) -> None:
    following = run.event(number + 1)
    text = following.read_bytes()
    following.unlink()
    rewrite(number, lambda raw: raw + text, run)


def replace_by(make: Callable[[Path, bytes], object], number: int, run: SmallRun) -> None:
    """Put something that is no file in an event's place."""
    path = run.event(number)
    text = path.read_bytes()
    path.unlink()
    make(path, text)


def make_folder(path: Path, text: bytes) -> None:
    path.mkdir()
    path.joinpath("text").write_bytes(text)


def make_fifo(path: Path, text: bytes) -> None:
    os.mkfifo(path)


def make_socket(path: Path, text: bytes) -> None:
    # A socket's path is short, and the project's may not be.
    before = os.getcwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as made:
            made.bind(path.name)
    finally:
        os.chdir(before)


def make_link(path: Path, text: bytes) -> None:
    target = path.parents[1] / "elsewhere"
    target.write_bytes(text)
    path.symlink_to(target)


def make_dead_link(path: Path, text: bytes) -> None:
    path.symlink_to("nowhere")


def make_device(path: Path, text: bytes) -> None:
    try:
        os.mknod(path, stat.S_IFCHR | 0o600, os.makedev(1, 5))
    except PermissionError:
        path.write_bytes(text)
        pytest.skip("only root may make devices")


DAMAGES: dict[str, Damage] = {
    "emptied": Damage(partial(rewrite, 3, lambda raw: b""), 3, True),
    "last emptied": Damage(partial(rewrite, 8, lambda raw: b""), 8),
    "without its end of line": Damage(partial(rewrite, 4, lambda raw: raw[:-1]), 4, True),
    "with a second end of line": Damage(partial(rewrite, 4, lambda raw: raw + b"\n"), 4, True),
    "CRLF": Damage(partial(rewrite, 4, lambda raw: raw.replace(b"\n", b"\r\n")), 4, True),
    "last with CRLF": Damage(partial(rewrite, 8, lambda raw: raw.replace(b"\n", b"\r\n")), 8),
    "BOM": Damage(partial(rewrite, 1, lambda raw: b"\xef\xbb\xbf" + raw), 1, True),
    "UTF-16": Damage(partial(rewrite, 2, lambda raw: raw.decode().encode("utf-16")), 2, True),
    "with spaces": Damage(partial(rewrite, 5, lambda raw: raw.replace(b",", b", ")), 5, True),
    "another value": Damage(partial(rewrite, 8, lambda raw: raw.replace(b"third", b"fifth")), 8),
    "a longer line in it": Damage(partial(rewrite, 8, lambda raw: raw.replace(b"1.5", b"1.50")), 8),
    "first removed": Damage(partial(remove, 1), "event 1 is missing"),
    "first of a batch removed": Damage(partial(remove, 2), "event 2 is missing"),
    "last of a batch removed": Damage(partial(remove, 3), "event 3 is missing"),
    "one in the middle removed": Damage(partial(remove, 4), "event 4 is missing"),
    "last but one removed": Damage(partial(remove, 7), "event 7 is missing"),
    "names swapped": Damage(partial(swap_names, 3, 4), 3, True),
    "names of first and last swapped": Damage(partial(swap_names, 1, 8), 1),
    "texts swapped": Damage(partial(swap_texts, 5, 6), 5, True),
    "texts of the last two swapped": Damage(partial(swap_texts, 7, 8), 7),
    "doubled under its number": Damage(
        lambda run: shutil.copy(run.event(3), run.journal / "000003.copy.json"),
        "'000003.copy.json' is a second",
    ),
    "doubled under an earlier number": Damage(partial(double, 3, "000002"), "event file with the number 2"),
    "doubled under the next number": Damage(partial(double, 3, "000009"), "after event 8 comes '000009."),
    "doubled under a later number": Damage(partial(double, 3, "000012"), "event 9 is missing, and event 12"),
    "doubled under seven digits": Damage(
        partial(double, 3, "1000012"), "event 9 is missing, and event 1000012"
    ),
    "renumbered upward": Damage(partial(renumber, 1), "event 1 is missing"),
    "renumbered downward": Damage(partial(renumber, -1), "'000000."),
    "from another run": Damage(partial(take_from_another_run, 4, keeps_name=True), 4, True),
    "from another run, with its name": Damage(partial(take_from_another_run, 4, keeps_name=False), "000004."),
    "last from another run": Damage(partial(take_from_another_run, 8, keeps_name=True), 8),
    "the journal of another run": Damage(take_journal_of_another_run, "000001."),
    "two in one": Damage(partial(merge, 4), 4),
    "a folder": Damage(partial(replace_by, make_folder, 4), 4, True),
    "last a folder": Damage(partial(replace_by, make_folder, 8), 8),
    "a pipe": Damage(partial(replace_by, make_fifo, 8), 8),
    "a socket": Damage(partial(replace_by, make_socket, 8), 8),
    "a device": Damage(partial(replace_by, make_device, 8), 8),
    "a link to its own text": Damage(partial(replace_by, make_link, 8), 8),
    "a link in the middle": Damage(partial(replace_by, make_link, 4), 4, True),
    "a link that leads nowhere": Damage(partial(replace_by, make_dead_link, 8), 8),
    "a folder in the place of the next": Damage(lambda run: run.next_path().mkdir(), 9),
    "a link in the place of the next": Damage(lambda run: run.next_path().symlink_to(run.event(8)), 9),
    "an empty file in the place of the next": Damage(lambda run: run.next_path().touch(), 9),
}


@pytest.fixture(params=DAMAGES)
def damage(request: pytest.FixtureRequest) -> Damage:
    return DAMAGES[request.param]


def named_by(damage: Damage, run: SmallRun) -> str:
    """The words that a message about the damage has in it; asked before it is done."""
    if isinstance(damage.names, str):
        return damage.names
    return run.next_path().name if damage.names > EVENTS else run.event(damage.names).name


def test_without_a_cache_every_command_names_it_and_changes_nothing(
    run: SmallRun, damage: Damage, capsys: pytest.CaptureFixture[str], count: Count
) -> None:
    named = named_by(damage, run)
    damage.act(run)
    run.forget_cache()
    before = run.digest()
    told = {name: ask(capsys, name) for name in COMMANDS}
    count("corruptions", 1)
    assert {name: (each.code, named in each.message) for name, each in told.items()} == dict.fromkeys(
        COMMANDS, (UNTRUSTED, True)
    ), told
    assert run.digest() == before


def test_with_a_cache_every_command_names_it_or_tells_the_truth(
    run: SmallRun, damage: Damage, capsys: pytest.CaptureFixture[str], count: Count
) -> None:
    named, truth = named_by(damage, run), run.read()
    damage.act(run)
    before = run.digest()
    if damage.is_hidden:
        assert run.read() == truth
        expected = {name: (code, False) for name, code in SOUND.items()}
    else:
        expected = dict.fromkeys(COMMANDS, (UNTRUSTED, True))
    told = {name: ask(capsys, name) for name in COMMANDS}
    count("corruptions", 1)
    assert {name: (each.code, named in each.message) for name, each in told.items()} == expected, told
    assert {name: content for name, content in run.digest().items() if name in before} == before


def test_verify_finds_it_whatever_the_cache_says(run: SmallRun, damage: Damage, count: Count) -> None:
    damage.act(run)
    before = {path.name: path.read_bytes() for path in run.state.iterdir()}
    count("corruptions", 1)
    with pytest.raises(JournalError):
        run.verify()
    assert {path.name: path.read_bytes() for path in run.state.iterdir()} == before


# What nobody can know: the end is all that tells where a journal ends.


@pytest.mark.parametrize(("removed", "left"), [([8], 7), ([8, 7], 6), ([8, 7, 6], 5), ([8, 6], 5)])
def test_without_a_cache_the_rest_of_a_journal_that_was_cut_is_read(
    run: SmallRun, removed: list[int], left: int
) -> None:
    for number in removed:
        run.event(number).unlink()
    run.forget_cache()
    assert run.read().events == left


@pytest.mark.parametrize("removed", [[8], [8, 7], [8, 7, 6], [8, 6], [8, 7, 6, 5, 4, 3, 2, 1]])
def test_with_a_cache_a_journal_that_was_cut_is_refused(
    run: SmallRun, removed: list[int], capsys: pytest.CaptureFixture[str]
) -> None:
    for number in removed:
        run.event(number).unlink()
    before = run.digest()
    told = [ask(capsys, name) for name in COMMANDS]
    assert [(each.code, "event 8 was written" in each.message) for each in told] == [(5, True)] * 3
    assert run.digest() == before


# What is nobody's business


FOREIGN = [".DS_Store", "x.json", "0000001.json", "000003.json~", "000003.01ABC.json.swp", "readme", "1.json"]


@pytest.mark.parametrize("name", FOREIGN)
@pytest.mark.parametrize("make", [Path.touch, Path.mkdir, os.mkfifo])
@pytest.mark.parametrize("is_warm", [True, False])
def test_what_cannot_be_an_event_by_its_name_is_left_alone(
    run: SmallRun, name: str, make: Callable[[Path], object], is_warm: bool
) -> None:
    truth = run.read()
    make(run.journal / name)
    if not is_warm:
        run.forget_cache()
    assert (run.read(), run.verify()) == (truth, EVENTS)
    assert (run.journal / name).exists()


def test_a_second_name_of_an_event_file_outside_changes_nothing(run: SmallRun) -> None:
    truth = run.read()
    os.link(run.event(4), run.folder / "second")
    run.forget_cache()
    assert run.read() == truth


@pytest.mark.parametrize("command", COMMANDS)
def test_the_command_itself_ends_with_the_code_and_names_the_event(run: SmallRun, command: str) -> None:
    rewrite(3, lambda raw: raw.replace(b"ask", b"asl"), run)
    run.forget_cache()
    ended = babysitter(*COMMANDS[command])
    assert (ended.code, ended.stdout, run.event(3).name in ended.stderr) == (UNTRUSTED, "", True)
    assert "Traceback" not in ended.stderr
