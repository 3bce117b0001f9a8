"""A scripted model whose subagents do something before they answer."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Any

from tests.host.models import FETCH, MARK, Obeying, bash

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tests.host.asked import Asked
    from tests.host.fake_api import Turn
    from tests.host.models import Plan

    Edits = Mapping[str, str]


class Working(Obeying):
    """One whose subagents write files before they answer.

    Attributes:
        edits: part of a prompt → the files that its subagent writes; of a list, one after the other.
    """

    def __init__(self, *plan: Plan, answers: dict[str, Any], edits: dict[str, Sequence[Edits]]) -> None:
        said = {part: json.dumps(answer) for part, answer in answers.items() if not isinstance(answer, list)}
        lists = {
            part: list(map(json.dumps, told)) for part, told in answers.items() if isinstance(told, list)
        }
        super().__init__(*plan, answers={part: (said | lists)[part] for part in answers})
        self.edits = {part: list(files) for part, files in edits.items()}

    def subagent(self, asked: Asked) -> Turn:
        mark, fetch = MARK.search(asked.first_text), FETCH.search(asked.first_text)
        assert mark is not None
        assert fetch is not None
        if mark[1] in self.prompts:
            return self.answer(self.prompts[mark[1]])
        if not asked.results:
            return {"tools": [bash(fetch[1])]}
        prompt = self.prompts[mark[1]] = asked.results[-1]
        wanted = next((files for part, files in self.edits.items() if part in prompt), None)
        if wanted is None:
            return self.answer(prompt)
        files = wanted.pop(0) if len(wanted) > 1 else wanted[0]
        return {"tools": [bash(written(files))]}


def written(files: Edits) -> str:
    """A command that writes these files."""
    return " && ".join(f"printf %s {shlex.quote(text)} > {shlex.quote(name)}" for name, text in files.items())
