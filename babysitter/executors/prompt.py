"""The text that an agent command reads: the prompt, and what kind of answer is expected."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

_ORDER = ("role", "task", "context", "instructions", "outputFormat")
_LAST_ANSWER_LENGTH = 4000


def render(prompt: Any) -> str:
    """A prompt as text; an object becomes a section for each of its keys, the known ones first."""
    if not isinstance(prompt, dict):
        return _as_text(prompt)
    keys = [key for key in _ORDER if key in prompt] + [key for key in prompt if key not in _ORDER]
    return "\n\n".join(
        f"# {_title(key)}\n\n{_as_text(prompt[key])}" for key in keys if prompt[key] not in (None, "", [], {})
    )


def _title(key: str) -> str:
    spaced = "".join(f" {letter.lower()}" if letter.isupper() else letter for letter in key)
    return spaced.replace("_", " ").strip().capitalize()


def _as_text(value: Any) -> str:
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return "\n".join(f"{number}. {item.strip()}" for number, item in enumerate(value, 1))
    return _as_json(value)


def _as_json(value: Any) -> str:
    import json

    return json.dumps(value, ensure_ascii=False, indent=2)


# What a definition says to babysitter and not to the agent.
_NOT_ASKED = frozenset({"kind", "title", "labels", "outputSchema", "timeout"})


def asked_of(kind: str, definition: dict[str, Any]) -> Any:
    """The prompt in the definition of an effect that an agent performs, or else all that it describes."""
    described = definition.get(kind)
    told = described if isinstance(described, dict) else definition
    if "prompt" in told:
        return told["prompt"]
    rest = {name: told[name] for name in told if name not in _NOT_ASKED}
    # `{"kind": "skill", "skill": {"name": "review"}}`: the name alone would not say of what.
    return {kind: rest.pop("name"), **rest} if told is described and "name" in rest else rest


def ask(prompt: Any, schema: Any) -> str:
    """The first question to an agent."""
    return f"{render(prompt)}\n\n{_wanted(schema)}\n"


def ask_again(prompt: Any, schema: Any, answer: str, problems: Sequence[str]) -> str:
    """The question once more, with what was wrong with the last answer."""
    wrong = "\n".join(f"- {problem}" for problem in problems)
    return (
        f"{render(prompt)}\n\n"
        "You were asked this before, and your answer could not be used:\n\n"
        f"{_cut(answer) or '(nothing)'}\n\n"
        f"What is wrong with it:\n\n{wrong}\n\n"
        f"Answer again, and mend that. {_wanted(schema)}\n"
    )


def _wanted(schema: Any) -> str:
    wanted = "Print exactly one JSON value as your whole answer: no other text before or after it."
    if schema is None:
        return f"{wanted} A text is a JSON string, in double quotes."
    return f"{wanted} It must fit this JSON Schema:\n\n{_as_json(schema)}"


def _cut(answer: str) -> str:
    answer = answer.strip()
    return answer if len(answer) <= _LAST_ANSWER_LENGTH else answer[:_LAST_ANSWER_LENGTH] + " ..."
