"""YAML of configuration and of skills, which a cloned repository may bring along."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.commands import call

BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{name}: &{name} [{','.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
MERGES = "a: &a {x: 1}\n" + "".join(
    f"{name}: &{name} {{<<: [{','.join([f'*{before}'] * 9)}]}}\n"
    for before, name in zip("abcdefgh", "bcdefghi", strict=True)
)
REFUSED = {
    "a tag that makes objects": "jobs: !!python/object/apply:os.system ['touch made']\n",
    "a tag that names an object": "jobs: !!python/name:os.system\n",
    "a tag that makes a module": "!!python/object/new:os._wrap_close {}\n",
    "lists of lists of lists": BOMB,
    "keys of keys of keys": MERGES,
    "itself": "&a [*a]\n",
    "deep": "[" * 20_000,
    "deep blocks": "".join(" " * level + "a:\n" for level in range(300)),
    "a number without end": "jobs: " + "1" * 10_000 + "\n",
    "no date": "jobs: 2026-99-99\n",
    "an empty number": "jobs: !!int ''\n",
    "no truth": "jobs: !!bool maybe\n",
    "no time": "jobs: !!timestamp x\n",
    "a control character": "jobs: \x07\n",
    "UTF-16": "jobs: 1\n".encode("utf-16"),
    "two documents": "jobs: 1\n---\njobs: 2\n",
    "a key that is a list": "? [a]\n: 1\n",
    "too large": "# " + "x" * 1_000_000 + "\njobs: 1\n",
    "a list": "- 1\n",
    "an escape sequence": 'x: "\\e]0;x\\a"\n"\\e[31m": 1\n',
}


def raw(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


@pytest.mark.parametrize("what", REFUSED)
def test_configuration_that_is_not_plain_is_told_in_one_line(project: Path, what: str) -> None:
    (project / ".a5c").mkdir()
    (project / ".a5c" / "config.yaml").write_bytes(raw(REFUSED[what]))
    (project / "p.py").write_text("async def process(inputs, ctx): pass\n")
    ended = call("create", "p.py")
    assert (ended.code, ended.stderr.count("error: "), "Traceback" in ended.stderr) == (2, 1, False), ended
    assert (len(ended.stderr) < 2000, "\x1b" in ended.stderr, os.path.exists("made")) == (True, False, False)


@pytest.mark.parametrize("what", [what for what in REFUSED if what not in {"two documents", "a list"}])
def test_front_matter_that_is_not_plain_spoils_its_own_line_only(project: Path, what: str) -> None:
    folder = project / ".a5c" / "processes" / "bad"
    folder.mkdir(parents=True)
    (folder / "process.py").write_text("async def process(inputs, ctx): pass\n")
    (folder / "SKILL.md").write_bytes(b"---\n" + raw(REFUSED[what]) + b"\n---\nbody\n")
    ended = call("process", "list")
    (line,) = [line for line in ended.stdout.splitlines() if line.startswith("bad ")]
    assert (ended.code, ended.stderr, len(line) < 2000, "\x1b" in line) == (0, "", True, False), ended
    assert not os.path.exists("made")


def test_a_description_that_is_no_text_is_shown_as_one(project: Path) -> None:
    folder = project / ".a5c" / "processes" / "odd"
    folder.mkdir(parents=True)
    (folder / "process.py").write_text("async def process(inputs, ctx): pass\n")
    (folder / "SKILL.md").write_text("---\nname: odd\ndescription: [1, 2026-01-01]\n---\n")
    assert "[1, datetime.date(2026, 1, 1)]" in call("process", "list").stdout


@pytest.mark.parametrize("name", [".a5c/config.yaml", ".a5c/processes/piped/SKILL.md"])
def test_a_pipe_in_the_place_of_yaml_is_not_waited_for(project: Path, name: str) -> None:
    path = project / name
    path.parent.mkdir(parents=True)
    os.mkfifo(path)
    Path(".a5c/processes/piped").mkdir(parents=True, exist_ok=True)
    Path(".a5c/processes/piped/process.py").write_text("async def process(inputs, ctx): pass\n")
    assert (call("process", "list").code, call("create", "piped").code) == (0, 0)


def test_configuration_may_be_a_link(project: Path, home: Path) -> None:
    (project / "real.yaml").write_text("jobs: nonsense\n")
    (home / "config.yaml").symlink_to(project / "real.yaml")
    (project / "p.py").write_text("async def process(inputs, ctx): pass\n")
    ended = call("create", "p.py")
    assert (ended.code, "'jobs' in" in ended.stderr) == (2, True), ended
