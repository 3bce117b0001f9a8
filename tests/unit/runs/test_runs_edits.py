"""A process with gates that is edited under a run which an agent works on: a person has to accept that."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from projects import HEAD

from babysitter.errors import EditNeedsPerson
from babysitter.runs.edits import is_accepted, present_digests, refused_unread
from babysitter.runs.source import holds_gate

if TYPE_CHECKING:
    from projects import Project

GATED = """
async def process(inputs, ctx):
    await ctx.task(ask, question="one")
    await ctx.breakpoint("Release?")
    return "released"
"""
WITHOUT_GATE = """
async def process(inputs, ctx):
    await ctx.task(ask, question="one")
    return "released"
"""
# In a file of another name than the one that the head, with its words, is put before.
PLAIN = """
from babysitter import agent

@agent
def ask(question):
    return question

async def process(inputs, ctx):
    await ctx.task(ask, question="one")
"""
ASKED = """
async def process(inputs, ctx):
    await ctx.breakpoint("Release?")
"""
INSTALLED_GATE = """
from babysitter import agent
from babysitter.patterns import until_approved

@agent
def ask(question):
    return question

async def process(inputs, ctx):
    await until_approved(ctx, lambda attempt, feedback: ctx.task(ask, question="one"), "Release?")
"""
OTHER_GATE = "async def release(ctx):\n    await ctx.breakpoint('Release?')\n"
NO_GATE = "async def release(ctx):\n    pass\n"
CALLS_GATE = """
from gates import release

async def process(inputs, ctx):
    await ctx.task(ask, question="one")
    await release(ctx)
"""


def guard(project: Project) -> None:
    """The run, as an agent's session has it."""
    project.open().append([("SESSION_BOUND", {"host": "claude", "sessionId": "s-1"})])


def permit_edit(project: Project) -> None:
    run = project.open()
    about = {"sourceDigests": present_digests(run)}
    told = {"what": "edit", "about": about, "by": "me", "assurance": "terminal", "evidence": {}}
    run.append([("PERMITTED", told)])


def begin_guarded(project: Project, source: str) -> None:
    project.begin(source)
    guard(project)


def iterated(project: Project) -> tuple[str, str]:
    """The status after an iteration, and the error that was in the way."""
    iteration = project.iterate()
    return iteration.status, type(iteration.diverged).__name__


NEEDS_PERSON = ("diverged", "EditNeedsPerson")


def test_taking_away_a_gate_that_is_still_to_come_needs_a_person(project: Project) -> None:
    begin_guarded(project, GATED)
    project.write(WITHOUT_GATE)
    assert iterated(project) == NEEDS_PERSON


def test_nothing_is_written_while_it_needs_a_person(project: Project) -> None:
    begin_guarded(project, GATED)
    project.post("1", "yes")
    before = project.types()
    project.write(WITHOUT_GATE)
    project.iterate()
    assert project.types() == before


def test_the_edited_process_does_not_even_begin(project: Project) -> None:
    begin_guarded(project, GATED)
    project.write("async def process(inputs, ctx):\n    Path('began').touch()\n")
    project.iterate()
    assert not (project.folder / "began").exists()


def test_nothing_of_an_edit_is_executed_that_could_undo_who_looks_at_it(project: Project) -> None:
    begin_guarded(project, GATED)
    project.write("from babysitter.runs import edits\nedits.refused = print\n" + WITHOUT_GATE)
    assert iterated(project) == NEEDS_PERSON


def test_a_known_file_that_cannot_be_read_hides_nothing(project: Project) -> None:
    project.write(OTHER_GATE, "gates.py")
    begin_guarded(project, CALLS_GATE)
    (project.folder / "gates.py").unlink()
    (project.folder / "gates.py").mkdir()
    project.write("Path('executed').touch()\n" + WITHOUT_GATE)
    diverged = project.iterate().diverged
    assert diverged is not None
    assert (diverged.message[:32], (project.folder / "executed").exists()) == (
        "of the process a file is lost: '",
        False,
    )


