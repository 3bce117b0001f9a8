"""An edit under a run that has done something: the plan for each kind of edit, and what it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from babysitter.errors import CorruptEvent, EditNeedsPerson, InvalidInput, ProcessError, RunFinished
from babysitter.runs.changes import accept_edit, load_to_change, plan_edit, plan_return, rewind
from babysitter.runs.folder import open_run
from babysitter.runs.iterate import iterate
from babysitter.runs.stopping import cancel_run

if TYPE_CHECKING:
    from projects import Project

    from babysitter.runs.iterate import Iteration
    from babysitter.runs.run import Run

STEPS = """
async def process(inputs, ctx):
    for word in {words!r}:
        await ctx.task(ask.using(title=word), question=word)
"""
MAP = """
async def process(inputs, ctx):
    async def one(item):
        await ctx.task(ask, question=item)
        await ctx.task(ask, question=item + {second!r})
    await ctx.parallel.map({items!r}, one)
    await ctx.task(ask, question="end")
"""
NESTED = """
async def process(inputs, ctx):
    async def chain():
        await ctx.task(ask, question="b")
        await ctx.task(ask, question="c")
    await ctx.task(ask, question="a")
    await {middle}
    await ctx.task(ask, question="d")
"""
TESTS_FIX_TESTS = ["tests", "fix", "tests"]


def steps(*words: str) -> str:
    return STEPS.format(words=words)


def unloaded(project: Project) -> tuple[Run, dict[str, str]]:
    run = open_run("r", str(project.runs_dir))
    return run, load_to_change(run)


def plan(project: Project, rule: str = "redo") -> list[tuple[str, str]]:
    """What becomes of each step: the word, and where it stands (``before>now`` when it has moved)."""
    run, definitions = unloaded(project)
    before = project.digest()
    rows = plan_edit(run, rule, definitions).rows()
    assert project.digest() == before
    return [(row.plan, place(row)) for row in rows]


def place(row: Any) -> str:
    if row.step and row.before:
        return f"{row.before}>{row.step}"
    return row.step or f"({row.before})"


def accept(project: Project, rule: str = "redo") -> Iteration:
    run, definitions = unloaded(project)
    accept_edit(run, rule, definitions, by="somebody")
    return iterate(run)


def go_back(project: Project, step: str) -> Iteration:
    run, definitions = unloaded(project)
    rewind(run, step, definitions, by="somebody")
    return iterate(run)


def answer_all(project: Project, rounds: int = 20) -> None:
    """Answer whatever is asked with the question, until nothing is, or so many times."""
    for _ in range(rounds):
        run = project.open()
        if not run.state.pending:
            return
        effect = next(iter(run.state.pending.values()))
        project.answer(effect.step, run.definition_of(effect)["agent"]["prompt"])


def begun(project: Project, source: str, rounds: int = 20) -> None:
    project.begin(source)
    answer_all(project, rounds)


def test_what_stands_in_front_of_an_insertion_is_reused(project: Project) -> None:
    begun(project, steps("a", "b", "c"), rounds=2)
    project.write(steps("a", "x", "b", "c"))
    assert plan(project) == [
        ("reused", "1"),
        ("new", "2"),
        ("not reached yet", "(2)"),
        ("not reached yet", "(3)"),
    ]


def test_an_insertion_ahead_of_the_answered_work_costs_nothing(project: Project) -> None:
    begun(project, steps("a", "b", "c"), rounds=2)
    project.write(steps("a", "b", "c", "x"))
    assert (plan(project), project.iterate().status) == (
        [("reused", "1"), ("reused", "2"), ("reused", "3")],
        "waiting",
    )


def test_from_a_removal_on_everything_is_asked_again(project: Project) -> None:
    begun(project, steps("a", "b", "c", "d"), rounds=3)
    project.write(steps("a", "c", "d"))
    assert plan(project) == [
        ("reused", "1"),
        ("asked again", "3>2"),
        ("not reached yet", "(2)"),
        ("not reached yet", "(4)"),
    ]


def test_a_move_is_a_difference_where_it_left_and_by_content_it_is_none(project: Project) -> None:
    begun(project, steps("a", "b", "c", "end"), rounds=3)
    project.write(steps("a", "c", "b", "end"))
    assert plan(project)[:2] == [("reused", "1"), ("asked again", "3>2")]
    assert plan(project, "keep") == [
        ("reused", "1"),
        ("reused", "3>2"),
        ("reused", "2>3"),
        ("reused", "4"),
    ]


def test_by_content_a_result_that_is_older_than_the_one_before_it_is_named(project: Project) -> None:
    begun(project, steps("a", "b", "c", "end"), rounds=3)
    project.write(steps("a", "c", "b", "end"))
    run, definitions = unloaded(project)
    notes = [row.note for row in plan_edit(run, "keep", definitions).rows()]
    assert notes == ["", "", "older than the step before it", "not answered yet"]


def test_a_renamed_task_is_another_one(project: Project) -> None:
    begun(project, steps("a", "b", "c"), rounds=2)
    project.write(steps("a", "b", "c").replace("ctx.task(ask.", "ctx.task(renamed."))
    source = (project.folder / "process.py").read_text("utf-8")
    (project.folder / "process.py").write_text(source.replace("def ask(", "def renamed("), "utf-8")
    assert plan(project) == [
        ("new", "1"),
        ("not reached yet", "(1)"),
        ("not reached yet", "(2)"),
        ("not reached yet", "(3)"),
    ]


def test_a_changed_argument_is_asked_again(project: Project) -> None:
    untitled = STEPS.replace(".using(title=word)", "")
    begun(project, untitled.format(words=["a", "b", "c"]), rounds=2)
    project.write(untitled.format(words=["a", "other", "c"]))
    run, definitions = unloaded(project)
    rows = plan_edit(run, "redo", definitions).rows()
    assert [(row.plan, place(row), row.note) for row in rows] == [
        ("reused", "1", ""),
        ("asked again", "2", 'with other arguments: prompt was "b", and is "other"'),
        ("not reached yet", "(3)", ""),
    ]


def changed_prompt(project: Project) -> None:
    source = (project.folder / "process.py").read_text("utf-8")
    (project.folder / "process.py").write_text(
        source.replace("return question\n", 'return f"please: {question}"\n'), "utf-8"
    )


def test_a_changed_prompt_keeps_a_result_and_asks_anew_for_what_has_none(project: Project) -> None:
    begun(project, steps("a", "b"), rounds=1)
    changed_prompt(project)
    run, definitions = unloaded(project)
    rows = plan_edit(run, "redo", definitions).rows()
    assert [(row.plan, place(row), row.note) for row in rows] == [
        ("reused", "1", "what it asks for reads otherwise now"),
        ("asked again", "2", "what it asks for reads otherwise now"),
    ]


def test_a_pending_effect_whose_prompt_was_edited_is_cancelled_and_asked_for_anew(project: Project) -> None:
    begun(project, steps("a", "b"), rounds=1)
    old = project.effect("2")
    changed_prompt(project)
    iteration = project.iterate()
    (new,) = iteration.new
    run = project.open()
    assert (new.step, new.id == old.id, run.definition_of(new)["agent"]["prompt"]) == (
        "2",
        False,
        "please: b",
    )
    assert (run.state.effects[old.id].status, list(run.state.pending)) == ("cancelled", [new.id])
    assert project.iterate().new == []


def test_changed_items_of_a_map_keep_the_branches_that_stayed(project: Project) -> None:
    begun(project, MAP.format(items=["a", "b"], second="!"))
    assert project.open().state.status == "completed"
    go_back(project, "2")
    project.write(MAP.format(items=["a", "x", "b"], second="!"))
    words = [word for word, _ in plan(project)]
    assert words == ["reused"] * 4 + ["new", "not reached yet"]


def test_a_changed_second_step_of_a_map_keeps_each_first_one(project: Project) -> None:
    begun(project, MAP.format(items=["a", "b"], second="!"), rounds=4)
    project.write(MAP.format(items=["a", "b"], second="?"))
    words = [word for word, _ in plan(project)]
    assert words == ["reused", "reused", "asked again", "asked again", "not reached yet"]


def test_steps_that_are_put_into_a_group_are_asked_again_and_kept_by_content(project: Project) -> None:
    begun(project, NESTED.format(middle="chain()"), rounds=3)
    project.write(NESTED.format(middle="ctx.parallel.all([chain])"))
    assert plan(project) == [
        ("reused", "1"),
        ("asked again", "2>2.0.1"),
        ("not reached yet", "(3)"),
        ("not reached yet", "(4)"),
    ]
    assert plan(project, "keep") == [
        ("reused", "1"),
        ("reused", "2>2.0.1"),
        ("reused", "3>2.0.2"),
        ("reused", "4>3"),
    ]


def test_a_branch_in_front_shifts_the_others_and_takes_nothing_from_them(project: Project) -> None:
    two = (
        "await ctx.parallel.all([lambda w=w: ctx.task(ask, question=w) for w in {words!r}])\n    await {end}"
    )
    body = "async def process(inputs, ctx):\n    " + two
    end = "ctx.task(ask, question='end')"
    begun(project, body.format(words=["a", "b"], end=end), rounds=2)
    project.write(body.format(words=["x", "a", "b"], end=end))
    assert plan(project) == [
        ("reused", "1.0.1>1.1.1"),
        ("reused", "1.1.1>1.2.1"),
        ("new", "1.0.1"),
        ("not reached yet", "(2)"),
    ]


def test_matching_by_content_would_give_the_second_tests_a_result_from_before_the_fix(
    project: Project,
) -> None:
    begun(project, steps(*TESTS_FIX_TESTS, "end"), rounds=3)
    project.write(steps("tests", *TESTS_FIX_TESTS, "end"))
    assert plan(project) == [
        ("reused", "1"),
        ("asked again", "3>2"),
        ("not reached yet", "(2)"),
        ("not reached yet", "(4)"),
    ]
    assert plan(project, "keep")[:4] == [
        ("reused", "1"),
        ("reused", "3>2"),
        ("reused", "2>3"),
        ("new", "4"),
    ]


def test_an_accepted_edit_goes_on_with_what_it_kept_and_asks_for_the_rest(project: Project) -> None:
    begun(project, steps(*TESTS_FIX_TESTS, "end"), rounds=3)
    project.write(steps("tests", *TESTS_FIX_TESTS, "end"))
    assert project.iterate().status == "diverged"
    iteration = accept(project)
    assert [(effect.step, effect.label) for effect in iteration.new] == [("2", "tests")]
    answer_all(project)
    run = project.open()
    counted = [e.label for e in run.state.effects.values() if not e.is_superseded]
    assert (run.state.status, counted) == ("completed", ["tests", "tests", "fix", "tests", "end"])


def test_what_a_plan_does_not_keep_takes_no_result_any_more(project: Project) -> None:
    begun(project, steps("a", "b"), rounds=1)
    old = project.effect("2")
    project.write(steps("a", "x"))
    accept(project)
    verdict = project.post(old.id, "late")
    assert (type(verdict.error).__name__, project.open().state.effects[old.id].is_superseded) == (
        "EffectCancelled",
        True,
    )


def test_what_is_asked_again_after_an_edit_is_a_new_effect(project: Project) -> None:
    begun(project, steps("a", "b", "c"), rounds=2)
    old = {effect.id for effect in project.open().state.effects.values()}
    project.write(steps("x", "a", "b", "c"))
    accept(project)
    project.write(steps("a", "b", "c"))
    iteration = accept(project)
    assert [(effect.label, effect.id in old) for effect in iteration.new] == [("a", False)]


def test_a_step_with_a_key_keeps_its_result_wherever_it_stands(project: Project) -> None:
    source = """
