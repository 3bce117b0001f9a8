from babysitter import TaskCancelled, agent


@agent
def ask(question: str):
    """Ask."""
    return question


async def process(inputs, ctx):
    async def tidy():
        await ctx.task(ask, question="tidy")

    ctx.on_cleanup(tidy)
    try:
        await ctx.task(ask, question="one")
    except TaskCancelled as error:
        ctx.log(str(error))
    await ctx.parallel.all([ctx.task(ask, question="two"), ctx.task(ask, question="three")])
