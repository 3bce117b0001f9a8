"""Ending an effect or a run from outside: what is recorded, what the process does, what is too late."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from projects import ASK_ONCE, ASK_TWICE, Project, flushed_from_now_on

from babysitter.errors import AlreadyResolved, EffectCancelled, HeadMoved, RunBusy, RunFinished
from babysitter.runs.execution import Execution
from babysitter.runs.run import Run
from babysitter.runs.stopping import cancel_effect, cancel_run, halt_run

if TYPE_CHECKING:
    from collections.abc import Callable

TIDY = """
async def process(inputs, ctx):
    ctx.on_cleanup(lambda: ctx.task(ask, question="tidy up"))
    try:
        await ctx.task(ask, question="one")
    finally:
        await ctx.task(ask, question="at last")
"""
WRONG = """
async def process(inputs, ctx):
    raise KeyError("a mistake")
"""


def cancel(project: Project, step: str = "1") -> None:
    run = project.open()
    (effect,) = [effect for effect in run.state.pending.values() if effect.step == step]
    cancel_effect(run, effect, by="me")


def give_up(project: Project) -> bool:
    return cancel_run(project.open(), by="me", reason="no more use")


def halt(project: Project) -> None:
    halt_run(project.open(), by="me", reason="at once")


# One effect


def test_a_cancelled_effect_is_recorded_with_who_did_it(project: Project) -> None:
    project.begin(ASK_ONCE)
    cancel(project)
    (told,) = project.data_of("EFFECT_CANCELLED")
    assert (told["reason"], told["by"], project.effect("1").status) == ("cancelled", "me", "cancelled")


def test_its_process_sees_a_failure(project: Project) -> None:
    project.begin(ASK_ONCE)
    cancel(project)
    done = project.iterate()
    error = done.run.state.ending["error"]
    assert (done.status, error["name"]) == ("failed", "TaskCancelled")


def test_a_result_that_comes_later_is_refused(project: Project) -> None:
    project.begin(ASK_ONCE)
    cancel(project)
    assert isinstance(project.post("1", "late").error, EffectCancelled)


@pytest.mark.parametrize(
    ("before", "error"),
    [
        (lambda project: project.post("1", "first"), AlreadyResolved),
        (cancel, EffectCancelled),
        (halt, RunFinished),
    ],
)
def test_what_was_decided_by_another_command_first_stands(
    project: Project, before: Callable[[Project], Any], error: type[Exception]
) -> None:
    project.begin(ASK_ONCE)
    run = project.open()
    (effect,) = run.state.effects.values()
    before(project)
    kept = project.types()
    with pytest.raises(error):
        cancel_effect(run, effect, by="me")
    assert project.types() == kept


def test_a_writer_that_was_first_with_something_else_is_no_hindrance(project: Project) -> None:
    project.begin("""
async def process(inputs, ctx):
    await ctx.parallel.all([lambda: ctx.task(ask, question="one"), lambda: ctx.task(ask, question="two")])
