"""Mistakes of the author's: the run is stuck, says where, and goes on after the fix."""

from __future__ import annotations

import os
from typing import Any

import pytest
from projects import ASK_ONCE, ASK_TWICE, HEAD, Project, stuck_in

from babysitter.errors import StorageError
from babysitter.limits import Limits
from babysitter.runs.execution import Execution

# The author's mistakes

MISTAKES = {
    "1 / 0": "ZeroDivisionError",
    "raise SystemExit(0)": "SystemExit",
    "raise GeneratorExit": "GeneratorExit",
    "raise ValueError('\\ud800')": "ValueError",
    "await nothing": "NameError",
    "ctx.task(ask, question='x')": "ProcessError",
    "await ctx.task(ask, qestion='x')": "TypeError",
    "await ctx.task(ask, question=b'x')": "TypeError",
    "return object()": "TypeError",
    "return float('nan')": "TypeError",
    "raise Failed('x', object())": "TypeError",
    "import asyncio; await asyncio.to_thread(print)": "ForeignAwait",
    "await ctx.parallel.all([3])": "TypeError",
}


@pytest.mark.parametrize("line", MISTAKES)
def test_a_mistake_of_the_author_leaves_the_run_stuck(project: Project, line: str) -> None:
    project.begin(f"async def process(inputs, ctx):\n    {line}\n")
    assert stuck_in(project)["name"] == MISTAKES[line]


@pytest.mark.parametrize("line", ["1 / 0", "ctx.task(ask, question='x')", "await ctx.task(ask, qestion='x')"])
def test_a_mistake_is_told_with_file_and_line(project: Project, line: str) -> None:
    project.begin(f"async def process(inputs, ctx):\n    {line}\n")
    problem = stuck_in(project)
    expected = (str(project.folder / "process.py"), len(HEAD.splitlines()) + 2)
    assert (problem["file"], problem["line"]) == expected


def test_the_same_mistake_is_written_once(project: Project) -> None:
    project.begin("async def process(inputs, ctx):\n    1 / 0\n")
    before = project.digest()
    assert (project.iterate().status, project.digest()) == ("stuck", before)


def test_another_mistake_is_written_too(project: Project) -> None:
    project.begin("async def process(inputs, ctx):\n    1 / 0\n")
    project.write("async def process(inputs, ctx):\n    [][1]\n")
    project.iterate()
    assert [data["name"] for data in project.data_of("PROCESS_ERROR")] == ["ZeroDivisionError", "IndexError"]


def test_a_run_goes_on_after_the_fix(project: Project) -> None:
    project.begin(f"{ASK_TWICE}\n    1 / 0\n".replace('question="two"', "question=1 / 0"))
    project.answer("1", "first")
    project.write(ASK_TWICE)
    project.iterate()
    assert (project.open().state.status, project.types()[-2:]) == (
        "waiting",
        ["PROCESS_CHANGED", "EFFECT_REQUESTED"],
    )


def test_a_run_that_is_stuck_takes_results(project: Project) -> None:
    project.begin(ASK_ONCE)
    project.write(f"1 / 0\n{ASK_ONCE}")
    project.iterate()
    told = project.post("1", "yes").status, project.open().state.status
    project.write(ASK_ONCE)
    assert (*told, project.iterate().status) == ("recorded", "stuck", "completed")


def test_a_mistake_that_goes_away_by_itself_lets_the_run_go_on(project: Project) -> None:
    switch = project.folder / "switch"
    project.begin(
        f"import os\nasync def process(inputs, ctx):\n    assert os.path.exists({str(switch)!r})\n"
        "    await ctx.task(ask, question='one')\n"
    )
    switch.write_text("")
    assert (project.iterate().status, project.types()[1:]) == (
        "waiting",
        ["PROCESS_ERROR", "PROCESS_CHANGED", "EFFECT_REQUESTED"],
    )


