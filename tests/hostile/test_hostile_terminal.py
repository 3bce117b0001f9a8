"""Characters that a terminal acts on: from wherever they come, none gets out of any command as it is."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Self

import pytest

from tests.support.commands import HEAD, Ended, call
from tests.support.driving import Terminal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

# Control characters, and what turns, hides or breaks lines.
CONTROLS = [chr(code) for code in (*range(1, 32), *range(0x7F, 0xA0))]
MARKS = [
    chr(code) for code in (0x61C, *range(0x200B, 0x2010), *range(0x2028, 0x202F), *range(0x2060, 0x2070))
]
OTHERS = ["\ufeff", "\ufff9", "\U000e0001", "\U000e0020"]
pytestmark = pytest.mark.torture
NASTY = frozenset([*CONTROLS, *MARKS, *OTHERS])
# A title of the window, a link, a question to the terminal, a cleared screen, a line of ours.
SEQUENCES = "\x1b]0;title\x07\x1b]8;;http://x\x1b\\\x1b[6n\x1b[2J\x9b31m\rerror: no\n"
EVIL = f"a{SEQUENCES}{''.join(sorted(NASTY))}z"
# In a file's name; short, because each of them becomes several characters where it is shown.
NAME = "n\x1b]0;x\x07\u202e\n\x9bz"
BYTES = os.fsdecode(b"b\xff\x1b[31m")
OUR_OWN = "\n"

PROCESS = (
    HEAD
    + f"EVIL = {EVIL!a}\n"
    + """
SCHEMA = {"type": "object", "properties": {EVIL: {"type": "integer"}}, "additionalProperties": False}
Inputs = {"type": "object", "properties": {EVIL: {"type": "integer", "description": EVIL, "default": 1}}}

def described(kind, **inner):
    return define_task(kind, lambda args: {"kind": kind, "title": EVIL, kind: inner})

fails = described("shell", argv=["printf", "%s", EVIL])
dies = described("shell", command=f"printf '%s' '{EVIL}' >&2; exit 3")
absent = described("shell", argv=[EVIL])
answers = described("agent", prompt=EVIL, outputSchema=SCHEMA)
strange = define_task("strange", lambda args: {"kind": "x" + EVIL, "title": EVIL})

@python
def raises():
    raise ValueError(EVIL)

async def process(inputs, ctx):
    ctx.log(EVIL, **{"field": EVIL})
    await ctx.parallel.settled({
        "x": lambda: ctx.task(fails), "y": lambda: ctx.task(dies), "z": lambda: ctx.task(absent),
        "r": lambda: ctx.task(raises),
    })
    await ctx.parallel.all([
        lambda: ctx.task(answers),
        lambda: ctx.task(strange),
        lambda: ctx.breakpoint(EVIL, title=EVIL, options=[EVIL, "other"]),
    ])
    return {EVIL: EVIL}

async def ends(inputs, ctx):
    ctx.log(EVIL)
    return {EVIL: [EVIL]}

async def fails_at_once(inputs, ctx):
    raise Failed(EVIL, {EVIL: EVIL})

async def is_stuck(inputs, ctx):
    raise ValueError(EVIL)

async def asks(inputs, ctx):
    await ctx.breakpoint(EVIL, title=EVIL, options=[EVIL, "other"])
"""
)


@pytest.fixture
def place(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose own name, files, skills and configuration are full of them."""
    folder = tmp_path / NAME
    skill = folder / ".a5c" / "processes" / "skilled"
    skill.mkdir(parents=True)
    for file in (folder / "p.py", folder / f"{NAME}.py", skill / "process.py"):
        file.write_text(PROCESS, "utf-8")
    told = json.dumps({"name": "skilled", "description": EVIL.replace("\x7f", "")})
    (skill / "SKILL.md").write_text(f"---\n{told}\n---\nbody {EVIL}", "utf-8")
    (folder / ".a5c" / "runs" / f"run{NAME}").mkdir(parents=True)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("LOGNAME", f"me{EVIL.replace(chr(10), '')}")
    return folder


def raw_in(ended: Ended) -> set[str]:
    """What got out as it is."""
    assert "Traceback (most" not in ended.stderr
    return (NASTY - {OUR_OWN}) & set(ended.stdout + ended.stderr)


