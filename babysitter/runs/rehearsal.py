"""What rules would have said of breakpoints that were answered: nothing is decided by it."""

from __future__ import annotations

from babysitter.rules import NEVER, deciding
from babysitter.runs.answered import Answered, approvals, newest_first
from babysitter.runs.folder import Unread

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from babysitter.limits import Limits
    from babysitter.rules import Rule

YES, ASK, NOTHING = "yes", "ask", "nothing"


class Tried:
    """One answer of the past, and the rule that would have decided; None: no rule would."""

    __slots__ = ("answered", "rule")

    def __init__(self, answered: Answered, rule: Rule | None) -> None:
        self.answered = answered
        self.rule = rule

    @property
    def verdict(self) -> str:
        """``yes``, ``ask`` (a person, whatever else holds) or ``nothing``."""
        if self.rule is None:
            return NOTHING
        return ASK if self.rule.verdict == NEVER else YES

    @property
    def option(self) -> str | None:
        """What would have been chosen with a yes."""
        return self.rule.choice(self.answered.asked)[1] if self.rule and self.verdict == YES else None

    @property
    def agrees(self) -> bool | None:
        """Whether a yes is what a person said; None: there is nothing to compare."""
        if self.rule is None or self.verdict != YES or not self.answered.is_persons:
            return None
        return self.answered.is_as_by(self.rule)


def try_out(rules: Sequence[Rule], answers: Sequence[Answered]) -> list[Tried]:
    """What rules would have said of each of these answers, which are in their order, knowing those before."""
    tried = []
    for number, each in enumerate(answers):

        def has_earned(rule: Rule, each: Answered = each, number: int = number) -> bool:
            return approvals(rule, each.asked, reversed(answers[:number]), each.folder) is not None

        tried.append(Tried(each, deciding(rules, each.asked, each.process_id, each.project, has_earned)))
    return tried


def past_answers(limits: Limits, places: Sequence[str]) -> tuple[list[Answered], list[Unread]]:
    """All answers of the runs in these places, the oldest first; and the runs that cannot be read."""
    answers, unread = list[Answered](), list[Unread]()
    for each in newest_first(limits, places):
        if isinstance(each, Unread):
            unread.append(each)
        else:
            answers.append(each)
    return answers[::-1], unread
