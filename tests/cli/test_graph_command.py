"""``process graph``: a process, or a run, as Mermaid, SVG or JSON."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from tests.support.commands import call, told, write

RELEASE = """
@shell(title="check {name}")
def check(name):
    return ["test", name, "!=", "b"]

@shell
def tidy():
    "Tidy up"
    return ["true"]

async def process(inputs, ctx):
    for _ in range(2):
        await ctx.task(check, name="first")
    outcomes = await ctx.parallel.settled([ctx.task(check, name=name) for name in "abc"], limit=2)
    if all(each.ok for each in outcomes):
        await ctx.task(tidy)
    if not (await ctx.breakpoint("Release?")).approved:
        raise Failed("not released")
    return await ctx.task(ask, question="notes")
"""


@pytest.fixture(autouse=True)
def _process(project: Path) -> None:
    write("release.py", RELEASE)


def titles(told_: dict[str, Any]) -> list[str]:
    return [each["title"] for each in told_["nodes"]]


def states(told_: dict[str, Any]) -> dict[str, Any]:
    return {each["title"]: each["states"] for each in told_["nodes"] if "states" in each}


def test_a_process_is_printed_as_mermaid() -> None:
    ended = call("process", "graph", "release.py")
    assert (ended.code, ended.stderr) == (0, "")
    assert ended.stdout.startswith('flowchart TD\n    n1(["release"])\n')
    assert '-.->|"no"|' in ended.stdout


def test_nothing_is_made_or_performed(project: Path) -> None:
    call("process", "graph", "release.py")
    assert [path.name for path in project.iterdir() if path.name != "__pycache__"] == ["release.py"]


def test_an_svg_goes_to_a_file(project: Path) -> None:
    ended = call("process", "graph", "release.py", "--format", "svg", "--output", "release.svg")
    assert (ended.code, ended.stdout) == (0, "")
    assert ET.parse(project / "release.svg").getroot().tag.endswith("svg")  # noqa: S314 - it is our own


def test_a_file_that_cannot_be_written_is_invalid_input() -> None:
    ended = call("process", "graph", "release.py", "--output", "nowhere/release.mmd")
    assert (ended.code, ended.stderr) == (
        2,
        "error: 'nowhere/release.mmd' cannot be written: No such file or directory\n",
    )


def test_the_graph_is_nodes_and_edges(project: Path) -> None:
    told_ = told("process", "graph", "release.py", "--output", "release.mmd")
    assert sorted(told_) == ["edges", "file", "nodes", "notes", "process"]
    assert (told_["process"], told_["file"]) == ("release", str(project / "release.mmd"))
    assert told_["nodes"][2] == {
        "id": "n3",
        "kind": "group",
        "title": "settled",
        "mode": "settled",
        "limit": "2",
        "branches": [{"times": 3}],
        "isTaken": True,
    }
    assert told_["edges"][1] == {"from": "n2", "to": "n2", "isTaken": True, "isBack": True}


def test_a_run_is_drawn_with_its_states() -> None:
    call("run", "release.py", "--run-id", "r-1")
    told_ = told("process", "graph", "--run", "r-1")
    assert (told_["run"], told_["process"], told_["notes"]) == ("r-1", "release", [])
    assert states(told_) == {
        "check first": {"ok": 2},
        "settled": {"ok": 1},
        "check {name}": {"ok": 2, "failed": 1},
        "Release?": {"pending": 1},
    }
    ahead = [each["title"] for each in told_["nodes"] if not each["isTaken"]]
    assert ahead == ["Tidy up", "ask", "end"]


def test_a_run_that_was_rejected_went_by_no() -> None:
    call("run", "release.py", "--run-id", "r-1")
    call("reject", "r-1", "--feedback", "not yet")
    call("resume", "r-1")
    told_ = told("process", "graph", "--run", "r-1")
    names = {each["id"]: each["title"] for each in told_["nodes"]}
    taken = [(names[each["from"]], each.get("word"), names[each["to"]]) for each in told_["edges"]]
    assert ("Release?", "no", "failed: not released") in taken


def test_a_run_whose_process_is_gone_is_drawn_from_its_journal() -> None:
    call("run", "release.py", "--run-id", "r-1")
    Path("release.py").unlink()
    told_ = told("process", "graph", "--run", "r-1")
    assert titles(told_)[:3] == ["release", "check first", "settled"]
    assert all(each["isTaken"] for each in told_["nodes"])


def test_a_run_whose_process_does_something_else_by_now_says_so() -> None:
    call("run", "release.py", "--run-id", "r-1")
    write("release.py", "async def process(inputs, ctx):\n    await ctx.task(ask, question='other')\n")
    ended = call("process", "graph", "--run", "r-1")
    assert (ended.code, ended.stdout.splitlines()[1]) == (0, '    n1(["release"])')
    assert ended.stderr.startswith("note: its process no longer does what it did")


CAUGHT = """
@shell
def look(name):
    return ["test", name, "=", "a"]

