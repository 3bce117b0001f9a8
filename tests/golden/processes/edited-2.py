from babysitter import agent


@agent
def ask(question: str):
    """Ask."""
    return question


async def process(inputs, ctx):
    drawn = ctx.record("drawn", lambda: "a value")
    for question in ("tests", "tests", "fix", "tests", "end"):
        await ctx.task(ask, question=question)
    return drawn
