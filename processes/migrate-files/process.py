"""Migrate files: an agent for each, a gate for each, some at a time; one bad file spoils nothing."""

from __future__ import annotations

from typing import Any

from tasks import compare, find_files, keep, migrate, put_back

from babysitter import Context, Failed, TaskFailed
from babysitter.patterns import gates

Inputs = {
    "type": "object",
    "additionalProperties": False,
    "required": ["instruction", "pattern", "check"],
    "properties": {
        "instruction": {
            "description": "what is to be done with each file, in words",
            "type": "string",
            "minLength": 1,
        },
        "pattern": {
            "description": "which files: a glob pattern such as 'src/**/*.py'",
            "type": "string",
            "minLength": 1,
        },
        "check": {
            "description": "the command that a migrated file has to pass; {file} stands for it",
            "type": "string",
            "minLength": 1,
        },
        "limit": {
            "description": "how many files at a time",
            "type": "integer",
            "minimum": 1,
            "default": 4,
        },
        "attempts": {
            "description": "how often a file is tried",
            "type": "integer",
            "minimum": 1,
            "default": 2,
        },
        "timeout": {
            "description": "how long the check of one file may take: seconds, or a text such as 90s, 10m",
            "type": ["number", "string"],
            "pattern": r"^(\d+(\.\d+)?(ms|s|m|h|d)?)+$",
            "default": "5m",
        },
    },
}


async def process(inputs: dict[str, Any], ctx: Context) -> dict[str, Any]:
    files = await ctx.task(find_files, pattern=inputs["pattern"])
    if not files:
        raise Failed(f"no file fits {inputs['pattern']!r}")
    done = 0

    async def handle(file: str) -> dict[str, Any]:
        nonlocal done
        try:
            told = await migrated(inputs, ctx, file)
        except TaskFailed as error:
            # It could not be read, kept or put back. The others have nothing to do with that.
            told = {"verdict": "failed", "why": error.message}
        done += 1
        ctx.progress(done, len(files), file)
        return {"file": file, **told}

    results = await ctx.parallel.map(files, handle, limit=inputs["limit"])
    return report(results)


async def migrated(inputs: dict[str, Any], ctx: Context, file: str) -> dict[str, Any]:
    """One file, from its copy to its verdict. After the last attempt that fails it is put back as it was."""
    copy = await ctx.task(keep, file=file)
    why = ""
    for attempt in range(1, inputs["attempts"] + 1):
        why = await try_once(inputs, ctx, file, attempt, why)
        if not why:
            is_changed = await ctx.task(compare, file=file, copy=copy)
            return {"verdict": "migrated" if is_changed else "unchanged", "attempts": attempt}
    await ctx.task(put_back, file=file, copy=copy)
    return {"verdict": "failed", "attempts": inputs["attempts"], "why": why}


async def try_once(inputs: dict[str, Any], ctx: Context, file: str, attempt: int, before: str) -> str:
    """Why it did not pass; nothing if it did."""
    try:
        await ctx.task(migrate, file=file, instruction=inputs["instruction"], attempt=attempt, before=before)
    except TaskFailed as error:
        return error.message
    ran = await gates(ctx, {"check": words(inputs["check"], file)}, timeout=inputs["timeout"])
    return ran.why()


def words(command: str, file: str) -> list[str]:
    """The command with the file filled in. No shell reads it, so a name can never become a command."""
    import shlex

    return [part.replace("{file}", file) for part in shlex.split(command)]


def report(results: list[dict[str, Any]]) -> dict[str, Any]:
    """The files by what became of them; why, and after how many attempts, of those that failed."""
    told: dict[str, Any] = {
        verdict: [each["file"] for each in results if each["verdict"] == verdict]
        for verdict in ("migrated", "unchanged")
    }
    told["failed"] = [
        {name: each[name] for name in ("file", "why")} for each in results if each["verdict"] == "failed"
    ]
    told["retried"] = [each["file"] for each in results if each.get("attempts", 1) > 1]
    if len(told["failed"]) == len(results):
        raise Failed(f"none of {len(results)} files could be migrated", told)
    return told
