from babysitter import BranchTimeout, Retry, agent


@agent(retry=Retry(3, backoff=0, jitter=0.5))
def ask(question: str):
    """Ask."""
    return question


async def process(inputs, ctx):
    async def tidy():
        await ctx.task(ask, question="tidy")

    ctx.on_cleanup(tidy)
    first = await ctx.task(ask, question="one")
    if ctx.patched("two at once"):
        first = [first, await ctx.timeout("1d", lambda: ctx.task(ask, question="two"))]
    try:
        await ctx.timeout(0.05, lambda: ctx.task(ask, question="late"))
    except BranchTimeout as error:
        ctx.log(str(error))
    ctx.halt("enough", first=first)
