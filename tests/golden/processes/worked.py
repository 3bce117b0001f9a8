from babysitter import TaskFailed, define_task, shell

ready = define_task("ready", lambda args: {"kind": "shell", "title": "Ready", "shell": {"argv": ["true"]}})


@shell
def say(words: str):
    """Say something."""
    return ["echo", words]


@shell
def broken():
    """Break."""
    return "echo out; echo err >&2; exit 3"


async def process(inputs, ctx):
    said = await ctx.parallel.map(["a", "b", "é"], lambda words: ctx.task(say, words=words), limit=2)
    try:
        await ctx.task(broken)
    except TaskFailed as error:
        code = error.exit_code
    await ctx.task(ready)
    return {"said": [each.stdout for each in said], "code": code}
