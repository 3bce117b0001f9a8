"""Quality checks: find what a project has, run it side by side, say what failed and what is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import report
import times

from babysitter import Context, Failed, TaskFailed, python, shell

if TYPE_CHECKING:
    from babysitter import ShellResult

NAMES = "tests|types|lint|format|syntax|packaging"

Inputs = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "path": {
            "description": "the project to check, relative to the current one",
            "type": "string",
            "default": ".",
        },
        "checks": {
            "description": f"which checks, separated by commas: {NAMES.replace('|', ', ')}",
            "type": "string",
            "pattern": rf"^\s*({NAMES})(\s*,\s*({NAMES}))*\s*$",
            "default": NAMES.replace("|", ","),
        },
        "timeout": {
            "description": "how long one check may take: seconds, or a text such as 90s, 10m, 1h",
            "type": ["number", "string"],
            "exclusiveMinimum": 0,
            "pattern": r"^(\d+(\.\d+)?(ms|s|m|h|d)?)+$",
            "default": "30m",
        },
    },
}


@python(timeout="2m", title="find the checks of {path}")
def look(path: str, names: list[str]) -> dict[str, Any]:
    """Which checks the project has, and which are missing."""
    # It reads the disk, which answers differently tomorrow. As a task it is asked once: its result is in
    # the journal and the same on every replay. The import is here so that only the task pays for it.
    from detection import plan

    return plan(path, names)


# A check that finds faults exits with 1. That is a result, not an accident, hence check=False.
@shell(check=False, title="{tool}")
def run_check(tool: str, argv: list[str], cwd: str, env: dict[str, str]) -> dict[str, Any]:
    return {"argv": argv, "cwd": cwd, "env": env}


async def process(inputs: dict[str, Any], ctx: Context) -> dict[str, Any]:
    names = list(dict.fromkeys(name.strip() for name in inputs["checks"].split(",")))
    plan = await ctx.task(look, path=inputs["path"], names=names)
    task = run_check.using(timeout=inputs["timeout"])
    ended: list[tuple[float, float]] = []  # when, and after how many seconds

    async def run(check: dict[str, Any]) -> dict[str, Any]:
        try:
            result: ShellResult = await ctx.task(
                task,
                tool=check["tool"],
                argv=check["argv"],
                cwd=plan["root"],
                env={**plan["env"], **check["env"]},
            )
        except TaskFailed as error:
            # Too slow, or not to be started. The other checks go on: all of the news at once.
            ended.append((ctx.now().timestamp(), report.seconds_of(error)))
            return report.judge_failure(check, error)
        # Not the clock, which says something else at the next replay: the time of what was just fed.
        ended.append((ctx.now().timestamp(), result.duration))
        return report.judge(check, result, plan["root"])

    # All of them are asked for at once, each in a branch of its own, named so that people know it again.
    # How many really run at a time is for --jobs to say.
    ran = await ctx.parallel.all({name: run(check) for name, check in named(plan["checks"]).items()})
    summary = report.summarize(list(ran.values()), plan["missing"], times.took(ended))
    ctx.log(report.counts(summary))
    if summary["failed"]:
        raise Failed(failure_message(summary), summary)
    return summary


def failure_message(summary: dict[str, Any]) -> str:
    failed = [f"{c['name']} ({c['tool']})" for c in summary["checks"] if c["verdict"] == "failed"]
    return f"{len(failed)} of {len(summary['checks'])} checks failed: {', '.join(failed)}"


def named(checks: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Each check under its name; a second of the same name (there can be two linters) gets a number."""
    by_name: dict[str, dict[str, Any]] = {}
    for check in checks:
        count = sum(other["name"] == check["name"] for other in by_name.values())
        by_name[check["name"] if not count else f"{check['name']}-{count + 1}"] = check
    return by_name
