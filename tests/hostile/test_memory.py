"""Taking the largest results that are accepted takes less than 200 MB, whatever their shape."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from babysitter.jsonsize import measure
from babysitter.limits import Limits
from tests.support.commands import BABYSITTER, call, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Count = Callable[[str, int], None]

pytestmark = pytest.mark.torture
MOST_MEGABYTES = 200
LIMITS = Limits()


def repeated(item: str) -> Callable[[int], str]:
    return lambda count: "[" + ",".join([item] * count) + "]"


def numbered(item: str, ends: str = "[]") -> Callable[[int], str]:
    return lambda count: ends[0] + ",".join(item.replace("#", f"{n:x}") for n in range(count)) + ends[1]


SHAPES: dict[str, Callable[[int], str]] = {
    "lists": repeated("[]"),
    "lists of a number": repeated("[1.5]"),
    "deep": repeated("[" * 90 + "]" * 90),
    "objects": numbered('{"#":"ab"}'),
    "members": numbered('"#":"#"', "{}"),
    "numbers": repeated("1.5"),
    "short texts": repeated('"ab"'),
    "one text": lambda count: '"' + "x" * count + '"',
    "a wide text": lambda count: '"' + "x" * count + '😀"',
    "a text that becomes wide": lambda count: '"' + "x" * count + r'\ud83d\ude00"',
    "line breaks": lambda count: '"' + r"\n" * count + '"',
    "findings": repeated('{"file":"a/b.py","line":1234,"column":7,"rule":"E501","text":"too long"}'),
}


def fits(text: str) -> bool:
    size, keys = measure(text)
    bytes_ = len(text.encode())
    return bytes_ <= LIMITS.result_bytes and size <= LIMITS.memory_bytes and keys <= LIMITS.keys


def largest(make: Callable[[int], str], share: float = 1.0) -> str:
    """The largest text of this shape that is accepted, or nearly, or such a share of it."""
    # All of them grow in proportion to their number of parts, but for the first few.
    few = 1000
    size, keys = measure(make(few))
    per_part = max(len(make(few)) / LIMITS.result_bytes, size / LIMITS.memory_bytes, keys / LIMITS.keys, 1e-9)
    count = int(few / per_part * share)
    while not fits(text := make(count)):
        count = int(count * 0.98)
    return text


# By a program of its own: a process starts with the peak of the one that it is started from.
MEASURE = """
import os, resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode
print(code, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


def megabytes(*words: str) -> tuple[int, float]:
    """Exit code and peak memory of a command, or of what it starts where that is more."""
    command = [sys.executable, "-I", "-c", MEASURE, str(BABYSITTER), *words]
    code, peak = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()
    return int(code), int(peak) / (1 << 20 if sys.platform == "darwin" else 1 << 10)


# The short form of these tests: what takes most of all.
WORST = ["objects", "a text that becomes wide"]
PROCESS = """
@shell(parse="json")
def read():
    return ["cat", "result"]

@python
def give():
    import json
    return json.loads(Path("result").read_text("utf-8"))

async def process(inputs, ctx):
    await ctx.task({task})
    await ctx.sleep(3600)
"""


def peaks(names: Iterable[str], text_of: Callable[[str], str], *words: str) -> dict[str, float]:
    """The peak memory of a command that takes such results, by shape; each has to be taken."""
    found = {}
    for number, name in enumerate(names):
        run = f"r{number}"
        assert call("create", "p.py", "--run-id", run).code == 0
        Path("result").write_text(text_of(name), "utf-8")
        code, found[name] = megabytes(words[0], run, *words[1:])
        state = call("tasks", run, "--json").told["tasks"][0]["status"]
        assert (code, state) == (0, "ok"), name
    return found


def too_much(found: dict[str, float]) -> dict[str, float]:
    return {name: peak for name, peak in found.items() if peak >= MOST_MEGABYTES}


def shape(name: str) -> str:
    return largest(SHAPES[name])


def line(name: str) -> str:
    """The same as the line of a bulk: the object around it takes its share."""
    return f'{{"effect":"1","value":{largest(SHAPES[name], share=0.999)}}}\n'


@pytest.mark.parametrize("task", ["read", "give"])
def test_performing_takes_little_memory(project: Path, torture: bool, count: Count, task: str) -> None:
    write("p.py", PROCESS.replace("{task}", task))
    found = peaks(SHAPES if torture else WORST[:1], shape, "work")
    count("results of the largest size", len(found))
    assert too_much(found) == {}


def test_posting_a_file_takes_little_memory(project: Path, torture: bool, count: Count) -> None:
    write("p.py", PROCESS.replace("{task}", "ask, question='one'"))
    found = peaks(SHAPES if torture else WORST, shape, "post", "1", "--file", "result")
    count("results of the largest size", len(found))
    assert too_much(found) == {}


def test_posting_lines_takes_little_memory(project: Path, torture: bool, count: Count) -> None:
    write("p.py", PROCESS.replace("{task}", "ask, question='one'"))
    found = peaks(SHAPES if torture else WORST[1:], line, "post", "--lines", "result")
    count("results of the largest size", len(found))
    assert too_much(found) == {}


def test_a_text_that_would_take_too_much_memory_is_refused_before_it_does(project: Path) -> None:
    write("p.py", PROCESS.replace("{task}", "ask, question='one'"))
    assert call("create", "p.py", "--run-id", "r").code == 0
    (project / "result").write_text("[" + "[]," * 5_000_000 + "[]]")
    code, peak = megabytes("post", "r", "1", "--file", "result")
    assert (code, peak < MOST_MEGABYTES / 2) == (2, True), peak
