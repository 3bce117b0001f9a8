"""What the old names of commands have in common: their arguments, and how they print an effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from babysitter.cli.output import as_json as print_json
from babysitter.cli.output import line
from babysitter.jsontext import compact

if TYPE_CHECKING:
    from babysitter.engine.state import Effect

STATUS_WORDS = {
    "requested": "requested",
    "ok": "resolved_ok",
    "error": "resolved_error",
    "cancelled": "cancelled",
}
# The original opens a run by its folder too, and its scripts mostly do.
RUN = click.argument("run", metavar="RUN")
EFFECT = click.argument("effect", metavar="EFFECT")


def tell(told: dict[str, Any], wants_json: bool) -> None:
    """One JSON value, or ``name=value`` pairs in a line."""
    if wants_json:
        print_json(told)
    else:
        line(
            " ".join(
                f"{name}={value if isinstance(value, str) else compact(value)}"
                for name, value in told.items()
            )
        )


def task_shape(effect: Effect) -> dict[str, Any]:
    """An effect as the original lists it."""
    return {
        "effectId": effect.id,
        "taskId": effect.task_id,
        "stepId": effect.step,
        "status": STATUS_WORDS[effect.status],
        "kind": effect.kind,
        "label": effect.label,
    }
