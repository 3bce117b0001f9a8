from babysitter import agent


@agent
def ask(question: str):
    """Ask."""
    return question


async def process(inputs, ctx):
    ctx.log("began", at=ctx.now().isoformat(), run=ctx.run_id)
    seen = ctx.record("seen", lambda: {"files": ["a", "b"], "é → 日本": None, "size": 1.5})
    await ctx.sleep(inputs["seconds"])
    drawn = [ctx.uuid(), ctx.random.randrange(1000), ctx.random.choice(seen["files"])]
    ctx.progress(1, 3, "steps")
    text = await ctx.task(ask, question="A long text")
    decision = await ctx.breakpoint("Publish it?", title="Publish", options=["staging", "live"])
    ctx.log("decided", approved=decision.approved, by=decision.responded_by)
    ctx.progress(2, 3, "steps")
    named, agreed = await ctx.parallel.all(
        [
            lambda: ctx.task(ask, question=f"{drawn} {ctx.now().isoformat()}"),
            lambda: ctx.breakpoint("Sure?"),
        ]
    )
    return {
        "drawn": drawn,
        "length": len(text),
        "option": decision.option,
        "feedback": decision.feedback,
        "named": named,
        "agreed": agreed.approved,
    }
