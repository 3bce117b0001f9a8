"""Answers to breakpoints as people type them: a number, the text of an option, yes or no, and more words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babysitter.views.text import printable, whole_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

YES = frozenset({"y", "yes"})
NO = frozenset({"n", "no"})


def options_of(question: dict[str, Any]) -> list[str]:
    """The answers to choose from; none for a question that is answered with yes or no."""
    return [str(option) for option in question.get("options") or []]


def choices(question: dict[str, Any]) -> str:
    """What can be typed."""
    options = options_of(question)
    if not options:
        return "y or n"
    # Where an option is itself a number, the point says that one of ours is meant.
    mark = "." if any(_numbered(option, options) not in (None, option) for option in options) else ""
    return f"1{mark}{'' if len(options) == 1 else f'-{len(options)}{mark}'}, its text or n"


def question_text(question: dict[str, Any]) -> str:
    """How a breakpoint is put to a person."""
    title, asked = str(question["title"]), str(question.get("question") or question["title"])
    lines = ["", printable(title)]
    if asked != title:
        # Indented, so that no line of it can pass for a line of ours.
        lines += [f"  {line}" for line in whole_lines(asked)]
    lines += [f"  {number}. {printable(option)}" for number, option in enumerate(options_of(question), 1)]
    lines += question.get("about", [])
    return "\n".join([*lines, f"[{choices(question)}; words after it are kept as feedback]: "])


def read_answer(text: str, options: Sequence[str]) -> dict[str, Any] | None:
    """A typed answer as a decision; None when it is none, or may mean two. Enter alone decides nothing."""
    readings = list(_readings(text, options))
    decided = {(reading["approved"], reading.get("option")) for reading in readings}
    return readings[0] if len(decided) == 1 else None


def _readings(text: str, options: Sequence[str]) -> Iterator[dict[str, Any]]:
    first, _, rest = text.partition(" ")
    feedback = rest.strip() or None
    numbered = _numbered(first, options)
    if numbered is not None:
        yield {"approved": True, "option": numbered, "feedback": feedback}
    for option in _meant(text, options):
        yield {"approved": True, "option": option, "feedback": text[len(option) :].strip() or None}
    if first.lower() in NO and text not in options:
        yield {"approved": False, "feedback": feedback}
    if first.lower() in YES and not options:
        yield {"approved": True, "feedback": feedback}


def _numbered(word: str, options: Sequence[str]) -> str | None:
    """The option with this number."""
    digits = word.removesuffix(".")
    return options[int(digits) - 1] if digits.isdecimal() and 1 <= int(digits) <= len(options) else None


def _meant(text: str, options: Sequence[str]) -> list[str]:
    """The options that a text is, else begins with; in upper or lower case alike where none fits exactly."""
    return _longest(text, options, str) or _longest(text, options, str.lower)


def _longest(text: str, options: Sequence[str], like: Callable[[str], str]) -> list[str]:
    fitting = [each for each in options if each and f"{like(text)} ".startswith(f"{like(each)} ")]
    most = max(map(len, fitting), default=0)
    return [each for each in fitting if len(each) == most]
