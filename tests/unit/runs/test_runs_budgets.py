"""Budgets in runs on a disk, step by step: what is held back, asked for, refused, counted and carried on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.budget import shown
from babysitter.errors import CorruptEvent, ResultRejected
from babysitter.journal.store import Journal
from babysitter.limits import Limits
from babysitter.prices import Prices
from babysitter.runs.answering import decide
from babysitter.runs.budgets import changed
from babysitter.runs.changes import load_to_change, rewind
from babysitter.runs.children import family
from babysitter.runs.folder import open_run
from babysitter.runs.forks import Told, fork
from babysitter.runs.iterate import iterate
from babysitter.runs.results import Answer, accept
from babysitter.runs.spending import spending_of
from babysitter.runs.stopping import cancel_effect, cancel_run, halt_run
from babysitter.runs.verification import verify

if TYPE_CHECKING:
    from projects import Project

    from babysitter.engine.ledger import Tally
    from babysitter.engine.state import Effect
    from babysitter.runs.iterate import Iteration
    from babysitter.runs.run import Run

FAN = """
@agent
def other(question: str):
    return question

@shell
def sh(n: int):
    return ["true"]

def many(ctx, count, task=None, **more):
    task = task or ask
    return ctx.parallel.map(list(range(count)), lambda n: ctx.task(task, question=str(n)), **more)
"""
ONE_BY_ONE = (
    FAN
    + """
async def process(inputs, ctx):
    return [await ctx.task(ask, question=str(n)) for n in range(4)]
"""
)
TEN = (
    FAN
    + """
async def process(inputs, ctx):
    return await many(ctx, 10)
"""
)
TOKENS = 100


def budget(tokens: int | None = None, **more: Any) -> dict[str, Any]:
    run = {"run": {"tokens": tokens}} if tokens is not None else {}
    return {"budget": {**run, **more}}


def halting(**amounts: float) -> dict[str, Any]:
    return {"budget": {"run": amounts, "reached": "halt"}}


def pending(project: Project, kind: str = "agent", name: str = "r") -> list[tuple[Run, Effect]]:
    """What waits in a run and those below it."""
    members = family(project.open(name))
    return [(run, each) for run in members for each in run.state.pending.values() if each.kind == kind]


def give(
    run: Run, effect: Effect, tokens: int | None = TOKENS, *, executor: str = "agent", **more: Any
) -> None:
    usage = more.pop("usage", None if tokens is None else {"inputTokens": tokens, "outputTokens": 0})
    status = "error" if "error" in more else "ok"
    (verdict,) = accept(run, [Answer(effect.id, status, "x", executor=executor, usage=usage, **more)])
    assert verdict.error is None, verdict.error


def fail(run: Run, effect: Effect, **more: Any) -> None:
    give(run, effect, None, error={"name": "TaskFailed", "message": "no"}, **more)


def clean(project: Project, name: str = "r") -> None:
    """Perform the shell effects."""
    value = {"exitCode": 0, "stdout": "", "stderr": ""}
    for run, effect in pending(project, "shell", name):
        accept(run, [Answer(effect.id, "ok", value, executor="local")])


def say(project: Project, approved: bool, response: str | None = None, name: str = "r") -> Iteration:
    """Answer the one question for more, wherever it is asked."""
    ((run, effect),) = pending(project, "breakpoint", name)
    assert effect.step.startswith("~budget")
    accept(run, [decide(run, effect, approved, by="me", response=response)])
    return project.iterate(name)


def finish(project: Project, name: str = "r", tokens: int = TOKENS) -> Run:
    """Answer whatever comes until nothing does."""
    while True:
        waiting = [*pending(project, "agent", name), *pending(project, "shell", name)]
        if not waiting or project.open(name).state.is_finished:
            return project.open(name)
        clean(project, name)
        for run, effect in pending(project, "agent", name):
            give(run, effect, tokens)
        project.iterate(name)


def spent(project: Project, name: str = "r") -> Tally:
    return spending_of(project.open(name)).ledger().whole


def question(project: Project) -> str:
    ((run, effect),) = pending(project, "breakpoint")
    return str(run.definition_of(effect)["breakpoint"]["question"])


def titles(run: Run) -> list[str]:
    return [f"{each.task_id} {each.status}" for each in run.state.effects.values()]


def change(run: Run, told: dict[str, Any]) -> None:
    run.append_decided(lambda: (None, changed(run, told, "me", None)))


# Cleanups

CLEANUPS = (
    FAN
    + """
