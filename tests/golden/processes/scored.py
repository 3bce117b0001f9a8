from babysitter import agent


@agent
def rate(what: str):
    """Rate it."""
    return what


async def improve(ctx, item):
    while True:
        score = ctx.score(
            await ctx.task(rate, what=item), 0, name=f"défauts {item}", lower=True, patience=2, min_change=0.5
        )
        if score.is_done:
            return score


async def process(inputs, ctx):
    ctx.log("begins")
    while not (own := ctx.score(await ctx.task(rate, what="all"), target=90)).reached:
        ctx.log("not yet", round=own.round)
    found = await ctx.parallel.map(["a", "b"], lambda item: improve(ctx, item))
    return {"own": own, "found": [[score.best, score.stalled, score.history] for score in found]}
