"""Child runs step by step: made once, brought on with their parent, recorded when they have ended."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from babysitter.approvals.permits import demand
from babysitter.driven import Driven
from babysitter.errors import EditNeedsPerson, PersonNeeded, RunFinished
from babysitter.household import Household
from babysitter.runs import children
from babysitter.runs.children import child_id, family, find_child, make_child
from babysitter.runs.execution import Execution
from babysitter.runs.iterate import Iteration, bring_on, iterate
from babysitter.runs.results import Answer, accept
from babysitter.runs.stopping import cancel_effect, cancel_run, halt_run

if TYPE_CHECKING:
    from projects import Project

    from babysitter.engine.state import Effect
    from babysitter.runs.run import Run

CHILD = """
async def child(inputs, ctx):
    return await ctx.task(ask, question=inputs["question"])
"""
PARENT = (
    CHILD
    + """
async def process(inputs, ctx):
    try:
        return await ctx.subprocess(child, {"question": "from above"})
    except TaskFailed as error:
        return [error.name, error.message, error.data]
"""
)

GATED = """
async def process(inputs, ctx):
    return (await ctx.breakpoint("Go?")).approved
"""


ROUND = """
async def child(inputs, ctx):
    await ctx.task(ask, question="a")
    ctx.continue_as_new({})

async def process(inputs, ctx):
    return await ctx.subprocess(child, {})
