"""What an effect asked for, also when it is no longer pending: its event still has that."""

from __future__ import annotations

from babysitter.engine.state import Effect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from babysitter.journal.events import Event
    from babysitter.runs.run import Run


def as_requested(run: Run, effect: Effect) -> Effect:
    """The effect with all that it asked for.

    Raises:
        JournalError: the journal cannot be trusted.
    """
    if effect.is_pending:
        return effect
    found: list[Effect] = []

    def look(event: Event) -> None:
        if event.type == "EFFECT_REQUESTED" and event.data["effectId"] == effect.id:
            found.append(Effect(event))

    run.read_again(look)
    return found[0]
