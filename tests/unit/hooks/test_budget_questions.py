"""A session whose run has used its budget up: the person is asked, and nobody else answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from babysitter.runs.iterate import iterate
from babysitter.runs.run import Run
from tests.unit.hooks.test_commands import typed

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.unit.hooks.conftest import Session

pytestmark = pytest.mark.usefixtures("seen")
FAN = "return await ctx.parallel.map([1, 2, 3], lambda n: ctx.task(tell, n=n))"


@pytest.fixture
def session(bound: Callable[..., Session]) -> Session:
    session = bound(f'await ctx.breakpoint("Begin?")\n{FAN}')
    run = session.run
    run.append([("BUDGET_CHANGED", {"budget": {"run": {"effects": 1}}, "by": "me"})])
    typed(session, "approve", "yes")
    session.call("stop")
    session.answer("one")
    return session


def amount(session: Session) -> float:
    run = session.run
    assert run.state.meter is not None
    ((_, _, limit),) = run.state.meter.limits()
    return limit


def test_at_a_stop_the_question_is_the_persons(session: Session) -> None:
    told = session.call("stop")
    effect = session.pending("breakpoint")
    assert (told.kind, f"[breakpoint:{effect.id}] The budget is used up" in told.text) == ("go on", True)


@pytest.mark.parametrize(("words", "more"), [("yes", 2), ("yes 4", 5), ("yes effects=2", 3)])
def test_who_types_yes_gives_more(session: Session, words: str, more: int) -> None:
    session.call("stop")
    typed(session, "approve", words)
    assert (amount(session), session.call("stop").kind) == (more, "go on")


def test_a_no_ends_the_run(session: Session) -> None:
    session.call("stop")
    typed(session, "approve", "no")
    session.call("stop")
    ending: Any = session.run.state.ending
    assert (session.run.state.status, ending["by"]) == ("halted", "budget")


def test_policy_gives_nothing_more(session: Session) -> None:
    run = session.run
    run.append([("PERMITTED", {"what": "policy", "by": "me", "assurance": "terminal", "evidence": {}})])
    iterate(Run(session.folder).load())
    assert session.pending("breakpoint").label == "The budget is used up"
