"""Tasks that babysitter brings itself: what ``ctx`` asks for in other words than ``ctx.task``."""

from __future__ import annotations

from babysitter.engine.parameters import Parameters
from babysitter.engine.tasks import Task

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.engine.outcomes import Decision


def built_in(kind: str, **options: Any) -> Any:
    """A task of this kind; its arguments are its description."""
    told = {name: option for name, option in options.items() if option is not None}
    return Task(kind, kind, _nothing, told, parameters=_ANY, is_author_made=False)


def _nothing() -> None:
    return None


_ANY = Parameters(None)
BREAKPOINT: Task[..., Decision] = built_in("breakpoint")
SLEEP: Task[..., None] = built_in("sleep")
HOOK: Task[..., list[Any]] = built_in("hook")
