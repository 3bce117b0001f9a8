"""In what a request differs from the one that the journal has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from babysitter.errors import NondeterminismError
from babysitter.runs.other_arguments import difference

if TYPE_CHECKING:
    from projects import Project

    from babysitter.engine.calls import Call


def of(kind: str, described: Any, **more: Any) -> dict[str, Any]:
    return {"kind": kind, "title": "Task", kind: described, **more}


@pytest.mark.parametrize(
    ("kind", "before", "now", "said"),
    [
        ("breakpoint", {"question": "A?"}, {"question": "B?"}, 'question was "A?", and is "B?"'),
        ("breakpoint", {"question": "A?"}, {"question": "A?", "id": "a"}, 'id was absent, and is "a"'),
        ("breakpoint", {"tags": ["a"]}, {"tags": ["a", "b"]}, 'tags[1] was absent, and is "b"'),
        ("shell", {"argv": ["ls", "-l"]}, {"argv": ["ls"]}, 'argv[1] was "-l", and is absent'),
        ("python", {"args": {"n": 1}}, {"args": {"n": [2]}}, "args.n was 1, and is [2]"),
        ("python", {"args": {"n": 1}}, {"args": {"n": True}}, "args.n was 1, and is true"),
        ("agent", {"prompt": "x" * 80}, {"prompt": "y"}, f'prompt was "{"x" * 49}…", and is "y"'),
        (
            "agent",
            {"prompt": "Find all the defects of the functions in the file a.py."},
            {"prompt": "Find all the defects of the functions in the file b.py."},
            'prompt was "…in the file a.py.", and is "…in the file b.py."',
        ),
        (
            "agent",
            {"prompt": "x" * 60},
            {"prompt": "x" * 61},
            'prompt was "…xxxxxxxxxxxx", and is "…xxxxxxxxxxxxx"',
        ),
        ("other", "a text", "another", ' was "a text", and is "another"'),
    ],
)
def test_the_first_that_differs_is_named(kind: str, before: Any, now: Any, said: str) -> None:
    assert difference(of(kind, before), of(kind, now)) == f": {said}"


def test_what_is_said_of_an_effect_comes_after_what_it_asks_for() -> None:
    assert difference(of("agent", {"prompt": "a"}), {**of("agent", {"prompt": "a"}), "title": "Other"}) == (
        ': title was "Task", and is "Other"'
    )


def test_another_kind_is_named() -> None:
    assert difference(of("agent", {}), of("shell", {})) == ': kind was "agent", and is "shell"'


def test_nothing_is_said_where_the_descriptions_are_the_same() -> None:
    assert difference(of("agent", {"prompt": "a"}), of("agent", {"prompt": "a"})) == ""


ONE = """
async def process(inputs, ctx):
    await ctx.task(ask, question={!r})
    await ctx.task(ask, question="two")
"""


def diverged(project: Project) -> str:
    iteration = project.iterate()
    assert isinstance(iteration.diverged, NondeterminismError)
    return iteration.diverged.message.partition("other arguments")[2]


def test_a_run_that_diverges_says_in_what(project: Project) -> None:
    project.begin(ONE.format("one"))
    project.write(ONE.format("another"))
    assert diverged(project) == ': prompt was "one", and is "another"'


def test_what_was_asked_for_is_known_also_when_it_is_answered(project: Project) -> None:
    project.begin(ONE.format("one"))
    project.answer("1", "yes")
    project.write(ONE.format("another"))
    assert diverged(project) == ': prompt was "one", and is "another"'


def test_a_secret_is_not_told(project: Project) -> None:
    project.begin(ONE.format("token=ghp_" + "a" * 36))
    project.write(ONE.format("token=ghp_" + "b" * 36 + " and more"))
    told = diverged(project)
    assert ("ghp_" in told, "and more" in told) == (False, True)


def test_a_task_that_raises_has_nothing_to_say_of_it(project: Project) -> None:
    source = ONE.replace("ctx.task(ask, question={!r})", "ctx.task(picky, n={!r})")
    picky = "@agent\ndef picky(n):\n    return ['one'][n]\n"
    project.begin(picky + source.format(0))
    project.write(picky + source.format(1))
    assert diverged(project) == ""


MANY = """
async def process(inputs, ctx):
    await ctx.parallel.all([lambda n=n: ctx.task(ask, question=str(n)) for n in range(4)])
    await ctx.breakpoint("Go?")
"""


def test_the_journal_is_read_once_more_however_many_differ(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    from babysitter.runs.other_arguments import OtherArguments
    from babysitter.runs.run import Run

    project.begin(MANY)
    for step in range(4):
        project.post(f"1.{step}.1", "answer")
    run = project.open()
    reads: list[None] = []
    read_again = Run.read_again

    def counted(self: Run, see: Any) -> None:
        reads.append(None)
        read_again(self, see)

    monkeypatch.setattr(Run, "read_again", counted)
    others = OtherArguments(run)
    for effect in run.state.effects.values():
        others.told(effect, cast("Call", None))
    assert len(reads) == 1
