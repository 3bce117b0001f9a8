"""The end of a command: what ran and for how long, what was saved, what failed and why, what comes next."""

from __future__ import annotations

from babysitter.engine.scores import series_json
from babysitter.views.decisions import chosen_text
from babysitter.views.marks import (
    ASCII,
    BOLD,
    DIM,
    FAILED,
    NONZERO,
    OK,
    PERSON,
    PLAIN,
    RANK,
    tally_text,
)
from babysitter.views.nodes import and_more
from babysitter.views.scores import score_text
from babysitter.views.telling import last_output, problem_text
from babysitter.views.text import duration, pad, printable, printable_lines, shorten, width_of
from babysitter.views.times import WORTH_TELLING_MS, Times
from babysitter.views.values import outline

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from babysitter.views.marks import Line, Marks
    from babysitter.views.nodes import Effect
    from babysitter.views.tree import Tree

STATUS_ROLES = {"completed": OK, "failed": FAILED, "halted": FAILED, "stuck": FAILED, "diverged": FAILED}
BAD_ENDS = frozenset({"failed", "halted", "stuck"})
SHOW = "babysitter show RUN EFFECT"
MOST_ROWS = 40
MOST_SCORES = 20
MOST_TAILS = 3
TRACEBACK_LINES = 15
OUTPUT_LINES = 60
LABEL_COLUMNS = 60


class Outcome:
    """How a command ended.

    Attributes:
        status: of the run, or ``interrupted`` or ``diverged``.
        output: of a completed run.
        error: of a failed or stuck one: name and message, perhaps data, file, line, traceback.
        waiting_for: a line for each thing that the run waits for.
        hint: what to do next, a command where there is one.
        usage: what the run has used, in one sum; None when nobody has said anything of it.
        questions: the lines of each open breakpoint of which not all was told when it was asked.
    """

    __slots__ = ("error", "hint", "output", "questions", "status", "usage", "waiting_for")

    def __init__(
        self,
        status: str,
        output: Any,
        error: dict[str, Any] | None,
        waiting_for: Sequence[str],
        hint: str,
        *,
        usage: dict[str, Any] | None = None,
        questions: Sequence[Sequence[str]] = (),
    ) -> None:
        self.status = status
        self.output = output
        self.error = error
        self.waiting_for = waiting_for
        self.hint = hint
        self.usage = usage
        self.questions = questions


def summary_lines(tree: Tree, outcome: Outcome, marks: Marks = ASCII) -> list[Line]:
    """The summary for people."""
    return [
        [],
        *_what_ran(tree, marks),
        *_scores(tree, marks),
        *_tails(tree, outcome),
        *_error(tree, outcome),
        *_survived(tree, outcome),
        *_output(outcome),
        *_waiting(outcome),
        _closing(tree, outcome),
        *_usage(outcome, marks),
        *_next(outcome),
    ]


def _what_ran(tree: Tree, marks: Marks) -> list[Line]:
    effects = list(tree.effects.values())
    rows = _rows(effects) if len(effects) <= MOST_ROWS else _rows_by_label(effects)
    width = min(LABEL_COLUMNS, max((width_of(row[1]) for row in rows), default=0))
    verdicts = max((len(row[2]) for row in rows), default=0)
    lines: list[Line] = []
    for state, label, verdict, time in rows:
        name = pad(shorten(label, width, marks.ellipsis), width)
        lines.append(
            [
                (f"  {marks.states[state]} ", state),
                (f"{name}  ", PLAIN),
                (f"{verdict:<{verdicts}}", state),
                (f"  {time:>9}".rstrip(), DIM),
            ]
        )
    return [*lines, []] if lines else []


Row = tuple[str, str, str, str]


def _rows(effects: Sequence[Effect]) -> list[Row]:
    """A row for each; for those that a budget has not allowed for, one for each reason."""
    refused: dict[str, int] = {}
    for effect in effects:
        if effect.is_refused:
            refused[effect.why] = refused.get(effect.why, 0) + 1
    rows = []
    for effect in effects:
        count = refused.pop(effect.why, 0) if effect.is_refused else 1
        if count:
            state, name, verdict, time = _row(effect)
            rows.append((state, and_more(name, count), verdict, time))
    return rows


def _row(effect: Effect) -> Row:
    time = effect.elapsed(effect.ended_ms) if effect.ended_ms is not None else None
    verdict = chosen_text(effect.decision) if effect.is_decided else effect.verdict
    return effect.state, printable(effect.name), verdict, "" if time is None else duration(time)