@pytest.mark.parametrize(
    ("edit", "name"),
    [
        ("x = ]", "InvalidInput"),
        ("1 / 0", "ZeroDivisionError"),
        ("import sys; sys.exit(0)", "SystemExit"),
        ("class Odd(BaseException): pass\nraise Odd", "Odd"),
        ("def process(inputs, ctx): pass", "InvalidInput"),
        ("other = 1", "NoSuchProcess"),
        ("while True: pass", "ProcessError"),
        ("async def process(inputs): pass", "TypeError"),
        ("async def process(inputs, ctx):\n    return None", None),
    ],
)
def test_an_edit_after_which_the_file_cannot_be_used_leaves_the_run_stuck(
    project: Project, edit: str, name: str | None
) -> None:
    project.begin(ASK_ONCE)
    project.write(edit)
    if "while" in edit:
        project.limits = Limits(iterate_seconds=0.2)
    # The last one can be used, and does not ask for what the journal has: that is no mistake.
    assert (project.iterate().status, name and stuck_in(project)["name"]) == (
        "stuck" if name else "diverged",
        name,
    )


def test_a_process_file_that_is_gone_leaves_the_run_stuck(project: Project) -> None:
    project.begin(ASK_ONCE)
    (project.folder / "process.py").unlink()
    project.iterate()
    assert stuck_in(project)["name"] == "NoSuchProcess"


def test_an_error_that_cannot_be_shown_leaves_the_run_stuck(project: Project) -> None:
    project.begin(
        "class Odd(Exception):\n    def __str__(self):\n        raise LookupError\n"
        "async def process(inputs, ctx):\n    raise Odd\n"
    )
    assert "Odd" in stuck_in(project)["message"]


def test_a_very_long_error_is_cut(project: Project) -> None:
    project.begin("async def process(inputs, ctx):\n    raise ValueError('x' * 1_000_000)\n")
    assert len(str(stuck_in(project))) < 200_000


LOOPS = {
    "at once": "    while True: pass",
    "swallowing": "    while True:\n        try: pass\n        except BaseException: pass",
    "sleeping": "    while True:\n        try: time.sleep(9)\n        except BaseException: pass",
    "in finally": "    try:\n        while True: pass\n    finally:\n        while True: pass",
    "after a step": "    await ctx.task(ask, question='one')\n    while True: pass",
    "in a description": "    await ctx.task(endless)",
}


@pytest.mark.parametrize("loop", LOOPS)
def test_a_process_that_loops_is_stopped_and_told_where(project: Project, loop: str) -> None:
    head = "import time\n@agent\ndef endless():\n    while True: pass\n"
    source = f"{head}async def process(inputs, ctx):\n{LOOPS[loop]}\n"
    if loop == "after a step":
        project.begin(source)
        project.post("1", "yes")
    else:
        project.create(source, run_id="r")
    project.limits = Limits(iterate_seconds=0.2)
    project.iterate()
    problem = stuck_in(project)
    assert (problem["name"], problem["file"]) == ("ProcessError", str(project.folder / "process.py"))
    assert "ran for 0.2 s without coming to a step" in problem["message"]


def test_a_loop_that_is_mended_lets_the_run_go_on(project: Project) -> None:
    project.limits = Limits(iterate_seconds=0.2)
    project.begin("async def process(inputs, ctx):\n    while True: pass\n")
    project.limits = None
    project.write(ASK_ONCE)
    assert project.iterate().status == "waiting"


def test_a_process_that_never_settles_is_stuck(project: Project) -> None:
    project.begin(
        "class Never:\n    def __await__(self):\n        while True:\n            yield self\n"
        "async def process(inputs, ctx):\n    await Never()\n"
    )
    assert stuck_in(project)["name"] == "ForeignAwait"


# What it returns

