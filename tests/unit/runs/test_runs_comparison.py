"""Two runs beside each other, and one run beside its own journal."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projects import ASK_TWICE

from babysitter.runs.comparison import compare
from babysitter.runs.replaying import replay

if TYPE_CHECKING:
    from projects import Project


def ended(project: Project, name: str, first: Any = 1, second: Any = 2) -> None:
    from babysitter.runs.iterate import iterate

    iterate(project.create(ASK_TWICE, run_id=name).load())
    for step, value in (("1", first), ("2", second)):
        project.post(step, value, name)
        project.iterate(name)


def different(project: Project) -> tuple[list[str], dict[str, str]]:
    about, steps = compare(project.open("one"), project.open("two"))
    return sorted(about), {each.step: each.what for each in steps}


def test_two_runs_that_went_the_same_way_do_not_differ(project: Project) -> None:
    ended(project, "one")
    ended(project, "two")
    assert different(project) == ([], {"1": "same", "2": "same"})


def test_another_result_is_named_by_its_step(project: Project) -> None:
    ended(project, "one")
    ended(project, "two", second=3)
    assert different(project) == (["output"], {"1": "same", "2": "another result"})


def test_a_step_that_only_one_of_them_has_is_named(project: Project) -> None:
    from babysitter.runs.iterate import iterate

    ended(project, "one")
    iterate(project.create(ASK_TWICE, run_id="two").load())
    assert different(project) == (
        ["output", "status"],
        {"1": "ok > requested", "2": "only in the first"},
    )


def test_other_arguments_and_another_process_are_named(project: Project) -> None:
    ended(project, "one")
    project.write(ASK_TWICE.replace('"two"', '"other"'))
    from babysitter.runs.iterate import iterate

    iterate(project.create(run_id="two").load())
    project.post("1", 1, "two")
    project.iterate("two")
    assert different(project) == (
        ["output", "sourceDigests", "status"],
        {"1": "same", "2": "other arguments"},
    )


def test_a_run_that_ended_still_asks_for_the_same(project: Project) -> None:
    ended(project, "r")
    before = project.digest()
    told = replay(project.open())
    assert (told, project.digest()) == (
        {"status": "completed", "edited": False, "effects": 2, "holds": True, "next": 0},
        before,
    )


def test_a_run_on_its_way_says_how_many_requests_come_next(project: Project) -> None:
    project.begin(ASK_TWICE)
    project.post("1", 1)
    assert replay(project.open())["next"] == 1


def test_a_process_that_ends_otherwise_does_not_hold(project: Project) -> None:
    ended(project, "r")
    project.write(ASK_TWICE.replace("[first, second]", "[second, first]"))
    told = replay(project.open())
    assert (told["holds"], told["edited"], told["message"]) == (
        False,
        True,
        "the journal has another output of the run, but the process now has [2,1]",
    )


def test_a_process_that_asks_for_something_else_does_not_hold(project: Project) -> None:
    ended(project, "r")
    project.write(ASK_TWICE.replace('"two"', '"other"'))
    told = replay(project.open())
    assert (told["holds"], told["stepId"]) == (False, "2")


def test_a_process_with_a_mistake_does_not_hold(project: Project) -> None:
    ended(project, "r")
    project.write("async def process(inputs, ctx):\n    undefined_name\n")
    told = replay(project.open())
    assert (told["holds"], told["message"]) == (
        False,
        "the process has a mistake: NameError: name 'undefined_name' is not defined",
    )


def test_an_edit_that_changes_nothing_of_what_was_asked_holds(project: Project) -> None:
    ended(project, "r")
    project.write(ASK_TWICE + "\n# a remark\n")
    told = replay(project.open())
    assert (told["holds"], told["edited"]) == (True, True)