async def process(inputs, ctx):
    ctx.on_cleanup(lambda: ctx.task(sh, n=1))
    ctx.on_cleanup(lambda: ctx.task(other, question="tidy up"))
    ctx.on_cleanup(lambda: ctx.task(sh, n=2))
    for n in range(4):
        await ctx.task(ask, question=str(n))
"""
)


def test_every_cleanup_is_performed_but_what_would_use_more_than_is_left(project: Project) -> None:
    project.begin(CLEANUPS, options=halting(tokens=2 * TOKENS))
    run = finish(project)
    reason = "the budget of 200 tokens is used up: 200 tokens"
    assert titles(run) == ["ask ok", "ask ok", "sh ok", "other error", "sh ok"]
    assert (run.state.status, run.state.ending) == ("halted", {"reason": reason, "by": "budget"} | at(run))
    (failed,) = [each for each in run.state.effects.values() if each.status == "error"]
    assert (failed.error, failed.executor) == ({"name": "BudgetReached", "message": reason}, "budget")
    verify(open_run("r", str(project.runs_dir)))


def at(run: Run) -> dict[str, Any]:
    return {name: value for name, value in (run.state.ending or {}).items() if name in ("prev", "batch")}


def test_what_was_refused_has_cost_nothing(project: Project) -> None:
    project.begin(CLEANUPS, options=halting(tokens=2 * TOKENS))
    finish(project)
    tally = spent(project)
    assert (tally.used["tokens"], tally.given_up["tokens"], tally.effects, tally.running) == (200, 0, 4, 0)


def test_a_cleanup_of_a_child_under_two_budgets_that_are_used_up_leaves_a_whole_journal(
    project: Project,
) -> None:
    project.begin(
        FAN
        + """
async def child(inputs, ctx):
    ctx.on_cleanup(lambda: ctx.task(other, question="tidy up"))
    return await many(ctx, 4)

async def process(inputs, ctx):
    return await ctx.subprocess(child, {})
""",
        options={"budget": {"run": {"tokens": 200}, "child": {"tokens": 200}, "reached": "halt"}},
    )
    assert finish(project).state.status == "halted"
    for folder in project.runs_dir.iterdir():
        if folder.is_dir():
            verify(open_run(folder.name, str(project.runs_dir)))


IN_CLEANUP = (
    FAN
    + """
async def child(inputs, ctx):
    for n in range(3):
        await ctx.task(sh, n=n)

async def process(inputs, ctx):
    ctx.on_cleanup(lambda: ctx.subprocess(child, {}))
    for n in range(4):
        await ctx.task(sh, n=n)
"""
)


@pytest.mark.parametrize("reached", ["ask", "halt"])
def test_a_child_run_in_a_cleanup_is_performed_though_effects_are_used_up(
    project: Project, reached: str
) -> None:
    project.begin(IN_CLEANUP, options=budget(run={"effects": 3}, reached=reached))
    run = finish(project)
    if reached == "ask":
        say(project, False)
        run = finish(project)
    assert (run.state.status, spent(project).effects) == ("halted", 6)


@pytest.mark.parametrize("reached", ["ask", "halt"])
def test_nobody_is_asked_for_a_cleanup_after_the_end(project: Project, reached: str) -> None:
    source = FAN + (
        "async def process(inputs, ctx):\n"
        "    ctx.on_cleanup(lambda: ctx.task(sh, n=2))\n"
        "    await ctx.task(sh, n=1)\n"
        "    return 'fine'\n"
    )
    project.begin(source, options=budget(run={"effects": 1, "iterations": 1}, reached=reached))
    assert finish(project).output() == "fine"


def test_a_no_to_more_for_a_cleanup_after_the_end_lets_it_fail_and_the_run_complete(project: Project) -> None:
    source = FAN + (
        "async def process(inputs, ctx):\n"
        "    ctx.on_cleanup(lambda: ctx.task(ask, question='tidy up'))\n"
        "    await ctx.task(ask, question='1')\n"
        "    return 'fine'\n"
    )
    project.begin(source, options=budget(TOKENS))
    finish(project)
    say(project, False)
    run = project.open()
    assert (run.output(), titles(run)[-1]) == ("fine", "ask error")


# What has begun, failed, or is not known

RACE = (
    FAN
    + """
