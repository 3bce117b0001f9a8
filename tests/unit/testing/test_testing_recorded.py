"""A run on a disk becomes a test: it is played again with what came in."""

from __future__ import annotations

import sys
from textwrap import dedent
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.errors import InvalidInput
from babysitter.jsontext import compact
from babysitter.library import resolve
from babysitter.runs.answering import decide
from babysitter.runs.creation import create
from babysitter.runs.execution import Execution
from babysitter.runs.folder import open_run
from babysitter.runs.iterate import iterate
from babysitter.runs.results import Answer, accept
from babysitter.runs.stopping import cancel_effect, cancel_run, halt_run
from babysitter.testing import recorded
from babysitter.testing.recording import record, shown
from tests.support.driving import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from babysitter.runs.run import Run
    from babysitter.testing import Recorded

SOURCE = """
import os
from babysitter import Failed, TaskFailed, agent, python

Inputs = {"type": "object", "properties": {"files": {"type": "array"}}}

@agent(returns={"type": "object", "required": ["defects"]})
def review(file):
    return f"Review {file}"

@python
def count(file):
    return len(file)

async def process(inputs, ctx):
    async def undo():
        await ctx.task(count, file="undo")
    ctx.on_cleanup(undo)
    drawn = ctx.record("pid", os.getpid)
    found = await ctx.parallel.map(inputs["files"], lambda file: ctx.task(review, file=file))
    try:
        size = await ctx.task(count, file=str(drawn))
    except TaskFailed as error:
        size = error.name
    said = await ctx.breakpoint("Go?")
    if not said.approved:
        raise Failed("not approved", said.feedback)
    return {"found": found, "size": size, "uuid": ctx.uuid(), "now": ctx.now().isoformat()}
"""


class Lived:
    """A run on the disk, step by step."""

    def __init__(self, folder: Path, source: str = SOURCE) -> None:
        self.file = folder / "process.py"
        self.file.write_text(source)
        self.runs = str(folder / ".a5c" / "runs")
        create(
            self.runs,
            resolve(str(self.file)),
            {"files": ["a", "b"]},
            project=str(folder),
            version="0",
            run_id="lived",
        )
        self.iterate()

    def open(self) -> Run:
        return open_run("lived", self.runs)

    def iterate(self) -> None:
        iterate(self.open().load())

    def post(self, **results: Any) -> None:
        """Results by label, all before the next iteration."""
        run = self.open().load()
        for label, result in results.items():
            (effect,) = [each for each in run.state.pending.values() if label in (each.label, each.task_id)]
            if effect.kind == "breakpoint":
                accept(run, [decide(run, effect, result, by="ann", feedback="no" if not result else None)])
            elif isinstance(result, Exception):
                error = {"name": type(result).__name__, "message": str(result)}
                accept(run, [Answer(effect.id, "error", None, error, executor="local")])
            else:
                accept(run, [Answer(effect.id, "ok", result, executor="local")])
        self.iterate()

    def post_reviews(self) -> None:
        run = self.open().load()
        for effect in reversed(list(run.state.pending.values())):
            accept(run, [Answer(effect.id, "ok", {"defects": [effect.step]})])
        self.iterate()

    def to_its_end(self, *, approved: bool = True) -> Lived:
        self.post_reviews()
        self.post(count=ValueError("no such file"))
        self.post(breakpoint=approved)
        self.post(count=4)
        return self

    def recorded(self) -> Recorded:
        path = self.file.with_suffix(".json")
        path.write_text(compact(record(self.open())))
        return recorded(path)

    def edit(self, before: str, after: str) -> None:
        assert before in self.file.read_text()
        self.file.write_text(self.file.read_text().replace(before, after))


@pytest.fixture
def lived(project: Path) -> Iterator[Lived]:
    finders = list(sys.meta_path)
    yield Lived(project)
    sys.meta_path[:] = finders


def same(lived: Lived) -> bool:
    """The recorded run and its play are the same; they are compared as the written tests do."""
    run = lived.recorded()
    play = run.play(lived.file)
    assert play.lines == run.lines
    assert play.outcome == run.outcome
    return True


def test_a_run_that_completed_is_played_again(lived: Lived) -> None:
    assert same(lived.to_its_end())
    assert lived.recorded().outcome["status"] == "completed"


def test_a_run_that_failed_is_played_again(lived: Lived) -> None:
    assert same(lived.to_its_end(approved=False))
    assert lived.recorded().outcome == {
        "status": "failed",
        "error": {"name": "Failed", "message": "not approved", "data": "no"},
    }


