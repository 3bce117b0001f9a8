"""A question that is edited while it is open: as long as nobody has answered it, it is asked anew."""

from __future__ import annotations

from typing import TYPE_CHECKING

from babysitter.errors import NondeterminismError
from babysitter.runs.answering import decide
from babysitter.runs.execution import Execution
from babysitter.runs.replaying import replay
from babysitter.runs.results import accept
from babysitter.runs.stopping import cancel_run

if TYPE_CHECKING:
    from projects import Project

    from babysitter.engine.state import Effect
    from babysitter.runs.iterate import Iteration

ASKS = """
async def process(inputs, ctx):
    await ctx.task(ask, question="one")
    return await ctx.breakpoint({question!r}{more})
"""


def asked(question: str, more: str = "") -> str:
    return ASKS.format(question=question, more=more)


def at_the_question(project: Project, more: str = "") -> Effect:
    """A run that has asked ``Release?`` at step 2."""
    project.begin(asked("Release?", more))
    project.answer("1", "first")
    return project.effect("2")


def reworded(project: Project, more: str = "") -> Iteration:
    project.write(asked("Release it?", more))
    return project.iterate()


def test_an_open_question_whose_words_were_edited_is_asked_anew(project: Project) -> None:
    old = at_the_question(project)
    (new,) = reworded(project).new
    run = project.open()
    assert (new.step, run.definition_of(new)["breakpoint"]) == ("2", {"question": "Release it?"})
    assert (run.state.effects[old.id].is_superseded, list(run.state.pending)) == (True, [new.id])


def test_what_was_asked_anew_holds_on_every_replay(project: Project) -> None:
    at_the_question(project)
    reworded(project)
    before = project.digest()
    assert (project.iterate().status, project.digest()) == ("waiting", before)


def test_the_old_question_takes_no_answer_any_more(project: Project) -> None:
    old = at_the_question(project)
    reworded(project)
    run = project.open()
    verdict = accept(run, [decide(run, run.state.effects[old.id], True, by="me")])[0]
    assert type(verdict.error).__name__ == "EffectCancelled"


def test_another_question_in_front_takes_the_place_of_the_open_one(project: Project) -> None:
    at_the_question(project)
    project.write(asked("Release?").replace("    return", '    await ctx.breakpoint("Sure?")\n    return'))
    (new,) = project.iterate().new
    assert (new.label, [effect.label for effect in project.open().state.pending.values()]) == (
        "Sure?",
        ["Sure?"],
    )


def test_a_question_that_was_answered_is_not_asked_anew(project: Project) -> None:
    question = at_the_question(project)
    run = project.open()
    accept(run, [decide(run, question, True, by="me")])
    before = project.digest()
    assert (reworded(project).status, project.types()[-1]) == ("diverged", "EFFECT_RESOLVED")
    project.write(asked("Release?"))
    assert project.digest() == before


def test_a_question_that_some_have_answered_is_not_asked_anew(project: Project) -> None:
    more = ", strategy='quorum', quorum=2"
    question = at_the_question(project, more)
    run = project.open()
    accept(run, [decide(run, question, True, by="me")])
    assert reworded(project, more).status == "diverged"


def test_an_answer_that_comes_while_the_edit_is_looked_at_is_not_thrown_away(project: Project) -> None:
    question = at_the_question(project)
    project.write(asked("Release it?"))
    run, other = project.open(), project.open()
    execution = Execution(run)
    execution.start()
    accept(other, [decide(other, question, True, by="me")])
    assert (execution.write_round(), type(execution.diverged)) == ([], NondeterminismError)


def test_an_open_question_that_is_not_reached_any_more_is_forgotten(project: Project) -> None:
    source = """
    async def process(inputs, ctx):
        await ctx.parallel.race([
            lambda: ctx.breakpoint({question!r}),
            lambda: ctx.task(ask, question="one"),
        ])
        await ctx.task(ask, question="two")
    """
    project.begin(source.format(question="Wait?"))
    project.post("1.1.1", "first")
    project.write(source.format(question="Wait for it?"))
    assert [effect.step for effect in project.iterate().new] == ["2"]
    assert project.iterate().status == "waiting"


def test_a_gate_of_the_authors_own_is_asked_anew_too(project: Project) -> None:
    source = """
    gate = define_task("gate", lambda args: {"kind": "breakpoint", "breakpoint": {"question": args["text"]}})
    async def process(inputs, ctx):
        await ctx.task(gate, text=TEXT)
    """
    project.begin(source.replace("TEXT", "'Release?'"))
    project.write(source.replace("TEXT", "'Release it?'"))
    (new,) = project.iterate().new
    assert project.open().definition_of(new)["breakpoint"] == {"question": "Release it?"}


def test_an_open_question_in_other_words_is_not_the_same_to_who_compares(project: Project) -> None:
    at_the_question(project)
    project.write(asked("Release it?"))
    assert replay(project.open())["holds"] is False


def test_the_question_of_a_cleanup_is_not_asked_anew_when_the_run_was_given_up(project: Project) -> None:
    source = """
    async def process(inputs, ctx):
        async def clean():
            await ctx.breakpoint({!r})

        ctx.on_cleanup(clean)
        await ctx.task(ask, question="one")
    """
    project.begin(source.format("Sure?"))
    cancel_run(project.open(), by="me", reason="enough")
    (asked_first,) = project.iterate().new
    project.write(source.format("Really?"))
    assert project.iterate().status == "diverged"
    project.write(source.format("Sure?"))
    assert (project.iterate().status, list(project.open().state.pending)) == ("waiting", [asked_first.id])
