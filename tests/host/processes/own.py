"""Something that the session does itself, beside what a subagent does."""

from typing import Any

from babysitter import Context, agent

NUMBER = {"type": "integer"}


@agent(returns=NUMBER, title="count")
def count() -> str:
    return "Count."


async def process(inputs: dict[str, Any], ctx: Context) -> list[int]:
    think = ctx.orchestrator_task("Think of a number, yourself.", returns=NUMBER, title="think")
    return await ctx.parallel.all([think, ctx.task(count)])
