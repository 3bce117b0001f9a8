"""What to do about an error, where a test's reader sees it: as a note below the message."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from babysitter.errors import BabysitterError

if TYPE_CHECKING:
    from collections.abc import Iterator


@contextmanager
def hinted() -> Iterator[None]:
    """Errors that pass through tell their hint too."""
    try:
        yield
    except BabysitterError as error:
        note = f"hint: {error.hint}"
        if error.hint and note not in getattr(error, "__notes__", ()):
            error.add_note(note)
        raise
