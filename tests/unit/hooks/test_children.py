"""A session whose run has child runs: what is pending in them is handed out, asked and recorded as well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from babysitter.runs.children import family
from babysitter.sessions.agents import remember
from babysitter.sessions.binding import binding_of
from tests.unit.hooks.conftest import SESSION

if TYPE_CHECKING:
    from collections.abc import Callable

    from babysitter.engine.state import Effect
    from babysitter.hosts.calls import Answer as Told
    from babysitter.runs.run import Run
    from tests.unit.hooks.conftest import Session

ASKS = "return await ctx.task(ask, n=1)"
GATED = "return (await ctx.breakpoint('Ship it?')).approved"


@pytest.fixture
def parent(bound: Callable[..., Session]) -> Callable[..., Session]:
    """Makes a bound run whose children have these bodies."""

    def make(*bodies: str) -> Session:
        for name, body in zip(("one", "two"), bodies, strict=False):
            bound(body, name)
        calls = [
            f"lambda: ctx.subprocess('{name}.py')" for name, _ in zip(("one", "two"), bodies, strict=False)
        ]
        return bound(f"return await ctx.parallel.all([{', '.join(calls)}])", "job")

    return make


def children(session: Session) -> list[Run]:
    return family(session.run)[1:]


def pending(run: Run) -> Effect:
    (effect,) = run.state.pending.values()
    return effect


def typed(session: Session, arguments: str) -> Told:
    about = {"command_name": "babysitter:approve", "command_source": "plugin"}
    return session.call("command", command_args=arguments, **about)


def test_what_is_pending_in_a_child_is_handed_out_with_its_name(parent: Callable[..., Session]) -> None:
    session = parent(ASKS)
    (child,) = children(session)
    effect = pending(child).id
    told = session.call("stop")
    assert told.kind == "go on"
    assert f"Run `babysitter show {child.run_id} {effect} --prompt`" in told.text
    assert f"`babysitter post {child.run_id} {effect} --value JSON`" in told.text


def test_effects_of_several_runs_are_listed_with_their_runs(parent: Callable[..., Session]) -> None:
    session = parent(ASKS, ASKS)
    told = session.call("stop").text
    assert "Run `babysitter show RUN ID --prompt`" in told
    for child in children(session):
        assert f"  {child.run_id} {pending(child).id} ask" in told


def test_work_of_the_parent_performs_what_is_for_it_in_a_child(parent: Callable[..., Session]) -> None:
    told = parent("return await ctx.task(count, n=1)").call("stop").text
    assert "`babysitter work job` in the background (1 shell)" in told


def test_what_a_subagent_says_is_recorded_in_the_child(parent: Callable[..., Session]) -> None:
    session = parent(ASKS)
    (child,) = children(session)
    remember(SESSION, "a1", pending(child).id)
    session.call("subagent-stop", agent_id="a1", last_assistant_message='{"n": 5}')
    assert children(session)[0].state.pending == {}
    session.call("stop")
    assert session.run.output() == [{"n": 5}]


def test_a_breakpoint_of_a_child_is_asked(parent: Callable[..., Session]) -> None:
    session = parent(GATED)
    (child,) = children(session)
    told = session.call("stop")
    assert f"[breakpoint:{pending(child).id}]" in told.text
    asked = session.call(
        "before-tool",
        tool_name="AskUserQuestion",
        tool_use_id="t1",
        tool_input={"questions": [{"question": f"[breakpoint:{pending(child).id}]"}]},
    )
    assert "Ship it?" in asked.input["questions"][0]["question"]


@pytest.mark.usefixtures("seen")
def test_a_person_answers_the_breakpoint_of_a_child_by_command(parent: Callable[..., Session]) -> None:
    session = parent(GATED)
    typed(session, "yes")
    session.call("stop")
    assert session.run.output() == [True]


@pytest.mark.usefixtures("seen")
def test_of_breakpoints_in_two_children_it_has_to_be_said_which(parent: Callable[..., Session]) -> None:
    session = parent(GATED, GATED)
    told = typed(session, "yes")
    assert "it has to be said which breakpoint" in told.text
    first = children(session)[0]
    typed(session, f"{pending(first).id} yes")
    session.call("stop")
    assert len(children(session)) == 1


def test_a_stuck_child_is_told_of(parent: Callable[..., Session]) -> None:
    session = parent("oops")
    (child,) = children(session)
    told = session.call("stop")
    assert (told.kind, f"run {child.run_id} is stuck" in told.text) == ("go on", True)


def test_a_stuck_child_keeps_the_others_from_nothing(parent: Callable[..., Session]) -> None:
    session = parent("oops", ASKS)
    told = session.call("stop").text
    assert "Its child run one-" in told
    assert "one subagent, with exactly this prompt" in told


def test_progress_in_a_child_is_progress(parent: Callable[..., Session]) -> None:
    session = parent("\n".join(f"await ctx.task(ask, n={n})" for n in range(9)))
    for _ in range(8):
        child = children(session)[0]
        remember(SESSION, "a1", pending(child).id)
        session.call("subagent-stop", agent_id="a1", last_assistant_message='{"n": 5}')
        assert session.call("stop").kind == "go on"


def test_the_session_goes_on_with_the_run_in_which_its_own_goes_on(bound: Callable[..., Session]) -> None:
    session = bound(
        "if inputs.get('last'):\n    return 'done'\nawait ctx.task(ask, n=1)\n"
        "ctx.continue_as_new({'last': True})"
    )
    session.answer({"n": 1})
    told = session.call("stop")
    assert (told.kind, "run job-c2 has completed" in told.text) == ("go on", True)
    assert binding_of(SESSION) is None


def test_the_session_is_bound_to_the_run_in_which_its_own_goes_on(bound: Callable[..., Session]) -> None:
    session = bound("await ctx.task(ask, n=1)\nctx.continue_as_new({'last': True})")
    session.answer({"n": 1})
    told = session.call("stop")
    found = binding_of(SESSION)
    assert found is not None
    assert (told.kind, found.run_id) == ("go on", "job-c2")
    assert "`babysitter show job-c2" in told.text
