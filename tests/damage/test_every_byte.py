"""Every byte of a small journal is damaged in turn: all of it is noticed, and nothing of it is believed."""

from __future__ import annotations

import random
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest
from small_runs import EVENTS

from babysitter.errors import CorruptEvent, JournalError
from babysitter.journal.cache import LINES, MARKER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from small_runs import SmallRun, Truth

pytestmark = pytest.mark.torture
SEED = 20_240_607
# Of the short form: what is beside a byte is mostly damaged alike.
STRIDE = 13


def flips(raw: bytes, *, torture: bool) -> Iterator[bytes]:
    """The content with one bit changed: each of them, or one of each byte."""
    chance = random.Random(SEED)  # noqa: S311 - which bit it is need not be secret
    for at in range(len(raw)):
        for bit in range(8) if torture else [chance.randrange(8)]:
            yield raw[:at] + bytes([raw[at] ^ 1 << bit]) + raw[at + 1 :]


def shifts(raw: bytes, *, torture: bool) -> Iterator[bytes]:
    """The content with one byte more, or one less, at each place or at some."""
    for at in range(0, len(raw) + 1, 1 if torture else STRIDE):
        yield raw[:at] + b" " + raw[at:]
        if at < len(raw):
            yield raw[:at] + raw[at + 1 :]


def cuts(raw: bytes, *, torture: bool) -> Iterator[bytes]:
    """The content cut at each length, or at some, also with zeros in place of the rest."""
    for size in range(0, len(raw), 1 if torture else STRIDE):
        yield raw[:size]
        yield raw[:size].ljust(len(raw), b"\0")


WAYS = [flips, shifts, cuts]
Way = Any
Count = Any


def damaged(path: Path, way: Way, *, torture: bool, is_thorough: bool = False) -> Iterator[None]:
    """Put one damaged content after the other in a file's place, and at last its own again.

    All of them in the long form or where it is ``is_thorough``, else a part.
    """
    raw = path.read_bytes()
    step = 1 if torture or is_thorough else STRIDE if way is flips else 4
    for content in islice(way(raw, torture=torture), 0, None, step):
        if content != raw:
            path.write_bytes(content)
            yield
    path.write_bytes(raw)


def complaint(read: Callable[[], object]) -> str:
    try:
        read()
    except CorruptEvent as error:
        return error.message
    return "nothing was noticed"


@pytest.mark.parametrize("number", range(1, EVENTS + 1))
@pytest.mark.parametrize("way", WAYS)
def test_verify_names_the_event_whichever_of_its_bytes_is_damaged(
    run: SmallRun, way: Way, number: int, torture: bool, count: Count
) -> None:
    path, unnoticed, tried = run.event(number), [], 0
    for _ in damaged(path, way, torture=torture, is_thorough=True):
        tried += 1
        if path.name not in complaint(run.verify):
            unnoticed.append(path.read_bytes())
    count("corruptions", tried)
    assert unnoticed == []


@pytest.mark.parametrize("number", range(1, EVENTS + 1))
@pytest.mark.parametrize("way", WAYS)
def test_without_a_cache_no_damaged_event_is_read(
    run: SmallRun, way: Way, number: int, torture: bool, count: Count
) -> None:
    run.forget_cache()
    path, unnoticed, tried = run.event(number), [], 0
    for _ in damaged(path, way, torture=torture):
        tried += 1
        if path.name not in complaint(run.read):
            unnoticed.append(path.read_bytes())
    count("corruptions", tried)
    assert (unnoticed, run.state.exists()) == ([], False)


@pytest.mark.parametrize("number", range(1, EVENTS + 1))
@pytest.mark.parametrize("way", WAYS)
def test_with_a_cache_the_truth_is_read_or_the_damage_is_named(
    run: SmallRun, way: Way, number: int, torture: bool, count: Count
) -> None:
    truth, path = run.read(), run.event(number)
    answers = [told(run, truth, path.name) for _ in damaged(path, way, torture=torture)]
    count("corruptions", len(answers))
    # Of the event files only the last one is looked at.
    assert set(answers) == {"named" if number == EVENTS else "the truth"}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", [LINES, MARKER])
def test_with_a_damaged_cache_the_truth_is_read(
    run: SmallRun, way: Way, name: str, torture: bool, count: Count
) -> None:
    # Each time the cache is made anew, and of the lines one bit is as good as another: a digest is over all.
    truth, every_bit = run.read(), torture and name == MARKER
    changes = damaged(run.state / name, way, torture=every_bit, is_thorough=torture)
    answers = [told(run, truth, name) for _ in changes]
    count("corruptions", len(answers))
    assert set(answers) == {"the truth"}


def told(run: SmallRun, truth: Truth, name: str) -> str:
    """What comes of reading the run, in a word."""
    try:
        return "the truth" if run.read() == truth else "a lie"
    except JournalError as error:
        return "named" if name in error.message else error.message
