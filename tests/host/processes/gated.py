"""Built by an agent, tested by a command, let through by a person."""

from typing import Any

from babysitter import Context, agent, shell


@agent(title="build")
def build() -> str:
    return "Make the file `built`."


@shell(title="tests")
def tests() -> str:
    return "test -e built"


async def process(inputs: dict[str, Any], ctx: Context) -> dict[str, Any]:
    _, _, gate = await ctx.parallel.all(
        [
            lambda: ctx.task(build),
            lambda: ctx.task(tests),
            lambda: ctx.breakpoint("Is it good enough?", title="Ship"),
        ]
    )
    return {"shipped": gate.approved}
