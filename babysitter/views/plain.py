"""Plain lines as things happen, for files, pipes and CI: no colours, nothing drawn twice."""

from __future__ import annotations

import sys

from babysitter.clock import now_ms
from babysitter.engine.scores import series_json
from babysitter.views.marks import ASCII, CANCELLED, FAILED, OK, UNICODE, text_of
from babysitter.views.nodes import and_more
from babysitter.views.quiet import QuietView
from babysitter.views.rows import limit_text
from babysitter.views.scores import score_text
from babysitter.views.summary import summary_lines
from babysitter.views.telling import held_text, progress_text, remark
from babysitter.views.text import can_show_unicode, duration, encodable, pad, printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TextIO

    from babysitter.executors.rates import Wait
    from babysitter.journal.events import Event
    from babysitter.views.nodes import Branch, Effect
    from babysitter.views.summary import Outcome
    from babysitter.views.tree import RunInfo

PROGRESS_EVERY_MS = 1000
HELD_EVERY_MS = 60_000
LABEL_COLUMNS = 50
WAITING_FOR = {"breakpoint": "person", "sleep": "clock"}


class PlainView(QuietView):
    """Writes to ``stream``, line by line."""

    def __init__(self, stream: TextIO | None = None, clock: Callable[[], int] = now_ms) -> None:
        super().__init__(clock)
        self._stream = stream or sys.stdout
        self._marks = ASCII.with_arrow(UNICODE.arrow) if can_show_unicode(self._stream) else ASCII
        self._is_new = True
        self._progress_at: dict[str, int] = {}
        self._progress_due: set[str] = set()
        self._held_at: dict[str, int] = {}
        self._is_paused = False
        self._kept_back: list[str] = []
        self._refused: dict[str, list[Effect]] = {}
        self._is_gone = False

    def started(self, run: RunInfo) -> None:
        super().started(run)
        self._write("run", f"{run.run_id}  {run.folder}")

    def event(self, event: Event) -> None:
        if self.is_old(event):
            super().event(event)
            return
        self._tell_old()
        super().event(event)
        line = remark(event)
        if line is not None:
            self._print(text_of(line))
        elif event.type == "EFFECT_REQUESTED":
            self._tell_request(self.tree.known[event.data["effectId"]])
        elif event.type in ("EFFECT_RESOLVED", "EFFECT_CANCELLED"):
            self._tell_end(event.data["effectId"])
        elif event.type == "PROCESS_LOG" and "score" in event.data:
            self._tell_score(self.tree.branches[event.data["scope"].rstrip(".")])
        elif event.type == "PROCESS_LOG":
            self._progress_due.add(event.data.get("scope", "").rstrip("."))
            self._tell_progress()

    def executing(self, effect_id: str, started_ms: int) -> None:
        super().executing(effect_id, started_ms)
        self._tell_old()
        effect = self.tree.effects.get(effect_id)
        if effect is not None:
            self._write("start", effect.name)

    def held(self, waits: Mapping[str, Wait]) -> None:
        super().held(waits)
        now = self.clock()
        by_text: dict[tuple[str, str], int] = {}
        for wait in waits.values():
            key = wait.rate.name, held_text(wait.rate.name, wait.at_ms, now)
            by_text[key] = by_text.get(key, 0) + 1
        for (name, text), count in by_text.items():
            if now - self._held_at.get(name, -HELD_EVERY_MS) >= HELD_EVERY_MS:
                self._held_at[name] = now
                self._write("limit", f"{_waiting(count)} for the {text}")

    def tick(self) -> None:
        self._tell_refused()
        self._tell_progress()

    def pause(self) -> None:
        self._is_paused = True

    def resume(self) -> None:
        self._is_paused = False
        kept, self._kept_back = self._kept_back, []
        for text in kept:
            self._print(text)

    def message(self, text: str) -> None:
        self._print(text)

    def finished(self, outcome: Outcome) -> None:
        if self._is_paused:
            self._is_paused = False
            # The cursor stands behind a question that nobody will answer now.
            self._print("")
            self.resume()
        self._tell_refused()
        self._tell_progress(is_last=True)
        for lines in outcome.questions:
            # Behind a gap, so that no line of it can pass for a line of ours.
            for number, text in enumerate(lines):
                self._write("" if number else "asked", text)
        for line in summary_lines(self.tree, outcome, self._marks):
            self._print(text_of(line))

    def _tell_old(self) -> None:
        """Once, before the first news: how much of the run was there already."""
        if self._is_new:
            self._is_new = False
            done = sum(not effect.is_pending for effect in self.tree.effects.values())
            if done:
                self._write("before", f"{done} effect{'s' if done != 1 else ''} done")

    def _tell_request(self, effect: Effect) -> None:
        if effect.id not in self.tree.effects:
            self._tell_wait(effect)
            return
        word = WAITING_FOR.get(effect.kind)
        if word == "clock":
            left = duration((effect.due_ms or 0) - self.clock())
            self._write(word, f"{effect.name}, {left} left")
        elif word:
            first, *more = effect.question.splitlines() or [""]
            asks = f"{first}{' …' if more else ''}" if effect.question not in ("", effect.label) else ""
            self._write(word, f"{effect.name}: {asks}" if asks else effect.name)

    def _tell_wait(self, wait: Effect) -> None:
        """What is tried again, and when; a limit of time is told when it has run out."""
        failed = self.tree.failed_before(wait)
        if failed is not None:
            left = duration((wait.due_ms or 0) - self.clock())
            self._write("retry", f"{failed.in_branches}: waits {left} before attempt {failed.attempt + 1}")

    def _tell_limit(self, limit: Effect) -> None:
        if limit.is_limit and limit.result == OK:
            group = self.tree.group(limit.scope.rpartition(".")[0])
            self._write("time", f"{limit_text(group)} has run out at step {group.path}")

    def _tell_end(self, effect_id: str) -> None:
        effect = self.tree.effects.get(effect_id)
        if effect is None:
            if effect_id in self.tree.known:
                self._tell_limit(self.tree.known[effect_id])
            return
        if effect.is_refused:
            # With others of its kind, as soon as there is something else to tell.
            self._refused.setdefault(effect.why, []).append(effect)
            return
        self._write_end(effect)

    def _tell_refused(self) -> None:
        """What a budget has not allowed for, in a line for each reason."""
        told, self._refused = self._refused, {}
        for effects in told.values():
            self._write_end(effects[0], len(effects))

    def _write_end(self, effect: Effect, count: int = 1) -> None:
        elapsed = effect.elapsed(self.clock())
        time = duration(elapsed) if elapsed is not None else ""
        tells = effect.state in (FAILED, CANCELLED) or effect.is_decided
        words = effect.last_words if tells else ""
        name = pad(printable(and_more(effect.name, count)), LABEL_COLUMNS)
        self._write(effect.verdict, f"{name} {time:>9}  {words}".rstrip())

    def _tell_score(self, branch: Branch) -> None:
        title = f"{branch.called}: " if branch.parent is not None else ""
        self._write("score", f"{title}{score_text(series_json(branch.scores), self._marks)}")

    def _tell_progress(self, *, is_last: bool = False) -> None:
        """Scopes whose last line is a second old; the others wait for a tick."""
        for path in sorted(self._progress_due):
            now = self.clock()
            if is_last or now - self._progress_at.get(path, -PROGRESS_EVERY_MS) >= PROGRESS_EVERY_MS:
                self._progress_at[path] = now
                self._progress_due.discard(path)
                branch = self.tree.branches[path]
                title = f"{branch.heading}: " if branch.parent is not None else ""
                self._write("progress", f"{title}{progress_text(branch.progress or (0, None, ''))}")

    def _write(self, word: str, text: str) -> None:
        self._print(f"{word:<10}{text}".rstrip())

    def _print(self, text: str) -> None:
        if self._refused:
            self._tell_refused()
        if self._is_paused:
            self._kept_back.append(text)
            return
        if self._is_gone:
            return
        try:
            self._stream.write(encodable(printable(text), self._stream) + "\n")
            self._stream.flush()
        except OSError:
            # Nobody reads any more (a closed pipe). The work goes on, and the journal has it all.
            self._is_gone = True


def _waiting(count: int) -> str:
    return f"{count} effect{'s wait' if count != 1 else ' waits'}"