"""


def child_of(project: Project, name: str = "r", step: str = "1") -> Run:
    """The child run of the effect at a step."""
    wanted = {"runId": name, "effectId": project.effect(step, name).id}
    runs = [project.open(folder.name) for folder in project.runs_dir.iterdir() if folder.is_dir()]
    (found,) = [run for run in runs if wanted.items() <= run.state.created.get("parent", {}).items()]
    return found


def answer_child(child: Run, value: Any = "yes", step: str = "1", **answer: Any) -> None:
    effect = next(effect for effect in child.state.effects.values() if effect.step == step)
    (verdict,) = accept(child, [Answer(effect.id, "error" if answer else "ok", value, **answer)])
    assert verdict.error is None


def begun(project: Project, source: str = PARENT, **options: Any) -> Run:
    """A parent that waits for its child."""
    done = project.begin(source, **options)
    assert [effect.kind for effect in done.new] == ["subprocess"]
    return child_of(project)


# The child is made and brought on


def test_a_child_is_a_run_of_its_own_beside_its_parent(project: Project) -> None:
    child = begun(project)
    parent = project.open()
    effect = project.effect("1")
    created = child.state.created
    assert os.path.dirname(child.folder) == os.path.dirname(parent.folder)
    assert created["parent"] == {"runId": "r", "effectId": effect.id, "depth": 1}
    assert (created["entrypoint"]["export"], child.inputs()) == ("child", {"question": "from above"})
    assert [effect.kind for effect in child.state.pending.values()] == ["agent"]


def test_what_a_child_returns_is_what_its_parent_gets_in_the_same_iteration(project: Project) -> None:
    child = begun(project)
    answer_child(child, {"a": [1, "é"]})
    done = project.iterate()
    proof = child_of(project).proof
    assert (done.status, done.run.output()) == ("completed", {"a": [1, "é"]})
    (result,) = project.data_of("EFFECT_RESOLVED")
    assert (result["executor"], result["evidence"]) == ("child", {"childRun": child.run_id, "proof": proof})


def test_a_child_that_ends_at_once_takes_one_iteration(project: Project) -> None:
    done = project.begin(
        """
        async def child(inputs, ctx):
            return inputs["n"] * 2

        async def process(inputs, ctx):
            return await ctx.parallel.map([1, 2, 3], lambda n: ctx.subprocess(child, {"n": n}), limit=1)
        """
    )
    assert (done.status, done.run.output(), done.new) == ("completed", [2, 4, 6], [])


def test_a_failed_child_fails_the_effect_in_its_own_words(project: Project) -> None:
    child = begun(project)
    answer_child(child, None, error={"name": "TaskFailed", "message": "no good", "data": {"a": 1}})
    done = project.iterate()
    data = {"runId": child.run_id, "data": {"a": 1}}
    assert (done.status, done.run.output()) == ("completed", ["TaskFailed", "no good", data])


@pytest.mark.parametrize("is_at_once", [True, False])
def test_a_child_that_a_person_ends_fails_the_effect(project: Project, is_at_once: bool) -> None:
    child = begun(project)
    (halt_run if is_at_once else cancel_run)(child, by="me", reason="enough")
    done = project.iterate()
    assert done.run.output() == ["RunHalted", "enough", {"runId": child.run_id}]
    assert child_of(project).state.status == "halted"


def test_the_id_of_a_child_is_short_enough_and_says_its_process(project: Project) -> None:
    name = "a-" + "very" * 30
    project.write("async def process(inputs, ctx):\n    return 1\n", f"{name}.py")
    project.begin(f"async def process(inputs, ctx):\n    return await ctx.subprocess('{name}.py')\n")
    found = child_of(project).run_id
    assert (len(found) <= 64, found.startswith("a-veryvery")) == (True, True)


def test_a_child_is_made_once_also_when_it_is_made_twice(project: Project) -> None:
    first = begun(project)
    project.iterate()
    parent = project.open()
    again = make_child(parent, next(iter(parent.state.pending.values())))
    assert (again.run_id, len(os.listdir(project.runs_dir))) == (first.run_id, 3)  # and .gitignore


def test_a_killed_maker_leaves_a_child_that_the_next_one_goes_on_with(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(run: Run, effect: Effect) -> Any:
        real(run, effect)
        raise KeyboardInterrupt

    real = children.make_child
    monkeypatch.setattr("babysitter.runs.upbringing.make_child", killed)
    with pytest.raises(KeyboardInterrupt):
        project.begin(PARENT)
    monkeypatch.undo()
    made = child_of(project)
    assert made.state.last_seq == 1
    assert [each.run.run_id for each in project.iterate().children] == [made.run_id]


def test_a_foreign_run_with_the_id_of_a_child_is_not_taken_for_it(project: Project) -> None:
    parent = project.create(PARENT, run_id="r").load()
    execution = Execution(parent)
    execution.start()
    execution.write_round()
    wanted = child_id(parent, project.effect("1"))
    project.create("async def process(inputs, ctx):\n    return 'not yours'\n", run_id=wanted)
    project.write(PARENT)
    name, message, _ = project.iterate().run.output()
    assert (name, "is not the child of run 'r'" in message) == ("RunExists", True)


# What cannot be made fails the effect


@pytest.mark.parametrize(
    ("process", "inputs", "name", "says"),
    [
        ("no-such-process", {}, "NoSuchProcess", "there is no process 'no-such-process'"),
        ("missing.py", {}, "NoSuchProcess", "there is no process file"),
        ("broken.py", {}, "InvalidInput", "ZeroDivisionError"),
        ("other.py#nothing", {}, "NoSuchProcess", "has no 'nothing'"),
        ("typed.py", {"n": "x"}, "InvalidInput", "n"),
    ],
)
def test_a_child_that_cannot_be_made_fails_the_effect(
    project: Project, process: str, inputs: Any, name: str, says: str
) -> None:
    project.write("1 / 0\n", "broken.py")
    project.write("async def process(inputs, ctx):\n    return 1\n", "other.py")
    project.write(
        "from pydantic import BaseModel\n"
        "class Inputs(BaseModel):\n    n: int\n"
        "async def process(inputs: Inputs, ctx):\n    return 1\n",
        "typed.py",
    )
    done = project.begin(
        f"""
        async def process(inputs, ctx):
            try:
                await ctx.subprocess({process!r}, {inputs!r})
            except TaskFailed as error:
                return [error.name, error.message]
        """
    )
    told = done.run.output()
    assert (told[0], says in told[1]) == (name, True)


def test_a_file_is_found_beside_the_process_of_the_parent(project: Project) -> None:
    project.write("async def process(inputs, ctx):\n    return 'beside'\n", "deep/other.py")
    project.write(
        "async def process(inputs, ctx):\n    return await ctx.subprocess('other.py')\n", "deep/above.py"
    )
    done = project.begin(
        "async def process(inputs, ctx):\n    return await ctx.subprocess('deep/above.py')\n"
    )
    assert done.run.output() == "beside"


def test_a_process_that_calls_itself_without_end_is_stopped(project: Project) -> None:
    done = project.begin(
        """
        async def process(inputs, ctx):
            return await ctx.subprocess(process, {})
        """
    )
    assert (done.status, done.run.state.ending["error"]["message"]) == (
        "failed",
        "child runs are nested more than 20 deep; does a process call itself?",
    )
    assert len(list(project.runs_dir.iterdir())) == 22


# Each process has its own modules


def test_parent_and_child_each_have_their_own_modules_of_the_same_name(project: Project) -> None:
    for folder in ("one", "two"):
        project.write(f"NAME = {folder!r}\n", f"{folder}/tasks.py")
        project.write(f"LATE = '{folder} late'\n", f"{folder}/late.py")
        project.write(
            """
            import tasks
            from babysitter import agent

            @agent
            def ask(question):
                return question

            async def process(inputs, ctx):
                name = tasks.NAME
                below = ctx.subprocess('../two/p.py') if name == 'one' else ctx.task(ask, question='q')
                below = await below
                import late, tasks as again
                return [name, again is tasks, late.LATE, below]
            """,
            f"{folder}/p.py",
        )
    project.begin("async def process(inputs, ctx):\n    return await ctx.subprocess('one/p.py')\n")
    child = child_of(project)
    below = find_child(child, next(iter(child.state.pending.values())))
    assert below is not None
    answer_child(below, "a")
    assert project.iterate().run.output() == ["one", True, "one late", ["two", True, "two late", "a"]]


# What holds for the parent holds for the child


def test_the_child_of_a_guarded_run_is_guarded(project: Project) -> None:
    child = begun(project, session=("claude", "s-1"))
    assert (child.is_guarded, child.state.session) == (True, None)


def test_a_child_is_guarded_also_when_the_session_came_after_it(project: Project) -> None:
    begun(project)
    project.open().append([("SESSION_BOUND", {"host": "claude", "sessionId": "s-1"})])
    project.iterate()
    assert child_of(project).state.guard == {"host": "claude", "sessionId": "s-1"}


NESTED = PARENT.replace(
    "async def process",
    "async def between(inputs, ctx):\n    return await ctx.subprocess(child, inputs)\n\nasync def process",
).replace("ctx.subprocess(child, {", "ctx.subprocess(between, {")


def late_bound(project: Project) -> list[Run]:
    """A run with a child and a child of that; then a session comes to it, and nobody goes on with it."""
    project.begin(NESTED)
    found = family(project.open())
    project.open().append([("SESSION_BOUND", {"host": "claude", "sessionId": "s-1"})])
    return [project.open(run.run_id) for run in found]


def test_what_is_below_a_run_is_guarded_as_soon_as_a_session_is_bound_to_that(project: Project) -> None:
    project.begin(NESTED)
    assert [run.is_guarded for run in family(project.open())] == [False, False, False]
    project.open().append([("SESSION_BOUND", {"host": "claude", "sessionId": "s-1"})])
    runs = [project.open(folder.name) for folder in project.runs_dir.iterdir() if folder.is_dir()]
    assert [run.guard for run in runs] == [{"host": "claude", "sessionId": "s-1"}] * 3


@pytest.mark.parametrize("what", ["cancel", "halt", "edit", "rewind"])
def test_nobody_but_a_person_goes_round_what_is_below_the_run_of_a_session(
    project: Project, what: str
) -> None:
    for run in late_bound(project):
        with pytest.raises(PersonNeeded):
            demand(run, what)


def test_an_edit_below_the_run_of_a_session_needs_a_person(project: Project) -> None:
    project.write(GATED, "gated.py")
    project.begin("async def process(inputs, ctx):\n    return await ctx.subprocess('gated.py')\n")
    child = child_of(project)
    project.open().append([("SESSION_BOUND", {"host": "claude", "sessionId": "s-1"})])
    project.write(GATED.replace("Go?", "Stay?"), "gated.py")
    for name in (child.run_id, "r"):
        assert [type(each.diverged) for each in _all(project.iterate(name))][-1] is EditNeedsPerson


def test_an_edit_of_a_child_that_has_not_begun_needs_a_person_where_its_function_is_passed(
    project: Project,
) -> None:
    project.write(GATED, "behind_gate.py")
    done = project.begin(
        """
        from behind_gate import process as gated

        async def process(inputs, ctx):
            await ctx.task(ask, question="first")
            return await ctx.subprocess(gated, {})
        """,
        session=("claude", "s-1"),
    )
    assert done.status == "waiting"
    project.post("1", "go on")
    project.write(GATED.replace("await ctx.breakpoint", "None or await ctx.breakpoint"), "behind_gate.py")
    done = project.iterate()
    assert (type(done.diverged), done.run.state.children) == (EditNeedsPerson, {})


def test_a_child_goes_on_as_a_run_that_the_session_above_guards(project: Project) -> None:
    child = begun(project, ROUND)
    project.open().append([("SESSION_BOUND", {"host": "claude", "sessionId": "s-1"})])
    answer_child(child)
    following = iterate(project.open(child.run_id)).run
    assert (following.run_id == child.run_id, following.state.guard) == (
        False,
        {"host": "claude", "sessionId": "s-1"},
    )


def test_a_child_that_goes_on_as_another_run_just_now_is_given_up_there(project: Project) -> None:
    child = begun(project, ROUND)
    before = project.open(child.run_id)
    answer_child(child)
    following = iterate(child).run
    children.give_up(before)
    assert (
        project.open(child.run_id).state.is_cancelled,
        project.open(following.run_id).state.is_cancelled,
    ) == (
        False,
        True,
    )


def test_what_a_child_goes_on_as_after_its_parent_has_given_it_up_is_given_up(project: Project) -> None:
    child = begun(project, ROUND)
    answer_child(child)
    cancel_effect(project.open(), project.effect("1"), by="me")
    # It was looked at before that.
    done = bring_on(child)
    assert (done.run.run_id == child.run_id, done.status, done.new) == (False, "halted", [])


def _all(iteration: Iteration) -> list[Iteration]:
    return [iteration, *iteration.below()]


def test_the_policy_for_breakpoints_goes_on_to_the_child(project: Project) -> None:
    done = project.begin(
        """
        async def child(inputs, ctx):
            return (await ctx.breakpoint("Go?")).approved

        async def process(inputs, ctx):
            return await ctx.subprocess(child, {})
        """,
        options={"breakpoints": "policy"},
    )
    assert (done.status, done.run.output()) == ("completed", True)


def test_a_process_that_only_has_children_holds_a_gate(project: Project) -> None:
    project.begin("async def process(inputs, ctx):\n    return await ctx.subprocess('no-such')\n")
    assert project.open().state.gates == ["process.py"]


# A child that is in trouble


def test_a_stuck_child_keeps_its_parent_waiting_and_is_named(project: Project) -> None:
    child = begun(
        project, PARENT.replace("    return await ctx.task(ask", "    oops\n    return await ctx.task(ask")
    )
    done = project.iterate()
    assert (done.status, [(each.run.run_id, each.status) for each in done.blocked]) == (
        "waiting",
        [(child.run_id, "stuck")],
    )
    project.write(PARENT)
    assert project.iterate().blocked == []
    answer_child(child_of(project))
    assert project.iterate().status == "completed"


def test_a_diverged_child_keeps_its_parent_waiting_and_the_others_go_on(project: Project) -> None:
    source = (
        CHILD
        + """
