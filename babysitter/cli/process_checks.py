"""``process check``: what ``create`` would refuse, and what would break a replay."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from babysitter.cli.options import (
    complete_process,
    input_options,
    json_option,
    read_inputs,
    read_pairs,
    settings,
)
from babysitter.cli.output import as_json as print_json
from babysitter.cli.output import error_object, line
from babysitter.cli.process_inputs import input_lines
from babysitter.errors import BabysitterError, InvalidInput, UsageError
from babysitter.library import resolve

if TYPE_CHECKING:
    from collections.abc import Iterable

    from babysitter.engine.tasks import Task
    from babysitter.library import Entry
    from babysitter.limits import Limits
    from babysitter.lint.findings import Finding
    from babysitter.lint.linter import Looked
    from babysitter.runs.source import Source

    # A file of inputs, and single ones as they were typed.
    Given = tuple[str | None, tuple[str, ...]]


@click.command(
    epilog="""\b
Example:
  babysitter process check ./release.py
  babysitter process check ./release.py -i version=1.2.0 --json
  babysitter process check ./release.py --ignore BS601 --strict
  babysitter process check .a5c/processes/*/process.py
  babysitter process check --rules"""
)
@click.argument("names", metavar="[NAME]...", nargs=-1, shell_complete=complete_process)
@input_options
@click.option("--select", metavar="CODE", multiple=True, help="Look for this only; repeatable.")
@click.option("--ignore", metavar="CODE", multiple=True, help="Do not look for this; repeatable.")
@click.option("--strict", is_flag=True, help="Warnings count as errors.")
@click.option("--rules", is_flag=True, help="List what is looked for, with the codes.")
@json_option
def check(
    names: tuple[str, ...],
    inputs_file: str | None,
    pairs: tuple[str, ...],
    select: tuple[str, ...],
    ignore: tuple[str, ...],
    strict: bool,
    rules: bool,
    as_json: bool,
) -> int:
    """Check a process and its inputs without making a run.

    What `create` would refuse is refused, and its own files are looked through for what would break
    a replay. `# babysitter: ignore[CODE]` on a line silences a finding there. Exits with 2 when
    there is an error. Of several NAMEs each is checked, and inputs are not.
    """
    from babysitter.lint.rules import chosen

    if rules:
        _tell_rules(as_json)
        return 0
    if not names:
        raise UsageError("which process?", hint="babysitter process check NAME, or FILE.py, or --rules")
    codes = chosen(select, ignore)
    if len(names) > 1:
        if pairs or inputs_file:
            raise UsageError("inputs are those of one process", hint="check that one by itself")
        return _check_each(names, codes, strict=strict, as_json=as_json)
    told = _look(resolve(names[0]), codes, settings().limits, (inputs_file, pairs), strict=strict)
    if as_json:
        print_json(told)
    else:
        for text in _lines(told):
            line(text)
    return 0 if told["ok"] else InvalidInput.exit_code


def _check_each(names: tuple[str, ...], codes: frozenset[str], *, strict: bool, as_json: bool) -> int:
    """Check several, each whatever is wrong with the others."""
    limits = settings().limits
    checked = [_look_or_say_why(name, codes, limits, strict=strict) for name in names]
    is_ok = all(told["ok"] for told in checked)
    if as_json:
        print_json({"ok": is_ok, "processes": checked})
    else:
        for told in checked:
            for text in _short(told):
                line(text)
    return 0 if is_ok else InvalidInput.exit_code


def _look_or_say_why(name: str, codes: frozenset[str], limits: Limits, *, strict: bool) -> dict[str, Any]:
    try:
        return _look(resolve(name), codes, limits, (None, ()), strict=strict)
    except BabysitterError as error:
        return {"name": name, "ok": False, "findings": [], "error": error_object(error)}


def _short(told: dict[str, Any]) -> list[str]:
    """One of several: what is against it, and whether it can be run."""
    if "error" in told:
        return [f"{told['name']}: {told['error']['message']}"]
    ending = "ok" if told["ok"] else _count(told["findings"])
    return [*(_shown(each) for each in told["findings"]), f"{told['name']}: {ending}"]


def _look(
    entry: Entry,
    codes: frozenset[str],
    limits: Limits,
    given: Given,
    *,
    strict: bool,
) -> dict[str, Any]:
    """All that there is to say of a process.

    Raises:
        BabysitterError: `create` would refuse it; for its inputs only when some were given and nothing
            else is wrong.
    """
    from babysitter.lint.linter import look_through
    from babysitter.lint.skill_file import skill_findings
    from babysitter.runs.creation import ask_author, load_checked
    from babysitter.runs.inputs import schema_of

    source = load_checked(entry, limits)
    looked = look_through(entry.file, entry.export, codes)
    looked.findings += skill_findings(
        entry.file, kinds=looked.kinds, has_inputs=hasattr(source.module, "Inputs"), codes=codes
    )
    is_ok = not _fails(looked.findings, strict=strict)
    told: dict[str, Any] = {"name": entry.process_id, "file": entry.file, "ok": is_ok}
    schema = ask_author(entry, limits, "describes its inputs", lambda: schema_of(source))
    filled, fit = _filled(entry, source, given, limits, is_ok=is_ok)
    if schema is None:
        fit = "it says nothing of its inputs: any fit"
    told["checked"] = _checked(source, looked, fit)
    told["findings"] = [each.as_json() for each in looked.findings]
    return {**told, "inputs": schema, **filled, "tasks": tasks_of(source)}


def _filled(
    entry: Entry, source: Source, given: Given, limits: Limits, *, is_ok: bool
) -> tuple[dict[str, Any], str]:
    """The inputs as `create` would store them, and what is known of how they fit.

    Raises:
        BabysitterError: some were given, they do not fit, and nothing else is wrong.
    """
    from babysitter.runs.creation import prepare_inputs

    inputs = read_inputs(*given, limits)
    try:
        return {
            "given": prepare_inputs(entry, source, inputs, read_pairs(given[1]), limits)
        }, "the inputs fit"
    except BabysitterError:
        # Whoever looks for faults of a process need not think of inputs for it.
        if is_ok and inputs:
            raise
    return {}, "its inputs are not checked, because none were given (-i name=value)"


def _fails(findings: Iterable[Finding], *, strict: bool) -> bool:
    return any(strict or finding.is_error for finding in findings)


def _checked(source: Source, looked: Looked, fit: str) -> list[str]:
    """What is known of a process that was not refused."""
    files = ", ".join(sorted(source.digests))
    number = len(looked.files)
    told = [
        f"it can be imported ({files}), and `{source.process.__name__}` is an async function",
        "no branch that is made in a loop sees only the last item",
    ]
    if not looked.findings:
        told.append(f"nothing was found that would break a replay (looked through {number} of its files)")
    return [*told, fit]


def tasks_of(source: Source) -> list[dict[str, str]]:
    """The tasks that the process file can name; those that it makes while it runs are not seen."""
    from babysitter.engine.tasks import Task

    found = {each.id: each for each in vars(source.module).values() if isinstance(each, Task)}
    return [{"task": each.id, "kind": each.kind, "title": _title(each)} for each in found.values()]


def _title(task: Task[..., Any]) -> str:
    lines = (task.function.__doc__ or "").strip().splitlines()
    return str(task.options.get("title") or (lines[0].strip() if lines else task.id))


def _lines(told: dict[str, Any]) -> list[str]:
    found = [_shown(each) for each in told["findings"]]
    if not told["ok"]:
        return [*found, _count(told["findings"])]
    tasks = [f"  {task['kind']:<10} {task['task']}: {task['title']}" for task in told["tasks"]]
    return [
        *found,
        f"{told['name']} ({told['file']}) can be run",
        *(f"  ok  {text}" for text in told["checked"]),
        *input_lines(told["inputs"]),
        *(["tasks:", *tasks] if tasks else []),
    ]


def _shown(finding: dict[str, Any]) -> str:
    place = f"{_from_here(finding['file'])}:{finding['line']}:{finding['column']}"
    return f"{place}  {finding['code']} {finding['name']}: {finding['reason']}; {finding['cure']}"


def _from_here(file: str) -> str:
    """A path as somebody in this folder would type it."""
    near = os.path.relpath(file)
    return file if near.startswith(os.pardir + os.sep) else near


def _count(findings: list[dict[str, Any]]) -> str:
    errors = sum(each["severity"] == "error" for each in findings)
    parts = [_plural(errors, "error"), _plural(len(findings) - errors, "warning")]
    return " and ".join(part for part in parts if part)


def _plural(number: int, word: str) -> str:
    return f"{number} {word}{'' if number == 1 else 's'}" if number else ""


def _tell_rules(as_json: bool) -> None:
    from babysitter.lint.rules import RULES

    if as_json:
        print_json({"rules": [rule.as_json() for rule in RULES]})
        return
    width = max(len(rule.name) for rule in RULES)
    for rule in RULES:
        line(f"{rule.code}  {rule.severity:<7}  {rule.name:<{width}}  {rule.about}; {rule.cure}")
