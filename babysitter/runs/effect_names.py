"""An effect as people call it: by its task, or by its title."""

from __future__ import annotations

from babysitter.errors import NoSuchEffect
from babysitter.runs.results import latest

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from babysitter.engine.state import Effect
    from babysitter.runs.run import Run

MOST = 5


def named(run: Run, name: str, by_id: Sequence[Effect]) -> Effect:
    """The one effect that is meant, of that whose id begins so, if there is one, and of those called so.

    Raises:
        NoSuchEffect: nothing or more than one fits.
    """
    effects = run.state.effects.values()
    called = [effect for effect in effects if name in (effect.task_id, effect.label)]
    # What an edit has put aside is meant only where nothing else is.
    called = [effect for effect in called if not effect.is_superseded] or called
    steps = {effect.step: effect for effect in (*by_id, *called)}
    if len(steps) > 1:
        listed = ", ".join(f"{each.id} (step {each.step})" for each in list(steps.values())[:MOST])
        raise NoSuchEffect(
            f"{name!r} is the name of {len(steps)} effects of run {run.run_id!r}: {listed}"
            + (", …" if len(steps) > MOST else ""),
            hint="name one of them by its id or its step",
        )
    if steps:
        return latest([*by_id, *called])
    raise NoSuchEffect(f"run {run.run_id!r} has no effect {name!r}", hint=_near(run, name))


def _near(run: Run, name: str) -> str:
    """The names that are nearest to this one, and where all of them are."""
    from difflib import get_close_matches

    effects = run.state.effects.values()
    known = dict.fromkeys(each for effect in effects for each in (effect.task_id, effect.label, effect.step))
    near = get_close_matches(name, known, n=3)
    said = f"did you mean {' or '.join(map(repr, near))}? " if near else ""
    return f"{said}babysitter tasks {run.run_id}"