async def other(inputs, ctx):
    return await ctx.task(ask, question="other")

async def process(inputs, ctx):
    return await ctx.parallel.all([lambda: ctx.subprocess("first.py"), lambda: ctx.subprocess(other)])
"""
    )
    first = "from babysitter import agent\n\n@agent\ndef ask(question):\n    return question\n\n"
    first += "async def process(inputs, ctx):\n    return await ctx.task(ask, question='a')\n"
    project.write(first, "first.py")
    project.begin(source)
    diverging = child_of(project, step="1.0.1")
    project.write(first.replace("'a'", "'b'"), "first.py")
    answer_child(child_of(project, step="1.1.1"), "other")
    done = project.iterate()
    assert [(each.run.run_id, each.status) for each in done.blocked] == [(diverging.run_id, "diverged")]
    assert project.effect("1.1.1").value == "other"


# Cancelled together


RACE = (
    CHILD
    + """
async def process(inputs, ctx):
    async def cleaned():
        return await ctx.subprocess(tidy, {})
    first = await ctx.parallel.race([lambda: ctx.task(ask, question="first"), cleaned])
    ctx.log("raced")
    return first

async def tidy(inputs, ctx):
    async def clean():
        await ctx.task(ask, question="clean up")
    ctx.on_cleanup(clean)
    return await ctx.task(ask, question="slow")
