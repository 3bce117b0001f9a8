"""What a run and those below it have cost: each effect once, and what nobody has said is not nothing."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.errors import CorruptEvent
from babysitter.limits import Limits
from babysitter.prices import Prices
from babysitter.runs.accounts import branch_of, read_family
from babysitter.runs.changes import load_to_change, rewind
from babysitter.runs.costs import costs_of_all, costs_of_run, total_of_run
from babysitter.runs.ended import EndedRun
from babysitter.runs.folder import open_run
from babysitter.runs.forks import Told, fork
from babysitter.runs.iterate import bring_on, iterate
from babysitter.runs.packing import pack
from babysitter.runs.results import Answer, accept
from babysitter.runs.stopping import cancel_effect, halt_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from projects import Project

TEN = {"inputTokens": 8, "outputTokens": 2}
SOME = """
from babysitter import Retry

@agent(retry=Retry(2, 0))
def tries(question: str):
    return question

async def process(inputs, ctx):
    await ctx.parallel.map(["a", "b"], lambda text: ctx.task(ask, question=text))
    try:
        await ctx.task(tries, question="c")
    except TaskFailed:
        pass
    await ctx.breakpoint("Go on?")
"""
FAMILY = """
async def grandchild(inputs, ctx):
    return await ctx.task(ask, question="below")

async def child(inputs, ctx):
    await ctx.task(ask, question=inputs["text"])
    return await ctx.subprocess(grandchild, {})

async def process(inputs, ctx):
    texts = [name + "x" * inputs["pad"] for name in "ab"]
    await ctx.parallel.map(texts, lambda text: ctx.subprocess(child, {"text": text}))
    return await ctx.task(ask, question="own")
"""
CHAIN = """
async def child(inputs, ctx):
    await ctx.task(ask, question=str(inputs["left"]))
    if inputs["left"]:
        ctx.continue_as_new({"left": inputs["left"] - 1})

async def process(inputs, ctx):
    return await ctx.subprocess(child, {"left": 2})
