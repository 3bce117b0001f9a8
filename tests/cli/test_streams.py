"""Streams: closed ones, pipes that nobody reads, and text that is not to be trusted."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.commands import BABYSITTER, call, sh, start, told, write

if TYPE_CHECKING:
    from pathlib import Path

    from scenes import Scene

# An escape sequence, DEL, a C1 control, a mark that turns the text round, one that breaks the line.
EVIL = "a\x1b[31mb\x7fc\x9bd\u202ee\u2028f\ng\U000e0001h"
HARMFUL = {chr(code) for code in (*range(32), *range(0x7F, 0xA0), 0x202E, 0x2028, 0xE0001)} - {"\n", "\t"}


@pytest.fixture
def evil(scene: Scene) -> str:
    """A run whose title, question, output and error hold what a terminal could act on."""
    write(
        "evil.py",
        f"""
        EVIL = {EVIL!r}

        @agent(title=EVIL)
        def tell(text):
            return EVIL

        async def process(inputs, ctx):
            ctx.log(EVIL, field=EVIL)
            ctx.progress(1, 2, EVIL)
            await ctx.parallel.map([EVIL], lambda text: ctx.task(tell, text))
            await ctx.breakpoint(EVIL, options=[EVIL])
            raise Failed(EVIL, EVIL)
        """,
    )
    told("create", "evil.py", "--run-id", "evil", "-i", f"evil={EVIL}", "--prompt", EVIL)
    told("post", "evil", "--lines", "-", stdin=json.dumps({"effect": _first(scene), "value": EVIL}))
    told("iterate", "evil")
    return "evil"


def _first(scene: Scene) -> str:
    return next(iter(scene.effects("evil").values())).id


def harmful(text: str) -> set[str]:
    return set(text) & HARMFUL


@pytest.mark.parametrize(
    "words",
    [
        ["iterate", "evil"],
        ["status", "evil"],
        ["show", "evil"],
        ["show", "evil", "2"],
        ["tasks", "evil"],
        ["events", "evil"],
        ["run:iterate", "evil"],
        ["task:list", "evil"],
        ["resume", "evil", "--plain"],
    ],
)
@pytest.mark.parametrize("more", [[], ["--json"]])
def test_nothing_that_a_terminal_could_act_on_is_printed(
    evil: str, words: list[str], more: list[str]
) -> None:
    ended = call(*words, *more)
    assert (harmful(ended.stdout), harmful(ended.stderr)) == (set(), set())
    assert "a" in ended.stdout


def test_a_prompt_keeps_its_lines_and_nothing_else(evil: str, scene: Scene) -> None:
    shown = call("show", evil, _first(scene), "--prompt")
    # Two of the prompt, an empty one, and what kind of answer is expected.
    assert (harmful(shown.stdout), shown.stdout.count("\n")) == (set(), 4)


def test_the_end_of_a_failed_run_is_harmless(evil: str) -> None:
    told("approve", evil)
    for words in (["iterate", evil], ["status", evil], ["resume", evil, "--plain"], ["run:status", evil]):
        ended = call(*words)
        assert (harmful(ended.stdout), harmful(ended.stderr)) == (set(), set())


@pytest.mark.parametrize("more", [[], ["--json"]])
@pytest.mark.parametrize(
    "words",
    [
        ["status", EVIL],
        ["show", "done", EVIL],
        ["create", EVIL],
        [EVIL],
        ["status", f"--{EVIL}"],
        ["list", "--status", EVIL],
        ["post", "done", "1", "--file", EVIL],
        ["status", os.fsdecode(b"\xff")],
        ["status", os.fsdecode(b"--\xff")],
    ],
)
def test_bad_input_is_told_without_harm(scene: Scene, words: list[str], more: list[str]) -> None:
    ended = call(*words, *more)
    assert (ended.code in (2, 4, 6), harmful(ended.stdout), harmful(ended.stderr)) == (True, set(), set())
    assert "Traceback" not in ended.stderr
    assert not more or ended.told["error"]["exitCode"] == ended.code


def test_json_is_the_same_value_whatever_is_escaped(evil: str) -> None:
    # A parser gets back what was given.
    assert told("show", evil)["inputs"] == {"evil": EVIL}


def test_json_is_json_also_where_the_locale_has_few_characters(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("wide.py", "async def process(inputs, ctx):\n    return 'é → 日本 😀'\n")
    monkeypatch.setenv("LC_ALL", "C")
    assert told("create", "wide.py")["output"] == "é → 日本 😀"


# Pipes


def test_a_pipe_that_nobody_reads_is_no_error(scene: Scene) -> None:
    ended = sh("{ babysitter events done --json; echo $? >code; } | true; cat code")
    assert (ended.stdout, ended.stderr) == ("0\n", "")


def test_a_pipe_that_nobody_reads_keeps_the_exit_code(scene: Scene) -> None:
    ended = sh("{ babysitter iterate failed; echo $? >code; } | true; cat code")
    assert (ended.stdout, ended.stderr) == ("1\n", "")


SUSPENDED = """
async def process(inputs, ctx):
    try:
        await ctx.parallel.map(range(3000), lambda n: ctx.task(ask, question=str(n)))
    finally:
        Path("trace").touch()
