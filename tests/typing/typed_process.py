"""What a type checker makes of a process; checked, never run."""

from __future__ import annotations

from typing import Any, Never, assert_type

from pydantic import BaseModel

from babysitter import (
    BranchTimeout,
    Context,
    Decision,
    Outcome,
    Retry,
    Score,
    ShellResult,
    TaskFailed,
    TaskTimeout,
    agent,
    define_task,
    python,
    shell,
)
from babysitter.patterns import (
    Approved,
    Gate,
    Gates,
    Improved,
    Vote,
    gates,
    improve,
    until_approved,
    vote,
    weighted,
)


class Review(BaseModel):
    verdict: str


@python
def count_lines(path: str, skip: int = 0) -> int:
    return len(path) - skip


@python(timeout="1m")
def titles(path: str) -> list[str]:
    return [path]


@agent(returns=Review)
def review(diff: str) -> str:
    return f"Review {diff}"


@agent(returns={"type": "string"})
def summary(diff: str) -> str:
    return f"Sum up {diff}"


@agent
def opinion(diff: str) -> str:
    return diff


@shell
def lint(path: str) -> list[str]:
    return ["ruff", path]


@shell(timeout=60, check=False)
def unit_tests(path: str) -> str:
    return f"pytest {path}"


@shell(parse="json")
def packages() -> list[str]:
    return ["pip", "list", "--format=json"]


deploy = define_task("deploy", lambda args: {"kind": "skill", "title": args["service"]})


async def tasks(ctx: Context) -> None:
    assert_type(await ctx.task(count_lines, path="a"), int)
    assert_type(await ctx.task(count_lines, "a", skip=1), int)
    assert_type(await ctx.task(count_lines, {"path": "a"}), int)
    assert_type(await ctx.task(count_lines.using(key="a"), path="a"), int)
    assert_type(await ctx.task(titles, path="a"), list[str])
    assert_type(await ctx.task(review, diff="a"), Review)
    assert_type(await ctx.task(summary, diff="a"), Any)
    assert_type(await ctx.task(opinion, diff="a"), Any)
    assert_type(await ctx.task(lint, path="a"), ShellResult)
    assert_type(await ctx.task(unit_tests, path="a"), ShellResult)
    assert_type(await ctx.task(packages), Any)
    assert_type(await ctx.task(deploy, service="api"), Any)
    assert_type(await ctx.task(deploy, {"service": "api"}), Any)


async def other_steps(ctx: Context) -> None:
    assert_type(await ctx.breakpoint("Go on?", options=["yes", "no"]), Decision)
    assert_type(await ctx.sleep("10m"), None)
    assert_type(ctx.uuid(), str)
    assert_type(ctx.record("names", lambda: ["a"]), list[str])


async def loops(ctx: Context) -> None:
    score = ctx.score(len("a"), target=90, patience=3, min_change=0.5, lower=True, name="defects")
    assert_type(score, Score)
    assert_type(score.value, float)
    assert_type(score.target, float | None)
    assert_type(score.best, float)
    assert_type((score.reached, score.stalled, score.is_done), tuple[bool, bool, bool])
    assert_type(score.round, int)
    assert_type(score.history, list[float])


async def failures_and_time(ctx: Context) -> None:
    patient = count_lines.using(retry=Retry(3, "2s", jitter=0.5, on=TaskTimeout))
    assert_type(await ctx.task(patient, path="a"), int)
    Retry(3, [1, "5s"], factor=3, max_backoff="1m", on=["StartFailed", TaskTimeout])
    Retry(2, on=lambda error: error.exit_code == 3)
    assert_type(await ctx.timeout("10m", lambda: ctx.task(count_lines, path="a")), int)
    assert_type(await ctx.timeout(60, ctx.task(review, diff="a")), Review)
    try:
        await ctx.timeout(60, lambda: ctx.parallel.map(["a"], lambda path: ctx.task(lint, path=path)))
    except BranchTimeout as error:
        assert_type(error.seconds, float)
    except TaskFailed as error:
        assert_type(error.attempts, int)
    ctx.on_cleanup(lambda: ctx.task(lint, path="a"))
    assert_type(ctx.patched("newer"), bool)


async def other_runs(ctx: Context) -> None:
    assert_type(await ctx.subprocess("quality", {"path": "a"}, retry=Retry(2), key="q"), Any)
    assert_type(await ctx.subprocess(failures_and_time), Any)
    assert_type(await ctx.hook("deployed", {"to": "a"}), list[Any])
    assert_type(await ctx.orchestrator_task("Review", returns=Review), Review)
    assert_type(await ctx.orchestrator_task("Sum up", returns={"type": "string"}, title="Sum"), Any)


