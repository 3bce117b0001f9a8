"""Errors for whoever reads the output of a test: with what to do about them, and without our own frames."""

from __future__ import annotations

from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from babysitter.errors import BabysitterError

if TYPE_CHECKING:
    from collections.abc import Callable

P = ParamSpec("P")
R = TypeVar("R")

# pytest shows no frames of a module that has this.
__tracebackhide__ = True


def hinted(function: Callable[P, R]) -> Callable[P, R]:
    """Our errors tell their hint too, and point to the line of the test that called."""

    @wraps(function)
    def called(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return function(*args, **kwargs)
        except BabysitterError as error:
            note = f"hint: {error.hint}"
            if error.hint and note not in getattr(error, "__notes__", ()):
                error.add_note(note)
            # Where in here it was found helps nobody.
            raise error.with_traceback(None) from error.__cause__

    return called
