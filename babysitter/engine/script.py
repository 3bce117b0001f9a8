"""The journal as a script: replay must follow it line by line.

At a request the step must be waiting, with the same fingerprint; at a result
it must be waiting, or have been given up before (a late answer); at a
cancellation it must be given up now; at the end the outcome must match. So
the same prefix asks for the same things, and anything else is an error
before a single byte is written.
"""

from __future__ import annotations

from babysitter.engine.ending import GivingUp, describe_failure
from babysitter.engine.state import BY_PERSON, CONTINUED, HALTED
from babysitter.errors import NondeterminismError, TaskCancelled, TaskFailed, TaskTimeout
from babysitter.ids import sha256_hex
from babysitter.jsontext import compact

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from babysitter.engine.branches import Branch
    from babysitter.engine.calls import Call
    from babysitter.engine.ending import End
    from babysitter.engine.notes import Notes
    from babysitter.engine.replay import Replay
    from babysitter.engine.state import Effect, Line

USUAL_CAUSE = (
    "a process asks for the same things on every replay: take time and chance from ctx.now() and ctx.random,"
    " data from outside from ctx.record(), and iterate over lists instead of sets; then make a new run"
)
OTHER_ARGUMENTS = "the same task with other arguments"
EXCERPT = 120
_FROM_OUTSIDE = frozenset({"EFFECT_RESOLVED", "RUN_CANCELLED"})
ERROR_CLASSES = {"TaskTimeout": TaskTimeout, "TaskCancelled": TaskCancelled}


def _never(_: Effect) -> bool:
    return False


def _unknown(_: Effect, __: Call) -> str:
    return ""


