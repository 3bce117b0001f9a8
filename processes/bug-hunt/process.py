"""Bug hunt: hypotheses that compete, a command for each that could refute it, then a fix that gates prove."""

from __future__ import annotations

from typing import Any

from tasks import fix, hypothesize, judge

from babysitter import Context, Failed
from babysitter.patterns import gates, improve, until_approved, vote, weighted

WEIGHTS = {"reproduction": 2, "checks": 1}
REPRODUCTION = "reproduction"
# What sh exits with when the command itself could not be started. That refutes nothing.
NOT_STARTED = (126, 127)
JUDGES = 3

Inputs = {
    "type": "object",
    "additionalProperties": False,
    "required": ["bug", "reproduce"],
    "properties": {
        "bug": {"description": "what goes wrong, in words", "type": "string", "minLength": 1},
        "reproduce": {
            "description": "a command that fails as long as the bug is there",
            "type": "string",
            "minLength": 1,
        },
        "checks": {
            "description": "more commands that have to pass in the end, by name",
            "type": "object",
            "propertyNames": {"pattern": "^[A-Za-z0-9_-]{1,64}$", "not": {"const": REPRODUCTION}},
            "additionalProperties": {"type": "string", "minLength": 1},
            "default": {},
        },
        "hypotheses": {
            "description": "how many hypotheses are wanted at a time",
            "type": "integer",
            "minimum": 2,
            "default": 4,
        },
        "ask": {
            "description": "put the commands of the hypotheses to a person before they are run",
            "type": "boolean",
            "default": True,
        },
        "rounds": {
            "description": "how many rounds at most, of hypotheses as of fixes",
            "type": "integer",
            "minimum": 1,
            "default": 3,
        },
        "timeout": {
            "description": "how long one command may take: seconds, or a text such as 90s, 10m",
            "type": ["number", "string"],
            "pattern": r"^(\d+(\.\d+)?(ms|s|m|h|d)?)+$",
            "default": "5m",
        },
    },
}


async def process(inputs: dict[str, Any], ctx: Context) -> dict[str, Any]:
    shown = (await gates(ctx, {REPRODUCTION: inputs["reproduce"]}, timeout=inputs["timeout"]))[REPRODUCTION]
    if shown.passed:
        raise Failed("the bug does not show: the command that is to fail exits with 0")
    tried: list[dict[str, Any]] = []
    for _ in range(inputs["rounds"]):
        made = await hypotheses(inputs, ctx, str(shown), tried)
        tried += await put_to_the_test(inputs, ctx, made)
        standing = [each for each in tried if each["verdict"] == "stands"]
        if standing:
            break
    else:
        raise Failed(f"none of {len(tried)} hypotheses stands", {"hypotheses": tried})
    cause = await likeliest(inputs, ctx, standing)
    ctx.log(f"{len(standing)} of {len(tried)} hypotheses stand", cause=cause["claim"])
    return await mend(inputs, ctx, cause, tried)


async def hypotheses(
    inputs: dict[str, Any], ctx: Context, shown: str, tried: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """New ones; where a person is asked, those whose commands they let run."""

    async def make(attempt: int, feedback: str | None) -> list[dict[str, Any]]:
        told = {"bug": inputs["bug"], "shown": shown, "tried": tried, "count": inputs["hypotheses"]}
        answer = await ctx.task(hypothesize, {**told, "attempt": attempt, "feedback": feedback})
        made: list[dict[str, Any]] = answer["hypotheses"]
        return made

    if not inputs["ask"]:
        return await make(1, None)
    made: list[dict[str, Any]] = (await until_approved(ctx, make, question, title="Commands")).result
    return made


def question(made: list[dict[str, Any]]) -> str:
    # In one line: where it is shown, the end of a line is escaped as all that a terminal acts on.
    told = [f"{number}. `{each['command']}` ({each['claim']})" for number, each in enumerate(made, 1)]
    return f"May these commands be run, all at once? {'  '.join(told)}"


async def put_to_the_test(
    inputs: dict[str, Any], ctx: Context, made: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Each hypothesis with its verdict: the exit code of its command, and nobody's opinion."""
    commands = {f"hypothesis-{number}": each["command"] for number, each in enumerate(made, 1)}
    ran = await gates(ctx, commands, timeout=inputs["timeout"])
    told = []
    for each, gate in zip(made, ran.values(), strict=True):
        is_open = gate.exit_code is None or gate.exit_code in NOT_STARTED
        verdict = "stands" if gate.passed else "undecided" if is_open else "refuted"
        told.append({**each, "verdict": verdict, "exitCode": gate.exit_code, "lines": gate.lines})
    return told


async def likeliest(inputs: dict[str, Any], ctx: Context, standing: list[dict[str, Any]]) -> dict[str, Any]:
    """Of those that stand, the one that most of several agents begin with; it is the fix that proves it."""
    if len(standing) == 1:
        return standing[0]

    told = {"bug": inputs["bug"], "standing": standing}
    asked = [ctx.task(judge, {**told, "number": number}) for number in range(1, JUDGES + 1)]
    votes = [each.value["choice"] for each in await ctx.parallel.settled(asked) if each.ok]
    # It only says where to begin, so nothing ends when nobody answers.
    return standing[min(vote(votes or [1]).answer, len(standing)) - 1]


async def mend(
    inputs: dict[str, Any], ctx: Context, cause: dict[str, Any], tried: list[dict[str, Any]]
) -> dict[str, Any]:
    """Fix it until the reproduction and all checks pass."""
    commands = {REPRODUCTION: inputs["reproduce"], **inputs["checks"]}

    async def attempt(number: int, before: dict[str, Any] | None) -> tuple[float, dict[str, Any]]:
        why = before["why"] if before else ""
        summary = await ctx.task(fix, bug=inputs["bug"], cause=cause, number=number, why=why)
        ran = await gates(ctx, commands, timeout=inputs["timeout"])
        scores = {REPRODUCTION: 100 if ran[REPRODUCTION].passed else 0, "checks": ran.share}
        return weighted(scores, WEIGHTS), {"fix": summary, "gates": ran.rows(), "why": ran.why()}

    done = await improve(ctx, attempt, target=100, rounds=inputs["rounds"], patience=None)
    report = {"cause": cause["claim"], "hypotheses": tried, "scores": done.history}
    report |= {"fix": done.result["fix"], "gates": done.result["gates"]}
    if not done.reached:
        raise Failed(f"not fixed in {len(done.history)} rounds", report)
    return report
