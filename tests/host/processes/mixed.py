"""Effects of every kind that needs no person, side by side, and then one more."""

from typing import Any

from babysitter import Context, agent, python, shell

VERDICT = {
    "type": "object",
    "required": ["verdict"],
    "additionalProperties": False,
    "properties": {"verdict": {"enum": ["good", "bad"]}},
}


@shell(title="check {name}")
def check(name: str) -> str:
    return f"echo {name} >>checked"


@python(title="square {number}")
def square(number: int) -> int:
    return number * number


@agent(returns=VERDICT, title="review {part}")
def review(part: str) -> str:
    return f"Look at part {part} and give your verdict."


async def process(inputs: dict[str, Any], ctx: Context) -> dict[str, Any]:
    _, squares, reviews = await ctx.parallel.all(
        [
            lambda: ctx.task(check, name="one"),
            lambda: ctx.parallel.map([2, 3], lambda number: ctx.task(square, number=number)),
            lambda: ctx.parallel.map(["a", "b"], lambda part: ctx.task(review, part=part)),
        ]
    )
    await ctx.task(check, name="two")
    last = await ctx.task(review, part="all")
    return {"squares": squares, "verdicts": [found["verdict"] for found in [*reviews, last]]}
