from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from projects import ASK_ONCE, Project

from babysitter.errors import (
    AlreadyResolved,
    CorruptEvent,
    EffectCancelled,
    HeadMoved,
    NoSuchEffect,
    PersonNeeded,
    ResultRejected,
    RunBusy,
    RunFinished,
    StorageError,
)
from babysitter.ids import sha256_hex
from babysitter.jsontext import canonical
from babysitter.limits import Limits
from babysitter.prices import Prices
from babysitter.runs import drafts
from babysitter.runs.answering import decide
from babysitter.runs.recording import record
from babysitter.runs.results import Answer, Verdict, accept, find_effect
from babysitter.runs.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable

ASK_MANY = """
async def process(inputs, ctx):
    return await ctx.parallel.map(range(inputs), lambda n: ctx.task(ask, question=str(n)))
"""
SCHEMA = "{'type': 'object', 'required': ['verdict'], 'properties': {'verdict': {'enum': ['good', 'bad']}}}"
REVIEW = f"""
@agent(returns={SCHEMA})
def review():
    return "Review it"

async def process(inputs, ctx):
    return await ctx.task(review)
"""
MODEL = """
from pydantic import BaseModel

class Review(BaseModel):
    verdict: str
    lines: list[int] = []

@agent(returns=Review)
def review():
    return "Review it"

async def process(inputs, ctx):
    told = await ctx.task(review)
    return [type(told).__name__, told.verdict, told.lines]
"""
OF_ITS_OWN = {
    "shell": "shell(lambda: ['true'], id='own')",
    "python": "python(lambda: 1, id='own')",
    "breakpoint": None,
    "sleep": None,
}


def error(message: str = "no", **more: Any) -> dict[str, Any]:
    return {"name": "TaskFailed", "message": message, **more}


# One answer


def test_a_result_is_recorded_and_given_to_the_process(project: Project) -> None:
    project.begin(ASK_ONCE)
    assert (project.post("1", {"a": [1, None]}).status, project.iterate().run.output()) == (
        "recorded",
        {"a": [1, None]},
    )


def test_the_same_result_again_is_answered_already(project: Project) -> None:
    project.begin(ASK_ONCE)
    project.post("1", {"a": 1, "b": 2})
    before = project.digest()
    assert (project.post("1", {"b": 2, "a": 1}).status, project.digest()) == ("already", before)


@pytest.mark.parametrize("second", [{"value": "other"}, {"error": error()}, {"value": None}])
def test_another_result_is_a_conflict_and_the_first_stands(project: Project, second: dict[str, Any]) -> None:
    project.begin(ASK_ONCE)
    project.post("1", "first")
    before = project.digest()
    verdict = project.post("1", **second)
    assert (type(verdict.error), project.digest()) == (AlreadyResolved, before)


def test_an_error_is_a_result(project: Project) -> None:
    project.begin(ASK_ONCE)
    told = project.post("1", error=error("no")).status, project.post("1", error=error("no")).status
    assert told == ("recorded", "already")


@pytest.mark.parametrize("name", ["TaskTimeout", "TaskCancelled", "Whatever"])
def test_an_error_is_raised_in_the_process_under_its_name(project: Project, name: str) -> None:
    project.begin(
        "async def process(inputs, ctx):\n"
        "    try:\n        await ctx.task(ask, question='x')\n"
        "    except TaskFailed as failed:\n"
        "        return [type(failed).__name__, failed.name, failed.message, failed.data, failed.exit_code]\n"
    )
    project.post("1", error={"name": name, "message": "no", "data": [1], "exitCode": 3})
    known = name if name.startswith("Task") else "TaskFailed"
    assert project.iterate().run.output() == [known, name, "no", [1], 3]


def test_a_finished_run_takes_no_more(project: Project) -> None:
    project.begin(
        "async def process(inputs, ctx):\n"
        "    await ctx.parallel.settled([lambda: ctx.task(ask, question='one')])\n    raise Failed('no')\n"
    )
    project.post("1.0.1", "yes")
    project.iterate()
    told = [project.post("1.0.1", value).error for value in ("yes", "no")]
    assert (told[0], type(told[1])) == (None, AlreadyResolved)


