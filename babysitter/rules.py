"""Rules of a user: breakpoints that are answered with yes without asking, and those that never are."""

from __future__ import annotations

import os

from babysitter.errors import InvalidInput
from babysitter.ids import sha256_hex, valid_id
from babysitter.jsontext import canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

ALWAYS, NEVER = "always", "never"
EVERYTHING = "*"
MOST_TEXT, MOST_APPROVALS = 500, 1000
# Of such a breakpoint no single answer is the answer.
MANY_ANSWERS = frozenset({"collect-all", "quorum"})


class Rule:
    """One rule: what it is about, and what it says of that.

    Attributes:
        verdict: ``always``, the answer is yes; or ``never``, a person is asked whatever else holds.
        match: a shell pattern for the breakpoint's id; None: any, also none at all.
        tags: all of them must be there.
        process: a shell pattern for the id of the process.
        project: the real path of the only project that it is for; None: all.
        option: what is chosen; None: the first one, if there are any.
        after: only when a person has said the same so often in a row; 0: at once.
    """

    __slots__ = ("after", "expert", "match", "name", "option", "process", "project", "tags", "verdict")

    def __init__(
        self,
        name: str,
        verdict: str,
        *,
        match: str | None = None,
        tags: Sequence[str] = (),
        expert: str | None = None,
        process: str | None = None,
        project: str | None = None,
        option: str | None = None,
        after: int = 0,
    ) -> None:
        self.name = name
        self.verdict = verdict
        self.match = match
        self.tags = list(tags)
        self.expert = expert
        self.process = process
        self.project = project
        self.option = option
        self.after = after

    def as_json(self) -> dict[str, Any]:
        """What it says, and nothing of what it does not."""
        return {name: getattr(self, name) for name in KEYS if getattr(self, name)}

    @property
    def text(self) -> str:
        """The one text that stands for it."""
        return canonical(self.as_json())

    @property
    def digest(self) -> str:
        return sha256_hex(self.text.encode())

    def fits(self, asked: dict[str, Any], process: str, project: str) -> bool:
        """Whether it is about this breakpoint of this process in this project."""
        return (
            self._fits_id(asked.get("id"))
            and set(self.tags) <= set(texts(asked.get("tags")))
            and (self.expert is None or self.expert in texts(asked.get("expert")))
            and (self.process is None or is_like(process, self.process))
            and (self.project is None or self.project == os.path.realpath(project))
        )

    def _fits_id(self, known: Any) -> bool:
        if self.match is None or self.match == EVERYTHING:
            return True
        return isinstance(known, str) and is_like(known, self.match)

    def choice(self, asked: dict[str, Any]) -> tuple[bool, str | None]:
        """Whether it has a yes for this breakpoint, and the option that goes with it."""
        options = [str(each) for each in asked.get("options") or []]
        if self.option is not None:
            return self.option in options, self.option
        return True, options[0] if options else None


def texts(told: Any) -> list[str]:
    """A text, or a list of them, as a list; whatever else an author may have put there is none."""
    listed = told if isinstance(told, (list, tuple)) else [told]
    return [each for each in listed if isinstance(each, str)]


def is_like(text: str, pattern: str) -> bool:
    """Whether a shell pattern fits a text, capitals and all."""
    if not any(char in pattern for char in "*?["):
        return text == pattern
    # Here, because it costs as much as replaying a small run.
    from fnmatch import fnmatchcase

    return fnmatchcase(text, pattern)


def needs_person(asked: dict[str, Any]) -> bool:
    """Whether no rule answers this breakpoint with yes, whatever it says."""
    return (
        asked.get("assurance") is not None
        # babysitter's own question, about a budget.
        or asked.get("asks") is not None
        or asked.get("strategy") in MANY_ANSWERS
        or len(texts(asked.get("expert"))) > 1
    )


def deciding(
    rules: Sequence[Rule],
    asked: dict[str, Any],
    process: str,
    project: str,
    has_earned: Callable[[Rule], bool],
) -> Rule | None:
    """The rule that decides about a breakpoint: any that says never; else the first that says yes to it.

    ``has_earned`` is asked of a rule that counts what people have said before.
    """
    fitting = [rule for rule in rules if rule.fits(asked, process, project)]
    never = next((rule for rule in fitting if rule.verdict == NEVER), None)
    if never is not None or needs_person(asked):
        return never
    able = (rule for rule in fitting if rule.choice(asked)[0])
    return next((rule for rule in able if not rule.after or has_earned(rule)), None)


def _is_text(told: Any) -> bool:
    return isinstance(told, str) and 0 < len(told) <= MOST_TEXT and told.isprintable()


KEYS: dict[str, Callable[[Any], bool]] = {
    "name": valid_id,
    "verdict": lambda told: told in (ALWAYS, NEVER),
    "match": _is_text,
    "tags": lambda told: isinstance(told, list) and told != [] and all(map(_is_text, told)),
    "expert": _is_text,
    "process": _is_text,
    "project": lambda told: isinstance(told, str) and os.path.isabs(told),
    "option": _is_text,
    "after": lambda told: isinstance(told, int) and told is not True and 0 < told <= MOST_APPROVALS,
}


def read_rule(told: Any) -> Rule:
    """A rule from its JSON; every key of it is understood, or it would hold for more than was meant.

    Raises:
        InvalidInput: says what is wrong.
    """
    if not isinstance(told, dict) or not {"name", "verdict"} <= told.keys():
        raise InvalidInput("a rule has a 'name' and a 'verdict'")
    for key, value in told.items():
        if key not in KEYS:
            raise InvalidInput(f"a rule has the unknown key {key!r}")
        if not KEYS[key](value):
            raise InvalidInput(f"{value!r} is no {key!r} of a rule")
    if told["verdict"] == NEVER and ("option" in told or "after" in told):
        raise InvalidInput(f"the rule {told['name']!r} says never, so it has no 'option' and no 'after'")
    return Rule(**told)
