"""A process along its journal: what is replayed, what is written, and what stops a run."""

from __future__ import annotations

import os
import shutil
from typing import Any

import pytest
from projects import ASK_ONCE, ASK_TWICE, HEAD, Project

from babysitter.errors import HeadMoved, NondeterminismError, RunBusy, StorageError
from babysitter.limits import Limits
from babysitter.runs.execution import Execution
from babysitter.runs.run import Run

# An edit that puts something before, or after, what was answered already.
ASK_ANOTHER_FIRST = """
async def process(inputs, ctx):
    return [await ctx.task(ask, question=q) for q in ("zero", "one", "two")]
"""
ASK_THRICE = """
async def process(inputs, ctx):
    return [await ctx.task(ask, question=q) for q in ("one", "two", "three")]
"""


def stuck_in(project: Project) -> dict[str, Any]:
    """The problem that a run is stuck in."""
    state = project.open().state
    assert (state.status, state.problem is None) == ("stuck", False)
    assert state.problem is not None
    return state.problem


# Replay


def test_a_run_goes_on_where_it_was(project: Project) -> None:
    project.begin(ASK_TWICE)
    project.answer("1", "first")
    done = project.answer("2", "second")
    assert (done.status, done.run.output()) == ("completed", ["first", "second"])


def test_an_iteration_without_anything_new_writes_nothing(project: Project) -> None:
    project.begin(ASK_TWICE)
    before = project.digest()
    assert project.iterate().new == []
    assert project.digest() == before


def test_a_finished_run_writes_nothing_more(project: Project) -> None:
    project.begin(ASK_ONCE)
    project.answer("1", "yes")
    before = project.digest()
    assert (project.iterate().status, project.digest()) == ("completed", before)


def test_a_failure_that_the_process_lets_through_ends_the_run(project: Project) -> None:
    project.begin(ASK_ONCE)
    project.post("1", error={"name": "TaskFailed", "message": "no"})
    done = project.iterate()
    assert (done.status, done.run.state.ending["error"]["message"]) == ("failed", "no")


def test_a_process_may_end_its_run_as_failed(project: Project) -> None:
    done = project.begin("async def process(inputs, ctx):\n    raise Failed('no good', {'a': 1})\n")
    error = project.data_of("RUN_FAILED")[0]["error"]
    assert (done.status, error) == ("failed", {"name": "Failed", "message": "no good", "data": {"a": 1}})


# An edited process


def test_an_edit_ahead_of_the_answered_work_goes_on(project: Project) -> None:
    project.begin(ASK_TWICE)
    project.answer("1", "first")
    project.write(ASK_THRICE)
    project.answer("2", "second")
    assert project.types()[-4:] == [
        "EFFECT_REQUESTED",
        "EFFECT_RESOLVED",
        "PROCESS_CHANGED",
        "EFFECT_REQUESTED",
    ]


def test_an_edit_that_changes_nothing_is_recorded_once(project: Project) -> None:
    project.begin(ASK_TWICE)
    project.write(f"# a remark\n{ASK_TWICE}")
    project.iterate()
    project.iterate()
    assert project.types() == ["RUN_CREATED", "EFFECT_REQUESTED", "PROCESS_CHANGED"]


def test_an_edit_that_does_not_fit_diverges_and_writes_nothing(project: Project) -> None:
    project.begin(ASK_TWICE)
    project.answer("1", "first")
    project.write(ASK_ANOTHER_FIRST)
    before = project.digest()
    done = project.iterate()
    assert (done.status, done.diverged.step, project.digest()) == ("diverged", "1", before)


def test_an_edit_that_is_undone_goes_on(project: Project) -> None:
    project.begin(ASK_TWICE)
    project.answer("1", "first")
    project.write(ASK_ANOTHER_FIRST)
    project.iterate()
    project.write(ASK_TWICE)
    assert project.answer("2", "second").status == "completed"


def test_results_may_come_in_while_an_edit_does_not_fit(project: Project) -> None:
    project.begin(ASK_TWICE)
    project.write(ASK_ANOTHER_FIRST)
    assert (project.iterate().status, project.post("1", "first").status) == ("diverged", "recorded")


def test_an_edited_module_beside_the_process_is_an_edit(project: Project) -> None:
    project.write("QUESTION = 'one'", "words.py")
    project.begin(
        "from words import QUESTION\nasync def process(inputs, ctx):\n    await ctx.task(ask, QUESTION)"
    )
    project.write("QUESTION = 'other'", "words.py")
    assert project.iterate().status == "diverged"


def test_an_edited_module_under_which_the_script_holds_is_recorded(project: Project) -> None:
    project.write("QUESTION = 'one'", "words.py")
    project.begin(
        "from words import QUESTION\nasync def process(inputs, ctx):\n    await ctx.task(ask, QUESTION)"
    )
    project.write("QUESTION = 'o' + 'ne'", "words.py")
    project.iterate()
    (before,), (changed,) = project.data_of("RUN_CREATED"), project.data_of("PROCESS_CHANGED")
    kept = before["sourceDigests"]["process.py"] == changed["sourceDigests"]["process.py"]
    edited = before["sourceDigests"]["words.py"] != changed["sourceDigests"]["words.py"]
    assert (kept, edited) == (True, True)


