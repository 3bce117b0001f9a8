"""Breakpoints that ask experts, collect answers, show a file, expire and have a deadline."""


async def process(inputs, ctx):
    release = await ctx.breakpoint(
        "Release?",
        title="Release",
        options=["staging", "live"],
        id="release",
        tags=["eu", "live"],
        expert=["anna", "bert", "owner"],
        strategy="quorum",
        quorum=2,
        files=[{"path": "process.py", "note": "all of it"}],
        previous_feedback="too early",
        attempt=2,
        expires=0.2,
        assurance="terminal",
    )
    where = await ctx.breakpoint("Where to?", options=["a", "b"], quorum=2, deadline=0.05, default="b")
    last = await ctx.breakpoint("Done?", expert=["anna", "bert"], strategy="collect-all")
    return {
        "release": [release.approved, release.option, release.feedback, release.responded_by],
        "responses": release.all_responses,
        "where": [where.option, where.responded_by, len(where.all_responses)],
        "last": [last.approved, last.responded_by],
    }
