from babysitter import agent


@agent
def ask(question: str):
    """Ask."""
    return question


async def process(inputs, ctx):
    first = await ctx.task(ask, question="first")
    rest = await ctx.parallel.map(range(inputs["parts"]), lambda part: ctx.task(ask, question=f"part {part}"))
    return [first, *rest]