def test_nothing_is_executed_of_a_module_that_takes_the_place_of_another(project: Project) -> None:
    begin_guarded(project, "try:\n    import helpful\nexcept ImportError:\n    pass\n" + GATED)
    project.write("from pathlib import Path\nPath('executed').touch()", "helpful.py")
    assert (iterated(project), (project.folder / "executed").exists()) == (NEEDS_PERSON, False)


def test_a_module_that_is_imported_by_a_name_nobody_can_read_is_found_when_it_is_there(
    project: Project,
) -> None:
    late = (
        "import importlib\ntry:\n    importlib.import_module('help' + 'ful')\nexcept ImportError:\n    pass\n"
    )
    begin_guarded(project, late + GATED)
    project.write("", "helpful.py")
    assert iterated(project) == NEEDS_PERSON


def test_other_files_beside_the_process_are_nobodys_business(project: Project) -> None:
    begin_guarded(project, GATED)
    project.write("def (", "unrelated.py")
    project.write("", "unrelated/inner.py")
    assert project.answer("1", "yes").status == "waiting"


def test_what_there_is_to_do_is_said(project: Project) -> None:
    begin_guarded(project, GATED)
    project.write(WITHOUT_GATE)
    diverged = project.iterate().diverged
    assert diverged is not None
    assert ("(process.py)" in diverged.message, "/babysitter:approve edit" in diverged.hint) == (True, True)
    assert diverged.hint.endswith("babysitter approve r --permit edit")


def test_an_edit_that_is_undone_needs_nobody(project: Project) -> None:
    begin_guarded(project, GATED)
    project.write(WITHOUT_GATE)
    project.iterate()
    project.write(GATED)
    assert project.answer("1", "yes").status == "waiting"


def test_a_run_that_no_session_was_bound_to_is_edited_freely(project: Project) -> None:
    project.begin(GATED)
    project.write(WITHOUT_GATE)
    assert project.answer("1", "yes").status == "completed"


def test_a_run_stays_guarded_when_its_session_is_gone(project: Project) -> None:
    begin_guarded(project, GATED)
    project.open().append([("SESSION_RELEASED", {"sessionId": "s-1", "reason": "end"})])
    project.write(WITHOUT_GATE)
    assert iterated(project) == NEEDS_PERSON


def test_a_permitted_edit_is_gone_on_with(project: Project) -> None:
    begin_guarded(project, GATED)
    project.write(WITHOUT_GATE)
    permit_edit(project)
    assert project.answer("1", "yes").status == "completed"


def test_a_permit_counts_for_the_very_bytes_that_were_permitted(project: Project) -> None:
    begin_guarded(project, GATED)
    project.write(GATED + "# harmless\n")
    permit_edit(project)
    project.write(WITHOUT_GATE)
    assert iterated(project) == NEEDS_PERSON


def test_a_permit_serves_once(project: Project) -> None:
    begin_guarded(project, GATED)
    project.write(WITHOUT_GATE)
    permit_edit(project)
    project.iterate()
    project.write(GATED)
    permit_edit(project)
    project.iterate()
    project.write(WITHOUT_GATE)
    assert iterated(project) == NEEDS_PERSON


def test_a_permitted_edit_may_still_not_fit(project: Project) -> None:
    begin_guarded(project, GATED)
    project.write(GATED.replace("one", "another"))
    permit_edit(project)
    assert iterated(project) == ("diverged", "NondeterminismError")


def test_an_open_question_is_reworded_once_a_person_has_accepted_that(project: Project) -> None:
    begin_guarded(project, ASKED)
    project.write(ASKED.replace("Release?", "Release it?"))
    permit_edit(project)
    assert [effect.label for effect in project.iterate().new] == ["Release it?"]


def test_a_question_of_an_installed_package_is_not_reworded_without_a_person(project: Project) -> None:
    (project.folder / "process.py").write_text(INSTALLED_GATE)
    project.begin()
    project.answer("1", "yes")
    guard(project)
    (project.folder / "process.py").write_text(INSTALLED_GATE.replace("Release?", "Release it?"))
    assert (project.open().state.gates, iterated(project)) == ([], ("diverged", "NondeterminismError"))