"""


def test_a_suspended_finally_does_not_run_when_nobody_reads(scene: Scene) -> None:
    write("waits.py", SUSPENDED)
    reader, writer = os.pipe()
    os.close(reader)
    with open(writer, "wb") as unread:
        done = subprocess.run(
            [BABYSITTER, "create", "waits.py", "--json"], stdout=unread, stderr=unread, check=False
        )
    assert (done.returncode, (scene.folder / "trace").exists()) == (0, False)


def test_a_suspended_finally_does_not_run_over_many_commands(scene: Scene) -> None:
    write("waits.py", SUSPENDED.replace("3000", "2"))
    told("create", "waits.py", "--run-id", "waits")
    for command in ("iterate", "iterate", "work", "resume", "status"):
        call(command, "waits", "--json")
    assert not (scene.folder / "trace").exists()


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("command", ["status done", "iterate done", "create many.py", "resume done"])
def test_closed_streams_are_no_error(scene: Scene, command: str, closed: str) -> None:
    before = sorted(path.name for path in (scene.runs / "done").iterdir())
    ended = sh(f"babysitter {command} {closed}; echo $? >code")
    assert ((scene.folder / "code").read_text(), "Traceback" in ended.stderr) == ("0\n", False)
    # A file that was opened in the place of a closed stream would have been printed into.
    told("show", "done")
    assert set(before) - {path.name for path in (scene.runs / "done").iterdir()} == set()


def test_a_result_from_a_closed_stream_is_an_empty_one(scene: Scene) -> None:
    ended = sh("babysitter post review 1 --file - <&-")
    assert (ended.code, "the JSON is empty" in ended.stderr) == (2, True)


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_a_result_may_come_from_standard_input(scene: Scene, name: str) -> None:
    assert told("post", "review", "1", "--file", name, stdin='{"verdict": "good"}')["status"] == "recorded"


def test_a_result_may_come_from_another_command(scene: Scene) -> None:
    script = f"""{BABYSITTER} post review 1 --file <(echo '{{"verdict": "good"}}')"""
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout[-9:]) == (0, "recorded\n")


# What the author's code prints


def test_what_a_process_prints_does_not_mix_with_json(scene: Scene) -> None:
    write(
        "talks.py",
        "print('on import')\n@agent\ndef talk():\n    print('in a task')\n    return 'x'\n"
        "async def process(inputs, ctx):\n    print('in the process')\n    await ctx.task(talk)\n",
    )
    ended = call("create", "talks.py", "--json")
    assert (ended.code, ended.told["status"]) == (0, "waiting")
    assert set(ended.stderr.splitlines()) == {"on import", "in a task", "in the process"}


# Loops


@pytest.mark.parametrize("handler", ["pass", "try: pass\n        except BaseException: pass"])
def test_a_process_that_loops_is_stopped_by_the_configured_deadline(
    scene: Scene, home: object, handler: str
) -> None:
    with open(f"{home}/config.yaml", "w", encoding="utf-8") as config:
        config.write("iterateSeconds: 0.3\n")
    write("loops.py", f"async def process(inputs, ctx):\n    while True:\n        {handler}\n")
    told_ = told("create", "loops.py", code=7)
    assert (told_["status"], told_["problem"]["file"]) == ("stuck", str(scene.folder / "loops.py"))


def test_an_interruption_ends_a_command_at_once(scene: Scene) -> None:
    write("loops.py", "async def process(inputs, ctx):\n    Path('began').touch()\n    while True: pass\n")
    running = start("create", "loops.py", "--json")
    while not (scene.folder / "began").exists():
        assert running.poll() is None
    running.send_signal(2)
    stdout, _ = running.communicate()
    error = json.loads(stdout)["error"]
    assert (running.returncode, error["name"], error["exitCode"]) == (130, "Interrupted", 130)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is always full is Linux's")
def test_json_that_cannot_be_printed_ends_with_74_and_runs_no_finally(project: Path) -> None:
    write(
        "p.py",
        """
        @agent
        def ask():
            return "?"

        async def process(inputs, ctx):
            try:
                await ctx.task(ask)
            finally:
                open("finally", "w").close()
        """,
    )
    call("create", "p.py", "--run-id", "r")
    with open("/dev/full", "wb") as full:
        ended = subprocess.run([BABYSITTER, "iterate", "r", "--json"], stdout=full, check=False)
    assert (ended.returncode, (project / "finally").exists()) == (74, False)
