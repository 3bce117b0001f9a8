from babysitter import agent, shell


@shell
def build():
    """Build."""
    return "make all"


@agent
def ask(question: str):
    """Ask."""
    return question


async def process(inputs, ctx):
    await ctx.parallel.all({"build": lambda: ctx.task(build), "docs": lambda: write_docs(ctx)})


async def write_docs(ctx):
    try:
        return await ctx.task(ask, question="Write the docs")
    finally:
        await ctx.task(ask, question="Undo")
