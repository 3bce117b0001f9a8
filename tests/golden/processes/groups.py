from babysitter import TaskFailed, agent, python, shell

COUNTED = {"type": "object", "required": ["lines"], "properties": {"lines": {"type": "integer"}}}


@agent(returns=COUNTED)
def count(file: str):
    """Count the lines of a file."""
    return f"How many lines has {file}?"


@agent
def ask(question: str):
    """Ask."""
    return question


@shell
def tests(folder: str):
    """Run the tests."""
    return ["pytest", "-q", folder]


@python(title="Add up {numbers}")
def add(numbers: list[int]) -> int:
    return sum(numbers)


async def process(inputs, ctx):
    counts = await ctx.parallel.map(inputs["files"], lambda file: ctx.task(count, file=file), limit=2)
    first = await ctx.parallel.race(
        {"slow": lambda: ctx.task(ask, question="slow"), "fast": lambda: ctx.task(ask, question="fast")}
    )
    outcomes = await ctx.parallel.settled(
        {
            "unit": lambda: ctx.task(tests.using(key="tests"), folder="unit"),
            "either": lambda: either(ctx),
            "other": lambda: ctx.task(tests, folder="other"),
        }
    )
    lines = [counted["lines"] for counted in counts]
    return {
        "lines": lines,
        "first": first,
        "outcomes": {
            name: outcome.value.stdout if name == "other" else outcome.value or str(outcome.error)
            for name, outcome in outcomes.items()
        },
    }


async def either(ctx):
    try:
        return await ctx.parallel.any(
            [lambda: ctx.task(add, numbers=[1, 3]), lambda: ctx.task(ask, question="How many?")]
        )
    except TaskFailed:
        return None
    finally:
        await ctx.task(ask, question="Clean up")
