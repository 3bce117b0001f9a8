"""``process test --from`` of runs that were edited, rewound or forked, or that have more to see."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest

from babysitter.testing import recorded
from tests.support.commands import call

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from babysitter.testing import Recorded

PROCESS = """
from babysitter import shell

@shell
def say(word):
    return f"echo {word}"

async def process(inputs, ctx):
    said = await ctx.parallel.all([ctx.task(say, word=word) for word in ["a", "b", "c"]])
    last = await ctx.task(say, word="d")
    await ctx.breakpoint("Go?")
    return [each.stdout for each in (*said, last)]
"""
TOGETHER = [3, 1, 1]


@pytest.fixture(autouse=True)
def _run(project: Path) -> Iterator[None]:
    """A run called ``r`` that waits for a person."""
    finders = list(sys.meta_path)
    (project / "say.py").write_text(PROCESS)
    call("run", "say.py", "--run-id", "r")
    yield
    sys.meta_path[:] = finders


def done(*words: str) -> None:
    assert call(*words).stderr == ""


def edit(project: Path, before: str, after: str) -> None:
    text = (project / "say.py").read_text()
    assert before in text
    (project / "say.py").write_text(text.replace(before, after))


def written(project: Path, run: str = "r") -> Recorded:
    """The test of a run."""
    done("process", "test", "--from", run)
    return recorded(project / f"test_say_{run}.json")


def ended(run: str) -> str:
    call("resume", run)
    call("approve", run)
    call("resume", run)
    return run


def same(run: Recorded, project: Path) -> bool:
    play = run.play(project / "say.py")
    assert play.lines == run.lines
    assert play.outcome == run.outcome
    return True


@pytest.mark.parametrize("rule", ["redo", "keep"])
def test_of_an_accepted_edit_what_is_asked_for_together_is_that_of_the_process(
    rule: str, project: Path
) -> None:
    edit(project, '"b"', '"B"')
    done("iterate", "r", "--accept-edit", rule)
    run = written(project, ended("r"))
    assert ([len(lines) for lines in run.lines], run.outcome["status"]) == (TOGETHER, "completed")
    assert same(run, project)


def test_of_a_run_that_was_taken_back_too(project: Path) -> None:
    done("rewind", "r", "--to", "1.1.1")
    run = written(project, ended("r"))
    assert ([len(lines) for lines in run.lines], run.outcome["status"]) == (TOGETHER, "completed")
    assert same(run, project)


def test_of_a_fork_too(project: Path) -> None:
    done("fork", "r", "--at", "1.1.1", "--run-id", "f")
    run = written(project, ended("f"))
    assert ([len(lines) for lines in run.lines], run.outcome["status"]) == (TOGETHER, "completed")
    assert same(run, project)


def test_an_edit_after_that_shows(project: Path) -> None:
    done("rewind", "r", "--to", "1.1.1")
    run = written(project, ended("r"))
    edit(project, "echo {word}", "printf {word}")
    play = run.play(project / "say.py")
    assert (len(play.lines), play.lines[0] == run.lines[0]) == (3, False)


@pytest.mark.parametrize("after", ["printf {word}", '"\n    1 +'])
def test_an_edit_that_the_run_has_not_seen_does_not_get_into_its_test(after: str, project: Path) -> None:
    done("rewind", "r", "--to", "1.1.1")
    ended("r")
    edit(project, "echo {word}", after)
    asked = [line for lines in written(project).lines for line in lines]
    assert {line.partition(": ")[2] for line in asked} == {"echo a", "echo b", "echo c", "echo d", "Go?"}


def test_of_a_run_that_has_not_seen_its_results_it_is_what_it_goes_on_with(project: Path) -> None:
    done("approve", "r")
    edit(project, "await ctx.breakpoint", "return await ctx.breakpoint")
    assert written(project).outcome == {"status": "waiting", "pending": []}
    edit(project, "return await ctx.breakpoint", "await ctx.breakpoint")
    done("process", "test", "--from", "r", "--force")
    run = recorded(project / "test_say_r.json")
    assert run.outcome["status"] == "completed"
    assert same(run, project)


def test_a_run_that_would_end_otherwise_now_has_the_end_that_it_had(project: Path) -> None:
    edit(project, "    return [", "    import os\n    return [os.path.exists('made')] + [")
    call("run", "say.py", "--run-id", "n")
    done("rewind", "n", "--to", "1.1.1")
    ended("n")
    (project / "made").touch()
    assert written(project, "n").outcome["output"][0] is False
