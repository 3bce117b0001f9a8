"""A process along its journal: what is replayed, what is written, and what stops a run."""

from __future__ import annotations

import shutil
from typing import Any

import pytest
from projects import ASK_ONCE, ASK_TWICE, Project, stuck_in

from babysitter.errors import HeadMoved, NondeterminismError, RunBusy
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


PATCHED = """
async def process(inputs, ctx):
    await ctx.task(ask, question="one")
    await ctx.task(ask, question="new" if ctx.patched("newer") else "old")
"""
UNPATCHED = PATCHED.replace('"new" if ctx.patched("newer") else "old"', '"old"')


def test_a_patch_that_another_command_has_noted_counts_in_a_process_that_is_kept(project: Project) -> None:
    project.begin(PATCHED)
    run = project.open()
    kept = Execution(run)
    kept.start()
    project.answer("1", "yes")
    run.refresh()
    kept.follow()
    assert (kept.write_round(), project.types().count("PATCHED")) == ([], 1)


def test_a_patch_that_another_command_has_left_behind_is_given_up(project: Project) -> None:
    project.begin(UNPATCHED)
    project.post("1", "yes")
    project.write(PATCHED)
    run = project.open()
    edited = Execution(run)
    edited.start()
    project.write(UNPATCHED)
    project.iterate()
    project.write(PATCHED)
    edited.write_round()
    assert edited.diverged is None
    assert (project.types().count("PATCHED"), project.iterate().status) == (0, "waiting")


def test_a_patch_is_noted_before_what_follows_from_it(project: Project) -> None:
    project.begin(PATCHED)
    project.answer("1", "yes")
    assert project.types()[-2:] == ["PATCHED", "EFFECT_REQUESTED"]


def test_a_run_that_has_begun_was_past_a_patch_at_the_very_start(project: Project) -> None:
    project.begin(ASK_ONCE)
    project.write("""
async def process(inputs, ctx):
    return await ctx.task(ask, question="new" if ctx.patched("newer") else "one")
""")
    assert (project.iterate().status, project.types().count("PATCHED")) == ("waiting", 0)
