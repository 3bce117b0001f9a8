import asyncio

from babysitter import agent


@agent
def ask(question: str):
    """Ask."""
    return question


async def chain(ctx, name):
    return [await ctx.task(ask, question=name), await ctx.task(ask, question=name * 2)]


async def process(inputs, ctx):
    first = asyncio.create_task(chain(ctx, "a"))
    both = await asyncio.gather(chain(ctx, "b"), ctx.parallel.all([ctx.task(ask, question="c")]))
    try:
        async with asyncio.timeout(0.05):
            await ctx.task(ask, question="late")
    except TimeoutError:
        ctx.log("late")
    return [await first, both]
