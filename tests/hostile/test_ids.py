"""Ids and names that are paths, options, too long, or only look like ids."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from tests.support.commands import Ended, call
from tests.support.folders import digest_of

if TYPE_CHECKING:
    from ground import Ground

INVALID, NOT_FOUND, UNSAFE = 2, 4, 6
# What is no id, and how it ends as the id of a new run, of a run that is looked for, and as a process.
NAMES = {
    "..": (UNSAFE, NOT_FOUND, NOT_FOUND),
    ".": (UNSAFE, NOT_FOUND, NOT_FOUND),
    "../x": (UNSAFE, NOT_FOUND, NOT_FOUND),
    "../../../../etc": (UNSAFE, NOT_FOUND, NOT_FOUND),
    "/etc": (UNSAFE, NOT_FOUND, NOT_FOUND),
    "a/b": (UNSAFE, NOT_FOUND, NOT_FOUND),
    "a/../r": (UNSAFE, NOT_FOUND, NOT_FOUND),
    "r\n": (UNSAFE, UNSAFE, NOT_FOUND),
    "r\nerror: no": (UNSAFE, UNSAFE, NOT_FOUND),
    "r ": (UNSAFE, UNSAFE, NOT_FOUND),
    "": (UNSAFE, UNSAFE, NOT_FOUND),
    "x" * 65: (UNSAFE, UNSAFE, NOT_FOUND),
    "x" * 300: (UNSAFE, UNSAFE, NOT_FOUND),
    "x" * 100_000: (UNSAFE, UNSAFE, NOT_FOUND),
    "_r": (UNSAFE, UNSAFE, NOT_FOUND),
    "\u202er": (UNSAFE, UNSAFE, NOT_FOUND),
    "r\u200f": (UNSAFE, UNSAFE, NOT_FOUND),
    "\u0661": (UNSAFE, UNSAFE, NOT_FOUND),  # a digit, but no ASCII one
    "\uff52": (UNSAFE, UNSAFE, NOT_FOUND),  # a wide r
    "ré": (UNSAFE, UNSAFE, NOT_FOUND),
    os.fsdecode(b"r\xff"): (UNSAFE, UNSAFE, NOT_FOUND),
    "$(touch made)": (UNSAFE, UNSAFE, NOT_FOUND),
    "r.json": (UNSAFE, UNSAFE, NOT_FOUND),
}


def how(name: str) -> str:
    return ascii(name[:20])


def errors_in(ended: Ended) -> int:
    return sum(line.startswith("error: ") for line in ended.stderr.splitlines())


def check(ground: Ground, words: list[str], code: int) -> None:
    before = digest_of(ground.project)
    ended = call(*words)
    assert (ended.code, errors_in(ended), "Traceback" in ended.stderr) == (code, 1, False), ended
    assert (len(ended.stderr) < 10_000, digest_of(ground.project) == before) == (True, True)


@pytest.mark.parametrize("name", [*NAMES][::2], ids=how)
def test_what_is_no_id_is_no_new_run(ground: Ground, name: str) -> None:
    check(ground, ["create", "p.py", "--run-id", name], NAMES[name][0])


@pytest.mark.parametrize("name", [*NAMES][1::3], ids=how)
def test_what_is_no_id_is_no_run(ground: Ground, name: str) -> None:
    check(ground, ["status", name], NAMES[name][1])


@pytest.mark.parametrize("name", [*NAMES][1::5], ids=how)
def test_what_is_no_id_is_no_process(ground: Ground, name: str) -> None:
    check(ground, ["create", name], NAMES[name][2])


@pytest.mark.parametrize("name", [*NAMES][::7], ids=how)
def test_what_is_no_id_is_no_effect(ground: Ground, name: str) -> None:
    check(ground, ["post", "r", name, "--value", "1"], NOT_FOUND)


def test_what_is_no_id_is_no_effect_of_a_line(ground: Ground) -> None:
    names = [*NAMES, "\0", "r\0", "\u2028"]
    lines = "\n".join(f'{{"effect":{json_of(name)},"value":1}}' for name in names)
    before = digest_of(ground.project)
    ended = call("post", "r", "--lines", "-", stdin=lines)
    assert (ended.code, errors_in(ended), digest_of(ground.project)) == (
        NOT_FOUND,
        len(names),
        before,
    )


def json_of(name: str) -> str:
    import json

    return json.dumps(name.encode(errors="replace").decode())


@pytest.mark.parametrize(
    "words", [["status", "-rf"], ["create", "-rf"], ["post", "r", "-rf", "--value", "1"]]
)
def test_what_looks_like_an_option_is_one(ground: Ground, words: list[str]) -> None:
    ended = call(*words)
    assert (ended.code, "No such option" in ended.stderr) == (INVALID, True), ended


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["status", "--", "-rf"], UNSAFE),
        (["create", "p.py", "--run-id", "-rf"], UNSAFE),
        (["create", "--", "-rf"], NOT_FOUND),
    ],
)
def test_what_looks_like_an_option_and_is_none_is_no_id(ground: Ground, words: list[str], code: int) -> None:
    check(ground, words, code)
