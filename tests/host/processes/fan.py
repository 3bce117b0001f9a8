"""Ten effects of an agent and of commands, half of them at once."""

from typing import Any

from babysitter import Context, agent, shell


@agent(title="think {number}")
def think(number: int) -> str:
    return f"Say what comes after {number}."


@shell(title="count {number}")
def count(number: int) -> str:
    return f"echo {number} >>counted"


async def process(inputs: dict[str, Any], ctx: Context) -> int:
    for turn in range(2):
        await ctx.parallel.all(
            [
                *(ctx.task(think, number=10 * turn + number) for number in range(2)),
                *(ctx.task(count, number=10 * turn + number) for number in range(3)),
            ]
        )
    return turn
