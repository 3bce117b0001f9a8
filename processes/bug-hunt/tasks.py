"""What agents are asked for."""

from __future__ import annotations

from typing import Any

from babysitter import Retry, agent

HYPOTHESES = {
    "type": "object",
    "required": ["hypotheses"],
    "properties": {
        "hypotheses": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["claim", "command"],
                "properties": {
                    "claim": {"type": "string", "minLength": 1},
                    "command": {"type": "string", "pattern": r"\S"},
                },
            },
        }
    },
}
CHOICE = {
    "type": "object",
    "required": ["choice"],
    "properties": {"choice": {"type": "integer", "minimum": 1}, "why": {"type": "string"}},
}


@agent(returns=HYPOTHESES, title="find hypotheses", retry=Retry(2))
def hypothesize(
    bug: str, shown: str, tried: list[dict[str, Any]], count: int, attempt: int, feedback: str | None
) -> dict[str, Any]:
    return {
        "task": f"Find {count} hypotheses about the cause of this bug that exclude each other. Mend nothing.",
        "context": {
            "bug": bug,
            "how it shows": shown,
            "what was tried before": tried,
            "what a person said of your last commands": feedback,
        },
        "instructions": [
            "With each give a command for sh that could refute it, to be run in the project's folder.",
            "It exits with 0 if the hypothesis stands, with 1 if not; never with 0 in any case.",
            "They run all at once, so none changes a file of the project, or needs more than a minute.",
        ],
    }


@agent(returns=CHOICE, title="which one first? (vote {number})", retry=Retry(2))
def judge(bug: str, standing: list[dict[str, Any]], number: int) -> dict[str, Any]:
    numbered = {str(place): each["claim"] for place, each in enumerate(standing, 1)}
    return {
        "task": "None of these was refuted. Which one is the likeliest cause? Answer with its number.",
        "context": {"bug": bug, "hypotheses": numbered},
        "instructions": ["Look at the code. You vote alone; mend nothing."],
    }


@agent(title="fix (round {number})", retry=Retry(2))
def fix(bug: str, cause: dict[str, Any], number: int, why: str) -> dict[str, Any]:
    return {
        "task": "Fix this bug at its cause, with the smallest change that does it.",
        "context": {"bug": bug, "cause": cause["claim"], "what failed after the last round": why},
        "instructions": ["Commit nothing.", "Answer in one sentence: what was wrong, and what you changed."],
    }