RACE = """
async def process(inputs, ctx):
    await ctx.parallel.race([lambda q=q: ctx.task(ask, question=q) for q in ("one", "two")])
    await ctx.task(ask, question="three")
"""


def test_a_cancelled_effect_takes_no_result(project: Project) -> None:
    project.begin(RACE)
    project.answer("1.0.1", "first")
    before = project.digest()
    verdict = project.post("1.1.1", "late")
    assert (type(verdict.error), project.digest()) == (EffectCancelled, before)


def test_a_pending_effect_of_a_finished_run_takes_no_result(project: Project) -> None:
    # Only a run that was ended from outside can have one.
    project.begin(ASK_ONCE)
    run = project.open()
    run.append([("RUN_FAILED", {"error": error()})])
    assert type(project.post("1", "late").error) is RunFinished


@pytest.mark.parametrize("kind", OF_ITS_OWN)
def test_what_babysitter_does_itself_takes_no_result_from_outside(project: Project, kind: str) -> None:
    asked = {"breakpoint": "ctx.breakpoint('ok?')", "sleep": "ctx.sleep(99)"}.get(kind, "ctx.task(own)")
    source = "def own(): return ['true']\n" if OF_ITS_OWN[kind] else ""
    project.begin(f"{source and f'@{kind}'}\n{source}\nasync def process(inputs, ctx):\n    await {asked}\n")
    before = project.digest()
    for answer in ({"value": 1}, {"error": error()}):
        assert type(project.post("1", **answer).error) is ResultRejected
    assert project.digest() == before


def test_what_its_own_executor_says_is_taken(project: Project) -> None:
    project.begin(
        "@shell\ndef own(): return ['true']\nasync def process(inputs, ctx):\n    await ctx.task(own)\n"
    )
    assert project.post("1", {"exitCode": 0}, executor="shell").status == "recorded"


# What may be said

TOO_LARGE = Limits(result_bytes=1000)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        ({"value": "x" * 1000}, "has 1002 bytes, and 1000 are allowed"),
        ({"value": "é" * 500}, "has 1002 bytes"),
        ({"error": error("x" * 1000)}, "1000 are allowed"),
        ({"value": "\ud800"}, "is not JSON"),
        ({"value": float("nan")}, "is not JSON"),
        ({"value": object()}, "is not JSON"),
    ],
)
def test_a_result_that_cannot_be_kept_is_refused(project: Project, answer: dict[str, Any], said: str) -> None:
    project.begin(ASK_ONCE)
    project.limits = TOO_LARGE
    before = project.digest()
    verdict = project.post("1", **answer)
    assert isinstance(verdict.error, ResultRejected)
    assert (said in verdict.error.message, project.digest()) == (True, before)


@pytest.mark.parametrize("status", ["value", "error"])
def test_a_result_that_is_too_deep_is_refused(project: Project, status: str) -> None:
    deep: Any = []
    for _ in range(100):
        deep = [deep]
    project.begin(ASK_ONCE)
    before = project.digest()
    verdict = project.post("1", **{status: deep if status == "value" else error(data=deep)})
    assert (type(verdict.error), project.digest()) == (ResultRejected, before)


@pytest.mark.parametrize("size", [32_766, 32_767, 5_000_000])
def test_a_large_result_is_given_to_the_process_whole(project: Project, size: int) -> None:
    project.begin("async def process(inputs, ctx):\n    return len(await ctx.task(ask, question='x'))\n")
    project.post("1", "x" * size)
    inline = "value" in project.data_of("EFFECT_RESOLVED")[0]
    assert (project.iterate().run.output(), inline) == (size, size + 2 <= 32_768)


def test_a_large_result_again_is_answered_already(project: Project) -> None:
    project.begin(ASK_ONCE)
    project.post("1", "x" * 40_000)
    verdicts = project.post("1", "x" * 40_000), project.post("1", "y" * 40_000)
    assert (verdicts[0].status, type(verdicts[1].error)) == ("already", AlreadyResolved)


