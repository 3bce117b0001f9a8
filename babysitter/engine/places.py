"""Where in the author's code something happens: file and line, for messages."""

from __future__ import annotations

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType, TracebackType
    from typing import Any

    from babysitter.engine.branches import Branch
    from babysitter.engine.calls import Call

    Place = tuple[str, int]

NOWHERE: Place = ("<process>", 0)

_OWN = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_SHIPPED = os.path.join(_OWN, "_plugin") + os.sep
_NOT_AUTHORS = (_OWN + os.sep, os.path.dirname(os.path.abspath(os.__file__)) + os.sep)
_INSTALLED = os.sep + "site-packages" + os.sep


def is_authors(filename: str) -> bool:
    """Whether a source file belongs to the author of a process: not ours, not Python's, not installed."""
    if filename.startswith("<"):
        return False
    if filename.startswith(_SHIPPED):
        return True
    return not filename.startswith(_NOT_AUTHORS) and _INSTALLED not in filename


def is_own(filename: str) -> bool:
    """Whether a source file is babysitter's, other than a process that it ships."""
    return filename.startswith(_OWN + os.sep) and not filename.startswith(_SHIPPED)


def place_of(traceback: TracebackType | None) -> Place | None:
    """File and line of the author's last own frame."""
    place = None
    while traceback is not None:
        name = traceback.tb_frame.f_code.co_filename
        if is_authors(name):
            place = (name, traceback.tb_lineno)
        traceback = traceback.tb_next
    return place


def place_of_call(frame: FrameType | None) -> Place:
    """File and line where the author's code is, seen from a frame that it called."""
    while frame is not None:
        if is_authors(frame.f_code.co_filename):
            return frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back
    return NOWHERE


def place_in_branch(frame: FrameType | None) -> Place | None:
    """The same, but no further than to what drives the branch: None when no code of the author's is in it."""
    while frame is not None and not is_own(frame.f_code.co_filename):
        if is_authors(frame.f_code.co_filename):
            return frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back
    return None


def place_of_step(branch: Branch, call: Call) -> Place | None:
    """File and line where the author asks for an effect, also when it is made by a function of ours."""
    if is_authors(call.place[0]):
        return call.place
    place = place_of_await(branch.coroutine)
    return None if place == NOWHERE else place


def place_of_await(coroutine: Any) -> Place:
    """File and line of the innermost ``await`` in the author's code."""
    place = NOWHERE
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        if frame is not None and is_authors(frame.f_code.co_filename):
            place = (frame.f_code.co_filename, frame.f_lineno)
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)
    return place
