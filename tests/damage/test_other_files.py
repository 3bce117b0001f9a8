"""Everything in a run folder beside its events: what is not as it was written is never believed."""

from __future__ import annotations

import json
import os
import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from asking import COMMANDS, SOUND, UNSAFE, UNTRUSTED, ask
from small_runs import EVENTS, build

from babysitter.errors import BabysitterError
from babysitter.journal.cache import LINES, MARKER
from babysitter.runs.folder import open_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from small_runs import SmallRun

    Count = Callable[[str, int], None]
    Act = Callable[[Path], object]

pytestmark = pytest.mark.torture


def cut(path: Path) -> None:
    os.truncate(path, path.stat().st_size // 2)


def zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def change(path: Path) -> None:
    path.write_bytes(path.read_bytes().replace(b"there", b"where").replace(b"large", b"small"))


def grow(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b" ")


def link(path: Path) -> None:
    path.rename(path.parent / "aside")
    path.symlink_to("aside")


def link_nowhere(path: Path) -> None:
    path.unlink()
    path.symlink_to("nowhere")


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def make_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


CHANGES: dict[str, tuple[Act, int]] = {
    "emptied": (partial(os.truncate, length=0), UNTRUSTED),
    "cut": (cut, UNTRUSTED),
    "zeroed": (zero, UNTRUSTED),
    "edited": (change, UNTRUSTED),
    "longer": (grow, UNTRUSTED),
    "removed": (Path.unlink, UNTRUSTED),
    "a link to itself": (link, UNSAFE),
    "a link that leads nowhere": (link_nowhere, UNSAFE),
    "a folder": (make_folder, UNSAFE),
    "a pipe": (make_fifo, UNSAFE),
}
FILES: dict[str, Callable[[SmallRun], Path]] = {
    "inputs.json": lambda run: run.folder / "inputs.json",
    "a large result": lambda run: run.large_file,
}


@pytest.mark.parametrize("name", CHANGES)
@pytest.mark.parametrize("file", FILES)
def test_a_file_that_an_event_names_is_as_it_was_or_it_is_not_believed(
    run: SmallRun, file: str, name: str, capsys: pytest.CaptureFixture[str], count: Count
) -> None:
    (act, code), path = CHANGES[name], FILES[file](run)
    act(path)
    before = run.digest()
    told = ask(capsys, "iterate")
    count("corruptions", 1)
    assert (told.code, path.name in told.message) == (code, True), told
    assert run.digest() == before


@pytest.mark.parametrize("name", CHANGES)
def test_posting_to_another_effect_needs_no_file_that_was_damaged(
    run: SmallRun, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    act, _ = CHANGES[name]
    for path in [path(run) for path in FILES.values()]:
        act(path)
    assert (ask(capsys, "status").code, ask(capsys, "post").code) == (0, SOUND["post"])


# run.json


def edit(run: SmallRun, **changes: Any) -> None:
    path = run.folder / "run.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_of_run_json_every_byte_may_rot_and_no_command_lies(
    run: SmallRun, torture: bool, count: Count
) -> None:
    truth, path, told = run.read(), run.folder / "run.json", []
    raw = path.read_bytes()
    for at in range(len(raw)):
        for bit in range(8) if torture else [at % 8]:
            path.write_bytes(raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :])
            told.append(answer(run, truth))
    count("corruptions", len(told))
    assert set(told) == {"refused"}


