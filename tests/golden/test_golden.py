"""Runs that earlier versions have recorded: every later one reads, replays and goes on with them."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from babysitter.errors import RunPacked
from babysitter.limits import DEFAULT
from babysitter.runs.answering import decide
from babysitter.runs.approval_records import records_of
from babysitter.runs.execution import Execution
from babysitter.runs.folder import open_run
from babysitter.runs.iterate import iterate
from babysitter.runs.results import Answer, accept
from babysitter.runs.unpacking import copied, restore
from tests.support.folders import digest_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.runs.run import Run

HERE = Path(__file__).parent


class Golden(NamedTuple):
    """What a recorded run says; ``source`` is the process as it was edited last."""

    status: str
    source: str
    effects: dict[str, str]
    ending: Any


GROUPS = {
    "lines": [1, 2, 3],
    "first": "quick",
    "outcomes": {"unit": "broken", "either": 4, "other": "ok\n"},
}
FAILURE = {
    "name": "ShellFailed",
    "message": "exit code 1",
    "effectId": "9ye87m0y21emccb5",
    "stepId": "1.build.1",
    "exitCode": 1,
    "data": {"stderr": "no\n"},
}
EDGES = {
    "": [[], {}, [[]], None, True],
    "numbers": [0, -1, 2**63, 10**40, 0.1, 1e-7, 1e22, 5e-324, 1.7976931348623157e308, -0.0],
    "texts": ["", "é 日本 😀", "e\u0301", "\u0000\t\u007f", "\u2028", "\u202e", '"\\/', "</script>"],
    "\u0000": {"b": 1, "a": {"Z": 2, "A": "1"}},
}
REJECTION = {
    "name": "Failed",
    "message": "nobody wants it",
    "data": {"told": ["one", "two"], "winner": {"size": 1}, "why": "after lunch"},
}
RUNS = {
    "groups": Golden(
        "completed",
        "groups",
        {
            "1.a38f345d67.1": "ok",
            "1.6d63722c7f.1": "ok",
            "1.a38f345d67~2.1": "ok",
            "2.slow.1": "cancelled",
            "2.fast.1": "ok",
            "3.unit.tests": "error",
            "3.other.1": "ok",
            "3.either.1.0.1": "ok",
            "3.either.1.1.1": "cancelled",
            "3.either.2": "ok",
        },
        GROUPS,
    ),
    "notes": Golden(
        "waiting",
        "notes",
        {"1": "ok", "2": "ok", "3": "ok", "4.0.1": "requested", "4.1.1": "requested"},
        None,
    ),
    "mended": Golden(
        "completed", "mended-3", {"1": "ok", "2": "ok", "3": "ok"}, ["first", "second", "third"]
    ),
    "failed": Golden(
        "failed", "failed", {"1.build.1": "error", "1.docs.1": "cancelled", "1.docs.2": "ok"}, FAILURE
    ),
    "interrupted": Golden(
        "waiting",
        "interrupted",
        {
            "1": "ok",
            "2.5feceb66ff.1": "requested",
            "2.6b86b273ff.1": "ok",
            "2.d4735e3a26.1": "requested",
            "2.4e07408562.1": "ok",
        },
        None,
    ),
    "values": Golden(
        "completed",
        "values",
        {"1": "ok", "2": "ok", "3.long.1": "ok", "3.none.1": "error"},
        {"same": True, "given": EDGES, "errors": ["None", "\u202eno"], "long": "日" * 11000},
    ),
    "rejected": Golden(
        "failed",
        "rejected",
        {"1.one.1": "error", "1.two.1": "error", "2.0.1": "cancelled", "2.1.1": "ok", "3": "ok"},
        REJECTION,
    ),
    "worked": Golden(
        "completed",
        "worked",
        {"1.ac8d8342bb.1": "ok", "1.c100f95c19.1": "ok", "1.f2886017e9.1": "ok", "2": "error", "3": "ok"},
        {"said": ["a\n", "b\n", "é\n"], "code": 3},
    ),
    "tried": Golden(
        "halted",
        "tried",
        {
            "1": "ok",
            "2.branch.1": "ok",
            "2.clock.1": "cancelled",
            "3.branch.1": "cancelled",
            "3.clock.1": "ok",
            "cleanup.1.1": "ok",
        },
        "enough",
    ),
    "given_up": Golden(
        "halted",
        "given_up",
        {"1": "cancelled", "2.0.1": "cancelled", "2.1.1": "ok", "cleanup.1.1": "ok"},
        "not this week",
    ),
    "edited": Golden("completed", "edited-3", dict.fromkeys("342516", "ok"), "a value"),
    "tasks": Golden(
        "completed",
        "tasks",
        {
            "1.0.1": "ok",
            "2.0.1": "ok",
            "3.0.1.0.1": "ok",
            "1.0.2": "ok",
            "2.0.2": "ok",
            "4": "ok",
            "5": "cancelled",
        },
        [["done", "done"], [["done", "done"], ["done"]]],
    ),
    "scored": Golden(
        "completed",
        "scored",
        {
            **dict.fromkeys("123", "ok"),
            **{f"4.ac8d8342bb.{number}": "ok" for number in range(1, 6)},
            **{f"4.c100f95c19.{number}": "ok" for number in range(1, 4)},
        },
        {
            "own": {
                "best": 90,
                "history": [61, 74.5, 90],
                "reached": True,
                "round": 3,
                "stalled": False,
                "target": 90,
                "value": 90,
            },
            "found": [[1e-7, True, [3, 2.75, 1e-7, 3, 0.4]], [0, False, [2, 3, 0]]],
        },
    ),
    "asked": Golden("waiting", "asked", {"1": "ok", "2": "ok", "3": "requested"}, None),
}


@pytest.fixture(autouse=True)
def forget_the_process() -> Iterator[None]:
    before = list(sys.meta_path)
    yield
    sys.meta_path[:] = before


@pytest.fixture(params=RUNS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def folder(name: str, tmp_path: Path) -> Path:
    """The run in a project of its own, which has the process."""
    target = tmp_path / "project" / ".a5c" / "runs" / name
    shutil.copytree(HERE / "runs" / name, target)
    target.chmod(0o700)
    shutil.copy(HERE / "processes" / f"{RUNS[name].source}.py", tmp_path / "project" / "process.py")
    return target


def opened(folder: Path) -> Run:
    return open_run(str(folder), "").load()


def test_every_recorded_run_is_tested() -> None:
    assert {path.name for path in (HERE / "runs").iterdir()} == set(RUNS)


def test_a_recorded_run_is_read(name: str, folder: Path) -> None:
    run, golden = opened(folder), RUNS[name]
    effects = {effect.step: effect.status for effect in run.state.effects.values()}
    told = run.state.ending or {}
    ending = run.output() if run.state.status == "completed" else told.get("error", told.get("reason"))
    assert (run.state.status, effects, ending) == (golden.status, golden.effects, golden.ending)


def test_a_recorded_run_asks_for_nothing_new(name: str, folder: Path) -> None:
    before = digest_of(folder)
    done = iterate(opened(folder))
    assert (done.status, done.new, done.diverged, digest_of(folder)) == (RUNS[name].status, [], None, before)


def test_the_whole_script_of_a_recorded_run_holds(name: str, folder: Path) -> None:
    execution = Execution(opened(folder))
    execution.start()
    ended = None if execution.end is None else execution.end.status
    # Of a run that has ended the outcome is part of the script.
    assert (execution.diverged, ended or "waiting") == (None, RUNS[name].status)


@pytest.fixture(params=["groups", "failed"])
def packed(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[str, Path]:
    """A recorded run that is packed, and the folder of runs that it is in."""
    runs = tmp_path / "runs"
    (runs / ".archive").mkdir(parents=True)
    shutil.copy(HERE / "packed" / f"{request.param}.zip", runs / ".archive")
    return request.param, runs


def test_every_packed_run_is_tested() -> None:
    assert {path.name for path in (HERE / "packed").iterdir()} == {"groups.zip", "failed.zip"}


def test_a_packed_run_is_restored_as_it_was_recorded(packed: tuple[str, Path]) -> None:
    name, runs = packed
    restore(name, str(runs))
    found, recorded = digest_of(runs / name), digest_of(HERE / "runs" / name)
    # Every run has these two; a recording has not.
    assert {each: found[each] for each in found if each not in {"artifacts", "run.lock"}} == recorded


def test_a_packed_run_is_read_as_it_is(packed: tuple[str, Path]) -> None:
    name, runs = packed
    with pytest.raises(RunPacked) as raised:
        open_run(name, str(runs))
    with copied(raised.value, DEFAULT) as run:
        effects = {effect.step: effect.status for effect in run.load().state.effects.values()}
        assert (run.state.status, effects) == (RUNS[name].status, RUNS[name].effects)


# In a process of its own, which ends without closing what it has suspended at each of the beginnings.
BEGINNINGS = """
import os, shutil, sys
sys.path[:0] = {path!r}
from babysitter.runs.execution import Execution
from babysitter.runs.folder import open_run
folder, scratch = {folder!r}, os.path.dirname({folder!r}) + "/scratch"
known = set(open_run(folder, "").load().state.effects)
for name in sorted(os.listdir(folder + "/journal"), reverse=True)[:-1]:
    os.unlink(folder + "/journal/" + name)
    shutil.rmtree(scratch, ignore_errors=True)
    shutil.copytree(folder, scratch, ignore=shutil.ignore_patterns("state"))
    execution = Execution(open_run(scratch, "").load())
    execution.start()
    asked = {{e.data["effectId"] for e in execution.write_round() if e.type == "EFFECT_REQUESTED"}}
    print(execution.diverged, sorted(asked - known), flush=True)
