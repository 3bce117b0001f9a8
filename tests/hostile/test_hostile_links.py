"""Links at every place of a run folder: nothing is read, written, run or removed through them."""

from __future__ import annotations

import hashlib
import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.commands import call

if TYPE_CHECKING:
    from collections.abc import Callable

    from ground import Ground

STATUS = ["status", "r"]
ITERATE = ["iterate", "r"]
POST = ["post", "r", "2.0.1", "--value", '"second"']
SHOW = ["show", "r", "1"]
WORK = ["work", "r"]
RESUME = ["resume", "r", "--agent-command", "echo 1"]
ALL = [STATUS, ITERATE, POST, RESUME]
UNSAFE = 6
# What stands outside in a link's place, and which commands come by there.
REFUSED = {
    ".": ALL,
    "run.json": ALL,
    "journal": ALL,
    "inputs.json": [ITERATE, ["show", "r"]],
    "tasks": [ITERATE, POST, SHOW, WORK],
    "tasks/{1}": [ITERATE, SHOW],
    "tasks/{1}/value-*.json": [ITERATE, SHOW],
    "tasks/{1}/definition-*.json": [SHOW],
    "tasks/{2.0.1}": [POST, RESUME],
    "tasks/{2.0.1}/definition-*.json": [POST, RESUME],
    "tasks/{2.1.1}": [WORK],
    "tasks/{2.1.1}/definition-*.json": [WORK],
}
CASES = [(place, words) for place, commands in REFUSED.items() for words in commands]


def name_of(part: object) -> str:
    return part if isinstance(part, str) else " ".join(map(str, part))  # type: ignore[arg-type]


@pytest.mark.parametrize(("place", "words"), CASES, ids=name_of)
def test_what_a_link_leads_to_is_not_used(ground: Ground, place: str, words: list[str]) -> None:
    ground.led_outside(place)
    before = ground.digest()
    ended = call(*words)
    assert (ended.code, ended.stderr.count("error: "), "Traceback" in ended.stderr) == (UNSAFE, 1, False), (
        ended
    )
    assert ground.digest() == before


@pytest.mark.parametrize("place", ["run.lock", "tasks/{2.1.1}/child.json"])
@pytest.mark.parametrize("is_there", [True, False])
def test_a_lock_is_not_taken_through_a_link(ground: Ground, place: str, is_there: bool) -> None:
    target = ground.outside / "target"
    if is_there:
        target.write_text("{}")
    ground.path(place).symlink_to(target)
    before = ground.digest()
    assert (call(*RESUME).code, ground.digest()) == (UNSAFE, before)


@pytest.mark.parametrize("place", ["tasks/{2.1.1}/stdout.log", "tasks/{2.0.1}/prompt.txt"])
def test_a_link_in_the_place_of_a_file_that_is_written_anew_is_replaced(ground: Ground, place: str) -> None:
    (ground.outside / "target").write_text("old")
    path = ground.path(place)
    path.symlink_to(ground.outside / "target")
    before = ground.digest()
    ended = call(*RESUME)
    assert (ended.code, path.is_symlink(), ground.digest()) == (0, False, before), ended


@pytest.mark.parametrize("place", ["state", "state/events.jsonl", "state/head.json", "artifacts"])
def test_the_cache_is_done_without_where_it_is_a_link(ground: Ground, place: str) -> None:
    ground.led_outside(place)
    before = ground.digest()
    codes = [call(*words).code for words in (STATUS, ITERATE, POST, WORK)]
    assert (codes, ground.digest()) == ([0, 0, 0, 0], before)


def test_a_run_folder_that_is_a_link_is_not_a_run_of_the_list(ground: Ground) -> None:
    ground.led_outside(".")
    assert call("list", "--json").told == {"runs": []}


def test_the_output_is_not_read_through_a_link(ground: Ground) -> None:
    assert call(*RESUME).code == 0
    ground.led_outside("output-*.json")
    assert call(*STATUS).code == UNSAFE


def test_a_large_result_is_not_written_through_a_link(ground: Ground) -> None:
    (ground.outside / "target").write_text("old")
    name = f"value-{hashlib.sha256(POST[-1].encode()).hexdigest()[:12]}.json"
    (ground.path("tasks/{2.0.1}") / name).symlink_to(ground.outside / "target")
    before = ground.digest()
    assert (call(*POST).code, ground.digest()) == (UNSAFE, before)


def test_what_is_moved_aside_is_not_moved_through_a_link(ground: Ground) -> None:
    from babysitter.errors import UnsafePath
    from babysitter.journal.store import Journal

    journal = Journal(str(ground.run), "r")
    head = journal.load(lambda event: None)
    left = ground.run / "journal" / f"{head.seq + 2:06d}.left.json"
    left.write_text("left")
    (ground.run / "quarantine").symlink_to(ground.outside)
    journal._batch = (head.seq + 2, head.ms)
    with pytest.raises(UnsafePath):
        journal.append([("PROCESS_LOG", {})], head.ms)
    assert (left.read_text(), os.listdir(ground.outside)) == ("left", [])


@pytest.mark.parametrize(
    "replace",
    [
        lambda path: path.write_text(""),
        os.mkfifo,
        lambda path: path.symlink_to("nowhere"),
        lambda path: path.symlink_to(path.name),
    ],
    ids=["file", "fifo", "link to nothing", "link to itself"],
)
@pytest.mark.parametrize("place", ["tasks", "tasks/{2.1.1}"])
def test_no_other_thing_stands_for_a_folder(
    ground: Ground, place: str, replace: Callable[[object], object]
) -> None:
    path = ground.path(place)
    shutil.rmtree(path)
    replace(path)
    ended = call(*WORK)
    assert (ended.code, "Traceback" in ended.stderr) == (UNSAFE, False), ended


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("run.json", 6),
        ("inputs.json", UNSAFE),
        ("tasks/{1}/value-*.json", UNSAFE),
        ("tasks/{2.1.1}/definition-*.json", UNSAFE),
    ],
)
def test_a_fifo_is_found_out_and_not_waited_for(ground: Ground, place: str, code: int) -> None:
    path = ground.path(place)
    path.unlink()
    os.mkfifo(path)
    assert call(*WORK).code == code
