"""A branch that is made in a loop must not see the loop's last item."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from babysitter.errors import InvalidInput
from babysitter.runs.late_binding import late_lambdas, refuse_late_binding
from babysitter.runs.source import Source

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    "text",
    [
        "x = [lambda: f(n) for n in ns]",
        "x = {n: lambda: f(n) for n in ns}",
        "x = list(lambda: f(k, v) for k, v in d)",
        "x = [lambda: g(lambda: f(n)) for n in ns]",
        "x = [lambda: f(a) for a in xs for b in a]",
        "for n in ns:\n    x.append(lambda: f(n))",
        "for n in ns:\n    if n:\n        x[n] = lambda: f(n)",
        "async def p():\n    async for n in ns:\n        x.append(lambda: f(n))",
    ],
)
def test_a_function_kept_past_its_turn_of_the_loop_is_found(text: str) -> None:
    assert len(late_lambdas(text.encode())) == 1


@pytest.mark.parametrize(
    "text",
    [
        "x = [lambda n=n: f(n) for n in ns]",
        "x = [(lambda: f(n))() for n in ns]",
        "x = [lambda: f(m) for n in ns]",
        "x = [sorted(ys, key=lambda y: y + n) for n in ns]",
        "for n in ns:\n    x.append(lambda n=n: f(n))",
        "for n in ns:\n    call(lambda: f(n))",
        "x = [make(n) for n in ns]",
        "x = [lambda: f(1) for _ in range(3)]",
    ],
)
def test_a_function_that_sees_its_own_item_is_left_alone(text: str) -> None:
    assert late_lambdas(text.encode()) == []


def test_the_refusal_names_file_line_and_cure(tmp_path: Path) -> None:
    file = tmp_path / "p.py"
    file.write_text(
        "async def process(inputs, ctx):\n"
        "    await ctx.parallel.all([lambda: ctx.task(deploy, name=name) for name in inputs])\n"
    )
    with pytest.raises(InvalidInput) as raised:
        refuse_late_binding(Source(str(file), "process"))
    assert raised.value.message == (
        f"in {str(file)!r}, line 2: every branch made in this loop would see the last 'name'"
    )
    assert raised.value.hint == "write `lambda name=name: …`, or use ctx.parallel.map"
