"""What a type checker makes of a process; checked, never run."""

from __future__ import annotations

from typing import Any, assert_type

from pydantic import BaseModel

from babysitter import Context, Decision, Outcome, ShellResult, agent, define_task, python, shell


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