class Script:
    """Leads one replay through the lines of its journal.

    Attributes:
        reworded: ids of effects that the process now asks for in other words, and may.
    """

    __slots__ = (
        "_difference",
        "_fetch",
        "_handlers",
        "_is_free",
        "effect_ids",
        "notes",
        "replay",
        "reworded",
    )

    def __init__(
        self,
        replay: Replay,
        notes: Notes,
        fetch: Callable[[Effect], Any],
        is_free: Callable[[Effect], bool] = _never,
        difference: Callable[[Effect, Call], str] = _unknown,
    ) -> None:
        """Nothing is fed yet.

        ``fetch`` gives the value of an effect's result, from its own file when it is large; ``is_free``
        whether an effect may be asked for in other words by now, and ``difference`` what these are.
        """
        self.replay = replay
        self.notes = notes
        self.effect_ids: dict[str, str] = {}
        self.reworded: list[str] = []
        self._fetch = fetch
        self._is_free = is_free
        self._difference = difference
        self._handlers: dict[str, Callable[[Any, int], None]] = {
            "EFFECT_REQUESTED": self._requested,
            "EFFECT_RESOLVED": self._resolved,
            "EFFECT_CANCELLED": self._cancelled,
            "RECORDED": self._recorded,
            "PROCESS_LOG": self._logged,
            "RUN_COMPLETED": self._completed,
            "RUN_FAILED": self._failed,
            "PATCHED": self._patched,
            "RUN_CANCELLED": self._given_up,
            "RUN_HALTED": self._halted,
            "RUN_CONTINUED": self._continued,
        }

    def follow(self, lines: Sequence[Line]) -> None:
        """Feed the lines.

        Raises:
            NondeterminismError: the process does something else.
        """
        handlers, notes = self._handlers, self.notes
        last = last_written(lines)
        for number, (kind, subject, ms) in enumerate(lines):
            if self._stands_still():
                return
            notes.is_past = number < last
            handlers[kind](subject, ms)
        notes.is_past = False
        self._stands_still()

    def _stands_still(self) -> bool:
        """Whether the process is stuck, so that nothing more can be said about its script."""
        if self.replay.divergence is not None:
            raise self.replay.divergence
        return self.replay.end is not None and self.replay.end.status == "stuck"

    def _requested(self, effect: Effect, _: int) -> None:
        entry = self.replay.waiting.get(effect.step)
        if entry is None:
            raise self._surprise(effect.step, describe(effect), "nothing there")
        call = entry[1]
        if call.attempt != effect.attempt:
            raise self._surprise(
                effect.step, f"attempt {effect.attempt} of {describe(effect)}", f"attempt {call.attempt}"
            )
        if call.task.id != effect.task_id:
            raise self._surprise(effect.step, describe(effect), f"task {call.task.id!r}")
        if call.args_hash != effect.args_hash:
            if not self._is_free(effect):
                other = f"{OTHER_ARGUMENTS}{self._difference(effect, call)}"
                raise self._surprise(effect.step, describe(effect), other)
            self.reworded.append(effect.id)
        self.replay.asked.pop(effect.step, None)
        self.effect_ids[effect.step] = effect.id

    def _resolved(self, effect: Effect, ms: int) -> None:
        error = failure_of(effect) if effect.status == "error" else None
        value = None if error else self._fetch(effect)
        if self.replay.resolve(effect.step, value, error, ms):
            return
        if effect.step not in self.replay.dropped:
            raise self._surprise(effect.step, f"a result for {describe(effect)}", "nothing waiting there")
        self.replay.newly_dropped.pop(effect.step, None)

    def _cancelled(self, effect: Effect, ms: int) -> None:
        if effect.cancel_reason == BY_PERSON and self.replay.resolve(
            effect.step, None, cancellation_of(effect), ms
        ):
            return
        if effect.step not in self.replay.dropped:
            raise self._surprise(effect.step, f"the cancellation of {describe(effect)}", "it still waiting")
        self.replay.newly_dropped.pop(effect.step, None)

    def _recorded(self, data: dict[str, Any], _: int) -> None:
        if (data["scope"], data["index"]) not in self.notes.asked_records:
            raise self._surprise(
                f"{data['scope']}record {data['index']}",
                f"the recorded value {data['name']!r}",
                "no such record",
            )
        self.notes.see_record(data)

    def _patched(self, data: dict[str, Any], _: int) -> None:
        self.notes.see_patch(data["id"], data.get("isNew", True))

    def _given_up(self, data: dict[str, Any], ms: int) -> None:
        self.replay.now_ms = ms
        self.replay.give_up_now(GivingUp(HALTED, None, reason=data["reason"], by=data["by"]))

    def _logged(self, data: dict[str, Any], _: int) -> None:
        self.notes.see_log(data)

    def _completed(self, data: dict[str, Any], _: int) -> None:
        text = output_text(self._ended("completed").value)
        if sha256_hex(text.encode()) != data["sha256"]:
            raise self._surprise("", "another output of the run", text[:EXCERPT])

    def _failed(self, data: dict[str, Any], _: int) -> None:
        error = self._ended("failed").error
        assert error is not None
        known, found = data["error"], describe_failure(error)
        if any(known.get(name) != found[name] for name in ("name", "message")):
            raise self._surprise("", f"{known.get('name')}: {known.get('message')}", f"{error!r}"[:EXCERPT])

    def _halted(self, data: dict[str, Any], _: int) -> None:
        if data.get("isAtOnce"):
            # From outside, wherever the process was.
            return
        found = self._ended(HALTED).value.reason
        if found != data["reason"]:
            raise self._surprise("", f"the run halted: {data['reason']}", found[:EXCERPT])

    def _continued(self, data: dict[str, Any], _: int) -> None:
        text = output_text(self._ended(CONTINUED).value.value)
        if sha256_hex(text.encode()) != data["sha256"]:
            raise self._surprise("", "the run continued with other inputs", text[:EXCERPT])

    def _ended(self, status: str) -> End:
        end = self.replay.end
        if end is None or end.status != status:
            raise self._surprise("", f"the run {status}", end.status if end else "more to do")
        return end

    def _surprise(self, step: str, journal: str, found: str) -> NondeterminismError:
        where = f"at step {step!r} " if step else ""
        return NondeterminismError(
            f"{where}the journal has {journal}, but the process now has {found}",
            step=step,
            hint=USUAL_CAUSE,
        )

    def to_cancel(self) -> list[str]:
        """Ids of requested effects that were given up since."""
        return [self.effect_ids[step] for step in self.replay.newly_dropped]

    def to_request(self) -> list[tuple[Branch, Call]]:
        """Calls that wait and are not requested yet, in the order of asking."""
        return list(self.replay.asked.values())


def last_written(lines: Sequence[Line]) -> int:
    """The index of the last line that an iteration wrote; what comes after it no iteration has seen."""
    for number in range(len(lines) - 1, -1, -1):
        kind, subject, _ = lines[number]
        if kind not in _FROM_OUTSIDE and getattr(subject, "cancel_reason", "") != BY_PERSON:
            return number
    return -1


def cancellation_of(effect: Effect) -> TaskCancelled:
    """The error that the process sees for an effect that a person has cancelled."""
    why = f": {effect.error['message']}" if effect.error else ""
    return TaskCancelled(
        f"task {effect.task_id!r} was cancelled by a person{why}",
        name="TaskCancelled",
        effect_id=effect.id,
        step=effect.step,
        task_id=effect.task_id,
        attempts=effect.attempt,
    )


def describe(effect: Effect) -> str:
    return f"task {effect.task_id!r}"


def output_text(value: Any) -> str:
    """The output of a run as it is hashed for its end event; words that are no JSON for what is none."""
    try:
        return compact(value)
    except (TypeError, ValueError) as error:
        return f"an output that is not JSON: {error}"


def failure_of(effect: Effect) -> TaskFailed:
    """The error that the process sees for a failed effect."""
    error = effect.error or {}
    name = error.get("name", "TaskFailed")
    return ERROR_CLASSES.get(name, TaskFailed)(
        error.get("message", "the task failed"),
        name=name,
        data=error.get("data"),
        exit_code=error.get("exitCode"),
        effect_id=effect.id,
        step=effect.step,
        task_id=effect.task_id,
        attempts=effect.attempt,
    )
