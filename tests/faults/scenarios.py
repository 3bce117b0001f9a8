"""What is killed, starved and cut off: a table of commands, each with a run that it finds.

A scenario is a line of ``SCENARIOS``. To add one: a process, what has happened
to its run ``r`` before, and the command. What the command changes, and how the
run then ends, is found out by calling it once without any fault.
"""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from textwrap import dedent
from typing import TYPE_CHECKING, Any, NamedTuple

from archived import as_it_is, packed, still_there
from fault_project import Project, answer_to, forked, mended, note_damage, told, value_for

from babysitter.ids import sha256_hex
from babysitter.jsontext import compact
from babysitter.runs.assurance import shown_digest
from babysitter.runs.children import family
from babysitter.runs.iterate import iterate
from babysitter.runs.results import accept
from babysitter.runs.taking import take

if TYPE_CHECKING:
    from collections.abc import Callable

HEAD = """
from babysitter import TaskFailed, agent

@agent
def ask(question: str):
    return question

def asked(ctx, title, size=0):
    return ctx.task(ask.using(title=title), question=title + "?" * size)

"""
WIDE = """
async def process(inputs, ctx):
    count = inputs["n"]
    first = await ctx.parallel.map(range(count), lambda n: asked(ctx, f"small {n}"))
    return [first, await asked(ctx, "last")]
"""
LARGE_RESULT = """
async def process(inputs, ctx):
    return len((await asked(ctx, "large"))["text"])
"""
LARGE_DEFINITION = """
async def process(inputs, ctx):
    first = await asked(ctx, "first")
    return await ctx.parallel.all([
        lambda: asked(ctx, "long", 40_000), lambda: asked(ctx, "short"), lambda: asked(ctx, "longer", 50_000)
    ])
"""
LARGE_OUTPUT = """
async def process(inputs, ctx):
    await asked(ctx, "only")
    return "y" * 40_000
"""
NOTES = """
async def process(inputs, ctx):
    async def losing():
        await asked(ctx, "loses")
        await asked(ctx, "never")
    ctx.log("begun", at=1)
    first = await ctx.parallel.race([lambda: asked(ctx, "wins"), losing])
    ctx.log("between", first=first)
    seen = ctx.record("seen", lambda: "a value")
    ctx.progress(1, 2)
    return [seen, await asked(ctx, "last")]
"""
SLEEPS = """
async def process(inputs, ctx):
    async def sleeping():
        await ctx.sleep(0.001)
        ctx.log("awake")
        return ctx.record("seen", lambda: "a value")
    async def losing():
        await asked(ctx, "loses")
    first = await ctx.parallel.race([sleeping, losing])
    return [first, await asked(ctx, "last")]
"""
TAKES_TIME = """
async def process(inputs, ctx):
    async def waiting():
        try:
            await ctx.task(ask.using(title="late", timeout=0.001), question="late?")
        except TaskFailed as error:
            return error.name
    first = await ctx.parallel.race([waiting, lambda: asked(ctx, "loses")])
    return [first, await asked(ctx, "last")]
"""
ASKS_A_PERSON = """
async def process(inputs, ctx):
    answer = await ctx.breakpoint(question="Go on?", title="Go")
    return [answer.approved, await asked(ctx, "last")]
"""
ASKS_TWO_PEOPLE = """
async def process(inputs, ctx):
    answer = await ctx.breakpoint("Go on?", quorum=2, files=["process.py"])
    return [answer.responded_by, await asked(ctx, "last")]
"""
SHOWS_A_FILE = """
async def process(inputs, ctx):
    answer = await ctx.breakpoint("Go on?", files=["plan.md"])
    return [answer.approved, await asked(ctx, "last")]
"""
NOBODY_ANSWERS = """
async def process(inputs, ctx):
    answer = await ctx.breakpoint("Go on?", deadline=0.001, default=True)
    return [answer.responded_by, await asked(ctx, "last")]
"""
HAS_A_CHILD = """
async def child(inputs, ctx):
    return await asked(ctx, "below")

async def process(inputs, ctx):
    return [await ctx.subprocess(child, {}), await asked(ctx, "last")]
"""
GOES_ON_AS_NEW = """
async def process(inputs, ctx):
    told = await asked(ctx, "first")
    if not inputs.get("again"):
        ctx.continue_as_new({"again": "y" * 40_000})
    return told
"""


