"""What an effect asked for, also when it is no longer pending: its event still has that."""

from __future__ import annotations

from babysitter.engine.state import Effect

TYPE_CHECKING = False
if TYPE_CHECKING:
    from babysitter.journal.events import Event
    from babysitter.runs.run import Run


class Requests:
    """All that a run has asked for. Its journal is read once more, when that is first needed."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._known: dict[str, Effect] | None = None

    def of(self, effect: Effect) -> Effect:
        """The effect with all that it asked for.

        Raises:
            JournalError: the journal cannot be trusted.
        """
        if effect.is_pending:
            return effect
        if self._known is None:
            self._known = known = {}

            def look(event: Event) -> None:
                if event.type == "EFFECT_REQUESTED":
                    known[event.data["effectId"]] = Effect(event)

            self._run.read_again(look)
        return self._known[effect.id]
