"""Deploy services: several side by side; when one fails the others go on, and can be taken back."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from babysitter import Context, Failed, python, shell

if TYPE_CHECKING:
    from babysitter import Outcome

NAME = "[A-Za-z0-9][A-Za-z0-9_.-]*"
SCRIPT = "deploy/{service}.sh {env}"
MOST_LINES = 5

Inputs = {
    "type": "object",
    "additionalProperties": False,
    "properties": {
        "services": {
            "description": "names: a JSON list, or a text with commas (default: one for each deploy/*.sh)",
            "type": ["array", "string"],
            "items": {"type": "string", "pattern": f"^{NAME}$"},
            "pattern": rf"^\s*{NAME}(\s*,\s*{NAME})*\s*$",
            "default": [],
        },
        "env": {
            "description": "the environment to deploy to",
            "type": "string",
            "pattern": f"^{NAME}$",
            "default": "staging",
        },
        "command": {
            "description": "deploys one service; {service} and {env} stand for the names",
            "type": "string",
            "minLength": 1,
            "default": SCRIPT,
        },
        "rollback": {
            "description": "takes one service back, when another failed (default: leave what went through)",
            "type": "string",
            "default": "",
        },
        "production": {
            "description": "the environments that need a person's approval, separated by commas",
            "type": "string",
            "default": "production,prod,live",
        },
        "timeout": {
            "description": "how long one service may take: seconds, or a text such as 90s, 10m",
            "type": ["number", "string"],
            "pattern": r"^(\d+(\.\d+)?(ms|s|m|h|d)?)+$",
            "default": "15m",
        },
        "limit": {
            "description": "how many services at a time",
            "type": "integer",
            "minimum": 1,
            "default": 10,
        },
    },
}


@python
def find_services() -> list[str]:
    """Find the services that have a script."""
    scripts = (
        [name for name in os.listdir("deploy") if name.endswith(".sh")] if os.path.isdir("deploy") else []
    )
    return sorted(name.removesuffix(".sh") for name in scripts)


@shell(title="deploy {service} to {env}")
def deploy(service: str, env: str, command: str) -> list[str]:
    return words(command, service, env)


@shell(title="roll {service} back")
def roll_back(service: str, env: str, command: str) -> list[str]:
    return words(command, service, env)


def words(command: str, service: str, env: str) -> list[str]:
    """The command with the names filled in. No shell reads it, so a name can never become a command."""
    import shlex

    return [part.replace("{service}", service).replace("{env}", env) for part in shlex.split(command)]


async def process(inputs: dict[str, Any], ctx: Context) -> dict[str, Any]:
    env = inputs["env"]
    services = await choose(ctx, listed(inputs["services"]), inputs["command"])
    if env in listed(inputs["production"]):
        await ask(ctx, services, env)

    async def each(task: Any, names: list[str], command: str) -> dict[str, Outcome]:
        """One task for several services at once. Settled: the first failure does not stop the rest."""
        task = task.using(timeout=inputs["timeout"])
        calls = [ctx.task(task, service=name, env=env, command=command) for name in names]
        return dict(zip(names, await ctx.parallel.settled(calls, limit=inputs["limit"]), strict=True))

    outcomes = await each(deploy, services, inputs["command"])
    result = {"env": env, **sort_out(outcomes, "deployed")}
    if not result["failed"]:
        ctx.log(f"{len(services)} services deployed to {env}")
        return result
    if inputs["rollback"] and result["deployed"]:
        undone = await each(roll_back, result["deployed"], inputs["rollback"])
        back = sort_out(undone, "rolledBack")
        result.update(deployed=[], rolledBack=back["rolledBack"], rollbackFailed=back["failed"])
    raise Failed(
        f"{len(result['failed'])} of {len(services)} services could not be deployed to {env}", result
    )


async def choose(ctx: Context, named: list[str], command: str) -> list[str]:
    """The services that are named, or all that have a script; a slip in a name stops it before it starts."""
    if named and command != SCRIPT:
        return named
    known = await ctx.task(find_services)
    unknown = [name for name in named if name not in known]
    if unknown:
        raise Failed(f"there is no deploy/{unknown[0]}.sh", {"services": known})
    if not known:
        raise Failed("there is nothing to deploy: name the services, or put a script for each into deploy/")
    return named or known


async def ask(ctx: Context, services: list[str], env: str) -> None:
    """Let a person decide before production is touched; what is not a yes ends the run."""
    answer = await ctx.breakpoint(f"Deploy {', '.join(services)} to {env}?", title=f"Deploy to {env}")
    if not answer.approved:
        raise Failed(f"the deployment to {env} was not approved", {"feedback": answer.feedback})


def listed(names: list[str] | str) -> list[str]:
    """Names of a list, or of a text with commas, each once."""
    parts = names.split(",") if isinstance(names, str) else names
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


def sort_out(outcomes: dict[str, Outcome], good: str) -> dict[str, Any]:
    """Who went through, and why the others did not."""
    failed = [
        {"service": name, "reason": reason(outcome.error)}
        for name, outcome in outcomes.items()
        if not outcome.ok
    ]
    return {good: [name for name, outcome in outcomes.items() if outcome.ok], "failed": failed}


def reason(error: Any) -> str:
    """The message, and the last lines that the command printed."""
    facts = error.data if isinstance(getattr(error, "data", None), dict) else {}
    output = f"{facts.get('stdout', '')}\n{facts.get('stderr', '')}"
    lines = [line for line in output.splitlines() if line.strip()][-MOST_LINES:]
    return "\n".join([str(error), *lines])