def test_a_run_that_waits_is_played_up_to_there(lived: Lived) -> None:
    lived.post_reviews()
    assert same(lived)
    assert lived.recorded().outcome == {"status": "waiting", "pending": ["2"]}


def test_a_run_that_was_given_up_is_played_again(lived: Lived) -> None:
    cancel_run(lived.open().load(), by="ann", reason="not today")
    lived.iterate()
    lived.post(count=4)
    assert same(lived)
    assert lived.recorded().outcome == {"status": "halted", "reason": "not today"}


def test_a_run_that_was_halted_from_outside_is_played_up_to_there(lived: Lived) -> None:
    lived.post_reviews()
    halt_run(lived.open().load(), by="ann", reason="enough")
    assert same(lived)
    assert lived.recorded().outcome == {"status": "halted", "reason": "enough"}


def test_a_run_that_was_halted_while_it_was_stuck_is_played_up_to_there(lived: Lived) -> None:
    lived.post_reviews()
    lived.edit("size = error.name", "size = nothing")
    lived.post(count=ValueError("no such file"))
    halt_run(lived.open().load(), by="ann", reason="enough")
    assert same(lived)


def test_a_play_of_a_run_that_was_halted_shows_an_edit(lived: Lived) -> None:
    halt_run(lived.open().load(), by="ann", reason="enough")
    run = lived.recorded()
    lived.edit("ctx.on_cleanup(undo)", "return 1")
    assert run.play(lived.file).outcome == {"status": "completed", "output": 1}


CHILD = """
async def process(inputs, ctx):
    await ctx.breakpoint("Still needed?")
"""
RACE = """
from babysitter import python

@python
def count(file):
    return len(file)

async def process(inputs, ctx):
    return await ctx.parallel.race([
        lambda: ctx.task(count, file="a"), lambda: ctx.subprocess("child.py", {}),
    ])
"""


def racing(project: Path) -> Lived:
    """A run whose process has ended, and which a child run that was given up keeps from ending."""
    (project / "child.py").write_text(CHILD)
    lived = Lived(project, RACE)
    run = lived.open().load()
    (task,) = [each for each in run.state.pending.values() if each.kind == "python"]
    accept(run, [Answer(task.id, "ok", 1, executor="local")])
    return lived


def test_a_run_that_outlived_its_child_run_is_played_again(project: Path) -> None:
    lived = racing(project)
    lived.iterate()
    lived.iterate()
    assert same(lived)
    assert lived.recorded().outcome == {"status": "completed", "output": 1}


def test_a_run_that_waits_for_the_end_of_a_child_run_is_played_up_to_there(project: Path) -> None:
    lived = racing(project)
    execution = Execution(lived.open().load())
    execution.start()
    execution.write_round()
    assert same(lived)
    assert lived.recorded().outcome == {"status": "waiting", "pending": []}


def test_a_run_that_was_halted_while_it_waited_for_a_child_run_is_played_up_to_there(project: Path) -> None:
    lived = racing(project)
    execution = Execution(lived.open().load())
    execution.start()
    execution.write_round()
    halt_run(lived.open().load(), by="ann", reason="enough")
    assert same(lived)


def test_a_request_that_a_person_cancelled_is_cancelled_again(lived: Lived) -> None:
    run = lived.open().load()
    cancel_effect(run, next(iter(run.state.pending.values())), by="ann", why="too dear")
    lived.iterate()
    lived.post(count=4)
    assert same(lived)
    assert lived.recorded().outcome["error"]["name"] == "TaskCancelled"
    assert lived.recorded().outcome["error"]["message"].endswith("by a person: too dear")


def test_a_run_that_is_stuck_is_played_again(lived: Lived) -> None:
    lived.post_reviews()
    lived.edit("size = error.name", "size = nothing")
    lived.post(count=ValueError("no such file"))
    assert same(lived)
    assert lived.recorded().outcome["problem"].startswith("NameError: name 'nothing'")


def test_what_was_asked_for_is_told_in_lines(lived: Lived) -> None:
    lived.post_reviews()
    (reviews, (count,)) = lived.recorded().lines
    assert [line.split(": ")[1] for line in reviews] == ["Review a", "Review b"]
    assert count.startswith('count at 2: {"file":"')


def test_an_edit_that_asks_for_something_else_shows_in_the_lines(lived: Lived) -> None:
    run = lived.to_its_end().recorded()
    lived.edit("Review {file}", "Look at {file}")
    assert [line.split(": ")[1] for line in run.play(lived.file).lines[0]] == ["Look at a", "Look at b"]