@pytest.mark.parametrize("value", [{}, {"verdict": "so-so"}, "good", None])
def test_a_result_that_does_not_fit_its_schema_is_refused(project: Project, value: Any) -> None:
    project.begin(REVIEW)
    before = project.digest()
    verdict = project.post("1", value)
    assert isinstance(verdict.error, ResultRejected)
    assert ("does not fit its schema" in verdict.error.message, project.digest()) == (True, before)


def test_a_result_that_fits_its_schema_is_recorded(project: Project) -> None:
    project.begin(REVIEW)
    assert project.post("1", {"verdict": "good"}).status == "recorded"


def test_an_error_needs_to_fit_no_schema(project: Project) -> None:
    project.begin(REVIEW)
    assert project.post("1", error=error()).status == "recorded"


def test_a_model_is_what_the_process_gets(project: Project) -> None:
    project.begin(MODEL)
    refused = project.post("1", {"verdict": "good", "lines": ["x"]})
    project.post("1", {"verdict": "good", "lines": [1]})
    assert (type(refused.error), project.iterate().run.output()) == (ResultRejected, ["Review", "good", [1]])


def test_a_schema_that_is_none_refuses_and_says_so(project: Project) -> None:
    project.begin(REVIEW.replace(SCHEMA, "{'type': 'nope'}"))
    verdict = project.post("1", 1)
    assert verdict.error is not None
    assert "the schema itself is not valid JSON Schema" in verdict.error.message


# Many answers


def test_many_answers_are_one_batch(project: Project) -> None:
    project.begin(ASK_MANY, 3)
    run = project.open()
    verdicts = accept(run, [Answer(effect, "ok", 1) for effect in run.state.pending])
    batches = {tuple(data["batch"]) for data in project.data_of("EFFECT_RESOLVED")}
    assert ([verdict.status for verdict in verdicts], batches) == (["recorded"] * 3, {(5, 7)})


def test_each_answer_is_judged_alone(project: Project) -> None:
    project.begin(ASK_MANY, 3)
    first, second, third = project.open().state.pending
    project.post(second, "old")
    told = [(first, 1), ("nobody", 1), (second, "new"), (second, "old"), (first, 2), (first, 1), (third, 3)]
    verdicts = accept(project.open(), [Answer(name, "ok", value) for name, value in told])
    assert [verdict.status if verdict.error is None else type(verdict.error) for verdict in verdicts] == [
        "recorded",
        NoSuchEffect,
        AlreadyResolved,
        "already",
        AlreadyResolved,
        "already",
        "recorded",
    ]