def test_a_file_that_does_not_load_any_more_is_an_edit(project: Project) -> None:
    begin_guarded(project, GATED)
    project.write("async def process(:\n")
    assert iterated(project) == NEEDS_PERSON


def test_a_file_that_calls_a_gate_elsewhere_counts(project: Project) -> None:
    project.write(OTHER_GATE, "gates.py")
    (project.folder / "process.py").write_text(PLAIN.replace("async", "from gates import release\n\nasync"))
    project.begin()
    guard(project)
    (project.folder / "process.py").write_text(PLAIN)
    assert iterated(project) == NEEDS_PERSON


def test_the_gate_of_another_file_cannot_be_emptied(project: Project) -> None:
    project.write(OTHER_GATE, "gates.py")
    begin_guarded(project, CALLS_GATE)
    project.write(NO_GATE, "gates.py")
    assert iterated(project) == NEEDS_PERSON


def test_a_new_module_that_takes_the_place_of_an_installed_one_is_an_edit(project: Project) -> None:
    begin_guarded(project, "import iniconfig\n" + GATED)
    project.write("", "iniconfig.py")
    import sys

    sys.modules.pop("iniconfig", None)
    assert iterated(project) == NEEDS_PERSON


LEAVES_A_MARK = "from pathlib import Path\nPath('executed').touch()\n"
IMPORTED = ["import pkg.inner.mod\n", "import importlib\nimportlib.import_module('pkg.inner.mod')\n"]


@pytest.mark.parametrize("how", IMPORTED, ids=["by name", "by text"])
@pytest.mark.parametrize(
    "file",
    ["pkg/inner/mod/__init__.py", "pkg/inner/__init__.py", "pkg/inner.py", "pkg/__init__.py", "pkg.py"],
)
def test_nothing_is_executed_that_takes_the_place_of_a_module_of_a_package(
    project: Project, how: str, file: str
) -> None:
    project.write("", "pkg/inner/mod.py")
    begin_guarded(project, how + GATED)
    project.write(LEAVES_A_MARK, file)
    assert (iterated(project), (project.folder / "executed").exists()) == (NEEDS_PERSON, False)


def test_what_a_package_wanted_and_did_not_find_is_an_edit(project: Project) -> None:
    project.write("try:\n    from . import extra\nexcept ImportError:\n    pass\n", "pkg/__init__.py")
    begin_guarded(project, "import pkg\n" + GATED)
    project.write(LEAVES_A_MARK, "pkg/extra.py")
    assert (iterated(project), (project.folder / "executed").exists()) == (NEEDS_PERSON, False)


def test_a_package_that_takes_the_place_of_a_module_can_be_accepted(project: Project) -> None:
    project.write("", "pkg/mod.py")
    begin_guarded(project, "import pkg.mod\n" + GATED)
    project.write("", "pkg/mod/__init__.py")
    permit_edit(project)
    assert project.iterate().status == "waiting"


def test_a_module_that_is_imported_late_for_the_first_time_is_no_edit(project: Project) -> None:
    begin_guarded(
        project,
        """
        async def process(inputs, ctx):
            await ctx.task(ask, question="one")
            import words
            await ctx.task(ask, question=words.QUESTION)
        """,
    )
    project.write("QUESTION = 'two'", "words.py")
    assert project.answer("1", "yes").status == "waiting"


def test_a_module_that_was_imported_late_is_guarded_from_then_on(project: Project) -> None:
    begin_guarded(
        project,
        """
        async def process(inputs, ctx):
            await ctx.task(ask, question="one")
            import gates
            await ctx.task(ask, question="two")
            await gates.release(ctx)
        """,
    )
    project.write(OTHER_GATE, "gates.py")
    project.answer("1", "yes")
    project.write(NO_GATE, "gates.py")
    assert iterated(project) == NEEDS_PERSON


def test_a_process_without_gates_is_edited_freely(project: Project) -> None:
    (project.folder / "process.py").write_text(PLAIN)
    project.begin()
    guard(project)
    (project.folder / "process.py").write_text(PLAIN + "# mended\n")
    assert project.iterate().status == "waiting"


