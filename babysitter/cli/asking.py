"""Breakpoints on the terminal: one question at a time, while the other branches go on."""

from __future__ import annotations

import os
import select
import selectors
import sys
import termios
from typing import TYPE_CHECKING, Any

from babysitter.approvals.place import own_names, person, seen_here
from babysitter.cli.typed_answers import choices, options_of, question_text, read_answer
from babysitter.runs.answering import Shown, is_for
from babysitter.runs.assurance import is_enough
from babysitter.views.questions import about_lines, digest_line
from babysitter.views.text import printable

if TYPE_CHECKING:
    from babysitter.engine.state import Effect
    from babysitter.runs.run import Run

# A terminal hands over a line at a time, and no line is longer than this.
LINE_BYTES = 1 << 16


class TerminalAsker:
    """Asks on the terminal; an answer from elsewhere takes the question back."""

    def __init__(self, selector: selectors.BaseSelector, view: Any) -> None:
        self._selector = selector
        self._view = view
        self._fd = sys.stdin.fileno()
        self._waiting: dict[str, dict[str, Any]] = {}
        self._current: str | None = None

    @property
    def is_asking(self) -> bool:
        """A question is open on this terminal."""
        return bool(self._waiting)

    def ask(self, run: Run, effect: Effect) -> None:
        """Put a breakpoint in the queue, unless it demands more than a terminal, or asks somebody else."""
        shown = Shown(run, effect)
        question = {"title": effect.label, **shown.definition["breakpoint"]}
        if not is_enough("terminal", question.get("assurance")):
            return
        if not is_for(run, effect, person(), own_names):
            whom = ", ".join(shown.asked.experts) or "others"
            self._view.message(printable(f"{effect.id} waits for {whom}: {effect.label}"))
            return
        about = about_lines(run, shown)
        if shown.files:
            about.append(digest_line(shown))
        self._waiting[effect.id] = {**question, "about": about, "shown": shown.digest}
        if effect.id == self._current:
            # What is on the screen is not what would be answered any more.
            self._write("\n(asked anew)\n")
            self._put()
        self._next()

    def withdraw(self, effect_id: str) -> None:
        """It was answered elsewhere, or is no longer needed."""
        if effect_id == self._current:
            self._write("\n(no longer asked: answered elsewhere, or not needed any more)\n")
        self._done(effect_id)

    def answers(self) -> list[tuple[str, dict[str, Any]]]:
        """What was typed since, as arguments of a decision."""
        if self._current is None or not select.select([self._fd], [], [], 0)[0]:
            return []
        line = self._read_line()
        effect_id, question = self._current, self._waiting[self._current]
        if line is None:
            self._write("\n(left open)\n")
            self._done(effect_id)
            return []
        told = read_answer(line.strip(), options_of(question))
        if told is None:
            self._write(f"please answer {choices(question)}: ")
            return []
        self._done(effect_id)
        seen = {"assurance": "terminal", "evidence": seen_here(), "shown": question["shown"]}
        return [(effect_id, {**told, "by": person(), "names": own_names, **seen})]

    def _read_line(self) -> str | None:
        """What was typed, up to Enter; None at the end of input (Ctrl-D, or the terminal is gone).

        Past Python's own buffer: a line that waits in there would not wake the selector.
        """
        try:
            return os.read(self._fd, LINE_BYTES).decode(errors="replace") or None
        except OSError:
            return None

    def _next(self) -> None:
        if self._current is not None or not self._waiting:
            return
        self._current = next(iter(self._waiting))
        self._view.pause()
        self._put()
        self._selector.register(self._fd, selectors.EVENT_READ, data="stdin")

    def _put(self) -> None:
        assert self._current is not None
        forget_typed(self._fd)
        self._write(question_text(self._waiting[self._current]))

    def _done(self, effect_id: str) -> None:
        """Ask this one no longer; if it was on the terminal, the next takes its place."""
        self._waiting.pop(effect_id, None)
        if effect_id == self._current:
            self._selector.unregister(self._fd)
            self._current = None
            self._view.resume()
            self._next()

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


def forget_typed(fd: int) -> None:
    """What was typed before the question was to be read cannot be an answer to it."""
    try:
        termios.tcflush(fd, termios.TCIFLUSH)
    except termios.error:
        # The terminal is gone; reading from it will say so.
        return