"""


def post_all(project: Project, name: str = "r", usage: Any = TEN, **answer: Any) -> None:
    """Answer what an agent is to do in a run, and go on with it."""
    run = project.open(name)
    status = "error" if "error" in answer else "ok"
    pending = [effect for effect in run.state.pending.values() if effect.kind == "agent"]
    accept(run, [Answer(effect.id, status, "yes", usage=usage, **answer) for effect in pending])


def runs(project: Project) -> list[str]:
    return sorted(folder.name for folder in project.runs_dir.iterdir() if folder.name[0] != ".")


def finish(project: Project, usage: Any = TEN) -> None:
    """Answer everything in every run until ``r`` has ended."""
    while not project.open().state.is_finished:
        for name in runs(project):
            post_all(project, name, usage)
        go_on(project)


def go_on(project: Project) -> None:
    """Bring ``r`` and all below it on."""
    bring_on(project.open())


def costs(project: Project, name: str = "r") -> dict[str, Any]:
    return costs_of_run(open_run(name, str(project.runs_dir), project.limits or Limits()))


def tokens(told: dict[str, Any], what: str, key: str) -> list[tuple[str, int, int, Any]]:
    """Key, effects, unknown and tokens of each sum."""
    return [(each[key], each["effects"], each["unknown"], each.get("tokens")) for each in told[what]]


def counted(told: dict[str, Any]) -> tuple[int, int, Any]:
    total = told["total"]
    return total["effects"], total["unknown"], total.get("tokens")


def test_every_attempt_counts(project: Project) -> None:
    project.begin(SOME)
    post_all(project)
    project.iterate()
    post_all(project, error={"name": "AgentFailed", "message": "no"})
    project.iterate()
    project.iterate()
    post_all(project, usage=None)
    told = costs(project)
    assert tokens(told, "tasks", "task") == [("ask", 2, 0, 20), ("tries", 2, 1, 10)]
    assert counted(told) == (4, 1, 30)


def test_what_nobody_has_said_is_absent_and_not_nothing(project: Project) -> None:
    project.begin(SOME)
    post_all(project, usage=None)
    assert costs(project)["total"] == {"effects": 2, "unknown": 2}


def test_what_is_not_answered_yet_has_cost_nothing_yet(project: Project) -> None:
    project.begin(SOME)
    told = costs(project)
    assert (told["total"], told["tasks"], told["days"]) == ({"effects": 0, "unknown": 0}, [], [])


def test_what_was_given_up_may_have_cost_something(project: Project) -> None:
    project.begin(SOME)
    run = project.open()
    cancel_effect(run, next(iter(run.state.pending.values())), by="me")
    assert costs(project)["total"] == {"effects": 1, "unknown": 1}


def test_what_still_ran_when_a_run_was_halted_may_have_cost_something(project: Project) -> None:
    project.begin(SOME)
    halt_run(project.open(), by="me", reason="enough")
    told = costs(project)
    assert (told["total"], len(told["days"])) == ({"effects": 2, "unknown": 2}, 1)


def test_branches_are_told_apart_by_the_outermost_group(project: Project) -> None:
    project.begin(SOME)
    post_all(project)
    project.iterate()
    post_all(project)
    told = costs(project)["branches"]
    assert [(each.get("label"), each["path"], each["tokens"]) for each in told] == [
        ("a", "1", 10),
        ("b", "1", 10),
        (None, "", 10),
    ]


@pytest.mark.parametrize(
    ("step", "branch"),
    [
        ("3", ("", "")),
        ("3.0.1", ("3", "0")),
        ("3.a1b2.2.0.1", ("3", "a1b2")),
        ("cleanup.1.1", ("cleanup", "1")),
    ],
)
def test_the_branch_of_a_step_is_where_its_path_begins(step: str, branch: tuple[str, str]) -> None:
    assert branch_of(step) == branch


def test_what_a_rewind_has_put_aside_was_spent(project: Project) -> None:
    project.begin(SOME)
    post_all(project)
    project.iterate()
    run = open_run("r", str(project.runs_dir))
    rewind(run, "1", load_to_change(run), by="me")
    project.iterate()
    post_all(project)
    # What was only asked for when it was put aside is one of which nobody knows.
    assert counted(costs(project)) == (5, 1, 40)


def test_days_are_those_of_results_by_utc(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    project.begin(SOME)
    first, second = project.open().state.pending
    for effect, ms in ((first, 4_102_444_799_999), (second, 4_102_444_800_000)):
        monkeypatch.setattr("babysitter.runs.run.now_ms", lambda ms=ms: ms)
        project.post(effect, "yes", usage=TEN)
    assert tokens(costs(project), "days", "day") == [("2099-12-31", 1, 0, 10), ("2100-01-01", 1, 0, 10)]


# Money


def priced(project: Project, **told: Any) -> None:
    project.limits = Limits()
    project.limits.prices = Prices(told)


def test_money_that_was_recorded_stands_and_what_was_not_is_estimated(project: Project) -> None:
    project.begin(SOME)
    first, second = project.open().state.pending
    project.post(first, "yes", usage={**TEN, "money": 0.5, "currency": "USD"})
    project.post(second, "yes", usage=TEN)
    total = costs(project)["total"]
    assert (total["money"], total["unpriced"], "isEstimated" in total) == ({"USD": 0.5}, 1, False)
    priced(project, default={"input": 100_000, "output": 0})
    total = costs(project)["total"]
    assert (total["money"], total["isEstimated"], "unpriced" in total) == ({"USD": 1.3}, True, False)


def test_each_currency_is_summed_up_by_itself(project: Project) -> None:
    project.begin(SOME)
    for effect, currency in zip(project.open().state.pending, ("USD", "EUR"), strict=True):
        project.post(effect, "yes", usage={**TEN, "money": 0.1, "currency": currency})
    assert costs(project)["total"]["money"] == {"USD": 0.1, "EUR": 0.1}


@pytest.mark.parametrize("usage", [{**TEN, "isPartial": True}, {"money": 1, "currency": "USD"}])
def test_a_part_is_told_to_be_one(project: Project, usage: dict[str, Any]) -> None:
    project.begin(SOME)
    post_all(project, usage=usage)
    total = costs(project)["total"]
    assert (total["partial"], total["unknown"]) == (2, 0)


@pytest.mark.parametrize(
    "usage", [{"inputTokens": "8"}, {"inputTokens": -8, "money": "much"}, {"models": 7, "model": 7}]
)
def test_a_journal_may_say_anything(project: Project, usage: dict[str, Any]) -> None:
    project.begin(SOME)
    post_all(project, usage=usage)
    priced(project, default={"input": 1, "output": 1})
    total = costs(project)["total"]
    assert total == {"effects": 2, "unknown": 0, "partial": 2, "unpriced": 2}


# Child runs


@pytest.mark.parametrize("pad", [0, 40_000], ids=["small", "large"])
def test_child_runs_count_for_the_branch_that_asked_for_them(project: Project, pad: int) -> None:
    project.begin(FAMILY, {"pad": pad})
    finish(project)
    told = costs(project)
    assert counted(told) == (5, 0, 50)
    assert [(each.get("path"), each["tokens"]) for each in told["branches"]] == [
        ("", 10),
        ("1", 20),
        ("1", 20),
    ]


def test_each_child_run_is_told_by_itself(project: Project) -> None:
    project.begin(FAMILY, {"pad": 0})
    finish(project)
    told = costs(project)["children"]
    assert sorted(each["run"] for each in told) == runs(project)
    assert [each["tokens"] for each in told] == [10] * 5
    names = [each["run"] for each in told]
    assert [each.get("parent") for each in told] == [None, "r", "r", *names[1:3]]


def test_a_child_run_that_was_given_up_counts_once(project: Project) -> None:
    project.begin(FAMILY, {"pad": 0})
    for name in runs(project):
        post_all(project, name)
    run = project.open()
    for effect in list(run.state.pending.values()):
        cancel_effect(run, effect, by="me")
    go_on(project)
    assert counted(costs(project))[2] == 20


def test_a_child_that_goes_on_as_new_counts_as_a_whole(project: Project) -> None:
    project.begin(CHAIN)
    finish(project)
    told = costs(project)
    assert (counted(told), len(told["children"])) == ((3, 0, 30), 4)


def test_a_run_that_goes_on_as_another_says_so(project: Project) -> None:
    project.begin(CHAIN)
    finish(project)
    _, first, second, _ = [each["run"] for each in costs(project)["children"]]
    assert (costs(project, first)["continuedAs"], counted(costs(project, first))) == (second, (1, 0, 10))


def packed(project: Project, name: str) -> None:
    pack(EndedRun(str(project.runs_dir / name)), "0")


def test_packed_child_runs_count(project: Project) -> None:
    project.begin(FAMILY, {"pad": 40_000})
    finish(project)
    for name in runs(project):
        if name != "r":
            packed(project, name)
    assert (runs(project), counted(costs(project))) == (["r"], (5, 0, 50))


def test_a_child_run_that_is_gone_is_named(project: Project) -> None:
    project.begin(CHAIN)
    finish(project)
    gone = costs(project)["children"][1]["run"]
    shutil.rmtree(project.runs_dir / gone)
    told = costs(project)
    assert (told["missing"], counted(told), total_of_run(project.open())) == ([gone], (0, 0, None), None)


def test_of_a_child_that_went_on_as_new_the_part_that_is_gone_is_named(project: Project) -> None:
    project.begin(CHAIN)
    finish(project)
    second = costs(project)["children"][2]["run"]
    shutil.rmtree(project.runs_dir / second)
    told = costs(project)
    assert (told["missing"], counted(told)) == ([second], (1, 0, 10))


def test_a_child_run_that_cannot_be_read_is_named_and_the_others_count(project: Project) -> None:
    project.begin(FAMILY, {"pad": 0})
    finish(project)
    bad = next(each["run"] for each in costs(project)["children"] if each.get("parent") == "r")
    break_run(project, bad)
    told, total = costs(project), total_of_run(project.open())
    assert ([each["run"] for each in told["unreadable"]], counted(told)) == ([bad], (3, 0, 30))
    assert total is not None
    assert (total["tokens"], total["missing"]) == (30, 1)


def break_run(project: Project, name: str) -> None:
    shutil.rmtree(project.runs_dir / name / "state")
    path = min((project.runs_dir / name / "journal").iterdir())
    path.write_bytes(path.read_bytes().replace(b"RUN_CREATED", b"RUN_CREATEE"))


def test_a_stranger_that_has_the_id_of_a_child_does_not_count(project: Project) -> None:
    project.begin(CHAIN)
    finish(project)
    first = costs(project)["children"][1]["run"]
    shutil.rmtree(project.runs_dir / first)
    project.create(None, {}, run_id=first)
    told = costs(project)
    assert ([each["run"] for each in told["children"]], told["missing"]) == (["r"], [first])


def test_a_run_that_cannot_be_read_is_an_error(project: Project) -> None:
    project.begin(SOME)
    break_run(project, "r")
    with pytest.raises(CorruptEvent):
        costs(project)


def test_the_run_that_is_looked_at_is_not_touched(project: Project) -> None:
    project.begin(SOME)
    post_all(project)
    run, before = project.open(), project.digest()
    seq = run.state.last_seq
    read_family(run)
    assert (run.on_event, run.state.last_seq, project.digest()) == (None, seq, before)


# Forks


def test_what_a_fork_has_taken_over_counts_where_it_was_paid_for(project: Project) -> None:
    project.begin(SOME)
    post_all(project)
    project.iterate()
    post_all(project, usage=None)
    project.iterate()
    run = open_run("r", str(project.runs_dir))
    fork(run, "3", "f", runs_dir=str(project.runs_dir), version="0", told=Told(run))
    iterate(project.open("f"))
    assert (counted(costs(project)), counted(costs(project, "f"))) == ((3, 1, 20), (0, 0, None))


def test_child_runs_of_what_a_fork_has_taken_over_are_not_its_own(project: Project) -> None:
    project.begin(FAMILY, {"pad": 0})
    finish(project)
    run = open_run("r", str(project.runs_dir))
    fork(run, "2", "f", runs_dir=str(project.runs_dir), version="0", told=Told(run))
    told = costs(project, "f")
    assert ([each["run"] for each in told["children"]], "missing" in told) == (["f"], False)


# All runs


def of_all(project: Project) -> dict[str, Any]:
    return costs_of_all(str(project.runs_dir), Limits())


def test_of_all_runs_each_counts_once(project: Project) -> None:
    project.begin(FAMILY, {"pad": 0})
    finish(project)
    told = of_all(project)
    assert (told["runs"], counted(told), tokens(told, "processes", "process")) == (
        5,
        (5, 0, 50),
        [("project", 5, 0, 50)],
    )


@pytest.mark.parametrize("put", [packed, lambda project, name: None], ids=["packed", "in its folder"])
def test_packed_runs_count_as_any_others(project: Project, put: Callable[[Project, str], None]) -> None:
    project.begin(FAMILY, {"pad": 40_000})
    finish(project)
    for name in runs(project):
        put(project, name)
    assert counted(of_all(project)) == (5, 0, 50)


def test_a_copy_of_a_run_does_not_count(project: Project) -> None:
    project.begin(SOME)
    post_all(project)
    shutil.copytree(project.runs_dir / "r", project.runs_dir / "copy")
    assert (of_all(project)["runs"], counted(of_all(project))) == (1, (2, 0, 20))


def test_runs_that_cannot_be_read_are_named(project: Project) -> None:
    project.begin(SOME)
    post_all(project)
    project.create(None, run_id="bad")
    break_run(project, "bad")
    told = of_all(project)
    assert ([each["run"] for each in told["unreadable"]], counted(told)) == (["bad"], (2, 0, 20))


def test_where_there_are_no_runs_nothing_was_spent(project: Project) -> None:
    assert of_all(project) == {
        "runs": 0,
        "total": {"effects": 0, "unknown": 0},
        "processes": [],
        "days": [],
    }


def test_the_total_of_a_run_is_unknown_while_nobody_has_said_anything(project: Project) -> None:
    project.begin(SOME)
    post_all(project, usage=None)
    before = total_of_run(project.open())
    project.iterate()
    post_all(project)
    assert (before, total_of_run(project.open())) == (
        None,
        {"effects": 3, "unknown": 2, **TEN, "tokens": 10, "unpriced": 1},
    )
