"""What has a mistake after its first step, and holds nothing that a person would have to guard."""

from typing import Any

from babysitter import Context, agent


@agent(title="begin")
def begin() -> str:
    return "Say how to begin."


async def process(inputs: dict[str, Any], ctx: Context) -> int:
    await ctx.task(begin)
    return len(inputs["absent"])
