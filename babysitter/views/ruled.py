"""Rules for people: what each says, and what they would have said of what was answered.

They take what the commands print with ``--json``, so both say the same.
"""

from __future__ import annotations

from babysitter.views.tables import lines_of_table, moment
from babysitter.views.values import cell

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


def rules_lines(rules: Sequence[dict[str, Any]]) -> list[str]:
    """A list of rules, in their order."""
    if not rules:
        return ["no rules; a person is asked at each breakpoint"]
    return lines_of_table(
        ["rule", "says", "about"], [[rule["name"], says(rule), about(rule)] for rule in rules]
    )


def says(rule: dict[str, Any]) -> str:
    """``always 'live', after 3 approvals``."""
    option = f" {rule['option']!r}" if "option" in rule else ""
    after = f", after {rule['after']} approval{'' if rule['after'] == 1 else 's'}" if "after" in rule else ""
    return f"{rule['verdict']}{option}{after}"


def about(rule: dict[str, Any]) -> str:
    """``id deploy.*, tag prod, in /home/me/shop``."""
    parts = [f"id {rule['match']}"] if "match" in rule else []
    parts += [f"tag {tag}" for tag in rule.get("tags", [])]
    parts += [f"{name} {rule[name]}" for name in ("expert", "process") if name in rule]
    parts += [f"in {rule['project']}"] if "project" in rule else []
    return ", ".join(parts) or "every breakpoint"


def tried_lines(told: dict[str, Any]) -> list[str]:
    """What rules would have said, answer by answer, and how often that is what people said."""
    rows = [
        [
            moment(each["at"]),
            each["run"],
            each.get("id", ""),
            _answer_of(each["answer"]),
            _verdict_of(each),
            cell(each["question"]),
        ]
        for each in told["tried"]
    ]
    lines = lines_of_table(["answered", "run", "id", "answer", "rules", ""], rows) if rows else []
    return [*lines, summary(told["counts"]), *_unread_lines(told.get("unreadable", []))]


def _answer_of(answer: dict[str, Any]) -> str:
    said = "yes" if answer["approved"] else "no"
    option = f" {answer['option']!r}" if answer.get("option") else ""
    return f"{said}{option} by {answer['by'] or answer['assurance'] or 'nobody'}"


def _verdict_of(each: dict[str, Any]) -> str:
    option = f" {each['option']!r}" if each.get("option") else ""
    rule = f" ({each['rule']})" if "rule" in each else ""
    otherwise = ", NOT as answered" if each.get("agrees") is False else ""
    return f"{each['verdict']}{option}{rule}{otherwise}"


def summary(counts: dict[str, int]) -> str:
    """How often each was said, and how often a yes is what a person said."""
    compared = f" ({counts['agreed']} as people answered, {counts['disagreed']} otherwise)"
    yes = f"{counts['yes']} yes{compared if counts['yes'] else ''}"
    return f"{yes}, {counts['ask']} ask, {counts['nothing']} nothing"


def _unread_lines(unread: Sequence[dict[str, Any]]) -> list[str]:
    lines = [f"run {each['run']} cannot be read: {each['error']}" for each in unread]
    if lines:
        lines.append(
            "as long as their last change is newer than the answers to be counted, no --after rule answers"
        )
    return lines
