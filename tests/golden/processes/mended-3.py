from babysitter import agent


@agent
def ask(question: str):
    """Ask."""
    return question


async def process(inputs, ctx):
    return [await ctx.task(ask, question=question) for question in ("one", "two", "three")]
