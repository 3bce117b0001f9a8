"""Dry runs: a process is played in memory, and everything it asks for is answered by a stub at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babysitter.graphs.keys import key_of, place_of
from babysitter.graphs.scenarios import USUAL
from babysitter.graphs.stubs import Stubs
from babysitter.testing import begin
from babysitter.views.nodes import RETRY

if TYPE_CHECKING:
    from babysitter.graphs.guesses import Guesses
    from babysitter.graphs.keys import Key
    from babysitter.graphs.scenarios import Scenario
    from babysitter.graphs.told import Told
    from babysitter.testing import Play
    from babysitter.testing.agenda import Coming
    from babysitter.testing.processes import Given

# An endless loop is known well before; a loop of a hundred rounds comes to its end.
MOST_EFFECTS = 1000
MOST_REJECTED = 100
MOST_GUESSES = 60


class DryRun:
    """One play with stubs.

    Attributes:
        is_cut: it had not ended after as many effects as are asked for.
        refusal: why it could not go on; None where it could.
    """

    def __init__(
        self,
        source: Given,
        inputs: Any,
        guesses: Guesses,
        *,
        rejected: Key | None = None,
        told: Told | None = None,
        scenario: Scenario = USUAL,
        most: int = MOST_EFFECTS,
    ) -> None:
        self.is_cut = False
        self.refusal: Exception | None = None
        self.scenario = scenario
        self.stubs = Stubs(guesses, rejected, scenario, told)
        self.play = begin(source, inputs, results=self.stubs)
        self.stubs.play = self.play
        try:
            self._go_on(most)
        except Exception as error:
            # What a stub leads to may be nothing that can be carried out: a command without words, say.
            self.refusal = error

    def _go_on(self, most: int) -> None:
        while choices := self.play.choices():
            if len(self.play.run.state.effects) >= most:
                self.is_cut = True
                return
            self.play.give(_next(choices))

    @property
    def problem(self) -> dict[str, Any] | None:
        """The mistake that it came to: the process's own, or that what it asked for cannot be."""
        if self.refusal is not None:
            return {"name": type(self.refusal).__name__, "message": str(self.refusal)}
        return self.play.run.state.problem

    @property
    def reach(self) -> int:
        """To how many places in the source it came."""
        return len(self.places)

    @property
    def places(self) -> set[Key]:
        """The places in the source to which it came; the wait before another attempt is none."""
        sites = self.play.execution.sites
        return {place_of(step, sites) for step in sites.steps if RETRY not in step.rpartition(".")[2]}

    @property
    def events(self) -> Any:
        return self.play.events

    @property
    def error_name(self) -> str:
        """Of what error the process has failed; empty when it has not."""
        ending = self.play.run.state.ending or {}
        return str((ending.get("error") or {}).get("name") or "")

    def decided(self, effect_id: str) -> bool | None:
        """What a breakpoint was answered."""
        value = self.play.run.state.effects[effect_id].value
        return value.get("approved") if isinstance(value, dict) else None


def _next(choices: list[Coming]) -> list[Coming]:
    """What comes at any time comes together; the clock goes on only when there is nothing else."""
    return [each for each in choices if each.due_ms is None] or choices[:1]


def furthest(
    source: Given, inputs: Any, guesses: Guesses, *, told: Told | None = None, most: int = MOST_EFFECTS
) -> DryRun:
    """A dry run that comes as far as guessing leads."""
    best = dry = DryRun(source, inputs, guesses, told=told, most=most)
    for _ in range(MOST_GUESSES):
        problem, result = dry.problem, dry.stubs.last_open
        if problem is None or result is None or not guesses.learn(problem, result):
            break
        dry = DryRun(source, inputs, guesses, told=told, most=most)
        # With as far a reach: what it stands at now is no longer the fault of the stub that was mended.
        if dry.problem is None or dry.reach >= best.reach:
            best = dry
    return best


def breakpoints_of(play: Play) -> list[Key]:
    """The places in the source at which people are asked, each once."""
    sites = play.execution.sites.steps
    asked = [each for each in play.requests if each.kind == "breakpoint" and each.step in sites]
    return list(dict.fromkeys(key_of(sites[each.step]) for each in asked))
