"""What exactly a person permits: the bytes of an edit, the event or step to go back to, what is cancelled."""

from __future__ import annotations

from babysitter.errors import BabysitterError, InvalidInput

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from babysitter.runs.run import Run

# What is permitted of something that is named behind it → how that is written.
NAMED = {"repair": "NUMBER", "cancel": "[EFFECT]", "rewind": "STEP"}


def about_now(run: Run, what: str, name: str = "") -> dict[str, Any] | None:
    """What a permit is about: an edit as it is at this moment, or what ``name`` is the name of.

    To cancel without a name is to cancel the whole run.

    Raises:
        InvalidInput, NoSuchEffect: there is no such event, effect or step, or it has to be said which.
    """
    if what == "edit":
        return edit_now(run)
    return _BY_NAME[what](run, name) if what in _BY_NAME else None


def is_name(run: Run, what: str, name: str) -> bool:
    """Whether something is called so that can be permitted."""
    try:
        return about_now(run, what, name) is not None
    except BabysitterError:
        return False


def _event(run: Run, number: str) -> dict[str, Any]:
    last = run.journal.head.seq
    if not (number.isascii() and number.isdecimal() and 2 <= int(number) <= last):
        raise InvalidInput(
            f"a permit to go back names the event to go back to before, from 2 to {last}, and not {number!r}",
            hint=f"/babysitter:approve repair {last}, or babysitter approve {run.run_id} --permit repair "
            f"--before {last}; what is damaged is mended from a terminal: babysitter repair {run.run_id}",
        )
    return {"before": int(number)}


def _effect(run: Run, name: str) -> dict[str, Any]:
    from babysitter.runs.results import find_effect

    if not name:
        return {"run": run.run_id}
    effect = find_effect(run, name)
    if not effect.is_pending:
        raise InvalidInput(
            f"effect {effect.id!r} is not pending, so there is nothing to cancel",
            hint=f"babysitter tasks {run.run_id} --pending",
        )
    return {"effect": effect.id}


def _step(run: Run, name: str) -> dict[str, Any]:
    from babysitter.runs.results import find_effect

    if not name:
        raise InvalidInput(
            "a permit to rewind names the step to go back to", hint=f"babysitter tasks {run.run_id}"
        )
    # A step that was tried again has several effects, and a group has those of its branches.
    steps = [effect.step for effect in run.state.effects.values()]
    if any(step == name or step.startswith(f"{name}.") for step in steps):
        return {"to": name}
    return {"to": find_effect(run, name).step}


_BY_NAME: dict[str, Callable[[Run, str], dict[str, Any]]] = {
    "repair": _event,
    "cancel": _effect,
    "rewind": _step,
}


def edit_now(run: Run) -> dict[str, Any]:
    """What an edit is about: the bytes of the process, as they are now."""
    from babysitter.runs.edits import present_digests

    return {"sourceDigests": present_digests(run)}


def about_lines(run: Run, about: dict[str, Any]) -> list[str]:
    """For people: the files that are not as the journal has them, or what else is permitted exactly."""
    if "sourceDigests" in about:
        return _edited(run.state.source_digests, about["sourceDigests"])
    if "effect" in about:
        # As Python writes it, so that no line of it can pass for a line of ours.
        return [f"  effect {about['effect']}  {run.state.effects[about['effect']].label!r}"]
    words = {"run": "all of", "before": "to before event", "to": "to step"}
    return [f"  {words[name]} {about[name]}" for name in about if name in words]


def _edited(known: dict[str, str], now: dict[str, str]) -> list[str]:
    lines = [f"  changed  {name}  {now[name]}" for name in now if known.get(name, now[name]) != now[name]]
    lines += [f"  new      {name}  {now[name]}" for name in now if name not in known]
    lines += [f"  gone     {name}" for name in known if name not in now]
    return lines or ["  nothing has changed"]


def as_typed(what: str, about: dict[str, Any] | None) -> tuple[str, str]:
    """How a person types a permit: in the session, and behind ``babysitter approve RUN``."""
    named = next(
        (str(value) for key, value in (about or {}).items() if key in ("effect", "to", "before")), ""
    )
    if what == "cancel":
        return f"cancel {named}".rstrip(), f"{named} --permit cancel".lstrip()
    option = {"repair": "--before", "rewind": "--to"}.get(what)
    if not named or option is None:
        return what, f"--permit {what}"
    return f"{what} {named}", f"--permit {what} {option} {named}"
