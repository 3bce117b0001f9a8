"""Two questions side by side, and what became of each."""

from typing import Any

from babysitter import Context, agent


@agent(title="ask {name}")
def ask(name: str) -> str:
    return f"Say something of {name}."


async def process(inputs: dict[str, Any], ctx: Context) -> list[Any]:
    outcomes = await ctx.parallel.settled([ctx.task(ask, name="one"), ctx.task(ask, name="two")])
    return [outcome.value if outcome.ok else outcome.error.name for outcome in outcomes]
