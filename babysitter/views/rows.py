"""The tree as lines of a given width, never more of them than there is room for."""

from __future__ import annotations

from babysitter.durations import brief
from babysitter.engine.scores import series_json
from babysitter.views.choice import Choice
from babysitter.views.decisions import decision_text
from babysitter.views.marks import (
    AGENT,
    BAR,
    BOLD,
    CANCELLED,
    CHILD,
    CLOCK,
    DIM,
    FAILED,
    NONZERO,
    PERSON,
    PLAIN,
    RANK,
    REQUESTED,
    RUNNING,
    tally_line,
    text_of,
)
from babysitter.views.nodes import CLEANUP, TIMEOUT, Branch, Effect, Group
from babysitter.views.scores import score_text
from babysitter.views.telling import held_text, progress_text
from babysitter.views.text import duration, pad, printable, shorten, width_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.views.marks import Line, Marks
    from babysitter.views.nodes import Node
    from babysitter.views.tree import Tree

MOST_COLUMNS = 110
TIME_COLUMNS = 10
BAR_COLUMNS = 20
LABEL_SHARE = 0.5
MOST_SCORES = 3
INDENT = "  "


class Row:
    """What one line says, before it is fitted to a width."""

    __slots__ = ("depth", "label", "note", "state", "time")

    def __init__(self, depth: int, state: str, label: str, note: Line, time: int | None) -> None:
        self.depth = depth
        self.state = state
        self.label = label
        self.note = note
        self.time = time


