"""Writes to standard output in every way that there is."""

import os
import sys
from typing import Any

from babysitter import Context, agent


@agent(title="build")
def build() -> str:
    return "Make the file `built`."


def shout() -> str:
    sys.stdout.write("printed\n")
    sys.stdout.flush()
    os.write(1, b"written\n")
    os.system("echo echoed")  # noqa: S605
    return "done"


async def process(inputs: dict[str, Any], ctx: Context) -> Any:
    await ctx.task(build)
    return ctx.record("shout", shout)
