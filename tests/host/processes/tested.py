"""An agent builds until a command says that it is good; then it ends."""

from typing import Any

from babysitter import Context, Failed, TaskFailed, agent, shell

REPORT = {
    "type": "object",
    "required": ["done"],
    "additionalProperties": False,
    "properties": {"done": {"type": "boolean"}},
}


@agent(returns=REPORT, title="build")
def build() -> str:
    return "Make the file `built`."


@shell(title="tests")
def tests() -> str:
    return "test -e built"


async def process(inputs: dict[str, Any], ctx: Context) -> str:
    for _ in range(2):
        await ctx.task(build)
        try:
            await ctx.task(tests)
        except TaskFailed as error:
            ctx.log("not yet", code=error.exit_code)
        else:
            return "built"
    raise Failed("it was never built")
