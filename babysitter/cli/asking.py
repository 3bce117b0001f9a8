"""Breakpoints on the terminal: one question at a time, while the other branches go on."""

from __future__ import annotations

import getpass
import selectors
import sys
from typing import TYPE_CHECKING, Any

from babysitter.views.text import printable

if TYPE_CHECKING:
    from babysitter.engine.state import Effect

YES = frozenset({"y", "yes"})
NO = frozenset({"n", "no"})


class TerminalAsker:
    """Asks on the terminal; an answer from elsewhere takes the question back."""

    def __init__(self, selector: selectors.BaseSelector, view: Any) -> None:
        self._selector = selector
        self._view = view
        self._waiting: dict[str, dict[str, Any]] = {}
        self._current: str | None = None

    def ask(self, effect: Effect, definition: dict[str, Any]) -> None:
        """Put a breakpoint in the queue of questions."""
        self._waiting[effect.id] = {"title": effect.label, **definition["breakpoint"]}
        self._next()

    def withdraw(self, effect_id: str) -> None:
        """It was answered elsewhere, or is no longer needed."""
        self._waiting.pop(effect_id, None)
        if effect_id == self._current:
            self._write("\n(no longer asked: answered elsewhere, or not needed any more)\n")
            self._close()
            self._next()

    def answers(self) -> list[tuple[str, dict[str, Any]]]:
        """What was typed since, as arguments of a decision."""
        if self._current is None or not self._typed():
            return []
        text = sys.stdin.readline()
        if not text:
            # End of input: nobody is there to ask; the run waits for an answer from elsewhere.
            self._close()
            return []
        effect_id, question = self._current, self._waiting[self._current]
        told = read_answer(text.strip(), question.get("options") or [])
        if told is None:
            self._write("please answer y or n" + (", or an option" if question.get("options") else "") + ": ")
            return []
        self._close()
        self._waiting.pop(effect_id)
        self._next()
        return [(effect_id, {**told, "by": getpass.getuser()})]

    def _typed(self) -> bool:
        import select

        return bool(select.select([sys.stdin], [], [], 0)[0])

    def _next(self) -> None:
        if self._current is None and self._waiting:
            self._current = next(iter(self._waiting))
            self._view.pause()
            self._write(question_text(self._waiting[self._current]))
            self._selector.register(sys.stdin, selectors.EVENT_READ, data="stdin")

    def _close(self) -> None:
        self._selector.unregister(sys.stdin)
        self._current = None
        self._view.resume()

    def _write(self, text: str) -> None:
        sys.stdout.write(text)
        sys.stdout.flush()


def question_text(question: dict[str, Any]) -> str:
    """How a breakpoint is put to a person."""
    lines = ["", printable(question["title"])]
    if question["question"] != question["title"]:
        lines.append(printable(question["question"]))
    options = question.get("options") or []
    lines += [f"  {number}. {printable(option)}" for number, option in enumerate(options, 1)]
    choice = f"1-{len(options)} or n" if options else "y/n, words after it are kept as feedback"
    return "\n".join([*lines, f"[{choice}]: "])


def read_answer(text: str, options: list[str]) -> dict[str, Any] | None:
    """A typed answer as a decision; None when it is not one. Enter alone decides nothing."""
    first, _, rest = text.partition(" ")
    feedback = rest.strip() or None
    if options and first.isdigit() and 1 <= int(first) <= len(options):
        return {"approved": True, "option": options[int(first) - 1], "feedback": feedback}
    if options and text in options:
        return {"approved": True, "option": text}
    if first.lower() in NO:
        return {"approved": False, "feedback": feedback}
    if first.lower() in YES and not options:
        return {"approved": True, "feedback": feedback}
    return None