async def process(inputs, ctx):
    {first}
    await ctx.task(ask.using(key="unit"), question="k")
    await ctx.task(ask, question="end")
"""
    begun(project, source.format(first="pass"), rounds=1)
    project.write(source.format(first='await ctx.task(ask, question="new")'))
    assert plan(project)[0] == ("asked again", "1")
    accept(project)
    (asked,) = project.answer("1", "x").new
    effects = project.open().state.effects.values()
    assert (asked.step, [e.step for e in effects if e.status == "ok"]) == ("2", ["unit", "1"])


def test_what_is_kept_by_content_is_kept_for_when_it_is_asked_for(project: Project) -> None:
    begun(project, steps("a", "b", "c", "d"), rounds=3)
    project.write(steps("x", "a", "c", "b", "d"))
    run, definitions = unloaded(project)
    notes = {row.before: row.note for row in plan_edit(run, "keep", definitions).rows() if row.before}
    assert notes == {**dict.fromkeys("123", "its result is kept for then"), "4": ""}
    assert [effect.label for effect in accept(project, "keep").new] == ["x"]
    assert [effect.label for effect in project.answer("1", "x").new] == ["d"]
    told = project.data_of("EFFECTS_REUSED")
    assert [[step for _, step in each["effects"]] for each in told] == [["2"], ["3"], ["4"]]


def test_what_was_taken_over_stays_so_on_every_replay(project: Project) -> None:
    begun(project, steps("a", "b", "c"), rounds=2)
    project.write(steps("x", "a", "b", "c"))
    accept(project, "keep")
    project.answer("1", "x")
    before = project.events()
    project.iterate()
    assert project.events() == before
    project.answer("4", "c")
    assert project.open().state.status == "completed"


def test_an_edit_of_a_run_that_has_ended_is_not_accepted(project: Project) -> None:
    begun(project, steps("a"))
    project.write(steps("b"))
    with pytest.raises(RunFinished) as caught:
        accept(project)
    assert caught.value.hint == "babysitter rewind r --to STEP goes back in it"


def test_an_edit_with_a_mistake_in_it_is_not_accepted(project: Project) -> None:
    begun(project, steps("a", "b"), rounds=1)
    project.write("async def process(inputs, ctx):\n    undefined_name\n")
    before = project.digest()
    with pytest.raises(ProcessError) as caught:
        accept(project)
    assert str(caught.value) == (
        "the process as it is now has a mistake: NameError: name 'undefined_name' is not defined"
    )
    assert project.digest() == before


def test_an_edit_of_a_run_that_was_cancelled_is_not_accepted(project: Project) -> None:
    begun(project, steps("a", "b"), rounds=1)
    cancel_run(project.open(), by="somebody", reason="enough")
    project.write(steps("x"))
    with pytest.raises(ProcessError) as caught:
        accept(project)
    assert str(caught.value) == "run 'r' was cancelled and only cleans up"


def test_a_run_goes_back_to_a_step(project: Project) -> None:
    begun(project, steps("a", "b", "c"))
    assert project.open().state.status == "completed"
    iteration = go_back(project, "2")
    assert ([(e.step, e.label) for e in iteration.new], iteration.status) == ([("2", "b")], "waiting")
    answer_all(project)
    assert project.types()[-1] == "RUN_COMPLETED"


def test_back_in_one_branch_the_others_keep_what_they_have(project: Project) -> None:
    begun(project, MAP.format(items=["a", "b"], second="!"))
    (step,) = [e.step for e in project.open().state.effects.values() if e.seq == 3]
    run, definitions = unloaded(project)
    words = [row.plan for row in plan_return(run, step, definitions).rows()]
    assert words == ["reused", "reused", "asked again", "not reached yet", "not reached yet"]


def test_a_group_is_gone_back_to_with_all_its_branches(project: Project) -> None:
    begun(project, MAP.format(items=["a", "b"], second="!"))
    iteration = go_back(project, "1")
    assert [effect.step.count(".") for effect in iteration.new] == [2, 2]


def test_there_is_no_way_back_to_a_step_that_was_never_asked_for(project: Project) -> None:
    begun(project, steps("a", "b"), rounds=1)
    with pytest.raises(InvalidInput) as caught:
        go_back(project, "7")
    assert (str(caught.value), caught.value.hint) == (
        "run 'r' has asked for nothing at step '7'",
        "babysitter tasks r lists the steps",
    )


def test_a_cancelled_run_that_goes_back_is_no_longer_cancelled(project: Project) -> None:
    begun(project, steps("a", "b"), rounds=1)
    cancel_run(project.open(), by="somebody", reason="enough")
    assert project.iterate().status == "halted"
    iteration = go_back(project, "2")
    assert (iteration.status, [e.step for e in iteration.new]) == ("waiting", ["2"])
    answer_all(project)
    assert project.open().state.status == "completed"


def test_a_plan_that_names_what_is_not_there_is_not_believed(project: Project) -> None:
    begun(project, steps("a", "b"), rounds=1)
    run = project.open()
    told = {"sourceDigests": run.state.source_digests, "plan": [["asked", "nobody", "1"]]}
    with pytest.raises(CorruptEvent) as caught:
        run.append([("PROCESS_CHANGED", told)])
    assert str(caught.value) == "event 5 (PROCESS_CHANGED) lacks or misshapes 'plan': 'nobody'"


def test_a_value_that_is_recorded_while_a_plan_is_made_is_what_the_process_gets(project: Project) -> None:
    source = """
