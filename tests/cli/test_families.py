"""Runs with child runs, as the commands that look at them, check them and put them away show them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from babysitter.cli.runs_listed import under_parents
from tests.support.commands import call, told, write

PARENT = """
async def child(inputs, ctx):
    return await ctx.task(ask, question=inputs["question"])

async def process(inputs, ctx):
    return await ctx.parallel.map(["a", "b"], lambda text: ctx.subprocess(child, {"question": text}))
"""
CHAIN = """
async def process(inputs, ctx):
    await ctx.task(ask, question=str(inputs["left"]))
    if inputs["left"]:
        ctx.continue_as_new({"left": inputs["left"] - 1})
    return "done"
"""


@pytest.fixture
def family(project: Path) -> list[str]:
    """A run called ``r`` with two children that wait for an agent; the ids of these."""
    write(project / "p.py", PARENT)
    return [child["run"] for child in told("create", "p.py", "--run-id", "r")["children"]]


def answer(run: str, value: str = '"yes"') -> None:
    (effect,) = [task["id"] for task in told("tasks", run, "--pending")["tasks"]]
    told("post", run, effect, "--value", value)


def finished(family: list[str]) -> None:
    for child in family:
        answer(child)
    assert told("iterate", "r")["status"] == "completed"


def listed(*options: str) -> list[str]:
    return [run["run"] for run in told("list", *options)["runs"]]


def folders() -> list[str]:
    return sorted(path.name for path in Path(".a5c/runs").iterdir() if path.name[0] != ".")


def test_an_iteration_tells_what_is_new_in_each_child(project: Path) -> None:
    write(project / "p.py", PARENT)
    told_ = told("create", "p.py", "--run-id", "r")
    children = told_["children"]
    assert [(child["parent"], child["status"], list(child["new"])) for child in children] == [
        ("r", "waiting", ["agent"])
    ] * 2
    assert list(told_["new"]) == ["subprocess"]


def test_the_status_of_a_run_names_its_children(family: list[str]) -> None:
    children = told("status", "r")["children"]
    assert [(child["run"], child["parent"], child["pending"]) for child in children] == [
        (child, "r", {"agent": 1}) for child in family
    ]
    shown = call("status", "r").stdout
    assert all(f"  {child}  waiting  1 agent" in shown for child in family)


def test_a_halted_run_waits_for_nothing_any_more(family: list[str]) -> None:
    told("halt", "r")
    told_ = told("status", "r")
    assert (told_["effects"], told_["pending"]) == ({"requested": 2}, {})
    assert "waits for" not in call("status", "r").stdout
    assert [run["pending"] for run in told("list", "--all")["runs"]] == [0, 0, 0]
    ended = told("resume", "r", code=1)
    assert (ended["status"], "pending" in ended) == ("halted", False)
    told("archive", "r")
    assert [run["pending"] for run in told("list", "--all")["runs"]] == [0, 0, 0]


def test_what_a_child_performs_is_not_shown_as_for_an_agent(project: Path) -> None:
    write(project / "p.py", PARENT)
    shown = call("run", "p.py", "--run-id", "r", "--plain").stdout
    lines = [line.split() for line in shown.splitlines() if line.startswith(("  >", "  @"))]
    assert [" ".join(words[-3:]) for words in lines] == ["a child run"] * 2 + ["for an agent"] * 2


def test_the_status_of_a_child_names_its_parent(family: list[str]) -> None:
    assert told("status", family[0])["parent"] == "r"
    assert "child of    r" in call("status", family[0]).stdout


def test_the_effects_of_children_are_listed_below_theirs(family: list[str]) -> None:
    told_ = told("tasks", "r")
    assert [child["run"] for child in told_["children"]] == family
    asked = [task["id"] for task in told_["tasks"]]
    assert [child["effect"] for child in told_["children"]] == asked
    lines = call("tasks", "r").stdout.splitlines()[1:]
    assert [line.split()[0] for line in lines] == [
        asked[0],
        told_["children"][0]["tasks"][0]["id"],
        asked[1],
        told_["children"][1]["tasks"][0]["id"],
    ]


def test_children_are_listed_below_their_parent_while_they_live(family: list[str]) -> None:
    write(Path("other.py"), "async def process(inputs, ctx):\n    return 1\n")
    told("run", "other.py", "--run-id", "other")
    assert listed()[:2] == ["other", "r"]
    assert sorted(listed()[2:]) == sorted(family)
    assert f"\n  {family[0]} " in call("list").stdout
    finished(family)
    assert listed() == ["other", "r"]
    assert sorted(listed("--all")[2:]) == sorted(family)


def test_the_latest_run_is_no_child(family: list[str]) -> None:
    assert told("status")["run"] == "r"


def test_a_beginning_that_a_parent_and_its_children_have_means_the_parent(project: Path) -> None:
    write(project / "p.py", PARENT)
    told("create", "p.py", "--run-id", "p-child-mine")
    assert told("status", "p-child")["run"] == "p-child-mine"


def test_the_latest_of_a_chain_is_its_last_run(project: Path) -> None:
    write(project / "p.py", CHAIN)
    told("create", "p.py", "--run-id", "r", "-i", "left=11")
    for _ in range(11):
        answer("latest")
        told("iterate", "r")
    assert told("status")["run"] == "r-c12"


def test_whoever_looks_at_a_continued_run_is_told_how_it_goes_on(project: Path) -> None:
    write(project / "p.py", CHAIN)
    told("create", "p.py", "--run-id", "r", "-i", "left=1")
    answer("r")
    assert told("iterate", "r")["run"] == "r-c2"
    assert (told("status", "r")["status"], told("status", "r")["continuedAs"]) == ("continued", "r-c2")
    assert "continued as  r-c2" in call("status", "r").stdout
    assert told("status", "r-c2")["continuedFrom"] == "r"


def test_a_large_beginning_of_a_chain_is_verified(project: Path) -> None:
    write(
        project / "p.py",
        """
        async def process(inputs, ctx):
            if inputs.get("text"):
                return len(inputs["text"])
            ctx.continue_as_new({"text": "x" * 100_000})
        """,
    )
    told("run", "p.py", "--run-id", "r")
    (file,) = Path(".a5c/runs/r").glob("inputs-*.json")
    assert [run["run"] for run in told("verify", "--all")["runs"]] == ["r", "r-c2"]
    file.write_text('{"text": "forged"}')
    assert call("verify", "r").code == 5


# Checked


def test_a_parent_is_verified_with_what_its_children_came_to(family: list[str]) -> None:
    finished(family)
    assert told("verify", "r")["children"] == 2


def test_a_child_that_is_another_one_now_is_found(family: list[str]) -> None:
    finished(family)
    last = max(Path(".a5c/runs", family[0], "journal").iterdir())
    last.unlink()
    shutil.rmtree(Path(".a5c/runs", family[0], "state"))
    told_ = call("verify", "r", "--json")
    assert (told_.code, family[0] in told_.stdout) == (5, True)


def test_the_doctor_looks_at_the_family(family: list[str]) -> None:
    def checks(run: str) -> dict[str, Any]:
        return {check["check"]: check for check in told("doctor", run)["checks"]}

    assert checks("r")["children"]["message"] == "2 runs below it can go on"
    assert checks(family[0])["parent"]["message"] == "run r waits for it"
    shutil.rmtree(".a5c/runs/r")
    assert checks(family[0])["parent"]["level"] == "WARN"


# Put away


def test_a_child_stays_while_its_parent_lives(family: list[str]) -> None:
    answer(family[0])
    told("iterate", family[0])
    for command in (["archive", family[0]], ["cleanup", family[0], "--yes"]):
        ended = call(*command)
        assert (ended.code, "is a child of run 'r', which has not ended" in ended.stderr) == (3, True)
    assert call("archive", "--all").code == 0
    assert folders() == sorted(["r", *family])


@pytest.mark.parametrize("command", [["archive", "r"], ["cleanup", "r", "--yes"]])
def test_children_are_put_away_with_their_parent(family: list[str], command: list[str]) -> None:
    finished(family)
    assert call(*command).code == 0
    assert folders() == []


def test_packed_children_are_listed_below_their_packed_parent(family: list[str]) -> None:
    finished(family)
    assert call("archive", "r").code == 0
    assert listed() == ["r"]
    assert sorted(listed("--all")) == sorted(["r", *family])


def test_a_parent_that_was_taken_out_again_has_what_its_packed_children_came_to(family: list[str]) -> None:
    finished(family)
    call("archive", "r")
    told("restore", "r")
    assert (told("status", "r")["output"], told("verify", "r").get("children")) == (["yes", "yes"], None)


# Forged


@pytest.mark.parametrize("parent", ["../../elsewhere", "", "r/../r"])
def test_a_parent_that_is_no_id_leads_nowhere(family: list[str], parent: str) -> None:
    about = Path(".a5c/runs", family[0], "run.json")
    told_ = json.loads(about.read_text())
    told_["parent"]["runId"] = parent
    about.write_text(json.dumps(told_))
    assert call("status", family[0]).code == 5
    assert call("list").code == 0


def test_runs_that_say_they_are_each_others_children_are_listed() -> None:
    runs: list[dict[str, Any]] = [
        {"run": "a", "createdAt": "1", "parent": "b"},
        {"run": "b", "createdAt": "2", "parent": "a"},
        {"run": "c", "createdAt": "3"},
    ]
    assert [told_["run"] for told_ in under_parents(runs)] == ["c", "b", "a"]