async def process(inputs, ctx):
    won = await ctx.parallel.race([lambda n=n: ctx.task(ask, question=str(n)) for n in range(3)])
    return [won, *await many(ctx, 5)]
"""
)


def begin_all(project: Project) -> None:
    """As a pool does it that starts them."""
    for run, effect in pending(project):
        folder = Path(run.folder, "tasks", effect.id)
        folder.mkdir(parents=True)
        (folder / "child.json").write_text('{"pid": 1}\n')


def win(project: Project, *, begun: bool) -> Iteration:
    project.begin(RACE, options=budget(1000, estimate={"tokens": 10}))
    if begun:
        begin_all(project)
    give(*pending(project)[0])
    return project.iterate()


def test_who_loses_a_race_has_cost_as_much_as_the_dearest_if_it_had_begun(project: Project) -> None:
    win(project, begun=True)
    tally = spent(project)
    assert (tally.used["tokens"], tally.given_up["tokens"]) == (100, 2)


def test_who_loses_a_race_without_having_begun_has_cost_nothing(project: Project) -> None:
    win(project, begun=False)
    assert spent(project).given_up["tokens"] == 0


def test_who_only_waited_for_its_turn_had_not_begun(project: Project) -> None:
    project.begin(RACE, options=budget(1000, estimate={"tokens": 10}))
    run, effect = pending(project)[1]
    folder = Path(run.folder, "tasks", effect.id)
    folder.mkdir(parents=True)
    (folder / "child.json").touch()
    give(*pending(project)[0])
    project.iterate()
    assert spent(project).given_up["tokens"] == 0


@pytest.mark.parametrize("how", ["cancel", "rewind", "halt"])
def test_what_had_begun_counts_whoever_gives_it_up(project: Project, how: str) -> None:
    project.begin(ONE_BY_ONE, options=budget(1000))
    give(*pending(project)[0])
    project.iterate()
    begin_all(project)
    if how == "cancel":
        run, effect = pending(project)[0]
        cancel_effect(run, effect, by="me")
    elif how == "halt":
        halt_run(project.open(), by="me", reason="enough")
    else:
        run = open_run("r", str(project.runs_dir))
        rewind(run, "2", load_to_change(run), by="me")
    tally = spent(project)
    assert (tally.used["tokens"], tally.given_up["tokens"], tally.running) == (100, 1, 0)


def test_what_fails_without_saying_what_it_took_is_not_let_fail_for_ever(project: Project) -> None:
    project.begin(
        FAN
        + """
async def process(inputs, ctx):
    for n in range(20):
        try:
            await ctx.task(ask, question=str(n))
        except TaskFailed:
            pass
