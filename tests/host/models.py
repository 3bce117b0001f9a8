"""Scripted models: one that does what babysitter tells it, after whatever else it has in mind."""

from __future__ import annotations

import re
import shlex
import threading
from typing import TYPE_CHECKING, Any

from tests.host.asked import COMPACT, MAIN, SIDE, SUBAGENT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from tests.host.asked import Asked
    from tests.host.fake_api import Turn

    Plan = str | list[dict[str, Any]] | dict[str, Any] | Callable[[], "Plan"]

WORK = re.compile(r"`(babysitter work \S+|sleep \d+)` in the background")
SUBAGENT_PROMPT = re.compile(r"^  (\[effect:.*)$", re.MULTILINE)
LISTED = re.compile(r"^  ([a-z0-9]{16}) ", re.MULTILINE)
BY_HAND = re.compile(r"`(babysitter post \S+ \S+ --value )JSON`")
FETCH = re.compile(r"`(babysitter show \S+ \S+ --prompt)`")
MARK = re.compile(r"\[effect:([^\]]+)\]")
QUESTION = re.compile(r"^  (\[breakpoint:[^\]]+\])", re.MULTILINE)
# As an answer: the number after the last that the prompt names.
NEXT = "(next)"
NOTHING_LEFT = "I have nothing to do."


def bash(command: str, *, is_background: bool = False) -> dict[str, Any]:
    """A call of the host's shell tool."""
    more = {"run_in_background": True} if is_background else {}
    return {"name": "Bash", "input": {"command": command, "description": "as told", **more}}


def subagent(prompt: str, *, is_foreground: bool = False) -> dict[str, Any]:
    """A call of the host's subagent tool."""
    more = {"run_in_background": False} if is_foreground else {}
    wanted = {"description": "one effect", "prompt": prompt, "subagent_type": "general-purpose", **more}
    return {"name": "Agent", "input": wanted}


def question(text: str, *options: str, **more: Any) -> dict[str, Any]:
    """A call of the host's question tool."""
    asked = {
        "question": text,
        "header": "babysitter",
        "options": [{"label": label, "description": label} for label in options or ("Not yet", "Approve")],
        "multiSelect": False,
    }
    return {"name": "AskUserQuestion", "input": {"questions": [asked], **more}}


class Obeying:
    """First does what it has in mind, turn by turn; then does what babysitter says, and nothing else.

    Attributes:
        plan: what it does first: each a shell command, a list of calls of tools, a turn, or something
            that gives one of them when its turn has come. What begins with ``say:`` is said.
        answers: part of a prompt → what a subagent says to it; of a list, one after the other.
        outputs: what its calls have given, those of its plan first.
        told: every text of babysitter's that it has obeyed.
        prompts: effect → the prompt that its subagent has fetched.
    """

    def __init__(
        self,
        *plan: Plan,
        answers: Mapping[str, str | Sequence[str]] | None = None,
        is_foreground: bool = False,
    ) -> None:
        self.plan = list(plan)
        self.answers = {
            part: [said] if isinstance(said, str) else list(said) for part, said in (answers or {}).items()
        }
        self.is_foreground = is_foreground
        self.outputs: list[str] = []
        self.told: list[str] = []
        self.prompts: dict[str, str] = {}
        self._lock = threading.Lock()

    def __call__(self, asked: Asked) -> Turn:
        with self._lock:
            return {MAIN: self.main, SUBAGENT: self.subagent, COMPACT: self.compact, SIDE: self.side}[
                asked.lane
            ](asked)

    def side(self, asked: Asked) -> Turn:
        return "ok"

    def compact(self, asked: Asked) -> Turn:
        return "<summary>There was something with babysitter.</summary>"

    def main(self, asked: Asked) -> Turn:
        self.outputs += asked.results
        return self.planned(self.plan.pop(0)) if self.plan else self.obey(asked)

    def planned(self, plan: Plan) -> Turn:
        if callable(plan):
            return self.planned(plan())
        if isinstance(plan, dict):
            return plan
        if isinstance(plan, list):
            return {"tools": plan}
        if plan.startswith("say:"):
            return plan.removeprefix("say:")
        return {"tools": [bash(plan)]}

    def obey(self, asked: Asked) -> Turn:
        """Start all that the newest text of babysitter's tells to start."""
        tools = [bash(command, is_background=True) for command in WORK.findall(asked.said)]
        tools += [
            subagent(prompt, is_foreground=self.is_foreground) for prompt in subagent_prompts(asked.said)
        ]
        tools += [question(mark) for mark in QUESTION.findall(asked.said)]
        if tools:
            self.told.append(asked.said)
        return {"tools": tools} if tools else NOTHING_LEFT

    def subagent(self, asked: Asked) -> Turn:
        """Fetch the prompt, and answer it from the table; once more when it is sent back."""
        mark = MARK.search(asked.first_text)
        fetch = FETCH.search(asked.first_text)
        if mark is None or fetch is None:
            return "I do not know what this is about."
        if mark[1] not in self.prompts and not asked.results:
            return {"tools": [bash(fetch[1])]}
        if asked.results:
            self.prompts[mark[1]] = asked.results[-1]
        return self.answer(self.prompts[mark[1]])

    def answer(self, prompt: str) -> str:
        for part, said in self.answers.items():
            if part in prompt:
                answer = said.pop(0) if len(said) > 1 else said[0]
                return str(int(re.findall(r"after (\d+)", prompt)[-1]) + 1) if answer == NEXT else answer
        raise AssertionError(f"no answer to {prompt!r}")


class Idle(Obeying):
    """One that does nothing but its plan, whatever it is told."""

    def obey(self, asked: Asked) -> Turn:
        self.told.append(asked.said)
        return NOTHING_LEFT


class Alone(Obeying):
    """One that uses no subagent: it fetches the prompt of one effect, and posts what it makes of it."""

    def obey(self, asked: Asked) -> Turn:
        fetch, post = FETCH.search(asked.said), BY_HAND.search(asked.said)
        if fetch is None or post is None:
            return NOTHING_LEFT
        self.told.append(asked.said)
        self.plan.append(lambda: f"{post[1]}{shlex.quote(self.answer(self.outputs[-1]))}")
        return {"tools": [bash(fetch[1])]}


def subagent_prompts(said: str) -> list[str]:
    """The prompts of the subagents that a batch asks for, one for each effect that it lists."""
    prompts = []
    for match in SUBAGENT_PROMPT.finditer(said):
        listed = LISTED.findall(said[match.end() :].partition("\nThen stop")[0])
        is_one = "[effect:ID]" not in match[1]
        prompts += [match[1]] if is_one else [re.sub(r"\bID\b", name, match[1]) for name in listed]
    return prompts
