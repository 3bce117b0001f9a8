"""What a process asked for, as a test looks at it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babysitter.testing.recording import shown

if TYPE_CHECKING:
    from babysitter.engine.state import Effect

LONGEST = 40


class Asked:
    """One request of the process.

    ``str()`` of it reads as a call: ``tests(path='src')``.

    Attributes:
        task: the task's id; ``breakpoint`` and ``sleep`` are tasks too.
        step: the place in the process, such as ``2`` or ``3.0.1``.
        args: the arguments, by name, as JSON gives them back.
        title: what people read.
        kind: who performs it: shell, python, agent, breakpoint, sleep, …
        attempt: from 1 on; more where a task is tried again.
        definition: the whole description that its executor gets.
        effect_id: the id of the effect.
    """

    def __init__(self, effect: Effect, definition: dict[str, Any], args: dict[str, Any]) -> None:
        self.task = effect.task_id
        self.step = effect.step
        self.args = args
        self.title = effect.label
        self.kind = effect.kind
        self.attempt = effect.attempt
        self.definition = definition
        self.effect_id = effect.id

    def _described(self, name: str) -> Any:
        told = self.definition.get(self.kind)
        return told.get(name) if isinstance(told, dict) else None

    @property
    def prompt(self) -> Any:
        """What the agent is asked; None where no agent is."""
        return self._described("prompt")

    @property
    def argv(self) -> list[str] | None:
        """The words of the command; None where there is none, or it is a text for ``sh``."""
        return self._described("argv")  # type: ignore[no-any-return]

    @property
    def command(self) -> str | None:
        """The text for ``sh``; None where there is none."""
        return self._described("command")  # type: ignore[no-any-return]

    @property
    def question(self) -> str | None:
        """What a person is asked."""
        return self._described("question")  # type: ignore[no-any-return]

    @property
    def line(self) -> str:
        """The request in a line, as recorded runs have it: ``tests at 1.0.1: pytest -q src``."""
        return shown(self.task, self.step, self.definition)

    def __str__(self) -> str:
        told = [f"{name}={_short(value)}" for name, value in self.args.items() if value is not None]
        return f"{self.task}({', '.join(told)})"

    def __repr__(self) -> str:
        return f"<{self} at step {self.step}>"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
