"""``ctx.patched``: an edited process asks which of its paths a run takes, and hears the same for ever."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.support.rounds import Event, Rounds, a_task, play, start

if TYPE_CHECKING:
    from babysitter import Context
    from tests.support.rounds import Process

first, old, new, last = (a_task(name) for name in ("first", "old", "new", "last"))


async def before(_: Any, ctx: Context) -> Any:
    """As it was before the edit."""
    await ctx.task(first)
    await ctx.task(old)
    return await ctx.task(last)


async def edited(_: Any, ctx: Context) -> Any:
    await ctx.task(first)
    await ctx.task(new if ctx.patched("newer") else old)
    return await ctx.task(last)


def tasks(run: Rounds) -> list[str]:
    return [effect.task_id for effect in run.state.effects.values()]


def patches(run: Rounds) -> list[str]:
    return [event.data["id"] for event in run.events if event.type == "PATCHED"]


def go_on(process: Process, events: list[Event], *, by_replay: bool = True) -> Rounds:
    """The edited process takes a run over and brings it to its end."""
    run = Rounds(process, events=events, by_replay=by_replay)
    run.write_round()
    while run.end is None:
        run.resolve(dict.fromkeys(run.pending))
    assert_the_same_for_ever(process, run)
    return run


def assert_the_same_for_ever(process: Process, run: Rounds) -> None:
    """Replayed from any point of its journal that an iteration has left, nothing else is asked for."""
    for _ in range(2):
        again = Rounds(process, events=run.events)
        assert again.draft() == []
        assert again.end is not None
        assert run.end is not None
        assert again.end.status == run.end.status


@pytest.mark.parametrize("by_replay", [False, True])
def test_a_new_run_takes_the_new_path_and_its_journal_remembers_it(by_replay: bool) -> None:
    run = play(edited, lambda _: None, by_replay=by_replay)
    assert (tasks(run), patches(run)) == (["first", "new", "last"], ["newer"])
    assert_the_same_for_ever(edited, run)


@pytest.mark.parametrize("by_replay", [False, True])
def test_a_run_that_was_past_it_keeps_the_old_path(by_replay: bool) -> None:
    run = start(before)
    run.resolve({"1": None})
    gone_on = go_on(edited, run.events, by_replay=by_replay)
    assert (tasks(gone_on), patches(gone_on)) == (["first", "old", "last"], [])


@pytest.mark.parametrize("by_replay", [False, True])
def test_a_run_that_had_not_come_there_takes_the_new_path(by_replay: bool) -> None:
    run = start(before)
    run.append([("EFFECT_RESOLVED", {"effectId": run.effect_at("1"), "status": "ok", "value": None})])
    gone_on = go_on(edited, run.events, by_replay=by_replay)
    assert (tasks(gone_on), patches(gone_on)) == (["first", "new", "last"], ["newer"])


def test_a_run_that_waits_before_it_takes_the_new_path_when_it_comes_there() -> None:
    gone_on = go_on(edited, start(before).events)
    assert (tasks(gone_on), patches(gone_on)) == (["first", "new", "last"], ["newer"])


async def edited_at_the_start(_: Any, ctx: Context) -> Any:
    await ctx.task(new if ctx.patched("newer") else first)


async def one(_: Any, ctx: Context) -> Any:
    await ctx.task(first)


def test_at_the_very_start_only_a_run_of_which_nothing_was_asked_is_new() -> None:
    created = Rounds(one)
    begun = start(one)
    assert (
        tasks(go_on(edited_at_the_start, created.events)),
        tasks(go_on(edited_at_the_start, begun.events)),
    ) == (
        ["new"],
        ["first"],
    )


def test_a_run_that_has_only_noted_something_was_past_the_start() -> None:
    async def notes(_: Any, ctx: Context) -> Any:
        ctx.record("found", list)
        ctx.log("looked")
        await ctx.task(first)

    async def notes_edited(_: Any, ctx: Context) -> Any:
        is_new = ctx.patched("newer")
        ctx.record("found", list)
        ctx.log("looked")
        await ctx.task(new if is_new else first)

    run = start(notes)
    prefix = [event for event in run.events if event.type in {"RUN_CREATED", "RECORDED"}]
    assert tasks(go_on(notes_edited, prefix)) == ["first"]


async def two_branches(_: Any, ctx: Context) -> Any:
    async def branch(name: str) -> None:
        await ctx.task(first)
        await ctx.task(new if ctx.patched(f"newer in {name}") else old)

    await ctx.parallel.map(["a", "b"], branch, key=str)


async def two_branches_before(_: Any, ctx: Context) -> Any:
    async def branch(_: str) -> None:
        await ctx.task(first)
        await ctx.task(old)

    await ctx.parallel.map(["a", "b"], branch, key=str)


def test_with_two_results_at_once_both_branches_take_the_new_path() -> None:
    run = start(two_branches)
    run.resolve({"1.a.1": None, "1.b.1": None})
    assert (tasks(run)[2:], patches(run)) == (["new", "new"], ["newer in a", "newer in b"])
    go_on(two_branches, run.events)


def test_each_branch_is_past_it_or_not_for_itself() -> None:
    run = start(two_branches_before)
    run.resolve({"1.a.1": None})
    gone_on = go_on(two_branches, run.events)
    steps = {effect.step: effect.task_id for effect in gone_on.state.effects.values()}
    assert (steps["1.a.2"], steps["1.b.2"], patches(gone_on)) == ("old", "new", ["newer in b"])


def looping(is_edited: bool) -> Process:
    async def process(_: Any, ctx: Context) -> Any:
        for _ in range(3):
            await ctx.task(first)
            await ctx.task(new if is_edited and ctx.patched("newer") else old)

    return process


def test_in_a_loop_a_run_that_was_past_it_once_keeps_the_old_path_to_the_end() -> None:
    run = start(looping(False))
    run.resolve({"1": None})
    gone_on = go_on(looping(True), run.events)
    assert (tasks(gone_on), patches(gone_on)) == (["first", "old"] * 3, [])


def test_in_a_loop_a_new_run_takes_the_new_path_each_time_and_notes_it_once() -> None:
    gone_on = go_on(looping(True), start(looping(False)).events)
    assert (tasks(gone_on), patches(gone_on)) == (["first", "new"] * 3, ["newer"])


def test_after_a_person_has_cancelled_the_first_path_is_still_that_of_an_old_run() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        try:
            await ctx.task(first)
        finally:
            await ctx.task(new if ctx.patched("newer") else old)

    async def earlier(_: Any, ctx: Context) -> Any:
        try:
            await ctx.task(first)
        finally:
            await ctx.task(old)

    past, ahead = start(earlier), start(earlier)
    past.give_up()
    ahead.append([("RUN_CANCELLED", {"by": "me", "reason": "no more use"})])
    assert tasks(go_on(process, past.events))[1:] == ["old"]
    assert tasks(go_on(process, ahead.events))[1:] == ["new"]


@pytest.mark.parametrize("then", ["RUN_CANCELLED", "EFFECT_CANCELLED"])
def test_a_result_with_what_a_person_has_done_after_it_is_still_news(then: str) -> None:
    async def process(_: Any, ctx: Context) -> Any:
        async def branch() -> None:
            await ctx.task(first)
            await ctx.task(new if ctx.patched("newer") else old)

        await ctx.parallel.settled([branch, lambda: ctx.task(last)])

    run = start(process)
    told = {
        "RUN_CANCELLED": {"by": "me", "reason": "no more use"},
        "EFFECT_CANCELLED": {"effectId": run.effect_at("1.1.1"), "reason": "cancelled", "by": "me"},
    }
    resolved = {"effectId": run.effect_at("1.0.1"), "status": "ok", "value": None}
    run.append([("EFFECT_RESOLVED", resolved), (then, told[then])])
    assert patches(go_on(process, run.events)) == ["newer"]


def test_an_effect_that_a_person_cancels_is_news_as_a_result_is() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        await ctx.parallel.settled([lambda: ctx.task(first)])
        await ctx.task(new if ctx.patched("newer") else old)

    async def earlier(_: Any, ctx: Context) -> Any:
        await ctx.parallel.settled([lambda: ctx.task(first)])
        await ctx.task(old)

    run = start(earlier)
    told = {"effectId": run.effect_at("1.0.1"), "reason": "cancelled", "by": "me"}
    run.append([("EFFECT_CANCELLED", told)])
    assert tasks(go_on(process, run.events))[1:] == ["new"]


def test_what_another_command_has_noted_after_a_result_is_known_when_that_is_fed() -> None:
    in_memory = start(edited)
    other = Rounds(edited, events=in_memory.events)
    other.resolve({"1": None})
    theirs = [(event.type, event.data) for event in other.events[len(in_memory.events) :]]
    in_memory.append(theirs)
    assert (in_memory.draft(), tasks(in_memory)) == ([], ["first", "new"])


@pytest.mark.parametrize("name", ["", None, 3])
def test_a_change_has_a_name(name: Any) -> None:
    async def process(_: Any, ctx: Context) -> Any:
        ctx.patched(name)

    run = start(process)
    assert str(run.error) == f"ctx.patched needs the name of the change, found {name!r}"
