"""Everything of a run that can be proven is checked, from its files alone."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.errors import CorruptEvent, JournalError, MissingEvent
from babysitter.journal.events import Head, decode, encode, file_name
from babysitter.runs.folder import open_run
from babysitter.runs.run import Run
from babysitter.runs.verification import verify

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from projects import Project

BIG = "x" * 40_000
PROCESS = """
async def process(inputs, ctx):
    first = await ctx.task(ask, question="a" * inputs["length"])
    second = await ctx.task(ask, question="two")
    return [first, second, "y" * inputs["length"]]
"""


@pytest.fixture
def folder(project: Project) -> Path:
    """A completed run with a large definition, a large result and a large output."""
    project.begin(PROCESS, {"length": 40_000})
    project.answer("1", BIG)
    project.answer("2", "small")
    return project.runs_dir / "r"


def verified(folder: Path) -> Any:
    return verify(Run(str(folder)))


def test_a_whole_run_is_whole(folder: Path) -> None:
    found = verified(folder)
    assert (found.head.seq, found.files, found.cache) == (6, 5, "whole")


def test_each_event_is_seen_once_in_order(folder: Path) -> None:
    seen: list[int] = []
    verify(Run(str(folder)), lambda event: seen.append(event.seq))
    assert seen == [1, 2, 3, 4, 5, 6]


def test_nothing_is_written(folder: Path) -> None:
    shutil.rmtree(folder / "state")
    verified(folder)
    assert not (folder / "state").exists()


def test_a_cache_that_is_absent_is_no_fault(folder: Path) -> None:
    shutil.rmtree(folder / "state")
    assert verified(folder).cache == "absent"


def test_a_cache_that_lacks_events_is_no_fault(project: Project) -> None:
    project.begin(PROCESS, {"length": 1})
    folder = project.runs_dir / "r"
    shutil.copytree(folder / "state", folder / "before")
    project.answer("1", "small")
    for path in (folder / "before").iterdir():
        shutil.copy(path, folder / "state")
    assert verified(folder).cache == "behind"


def test_a_cache_that_fits_nothing_is_no_fault(folder: Path) -> None:
    (folder / "state" / "events.jsonl").write_text("garbage")
    assert verified(folder).cache == "unusable"


@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        ("run.json", "run.json of run 'r'"),
        ("inputs.json", "the inputs, 'inputs.json', of run 'r'"),
        ("tasks/*/definition-*", "the definition of effect"),
        ("tasks/*/value-*", "the result of effect"),
        ("output-*", "the output, 'output-"),
    ],
)
@pytest.mark.parametrize("how", ["changed", "absent", "a link"])
def test_a_file_that_is_not_as_it_was_written_is_named(
    folder: Path, pattern: str, named: str, how: str
) -> None:
    (path,) = folder.glob(pattern)
    raw = path.read_bytes()
    if how == "changed":
        path.write_bytes(raw.replace(b'"', b' "', 1))
    else:
        path.unlink()
    if how == "a link":
        (folder / "elsewhere").write_bytes(raw)
        path.symlink_to(folder / "elsewhere")
    with pytest.raises(Exception, match=r"not|absent|cannot") as caught:
        verified(folder)
    assert named in str(caught.value) or (pattern == "run.json" and "run.json" in str(caught.value))


def test_a_cached_event_does_not_hide_a_damaged_file(folder: Path) -> None:
    path = sorted((folder / "journal").iterdir())[2]
    path.write_bytes(path.read_bytes().replace(b"EFFECT", b"effect"))
    with pytest.raises(CorruptEvent, match="'000003"):
        verified(folder)


def rewritten(
    folder: Path, number: int, change: Callable[[str, dict[str, Any]], tuple[str, dict[str, Any]]]
) -> None:
    """Change an event, and give it and all behind it the names and checksums that they then have."""
    events = [json.loads(path.read_bytes()) for path in sorted((folder / "journal").iterdir())]
    shutil.rmtree(folder / "state")
    shutil.rmtree(folder / "journal")
    (folder / "journal").mkdir()
    head = Head.genesis("r")
    for seq, event in enumerate(events, 1):
        kind, data = event["type"], {k: v for k, v in event["data"].items() if k not in ("prev", "batch")}
        if seq == number:
            kind, data = change(kind, data)
        raw = encode(head, kind, head.ms + 1, data, None)
        (folder / "journal" / file_name(head)).write_bytes(raw)
        head = decode(raw, head)


@pytest.mark.parametrize(
    ("number", "change", "said"),
    [
        (2, lambda kind, data: (kind, {**data, "attempt": "1"}), "event 2 .*misshapes 'attempt'"),
        (2, lambda kind, data: (kind, {**data, "label": None}), "event 2 .*misshapes 'label'"),
        (3, lambda kind, data: (kind, {**data, "finishedAt": 3}), "event 3 .*misshapes 'finishedAt'"),
        (3, lambda kind, data: (kind, {**data, "error": "no"}), "event 3 .*misshapes 'error'"),
        (5, lambda kind, data: ("RECORDED", data), "event 5 "),
        (6, lambda kind, data: (kind, {**data, "sha256": 0}), "event 6 .*misshapes 'sha256'"),
    ],
)
def test_an_event_of_the_wrong_shape_is_named_although_the_chain_is_whole(
    folder: Path, number: int, change: Any, said: str
) -> None:
    rewritten(folder, number, change)
    with pytest.raises(JournalError, match=said):
        verified(folder)


def test_a_journal_that_is_rewritten_without_a_change_is_whole(folder: Path) -> None:
    """So that the test before fails for its change and nothing else."""
    rewritten(folder, 1, lambda kind, data: (kind, data))
    assert verified(folder).head.seq == 6


def test_an_empty_journal_is_a_fault(folder: Path) -> None:
    shutil.rmtree(folder / "state")
    for path in (folder / "journal").iterdir():
        path.unlink()
    with pytest.raises(MissingEvent, match="not even its creation"):
        verified(folder)


def test_events_that_were_removed_from_the_end_are_missed(folder: Path) -> None:
    max((folder / "journal").iterdir()).unlink()
    with pytest.raises(JournalError, match="event 6 was written before"):
        verified(folder)


@pytest.mark.skipif(os.geteuid() == 0, reason="root can write anywhere")
def test_it_works_on_a_folder_that_cannot_be_written(folder: Path) -> None:
    for path in [folder, *folder.rglob("*")]:
        path.chmod(0o500 if path.is_dir() else 0o400)
    try:
        assert verified(folder).head.seq == 6
    finally:
        for path in [folder, *folder.rglob("*")]:
            path.chmod(0o700)


def test_a_run_can_be_opened_by_its_path_too(folder: Path) -> None:
    assert verify(open_run(str(folder), "")).head.seq == 6