""",
        options=budget(1000),
    )
    for _ in range(3):
        assert pending(project, "breakpoint") == []
        fail(*pending(project)[0])
        project.iterate()
    assert "Results do not say how many tokens they took" in question(project)
    say(project, True, "tokens=200")
    assert (spent(project).given_up["tokens"], len(pending(project))) == (3, 1)
    fail(*pending(project)[0])
    project.iterate()
    fail(*pending(project)[0])
    project.iterate()
    assert "spent so far: 1,000 tokens" in question(project)


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"inputTokens": 5}, (1, 0)),  # no money
        ({"inputTokens": 5, "money": 1.0, "currency": "EUR"}, (1, 0)),  # another one
        ({"inputTokens": 5, "money": 1.0, "isPartial": True}, (1, 1)),
        ({"inputTokens": 5, "money": 1.0}, (0, 1)),
    ],
)
def test_a_failure_that_does_not_say_all_of_what_it_took_counts_as_the_dearest(
    project: Project, usage: dict[str, Any], expected: tuple[int, float]
) -> None:
    project.begin(ONE_BY_ONE, options=budget(run={"money": 10.0}))
    fail(*pending(project)[0], usage=usage)
    tally = spent(project)
    assert (tally.given_up["money"], tally.used["money"]) == expected


def test_money_in_another_currency_is_not_known(project: Project) -> None:
    project.begin(ONE_BY_ONE, options=budget(run={"money": 10.0}))
    give(*pending(project)[0], usage={"inputTokens": 5, "money": 1.0, "currency": "JPY"})
    project.iterate()
    assert "Results do not say how much money they took, so the budget of 10.00 USD" in question(project)


def test_a_budget_is_in_the_currency_that_it_names(project: Project) -> None:
    project.begin(ONE_BY_ONE, options=budget(run={"money": 2.0}, currency="EUR"))
    for _ in range(2):
        give(*pending(project)[0], usage={"inputTokens": 5, "money": 1.0, "currency": "EUR"})
        project.iterate()
    assert "The budget of 2.00 EUR does not allow for more; spent so far: 2.00 EUR." in question(project)


def test_parts_of_a_unit_are_added_up_without_noise(project: Project) -> None:
    project.begin(ONE_BY_ONE, options=budget(run={"money": 0.3}))
    for _ in range(3):
        give(*pending(project)[0], usage={"inputTokens": 1, "money": 0.1})
        project.iterate()
    assert "spent so far: 0.30 USD" in question(project)


def test_what_is_posted_has_its_money_by_the_prices(project: Project) -> None:
    project.limits = Limits()
    project.limits.prices = Prices({"default": {"input": 1000.0, "output": 1000.0}})
    project.begin(ONE_BY_ONE, options=budget(run={"money": 10.0}))
    give(*pending(project)[0], executor="outside", tokens=1000)
    assert spent(project).used["money"] == 1.0


def test_what_is_posted_without_its_money_is_refused(project: Project) -> None:
    project.begin(ONE_BY_ONE, options=budget(run={"money": 10.0}, currency="EUR"))
    run, effect = pending(project)[0]
    (verdict,) = accept(run, [Answer(effect.id, "ok", "x", usage={"money": 1.0, "currency": "USD"})])
    assert isinstance(verdict.error, ResultRejected)
    assert "run 'r' has a budget of money in EUR, and the result" in verdict.error.message


# Asked once, as long as it is needed, and no longer

LATER = (
    FAN
    + """
async def rest(ctx):
    await ctx.task(ask, question="1")
    await ctx.task(ask, question="2")

async def process(inputs, ctx):
    await ctx.parallel.race([lambda: rest(ctx), lambda: ctx.breakpoint("Enough?")])
    return await ctx.breakpoint("Really?")
"""
)


def test_a_question_is_withdrawn_when_nothing_is_held_back_any_more(project: Project) -> None:
    project.begin(LATER, options=budget(TOKENS))
    give(*pending(project)[0])
    assert project.iterate().held == 1
    (enough,) = [each for _, each in pending(project, "breakpoint") if not each.step.startswith("~")]
    accept(project.open(), [decide(project.open(), enough, True, by="me")])
    done = project.iterate()
    assert (done.held, [each.label for _, each in pending(project, "breakpoint")]) == (0, ["Really?"])


def test_a_question_is_withdrawn_when_the_run_is_given_up(project: Project) -> None:
    project.begin(CLEANUPS, options=budget(TOKENS))
    give(*pending(project)[0])
    project.iterate()
    cancel_run(project.open(), by="me", reason="enough")
    project.iterate()
    assert (pending(project, "breakpoint"), len(pending(project, "shell"))) == ([], 1)


def test_what_is_given_up_in_a_round_lets_something_else_go_in_the_next(project: Project) -> None:
    # The loser counts as at work when the winner's result is looked at, and nothing is at work after that.
    project.begin(
        FAN
        + """
async def process(inputs, ctx):
    await ctx.task(ask, question="how much")
    await ctx.parallel.race([lambda n=n: ctx.task(ask, question=str(n)) for n in range(2)])
    return await ctx.task(ask, question="last")
""",
        options=budget(3 * TOKENS),
    )
    give(*pending(project)[0])
    project.iterate()
    give(*pending(project)[0])
    done = project.iterate()
    assert (done.held, [each.label for each in done.new]) == (0, ["Ask"])


FAMILY = (
    FAN
    + """
async def elder(inputs, ctx):
    await ctx.breakpoint("Begin?")
    await ctx.task(other, question="dear")

async def younger(inputs, ctx):
    await ctx.parallel.race([lambda n=n: ctx.task(ask, question=str(n)) for n in range(2)])
    await ctx.breakpoint("Go on?")