class Looked:
    """What got out as it is, by command; the short form takes text and JSON in turn."""

    def __init__(self, torture: bool) -> None:
        self.found: dict[str, set[str]] = {}
        self._takes_both = torture
        self.calls = 0
        self.outputs = 0
        self.escapes = 0

    def at(self, *commands: list[str]) -> Self:
        for words in commands:
            self.calls += 1
            forms = [words, [*words, "--json"]]
            for form in forms if self._takes_both else [forms[self.calls % 2]]:
                ended = call(*form)
                self.outputs += 1
                self.escapes += ended.stdout.count("001b") + (ended.stdout + ended.stderr).count("\\x1b")
                if raw_in(ended):
                    self.found[" ".join(form)] = raw_in(ended)
        return self


@pytest.fixture
def look(torture: bool) -> Looked:
    return Looked(torture)


def test_what_a_process_says_is_escaped_while_it_runs(place: Path, look: Looked) -> None:
    look.at(
        ["create", "p.py", "--prompt", EVIL],
        ["run", "p.py", "--plain", "--agent-command", "cat", "-i", f"{EVIL}=1"],
        ["run", f"{NAME}.py#ends"],
        ["run", "p.py#fails_at_once", "--agent-command", f"printf '{EVIL}'"],
        ["run", "p.py#is_stuck"],
        ["run", "skilled", "--agent-command", "false"],
    )
    assert (look.found, look.escapes > 0) == ({}, True)


def test_what_a_run_holds_is_escaped_when_it_is_looked_at(
    place: Path, look: Looked, count: Callable[[str, int], None]
) -> None:
    made = [
        ["create", "p.py", "--run-id", "all", "--prompt", EVIL, "-i", f"{EVIL}=5"],
        ["work", "all"],
        ["run", f"{NAME}.py#ends", "--run-id", "done", "--prompt", EVIL],
        ["run", "p.py#fails_at_once", "--run-id", "failed"],
        ["run", "p.py#is_stuck", "--run-id", "stuck"],
    ]
    looks = [
        *(
            [command, run]
            for command in ("status", "tasks", "show", "events")
            for run in ("all", "done", "stuck")
        ),
        *(["show", "all", step] for step in ("1.x.1", "1.y.1", "1.z.1", "1.r.1", "2.0.1", "2.1.1", "2.2.1")),
        ["status", "failed"],
        ["list"],
        ["iterate", "stuck"],
        ["post", "all", "2.1.1", "--error", EVIL],
        ["show", "all", "2.1.1"],
        ["approve", "all", "--option", "other", "--feedback", EVIL, "--response", EVIL],
        ["show", "all", "2.2.1"],
        ["process", "list"],
        ["process", "show", "skilled"],
        ["process", "show", f"{NAME}.py"],
    ]
    for words in made:
        assert call(*words).code in {0, 1, 7, 8}
    look.at(*looks)
    count("outputs searched for control characters", look.outputs)
    assert (look.found, look.escapes > 0) == ({}, True)
    # A document keeps its lines.
    assert raw_in(call("show", "all", "2.0.1", "--prompt")) <= {"\t"}


def bad_config(place: Path) -> None:
    (place / ".a5c" / "config.yaml").write_text(json.dumps({EVIL: 1}), "utf-8")


def bad_value_in_config(place: Path) -> None:
    (place / ".a5c" / "config.yaml").write_text(json.dumps({"jobs": EVIL}), "utf-8")


def unknown_agent(place: Path) -> None:
    (place / ".a5c" / "config.yaml").write_text(json.dumps({"agent": EVIL}), "utf-8")


def no_yaml(place: Path) -> None:
    (place / ".a5c" / "config.yaml").write_text(f"{EVIL}: [", "utf-8")


def no_python(place: Path) -> None:
    (place / "p.py").write_text(f"x = )  # {EVIL}", "utf-8")


def raising(place: Path) -> None:
    (place / "p.py").write_text(f"raise ValueError({EVIL!a})", "utf-8")


def bad_lines(place: Path) -> None:
    (place / "lines").write_text(json.dumps({"effect": EVIL, EVIL: 1}), "utf-8")


