"""What a person typed after ``/babysitter:approve``, as what they can have meant, and how to type it.

A word may stand for several things: a permit, an option, a breakpoint. Nothing is guessed: the option
of an open breakpoint and a permit of the same name have to be told apart by who types them.
"""

from __future__ import annotations

from babysitter.approvals.about import NAMED, is_name
from babysitter.approvals.permits import WHAT
from babysitter.errors import InvalidInput, NoSuchEffect
from babysitter.hooks.shown import about_of, open_breakpoints, options_of, question_of
from babysitter.runs.answering import SHOWN_LENGTH, Shown
from babysitter.views.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from babysitter.engine.state import Effect
    from babysitter.runs.run import Run

COMMAND = "/babysitter:approve"
YES, NO = frozenset({"yes", "y", "ok", "approve"}), frozenset({"no", "n", "reject"})
PERMIT = "permit"
_HEX = frozenset("0123456789abcdef")
# A host shows no more than so much at once.
MOST_SHOWN, MOST_QUESTION = 5, 1500


def permit_of(run: Run, words: list[str]) -> tuple[str, str]:
    """What is permitted, and the name or number after it; empty when the words are an answer.

    Raises:
        InvalidInput: they may be either.
    """
    is_said = words[0] == PERMIT
    what, name, *rest = [*words[is_said:], "", ""]
    if what not in WHAT or any(rest) or (name and what not in NAMED):
        return "", ""
    taken = [] if is_said else [each for each in open_breakpoints(run) if what in options_of(run, each)]
    if taken and name and not is_name(run, what, name):
        # An option with a word behind it.
        return "", ""
    if taken:
        raise InvalidInput(
            f"{what!r} is an option of a breakpoint, and something that can be permitted as well",
            hint=f"{COMMAND} {taken[0].id} {what} for the option,"
            f" {COMMAND} {PERMIT} {' '.join(words)} to {WHAT[what]}",
        )
    return what, name


def run_meant(runs: Sequence[Run], words: list[str]) -> Run:
    """Which of a run and those below it is meant: where the breakpoint is that is named, or the only one.

    Raises:
        NoSuchEffect: several have open breakpoints, and it is not clear whose is meant.
    """
    asking = [(run, open_breakpoints(run)) for run in runs]
    asking = [(run, open_ones) for run, open_ones in asking if open_ones]
    named = [run for run, open_ones in asking if len(_by_id(open_ones, words[0])) == 1]
    if len(named) == 1 or len(asking) <= 1:
        return (named or [run for run, _ in asking] or [runs[0]])[0]
    listed = [f"{each.id} {printable(each.label)}" for _, open_ones in asking for each in open_ones]
    raise NoSuchEffect(
        f"it has to be said which breakpoint: {'; '.join(listed[:MOST_SHOWN])}", hint=f"{COMMAND} EFFECT yes"
    )


def _by_id(open_ones: Sequence[Effect], name: str) -> list[Effect]:
    return [effect for effect in open_ones if effect.id.startswith(name)]


def run_permitted(runs: Sequence[Run], what: str, name: str) -> Run:
    """Which of a run and those below it a permit is for: what was edited, or has what is named."""
    if what == "edit":
        return run_edited(runs)
    return next((run for run in runs if name and is_name(run, what, name)), runs[0])


def run_edited(runs: Sequence[Run]) -> Run:
    """The first of a run and those below it whose process is not the one that its journal has."""
    from babysitter.runs.edits import present_digests

    for run in runs:
        known = run.state.source_digests
        if any(known.get(name) != digest for name, digest in present_digests(run).items()):
            return run
    return runs[0]