def answer(run: SmallRun, truth: object) -> str:
    try:
        found = open_run(str(run.folder), "").load()
        about = [found.about["processId"], found.about["entrypoint"], found.about["prompt"]]
        known = ["p", {"file": "p.py", "export": "process"}, "Ask"]
        return "the truth" if (run.read(), about) == (truth, known) else "a lie"
    except BabysitterError as error:
        return "refused" if error.exit_code == UNTRUSTED else error.message


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"layout": 2}, "has layout 2, and this version knows 1"),
        ({"layout": "1"}, "has layout '1', and this version knows 1"),
        ({"runId": "other"}, "000001."),
        ({"runId": "../small"}, "does not name the run and its process"),
        ({"runId": None}, "does not name the run and its process"),
        ({"processId": "q"}, "has another 'processId' than the journal"),
        ({"processId": 5}, "does not name the run and its process"),
        ({"entrypoint": {"file": "q.py", "export": "process"}}, "has another 'entrypoint' than the journal"),
        ({"prompt": "Delete everything"}, "has another 'prompt' than the journal"),
    ],
)
def test_a_run_json_that_says_something_else_is_refused(
    run: SmallRun, changes: dict[str, Any], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    edit(run, **changes)
    before = run.digest()
    told = [ask(capsys, command) for command in COMMANDS]
    assert [(each.code, message in each.message) for each in told] == [(UNTRUSTED, True)] * 3, told
    assert run.digest() == before


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", "5", '"a"', "{}", '{"layout": 1}', "\0" * 99, "[" * 9999]
)
def test_a_run_json_that_is_none_is_refused(
    run: SmallRun, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (run.folder / "run.json").write_text(text)
    told = [ask(capsys, command) for command in COMMANDS]
    assert [(each.code, "run.json" in each.message) for each in told] == [(UNTRUSTED, True)] * 3, told


def test_a_run_json_that_is_a_link_is_refused(run: SmallRun, capsys: pytest.CaptureFixture[str]) -> None:
    link(run.folder / "run.json")
    assert [ask(capsys, command).code for command in COMMANDS] == [UNSAFE] * 3


# Folders


@pytest.mark.parametrize("is_link", [True, False])
def test_a_journal_that_is_no_folder_is_refused(
    run: SmallRun, is_link: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    run.journal.rename(run.folder / "aside")
    if is_link:
        run.journal.symlink_to("aside")
    else:
        run.journal.write_text("no folder")
    assert [ask(capsys, command).code for command in COMMANDS] == [UNSAFE] * 3


@pytest.mark.parametrize("is_empty", [True, False])
@pytest.mark.parametrize("is_warm", [True, False])
def test_a_journal_that_is_gone_is_refused(
    run: SmallRun, is_empty: bool, is_warm: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(run.journal)
    if is_empty:
        run.journal.mkdir()
    if not is_warm:
        run.forget_cache()
    before = run.digest()
    assert [ask(capsys, command).code for command in COMMANDS] == [UNTRUSTED] * 3
    assert run.digest() == before


# state/


def of_another_run(run: SmallRun) -> None:
    other = build(run.folder.parents[2] / "elsewhere", "other")
    shutil.rmtree(run.state)
    shutil.copytree(other.state, run.state)


def marker_without_lines(run: SmallRun) -> None:
    (run.state / LINES).unlink()


def lines_without_marker(run: SmallRun) -> None:
    (run.state / MARKER).unlink()


def each_file(act: Act, run: SmallRun) -> None:
    for name in (LINES, MARKER):
        act(run.state / name)


def state_itself(act: Act, run: SmallRun) -> None:
    run.forget_cache()
    act(run.state)


def read_only(run: SmallRun) -> None:
    for path in (*run.state.iterdir(), run.state):
        path.chmod(0o500 if path.is_dir() else 0o400)


def litter(run: SmallRun) -> None:
    (run.state / "head.json.0123456789ab.tmp").write_text("{")
    (run.state / "staging.0123456789ab").mkdir()
    (run.state / "staging.0123456789ab" / "0").write_text("{")


STATES: dict[str, Callable[[SmallRun], object]] = {
    "absent": lambda run: run.forget_cache(),
    "empty": lambda run: (run.forget_cache(), run.state.mkdir()),
    "of another run": of_another_run,
    "a marker without lines": marker_without_lines,
    "lines without a marker": lines_without_marker,
    "garbage": partial(each_file, lambda path: path.write_bytes(os.urandom(999))),
    "from the future": partial(each_file, lambda path: path.write_text('{"layout": 2, "lines": []}')),
    "links": partial(each_file, link),
    "links that lead nowhere": partial(each_file, link_nowhere),
    "folders": partial(each_file, make_folder),
    "pipes": partial(each_file, make_fifo),
    "state is a file": partial(state_itself, Path.touch),
    "state is a pipe": partial(state_itself, os.mkfifo),
    "state is a link": partial(state_itself, lambda path: path.symlink_to("..")),
    "state is a link that leads nowhere": partial(state_itself, lambda path: path.symlink_to("nowhere")),
    "read-only": read_only,
    "litter": litter,
    **{f"{name}, {way}": (lambda run, name=name, act=act: act(run.state / name))
       for name in (LINES, MARKER) for way, (act, _) in CHANGES.items()},
}  # fmt: skip


@pytest.mark.parametrize("name", STATES)
def test_whatever_the_cache_is_the_truth_is_told_and_the_run_goes_on(
    run: SmallRun, name: str, capsys: pytest.CaptureFixture[str], count: Count
) -> None:
    truth, before = run.read(), run.digest()
    STATES[name](run)
    told = [run.read(), run.read(), run.verify()]
    codes = {command: ask(capsys, command).code for command in COMMANDS}
    count("corruptions", 1)
    assert (told, codes) == ([truth, truth, EVENTS], SOUND)
    # The iteration has asked for the next effect, and nothing else has changed.
    assert [path.name for path in run.files() if f"journal/{path.name}" not in before] == [
        run.next_path().name
    ]
    assert before.items() <= run.digest().items()


@pytest.mark.parametrize("removed", [1, 2, 8])
def test_a_cache_ahead_of_the_journal_is_what_shows_that_the_end_was_removed(
    run: SmallRun, removed: int, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in run.files()[-removed:]:
        path.unlink()
    told = [ask(capsys, command) for command in COMMANDS]
    assert {(each.code, each.message) for each in told} == {
        (UNTRUSTED, f"the journal ends with event {8 - removed}, and event 8 was written before")
    }


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("part", ["", "journal"])
def test_a_run_of_another_user_is_not_touched(
    run: SmallRun, part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    os.chown(run.folder / part, 12345, -1)
    assert [ask(capsys, command).code for command in COMMANDS] == [UNSAFE] * 3
