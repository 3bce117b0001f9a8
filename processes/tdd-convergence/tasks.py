"""What agents are asked for, and what is looked at by a program."""

from __future__ import annotations

from typing import Any

from babysitter import Retry, agent, python

TESTS = {
    "type": "object",
    "required": ["files"],
    "properties": {"files": {"type": "array", "minItems": 1, "items": {"type": "string"}}},
}
REVIEW = {
    "type": "object",
    "required": ["score", "defects"],
    "properties": {
        "score": {"type": "number", "minimum": 0, "maximum": 100},
        "defects": {"type": "array", "items": {"type": "string"}},
    },
}


@agent(returns=TESTS, title="write the tests (attempt {attempt})", retry=Retry(2))
def write_tests(goal: str, test: str, attempt: int, feedback: str | None) -> dict[str, Any]:
    return {
        "task": "Write the tests for what is to be implemented, and nothing else.",
        "context": {"goal": goal, "what a person said of the last attempt": feedback},
        "instructions": [
            f"`{test}` has to run them, and has to fail.",
            "Answer with the files that have them, relative to the project.",
        ],
    }


@agent(title="implement (round {number})", retry=Retry(2))
def implement(goal: str, number: int, tests: list[str], why: str) -> dict[str, Any]:
    return {
        "task": "Implement this, so that the tests pass.",
        "context": {"goal": goal, "tests": tests, "what was wrong after the last round": why},
        "instructions": [
            "Leave the files with the tests as they are: they are compared.",
            "Answer in one sentence.",
        ],
    }


@agent(returns=REVIEW, title="review (round {number})", retry=Retry(2))
def review(goal: str, number: int) -> dict[str, Any]:
    return {
        "task": "Review what was implemented for this goal; change nothing. 100 is nothing to mend.",
        "context": {"goal": goal},
        "instructions": ["Tests, linters and the like are run by others: look at what they do not see."],
    }


@python(title="look at the files with the tests")
def digests(files: list[str]) -> list[str]:
    """The digest of each file with tests; of one that is not there, or not in the project, an empty text."""
    import hashlib
    from pathlib import Path

    found = [Path(file).resolve() for file in files]
    good = [file.is_file() and file.is_relative_to(Path.cwd()) for file in found]
    return [
        hashlib.sha256(file.read_bytes()).hexdigest() if is_good else ""
        for file, is_good in zip(found, good, strict=True)
    ]