def breakpoint_of(run: Run, words: list[str]) -> tuple[Effect, list[str]]:
    """The breakpoint that is meant, and the words that are left.

    Raises:
        NoSuchEffect: it is not clear which.
    """
    open_ones = open_breakpoints(run)
    is_only = len(open_ones) == 1
    if is_only and _option_in(options_of(run, open_ones[0]), " ".join(words)) is not None:
        return open_ones[0], words
    named = [] if words[0].lower() in YES | NO else _named(open_ones, words[0])
    if len(named) == 1:
        return named[0], words[1:]
    if is_only:
        return open_ones[0], words
    listed = "; ".join(f"{effect.id} {printable(effect.label)}" for effect in open_ones[:MOST_SHOWN])
    raise NoSuchEffect(
        f"it has to be said which breakpoint: {listed or 'none is open'}", hint=f"{COMMAND} EFFECT yes"
    )


def _named(open_ones: Sequence[Effect], name: str) -> list[Effect]:
    """The breakpoints that a word names; a whole id or step comes before the beginning of another."""
    return (
        [effect for effect in open_ones if effect.id == name]
        or [effect for effect in open_ones if effect.step == name]
        or [effect for effect in open_ones if effect.id.startswith(name) or effect.step.startswith(name)]
    )


def digest_in(run: Run, effect: Effect, words: list[str]) -> tuple[str | None, list[str]]:
    """The digest of what was looked at, where it is typed before the answer, and the words that are left.

    One that is not right any more is one all the same.
    """
    if not words or _option_in(options_of(run, effect), " ".join(words)) is not None:
        return None, words
    is_digest = len(words[0]) == SHOWN_LENGTH and _HEX.issuperset(words[0])
    return (words[0], words[1:]) if is_digest else (None, words)


def _option_in(options: Sequence[str], text: str) -> str | None:
    """The option that a text is, else the longest that it begins with."""
    fitting = [option for option in options if text == option or text.startswith(f"{option} ")]
    return max(fitting, key=len, default=None)


def answer_of(run: Run, effect: Effect, words: list[str]) -> tuple[bool, str | None, str | None]:
    """Yes or no, one of the options, and feedback, of what was typed after the breakpoint.

    Raises:
        InvalidInput: it is none of these.
    """
    options, text = options_of(run, effect), " ".join(words)
    option = _option_in(options, text)
    if option is not None:
        return True, option, text[len(option) :].strip() or None
    first, feedback = words[0].lower(), " ".join(words[1:]) or None
    if first in NO:
        return False, None, feedback
    if options:
        raise InvalidInput(
            f"the breakpoint has options: {', '.join(options)}", hint="type one of them, or no"
        )
    if first not in YES:
        raise InvalidInput(f"{text!r} is neither yes nor no", hint=f"{COMMAND} [EFFECT] yes|no [feedback]")
    return True, None, feedback


def waiting_text(run: Run, name: str, effects: Sequence[Effect]) -> str:
    """What is asked, and how to answer: for a person who has typed no answer."""
    if not effects:
        return "no breakpoint is open"
    is_only = len(effects) == 1
    lines = [line for effect in effects[:MOST_SHOWN] for line in _shown(run, name, effect, is_only=is_only)]
    if len(effects) > MOST_SHOWN:
        lines.append(f"and {len(effects) - MOST_SHOWN} more: babysitter status {name}")
    return "\n".join(["the person has to say what:", *lines])


def _shown(run: Run, name: str, effect: Effect, *, is_only: bool) -> list[str]:
    # Indented, so that no line of it can pass for a line of ours.
    question, options, shown = question_of(run, effect), options_of(run, effect), Shown(run, effect)
    digest = shown.digest[:SHOWN_LENGTH]
    lines = [f"breakpoint {effect.id}, digest {digest}:"]
    lines += [f"  {line}" for line in question[:MOST_QUESTION].split("\n")]
    if len(question) > MOST_QUESTION:
        lines.append(f"  … cut; all of it: babysitter show {name} {effect.id}")
    lines += [f"  - {printable(option)}" for option in options]
    lines += [f"  {line}" for line in about_of(run, effect)]
    start = COMMAND if is_only and not shown.changed else f"{COMMAND} {effect.id}"
    # Without it a yes would be one to what was asked at first.
    start += f" {digest}" if shown.changed else ""
    return [*lines, f"to answer: {start} {'OPTION' if options else 'yes'}, or {start} no"]
