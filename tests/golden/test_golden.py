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
from babysitter.runs.execution import Execution
from babysitter.runs.folder import open_run
from babysitter.runs.iterate import iterate
from babysitter.runs.results import Answer, accept, decide
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
    ending = run.output() if run.state.status == "completed" else (run.state.ending or {}).get("error")
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
@pytest.mark.parametrize("name", sorted(set(RUNS) - {"mended"}))
def test_every_beginning_of_a_recorded_run_holds_and_leads_to_the_same_effects(
    name: str, folder: Path
) -> None:
    script = BEGINNINGS.format(path=sys.path, folder=str(folder))
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    beginnings = len(list((HERE / "runs" / name / "journal").iterdir())) - 1
    assert (done.stdout, done.stderr) == ("None []\n" * beginnings, "")


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
