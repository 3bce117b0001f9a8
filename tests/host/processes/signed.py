"""What is shipped only when a person has signed for it."""

from typing import Any

from babysitter import Context


async def process(inputs: dict[str, Any], ctx: Context) -> bool:
    gate = await ctx.breakpoint("Is it good enough?", title="Ship it", assurance="signed")
    return gate.approved