MISTAKES: list[tuple[list[str], Callable[[Path], None] | None]] = [
    ([EVIL], None),
    ([f"--{EVIL}"], None),
    (["status", EVIL], None),
    (["status", f"./{EVIL}"], None),
    (["status", BYTES], None),
    (["status", "--runs-dir", EVIL], None),
    (["status", "--runs-dir", BYTES], None),
    (["status", f"--{EVIL}"], None),
    (["status", "latest", EVIL], None),
    (["list", "--status", EVIL], None),
    (["events", "r", "--limit", EVIL], None),
    (["events", "r", "--type", EVIL], None),
    (["show", "r", EVIL], None),
    (["post", "r", EVIL, "--value", "1"], None),
    (["post", "r", "1", "--value", EVIL], None),
    (["post", "r", "1", "--value", json.dumps({EVIL: "x"})], None),
    (["post", "r", "1", "--value", f'{{"{NAME}":1,"{NAME}":1}}'.replace("\n", "")], None),
    (["post", "r", "1", "--file", EVIL[:40]], None),
    (["post", "r", "1", "--file", BYTES], None),
    (["post", "r", "--lines", "lines"], bad_lines),
    (["approve", "r", "--option", EVIL], None),
    (["create", EVIL], None),
    (["create", f"{NAME}.x.py"], None),
    (["create", f"p.py#{EVIL}"], None),
    (["create", "p.py", "--run-id", EVIL], None),
    (["create", "p.py", "-i", EVIL], None),
    (["create", "p.py", "-i", f"{EVIL}={EVIL}"], None),
    (["create", "p.py", "-i", f"{BYTES}=1"], None),
    (["create", "p.py"], no_python),
    (["create", "p.py"], raising),
    (["create", "p.py"], bad_config),
    (["create", "p.py"], bad_value_in_config),
    (["create", "p.py"], no_yaml),
    (["run", "p.py#asks"], unknown_agent),
    (["run", "p.py", "--agent-command", EVIL.replace("'", "")], None),
    (["run", "p.py", "--jobs", EVIL], None),
    (["process", "show", EVIL], None),
    (["process", EVIL], None),
    (["task:post", "r", "1", "--status", "ok", "--started-at", EVIL], None),
    (["run:create", "--process-id", EVIL, "--entry", EVIL], None),
]


def test_what_a_mistake_quotes_is_escaped(
    place: Path, look: Looked, count: Callable[[str, int], None], torture: bool
) -> None:
    for words, prepare in MISTAKES if torture else MISTAKES[::2]:
        for name, content in (("p.py", PROCESS), (".a5c/config.yaml", "")):
            (place / name).write_text(content, "utf-8")
        if not (place / ".a5c" / "runs" / "r").exists():
            assert call("create", "p.py#asks", "--run-id", "r").code == 0
        if prepare is not None:
            prepare(place)
        look.at(words)
    count("outputs searched for control characters", look.outputs)
    assert (look.found, look.escapes > 0) == ({}, True)


def test_file_names_are_escaped_where_a_shell_completes_them(
    place: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("_BABYSITTER_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "babysitter run ")
    monkeypatch.setenv("COMP_CWORD", "2")
    ended = call()
    assert ("p.py" in ended.stdout, raw_in(ended)) == (True, set()), ended


def test_a_question_on_a_terminal_is_escaped(place: Path) -> None:
    with Terminal("run", "p.py#asks") as terminal:
        terminal.sees("[1-2, its text or n; ")
        terminal.types("2\n")
        assert terminal.end() == 0
    assert raw_on_screen(terminal) == set()


def test_the_live_tree_is_escaped(place: Path) -> None:
    with Terminal("run", "p.py", "--agent-command", "false") as terminal:
        terminal.sees("[1-2, its text or n; ")
        terminal.types(f"n {EVIL[5:30]}\x04".replace("\n", "") + "\n")
        terminal.end()
    assert raw_on_screen(terminal) == set()


# What draws the tree: colours, and moves of the cursor.
DRAWING = re.compile(rb"\x1b\[(?:[0-9;]*m|[0-9]*[AK]|\?25[lh])|\r")


def raw_on_screen(terminal: Terminal) -> set[str]:
    return (NASTY - {OUR_OWN}) & set(DRAWING.sub(b"", terminal.raw).decode())
