"""Build and verify: build; unit tests, end-to-end tests and docs side by side; deploy if all is well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babysitter import Context, Failed, TaskFailed, python, shell

if TYPE_CHECKING:
    from babysitter import Outcome

FIND, LEAVE_OUT = ("auto", True), ("none", False)
STEPS = {"build": "builds it", "test": "runs the unit tests", "e2e": "runs the end-to-end tests"}
STEPS |= {
    "docs": "makes the documentation",
    "deploy": "deploys it; one that was found is run only after approval",
}
SIDE_BY_SIDE = ("test", "e2e", "docs")
MOST_LINES = 8

Inputs = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        **{
            name: {
                "description": f"the command that {what}; 'auto' finds one, 'none' leaves the step out",
                # `-i docs=false` is a boolean, and had better mean what it says.
                "type": ["string", "boolean"],
                "minLength": 1,
                "default": "auto",
            }
            for name, what in STEPS.items()
        },
        "path": {
            "description": "the folder of the project, relative to the current one",
            "type": "string",
            "default": ".",
        },
        "timeout": {
            "description": "how long one step may take: seconds, or a text such as 90s, 10m",
            "type": ["number", "string"],
            "pattern": r"^(\d+(\.\d+)?(ms|s|m|h|d)?)+$",
            "default": "30m",
        },
    },
}


@python
def find_commands(path: str) -> dict[str, Any]:
    """Find how the project is built, tested and deployed."""
    import os

    from commands import find
    from customary import environment

    root = os.path.abspath(path)
    if not os.path.isdir(root):
        raise NotADirectoryError(f"there is no folder {path!r} (looked for {root})")
    return {"root": root, "commands": find(root), "env": environment(root)}


@shell(title="{name}: {command}")
def run_step(name: str, command: str, cwd: str, env: dict[str, str]) -> dict[str, Any]:
    return {"command": command, "cwd": cwd, "env": env}


async def process(inputs: dict[str, Any], ctx: Context) -> dict[str, Any]:
    found = await ctx.task(find_commands, path=inputs["path"])
    commands = choose(inputs, found["commands"])
    missing = [name for name, command in commands.items() if not command and inputs[name] in FIND]
    if missing:
        ctx.log(f"found no command for: {', '.join(missing)}")
    task = run_step.using(timeout=inputs["timeout"])
    steps: list[dict[str, Any]] = []

    async def run(*names: str) -> None:
        """Several steps side by side. Settled, so that one failure hides no other."""
        present = [name for name in names if commands[name]]
        where = {"cwd": found["root"], "env": found["env"]}
        calls = [ctx.task(task, name=name, command=commands[name], **where) for name in present]
        for name, outcome in zip(present, await ctx.parallel.settled(calls), strict=True):
            steps.append({"name": name, "command": commands[name], **verdict(outcome)})
        failed = [step["name"] for step in steps if step["verdict"] == "failed"]
        if failed:
            so = "" if "deploy" in failed else ", so nothing was deployed"
            raise Failed(f"{' and '.join(failed)} failed{so}", summary(steps, missing))

    # The order is what it looks like: a failed build is the end, so what needs the build comes after it.
    await run("build")
    ctx.progress(1, 3, "built" if commands["build"] else "nothing to build")
    await run(*SIDE_BY_SIDE)
    ctx.progress(2, 3, "verified")
    if commands["deploy"] and await may_deploy(inputs, ctx, commands["deploy"], steps, missing):
        await run("deploy")
        ctx.progress(3, 3, "deployed")
    return summary(steps, missing)


def choose(inputs: dict[str, Any], found: dict[str, str]) -> dict[str, str]:
    """The command of each step: as found, none, or as given."""
    commands = {}
    for name in STEPS:
        told = inputs[name]
        if told in FIND:
            commands[name] = found[name]
        else:
            commands[name] = "" if told in LEAVE_OUT else told
    return commands


async def may_deploy(
    inputs: dict[str, Any], ctx: Context, command: str, steps: list[dict[str, Any]], missing: list[str]
) -> bool:
    """A command that somebody typed is their will. One that was merely found is put to a person first."""
    if inputs["deploy"] not in FIND:
        return True
    passed = ", ".join(step["name"] for step in steps) or "nothing"
    absent = f"; not there: {', '.join(missing)}" if missing else ""
    answer = await ctx.breakpoint(f"Deploy with `{command}`? Passed: {passed}{absent}.", title="Deploy")
    if not answer.approved:
        ctx.log("not deployed: it was not approved", feedback=answer.feedback)
    return answer.approved


def verdict(outcome: Outcome) -> dict[str, Any]:
    """How a step ended, and, when it failed, the last lines that it printed."""
    if outcome.ok:
        return {"verdict": "passed", "seconds": round(outcome.value.duration, 1)}
    error = outcome.error
    facts = error.data if isinstance(error, TaskFailed) and isinstance(error.data, dict) else {}
    output = f"{facts.get('stdout', '')}\n{facts.get('stderr', '')}"
    lines = [line for line in output.splitlines() if line.strip()][-MOST_LINES:]
    seconds = round(facts.get("durationMs", 0) / 1000, 1)
    return {"verdict": "failed", "seconds": seconds, "detail": "\n".join([str(error), *lines])}


def summary(steps: list[dict[str, Any]], missing: list[str]) -> dict[str, Any]:
    deployed = any(step["name"] == "deploy" and step["verdict"] == "passed" for step in steps)
    return {"deployed": deployed, "steps": steps, "missing": missing}
