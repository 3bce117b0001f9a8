"""Test first: an agent writes tests, another implements until tests, checks and a review are content."""

from __future__ import annotations

from typing import Any

from tasks import digests, implement, review, write_tests

from babysitter import Context, Failed
from babysitter.patterns import Gates, gates, improve, until_approved, weighted

WEIGHTS = {"tests": 3, "checks": 1, "review": 1}
# What sh exits with when the command itself could not be started: no test has failed.
NOT_STARTED = (126, 127)

Inputs = {
    "type": "object",
    "additionalProperties": False,
    "required": ["goal"],
    "properties": {
        "goal": {"description": "what is to be implemented, in words", "type": "string", "minLength": 1},
        "test": {
            "description": "the command that runs the tests",
            "type": "string",
            "minLength": 1,
            "default": "pytest -q",
        },
        "checks": {
            "description": "more commands that have to pass, by name, such as lint, types, format",
            "type": "object",
            "propertyNames": {"pattern": "^[A-Za-z0-9_-]{1,64}$", "not": {"const": "tests"}},
            "additionalProperties": {"type": "string", "minLength": 1},
            "default": {},
        },
        "ask": {
            "description": "put the tests to a person before anything is implemented",
            "type": "boolean",
            "default": False,
        },
        "target": {
            "description": "the score that is good enough",
            "type": "number",
            "minimum": 1,
            "maximum": 100,
            "default": 90,
        },
        "rounds": {"description": "how many rounds at most", "type": "integer", "minimum": 1, "default": 5},
        "patience": {
            "description": "how many rounds in a row may bring nothing better",
            "type": "integer",
            "minimum": 1,
            "default": 2,
        },
        "timeout": {
            "description": "how long one command may take: seconds, or a text such as 90s, 10m",
            "type": ["number", "string"],
            "pattern": r"^(\d+(\.\d+)?(ms|s|m|h|d)?)+$",
            "default": "10m",
        },
    },
}


async def process(inputs: dict[str, Any], ctx: Context) -> dict[str, Any]:
    tests = await tests_of(inputs, ctx)
    await see_them_fail(inputs, ctx, list(tests))

    async def attempt(number: int, why: str | None) -> tuple[float, str]:
        told = {"goal": inputs["goal"], "number": number, "tests": list(tests), "why": why or ""}
        await ctx.task(implement, told)
        ran, reviewed, changed = await look(inputs, ctx, tests, number)
        score = score_of(ran, reviewed, changed)
        if not ran.passed or changed:
            # Whatever else is good: a gate that fails is not made up for.
            score = min(score, inputs["target"] - 1)
        return score, faults(ran, reviewed, changed)

    limits = {name: inputs[name] for name in ("target", "rounds", "patience")}
    done = await improve(ctx, attempt, **limits)
    # The last word is not that of the round which was scored: all of it once more, on what is there now.
    ran, reviewed, changed = await look(inputs, ctx, tests, len(done.history) + 1)
    report = {"tests": list(tests), "scores": done.history, "stopped": done.reason, "gates": ran.rows()}
    report |= {"review": reviewed, "changedTests": changed}
    if not (done.reached and ran.passed and not changed):
        rounds = f"{len(done.history)} rounds at {done.history[-1]:g}"
        raise Failed(f"not done: {done.reason} after {rounds}", report)
    return report


async def tests_of(inputs: dict[str, Any], ctx: Context) -> dict[str, str]:
    """The files with the tests, each with its digest; where a person is asked, those with their yes."""

    async def make(attempt: int, feedback: str | None) -> dict[str, str]:
        told = {"goal": inputs["goal"], "test": inputs["test"], "attempt": attempt, "feedback": feedback}
        files = list(dict.fromkeys((await ctx.task(write_tests, told))["files"]))
        tests = dict(zip(files, await ctx.task(digests, files=files), strict=True))
        missing = [file for file in files if not tests[file]]
        if missing:
            raise Failed(
                f"the tests are to be in {missing[0]}, which is not in the project", {"tests": files}
            )
        return tests

    if not inputs["ask"]:
        return await make(1, None)
    question = f"Are these the tests for: {inputs['goal']}?"
    tests: dict[str, str] = (await until_approved(ctx, make, question, title="Tests", files=list)).result
    return tests


async def see_them_fail(inputs: dict[str, Any], ctx: Context, files: list[str]) -> None:
    """The tests fail while there is nothing, or there is no use in going on."""
    gate = (await gates(ctx, {"tests": inputs["test"]}, timeout=inputs["timeout"]))["tests"]
    if gate.passed:
        why = "the new tests pass before anything is implemented, so they prove nothing"
        raise Failed(why, {"tests": files})
    if gate.exit_code is None or gate.exit_code in NOT_STARTED:
        raise Failed(f"the tests cannot be run: {inputs['test']}", {"tests": files, "gate": gate})


async def look(
    inputs: dict[str, Any], ctx: Context, tests: dict[str, str], number: int
) -> tuple[Gates, dict[str, Any], list[str]]:
    """All that is looked at after a round, at once: commands, a review, and which tests were changed."""
    commands = {"tests": inputs["test"], **inputs["checks"]}
    ran, reviewed, now = await ctx.parallel.all(
        (
            lambda: gates(ctx, commands, timeout=inputs["timeout"]),
            lambda: ctx.task(review, goal=inputs["goal"], number=number),
            lambda: ctx.task(digests, files=list(tests)),
        )
    )
    return ran, reviewed, [file for file, digest in zip(tests, now, strict=True) if tests[file] != digest]


def score_of(ran: Gates, reviewed: dict[str, Any], changed: list[str]) -> float:
    """Tests that were changed have not passed, whatever they exit with."""
    scores = {"tests": 100 if ran["tests"].passed and not changed else 0, "review": reviewed["score"]}
    checks = [gate for name, gate in ran.items() if name != "tests"]
    if checks:
        scores["checks"] = 100 * sum(gate.passed for gate in checks) / len(checks)
    return weighted(scores, {name: WEIGHTS[name] for name in scores})


def faults(ran: Gates, reviewed: dict[str, Any], changed: list[str]) -> str:
    touched = [f"{file} was changed; put it back as it was" for file in changed]
    return "\n\n".join([*touched, ran.why(), *reviewed["defects"]]).strip()
