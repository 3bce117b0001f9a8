"""Plan, let a person say yes, implement until gates and a review are content."""

from __future__ import annotations

from typing import Any

from babysitter import Context, Failed, Retry, agent, python
from babysitter.patterns import gates, improve, until_approved, weighted

WEIGHTS = {"gates": 2, "review": 1}

Inputs = {
    "type": "object",
    "additionalProperties": False,
    "required": ["goal"],
    "properties": {
        "goal": {"description": "what is to be done, in words", "type": "string", "minLength": 1},
        "checks": {
            "description": "the commands that have to pass, by name, such as tests, lint, types",
            "type": "object",
            "minProperties": 1,
            "propertyNames": {"pattern": "^[A-Za-z0-9_-]{1,64}$"},
            "additionalProperties": {"type": "string", "minLength": 1},
            "default": {"tests": "pytest -q"},
        },
        "attempts": {
            "description": "how many plans are put to a person before it is given up",
            "type": "integer",
            "minimum": 1,
            "default": 3,
        },
        "target": {
            "description": "the score that is good enough",
            "type": "number",
            "minimum": 1,
            "maximum": 100,
            "default": 90,
        },
        "rounds": {
            "description": "how many rounds of implementing at most",
            "type": "integer",
            "minimum": 1,
            "default": 4,
        },
        "timeout": {
            "description": "how long one command may take: seconds, or a text such as 90s, 10m",
            "type": ["number", "string"],
            "pattern": r"^(\d+(\.\d+)?(ms|s|m|h|d)?)+$",
            "default": "10m",
        },
    },
}
PLAN = {
    "type": "object",
    "required": ["plan"],
    "properties": {"plan": {"type": "string", "minLength": 1}},
}
REVIEW = {
    "type": "object",
    "required": ["score", "defects"],
    "properties": {
        "score": {"type": "number", "minimum": 0, "maximum": 100},
        "defects": {"type": "array", "items": {"type": "string"}},
    },
}


@agent(returns=PLAN, title="plan (attempt {attempt})", retry=Retry(2))
def make_plan(
    goal: str, checks: list[str], attempt: int, before: str, feedback: str | None
) -> dict[str, Any]:
    return {
        "task": "Plan how this is to be done. Read what you need; change nothing.",
        "context": {"goal": goal, "your last plan": before, "what a person said of it": feedback},
        "instructions": [
            "Markdown, a page at most: what changes in which file, in which order, and what could go wrong.",
            f"In the end these have to pass: {', '.join(checks)}.",
        ],
    }


@python(title="write the plan down (attempt {attempt})")
def write_plan(attempt: int, plan: str) -> str:
    """The path of the file that people read; each attempt has its own, so that they can be compared."""
    import os

    # Relative, and not ctx.artifacts: so the run goes on when its project was moved meanwhile.
    folder = os.path.relpath(os.path.realpath(os.environ["BABYSITTER_ARTIFACTS"]), os.path.realpath("."))
    path = os.path.join(folder, f"plan-{attempt}.md")
    with open(path, "w", encoding="utf-8") as stream:
        stream.write(plan.rstrip() + "\n")
    return path


@agent(title="implement (round {number})", retry=Retry(2))
def implement(goal: str, plan: str, number: int, why: str) -> dict[str, Any]:
    return {
        "task": "Do what the plan says. A person has approved it: do not do anything else.",
        "context": {"goal": goal, "plan": plan, "what was wrong after the last round": why},
        "instructions": ["Commit nothing.", "Answer in one sentence."],
    }


@agent(returns=REVIEW, title="review (round {number})", retry=Retry(2))
def review(goal: str, plan: str, number: int) -> dict[str, Any]:
    return {
        "task": "Review what was done by this plan; change nothing. 100 is nothing to mend.",
        "context": {"goal": goal, "plan": plan},
        "instructions": [
            "Look at what differs from the plan, is missing, or does more than it says.",
            "Tests, linters and the like are run by others: look at what they do not see.",
        ],
    }


async def process(inputs: dict[str, Any], ctx: Context) -> dict[str, Any]:
    goal, checks = inputs["goal"], inputs["checks"]
    plan, attempts = await approved_plan(inputs, ctx)

    async def attempt(number: int, before: dict[str, Any] | None) -> tuple[float, dict[str, Any]]:
        await ctx.task(implement, goal=goal, plan=plan, number=number, why=before["why"] if before else "")
        ran, reviewed = await ctx.parallel.all(
            (
                lambda: gates(ctx, checks, timeout=inputs["timeout"]),
                lambda: ctx.task(review, goal=goal, plan=plan, number=number),
            )
        )
        score = weighted({"gates": ran.share, "review": reviewed["score"]}, WEIGHTS)
        why = "\n\n".join([ran.why(), *reviewed["defects"]]).strip()
        # Whatever else is good: a gate that fails is not made up for.
        score = score if ran.passed else min(score, inputs["target"] - 1)
        return score, {"gates": ran.rows(), "review": reviewed, "why": why}

    done = await improve(ctx, attempt, target=inputs["target"], rounds=inputs["rounds"])
    report = {"plan": plan, "attempts": attempts, "scores": done.history, "stopped": done.reason}
    report |= {"gates": done.result["gates"], "review": done.result["review"]}
    if not done.reached:
        raise Failed(
            f"not done: {done.reason} after {len(done.history)} rounds, {done.score:g} at best", report
        )
    return report


async def approved_plan(inputs: dict[str, Any], ctx: Context) -> tuple[str, int]:
    """The plan that a person has said yes to, and how many there were."""
    before = ""

    async def make(attempt: int, feedback: str | None) -> dict[str, str]:
        nonlocal before
        asked = {"goal": inputs["goal"], "checks": list(inputs["checks"].values()), "attempt": attempt}
        before = (await ctx.task(make_plan, {**asked, "before": before, "feedback": feedback}))["plan"]
        path = await ctx.task(write_plan, attempt=attempt, plan=before)
        return {"plan": before, "path": path}

    approved = await until_approved(
        ctx,
        make,
        f"Is this plan to be carried out? {inputs['goal']}",
        attempts=inputs["attempts"],
        title="Plan",
        id="plan",
        files=lambda made: [made["path"]],
    )
    return approved.result["plan"], approved.attempt