async def process(inputs, ctx):
    async def one(name):
        try:
            await ctx.task(look, name=name)
        except TaskFailed:
            pass
    await ctx.parallel.map(["a", "b"], one)
    try:
        await ctx.parallel.all([ctx.task(look, name="a"), ctx.task(look, name="c")])
    except TaskFailed:
        pass
"""


def test_a_group_has_failed_when_a_failure_has_left_it() -> None:
    write("caught.py", CAUGHT)
    call("run", "caught.py", "--run-id", "r-1")
    told_ = told("process", "graph", "--run", "r-1")
    assert (states(told_)["map"], states(told_)["all"]) == ({"ok": 1}, {"failed": 1})


def test_without_its_process_nobody_knows_whether_a_failure_has_left_a_group() -> None:
    write("caught.py", CAUGHT)
    call("run", "caught.py", "--run-id", "r-1")
    Path("caught.py").unlink()
    groups = [each for each in told("process", "graph", "--run", "r-1")["nodes"] if each["kind"] == "group"]
    assert [(each["state"], each["branchStates"]) for each in groups] == [
        ("partly", {"ok": 1, "failed": 1})
    ] * 2


def test_a_packed_run_can_be_drawn() -> None:
    write("short.py", "async def process(inputs, ctx):\n    return 1\n")
    call("run", "short.py", "--run-id", "r-1")
    call("archive", "r-1")
    assert titles(told("process", "graph", "--run", "r-1")) == ["short", "end"]


def test_inputs_are_checked_as_for_a_run() -> None:
    write(
        "typed.py",
        """
        Inputs = {"type": "object", "properties": {"count": {"type": "integer"}}}

        async def process(inputs, ctx):
            await ctx.parallel.map(range(inputs["count"]), lambda n: ctx.task(ask, question=str(n)))
        """,
    )
    told_ = told("process", "graph", "typed.py", "-i", "count=3")
    assert told_["nodes"][1]["branches"][0]["times"] == 3
    assert told("process", "graph", "typed.py", "-i", "count=many", code=2)["error"]["name"] == "InvalidInput"


def test_a_process_that_never_comes_to_a_step_is_not_waited_for(project: Path) -> None:
    write("stuck.py", "async def process(inputs, ctx):\n    while True:\n        pass\n")
    (project / ".a5c").mkdir()
    (project / ".a5c" / "config.yaml").write_text("iterateSeconds: 0.5\n")
    (note,) = told("process", "graph", "stuck.py")["notes"]
    assert note.endswith("without coming to a step")


@pytest.mark.parametrize("words", [[], ["release.py", "--run", "latest"]])
def test_a_process_or_a_run_is_needed(words: list[str]) -> None:
    assert "one of the two is needed" in call("process", "graph", *words).stderr


def test_a_run_takes_no_inputs() -> None:
    ended = call("process", "graph", "--run", "latest", "-i", "a=1")
    assert (ended.code, ended.stderr) == (
        2,
        "error: a run has its inputs already; --input and --inputs are for a process\n",
    )


def test_of_a_run_attempts_that_have_failed_before_are_told() -> None:
    write(
        "flaky.py",
        """
        from babysitter import Retry

        @shell(retry=Retry(3, "1ms"))
        def flaky():
            "Flaky"
            return 'echo x >> tries; [ "$(wc -l < tries)" -ge 3 ]'

        async def process(inputs, ctx):
            await ctx.task(flaky)
        """,
    )
    call("run", "flaky.py", "--run-id", "r-1")
    (node,) = [each for each in told("process", "graph", "--run", "r-1")["nodes"] if each["title"] == "Flaky"]
    assert (node["states"], node["failedAttempts"]) == ({"ok": 1}, 2)
    assert "ok, after 2 failed attempts" in call("process", "graph", "--run", "r-1").stdout
