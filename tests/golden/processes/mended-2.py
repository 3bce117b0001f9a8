from babysitter import agent


@agent
def ask(question: str):
    """Ask."""
    return question


async def process(inputs, ctx):
    first = await ctx.task(ask, question="one")
    second = await ctx.task(ask, question="two")
    return [first, second]
