"""The local pool: performs so many effects at once, in child processes, and the rest in their order.

One loop over one selector, in the main thread; nothing happens outside of the
pool's own calls.
"""

from __future__ import annotations

import os
import resource
import selectors
import signal
import time

from babysitter.clock import now_ms
from babysitter.errors import StorageError
from babysitter.executors.admission import Admission
from babysitter.executors.agent import Agent
from babysitter.executors.child import EXHAUSTED, GRACE_SECONDS, NEVER, Pipe
from babysitter.executors.claims import Claims
from babysitter.executors.hook import Hook
from babysitter.executors.hook_files import hook_environment
from babysitter.executors.python import Python
from babysitter.executors.running import Running
from babysitter.executors.shell import Shell, secrets_of
from babysitter.executors.wakeup import Wakeup
from babysitter.executors.work import CannotStart, Concluded, Finished, Result, Work
from babysitter.limits import DEFAULT, Limits
from babysitter.redaction import redaction_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from babysitter.executors.agent import Validate
    from babysitter.executors.effect_lock import EffectLock
    from babysitter.executors.hook_calls import Calls
    from babysitter.executors.rates import Rates, Wait
    from babysitter.executors.work import Executor

__all__ = ["KINDS", "Finished", "Pool", "Work"]

KINDS = ("shell", "python", "agent", "orchestrator_task", "hook")

# Others need some too: a batch of results opens up to a hundred files at once.
SPARE_DESCRIPTORS = 128

# Each keeps its lock, and so a descriptor, until it is recorded.
MOST_UNREPORTED = 64


