"""What the author's code prints goes to standard error: standard output is for what the command says."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO


class Aside:
    """A context in which ``print`` writes to standard error."""

    __slots__ = ("_before",)

    def __enter__(self) -> None:
        self._before: TextIO = sys.stdout
        sys.stdout = sys.stderr

    def __exit__(self, *_: object) -> None:
        sys.stdout = self._before