class Layout:
    """Lays a tree out for one moment and one size of terminal."""

    def __init__(self, tree: Tree, marks: Marks, now: int, columns: int, lines: int) -> None:
        self.tree = tree
        self.marks = marks
        self.now = now
        self.columns = max(1, min(columns, MOST_COLUMNS))
        self.height = lines
        self.rows: list[Row] = []

    def lines(self, title: str, elapsed: int) -> list[Line]:
        """A heading, the progress of the process itself, the tree."""
        head = [self._header(title, elapsed)]
        if self.tree.root.progress is not None:
            head.append(self._with_time([(INDENT, PLAIN), *self._bar(self.tree.root.progress)], None))
        head += [self._with_time([(INDENT, PLAIN), *self._score(series)], None) for series in self._scores()]
        room = self.height - len(head)
        if room > 0:
            self._add_children(self.tree.root, 1, Choice(self.tree, room))
        width = max((self._left_width(row) for row in self.rows), default=0)
        width = min(width, int(self.columns * LABEL_SHARE))
        return [*head, *(self._line(row, width) for row in self.rows[:room])][: self.height]

    def _scores(self) -> list[list[dict[str, Any]]]:
        """Those of the process itself; those of branches stand in their lines."""
        own = [series for (scope, _), series in self.tree.scores.items() if not scope]
        return own[-MOST_SCORES:]

    def _score(self, series: list[dict[str, Any]]) -> Line:
        return [("score ", DIM), (score_text(series_json(series), self.marks), PLAIN)]

    def _header(self, title: str, elapsed: int) -> Line:
        counts = tally_line(self.tree.counts)
        left: Line = [(printable(title), BOLD)]
        if counts:
            left += [(f" {self.marks.dot} ", DIM), *counts]
        return self._with_time(left, elapsed)

    def _add_children(self, parent: Branch | Group, depth: int, choice: Choice) -> None:
        shown = choice.of(parent)
        hidden = self._hidden(parent, shown) if not choice.is_all else None
        if hidden and isinstance(parent, Group):
            shown.sort(key=lambda node: RANK[node.state])
        elif hidden and parent.parent is None:
            # The process itself goes step by step: what is left out has been before.
            self.rows.append(hidden)
        for node in shown:
            self.rows.append(self._row(node, depth))
            if isinstance(node, (Branch, Group)):
                self._add_children(node, depth + 1, choice)
        if hidden and isinstance(parent, Group):
            hidden.depth = depth
            self.rows.append(hidden)

    def _hidden(self, parent: Branch | Group, shown: list[Node]) -> Row | None:
        tally = dict(parent.tally)
        for node in shown:
            tally[node.state] -= 1
        count = sum(tally.values())
        where = "more" if isinstance(parent, Group) else "earlier"
        return Row(1, "", f"{count} {where}", tally_line(tally), None) if count else None

    def _row(self, node: Node, depth: int) -> Row:
        time = node.elapsed(self.now)
        if isinstance(node, Effect):
            return Row(depth, node.state, node.shown, self._note(node), time)
        if isinstance(node, Group):
            return Row(depth, node.state, group_label(node, self.marks.dot), self._group_note(node), time)
        assert isinstance(node, Branch)
        return Row(depth, node.state, node.heading, self._branch_note(node), time)

    def _group_note(self, group: Group) -> Line:
        if group.limit is not None:
            return self._limit_note(group, group.limit)
        return tally_line(group.tally) if len(group.children) > 1 else []

    def _limit_note(self, group: Group, limit: Effect) -> Line:
        if group.has_run_out:
            return [("time ran out", FAILED)]
        is_counting = group.is_pending and limit.due_ms is not None
        return [(f"{duration((limit.due_ms or 0) - self.now)} left", CLOCK)] if is_counting else []

    def _branch_note(self, branch: Branch) -> Line:
        last = branch.children[-1] if branch.children else None
        if branch.progress is not None and branch.is_pending:
            return self._bar(branch.progress)
        note = self._note(last) if isinstance(last, Effect) else []
        if branch.scores and branch.is_pending:
            return [*self._score(branch.scores), ("  ", PLAIN), *note]
        return note

    def _note(self, effect: Effect) -> Line:
        state = effect.state
        if state in (FAILED, NONZERO, CANCELLED):
            return [(effect.last_words, state)]
        if effect.is_decided:
            return [(decision_text(effect.decision), state)]
        if state == RUNNING:
            return [(effect.last_line, DIM)]
        wait = self.tree.held.get(effect.id)
        if wait is not None:
            return [(held_text(wait.rate.name, wait.at_ms, self.now), CLOCK)]
        if state == PERSON:
            asks = effect.question if effect.question != effect.label else ""
            return [(asks or "waits for a person", PERSON)]
        if state == CLOCK and effect.due_ms is not None:
            left = duration(effect.due_ms - self.now)
            if effect.kind == "sleep":
                return [(f"{left} left", CLOCK)]
            return [(f"{left} before attempt {effect.attempt + 1}; {effect.why}", CLOCK)]
        agent = f"taken by {effect.taken_by}" if effect.taken_by else "waits for an agent"
        return [({AGENT: agent, CHILD: "performed by a child run", REQUESTED: "queued"}.get(state, ""), DIM)]

    def _bar(self, progress: tuple[float, float | None, str]) -> Line:
        done, total, _ = progress
        told = progress_text(progress)
        if not total or total <= 0:
            return [(told, PLAIN)]
        full = round(BAR_COLUMNS * min(max(done / total, 0), 1))
        bar = [(self.marks.bar_done * full, BAR), (self.marks.bar_left * (BAR_COLUMNS - full), DIM)]
        return [*bar, (f" {told}", PLAIN)]

    def _left_width(self, row: Row) -> int:
        return len(INDENT) * row.depth + 2 + width_of(printable(row.label)) + 2

    def _line(self, row: Row, width: int) -> Line:
        mark = self.marks.states.get(row.state, self.marks.dot)
        role = PLAIN if row.state else DIM
        start: Line = [(INDENT * row.depth, PLAIN), (mark + " ", row.state or DIM)]
        if not text_of(row.note):
            return self._with_time([*start, (row.label, role)], row.time)
        room = max(1, width - width_of(text_of(start)))
        label = shorten(printable(row.label), room - 2, self.marks.ellipsis)
        return self._with_time([*start, (pad(label, room), role), *row.note], row.time)

    def _with_time(self, line: Line, time: int | None) -> Line:
        """The line cut to the width, with the time at its end."""
        text = duration(time) if time is not None and self.columns >= 2 * TIME_COLUMNS else ""
        room = self.columns - (TIME_COLUMNS if text else 0)
        fitted = fit(line, room, self.marks.ellipsis)
        if not text:
            return fitted
        gap = room - width_of(text_of(fitted)) + TIME_COLUMNS - len(text)
        return [*fitted, (" " * gap + text, DIM)]


def fit(line: Line, width: int, ellipsis: str) -> Line:
    """A line of printable parts, no wider than ``width``."""
    fitted: Line = []
    for text, role in line:
        part = shorten(printable(text), width, ellipsis)
        if part:
            fitted.append((part, role))
            width -= width_of(part)
    return fitted


def group_label(group: Group, dot: str) -> str:
    """How a group is called: by its mode, as its author wrote it."""
    if group.mode == CLEANUP:
        return "cleanup"
    if group.mode == TIMEOUT:
        return limit_text(group)
    count = len(group.children)
    what = f"parallel.{group.mode}" if group.mode else "parallel"
    return f"{what} {dot} {count} branch{'es' if count != 1 else ''}"


def limit_text(group: Group) -> str:
    """``within 10 m``."""
    limit = group.limit
    if limit is None or limit.due_ms is None:
        return "within a time limit"
    return f"within {brief((limit.due_ms - limit.requested_ms) / 1000)}"
