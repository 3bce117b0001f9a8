"""``rule``: which breakpoints are answered without asking, and which never are."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from babysitter.cli.options import json_option, quiet, settings
from babysitter.cli.output import as_json as print_json
from babysitter.cli.output import complain, line
from babysitter.clock import iso
from babysitter.errors import PersonNeeded, UsageError
from babysitter.paths import rules_file, runs_dir
from babysitter.rulebook import add as add_rule
from babysitter.rulebook import load, named
from babysitter.rulebook import remove as remove_rule
from babysitter.rules import ALWAYS, MOST_APPROVALS, NEVER, Rule, read_rule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from babysitter.runs.rehearsal import Tried

PREDICATES = ("match", "tags", "expert", "process", "project")
HERE = "in a terminal of your own: babysitter rule {}"


def complete_rule(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[str]:
    """Names of rules for shell completion."""
    with quiet():
        return [rule.name for rule in load() if rule.name.startswith(incomplete)]
    return []


def rule_options(command: Any) -> Any:
    """What a rule says, and of which breakpoints."""
    for option in (
        click.option(
            "--after",
            type=click.IntRange(1, MOST_APPROVALS),
            metavar="N",
            help="With --always: once you have approved it N times in a row, in other runs.",
        ),
        click.option("--option", metavar="TEXT", help="With --always: choose this one (default: the first)."),
        click.option("--never", is_flag=True, help="A person is asked, whatever other rules or --yolo say."),
        click.option("--always", is_flag=True, help="Answer with yes, and ask nobody."),
        click.option("--project", metavar="DIR", help="Only in this project (default: in all)."),
        click.option("--process", metavar="PATTERN", help="Only of processes with such an id."),
        click.option("--expert", metavar="NAME", help="Only those that this expert is asked."),
        click.option(
            "--tag",
            "tags",
            metavar="TAG",
            multiple=True,
            help="Only those with this tag (repeatable: with all).",
        ),
        click.option("--match", metavar="PATTERN", help="Only those with such an id, as in 'confirm.*'."),
    ):
        command = option(command)
    return command


@click.group(
    epilog="""\b
Example:
  babysitter rule add --match 'confirm.format' --always --after 3
  babysitter rule list"""
)
def rule() -> None:
    """Say which breakpoints are answered without asking, and which never are.

    The rules are yours, for all projects; no repository has any. A breakpoint that demands an assurance,
    or the answers of several people, is not answered by a rule.
    """


@rule.command(
    "add",
    epilog="""\b
Example:
  babysitter rule add --match 'confirm.*' --tag docs --project . --always
  babysitter rule add --match confirm.deploy --always --option staging --after 3
  babysitter rule add --tag prod --never --name ask-for-prod""",
)
@rule_options
@click.option("--name", metavar="NAME", help="What to call it (default: made from what it says).")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def add(name: str | None, yes: bool, as_json: bool, **told: Any) -> None:
    """Add a rule.

    It is for the breakpoints for which all holds that is said of them. One that says --never comes before
    those that say --always; among these the one that was added first.
    """
    from babysitter.approvals.place import level_here

    level = level_here("nobody adds a rule", HERE.format("add …"))
    made = _rule(told, name, load())
    if not yes:
        _confirm(made, "add this rule?", level, as_json)
    _tell(made, "added" if add_rule(made) else "already", as_json)


@rule.command("remove", epilog="\b\nExample:\n  babysitter rule remove ask-for-prod")
@click.argument("name", shell_complete=complete_rule)
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
def remove(name: str, yes: bool, as_json: bool) -> None:
    """Remove the rule NAME."""
    from babysitter.approvals.place import level_here

    level = level_here("nobody removes a rule", HERE.format(f"remove {name}"))
    if not yes:
        _confirm(named(load(), name), "remove this rule?", level, as_json)
    _tell(remove_rule(name), "removed", as_json)


@rule.command("list", epilog="\b\nExample:\n  babysitter rule list --json")
@json_option
def list_rules(as_json: bool) -> None:
    """List the rules, in their order."""
    rules = [each.as_json() for each in load()]
    if as_json:
        print_json({"file": rules_file(), "rules": rules})
        return
    from babysitter.views.ruled import rules_lines

    for text in rules_lines(rules):
        line(text)


@rule.command(
    "test",
    epilog="""\b