class Scenario(NamedTuple):
    """One command and the run that it finds.

    Attributes:
        source: of the process.
        before: brings the project to where the command is called; the run is called ``r``.
        command: its arguments.
        code: that it ends with.
        already: that it ends with when it is called again and everything is done.
        then: the command that goes on in that case.
        sees: what is compared; may raise when it finds what must not be.
        is_whole: a fault leaves what was before or what comes after, and nothing in between.
            Else it may leave any beginning of what comes after.
        ends: brings the project to its end afterwards.
        is_unknown: on a file system of a kind that is not known.
        is_long: it takes so many operations that the short form tries few of them.
    """

    name: str
    source: str
    before: Callable[[Project], None]
    command: tuple[str, ...]
    code: int = 0
    already: int = 0
    then: tuple[str, ...] = ()
    sees: Callable[[Project], list[Any]] = told
    is_whole: bool = False
    ends: Callable[[Project], None] = Project.drive
    is_unknown: bool = False
    is_long: bool = False


# What has happened before


def nothing(project: Project) -> None:
    """There is not even a folder for runs."""


def with_inputs(project: Project) -> None:
    project.write("inputs.json", '{"n": 3}')


def another_run(project: Project) -> None:
    project.create("other", n=2)


def created(project: Project) -> None:
    project.create(n=3)


def begun(count: int) -> Callable[[Project], None]:
    """The first iteration is done; ``lines.jsonl`` has the answers to all that it asks for."""

    def before(project: Project) -> None:
        project.begin(n=count)
        pending = project.open().state.pending.values()
        lines = [compact({"effect": each.id, "value": value_for(each.label)}) for each in pending]
        project.write("lines.jsonl", "".join(line + "\n" for line in lines))

    return before


def first_answered(project: Project) -> None:
    project.begin()
    project.answer()


def with_a_large_answer(project: Project) -> None:
    project.begin()
    project.write("large.json", json.dumps(value_for("large")))


def race_won(project: Project) -> None:
    project.begin()
    project.answer("wins")


def late_taken(project: Project) -> None:
    project.begin()
    run = project.open()
    (late,) = [effect for effect in run.state.pending.values() if effect.label == "late"]
    take(run, late, lambda effect: True, by="somebody")


def said_by(*people: str) -> Callable[[Project], None]:
    """These people have said yes, and the run has not gone on since."""

    def before(project: Project) -> None:
        project.begin()
        for by in people:
            project.approve(by)

    return before


def file_changed(project: Project) -> None:
    """After somebody has said yes to it."""
    project.write("plan.md", "one")
    said_by("ann")(project)
    project.write("plan.md", "two")


def sleep_begun(project: Project) -> None:
    project.begin()


def cold(project: Project) -> None:
    """Three events, and no cache."""
    project.begin(n=2)
    project.forget_cache()