RETURNED = {
    "step": ("{'found': [1, ctx.task(ask, question='a')]}", "at 'found[1]' is ctx.task('ask'), which", 3),
    "group": ("(1, ctx.parallel.all([]))", "at '[1]' is ctx.parallel.all(…), which", 3),
}


@pytest.mark.parametrize("what", RETURNED)
def test_what_is_returned_without_await_is_named_for_what_it_is(project: Project, what: str) -> None:
    returned, told, line = RETURNED[what]
    project.begin(f"async def process(inputs, ctx):\n    return (\n        {returned}\n    )\n")
    problem = stuck_in(project)
    said = f"the value {told} is not awaited; write `await` before it"
    assert problem["message"] == f"what the process ends with is not JSON: {said}"
    assert problem["line"] == HEAD.count("\n") + line


def test_a_list_that_contains_itself_cannot_be_returned(project: Project) -> None:
    body = "    found = []\n    found.append(found)\n    return found\n"
    project.begin(f"async def process(inputs, ctx):\n{body}")
    assert "contains itself" in stuck_in(project)["message"]


# Descriptions

DESCRIPTIONS = {
    "no-json": ("lambda args: {'kind': 'agent', 'agent': {'prompt': object()}}", "is not JSON"),
    "no-kind": ("lambda args: {'title': 'x'}", "returns a dict with a 'kind'"),
    "raises": ("lambda args: 1 / 0", "division by zero"),
    "exits": ("lambda args: exit(0)", "0"),
    "too-deep": (("lambda args: {'kind': 'agent', 'agent': __import__('functools').reduce("
                 "lambda inner, _: [inner], range(150), [])}"), "more than 100 levels"),
    "no-file": ("lambda args: {'kind': 'agent', 'agent': open('/nowhere').read()}", "No such file"),
    "no-question": ("lambda args: {'kind': 'breakpoint'}", "question"),
    "no-time": ("lambda args: {'kind': 'sleep', 'sleep': {'seconds': 'soon'}}", "not a length of time"),
}  # fmt: skip


@pytest.mark.parametrize("described", DESCRIPTIONS)
def test_a_description_that_cannot_be_used_leaves_the_run_stuck_and_requests_nothing(
    project: Project, described: str
) -> None:
    build, said = DESCRIPTIONS[described]
    project.begin(
        f"odd = define_task('odd', {build})\nasync def process(inputs, ctx):\n    await ctx.task(odd)\n"
    )
    assert (said in stuck_in(project)["message"], project.types()) == (True, ["RUN_CREATED", "PROCESS_ERROR"])


def test_a_disk_that_refuses_a_large_description_is_no_mistake_of_the_author(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = project.create(
        "async def process(inputs, ctx):\n    await ctx.task(ask, question='x' * 40_000)\n", run_id="r"
    )
    before = project.digest()

    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    execution = Execution(run.load())
    execution.start()
    monkeypatch.setattr(os, "mkdir", refuse)
    with pytest.raises(StorageError, match="No space left"):
        execution.write_round()
    monkeypatch.undo()
    assert project.digest() == before


def test_a_description_is_built_once(project: Project) -> None:
    trace = project.folder / "trace"
    project.begin(
        f"@agent\ndef note():\n    with open({str(trace)!r}, 'a') as file: file.write('x')\n    return 'p'\n"
        "async def process(inputs, ctx):\n    await ctx.task(note)\n"
    )
    project.iterate()
    assert trace.read_text() == "x"


def test_items_that_are_no_json_values_are_named_by_their_key(project: Project) -> None:
    project.begin(
        "async def process(inputs, ctx):\n    paths = [Path('a'), Path('b')]\n"
        "    await ctx.parallel.map(paths, lambda path: ctx.task(ask, path.name), key=lambda p: p.name)\n"
    )
    groups = [data["group"] for data in project.data_of("EFFECT_REQUESTED")]
    assert [group.get("label") for group in groups] == [None, None]
    assert len({group["branch"] for group in groups}) == 2
