"""Hook effects: the executables of a hook, one after the other; what each gave is the result.

A hook that fails is part of the result and fails nothing.
"""

from __future__ import annotations

from babysitter.errors import InvalidInput
from babysitter.executors.hook_files import hook_files
from babysitter.executors.shell import described
from babysitter.executors.work import CannotStart, Command, Concluded, Result
from babysitter.ids import valid_id
from babysitter.jsontext import compact, is_deeper_than, parse_strict
from babysitter.limits import MIB

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.executors.work import Exit, Work
    from babysitter.limits import Limits

MOST_OUTPUT = MIB
MOST_TEXT = 8 << 10
# The list, and what stands in it.
LEVELS = 2
# As a shell has it for what cannot be started.
NOT_STARTED = 126


class Hook:
    """One hook effect."""

    usage: dict[str, Any] | None = None

    def __init__(self, work: Work, limits: Limits) -> None:
        self._work = work
        self._limits = limits
        self._name, self._payload = _read(described(work))
        self._waiting = hook_files(work.project, self._name)
        self._untrusted: list[str] = []
        self._given: list[dict[str, Any]] = []
        # All of them together have to fit into one result.
        self._keeps = min(MOST_OUTPUT, limits.result_bytes // (2 * len(self._waiting) or 1))

    def command(self) -> Command:
        self._pass_over_untrusted()
        if not self._waiting:
            raise Concluded(self._result())
        return Command(
            [self._waiting[0].path],
            self._work.project,
            env={"BABYSITTER_HOOK": self._name},
            input=compact(self._told()).encode(),
            timeout=self._limits.hook_seconds,
            has_own_time=True,
            keeps=self._keeps,
            refused=self._refused,
        )

    def _pass_over_untrusted(self) -> None:
        while self._waiting and self._waiting[0].distrust:
            self._untrusted.append(self._waiting.pop(0).shown)

    def _result(self) -> Result:
        result = Result.ok(self._given)
        if self._untrusted:
            result.evidence = {"untrusted": self._untrusted}
        return result

    def _told(self) -> dict[str, Any]:
        work = self._work
        return {
            "hook": self._name,
            "runId": work.run_id,
            "runFolder": work.run_folder,
            "project": work.project,
            "effectId": work.effect_id,
            "payload": self._payload,
        }

    def _refused(self, error: CannotStart) -> None:
        """The next one cannot be started; that is what it gave."""
        self._given.append({**self._next(), "exitCode": NOT_STARTED, "output": "", "error": str(error)})

    def conclude(self, exit: Exit) -> Result | None:
        given = {**self._next(), "exitCode": exit.code, "output": self._output(bytes(exit.stdout.kept))}
        if exit.is_timed_out:
            given["error"] = f"it did not end within {self._limits.hook_seconds:g} s and was ended"
        self._given.append(given)
        return None if self._waiting else self._result()

    def _next(self) -> dict[str, Any]:
        return {"hook": self._waiting.pop(0).name}

    def _output(self, raw: bytes) -> Any:
        """What it wrote: a JSON value, or else the beginning of the text."""
        try:
            value = parse_strict(raw, limits=self._limits)
        except InvalidInput:
            value = None
        if (
            value is not None
            and len(raw) <= self._keeps
            and not is_deeper_than(value, self._limits.depth - LEVELS)
        ):
            return value
        return None if raw.strip() == b"null" else raw.decode("utf-8", "replace")[:MOST_TEXT].rstrip("\n")


def _read(told: dict[str, Any]) -> tuple[str, Any]:
    name = str(told.get("name") or "")
    if not valid_id(name):
        raise CannotStart(
            f"the definition names the hook {name!r}; letters, digits, '-' and '_' are expected"
        )
    return name, told.get("payload")