""")
    run = project.open()
    project.post("1.0.1", "first")
    effect = next(effect for effect in run.state.effects.values() if effect.step == "1.1.1")
    cancel_effect(run, effect, by="me")
    assert project.types()[-2:] == ["EFFECT_RESOLVED", "EFFECT_CANCELLED"]


# A run, with what it does at last


def test_giving_a_run_up_is_recorded_and_no_more(project: Project) -> None:
    project.begin(TIDY)
    assert give_up(project)
    (told,) = project.data_of("RUN_CANCELLED")
    state = project.open().state
    assert (told, state.status, state.is_cancelled) == (
        {"by": "me", "reason": "no more use", "prev": told["prev"]},
        "waiting",
        True,
    )


def test_giving_it_up_again_writes_nothing(project: Project) -> None:
    project.begin(TIDY)
    give_up(project)
    before = project.digest()
    assert (give_up(project), project.digest() == before) == (False, True)


def test_what_another_has_only_just_written_is_flushed_before_it_is_told(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.begin(TIDY)
    run = project.open()
    give_up(project)
    run.refresh()
    flushed = flushed_from_now_on(monkeypatch)
    assert not cancel_run(run, by="me", reason="again")
    assert flushed == [(project.runs_dir / "r" / "journal").stat().st_ino]


def test_its_process_does_what_it_does_at_last_and_then_it_is_halted(project: Project) -> None:
    project.begin(TIDY)
    give_up(project)
    batches = [[effect.step for effect in project.iterate().new]]
    batches.append([effect.step for effect in project.answer("2").new])
    done = project.answer("cleanup.1.1")
    assert (batches, done.status) == ([["2"], ["cleanup.1.1"]], "halted")
    assert project.types()[-7:] == [
        "RUN_CANCELLED",
        "EFFECT_CANCELLED",
        "EFFECT_REQUESTED",
        "EFFECT_RESOLVED",
        "EFFECT_REQUESTED",
        "EFFECT_RESOLVED",
        "RUN_HALTED",
    ]


def test_a_result_on_its_way_when_it_is_given_up_is_late_and_harmless(project: Project) -> None:
    project.begin(TIDY)
    give_up(project)
    project.post("1", "late")
    project.iterate()
    assert [event for event in project.types() if event.startswith("EFFECT")] == [
        "EFFECT_REQUESTED",
        "EFFECT_RESOLVED",
        "EFFECT_REQUESTED",
    ]


def test_a_process_that_is_kept_in_memory_is_given_up_as_one_that_is_replayed(project: Project) -> None:
    project.begin(TIDY)
    run = project.open()
    kept = Execution(run)
    kept.start()
    give_up(project)
    run.refresh()
    kept.follow()
    kept.write_round()
    assert project.iterate().new == []
    assert project.types()[-2:] == ["EFFECT_CANCELLED", "EFFECT_REQUESTED"]


def test_a_run_that_is_given_up_while_its_last_round_is_written_ends_as_it_had_ended(
    project: Project,
) -> None:
    project.begin(ASK_ONCE)
    project.post("1", "yes")
    run = project.open()
    kept = Execution(run)
    kept.start()
    give_up(project)
    kept.write_round()
    assert (project.open().state.status, project.iterate().status) == ("completed", "completed")


def test_a_run_that_is_stuck_stays_so_until_it_is_mended_and_is_then_given_up(project: Project) -> None:
    project.begin(WRONG)
    give_up(project)
    assert project.iterate().status == "stuck"
    project.write(ASK_ONCE)
    assert project.iterate().status == "halted"


@pytest.mark.parametrize("stop", [give_up, halt])
def test_a_run_that_has_ended_can_no_more_be_ended(project: Project, stop: Callable[[Project], Any]) -> None:
    project.begin(ASK_ONCE)
    project.answer("1", "yes")
    with pytest.raises(RunFinished, match="run 'r' has completed; it takes no more events"):
        stop(project)


# A run, at once


def test_a_run_that_is_halted_at_once_does_nothing_more(project: Project) -> None:
    project.begin(TIDY)
    halt(project)
    (told,) = project.data_of("RUN_HALTED")
    assert (told["reason"], told["by"], told["isAtOnce"]) == ("at once", "me", True)
    before = project.digest()
    assert (project.iterate().status, project.iterate().new, project.digest() == before) == (
        "halted",
        [],
        True,
    )


def test_so_does_one_that_is_stuck(project: Project) -> None:
    project.begin(WRONG)
    halt(project)
    assert project.iterate().status == "halted"


def test_a_run_that_was_given_up_can_still_be_halted_at_once(project: Project) -> None:
    project.begin(TIDY)
    give_up(project)
    project.iterate()
    halt(project)
    assert project.types()[-1] == "RUN_HALTED"


def test_a_result_is_refused_after_that(project: Project) -> None:
    project.begin(ASK_TWICE)
    halt(project)
    assert isinstance(project.post("1", "late").error, RunFinished)


def test_a_writer_that_is_never_first_says_so(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(*_: Any) -> None:
        raise HeadMoved("another was first")

    project.begin(ASK_ONCE)
    run = project.open()
    monkeypatch.setattr(Run, "append", lose)
    monkeypatch.setattr("babysitter.runs.run.MOST_LOST_RACES", 3)
    with pytest.raises(RunBusy, match="is written by others all the time"):
        halt_run(run, by="me", reason="no")