async def process(inputs, ctx):
    await ctx.parallel.all([lambda: ctx.task(ask, question="1"), lambda: ctx.task(other, question="1")])
    mine = (lambda: elder({}, ctx)) if inputs["own"] else (lambda: ctx.subprocess(elder, {}))
    return await ctx.parallel.all([mine, lambda: ctx.subprocess(younger, {})])
"""
)


@pytest.mark.parametrize("own", [True, False])
def test_what_a_child_gives_up_lets_others_go_in_the_same_iteration(project: Project, own: bool) -> None:
    project.begin(FAMILY, {"own": own}, options=budget(450, estimate={"tokens": 10}))
    for run, effect in pending(project):
        give(run, effect)
    project.iterate()
    ((run, effect),) = pending(project, "breakpoint")
    accept(run, [decide(run, effect, True, by="me")])
    project.iterate()
    racing = pending(project)
    assert [effect.task_id for _, effect in racing] == ["ask", "ask"]
    # While its rival is at work there is not enough; and when the child has given that up, there is.
    give(*racing[0])
    project.iterate()
    assert [effect.task_id for _, effect in pending(project)] == ["other"]


def test_the_dearest_that_is_suggested_may_be_that_of_a_child(project: Project) -> None:
    project.begin(
        FAN
        + """
async def child(inputs, ctx):
    await ctx.task(ask, question="1")
    await ctx.task(ask, question="2")
    await ctx.task(ask, question="3")

async def process(inputs, ctx):
    await ctx.subprocess(child, {})
""",
        options=budget(1000),
    )
    give(*pending(project)[0])
    project.iterate()
    give(*pending(project)[0], tokens=None)
    project.iterate()
    assert "each of them counts as the dearest so far, 100 tokens" in question(project)
    say(project, True)
    assert (len(pending(project)), spent(project).unknown["tokens"]) == (1, 1)


# Children, and what comes of a run

CHILDREN = (
    FAN
    + """
async def child(inputs, ctx):
    return await many(ctx, 2)

async def process(inputs, ctx):
    await ctx.breakpoint("Begin?")
    return await ctx.parallel.map([1, 2], lambda n: ctx.subprocess(child, {"n": n}))
"""
)


def begin_children(project: Project, **options: Any) -> None:
    project.begin(CHILDREN, **options)
    ((run, effect),) = pending(project, "breakpoint")
    accept(run, [decide(run, effect, True, by="me")])
    project.iterate()


def test_children_that_were_there_before_their_parent_got_a_budget_keep_it_and_count(
    project: Project,
) -> None:
    begin_children(project)
    change(project.open(), {"run": {"tokens": 5 * TOKENS, "effects": 4}, "child": {"tokens": 1000}})
    project.iterate()
    for run, effect in pending(project):
        assert run.state.meter is not None
        assert run.state.meter.amounts() == {("", "tokens"): 1000}
        give(run, effect)
    project.iterate()
    assert (project.open().state.status, spent(project).used["tokens"]) == ("completed", 400)


def test_a_child_that_goes_on_alone_keeps_the_budget_that_those_above_it_got(project: Project) -> None:
    begin_children(project)
    change(project.open(), {"run": {"tokens": 1}})
    run, effect = pending(project)[0]
    give(run, effect)
    done = iterate(project.open(run.run_id))
    assert done.run.state.meter is not None
    assert spent(project).used["tokens"] == 100


def test_what_a_child_has_spent_before_a_mistake_ends_it_is_spent(project: Project) -> None:
    project.write(
        "from pydantic import BaseModel\n"
        "from babysitter import agent\n"
        "class Inputs(BaseModel):\n    n: int\n"
        "@agent\ndef ask(question):\n    return question\n"
        "async def process(inputs, ctx):\n"
        "    await ctx.task(ask, question='1')\n"
        "    ctx.continue_as_new({'n': 'no number'})\n",
        "typed.py",
    )
    project.begin(
        FAN
        + """
async def process(inputs, ctx):
    try:
        await ctx.subprocess("typed.py", {"n": 1})
    except TaskFailed as error:
        await ctx.task(ask, question=error.name)
""",
        options=budget(1000),
    )
    give(*pending(project)[0])
    project.iterate()
    assert (project.open().state.children, spent(project).used["tokens"]) == ({}, 100)


def test_a_child_that_was_halted_with_work_in_flight_holds_nothing_back(project: Project) -> None:
    project.begin(
        FAN
        + """