def test_answers_are_judged_anew_when_another_writer_was_first(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.begin(ASK_MANY, 2)
    first, second = project.open().state.pending
    append, others = Run.append, [(first, "theirs")]

    def append_late(run: Run, batch: Any) -> Any:
        while others:
            project.post(*others.pop())
        return append(run, batch)

    run = project.open()
    monkeypatch.setattr(Run, "append", append_late)
    verdicts = accept(run, [Answer(first, "ok", "mine"), Answer(second, "ok", "mine")])
    assert [verdict.status for verdict in verdicts] == ["refused", "recorded"]


def test_a_writer_that_is_never_first_gives_up(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def lose(*_: Any) -> None:
        raise HeadMoved("another was first")

    project.begin(ASK_ONCE)
    run = project.open()
    monkeypatch.setattr(Run, "append", lose)
    monkeypatch.setattr("babysitter.runs.run.MOST_LOST_RACES", 3)
    with pytest.raises(RunBusy):
        accept(run, [Answer("1", "ok", 1)])


def test_an_answer_that_changes_nothing_still_makes_durable_what_it_rests_on(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed = []
    project.begin(ASK_ONCE)
    project.post("1", "yes")
    run = project.open()
    monkeypatch.setattr(run.journal, "flush", lambda: flushed.append(run.run_id))
    accept(run, [Answer("1", "ok", "yes")])
    assert flushed == ["r"]


def fail_with(error: Exception) -> Callable[..., None]:
    def fail(*_: Any, **__: Any) -> None:
        raise error

    return fail


@pytest.mark.parametrize("error", [StorageError("the disk is full"), CorruptEvent("the file was changed")])
def test_a_fault_of_the_disk_is_no_verdict_and_records_nothing(
    project: Project, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    project.begin(ASK_MANY, 2)
    before = project.digest()
    run = project.open()
    first, second = run.state.pending
    monkeypatch.setattr(drafts, "keep_file", fail_with(error))
    with pytest.raises(type(error)):
        accept(run, [Answer(first, "ok", 1), Answer(second, "ok", "x" * 40_000)])
    assert project.digest() == before


# Names of effects


def named(project: Project) -> Run:
    project.begin(
        "async def process(inputs, ctx):\n"
        "    await ctx.parallel.all({'left': lambda: ctx.task(ask, question='a'),"
        " 'right': lambda: ctx.task(ask.using(key='chosen'), question='b')})\n"
    )
    return project.open()


def test_an_effect_is_found_by_its_id_its_beginning_and_its_step(project: Project) -> None:
    run = named(project)
    first, second = run.state.effects.values()
    told = [find_effect(run, name).id for name in (first.id, first.id[:15], "1.left.1", "1.right.chosen")]
    assert told == [first.id, first.id, first.id, second.id]


def test_a_step_comes_before_the_beginning_of_an_id(project: Project) -> None:
    project.begin(ASK_ONCE)
    run = project.open()
    (effect,) = run.state.effects.values()
    other = type(effect)(_Request(effect.id[0] + "x" * 15))
    run.state.effects["1" + "x" * 15] = other
    other.id = "1" + "x" * 15
    assert find_effect(run, "1") is effect


class _Request:
    """The event of another request."""

    seq, ms = 9, 9

    def __init__(self, effect: str) -> None:
        self.data = {
            "effectId": effect,
            "stepId": "9",
            "taskId": "ask",
            "kind": "agent",
            "label": "",
            "argsHash": "",
            "attempt": 1,
        }


@pytest.mark.parametrize("name", ["", "nobody", "1", "../x", "2.left.1"])
def test_what_names_no_effect_is_none(project: Project, name: str) -> None:
    with pytest.raises(NoSuchEffect):
        find_effect(named(project), name)


RETRIED = """
from babysitter import Retry

async def process(inputs, ctx):
    return await ctx.task(ask.using(retry=Retry(3, 0)), question="one")
"""


def test_a_step_is_that_of_its_last_attempt(project: Project) -> None:
    project.begin(RETRIED)
    project.post("1", error={"name": "TaskFailed", "message": "no"})
    project.iterate()
    run = project.open()
    last = list(run.state.effects.values())[-1]
    assert (find_effect(run, "1") is last, last.attempt) == (True, 2)
    last.is_superseded = True
    assert find_effect(run, "1").attempt == 1
    done = project.answer("1", "at last")
    assert (done.status, done.run.output()) == ("completed", "at last")


def test_a_beginning_that_fits_several_is_told(project: Project) -> None:
    project.begin(ASK_MANY, 40)
    run = project.open()
    firsts = [effect[0] for effect in run.state.effects]
    twice = next(letter for letter in firsts if firsts.count(letter) > 1)
    with pytest.raises(NoSuchEffect, match=f"the beginning of {firsts.count(twice)} effects"):
        find_effect(run, twice)


# People

CHOOSE = """
async def process(inputs, ctx):
    told = await ctx.breakpoint("Where to?", options=["staging", "live"])
    return [told.approved, told.option, told.feedback, told.response, told.responded_by]
"""


def answered(project: Project, approved: bool, **told: Any) -> Verdict:
    run = project.open()
    answer = decide(run, find_effect(run, "1"), approved, by="me", **told)
    return accept(run, [answer])[0]


def test_a_person_decides(project: Project) -> None:
    project.begin(CHOOSE)
    answered(project, True, option="live", feedback="only eu", response="yes")
    assert project.iterate().run.output() == [True, "live", "only eu", "yes", "me"]


def test_the_same_decision_again_is_answered_already(project: Project) -> None:
    project.begin(CHOOSE)
    told = [answered(project, approved).status for approved in (True, True, False)]
    assert told == ["recorded", "already", "refused"]


def test_an_option_that_there_is_not_is_refused(project: Project) -> None:
    project.begin(CHOOSE)
    with pytest.raises(ResultRejected, match="no option 'moon'") as caught:
        answered(project, True, option="moon")
    assert caught.value.hint == "its options: staging, live"


def test_what_is_no_breakpoint_cannot_be_decided(project: Project) -> None:
    project.begin(ASK_ONCE)
    with pytest.raises(ResultRejected, match="not a breakpoint"):
        answered(project, True)


LARGE = {"a": "x" * 40_000, "b": 1}


@pytest.mark.parametrize(
    ("value", "status", "is_read"),
    [
        (dict(LARGE), "already", False),
        ({"b": 1, "a": LARGE["a"]}, "already", True),
        ({**LARGE, "b": 2}, "refused", True),
        ({**LARGE, "b": 10}, "refused", False),
    ],
    ids=["the same", "its keys in another order", "another of this length", "another length"],
)
def test_a_large_result_is_compared_by_its_text_where_that_is_enough(
    project: Project, monkeypatch: pytest.MonkeyPatch, value: Any, status: str, is_read: bool
) -> None:
    project.begin(ASK_ONCE)
    assert project.post("1", LARGE).status == "recorded"
    read: list[Any] = []
    real = Run.value_of
    monkeypatch.setattr(Run, "value_of", lambda run, effect: read.append(effect) or real(run, effect))
    assert (project.post("1", value).status, bool(read)) == (status, is_read)


# How sure it is that a person decided

SIGNED = CHOOSE.replace("options=", "assurance='signed', options=")


def guarded(project: Project) -> None:
    """The run, as an agent's session has it."""
    project.open().append([("SESSION_BOUND", {"host": "claude", "sessionId": "s-1"})])


def test_an_answer_says_how_sure_it_is_and_what_was_shown(project: Project) -> None:
    project.begin(CHOOSE)
    run = project.open()
    definition = run.definition_of(find_effect(run, "1"))
    answered(project, True, option="live", assurance="dialog", evidence={"toolUseId": "t-1"})
    (resolved,) = project.data_of("EFFECT_RESOLVED")
    digest = sha256_hex(canonical(definition).encode())
    assert resolved["evidence"] == {"assurance": "dialog", "shown": digest, "toolUseId": "t-1"}


@pytest.mark.parametrize("level", ["script", "dialog", "command", "terminal"])
def test_an_answer_below_what_the_breakpoint_demands_is_refused(project: Project, level: str) -> None:
    project.begin(SIGNED)
    with pytest.raises(
        ResultRejected, match=f"demands the assurance 'signed', and .* has '{level}'"
    ) as caught:
        answered(project, True, assurance=level)
    assert caught.value.hint.endswith(" --sign")


def test_an_answer_at_the_level_that_is_demanded_is_taken(project: Project) -> None:
    project.begin(SIGNED)
    assert answered(project, True, assurance="signed").status == "recorded"


def test_a_script_answers_a_run_that_no_session_was_bound_to(project: Project) -> None:
    project.begin(CHOOSE)
    assert answered(project, True).status == "recorded"


def test_a_script_does_not_answer_a_run_that_a_session_works_on(project: Project) -> None:
    project.begin(CHOOSE)
    guarded(project)
    with pytest.raises(PersonNeeded, match="session works on run 'r'") as caught:
        answered(project, True)
    assert "/babysitter:approve" in caught.value.hint


def test_a_policy_answers_only_where_it_was_chosen(project: Project) -> None:
    project.begin(CHOOSE)
    with pytest.raises(PersonNeeded, match="by policy"):
        answered(project, True, assurance="policy")


def priced_at(project: Project, price: float) -> None:
    project.limits = Limits()
    project.limits.prices = Prices({"currency": "EUR", "default": {"input": price, "output": 0}})


USED = {"inputTokens": 1_000_000, "outputTokens": 0}


def test_a_result_without_a_usage_is_recorded_without_one(project: Project) -> None:
    project.begin(ASK_ONCE)
    priced_at(project, 3)
    project.post("1", "yes")
    assert "usage" not in project.data_of("EFFECT_RESOLVED")[0]


def test_what_was_used_is_recorded_with_what_it_cost_then(project: Project) -> None:
    project.begin(ASK_ONCE)
    priced_at(project, 3)
    project.post("1", "yes", usage=USED)
    priced_at(project, 300)
    assert project.data_of("EFFECT_RESOLVED")[0]["usage"] == {**USED, "money": 3, "currency": "EUR"}
    assert project.effect("1").usage == {**USED, "money": 3, "currency": "EUR"}


def test_without_prices_only_the_tokens_are_recorded(project: Project) -> None:
    project.begin(ASK_ONCE)
    project.post("1", "yes", usage=USED)
    assert project.data_of("EFFECT_RESOLVED")[0]["usage"] == USED


def test_a_result_that_cannot_be_recorded_has_been_paid_for(project: Project) -> None:
    project.begin(ASK_ONCE)
    project.limits = Limits(result_bytes=1000)
    record(project.open(), [Answer("1", "ok", "x" * 2000, executor="local", usage=USED)])
    effect = project.effect("1")
    assert (effect.status, effect.usage) == ("error", USED)


def test_the_same_result_again_is_not_paid_for_again(project: Project) -> None:
    project.begin(ASK_ONCE)
    project.post("1", "yes", usage=USED)
    again = project.post("1", "yes", usage={"inputTokens": 5})
    assert (again.status, project.effect("1").usage) == ("already", USED)


NAMED = """
async def process(inputs, ctx):
    await ctx.parallel.all([
        lambda: ctx.task(ask.using(title="First"), question="one"),
        lambda: ctx.task(ask.using(title="Second"), question="two"),
        lambda: ctx.breakpoint("Go on?"),
    ])
"""


@pytest.mark.parametrize(
    ("name", "step"), [("breakpoint", "1.2.1"), ("Go on?", "1.2.1"), ("Second", "1.1.1")]
)
def test_an_effect_is_found_by_its_task_or_its_title(name: str, step: str, project: Project) -> None:
    assert find_effect(project.begin(NAMED).run, name).step == step


def test_a_name_that_several_have_is_told_with_their_ids(project: Project) -> None:
    run = project.begin(NAMED).run
    with pytest.raises(NoSuchEffect, match="'ask' is the name of 2 effects of run 'r'") as caught:
        find_effect(run, "ask")
    assert [f"{each.id} (step {each.step})" in str(caught.value) for each in run.state.effects.values()] == [
        True,
        True,
        False,
    ]


def test_a_name_that_nothing_has_is_told_with_those_that_are_near(project: Project) -> None:
    with pytest.raises(NoSuchEffect) as caught:
        find_effect(project.begin(NAMED).run, "breakpiont")
    assert caught.value.hint == "did you mean 'breakpoint'? babysitter tasks r"


def test_a_name_that_is_also_the_beginning_of_another_id_is_not_clear(project: Project) -> None:
    run = project.begin(NAMED).run
    first, second, _ = run.state.effects.values()
    first.label = second.id[:5]
    with pytest.raises(NoSuchEffect, match="is the name of 2 effects"):
        find_effect(run, second.id[:5])


def test_what_an_edit_has_put_aside_is_not_meant_by_its_name(project: Project) -> None:
    project.begin(NAMED)
    project.write(NAMED.replace("Go on?", "Really?"))
    (new,) = project.iterate().new
    assert find_effect(project.open(), "breakpoint").id == new.id


def test_of_attempts_by_one_name_the_last_is_meant(project: Project) -> None:
    source = """
    from babysitter import Retry
    async def process(inputs, ctx):
        await ctx.task(ask.using(retry=Retry(2, 0)), question="one")
    """
    project.begin(source)
    project.post("1", error={"message": "no"})
    project.iterate()
    assert find_effect(project.open(), "ask").attempt == 2


def test_who_posts_to_a_question_is_told_how_it_is_answered(project: Project) -> None:
    effect = project.begin(NAMED).new[2]
    verdict = accept(project.open(), [Answer(effect.id, "ok", 1)])[0]
    assert verdict.error is not None
    assert verdict.error.hint == f"a person answers it: babysitter approve r {effect.id} (or reject)"