Example:
  babysitter rule test
  babysitter rule test ask-for-prod --json
  babysitter rule test --match 'confirm.*' --always --after 3""",
)
@click.argument("name", required=False, shell_complete=complete_rule)
@rule_options
@json_option
def test(name: str | None, as_json: bool, **told: Any) -> None:
    """Show what the rules would have said of all breakpoints that were answered; nothing is decided.

    With NAME that rule alone, with options a rule that is not there. It looks at the runs of every folder
    of runs in which one was made, and of the present project; not at packed ones.
    """
    rules = _rules_to_try(name, told)
    tried = _tried(rules)
    if as_json:
        print_json(tried)
        return
    from babysitter.views.ruled import tried_lines

    for text in tried_lines(tried):
        line(text)


def _rule(told: dict[str, Any], name: str | None, known: Sequence[Rule]) -> Rule:
    """The rule that a command line says; one that is there already gets the name that it has.

    Raises:
        UsageError, InvalidInput
    """
    if told["always"] == told["never"]:
        raise UsageError("a rule says either --always or --never")
    for option in ("option", "after"):
        if told["never"] and told[option] is not None:
            raise UsageError(f"--{option} belongs to --always")
    given = {
        key: told[key] for key in ("match", "expert", "process", "option", "after") if told[key] is not None
    }
    if told["tags"]:
        given["tags"] = sorted(set(told["tags"]))
    if told["project"] is not None:
        given["project"] = os.path.realpath(told["project"])
    if told["always"] and not any(key in given for key in PREDICATES):
        raise UsageError(
            "a rule that says --always says of which breakpoints",
            hint="of every one: --match '*', which also takes those that have no id",
        )
    given["verdict"] = ALWAYS if told["always"] else NEVER
    return read_rule({"name": name or _name_for(given, known), **given})


def _name_for(given: dict[str, Any], known: Sequence[Rule]) -> str:
    """That of the same rule, if it is there; else one that shows what it is about, and is free."""
    names = {each.name for each in known}
    for each in known:
        if {**given, "name": each.name} == each.as_json():
            return each.name
    what = (
        given.get("match") or " ".join(given.get("tags", [])) or given.get("expert") or given.get("process")
    )
    words = f"{given['verdict']} {what or os.path.basename(given.get('project', '')) or 'everything'}"
    kept = "".join(letter if letter.isascii() and letter.isalnum() else "-" for letter in words.lower())
    slug = "-".join(part for part in kept.split("-") if part)[:48].rstrip("-")
    free = (f"{slug}-{number}" for number in range(2, len(names) + 3))
    return slug if slug not in names else next(name for name in free if name not in names)


def _confirm(made: Rule, question: str, level: str, wants_json: bool) -> None:
    from babysitter.views.ruled import about, says

    if level != "terminal":
        raise PersonNeeded(
            "rules are changed after a question, and there is nobody to ask", hint="--yes does not ask"
        )
    told = made.as_json()
    for text in (f"rule {made.name}: {says(told)}", f"  {about(told)}"):
        (complain if wants_json else line)(text)
    if not click.confirm(question, err=wants_json):
        raise PersonNeeded("it was not confirmed, so the rules are as they were")


def _tell(made: Rule, status: str, wants_json: bool) -> None:
    if wants_json:
        print_json({"status": status, "rule": made.as_json()})
    else:
        line(f"{made.name}: {status}")


def _rules_to_try(name: str | None, told: dict[str, Any]) -> list[Rule]:
    is_told = any(value not in (None, False, ()) for value in told.values())
    if name is not None and is_told:
        raise UsageError("rule test takes the NAME of a rule, or what a rule would say, not both")
    if is_told:
        return [_rule(told, None, [])]
    rules = load()
    return rules if name is None else [named(rules, name)]


def _tried(rules: Sequence[Rule]) -> dict[str, Any]:
    from babysitter.places import known
    from babysitter.runs.rehearsal import ASK, NOTHING, YES, past_answers, try_out

    places = list(dict.fromkeys([*known(), os.path.realpath(runs_dir())]))
    answers, unread = past_answers(settings().limits, places)
    tried = try_out(rules, answers)
    counts = {word: sum(each.verdict == word for each in tried) for word in (YES, ASK, NOTHING)}
    compared = {
        word: sum(each.agrees is is_so for each in tried)
        for word, is_so in (("agreed", True), ("disagreed", False))
    }
    told = {"rules": [each.name for each in rules], "tried": [_tried_json(each) for each in tried]}
    unreadable = [each.as_json() for each in unread]
    return {**told, "counts": {**counts, **compared}, **({"unreadable": unreadable} if unreadable else {})}


def _tried_json(tried: Tried) -> dict[str, Any]:
    answered = tried.answered
    answer = {
        "approved": answered.approved,
        "option": answered.option,
        "by": answered.by,
        "assurance": answered.assurance,
        "rule": answered.rule,
    }
    told = {
        "run": answered.run_id,
        "folder": answered.folder,
        "effect": answered.effect_id,
        "at": iso(answered.at_ms),
        "id": answered.asked.get("id"),
        "title": answered.title,
        "question": str(answered.asked.get("question") or answered.title),
        "answer": {name: value for name, value in answer.items() if value is not None},
        "verdict": tried.verdict,
        "rule": tried.rule.name if tried.rule else None,
        "option": tried.option,
        "agrees": tried.agrees,
    }
    return {name: value for name, value in told.items() if value is not None}


commands = {"rule": rule}
