"""What is written as the JavaScript original has it is told with what is written here."""

from __future__ import annotations

from typing import Any

import pytest

from babysitter import Context, Decision, Retry, python
from babysitter.engine.outcomes import Outcome, ShellResult
from tests.support.rounds import a_task, start

step = a_task("step")


@python
def measure(path: str) -> int:
    return len(path)


def told(ask: Any) -> str:
    """What a process that asks for this is stuck in, without the error's class."""

    async def process(_: Any, ctx: Context) -> Any:
        return await ask(ctx)

    run = start(process)
    assert run.end is not None
    assert run.end.status == "stuck"
    return str(run.error)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda ctx: ctx.sleepUntil("x"), "ctx has no 'sleepUntil'; write ctx.sleep_until"),
        (lambda ctx: ctx.orchestratorTask("x"), "ctx has no 'orchestratorTask'; write ctx.orchestrator_task"),
        (lambda ctx: ctx.runId, "ctx has no 'runId'; write ctx.run_id"),
        (lambda ctx: ctx.breakpont("x"), "ctx has no 'breakpont'; write ctx.breakpoint"),
        (
            lambda ctx: ctx.parallel.allSettled([]),
            "ctx.parallel has no 'allSettled'; write ctx.parallel.settled",
        ),
        (
            lambda ctx: ctx.parallel.reduce([]),
            "ctx.parallel has no 'reduce'; it has all, any, map, race, settled",
        ),
    ],
)
def test_a_name_of_the_context_is_told_as_it_is_here(ask: Any, message: str) -> None:
    assert told(ask) == message


def test_there_is_no_name_that_python_asks_for_by_itself() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        return [hasattr(ctx, "__await__"), hasattr(ctx.parallel, "__len__"), getattr(ctx, "other", 5)]

    assert start(process).result == [False, False, 5]


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (
            lambda ctx: ctx.breakpoint({"question": "Go?", "title": "T", "context": {}}, {"tags": ["a"]}),
            (
                "ctx.breakpoint needs a question, a text, found a dict;"
                " write ctx.breakpoint('Go?', title=…, files=…, tags=…)"
            ),
        ),
        (
            lambda ctx: ctx.breakpoint({"question": "Go?"}, breakpointId="x"),
            "ctx.breakpoint needs a question, a text, found a dict; write ctx.breakpoint('Go?', id=…)",
        ),
        (
            lambda ctx: ctx.breakpoint("Go?", {"expert": "owner"}),
            "ctx.breakpoint needs a question, a text, found 2 values; write ctx.breakpoint('Go?', expert=…)",
        ),
        (
            lambda ctx: ctx.breakpoint("Go?", breakpointId="x"),
            "ctx.breakpoint has no 'breakpointId'; write id=…",
        ),
        (
            lambda ctx: ctx.breakpoint("Go?", context={"files": []}),
            "ctx.breakpoint has no 'context'; write files=[…]",
        ),
        (
            lambda ctx: ctx.breakpoint("Go?", previousFeedback="x"),
            "ctx.breakpoint has no 'previousFeedback'; write previous_feedback=…",
        ),
        (
            lambda ctx: ctx.breakpoint("Go?", autoApproveAfterN=3),
            (
                "ctx.breakpoint has no 'autoApproveAfterN'; a rule of the user's does that:"
                " babysitter rule add --match ID --always --after N"
            ),
        ),
    ],
)
def test_a_breakpoint_is_told_as_it_is_written_here(ask: Any, message: str) -> None:
    assert told(ask) == message


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (
            lambda ctx: ctx.task(measure, {"path": "a"}, {"label": "x"}),
            (
                "measure() takes 1 positional arguments but 2 were given;"
                " options of one call are written ctx.task(measure.using(title=…), …)"
            ),
        ),
        (
            lambda ctx: ctx.task(step, {"path": "a"}, {"label": "x", "retry": 1}),
            (
                "step() takes 0 positional arguments but 2 were given;"
                " options of one call are written ctx.task(step.using(title=…, retry=…), …)"
            ),
        ),
        (
            lambda ctx: ctx.task(measure, path="a", label="x"),
            (
                "measure() got an unexpected argument 'label'; it takes path;"
                " for one call an option is written ctx.task(measure.using(title=…), …)"
            ),
        ),
        (
            lambda ctx: ctx.task(measure, {"path": "a"}, retry=Retry(3)),
            (
                "measure() got an unexpected argument 'retry'; it takes path;"
                " for one call an option is written ctx.task(measure.using(retry=…), …)"
            ),
        ),
        (
            lambda ctx: ctx.task(measure, path="a", other="x"),
            "measure() got an unexpected argument 'other'; it takes path",
        ),
    ],
)
def test_options_of_one_call_are_told_as_they_are_written_here(ask: Any, message: str) -> None:
    assert told(ask) == message


def test_a_retry_among_the_arguments_of_a_task_that_takes_any_is_told() -> None:
    message = told(lambda ctx: ctx.task(step, path="a", retry=Retry(3)))
    assert message.endswith("; for one call an option is written ctx.task(step.using(retry=…), …)")


def test_a_step_in_a_message_looks_as_it_is_written() -> None:
    async def process(_: Any, ctx: Context) -> Any:
        ctx.on_cleanup(ctx.task(measure, path="a"))  # type: ignore[arg-type]

    run = start(process)
    assert "found ctx.task('measure'); write `ctx.on_cleanup(clean)`" in str(run.error)


SHELL = ShellResult(0, "", "", 1.0)


@pytest.mark.parametrize(
    ("read", "error", "message"),
    [
        (lambda: SHELL.exitCode, AttributeError, "ShellResult has no 'exitCode'; write .exit_code"),
        (lambda: SHELL.code, AttributeError, "ShellResult has no 'code'; write .exit_code"),
        (lambda: SHELL.durationMs, AttributeError, "ShellResult has no 'durationMs'; write .duration"),
        (
            lambda: SHELL["exit_code"],
            TypeError,
            "ShellResult is no dict and has no ['exit_code']; write .exit_code",
        ),
        (
            lambda: SHELL["stdOut"],
            TypeError,
            "ShellResult is no dict and has no ['stdOut']; write .stdout",
        ),
        (
            lambda: SHELL[0],
            TypeError,
            "ShellResult is no dict and has no [0]; it has duration, exit_code, ok, stderr, stdout",
        ),
        (
            lambda: Decision(True)["approved"],
            TypeError,
            "Decision is no dict and has no ['approved']; write .approved",
        ),
        (
            lambda: Decision(True).respondedBy,
            AttributeError,
            "Decision has no 'respondedBy'; write .responded_by",
        ),
        (
            lambda: Outcome(True, 1)["value"],
            TypeError,
            "Outcome is no dict and has no ['value']; write .value",
        ),
    ],
)
def test_what_a_step_gave_is_told_as_it_is_read_here(read: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error) as caught:
        read()
    assert str(caught.value) == message


def test_what_a_step_gave_is_still_no_sequence() -> None:
    with pytest.raises(TypeError):
        list(SHELL)  # type: ignore[call-overload]
