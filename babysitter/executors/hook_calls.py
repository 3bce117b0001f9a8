"""Calls of lifecycle hooks: one after the other, each in a process group of its own, with a time limit.

Whoever has time calls ``advance`` when ``due`` has come or the descriptor is
readable; who has nothing else to do calls ``finish``. Whatever a hook does, it
is noted, and nothing else comes of it.
"""

from __future__ import annotations

import os
import selectors
import signal
import tempfile
import time
from collections import deque

from babysitter.clock import iso, now_ms
from babysitter.errors import BabysitterError
from babysitter.executors.child import LINGER_SECONDS, NEVER, Child
from babysitter.executors.hook_files import HOW_TO_TRUST, hook_environment, hook_files
from babysitter.executors.hook_record import note, read_calls
from babysitter.executors.work import CannotStart
from babysitter.jsontext import compact
from babysitter.redaction import redaction_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from babysitter.executors.hook_files import HookFile
    from babysitter.executors.pool import Pool
    from babysitter.runs.run import Run

    Payload = Callable[[], dict[str, Any]]

# A hook says a few words; what it has to say at length it writes to a file.
MOST_OUTPUT = 1 << 20
TAIL_LENGTH = 2000
# How long an exit may stay unseen when nothing else tells of it.
LOOK_SECONDS = 0.02
GRACE_SECONDS = 1.0


class Said:
    """What a hook writes to one stream."""

    __slots__ = ("content",)

    def __init__(self) -> None:
        self.content = bytearray()

    def take(self, piece: bytes) -> None:
        self.content += piece[: MOST_OUTPUT + 1 - len(self.content)]

    @property
    def is_too_much(self) -> bool:
        return len(self.content) > MOST_OUTPUT


class Call:
    """One file that is called for one occasion; ``payload`` is what it gets to read."""

    __slots__ = (
        "began",
        "child",
        "file",
        "hook",
        "is_too_much",
        "payload",
        "run",
        "seconds",
        "started_at",
        "stderr",
        "stdout",
    )

    def __init__(self, run: Run, hook: str, file: HookFile, payload: dict[str, Any]) -> None:
        self.run = run
        self.hook = hook
        self.file = file
        self.payload = payload
        self.stdout, self.stderr = Said(), Said()
        self.is_too_much = False
        self.started_at = ""

    def start(self, selector: selectors.BaseSelector, seconds: float) -> None:
        """Start it.

        Raises:
            CannotStart, StorageError
        """
        self.started_at, self.began, self.seconds = iso(now_ms()), time.monotonic(), seconds
        environment = hook_environment(os.environ, self.run.limits)
        with tempfile.TemporaryFile() as given:
            # A file, so that nobody waits for a hook that does not read.
            given.write(compact(self.payload).encode("utf-8", "backslashreplace"))
            given.seek(0)
            self.child = Child(
                [self.file.path],
                cwd=self.run.project,
                env={**environment, "BABYSITTER_HOOK": self.hook, "BABYSITTER_RUN_ID": self.run.run_id},
                stdin=given.fileno(),
                kept_fds=[],
                outputs=(self.stdout, self.stderr),
                selector=selector,
                deadline=self.began + seconds,
            )

    def advance(self, now: float) -> bool:
        """Do what has become due; whether it is over."""
        self.child.reap()
        if not self.is_too_much and (self.stdout.is_too_much or self.stderr.is_too_much):
            self.is_too_much = True
            self.child.end(now, LINGER_SECONDS)
        self.child.advance(now)
        return self.child.is_over