def test_a_process_that_gets_a_gate_needs_a_person_for_that(project: Project) -> None:
    (project.folder / "process.py").write_text(PLAIN)
    project.begin()
    guard(project)
    (project.folder / "process.py").write_text(PLAIN + "    await ctx.breakpoint('Sure?')\n")
    assert iterated(project) == NEEDS_PERSON


def test_which_files_hold_gates_is_in_the_journal(project: Project) -> None:
    project.write(OTHER_GATE, "gates.py")
    project.write("WORD = 'one'", "words.py")
    project.begin("import words\n" + CALLS_GATE)
    project.write("WORD = 'other'", "words.py")
    project.iterate()
    (created,), (changed,) = project.data_of("RUN_CREATED"), project.data_of("PROCESS_CHANGED")
    assert (created["gates"], changed["gates"]) == (["gates.py", "process.py"], ["gates.py", "process.py"])


@pytest.mark.parametrize("word", ["breakpoint", "define_task", "python", "shell"])
def test_a_word_without_which_there_is_no_gate_is_looked_for(word: str) -> None:
    assert (holds_gate(f"ctx.{word}(".encode()), holds_gate(PLAIN.encode())) == (True, False)


# What a person is to accept


def test_the_present_digests_are_those_that_are_loaded(project: Project) -> None:
    project.write("from . import inner\nfrom .other import WORD", "pkg/__init__.py")
    project.write("", "pkg/inner.py")
    project.write("WORD = 1", "pkg/other.py")
    project.write(OTHER_GATE, "gates.py")
    project.begin("import pkg.inner\n" + CALLS_GATE)
    run = project.open()
    assert present_digests(run) == dict(sorted(run.state.source_digests.items()))


def test_a_module_that_an_edit_brings_in_is_accepted_with_it(project: Project) -> None:
    begin_guarded(project, GATED)
    project.write("import deeper", "fresh.py")
    project.write("", "deeper.py")
    project.write("import fresh\n" + GATED)
    permit_edit(project)
    assert project.answer("1", "yes").status == "waiting"


def test_a_module_that_was_not_there_when_a_person_looked_is_not_accepted(project: Project) -> None:
    begin_guarded(project, GATED)
    project.write("try:\n    import fresh\nexcept ImportError:\n    pass\n" + GATED)
    permit_edit(project)
    project.write("", "fresh.py")
    assert iterated(project) == NEEDS_PERSON


def test_nothing_is_executed_to_find_the_present_digests(project: Project) -> None:
    project.begin(GATED)
    project.write("Path('executed').touch()\n" + GATED)
    present_digests(project.open())
    assert not (project.folder / "executed").exists()


def test_a_file_that_is_not_python_has_a_digest_too(project: Project) -> None:
    project.begin(GATED)
    (project.folder / "process.py").write_text(HEAD + "async def (")
    assert list(present_digests(project.open())) == ["process.py"]


@pytest.mark.parametrize(
    ("now", "is_good"), [({"p.py": "b"}, True), ({"p.py": "c"}, False), ({"p.py": "b", "q.py": "d"}, False)]
)
def test_a_permit_accepts_the_bytes_that_it_names_and_no_others(now: dict[str, str], is_good: bool) -> None:
    permits = [{"what": "edit", "about": {"sourceDigests": {"p.py": "b"}}}]
    state = SimpleNamespace(source_digests={"p.py": "a", "q.py": "a"}, permits=permits)
    run: Any = SimpleNamespace(state=state, is_guarded=True)
    assert is_accepted(run, now) is is_good


@pytest.mark.parametrize("sign", ["-", "("])
def test_an_edit_that_python_cannot_read_needs_a_person_like_any_other(project: Project, sign: str) -> None:
    """Python itself gives up on it, for want of memory or of depth; whoever looks through runs must not."""
    begin_guarded(project, GATED)
    project.write(f"x = {sign * 100_000}1\n{GATED}")
    assert isinstance(refused_unread(project.open()), EditNeedsPerson)
    assert iterated(project) == NEEDS_PERSON