def _rows_by_label(effects: list[Effect]) -> list[Row]:
    """One row for all effects of one title, and the failures one by one as far as there is room."""
    labels: dict[str, list[Effect]] = {}
    for effect in effects:
        labels.setdefault(effect.label, []).append(effect)
    groups = sorted(labels.items(), key=lambda item: -len(item[1]))[: MOST_ROWS // 2]
    failed = _rows([effect for effect in effects if effect.state == FAILED])[: MOST_ROWS // 2]
    return [_row_of_many(label, many) for label, many in groups] + failed


def _row_of_many(label: str, effects: list[Effect]) -> Row:
    if len(effects) == 1:
        return _row(effects[0])
    tally: dict[str, int] = {}
    for effect in effects:
        tally[effect.state] = tally.get(effect.state, 0) + 1
    total = sum(effect.elapsed(effect.ended_ms) or 0 for effect in effects if effect.ended_ms is not None)
    state = min(tally, key=RANK.__getitem__)
    return state, f"{printable(label)} ({len(effects)} times)", tally_text(tally), duration(total)


def _scores(tree: Tree, marks: Marks) -> list[Line]:
    """What loops have reached; of very many of them the last."""
    lines: list[Line] = []
    for (scope, _), series in list(tree.scores.items())[-MOST_SCORES:]:
        branch = tree.branches[scope.rstrip(".")]
        title = f"{branch.called}: " if branch.parent is not None else ""
        lines.append(
            [("score  ", DIM), (printable(f"{title}{score_text(series_json(series), marks)}"), PLAIN)]
        )
    return [*lines, []] if lines else []


def _tails(tree: Tree, outcome: Outcome) -> list[Line]:
    """The last words of what the run has ended by; where nothing failed, of commands with a bad exit code."""
    if outcome.status not in BAD_ENDS:
        return []
    telling = [effect for effect in _to_blame(tree) if _printed(effect)]
    lines: list[Line] = []
    for effect in telling[-MOST_TAILS:]:
        lines += [[(printable(f"{effect.name}: {_words(effect, outcome)}"), BOLD)]]
        lines += [[(f"  {text}", PLAIN)] for text in _printed(effect)]
        lines += [[]]
    if len(telling) > MOST_TAILS:
        lines += [[(f"and {len(telling) - MOST_TAILS} more; {SHOW} has each", DIM)], []]
    return lines


def _to_blame(tree: Tree) -> list[Effect]:
    """What the end came of; if that is nothing that failed, the exit codes that the process looked at."""
    return tree.causes() or list(tree.by_state[NONZERO].values())


def _printed(effect: Effect) -> list[str]:
    return last_output(effect.value if effect.error is None else effect.error.get("data"))


def _words(effect: Effect, outcome: Outcome) -> str:
    if effect.state == NONZERO:
        return f"{effect.last_words}, with which the process went on"
    is_told = effect.last_words == (outcome.error or {}).get("message")
    return effect.verdict if is_told else effect.last_words


def _survived(tree: Tree, outcome: Outcome) -> list[Line]:
    """Which failures in the list of what ran are not why it ended like this, in one line."""
    if outcome.status not in BAD_ENDS:
        return []
    causes = {effect.id for effect in tree.causes()}
    caught = [
        each for each in tree.by_state[FAILED].values() if each.id not in causes and not each.is_refused
    ]
    if not caught:
        return []
    if len(caught) == 1:
        told = f"the process went on after this failure: {caught[0].name}: {caught[0].last_words}"
    else:
        named = and_more(
            ", ".join(effect.name for effect in caught[:MOST_TAILS]), len(caught) - MOST_TAILS + 1
        )
        told = f"the process went on after {len(caught)} failures: {named}; {SHOW} has each"
    return [[(printable(told), DIM)], []]


def _error(tree: Tree, outcome: Outcome) -> list[Line]:
    if not outcome.error:
        return []
    word = "halted" if outcome.status == "halted" else "error"
    lines: list[Line] = [[(f"{word}: ", FAILED), (printable(problem_text(outcome.error)), PLAIN)]]
    data = outcome.error.get("data")
    printed = last_output(data)
    if printed and not any(_printed(effect) == printed for effect in _to_blame(tree)[-MOST_TAILS:]):
        lines += [[(f"  {text}", PLAIN)] for text in printed]
    elif data and not printed:
        lines += [[(f"  {text}", PLAIN)] for text in outline(data, OUTPUT_LINES)]
    traceback = outcome.error.get("traceback")
    if isinstance(traceback, str):
        lines += [[(f"  {text}", DIM)] for text in printable_lines(traceback)[-TRACEBACK_LINES:]]
    hint = outcome.error.get("hint")
    if hint:
        lines += [[(f"  {printable(str(hint))}", PLAIN)]]
    return [*lines, []]


def _output(outcome: Outcome) -> list[Line]:
    if outcome.status != "completed" or outcome.output is None:
        return []
    return [*([(text, PLAIN)] for text in outline(outcome.output, OUTPUT_LINES)), []]


def _waiting(outcome: Outcome) -> list[Line]:
    if outcome.status not in ("waiting", "interrupted") or not outcome.waiting_for:
        return []
    shown = [[(f"  {printable(text)}", PLAIN)] for text in outcome.waiting_for[:MOST_ROWS]]
    more = len(outcome.waiting_for) - len(shown)
    rest: list[Line] = [[(f"  and {more} more", DIM)]] if more > 0 else []
    return [[("waiting for", PERSON)], *shown, *rest, []]


def _closing(tree: Tree, outcome: Outcome) -> Line:
    """``completed in 5.2 s: 3 tasks, 15.1 s one after the other, 9.9 s saved by working in parallel``."""
    times = Times(tree)
    role = STATUS_ROLES.get(outcome.status, PERSON)
    took = "in" if role != PERSON else "after"
    line: Line = [(outcome.status, role), (f" {took} {duration(times.wall_ms)}", BOLD)]
    if times.tasks:
        tasks = f"{times.tasks} task{'s' if times.tasks != 1 else ''}"
        line += [(f": {tasks}, {duration(times.work_ms)} one after the other", PLAIN)]
    if times.saved_ms >= WORTH_TELLING_MS:
        line += [(f", {duration(times.saved_ms)} saved by working in parallel", OK)]
    return line


def _usage(outcome: Outcome, marks: Marks) -> list[Line]:
    """``usage     1.2M tokens, 4.31 USD, unknown for 2 effects``."""
    if outcome.usage is None:
        return []
    # Here, for a process may ask no agent.
    from babysitter.views.costs import usage_text

    about = "~" if marks is ASCII else "≈"
    return [[("usage     ", BOLD), (printable(usage_text(outcome.usage, about)), PLAIN)]]


def _next(outcome: Outcome) -> list[Line]:
    return [[("next: ", BOLD), (printable(outcome.hint), PLAIN)]] if outcome.hint else []