async def process(inputs, ctx):
    await ctx.task(ask, question="a")
    {group}
    drawn = ctx.record("drawn", lambda: Path("{counter}").read_text())
    await ctx.task(ask, question=drawn)
"""
    counter = project.folder / "counter"
    counter.write_text("before")
    begun(project, source.format(group="pass", counter=counter), rounds=1)
    counter.write_text("after")
    project.write(source.format(group="await ctx.parallel.all([])", counter=counter))
    run, definitions = unloaded(project)
    accept_edit(run, "redo", definitions, by="somebody")
    counter.write_text("later")
    (asked,) = iterate(run).new
    assert run.definition_of(asked)["agent"]["prompt"] == "after"
    assert project.types()[-3:] == ["PROCESS_CHANGED", "RECORDED", "EFFECT_REQUESTED"]


def test_a_person_who_permits_to_go_back_has_not_accepted_an_edit(project: Project) -> None:
    gated = STEPS.format(words=["a", "b"]) + '    await ctx.breakpoint("Sure?")\n'
    project.create(gated, run_id="r", session=("claude", "s-1"))
    project.iterate()
    project.answer("1", "a")
    project.write(gated.replace('    await ctx.breakpoint("Sure?")\n', ""))
    run, definitions = unloaded(project)
    with pytest.raises(EditNeedsPerson):
        rewind(run, "1", definitions, by="somebody")
    assert "RUN_REWOUND" not in project.types()


def test_a_gate_that_comes_with_going_back_is_one_from_then_on(project: Project) -> None:
    project.write("async def process(inputs, ctx):\n    pass\n", "plain.py")
    begun(project, steps("a", "b"), rounds=1)
    project.write(steps("a", "b") + '    await ctx.breakpoint("Sure?")\n')
    go_back(project, "1")
    assert project.open().state.gates == ["process.py"]


def test_what_is_kept_stays_kept_when_the_prompt_of_a_pending_effect_is_edited(project: Project) -> None:
    begun(project, steps("a", "b", "c"), rounds=2)
    project.write(steps("x", "a", "b", "c"))
    accept(project, "keep")
    changed_prompt(project)
    (asked,) = project.iterate().new
    assert asked.step == "1"
    assert [effect.label for effect in project.answer("1", "x").new] == ["c"]


def test_more_results_than_races_that_may_be_lost_are_taken_over_at_once(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("babysitter.runs.execution.MOST_LOST_RACES", 3)
    begun(project, steps(*"abcdefgh"), rounds=7)
    project.write(steps("x", *"abcdefgh"))
    accept(project, "keep")
    assert [effect.label for effect in project.answer("1", "x").new] == ["h"]


@pytest.mark.parametrize(
    "lines",
    [
        [[]],
        [["asked"]],
        [["asked", "ID", 5]],
        [["asked", "ID", None]],
        [["asked", "ID", ["a"]]],
        [["asked", "ID", ""]],
        [["answered", "ID"]],
        [["asked", "ID", "1"], ["asked", "ID", "2"]],
        [["asked", "ID", "1"], ["answered", "ID"], ["answered", "ID"]],
        [["recorded", "", 1, 5, "x"]],
        [["patched", "a", "yes"]],
        [["nothing", "like", "it"]],
        ["asked"],
        [5],
    ],
)
def test_a_forged_plan_is_a_corrupt_event(project: Project, lines: list[Any]) -> None:
    begun(project, steps("a", "b"), rounds=1)
    run = project.open()
    effect = project.effect("1").id
    plan_ = [
        [effect if part == "ID" else part for part in line] if isinstance(line, list) else line
        for line in lines
    ]
    with pytest.raises(CorruptEvent):
        run.append([("PROCESS_CHANGED", {"sourceDigests": run.state.source_digests, "plan": plan_})])


def test_a_name_of_digits_is_a_name(project: Project) -> None:
    source = """
async def process(inputs, ctx):
    asked = lambda item: ctx.task(ask, question=item[{at}])
    await ctx.parallel.map({items!r}, asked, key=lambda item: item[0])
"""
    items = [("11", "22"), ("22", "33")]
    begun(project, source.format(items=items, at=0), rounds=1)
    project.write(source.format(items=items, at=1))
    # By its content the first branch asks for what the second one asked for before.
    assert "reused" not in [word for word, _ in plan(project)]