def torn_cache(project: Project) -> None:
    project.begin(n=2)
    for path in (project.run_folder / "state").iterdir():
        os.truncate(path, path.stat().st_size // 2)


def interrupted_batch(project: Project) -> None:
    """A power cut has taken one event from the middle of a batch, and the cache."""
    project.begin(n=5)
    sorted((project.run_folder / "journal").iterdir())[3].unlink()
    project.forget_cache()


def interrupted_answers(project: Project) -> None:
    """A power cut has taken the first event of the last batch; the cache is that of before."""
    begun(5)(project)
    state, kept = project.run_folder / "state", project.folder / "kept"
    shutil.copytree(state, kept)
    answered_from = len(list((project.run_folder / "journal").iterdir()))
    project.answer()
    sorted((project.run_folder / "journal").iterdir())[answered_from].unlink()
    shutil.rmtree(state)
    kept.rename(state)


def rotten(*, is_warm: bool) -> Callable[[Project], None]:
    """A bit of the third event has changed; with a cache, which still has it, or without."""

    def before(project: Project) -> None:
        project.begin(n=3)
        project.answer("small 0", "small 2")
        path = sorted((project.run_folder / "journal").iterdir())[2]
        raw = path.read_bytes()
        path.write_bytes(raw[:60] + bytes([raw[60] ^ 1]) + raw[61:])
        if not is_warm:
            project.forget_cache()
        note_damage(project)

    return before


def edited(project: Project) -> None:
    """A step was put in front of one that waits, and of a map whose items are answered."""
    project.begin(n=2)
    project.answer()
    iterate(project.open())
    project.write(
        "process.py", HEAD + dedent(WIDE).replace("    first =", '    await asked(ctx, "new")\n    first =')
    )


def ended(project: Project) -> None:
    project.begin(n=2)
    project.drive()


def put_away(project: Project) -> None:
    ended(project)
    packed(project)


def child_answered(project: Project) -> None:
    project.begin()
    (child,) = family(project.open())[1:]
    accept(child, [answer_to(child, effect) for effect in child.state.pending.values()])


def another_ended(project: Project) -> None:
    """With a large value, and a file in its artifacts."""
    project.write(
        "process.py", HEAD + dedent(LARGE_RESULT).replace("return", 'await asked(ctx, "last")\n    return')
    )
    run = project.create("x")
    while not run.state.is_finished:
        iterate(run)
        accept(run, [answer_to(run, effect) for effect in run.state.pending.values()])
    (Path(run.artifacts) / "report").write_text("kept", "utf-8")


def without_run_json(project: Project) -> None:
    rotten(is_warm=True)(project)
    (project.run_folder / "run.json").write_text("{}")


RUN_CREATE = ("run:create", "--process-id", "project", "--entry", "process.py", "--inputs", "inputs.json")
CREATE = ("create", "process.py", "--run-id", "r", "-i", "n=3", "--json")
ITERATE = ("iterate", "r", "--json")
# The step of `small 0`: branches of a map are named by their items.
SMALL = "1.5feceb66ff.1"
POST = ("post", "r", SMALL, "--value", compact(value_for("small 0")), "--json")
POST_LARGE = ("post", "r", "1", "--file", "large.json", "--json")
# Of what is shown when plan.md has changed.
SHOWN = shown_digest(
    {
        "kind": "breakpoint",
        "title": "Go on?",
        "breakpoint": {"question": "Go on?", "files": [{"path": "plan.md"}]},
    },
    [{"path": "plan.md", "sha256": sha256_hex(b"two"), "bytes": 3}],
)
APPROVE = ("approve", "r", "1", "--json")
FORK = ("fork", "x", "--at", "2", "--run-id", "r", "--json")
REPAIR = ("repair", "r", "--json")
POST_LINES = ("post", "r", "--lines", "lines.jsonl", "--json")

SCENARIOS = [
    # A run that was made and not acknowledged is there; the command says so, and how to go on.
    Scenario("create", WIDE, nothing, CREATE, already=3, then=ITERATE),
    Scenario("create-beside-another", WIDE, another_run, CREATE, already=3, then=ITERATE),
    Scenario("create-elsewhere", WIDE, nothing, CREATE, already=3, then=ITERATE, is_unknown=True),
    Scenario("create-only", WIDE, with_inputs, (*RUN_CREATE, "--run-id", "r", "--json"), already=3),
    Scenario("iterate", WIDE, created, ITERATE),
    Scenario("iterate-elsewhere", WIDE, created, ITERATE, is_unknown=True),
    Scenario("iterate-large-definition", LARGE_DEFINITION, first_answered, ITERATE),
    Scenario("iterate-large-output", LARGE_OUTPUT, first_answered, ITERATE),
    Scenario("iterate-notes", NOTES, race_won, ITERATE),
    Scenario("iterate-sleeps", SLEEPS, sleep_begun, ITERATE),
    Scenario("iterate-sweeps", WIDE, interrupted_batch, ITERATE),
    Scenario("post", WIDE, begun(2), POST),
    Scenario("post-cold", WIDE, cold, POST),
    Scenario("post-large", LARGE_RESULT, with_a_large_answer, POST_LARGE),
    Scenario("post-large-elsewhere", LARGE_RESULT, with_a_large_answer, POST_LARGE, is_unknown=True),
    Scenario("post-few", WIDE, begun(5), POST_LINES),
    Scenario("post-many", WIDE, begun(20), POST_LINES),
    Scenario("post-many-elsewhere", WIDE, begun(20), POST_LINES, is_unknown=True),
    Scenario("post-very-many", WIDE, begun(101), POST_LINES, is_long=True),
    Scenario("post-sweeps", WIDE, interrupted_answers, POST_LINES),
    Scenario("take", WIDE, begun(2), ("take", "r", SMALL, "--by", "anna", "--json")),
    Scenario("iterate-late", TAKES_TIME, late_taken, ITERATE),
    Scenario("iterate-child-begins", HAS_A_CHILD, created, ITERATE),
    Scenario("iterate-child-ends", HAS_A_CHILD, child_answered, ITERATE),
    Scenario("cancel-with-child", HAS_A_CHILD, sleep_begun, ("cancel", "r", "--json"), already=3),
    Scenario("iterate-goes-on-as-new", GOES_ON_AS_NEW, first_answered, ITERATE),
    Scenario("cancel", WIDE, begun(2), ("cancel", "r", "--json"), already=3),
    Scenario("cancel-effect", WIDE, begun(2), ("cancel", "r", SMALL, "--json"), already=3),
    Scenario("approve", ASKS_A_PERSON, sleep_begun, ("approve", "r", "1", "--json")),
    Scenario("approve-beside-another", ASKS_TWO_PEOPLE, said_by("ann"), APPROVE),
    Scenario("iterate-settles", ASKS_TWO_PEOPLE, said_by("ann", "ben"), ITERATE),
    Scenario("iterate-undecided", NOBODY_ANSWERS, sleep_begun, ITERATE),
    Scenario("iterate-voids", SHOWS_A_FILE, file_changed, ITERATE),
    Scenario(
        "reject-what-is-void", SHOWS_A_FILE, file_changed, ("reject", "r", "1", "--shown", SHOWN, "--json")
    ),
    Scenario("look-cold", WIDE, cold, ("status", "r", "--json")),
    Scenario("look-torn", WIDE, torn_cache, ("status", "r", "--json")),
    Scenario("repair-cuts", WIDE, rotten(is_warm=False), REPAIR, sees=mended, is_whole=True),
    Scenario("repair-restores", WIDE, rotten(is_warm=True), REPAIR, sees=mended, is_whole=True),
    Scenario("repair-run-json", WIDE, without_run_json, REPAIR, sees=mended, is_whole=True),
    Scenario("accept-edit", WIDE, edited, (*ITERATE, "--accept-edit", "redo")),
    Scenario("accept-edit-by-content", WIDE, edited, (*ITERATE, "--accept-edit", "keep")),
    # What is done cannot be done again: the step is not asked for until somebody goes on.
    Scenario("rewind", WIDE, ended, ("rewind", "r", "--to", "2", "--json"), already=2, is_whole=True),
    Scenario("fork", WIDE, another_ended, FORK, already=3, sees=forked, is_whole=True),
    Scenario("halt", WIDE, begun(2), ("halt", "r", "--json"), already=3, is_whole=True),
    Scenario("resume", WIDE, created, ("resume", "r", "--json"), code=8),
]
# Of these only what a killed call leaves to the next one is tried; the rest is in tests/crash.
ARCHIVE = ("archive", "r", "--json")
RESTORE = ("restore", "r", "--keep", "--json")
CLEANUP = ("cleanup", "--yes", "--json")
PUT_AWAY = [
    Scenario("archive", WIDE, ended, ARCHIVE, sees=still_there, ends=as_it_is),
    Scenario("restore", WIDE, put_away, RESTORE, already=3, then=ARCHIVE, sees=still_there, ends=as_it_is),
    Scenario("cleanup", WIDE, ended, CLEANUP, sees=still_there, ends=as_it_is),
]
BY_NAME = {scenario.name: scenario for scenario in [*SCENARIOS, *PUT_AWAY]}


def set_up(scenario: Scenario, folder: Path) -> Project:
    """The project that the command of a scenario finds."""
    project = Project(folder)
    project.write("process.py", HEAD + dedent(scenario.source))
    scenario.before(project)
    return project
