"""More dry runs, with other answers, as long as there are steps in the source that none has come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babysitter.engine.state import COMPLETED, CONTINUED
from babysitter.errors import BabysitterError
from babysitter.graphs.dry_run import MOST_EFFECTS, MOST_REJECTED, DryRun
from babysitter.graphs.keys import place_of
from babysitter.graphs.scenarios import EVERY, SECOND, filled
from babysitter.runs.inputs import schema_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from babysitter.graphs.guesses import Guesses
    from babysitter.graphs.keys import Key
    from babysitter.graphs.scenarios import Scenario
    from babysitter.testing.processes import Given

MOST_TRIED = 60
# In all of them together, so that long processes are not played so often.
MOST_STEPS = 3000
# They end in a way that an author calls one.
GOOD_ENDS = (COMPLETED, CONTINUED)
FAILABLE = frozenset({"shell", "python", "agent", "subprocess", "orchestrator_task"})


class Exploration:
    """Looks for answers with which a process comes further.

    Attributes:
        main: the dry run that is drawn as the way of the process.
        others: those that came to places to which no one had come before.
    """

    def __init__(
        self,
        source: Given,
        inputs: Any,
        guesses: Guesses,
        first: DryRun,
        is_open: Callable[[list[DryRun]], bool],
    ) -> None:
        self.main = first
        self.others: list[DryRun] = []
        self._source = source
        self._inputs = inputs
        self._schema = schema_of(source)
        self._guesses = guesses
        self._is_open = is_open
        self._tried: set[Scenario] = {first.scenario}
        self._steps = 0
        self._go_on()

    @property
    def runs(self) -> list[DryRun]:
        return [self.main, *self.others]

    def _go_on(self) -> None:
        while self._is_open(self.runs) or not _has_ended_well(self.main):
            found = next((each for each in self._untried() if self._leads_on(each)), None)
            if found is None:
                return

    def _untried(self) -> Iterator[Scenario]:
        for scenario in scenarios_from(self.main):
            has_room = len(self._tried) < MOST_TRIED and self._steps < MOST_STEPS
            if has_room and scenario not in self._tried:
                self._tried.add(scenario)
                yield scenario

    def _leads_on(self, scenario: Scenario) -> bool:
        """Play it, and keep it when it has come to something new."""
        dry = self._played(scenario, MOST_REJECTED)
        if dry is None or dry.problem is not None:
            return False
        if self._is_better(dry):
            self.others.append(self.main)
            self.main = (dry.is_cut and self._played(scenario, MOST_EFFECTS)) or dry
            return True
        is_new = bool(dry.places - {place for each in self.runs for place in each.places})
        self.others += [dry] if is_new else []
        return is_new

    def _played(self, scenario: Scenario, most: int) -> DryRun | None:
        inputs = self._inputs
        if scenario.has_all_inputs:
            inputs = filled(inputs, self._schema, is_double=scenario.is_double)
        try:
            dry = DryRun(self._source, inputs, self._guesses, scenario=scenario, most=most)
        except BabysitterError:
            return None
        self._steps += len(dry.play.run.state.effects)
        return dry

    def _is_better(self, dry: DryRun) -> bool:
        """It shows more of what the process is for."""
        if not _has_ended_well(self.main):
            return _has_ended_well(dry) or len(dry.places) > len(self.main.places)
        is_alike = dry.scenario.differs_harmlessly_from(self.main.scenario)
        return is_alike and _has_ended_well(dry) and self.main.places < dry.places


def _has_ended_well(dry: DryRun) -> bool:
    return dry.problem is None and (dry.is_cut or dry.play.run.state.status in GOOD_ENDS)


def scenarios_from(dry: DryRun) -> Iterator[Scenario]:
    """What could be answered otherwise in a dry run, one thing at a time, and then several."""
    usual = dry.scenario
    yield usual._replace(is_double=True)
    yield usual._replace(is_high=True)
    yield from (usual._replace(rich=usual.rich | {task}) for task in dry.stubs.open_tasks)
    keys = _failable(dry)
    yield from (usual.failing_at(key, EVERY) for key in keys)
    yield usual._replace(has_all_inputs=True)
    yield usual._replace(has_all_inputs=True, is_double=True)
    many = usual._replace(has_all_inputs=True, is_double=True)
    yield from (many.failing_at(key, SECOND) for key in keys)


def _failable(dry: DryRun) -> list[Key]:
    """The places at which something may fail, the first ones first."""
    sites, failing = dry.play.execution.sites, {place for place, _ in dry.scenario.failing}
    asked = [each for each in dry.play.requests if each.kind in FAILABLE and each.step in sites.steps]
    found = dict.fromkeys(place_of(each.step, sites) for each in asked)
    return [place for place in found if place not in failing]
