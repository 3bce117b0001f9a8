from babysitter import AllFailed, Failed, agent, shell


@agent
def ask(question: str):
    """Ask."""
    return question


@shell(parse="json", check=False)
def measure(what: str):
    """Measure."""
    return f"echo '{{\"{what}\": 1}}'"


async def process(inputs, ctx):
    try:
        await ctx.parallel.any(
            {"one": lambda: ctx.task(ask, question="1"), "two": lambda: ctx.task(ask, question="2")}
        )
    except AllFailed as error:
        told = [str(each) for each in error.errors]
    winner = await ctx.parallel.race([lambda: ctx.sleep(3600), lambda: ctx.task(measure, what="size")])
    decision = await ctx.breakpoint("Ship it?", title="Ship", options=["live"])
    if not decision.approved:
        raise Failed("nobody wants it", {"told": told, "winner": winner, "why": decision.feedback})
