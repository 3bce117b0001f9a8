"""What is shipped only when a person has said yes."""

from typing import Any

from babysitter import Context, Failed, shell


@shell(title="prepare")
def prepare() -> str:
    return "touch prepared"


@shell(title="ship")
def ship() -> str:
    return "touch shipped"


async def process(inputs: dict[str, Any], ctx: Context) -> dict[str, Any]:
    await ctx.task(prepare)
    gate = await ctx.breakpoint("Is it good enough?", title="Ship it")
    if not gate.approved:
        raise Failed("a person said no")
    await ctx.task(ship)
    return {"by": gate.responded_by}