async def child(inputs, ctx):
    await ctx.task(ask, question="1")

async def process(inputs, ctx):
    await ctx.parallel.race([lambda: ctx.subprocess(child, {}), lambda: ctx.breakpoint("Enough?")])
    await ctx.task(ask, question="2")
""",
        options=budget(1000),
    )
    child, _ = pending(project)[0]
    halt_run(project.open(child.run_id), by="me", reason="x")
    ((run, effect),) = pending(project, "breakpoint")
    accept(run, [decide(run, effect, True, by="me")])
    done = project.iterate()
    assert done.held == 0


def test_many_children_are_read_no_more_than_a_few_times_each(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    loads: list[str] = []
    real = Journal.load

    def load(self: Journal, *args: Any, **more: Any) -> Any:
        loads.append(self.run_id)
        return real(self, *args, **more)

    source = FAN + (
        "async def child(inputs, ctx):\n    await ctx.task(ask, question='1')\n"
        "async def process(inputs, ctx):\n"
        "    await ctx.parallel.map(list(range(20)), lambda n: ctx.subprocess(child, {'n': n}))\n"
    )
    monkeypatch.setattr(Journal, "load", load)
    project.begin(source, options=budget(10_000, estimate={"tokens": 10}))
    assert (len(pending(project)), max(map(loads.count, set(loads))) <= 6) == (20, True)


def test_what_is_held_back_is_not_described_anew_in_each_round(project: Project) -> None:
    source = FAN + (
        "@agent\ndef noted(question: str):\n"
        "    with open('described', 'a') as file:\n        file.write('.')\n    return question\n"
        "async def process(inputs, ctx):\n    return await many(ctx, 20, noted)\n"
    )
    project.begin(source, options=budget(20 * TOKENS))
    while waiting := pending(project):
        give(*waiting[0])
        project.iterate()
    assert (project.open().state.status, Path("described").read_text()) == ("completed", "." * 20)


def test_the_kind_of_what_an_author_describes_is_asked_for_once_for_each_that_is_held(
    project: Project,
) -> None:
    source = FAN + (
        "def build(args):\n    return {'kind': 'oracle', 'oracle': args}\n"
        "oracle = define_task('oracle', build)\n"
        "async def process(inputs, ctx):\n"
        "    return await ctx.parallel.map([1, 2], lambda n: ctx.task(oracle, n=n))\n"
    )
    done = project.begin(source, options=budget(1000))
    assert ([each.kind for each in done.new], done.held) == (["oracle"], 1)


def test_requests_go_in_the_order_of_asking_whatever_task_they_are_of(project: Project) -> None:
    source = FAN + (
        "async def process(inputs, ctx):\n"
        "    return await ctx.parallel.map(list(range(6)),"
        " lambda n: ctx.task(other if n % 2 else ask, question=str(n)))\n"
    )
    project.begin(source, options=budget(run={"effects": 3}))
    asked = [run.definition_of(effect)["agent"]["prompt"] for run, effect in pending(project)]
    assert asked == ["0", "1", "2"]


def test_another_writer_that_is_first_keeps_nothing_back_for_ever(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.create(TEN, run_id="r", options=budget(run={"effects": 4}))
    run, other = project.open(), project.open()
    real = Journal.append

    def append(self: Journal, *args: Any) -> Any:
        monkeypatch.setattr(Journal, "append", real)
        change(other, {"run": {"effects": 5}})
        return real(self, *args)

    monkeypatch.setattr(Journal, "append", append)
    done = iterate(run)
    assert (len([each for each in done.new if each.kind == "agent"]), done.held) == (5, 5)


# Changes


def test_a_question_that_was_answered_meanwhile_is_not_withdrawn(project: Project) -> None:
    project.begin(ONE_BY_ONE, options=budget(TOKENS))
    give(*pending(project)[0])
    project.iterate()
    stale = project.open()
    say(project, True)
    change(stale, {"run": {"tokens": 150}})
    verify(open_run("r", str(project.runs_dir)))
    assert "EFFECT_CANCELLED" not in project.types()


def test_a_no_stands_when_less_is_allowed_after_it(project: Project) -> None:
    project.begin(ONE_BY_ONE, options=budget(TOKENS))
    give(*pending(project)[0])
    project.iterate()
    ((run, effect),) = pending(project, "breakpoint")
    accept(run, [decide(run, effect, False, by="me")])
    change(project.open(), {"run": {"tokens": 50}})
    project.iterate()
    assert project.open().state.status == "halted"


def test_a_no_is_forgotten_when_more_is_allowed_after_it(project: Project) -> None:
    project.begin(ONE_BY_ONE, options=budget(TOKENS))
    give(*pending(project)[0])
    project.iterate()
    ((run, effect),) = pending(project, "breakpoint")
    accept(run, [decide(run, effect, False, by="me")])
    change(project.open(), {"run": {"tokens": 1000}})
    assert len(project.iterate().new) == 1


AGAIN = (
    FAN
    + """
