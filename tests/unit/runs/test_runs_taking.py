"""Who has taken an agent effect, and until when that counts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
from projects import ASK_ONCE, Project

from babysitter.clock import now_ms
from babysitter.errors import (
    AlreadyResolved,
    EffectCancelled,
    EffectTaken,
    ResultRejected,
    RunFinished,
    StorageError,
    UnsafePath,
)
from babysitter.runs import run as run_module
from babysitter.runs import taking
from babysitter.runs.stopping import cancel_effect, halt_run
from babysitter.runs.taking import HEARTBEAT, beat, is_leased, last_beat, lease_end, take

if TYPE_CHECKING:
    from pathlib import Path

    from babysitter.engine.state import Effect
    from babysitter.runs.run import Run

OTHERS = """
@shell
def build():
    return "true"

@python
def count():
    return 1

async def process(inputs, ctx):
    await ctx.parallel.all([ctx.task(build), ctx.task(count), ctx.sleep(60), ctx.breakpoint("Go?")])
"""


def only(run: Run) -> Effect:
    (effect,) = run.state.pending.values()
    return effect


def begun(project: Project) -> Run:
    project.begin(ASK_ONCE)
    return project.open()


def begin(run: Run, **told: Any) -> int:
    return take(run, only(run), lambda effect: True, by="anna", **told)


def test_who_takes_an_effect_is_in_the_journal(project: Project) -> None:
    run = begun(project)
    begin(run, session="s-1", agent="a1", lease=60)
    (data,) = project.data_of("EFFECT_TAKEN")
    assert {name: data[name] for name in data if name != "prev"} == {
        "effectId": only(run).id,
        "attempt": 1,
        "by": "anna",
        "session": "s-1",
        "agent": "a1",
        "leaseSeconds": 60,
    }


def test_each_time_has_the_next_number(project: Project) -> None:
    run = begun(project)
    assert [begin(run), begin(run), begin(project.open())] == [1, 2, 3]


def test_what_somebody_is_at_is_not_taken(project: Project) -> None:
    run = begun(project)
    begin(run)
    with pytest.raises(EffectTaken, match="is being worked on, by 'anna'"):
        take(run, only(run), lambda effect: effect.taken is None, by="bert")
    assert len(project.data_of("EFFECT_TAKEN")) == 1


def test_of_two_at_once_one_gets_it(project: Project) -> None:
    run, other = begun(project), project.open()
    take(other, only(other), lambda effect: effect.taken is None, by="bert")
    with pytest.raises(EffectTaken, match="'bert'"):
        take(run, only(run), lambda effect: effect.taken is None, by="anna")


def test_it_is_taken_after_whatever_another_has_written_meanwhile(project: Project) -> None:
    run = begun(project)
    project.open().append([("SESSION_BOUND", {"host": "h", "sessionId": "s-1"})])
    assert begin(run) == 1


@pytest.mark.parametrize("kind", ["shell", "python", "sleep", "breakpoint"])
def test_what_no_agent_does_cannot_be_taken(project: Project, kind: str) -> None:
    project.begin(OTHERS)
    run = project.open()
    (effect,) = [effect for effect in run.state.pending.values() if effect.kind == kind]
    with pytest.raises(ResultRejected, match=f"is a {kind} effect"):
        take(run, effect, lambda effect: True, by="anna")


def test_what_is_over_cannot_be_taken(project: Project) -> None:
    run = begun(project)
    effect = only(run)
    project.post("1", 1)
    with pytest.raises(AlreadyResolved):
        take(run, effect, lambda effect: True, by="anna")


def test_what_was_cancelled_cannot_be_taken(project: Project) -> None:
    run = begun(project)
    effect = only(run)
    cancel_effect(run, effect, by="anna")
    with pytest.raises(EffectCancelled):
        take(run, effect, lambda effect: True, by="anna")


def test_in_a_run_that_has_ended_nothing_is_taken(project: Project) -> None:
    run = begun(project)
    halt_run(run, by="anna", reason="fire")
    with pytest.raises(RunFinished):
        begin(run)


def test_the_first_result_counts_whoever_took_it_last(project: Project) -> None:
    run = begun(project)
    begin(run, session="s-1")
    begin(run, session="s-2")
    assert project.answer("1", "of the first").status == "completed"


def test_to_take_is_no_step_forward(project: Project) -> None:
    run = begun(project)
    before = run.state.moved_seq
    begin(run)
    assert run.state.moved_seq == before


# Leases


def test_what_nobody_took_has_no_lease(project: Project) -> None:
    run = begun(project)
    assert (is_leased(run, only(run), 0), lease_end(run, only(run))) == (False, None)


def test_without_a_lease_it_is_taken_for_good(project: Project) -> None:
    run = begun(project)
    begin(run)
    assert is_leased(run, only(run), 2**60)


def test_a_lease_begins_when_it_is_taken(project: Project) -> None:
    run = begun(project)
    begin(run, lease=60)
    end = only(run).taken_ms + 60_000
    assert (
        lease_end(run, only(run)),
        is_leased(run, only(run), end - 1),
        is_leased(run, only(run), end),
    ) == (
        end,
        True,
        False,
    )


def test_a_sign_of_life_begins_it_anew(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    run = begun(project)
    begin(run, lease=60)
    later = only(run).taken_ms + 50_000
    for module in (taking, run_module):
        monkeypatch.setattr(module, "now_ms", lambda: later)
    beat(run.folder, only(run).id)
    assert (last_beat(run.folder, only(run).id), lease_end(run, only(run))) == (later, later + 60_000)


def test_a_sign_of_life_of_before_it_was_taken_does_not_count(project: Project) -> None:
    run = begun(project)
    beat(run.folder, only(run).id)
    begin(run, lease=60)
    assert lease_end(run, only(run)) == only(run).taken_ms + 60_000


def test_a_sign_of_life_from_the_future_counts_as_one_of_now(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = begun(project)
    begin(run, lease=60)
    beat(run.folder, only(run).id)
    now = now_ms()
    os.utime(file_of(run), ms_apart(now, 10**9))
    monkeypatch.setattr(run_module, "now_ms", lambda: now)
    assert lease_end(run, only(run)) == now + 60_000


def file_of(run: Run) -> str:
    return os.path.join(run.folder, "tasks", only(run).id, HEARTBEAT)


def ms_apart(now: int, more: int) -> tuple[float, float]:
    return ((now + more) / 1000,) * 2


def test_a_sign_of_life_is_no_event(project: Project) -> None:
    run = begun(project)
    before = project.types()
    beat(run.folder, only(run).id)
    assert project.types() == before


def test_it_is_left_at_no_other_place(project: Project, tmp_path: Path) -> None:
    run = begun(project)
    beat(run.folder, only(run).id)
    os.unlink(file_of(run))
    os.symlink(tmp_path / "victim", file_of(run))
    with pytest.raises((UnsafePath, StorageError)):
        beat(run.folder, only(run).id)
    assert not (tmp_path / "victim").exists()


def test_no_sign_is_found_of_what_no_effect_can_be_called(project: Project) -> None:
    assert last_beat(begun(project).folder, "../../x") == 0