LATE = """
async def process(inputs, ctx):
    first = await ctx.task(ask, question="one")
    from words import QUESTION
    return await ctx.task(ask, question=QUESTION)
"""


def test_a_module_that_is_imported_late_counts_from_then_on(project: Project) -> None:
    project.write("QUESTION = 'two'", "words.py")
    project.begin(LATE)
    project.write("QUESTION = 'three'", "words.py")  # nobody has seen it yet
    project.answer("1", "first")
    project.write("QUESTION = 'four'", "words.py")
    assert project.iterate().status == "diverged"


def test_a_process_of_an_installed_package_is_not_watched(
    project: Project, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site-packages"
    site.mkdir()
    (site / "words_of_others.py").write_text("QUESTION = 'one'")
    monkeypatch.syspath_prepend(site)
    project.begin("import words_of_others\nasync def process(inputs, ctx):\n    await ctx.task(ask, 'one')")
    (site / "words_of_others.py").write_text("QUESTION = 'another one'")
    project.iterate()
    assert project.types() == ["RUN_CREATED", "EFFECT_REQUESTED"]


# A process that does not repeat itself


@pytest.mark.parametrize(
    "question",
    [
        "str(time.time_ns())",  # the clock
        "str(random.random())",  # chance
        "str(uuid.uuid4())",  # chance, called otherwise
        "Path(inputs['file']).read_text()",  # the world outside
    ],
)
def test_a_process_that_does_not_repeat_itself_is_an_error_and_writes_nothing(
    project: Project, question: str
) -> None:
    outside = project.write("before", "outside.txt")
    source = f"async def process(inputs, ctx):\n    await ctx.task(ask, question={question})\n"
    project.begin(f"import random, time, uuid\n{source}", {"file": str(outside)})
    outside.write_text("after")
    before = project.digest()
    with pytest.raises(NondeterminismError, match="at step '1' the journal has task 'ask'"):
        project.iterate()
    assert project.digest() == before


def test_a_set_that_is_iterated_is_an_error(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    # The order of a set follows from hashes, which differ from process to process.
    project.write(
        """
        import os

        class Name:
            def __init__(self, name):
                self.name = name
            def __hash__(self):
                return int(os.environ["FACTOR"]) * ord(self.name) % 8

        async def process(inputs, ctx):
            for name in {Name(letter) for letter in "abcde"}:
                await ctx.task(ask, question=name.name)
        """
    )
    monkeypatch.setenv("FACTOR", "1")
    project.begin()
    monkeypatch.setenv("FACTOR", "3")
    with pytest.raises(NondeterminismError) as caught:
        project.iterate()
    assert "iterate over lists instead of sets" in caught.value.hint


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
    "import asyncio; await asyncio.sleep(1)": "ForeignAwait",
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
        "    await ctx.parallel.map(paths, lambda path: ctx.task(ask, path.name), key=lambda path: path.name)\n"
    )
    groups = [data["group"] for data in project.data_of("EFFECT_REQUESTED")]
    assert [group.get("label") for group in groups] == [None, None]
    assert len({group["branch"] for group in groups}) == 2


# Notes

NOTES = """
async def process(inputs, ctx):
    ctx.log("began", by="me")
    value = ctx.record("listing", lambda: Path(inputs["trace"]).write_text("x"))
    ctx.progress(1, 3)
    await ctx.task(ask, question="one")
    ctx.log("ended")
    ctx.progress(3, 3)
    await ctx.task(ask, question="two")
    return value
"""


def test_notes_are_written_once(project: Project) -> None:
    trace = project.folder / "trace"
    project.begin(NOTES, {"trace": str(trace)})
    project.iterate()
    project.answer("1")
    project.iterate()
    project.answer("2")
    logged = [data.get("message") or data["progress"]["done"] for data in project.data_of("PROCESS_LOG")]
    recorded = [data["value"] for data in project.data_of("RECORDED")]
    assert (logged, recorded, trace.read_text()) == (["began", 1, "ended", 3], [1], "x")


def test_what_a_process_prints_goes_to_standard_error(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    project.create("async def process(inputs, ctx):\n    print('hello')\n", run_id="r")
    project.iterate()
    assert capsys.readouterr() == ("", "hello\n")


@pytest.mark.parametrize("note", ["ctx.record('x', lambda: {v})", "ctx.log('x', v={v})"])
def test_a_note_that_is_too_deep_leaves_the_run_stuck(project: Project, note: str) -> None:
    deep = "__import__('functools').reduce(lambda inner, _: [inner], range(300), [])"
    project.begin(f"async def process(inputs, ctx):\n    {note.format(v=deep)}\n    await ctx.sleep(1)\n")
    assert "nested more than" in stuck_in(project)["message"]


# finally


def test_a_suspended_finally_never_runs(project: Project) -> None:
    trace = project.folder / "trace"
    project.begin(
        "async def process(inputs, ctx):\n    try:\n        await ctx.task(ask, question='one')\n"
        f"    finally:\n        Path({str(trace)!r}).touch()\n"
    )
    for _ in range(3):
        project.iterate()
    assert not trace.exists()
    project.answer("1")
    assert trace.exists()


# Large values


def test_a_large_description_is_kept_beside_its_event(project: Project) -> None:
    project.begin("async def process(inputs, ctx):\n    await ctx.task(ask, question='x' * 40_000)\n")
    data = project.data_of("EFFECT_REQUESTED")[0]
    run = project.open()
    assert ("definition" in data, run.definition_of(project.effect("1"))["agent"]["prompt"]) == (
        False,
        "x" * 40_000,
    )


def test_a_large_output_is_kept_beside_its_event(project: Project) -> None:
    project.begin("async def process(inputs, ctx):\n    return 'x' * 40_000\n")
    data = project.data_of("RUN_COMPLETED")[0]
    assert ("output" in data, project.open().output()) == (False, "x" * 40_000)


def test_a_large_failure_is_kept(project: Project) -> None:
    project.begin("async def process(inputs, ctx):\n    raise Failed('x', 'y' * 40_000)\n")
    assert len(project.data_of("RUN_FAILED")[0]["error"]["data"]) == 40_000


@pytest.mark.parametrize("ending", ["return {v}", "raise Failed('x', {v})"])
def test_an_ending_that_is_too_deep_leaves_the_run_stuck(project: Project, ending: str) -> None:
    deep = "__import__('functools').reduce(lambda inner, _: [inner], range(150), [])"
    project.begin(f"async def process(inputs, ctx):\n    {ending.format(v=deep)}\n")
    assert "more than 100 levels" in stuck_in(project)["message"]


# Other writers


def test_a_run_ends_only_on_a_journal_that_is_whole(project: Project) -> None:
    project.begin(ASK_TWICE)
    project.answer("1")
    # The cache still has it.
    (file,) = (project.runs_dir / "r" / "journal").glob("000002.*")
    project.post("2")
    shutil.copy(file, file.with_suffix(".old"))
    content = file.read_bytes()
    file.write_bytes(content.replace(b"one", b"eno"))
    before = project.digest()
    with pytest.raises(Exception, match=r"000002\..* does not end with the checksum"):
        project.iterate()
    assert project.digest() == before


RECORD = """
async def process(inputs, ctx):
    value = ctx.record("value", lambda: Path(inputs["file"]).read_text())
    return await ctx.task(ask, question=value)
"""


def test_what_another_writer_recorded_first_is_what_the_process_gets(project: Project) -> None:
    file = project.write("mine", "value.txt")
    run = project.create(RECORD, {"file": str(file)}, run_id="r").load()
    execution = Execution(run)
    execution.start()
    file.write_text("theirs")
    project.iterate()
    events = execution.write_round()
    definition = project.data_of("EFFECT_REQUESTED")[0]["definition"]
    assert (events, definition["agent"]["prompt"], execution.end) == ([], "theirs", None)


def test_a_round_is_drafted_anew_when_another_writer_was_first(project: Project) -> None:
    project.begin(ASK_TWICE)
    project.post("1", "first")
    execution = Execution(project.open())
    execution.start()
    project.iterate()
    assert execution.write_round() == []
    assert project.types().count("EFFECT_REQUESTED") == 2


def test_a_writer_that_is_never_first_gives_up(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(*_: Any) -> None:
        raise HeadMoved("another was first")

    execution = Execution(project.create(ASK_ONCE).load())
    execution.start()
    monkeypatch.setattr(Run, "append", lose)
    monkeypatch.setattr("babysitter.runs.execution.MOST_LOST_RACES", 3)
    with pytest.raises(RunBusy):
        execution.write_round()


RECORDS = """
import os

async def process(inputs, ctx):
    await ctx.task(ask, question="one")
    drawn = ctx.record("drawn", lambda: os.urandom(8).hex())
    await ctx.task(ask, question=drawn)
"""


def test_a_record_that_another_command_has_made_counts_in_a_process_that_is_kept(project: Project) -> None:
    project.begin(RECORDS)
    run = project.open()
    kept = Execution(run)
    kept.start()
    project.answer("1", "yes")
    run.refresh()
    kept.follow()
    assert (kept.write_round(), len(run.state.pending)) == ([], 1)


def test_a_record_that_does_not_fit_an_edit_diverges_and_writes_nothing(project: Project) -> None:
    process = 'async def process(inputs, ctx):\n    ctx.record("{}", int)\n    await ctx.task(ask, "x")\n'
    project.begin(process.format("first"))
    project.write(process.format("second"))
    before = project.digest()
    assert (project.iterate().status, project.digest()) == ("diverged", before)
