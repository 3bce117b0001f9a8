"""Code review: a reviewer for each concern, and three votes on each finding, all of it side by side."""

from __future__ import annotations

from typing import Any

from babysitter import Context, Failed, Retry, TaskFailed, agent, python
from babysitter.patterns import vote

SEVERITIES = ["high", "medium", "low"]
# Three who look at the same finding in the same way would err in the same way.
ANGLES = {
    "reads": "Read the code around it and follow its callers: can the case of the finding happen?",
    "refutes": "Look for what prevents it: a check before it, a type, a caller that never does so, a test.",
    "tries": "Try it, with a small program of your own outside of the repository, and see what happens.",
}

Inputs = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "base": {
            "description": "what the files are compared with: a commit, a branch, a tag",
            "type": "string",
            "pattern": "^[^-]",
            "default": "HEAD",
        },
        "concerns": {
            "description": "what the reviewers look at, one each: a JSON list, or a text with commas",
            "type": ["array", "string"],
            "items": {"type": "string", "minLength": 1},
            "minItems": 1,
            "pattern": "[^ ,]",
            "default": "correctness, security, tests",
        },
        "limit": {
            "description": "how many findings of a reviewer are voted on at a time",
            "type": "integer",
            "minimum": 1,
            "default": 4,
        },
    },
}
FINDING = {
    "type": "object",
    "required": ["file", "line", "severity", "claim"],
    "properties": {
        "file": {"type": "string"},
        "line": {"type": "integer", "minimum": 1},
        "severity": {"enum": SEVERITIES},
        "claim": {"type": "string", "minLength": 1},
    },
}
FINDINGS = {
    "type": "object",
    "required": ["findings"],
    "properties": {"findings": {"type": "array", "items": FINDING}},
}
BALLOT = {
    "type": "object",
    "required": ["real", "why"],
    "properties": {"real": {"type": "boolean"}, "why": {"type": "string"}},
}


@python(title="find what differs from {base}")
def changed_files(base: str) -> list[str]:
    """Files that differ from the base or are new, as git tells it; those that are gone are left out."""
    import subprocess

    def ask(*words: str) -> list[str]:
        done = subprocess.run(["git", *words], capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"git {words[0]} failed: {done.stderr.strip()}")
        return [name for name in done.stdout.split("\0") if name]

    known = ask("diff", "--name-only", "--relative", "--diff-filter=d", "-z", base, "--", ".", ":!.a5c")
    return sorted({*known, *ask("ls-files", "--others", "--exclude-standard", "-z", "--", ".", ":!.a5c")})


@agent(returns=FINDINGS, title="review: {concern}", retry=Retry(2))
def review(concern: str, base: str, files: list[str]) -> dict[str, Any]:
    return {
        "task": f"Review a change, and look at one thing alone: {concern}. Others look at the rest.",
        "context": {"compared with": base, "files that differ": files},
        "instructions": [
            f"See the change with `git diff {base} -- FILE`, and whole files if need be. Change nothing.",
            "Report what this change has made wrong in these files, and the case in which it goes wrong.",
            "No matters of taste, nothing that you are not sure of. An empty list is a good answer.",
        ],
    }


@agent(returns=BALLOT, title="{angle}: {finding[file]}:{finding[line]}")
def verify(angle: str, finding: dict[str, Any], base: str) -> dict[str, Any]:
    return {
        "task": "Somebody says that this is a defect. Find out whether it is one. You vote alone.",
        "context": {"finding": finding, "compared with": base},
        "instructions": [
            ANGLES[angle],
            "Change nothing in the repository. If you cannot tell, it is not real.",
        ],
    }


async def process(inputs: dict[str, Any], ctx: Context) -> dict[str, Any]:
    base, concerns = inputs["base"], listed(inputs["concerns"])
    files = await ctx.task(changed_files, base=base)
    if not files:
        return {"files": [], "findings": [], "rejected": [], "failed": []}

    async def look(concern: str) -> list[dict[str, Any]]:
        """One reviewer. Their findings are voted on as soon as they are done, whoever else is not."""
        found = (await ctx.task(review, concern=concern, base=base, files=files))["findings"]
        of_change = [{"concern": concern, **each} for each in found if each["file"] in files]
        return await ctx.parallel.map(of_change, lambda each: judge(ctx, each, base), limit=inputs["limit"])

    looks = [lambda concern=concern: look(concern) for concern in concerns]
    outcomes = dict(zip(concerns, await ctx.parallel.settled(looks), strict=True))
    failed = [{"concern": name, "error": str(told.error)} for name, told in outcomes.items() if not told.ok]
    if len(failed) == len(concerns):
        raise Failed(f"no reviewer came to an end: {failed[0]['error']}", {"failed": failed})
    judged = sorted((each for told in outcomes.values() if told.ok for each in told.value), key=rank)
    kept = [each for each in judged if each["confirmed"]]
    ctx.log(f"{len(kept)} of {len(judged)} findings confirmed in {len(files)} files")
    rejected = [each for each in judged if not each["confirmed"]]
    return {"files": files, "findings": kept, "rejected": rejected, "failed": failed}


async def judge(ctx: Context, finding: dict[str, Any], base: str) -> dict[str, Any]:
    """The finding with its votes. A vote that did not come is none for it."""

    async def ask(angle: str) -> dict[str, Any]:
        try:
            ballot: dict[str, Any] = await ctx.task(verify, angle=angle, finding=finding, base=base)
        except TaskFailed as error:
            return {"angle": angle, "real": None, "why": error.message}
        return {"angle": angle, "real": ballot["real"], "why": ballot["why"]}

    votes = await ctx.parallel.map(list(ANGLES), ask, key=str)
    voted = vote(votes, key=lambda ballot: ballot["real"])
    return {**finding, "confirmed": voted.answer["real"] is True and voted.is_majority, "votes": votes}


def listed(concerns: list[str] | str) -> list[str]:
    """Concerns of a list, or of a text with commas, each once."""
    parts = concerns.split(",") if isinstance(concerns, str) else concerns
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


def rank(finding: dict[str, Any]) -> tuple[int, str, int, str]:
    """The worst first, then by place."""
    return SEVERITIES.index(finding["severity"]), finding["file"], finding["line"], finding["concern"]
