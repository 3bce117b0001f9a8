"""Many small steps for an agent, one after the other."""

from typing import Any

from babysitter import Context, agent

NUMBER = {"type": "integer"}


@agent(returns=NUMBER, title="step {number}")
def step(number: int) -> str:
    return f"Give the number after {number}."


async def process(inputs: dict[str, Any], ctx: Context) -> int:
    number = 0
    for _ in range(int(inputs.get("steps", 2))):
        number = await ctx.task(step, number=number)
    return number