class Calls:
    """The calls that are to be made here, of a run and those that belong to it, in their order.

    Attributes:
        is_attended: a pool makes them beside its own work.
        tell: is told what went wrong, once for each file.
        until: the monotonic time at which no more is called.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self.tell = tell
        self.until = NEVER
        self.is_attended = False
        self._selector = selectors.DefaultSelector()
        self._waiting: deque[tuple[Run, str, Payload]] = deque()
        self._files: deque[Call] = deque()
        self._running: Call | None = None
        self._told: set[str] = set()
        self._passed_over: set[tuple[str, str]] = set()
        self._is_interrupted = False

    def fileno(self) -> int:
        """A descriptor that is readable when a hook has written something."""
        return self._selector.fileno()

    def attend(self, pool: Pool) -> None:
        """Let a pool make them until it is closed."""
        self.is_attended = True
        pool.attend(self)

    def add(self, run: Run, hook: str, payload: Payload) -> None:
        """Call a hook of a run when those before it are done; what it is told is asked for then."""
        self._waiting.append((run, hook, payload))

    @property
    def is_busy(self) -> bool:
        return bool(self._running or self._files or self._waiting)

    @property
    def due(self) -> float:
        """The monotonic time at which ``advance`` has something to do by itself."""
        if self._running is not None:
            return self._running.child.due
        return 0.0 if self.is_busy else NEVER

    def pull(self) -> None:
        """Take in what hooks have written."""
        for key, _ in self._selector.select(0):
            key.data.pull()

    def advance(self, now: float) -> None:
        """Do what has become due: note what has ended, and start the next."""
        if self._running is not None and self._running.advance(now):
            ended, self._running = self._running, None
            self._note_end(ended)
        while self._running is None and (self._files or self._waiting):
            if self._files:
                self._start(self._files.popleft(), now)
            else:
                self._look_up(*self._waiting.popleft())

    def _look_up(self, run: Run, hook: str, payload: Payload) -> None:
        files = hook_files(run.project, hook)
        told = {"hook": hook, **payload()} if files else {}
        self._files.extend(Call(run, hook, file, told) for file in files)

    def _start(self, call: Call, now: float) -> None:
        distrust = call.file.distrust
        if distrust:
            self._note_distrust(call, distrust)
            return
        seconds = min(call.run.limits.hook_seconds, self.until - now)
        if seconds <= 0:
            self._note(call, {"why": "not called: there was no time left"})
            return
        try:
            call.start(self._selector, seconds)
        except (CannotStart, BabysitterError, OSError) as error:
            self._note(call, {"why": str(error)})
        else:
            self._running = call

    def _note_end(self, call: Call) -> None:
        child = call.child
        assert child.returncode is not None
        code = 128 - child.returncode if child.returncode < 0 else child.returncode
        told: dict[str, Any] = {"exitCode": code}
        if child.is_timed_out:
            told["why"] = f"it did not end within {call.seconds:.3g} s and was ended"
        elif call.is_too_much:
            told["why"] = f"it wrote more than {MOST_OUTPUT} bytes and was ended"
        redaction = redaction_of(call.run.limits)
        for name, said in (("stdout", call.stdout), ("stderr", call.stderr)):
            text = redaction.text(said.content[:MOST_OUTPUT].decode("utf-8", "replace")).strip()
            if text:
                told[name] = text[-TAIL_LENGTH:]
        self._note(call, told)

    def _note(self, call: Call, told: dict[str, Any]) -> None:
        took = round((time.monotonic() - call.began) * 1000) if call.started_at else 0
        line = {
            "hook": call.hook,
            "file": call.file.shown,
            "at": call.started_at or iso(now_ms()),
            "durationMs": took,
            **({"seq": call.payload["seq"]} if "seq" in call.payload else {}),
            **told,
        }
        self._append(call.run, line)
        if "why" in told or told.get("exitCode"):
            self._complain(call.run, line)

    def _append(self, run: Run, line: dict[str, Any]) -> None:
        try:
            note(run.folder, line)
        except (BabysitterError, OSError) as error:
            self._tell_once("", f"a call of {line['file']} cannot be noted: {error}")

    def _complain(self, run: Run, line: dict[str, Any]) -> None:
        last = line.get("stderr", "").rpartition("\n")[2]
        why = line.get("why") or f"exit code {line['exitCode']}{f': {last}' if last else ''}"
        self._tell_once(line["file"], f"hook {line['file']}: {why} (babysitter hooks {run.run_id})")

    def _tell_once(self, what: str, text: str) -> None:
        if what not in self._told:
            self._told.add(what)
            self.tell(text)

    def _note_distrust(self, call: Call, distrust: str) -> None:
        """Once for each run and reason: what is not executed is no news the next time."""
        line = {
            "hook": call.hook,
            "file": call.file.shown,
            "at": iso(now_ms()),
            "why": f"not called: {distrust}",
        }
        key = (call.run.folder, call.file.shown)
        if key in self._passed_over or any(_is_same(line, told) for told in _known(call.run)):
            return
        self._passed_over.add(key)
        self._append(call.run, {**line, "durationMs": 0})
        self._tell_once(call.file.shown, f"hook {call.file.shown} is not called: {distrust}; {HOW_TO_TRUST}")

    def finish(self) -> None:
        """Make all calls, and come back when the last one is over.

        Signals that end a command end the hook that runs, and the others are not called.

        Raises:
            KeyboardInterrupt: there was one.
        """
        self.is_attended = False
        if not self.is_busy:
            return
        before = {number: signal.signal(number, self._interrupt) for number in _ending_signals()}
        try:
            while self.is_busy:
                self._wait_and_advance()
                if self._is_interrupted:
                    self._give_up()
                    raise KeyboardInterrupt
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _interrupt(self, *_: object) -> None:
        # Not by an exception, which could come while a child is started, and lose it.
        self._is_interrupted = True

    def _wait_and_advance(self) -> None:
        now = time.monotonic()
        self.advance(now)
        if self._running is not None:
            patience = min(LOOK_SECONDS, max(0.0, self.due - now))
            for key, _ in self._selector.select(patience):
                key.data.pull()

    def _give_up(self) -> None:
        self._waiting.clear()
        self._files.clear()
        if self._running is not None:
            call, self._running = self._running, None
            call.child.abort()
            self._note(call, {"why": "ended: the command was interrupted"})


def _known(run: Run) -> list[dict[str, Any]]:
    try:
        return read_calls(run)
    except (BabysitterError, OSError):
        return []


def _is_same(line: dict[str, Any], other: dict[str, Any]) -> bool:
    return all(line[name] == other.get(name) for name in ("hook", "file", "why"))


def _ending_signals() -> list[signal.Signals]:
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    return [number for number in numbers if signal.getsignal(number) is not signal.SIG_IGN]