class Pool:
    """Performs effects on this machine. One pool at a time in a program.

    Attributes:
        selector: other descriptors may be registered too; ``data`` says what they are.
        readable: the ``data`` of those that the last ``wait`` found readable.
        running: the effects that are being performed, by id.
        waiting: those that are not yet, by id, in their order.
    """

    def __init__(
        self,
        jobs: int,
        *,
        agent_command: Sequence[str] | None = None,
        environment: Mapping[str, str] | None = None,
        validate: Validate | None = None,
        limits: Limits = DEFAULT,
        rates: Rates | None = None,
    ) -> None:
        """Children start from ``environment``, by default our own; ``validate`` tells misfits of a value.

        ``rates`` says how often something may be started; what has to wait for that lets others pass.
        """
        if jobs < 1:
            raise ValueError(f"a pool of {jobs} jobs performs nothing; at least 1 is needed")
        self.jobs = jobs
        self.selector = selectors.DefaultSelector()
        self.readable: list[Any] = []
        self.running: dict[str, Running] = {}
        self.waiting: dict[str, Work] = {}
        self._agent_command = agent_command
        self._environment = dict(os.environ if environment is None else environment)
        self._validate = validate
        self._limits = limits
        self._claims = Claims()
        self._admission = Admission(rates)
        self._withdrawn: list[Running] = []  # being ended
        self._finished: list[tuple[Finished, EffectLock]] = []  # not yet reported
        self._reported: list[EffectLock] = []  # of results that are being recorded
        self._is_closed = False
        self._attended: list[Calls] = []
        self._wakeup = Wakeup()
        self.selector.register(self._wakeup.fd, selectors.EVENT_READ, self._wakeup)

    def attend(self, calls: Calls) -> None:
        """Look after calls of hooks beside the effects; what of them is left at the end is the caller's."""
        self._attended.append(calls)
        self.selector.register(calls, selectors.EVENT_READ, calls)

    @property
    def held(self) -> dict[str, Wait]:
        """What each of the waiting effects waits for that a rate limit holds up, by id."""
        return self._admission.held

    def offer(self, works: Iterable[Work]) -> None:
        """Take effects in; start as many as there is room for.

        Raises:
            ValueError: the pool does not perform this kind.
            UnsafePath, StorageError
        """
        for work in works:
            if work.kind not in KINDS:
                raise ValueError(
                    f"the pool performs {', '.join(KINDS)} effects, and {work.kind!r} is none of them"
                )
            if work.effect_id not in self.running:
                self.waiting.setdefault(work.effect_id, work)
        self._fill(time.monotonic())

    def withdraw(self, effect_id: str) -> None:
        """Nobody needs this effect any more: end it, or forget it. Nothing is reported."""
        for end, lock in self._finished:
            if end.effect_id == effect_id:
                lock.release()
        self._finished = [(end, lock) for end, lock in self._finished if end.effect_id != effect_id]
        self.waiting.pop(effect_id, None)
        self._forget(effect_id)
        running = self.running.pop(effect_id, None)
        if running is not None:
            running.child.end(time.monotonic(), GRACE_SECONDS)
            self._withdrawn.append(running)

    def _forget(self, effect_id: str) -> None:
        self._claims.forget(effect_id)
        self._admission.settle(effect_id)

    def wait(self, timeout: float | None) -> list[Finished]:
        """Wait for results, at most ``timeout`` seconds (None: as long as it takes).

        Comes back earlier also when another descriptor is readable, a signal has
        come, or the journal should be looked at. To come back to ``wait`` says
        that what it gave before is recorded.

        Raises:
            UnsafePath, StorageError: an effect's folder; children go on until ``close``.
        """
        now = time.monotonic()
        until = NEVER if timeout is None else now + timeout
        self.readable = []
        self._release(self._reported)
        self._reap()
        self._fill(now)
        must_return = False
        while not must_return:
            must_return = self._select(min(until, self._due()) - now)
            now = time.monotonic()
            must_return |= self._advance(now) or self._claims.wants_a_look or now >= until
            if now >= self._retry_at:
                self._fill(now)
        self._claims.look()
        self._reported = [lock for _, lock in self._finished]
        finished, self._finished = [end for end, _ in self._finished], []
        return finished

    def _due(self) -> float:
        """When something has to be done although nothing happens."""
        if (self._finished and not self._is_closed) or self._claims.wants_a_look:
            return 0
        children = (running.child.due for running in (*self.running.values(), *self._withdrawn))
        hooks = (calls.due for calls in self._attended)
        return min((self._retry_at, *children, *hooks))

    @property
    def _retry_at(self) -> float:
        """When something that waits may be started although nothing has ended."""
        return min(self._claims.retry_at, self._admission.retry_at)

    def _select(self, patience: float) -> bool:
        """Take in what happens; whether it is something for the caller."""
        must_return = False
        for key, _ in self.selector.select(None if patience == NEVER else max(0.0, patience)):
            if isinstance(key.data, Pipe):
                key.data.pull()
            elif key.data is self._wakeup:
                came = self._wakeup.drain()
                self._reap()
                must_return |= bool(came - {signal.SIGCHLD})
            elif key.data in self._attended:
                key.data.pull()
            else:
                self.readable.append(key.data)
                must_return = True
        return must_return

    def _reap(self) -> None:
        for running in (*self.running.values(), *self._withdrawn):
            running.child.reap()

    def _advance(self, now: float) -> bool:
        """Do what has become due; whether there is something to report."""
        for calls in () if self._is_closed else self._attended:
            calls.advance(now)
        for running in list(self.running.values()):
            end = running.advance(now)
            if end is not None:
                self._finished.append((end, running.lock))
                del self.running[running.effect_id]
                self._fill(now)
        for running in self._withdrawn:
            running.child.advance(now)
            if running.child.is_over:
                try:
                    running.close()
                finally:
                    running.lock.release()
        self._withdrawn = [running for running in self._withdrawn if not running.child.is_over]
        return bool(self._finished)

    def _fill(self, now: float) -> None:
        """Start waiting effects in their order, as far as there is room and they are ours."""
        self._claims.retry_at = self._admission.retry_at = NEVER
        for work in list(self.waiting.values()):
            if not self._has_place():
                return
            try:
                if self._admission.may_start(work, now):
                    self._try(work, now)
            except StorageError as error:
                is_exhausted = getattr(error.__cause__, "errno", None) in EXHAUSTED
                if is_exhausted and (self.running or self._withdrawn):
                    # There is no room on this machine; there will be when something has ended.
                    return
                raise

    def _try(self, work: Work, now: float) -> None:
        """Start an effect, if it is ours and its rate limits let it."""
        has_room = len(self.running) + self._claims.held < self.jobs
        if not self._claims.take(work, now, has_room=has_room):
            return
        if self._admission.take(work, now):
            self._start(work)
        else:
            # It must not keep a place from others while it waits.
            self._claims.forget(work.effect_id)

    def _has_place(self) -> bool:
        if len(self.running) >= self.jobs or len(self._finished) >= MOST_UNREPORTED:
            return False
        return not self.running or self._has_descriptors()

    def _has_descriptors(self) -> bool:
        """Whether one more child leaves enough of them for those who record the results."""
        most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
        lowest_free = os.dup(self._wakeup.fd)
        os.close(lowest_free)
        return most == resource.RLIM_INFINITY or lowest_free < most - min(SPARE_DESCRIPTORS, most // 2)

    def _start(self, work: Work) -> None:
        """Start an effect that is ours."""
        lock = self._claims.lock_of(work.effect_id)
        try:
            running = Running(
                work,
                self._executor(work),
                lock,
                environment=self._environment_of(work),
                selector=self.selector,
                answer_bytes=self._limits.result_bytes,
                redaction=redaction_of(self._limits, secrets_of(work, self._environment)),
            )
        except CannotStart as error:
            self._report_not_started(work, lock, Result.failed("StartFailed", str(error)))
        except Concluded as done:
            done.result.evidence = {"hooks": [], **done.result.evidence}
            self._report_not_started(work, lock, done.result)
        else:
            self.running[work.effect_id] = running
        self._claims.settle(work.effect_id)
        self._admission.settle(work.effect_id)
        del self.waiting[work.effect_id]

    def _executor(self, work: Work) -> Executor:
        if work.kind == "shell":
            return Shell(work, self._environment, self._limits)
        if work.kind == "python":
            return Python(work, self._limits)
        if work.kind == "hook":
            return Hook(work, self._limits)
        return Agent(work, self._agent_command, self._validate, self._limits)

    def _environment_of(self, work: Work) -> dict[str, str]:
        return hook_environment(self._environment, self._limits) if work.kind == "hook" else self._environment

    def _report_not_started(self, work: Work, lock: EffectLock, result: Result) -> None:
        now = now_ms()
        end = Finished(
            work.effect_id,
            result.status,
            result.value,
            result.error,
            started_ms=now,
            finished_ms=now,
            evidence=result.evidence or None,
        )
        self._finished.append((end, lock))

    def _release(self, locks: Iterable[EffectLock]) -> None:
        for lock in locks:
            lock.release()

    def close(self, grace: float) -> None:
        """End all children, by force after ``grace`` seconds or at the next signal. Nothing is reported."""
        if self._is_closed:
            return
        self._is_closed = True
        for effect_id in (*self.waiting, *self.running):
            self.withdraw(effect_id)
        self._leave_to_others()
        self._end_all(grace)
        while self._withdrawn:
            try:
                if self._select(self._due() - time.monotonic()):
                    self._end_all(0)
                self._advance(time.monotonic())
            except StorageError:
                # Their output cannot be written, and nobody needs it any more.
                continue
        self._release([*self._reported, *(lock for _, lock in self._finished)])
        self.selector.close()
        self._wakeup.close()

    def _end_all(self, grace: float) -> None:
        for running in self._withdrawn:
            running.child.end(time.monotonic(), grace)

    def _leave_to_others(self) -> None:
        """Stop watching what others have registered."""
        for key in list(self.selector.get_map().values()):
            if not isinstance(key.data, (Pipe, Wakeup)):
                self.selector.unregister(key.fileobj)