def halting(ctx: Context, found: int | None) -> int:
    if found is None:
        ctx.halt("nothing to do", looked=3)
    # Narrowed: a halt does not come back.
    assert_type(found, int)
    return found


def ends(ctx: Context) -> None:
    def halts() -> Never:
        ctx.halt("nothing to do")

    def goes_on() -> Never:
        ctx.continue_as_new({"round": 2})

    assert_type((halts, goes_on)[0](), Never)


async def groups(ctx: Context, paths: list[str]) -> None:
    assert_type(await ctx.parallel.map(paths, lambda path: ctx.task(count_lines, path=path)), list[int])
    assert_type(
        await ctx.parallel.all(
            [lambda: ctx.task(count_lines, path="a"), lambda: ctx.task(count_lines, path="b")]
        ),
        list[int],
    )
    assert_type(
        await ctx.parallel.all([ctx.task(review, diff="a"), ctx.task(review, diff="b")]), list[Review]
    )
    assert_type(
        await ctx.parallel.all(
            {"a": lambda: ctx.task(lint, path="a"), "b": lambda: ctx.task(lint, path="b")}
        ),
        dict[str, ShellResult],
    )
    assert_type(await ctx.parallel.any([lambda: ctx.task(count_lines, path="a")]), int)
    assert_type(await ctx.parallel.race([lambda: ctx.task(count_lines, path="a")]), int)
    assert_type(await ctx.parallel.settled([lambda: ctx.task(count_lines, path="a")]), list[Outcome])
    assert_type(
        await ctx.parallel.settled({"a": lambda: ctx.task(count_lines, path="a")}), dict[str, Outcome]
    )


async def own_branches(ctx: Context, paths: list[str]) -> None:
    async def lines_and_review(path: str) -> tuple[int, Review]:
        return await ctx.task(count_lines, path=path), await ctx.task(review, diff=path)

    assert_type(await ctx.parallel.map(paths, lines_and_review, limit=2), list[tuple[int, Review]])
    assert_type(await ctx.parallel.map(paths, len), list[int])
    ran, verdict = await ctx.parallel.all(
        (
            lambda: ctx.task(unit_tests, path="src"),
            lambda: ctx.task(review, diff="a"),
        )
    )
    assert_type(ran, ShellResult)
    assert_type(verdict, Review)


async def mistakes(ctx: Context) -> None:
    await ctx.task(count_lines, path=1)  # type: ignore[call-overload]
    await ctx.task(count_lines, paths="a")  # type: ignore[call-overload]
    await ctx.task(len, "a")  # type: ignore[call-overload]
    await ctx.parallel.map(["a"], lambda path: ctx.task(count_lines, path=path), limit="2")  # type: ignore[call-overload]
    await ctx.breakpoint(1)  # type: ignore[arg-type]
    ctx.score("9")  # type: ignore[arg-type]
    ctx.score(9, patience="3")  # type: ignore[arg-type]
    Retry("3")  # type: ignore[arg-type]
    Retry(3, on=3)  # type: ignore[arg-type]
    await ctx.timeout(lambda: ctx.task(lint, path="a"), 60)  # type: ignore[arg-type]
    await ctx.timeout("10m", lint)  # type: ignore[arg-type]
    ctx.on_cleanup(ctx.task(lint, path="a"))  # type: ignore[arg-type]
    ctx.halt()  # type: ignore[call-arg]


async def shared(inputs: dict[str, Any], ctx: Context) -> None:
    ran = await gates(ctx, {"tests": "pytest -q", "lint": ["ruff", "check", "."]}, timeout="10m", cwd=".")
    assert_type(ran, Gates)
    assert_type(ran["tests"], Gate)
    assert_type(weighted({"tests": 100, "review": ran.share}, {"tests": 3, "review": 1}), float)
    assert_type(vote(["a", "b"]), Vote)

    async def once(number: int, before: Any) -> tuple[float, str]:
        return 90, "text"

    assert_type(await improve(ctx, once, target=90), Improved)
    approved = await until_approved(ctx, lambda attempt, feedback: ctx.task(titles, path="a"), "Right?")
    assert_type(approved, Approved)
    assert_type(approved.decision, Decision)
