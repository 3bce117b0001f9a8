"""What has nothing to do for an hour."""

from typing import Any

from babysitter import Context


async def process(inputs: dict[str, Any], ctx: Context) -> None:
    await ctx.sleep("1h")
