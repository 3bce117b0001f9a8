"""Breakpoints that are answered without asking: by the user's rules, and by what was chosen for the run.

The journal says so of each answer, and which rule it was.
"""

from __future__ import annotations

import os

from babysitter.config import user_settings
from babysitter.paths import user_name
from babysitter.rulebook import load_if_readable, stamp
from babysitter.rules import NEVER, deciding
from babysitter.runs.answering import decide, is_for
from babysitter.runs.assurance import POLICY, RULE, minimum_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.engine.state import Effect
    from babysitter.rules import Rule
    from babysitter.runs.answered import Answered
    from babysitter.runs.results import Answer
    from babysitter.runs.run import Run


class Policy:
    """Gives the answers of one run that nobody has to be asked for.

    What a rule says of a breakpoint is remembered until the rules change: some read other runs for it.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._stamp: tuple[int, int, int] | None = None
        self._rules: list[Rule] | None = []
        self._judged: dict[str, Rule | None] = {}
        self._earned: dict[str, list[Answered]] = {}

    def answers(self) -> list[Answer]:
        """Answers to open breakpoints. A rule that says never keeps the run's policy from answering, too.

        Raises:
            CorruptRules: a breakpoint is open, and the rules cannot be read.
            StorageError
        """
        now, run = stamp(), self._run
        if now is None and not run.state.answers_by_policy:
            return []
        opened = [effect for effect in run.state.pending.values() if effect.kind == "breakpoint"]
        if opened and now != self._stamp:
            self._read(now)
        if self._rules is None:
            # One that says never may be among them.
            return []
        return [answer for effect in opened if (answer := self._answer(effect)) is not None]

    def _read(self, now: tuple[int, int, int] | None) -> None:
        self._rules = load_if_readable()
        self._stamp = now
        self._judged.clear()

    def _answer(self, effect: Effect) -> Answer | None:
        definition = self._run.definition_of(effect)
        if effect.id not in self._judged:
            self._judged[effect.id] = self._rule_for(effect, definition["breakpoint"])
        rule = self._judged[effect.id]
        if rule is not None:
            return self._by_rule(rule, effect, definition["breakpoint"])
        told = definition["breakpoint"]
        # What a run may spend is no question that can be answered before it is asked.
        if not self._run.state.answers_by_policy or minimum_of(definition) is not None or told.get("asks"):
            return None
        options = definition["breakpoint"].get("options") or [None]
        first = None if options[0] is None else str(options[0])
        return decide(self._run, effect, True, by=POLICY, assurance=POLICY, option=first)

    def _rule_for(self, effect: Effect, asked: dict[str, Any]) -> Rule | None:
        if not self._rules:
            return None

        def has_earned(rule: Rule) -> bool:
            from babysitter.runs.answered import approvals, newest_first

            row = approvals(rule, asked, newest_first(self._run.limits), os.path.realpath(self._run.folder))
            self._earned[effect.id] = row or []
            return row is not None

        rule = deciding(self._rules, asked, self._run.state.process_id, self._run.project, has_earned)
        if rule is not None and rule.verdict != NEVER and not _is_users(self._run, effect):
            return None
        return rule

    def _by_rule(self, rule: Rule, effect: Effect, asked: dict[str, Any]) -> Answer | None:
        if rule.verdict == NEVER:
            return None
        evidence: dict[str, Any] = {"rule": rule.name, "ruleDigest": rule.digest, "ruleText": rule.text}
        if rule.after:
            row = self._earned[effect.id]
            evidence["ruleApprovals"] = [{"run": each.run_id, "effect": each.effect_id} for each in row]
        by, option = f"rule {rule.name}", rule.choice(asked)[1]
        return decide(self._run, effect, True, by=by, assurance=RULE, option=option, evidence=evidence)


def _is_users(run: Run, effect: Effect) -> bool:
    """A user's rule speaks for the user, and not for somebody else who is asked."""
    return is_for(run, effect, user_name(), lambda: user_settings().answers_as)


def must_be_asked(run: Run, effect: Effect) -> bool:
    """A rule says that this breakpoint is never answered without a person.

    Raises:
        CorruptRules: the rules cannot be read.
        StorageError
    """
    if stamp() is None:
        return False
    asked, state = run.definition_of(effect)["breakpoint"], run.state
    rules = load_if_readable()
    if rules is None:
        return True
    rule = deciding(rules, asked, state.process_id, run.project, lambda rule: False)
    return rule is not None and rule.verdict == NEVER