os._exit(0)
"""


# The process of the other one was another one at each of its beginnings.
@pytest.mark.parametrize("name", sorted(set(RUNS) - {"mended", "edited"}))
def test_every_beginning_of_a_recorded_run_holds_and_leads_to_the_same_effects(
    name: str, folder: Path
) -> None:
    script = BEGINNINGS.format(path=sys.path, folder=str(folder))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    beginnings = len(list((HERE / "runs" / name / "journal").iterdir())) - 1
    assert (done.stdout, done.stderr) == ("None []\n" * beginnings, "")


@pytest.mark.parametrize("name", ["scored"])
def test_the_scores_of_a_recorded_run_are_read_as_far_as_they_count(folder: Path) -> None:
    told = opened(folder).state.scores.items()
    assert {place: [score["value"] for score in series] for place, series in told} == {
        ("", "score"): [61, 74.5, 90],
        ("4.ac8d8342bb.", "défauts a"): [3, 2.75, 1e-7, 3, 0.4],
        ("4.c100f95c19.", "défauts b"): [2, 3, 0],
    }


@pytest.mark.parametrize("name", ["notes"])
def test_a_recorded_run_goes_on(folder: Path) -> None:
    run = opened(folder)
    agent, person = run.state.pending.values()
    accept(run, [Answer(agent.id, "ok", "a name"), decide(run, person, False, by="me")])
    done = iterate(opened(folder))
    assert (done.status, done.run.output()) == (
        "completed",
        {
            "drawn": ["5e3a24aa-97e8-866a-b72d-0ca044c51f7b", 682, "b"],
            "length": 40_000,
            "option": "live",
            "feedback": "after lunch",
            "named": "a name",
            "agreed": False,
        },
    )


@pytest.mark.parametrize("name", ["asked"])
def test_a_recorded_run_goes_on_with_the_answers_that_it_has(folder: Path) -> None:
    run = opened(folder)
    (person,) = run.state.pending.values()
    accept(run, [decide(run, person, True, by="bert")])
    silent = {"response": None, "feedback": None, "option": None}
    assert iterate(opened(folder)).run.output() == {
        "release": [True, "live", "go", "anna, somebody"],
        "responses": [
            {**silent, "approved": False, "feedback": "not on Fridays", "respondedBy": "bert"},
            {**silent, "approved": True, "option": "live", "respondedBy": "anna"},
            {**silent, "approved": True, "option": "live", "feedback": "go", "respondedBy": "somebody"},
        ],
        "where": ["b", "deadline", 1],
        "last": [True, "anna, bert"],
    }


@pytest.mark.parametrize("name", ["asked"])
def test_what_people_have_said_in_a_recorded_run_is_read(folder: Path) -> None:
    run = opened(folder)
    records = [records_of(run, effect) for effect in run.state.effects.values()]
    assert [[(each["respondedBy"], each.get("voided")) for each in told] for told in records] == [
        [("anna", "expired"), ("bert", None), ("anna", None), ("somebody", None)],
        [("anna", None)],
        [("anna", None)],
    ]


def test_what_an_interrupted_batch_left_stays_aside_while_the_run_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "project" / ".a5c" / "runs" / "interrupted"
    shutil.copytree(HERE / "runs" / "interrupted", folder)
    shutil.copy(HERE / "processes" / "interrupted.py", tmp_path / "project" / "process.py")
    aside = sorted(path.name[:6] for path in (folder / "quarantine").iterdir())
    run = opened(folder)
    accept(run, [Answer(effect, "ok", "late") for effect in run.state.pending])
    done = iterate(opened(folder))
    assert (done.status, done.run.output()) == ("completed", ["first", "late", "1", "late", "3"])
    assert (
        sorted(path.name[:6] for path in (folder / "quarantine").iterdir()) == aside == ["000006", "000007"]
    )


def test_evidence_of_what_was_performed_is_read(tmp_path: Path) -> None:
    shutil.copytree(HERE / "runs" / "worked", tmp_path / "worked")
    seen: list[Any] = []
    open_run(str(tmp_path / "worked"), "").journal.load(seen.append)
    evidence = [event.data["evidence"] for event in seen if event.type == "EFFECT_RESOLVED"]
    assert [(each["argv"][-1], each["exitCode"]) for each in evidence] == [
        ("a", 0),
        ("b", 0),
        ("é", 0),
        ("echo out; echo err >&2; exit 3", 3),
        ("true", 0),
    ]
