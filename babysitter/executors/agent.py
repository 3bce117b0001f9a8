"""Agent effects where no session performs them: the user's own agent command.

The prompt goes in by standard input, one JSON value is expected on standard
output. No text of a model ever gets into a command line.
"""

from __future__ import annotations

import os

from babysitter.errors import InvalidInput
from babysitter.executors.prompt import ask, ask_again
from babysitter.executors.reply import AgentRefused, envelope_of, text_of, usage_of, value_of
from babysitter.executors.shell import described, timeout, words
from babysitter.executors.work import CannotStart, Command, Result, shown
from babysitter.usage import added

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from babysitter.executors.work import Exit, Work
    from babysitter.limits import Limits

    Validate = Callable[[Any, Any], list[str]]

MOST_ASKS = 3
PROMPT_FILE = "prompt.txt"


def prompt_text(described: Mapping[str, Any]) -> str:
    """What an agent is asked: the prompt, and the kind of answer that is expected."""
    return ask(described.get("prompt"), described.get("outputSchema"))


class Agent:
    """One agent effect."""

    def __init__(
        self, work: Work, command: Sequence[str] | None, validate: Validate | None, limits: Limits
    ) -> None:
        self._work = work
        self._argv = command
        self._validate = validate
        self._limits = limits
        self._described = described(work)
        self._asks = 0
        self._answer = ""
        self._problems: list[str] = []
        self.usage: dict[str, Any] | None = None

    def command(self) -> Command:
        if not self._argv:
            raise CannotStart(
                "no agent command is configured; name one under `agents:` in your config.yaml,"
                " or let an agent's session do this effect"
            )
        self._asks += 1
        return Command(
            words(self._argv),
            self._work.project,
            env={"BABYSITTER_PROMPT_FILE": os.path.join(self._work.folder, PROMPT_FILE)},
            input=self._question().encode("utf-8", "replace"),
            input_name=PROMPT_FILE,
            timeout=timeout(self._described),
            keeps=self._limits.result_bytes,
        )

    def _question(self) -> str:
        if self._asks == 1:
            return prompt_text(self._described)
        prompt, schema = self._described.get("prompt"), self._described.get("outputSchema")
        return ask_again(prompt, schema, self._answer, self._problems)

    def conclude(self, exit: Exit) -> Result | None:
        raw = bytes(exit.stdout.kept)
        envelope = envelope_of(raw, self._limits)
        # Whatever it came to: a call that failed was not for nothing.
        used = usage_of(envelope, self._limits.prices)
        self.usage = used if self._asks == 1 else added(self.usage, used)
        return self._judge(exit, raw, envelope)

    def _judge(self, exit: Exit, raw: bytes, envelope: dict[str, Any] | None) -> Result | None:
        name = f"the agent command {shown(os.path.basename((self._argv or [''])[0]))}"
        if exit.is_timed_out:
            return Result.timed_out(name, exit, timeout(self._described))
        if exit.code != 0:
            return Result.failed("AgentFailed", f"{name} {exit.how()}{exit.why()}", exit)
        try:
            value = self._read(raw, envelope)
        except AgentRefused as error:
            return Result.failed("AgentFailed", f"{name} could not answer: {shown(str(error), 300)}", exit)
        if not self._problems:
            return Result.ok(value)
        if self._asks < MOST_ASKS:
            return None
        wrong = "; ".join(self._problems)
        return Result.failed(
            "ResultRejected",
            f"{name} was asked {self._asks} times and gave no answer that fits: {wrong}",
            exit,
            problems=self._problems,
        )

    def _read(self, raw: bytes, envelope: dict[str, Any] | None) -> Any:
        """The value in the output; what is wrong with it is remembered."""
        self._answer, self._problems = raw.decode("utf-8", "replace"), []
        try:
            self._answer = text_of(raw, envelope)
            value = value_of(self._answer, self._limits)
        except InvalidInput as error:
            self._problems = [error.message]
            return None
        schema = self._described.get("outputSchema")
        if schema is not None and self._validate is not None:
            self._problems = self._validate(schema, value)
        return value