"""
)


def test_a_run_ends_when_the_child_that_it_gave_up_has_cleaned_up(project: Project) -> None:
    project.begin(RACE)
    child = child_of(project, step="1.1.1")
    done = project.answer("1.0.1", "won")
    assert (done.status, project.types()[-1]) == ("waiting", "EFFECT_CANCELLED")
    assert [(each.run.run_id, each.status) for each in done.children] == [(child.run_id, "waiting")]
    answer_child(child_of(project, step="1.1.1"), "tidy", step="cleanup.1.1")
    done = project.iterate()
    assert (done.status, done.run.output()) == ("completed", "won")
    assert child_of(project, step="1.1.1").state.status == "halted"


def test_a_child_that_was_given_up_before_it_was_made_is_never_made(project: Project) -> None:
    project.begin(
        RACE.replace('lambda: ctx.task(ask, question="first")', "immediate").replace(
            "    first = await", "    async def immediate():\n        return 'won'\n    first = await"
        )
    )
    assert project.open().state.status == "completed"
    assert [folder.name for folder in project.runs_dir.iterdir() if folder.is_dir()] == ["r"]


def test_a_person_who_cancels_a_run_cancels_what_is_below_it(project: Project) -> None:
    begun(project)
    cancel_run(project.open(), by="me", reason="enough")
    done = project.iterate()
    assert (done.status, child_of(project).state.status) == ("halted", "halted")
    assert [effect.status for effect in child_of(project).state.effects.values()] == ["cancelled"]


def test_a_person_who_cancels_the_effect_of_a_child_cancels_the_child(project: Project) -> None:
    begun(project)
    cancel_effect(project.open(), project.effect("1"), by="me")
    done = project.iterate()
    assert (done.run.output()[0], child_of(project).state.status) == ("TaskCancelled", "halted")


def test_a_run_that_is_halted_at_once_halts_what_is_below_it(project: Project) -> None:
    project.begin(NESTED)
    below = family(project.open())[1:]
    halt_run(project.open(), by="me", reason="enough")
    assert [project.open(run.run_id).state.status for run in below] == ["halted", "halted"]


THREE = (
    CHILD
    + """
