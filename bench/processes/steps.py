"""What the bench runs: steps one after the other, steps side by side, and a schedule of commands."""

from babysitter import define_task, shell

work = define_task(
    "work",
    lambda args: {
        "kind": "agent",
        "title": f"Review src/module_{args['n']}.py",
        "agent": {"prompt": f"Review src/module_{args['n']}.py and list what is wrong in it."},
    },
)


@shell
def wait(seconds):
    return ["sleep", str(seconds)]


async def sequence(inputs, ctx):
    for n in range(inputs["n"]):
        await ctx.task(work, n=n)
    return {"done": inputs["n"]}


async def fan(inputs, ctx):
    got = await ctx.parallel.map(range(inputs["n"]), lambda n: ctx.task(work, n=n))
    for n in range(inputs["after"]):
        await ctx.task(work, n=n)
    return {"done": len(got)}


async def schedule(inputs, ctx):
    await ctx.parallel.map(inputs["seconds"], lambda seconds: ctx.task(wait, seconds=seconds))