async def process(inputs, ctx):
    await ctx.task(ask, question="1")
    ctx.continue_as_new({})
"""
)


def test_in_a_run_that_is_continued_as_new_a_yes_adds_as_much_as_at_first(project: Project) -> None:
    project.begin(AGAIN, options=budget(TOKENS))
    name = "r"
    for expected in (200, 300, 400):
        give(*pending(project, name=name)[0])
        name = project.iterate(name).run.run_id
        done = say(project, True, name=name)
        assert done.run.state.meter is not None
        assert done.run.state.meter.amounts() == {("", "tokens"): expected}


def forked(project: Project, step: str) -> Run:
    run = open_run("r", str(project.runs_dir))
    fork(run, step, "f", runs_dir=str(project.runs_dir), version="0", told=Told(run))
    return project.open("f")


def test_time_that_a_person_added_stays_with_the_run_that_got_it(project: Project) -> None:
    project.begin(ONE_BY_ONE, options=budget(run={"wall": 0.001, "effects": 1}))
    say(project, True, "wall=1h")
    give(*pending(project)[0])
    project.iterate()
    say(project, True, "effects=5")
    found = forked(project, "2").state.meter
    assert found is not None
    assert found.amounts() == {("", "wall"): 0.001, ("", "effects"): 6}


def test_what_a_fork_takes_over_is_no_iteration_and_no_effect_of_it(project: Project) -> None:
    project.begin(ONE_BY_ONE, options=budget(run={"iterations": 4}))
    for _ in range(2):
        give(*pending(project)[0])
        project.iterate()
    run = forked(project, "3")
    assert run.state.meter is not None
    assert (run.state.meter.rounds, run.state.rounds, spent(project, "f").effects) == (0, 0, 3)


def test_a_fork_that_gets_a_budget_later_has_not_taken_over_what_is_not_known(project: Project) -> None:
    project.begin(ONE_BY_ONE)
    give(*pending(project)[0])
    project.iterate()
    run = forked(project, "2")
    change(run, {"run": {"tokens": 1000}})
    done = iterate(run)
    tally = spent(project, "f")
    assert (tally.unknown["tokens"], tally.effects, [each.kind for each in done.new]) == (0, 1, ["agent"])


# What is in a journal


@pytest.mark.parametrize(
    "told",
    [
        {"run": {"tokens": "many"}},
        {"run": {"steps": 1}},
        {"run": [1]},
        {"tasks": {"a": 5}},
        {"reached": "never"},
        {"run": {"tokens": -1}},
        {"more": 1},
    ],
)
def test_a_budget_that_is_none_makes_a_journal_that_cannot_be_trusted(
    project: Project, told: dict[str, Any]
) -> None:
    project.create(TEN, run_id="r", options={"budget": told})
    with pytest.raises(CorruptEvent, match="lacks or misshapes 'budget'"):
        project.open()


def test_a_clock_that_went_back_has_taken_no_time(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.create(TEN, run_id="r", options=budget(run={"wall": 60}))
    run = project.open()
    monkeypatch.setattr(run, "now_ms", lambda: run.state.created_ms - 3_600_000)
    assert len(iterate(run).new) == 10


def test_a_person_reads_amounts_with_their_units() -> None:
    texts = [shown("effects", 1), shown("tokens", 2000), shown("money", 4.5, "EUR"), shown("wall", 5400)]
    assert texts == ["1 effect", "2,000 tokens", "4.50 EUR", "1 h 30 m of time"]
    assert [shown("money", amount) for amount in (0.3, 0.0042, 1234.567)] == [
        "0.30 USD",
        "0.0042 USD",
        "1,234.57 USD",
    ]