def test_an_edit_that_ends_otherwise_shows_in_the_outcome(lived: Lived) -> None:
    run = lived.to_its_end().recorded()
    lived.edit('"size": size', '"length": size')
    assert run.play(lived.file).outcome["output"]["length"] == "ValueError"


def test_a_result_is_not_given_to_another_task_that_has_its_step_now(lived: Lived) -> None:
    run = lived.to_its_end().recorded()
    lived.edit("await ctx.task(count, file=str(drawn))", "0")
    played = run.play(lived.file)
    assert ([asked.task for asked in played.pending], played.lines[1]) == (
        ["breakpoint"],
        ["breakpoint at 2: Go?"],
    )


def test_what_is_newly_asked_for_stays_pending(lived: Lived) -> None:
    run = lived.to_its_end().recorded()
    lived.edit("    said =", "    await ctx.task(count, file='new')\n    said =")
    assert run.play(lived.file).outcome == {"status": "waiting", "pending": ["3"]}


def test_an_answer_of_patched_is_that_of_then(lived: Lived) -> None:
    lived.post_reviews()
    lived.edit(
        "    said =", "    if ctx.patched('p'):\n        await ctx.task(count, file='new')\n    said ="
    )
    lived.post(count=2)
    lived.post(count=3)
    lived.post(breakpoint=True)
    lived.post(count=4)
    assert same(lived)
    run = lived.recorded()
    run._told["patches"] = {"p": False}
    assert run.play(lived.file).lines[2] == ["breakpoint at 3: Go?"]


def test_chance_is_that_of_the_run_from_which_it_was_forked(lived: Lived) -> None:
    run = lived.to_its_end().recorded()
    own = run.play(lived.file).output["uuid"]
    run._told["seed"] = "another"
    assert run.play(lived.file).output["uuid"] != own


def test_results_that_came_together_come_together(project: Path) -> None:
    source = """
    async def process(inputs, ctx):
        async def chain():
            await ctx.task(count, file="a")
            return await ctx.task(count, file="never asked for")
        return await ctx.parallel.race([chain, lambda: ctx.task(count, file="b")])
    """
    head, *_ = SOURCE.partition("Inputs =")
    counting = "@python\ndef count(file):\n    return len(file)\n"
    lived = Lived(project, head + counting + dedent(source))
    run = lived.open().load()
    for effect in list(run.state.pending.values()):
        accept(run, [Answer(effect.id, "ok", effect.step, executor="local")])
    lived.iterate()
    assert same(lived)
    assert lived.recorded().lines == [['count at 1.0.1: {"file":"a"}', 'count at 1.1.1: {"file":"b"}']]


def test_a_large_value_comes_from_its_own_file(lived: Lived) -> None:
    lived.post_reviews()
    lived.post(count="x" * 100_000)
    lived.post(breakpoint=True)
    lived.post(count=1)
    assert same(lived)


COLLECTS = """
async def process(inputs, ctx):
    first = await ctx.breakpoint("One?", quorum=2, files=["plan.md"])
    second = await ctx.breakpoint("Two?", deadline=0.001, default=True)
    return [first.responded_by, len(first.all_responses), second.responded_by]
"""


def test_what_several_people_and_the_clock_have_decided_is_played_again(project: Path) -> None:
    (project / "plan.md").write_text("one")
    lived = Lived(project, COLLECTS)
    for by in ("ann", "ben"):
        run = lived.open().load()
        (effect,) = run.state.pending.values()
        accept(run, [decide(run, effect, True, by=by)])
    lived.iterate()
    wait_until(lambda: lived.open().load().now_ms() > lived.open().load().state.last_ms + 1)
    lived.iterate()
    assert lived.open().load().output() == ["ann, ben", 2, "deadline"]
    (project / "plan.md").unlink()
    assert same(lived)


def test_a_long_text_is_cut_and_what_is_cut_off_counts() -> None:
    texts = ["a" * 200, "a" * 199 + "b"]
    one, other = [shown("t", "1", {"kind": "agent", "agent": {"prompt": text}}) for text in texts]
    assert (one == other, one[:60] == other[:60], len(one) < 130) == (False, True, True)


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 0}'])
def test_another_file_is_no_recorded_run(content: str, project: Path) -> None:
    (project / "x.json").write_text(content)
    with pytest.raises(InvalidInput, match="recorded run"):
        recorded(project / "x.json")
