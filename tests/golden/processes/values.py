from babysitter import agent


@agent
def ask(question):
    """Ask for 日本 and 😀."""
    return f"{question}"


async def process(inputs, ctx):
    given = await ctx.task(ask, question=inputs)
    again = await ctx.task(ask, question=given)
    seen = ctx.record("seen \u2028", lambda: {"": [given, {}], "\u0000\u001b": -0.0})
    chosen = await ctx.parallel.settled(
        {"long": lambda: ctx.task(ask, question="long " * 6600), "none": lambda: ctx.task(ask, question="")}
    )
    ctx.log("über 😀", given=given, seen=seen)
    ctx.progress(0.1, 1e22, "Stück")
    return {
        "same": given == again,
        "given": given,
        "errors": [str(each.error) for each in chosen.values()],
        "long": "日" * 11000,
    }