async def process(inputs, ctx):
    return await ctx.parallel.map(["a", "b", "c"], lambda word: ctx.subprocess(child, {"question": word}))
"""
)


def halted_while_the_first_is_made(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on, whoever makes a child finds the parent halted by another command just before that."""

    def late(*arguments: Any, **options: Any) -> Run:
        parent = project.open()
        if not parent.state.is_finished:
            halt_run(parent, by="me", reason="enough")
        return real(*arguments, **options)

    real = children.create
    monkeypatch.setattr(children, "create", late)


def test_of_a_run_that_is_halted_while_children_are_made_none_lives(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    halted_while_the_first_is_made(project, monkeypatch)
    done = project.begin(THREE)
    made = [project.open(folder.name) for folder in project.runs_dir.iterdir() if folder.is_dir()]
    assert (done.status, [(run.state.status, run.state.ending["by"]) for run in made]) == (
        "halted",
        [("halted", "me")] * 2,
    )


class Alone:
    """Drives nothing, but has what a household asks of who drives."""

    view = SimpleNamespace(event_below=lambda *_: None)
    locks = False

    def __init__(self) -> None:
        self.recorded: list[Any] = []

    def begin(self, driven: Driven) -> None:
        driven.start()

    def join(self, driven: Driven) -> None: ...
    def part(self, driven: Driven) -> None: ...

    def record(self, driven: Driven, answers: list[Answer]) -> None:
        self.recorded += answers

    def replay(self, work: Any) -> Any:
        return work()


def asked(project: Project, source: str) -> Driven:
    """A run whose children are asked for, and not made yet."""
    driven = Driven(project.create(source, run_id="r").load())
    driven.start()
    driven.go_on()
    return driven


def test_a_drive_makes_no_more_children_of_a_run_that_is_halted(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    parent = asked(project, THREE)
    halted_while_the_first_is_made(project, monkeypatch)
    driver = Alone()
    household = Household(driver)
    household.waiting = [(parent, effect) for effect in parent.run.state.children.values()]
    household.see_to_all()
    made = [project.open(folder.name) for folder in project.runs_dir.iterdir() if folder.is_dir()]
    assert ([run.state.status for run in made], driver.recorded) == (["halted"] * 2, [])


def test_what_is_left_below_a_run_that_was_halted_is_halted_by_the_next(project: Project) -> None:
    project.begin(NESTED)
    runs = family(project.open())
    # As whoever was killed has left it.
    for run in runs[:2]:
        run.append([("RUN_HALTED", {"reason": "fire", "by": "me", "isAtOnce": True})])
    halt_run(project.open(), by="me", reason="once more")
    assert project.open(runs[2].run_id).state.ending["reason"] == "once more"
    with pytest.raises(RunFinished):
        halt_run(project.open(), by="me", reason="a third time")


def test_a_child_whose_parent_has_given_it_up_only_comes_to_its_end(project: Project) -> None:
    child = begun(project)
    cancel_effect(project.open(), project.effect("1"), by="me")
    assert iterate(project.open(child.run_id)).status == "halted"


def test_nobody_posts_the_result_of_a_child(project: Project) -> None:
    begun(project)
    verdict = project.post("1", "mine")
    assert "is a subprocess effect; nobody can post its result" in str(verdict.error)


# The family


def test_a_family_is_a_run_and_all_that_live_below_it_parents_first(project: Project) -> None:
    project.begin(
        CHILD
        + """
async def between(inputs, ctx):
    return await ctx.subprocess(child, {"question": inputs["name"]})

async def process(inputs, ctx):
    return await ctx.parallel.all([
        lambda: ctx.subprocess(between, {"name": "a"}),
        lambda: ctx.subprocess(child, {"question": "b"}),
        lambda: ctx.subprocess(done, {}),
    ])

async def done(inputs, ctx):
    return 1
"""
    )
    names = [
        (run.run_id if run.run_id == "r" else run.about["entrypoint"]["export"])
        for run in family(project.open())
    ]
    assert names == ["r", "between", "child", "child"]


def test_an_iteration_tells_of_all_that_is_below_it(project: Project) -> None:
    child = begun(project)
    done: Iteration = project.iterate()
    assert [(each.run.run_id, each.status) for each in done.below()] == [(child.run_id, "waiting")]


def test_a_finished_child_takes_no_cancelling(project: Project) -> None:
    child = begun(project)
    answer_child(child)
    project.iterate()
    with pytest.raises(RunFinished):
        cancel_run(child_of(project), by="me", reason="late")


def test_a_child_that_failed_is_tried_again_as_another_run(project: Project) -> None:
    project.begin(
        CHILD
        + """
async def process(inputs, ctx):
    return await ctx.subprocess(child, {"question": "q"}, retry=Retry(2, backoff=0))
""".replace("async def", "from babysitter import Retry\n\nasync def", 1)
    )
    first = child_of(project)
    answer_child(first, None, error={"name": "TaskFailed", "message": "no"})
    done = project.iterate()
    (again,) = [each.run for each in done.below()]
    assert again.run_id != first.run_id
    answer_child(again, "yes")
    assert project.iterate().run.output() == "yes"


def test_going_back_before_a_child_brings_it_to_its_end(project: Project) -> None:
    child = begun(project)
    run = project.open()
    plan: list[Any] = []
    digests = run.state.source_digests
    run.append([("RUN_REWOUND", {"to": "1", "plan": plan, "by": "me", "sourceDigests": digests})])
    done = project.iterate()
    assert project.open(child.run_id).state.status == "halted"
    (again,) = [each.run for each in done.below()]
    assert again.run_id != child.run_id
