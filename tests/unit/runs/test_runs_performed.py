"""What a driver performs itself has its deadline there: that of whoever took it before does not end it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babysitter import desk as desk_module
from babysitter.driver import Driver
from babysitter.runs import run as run_module
from babysitter.runs.results import find_effect
from babysitter.runs.taking import take
from babysitter.views.quiet import QuietView

if TYPE_CHECKING:
    import pytest
    from projects import Project

BOTH = """
async def process(inputs, ctx):
    await ctx.parallel.all([ctx.task(ask.using(timeout="1m"), question="one"), ctx.sleep("2m")])
"""


class NoPool:
    """Takes in what is offered, and performs nothing."""

    def __init__(self) -> None:
        self.offered: list[str] = []

    def offer(self, works: list[Any]) -> None:
        self.offered += [work.effect_id for work in works]

    def withdraw(self, effect_id: str) -> None:
        self.offered.remove(effect_id)


def test_what_is_performed_here_is_not_ended_by_the_clock_of_who_had_it_before(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    project.begin(BOTH)
    run, pool = project.open(), NoPool()
    asked = find_effect(run, "1.0.1")
    take(run, asked, lambda effect: True, by="anna", lease=0)
    driver = Driver(run, pool, QuietView(), kinds=frozenset({"agent"}))  # type: ignore[arg-type]
    driver.begin(driver._root)
    driver._desk.hand_out()
    later = run.state.last_ms + 120_000
    for module in (run_module, desk_module):
        monkeypatch.setattr(module, "now_ms", lambda: later)
    driver._take_in([])
    assert (pool.offered, asked.status, find_effect(run, "1.1.1").status) == ([asked.id], "requested", "ok")
