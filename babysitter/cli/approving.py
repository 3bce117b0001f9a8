"""``approve`` and ``reject``: a person's answer to a breakpoint, and what a person permits."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from babysitter.approvals.about import about_lines, about_now
from babysitter.approvals.permits import WHAT, permit, ways_to_permit
from babysitter.approvals.place import NO_MORE, demand_no_agent, level_here, own_names, person, seen_here
from babysitter.cli.options import complete_effect, json_option, opened, run_argument, runs_dir_option
from babysitter.cli.output import as_json, complain, line
from babysitter.cli.posting import tell_one
from babysitter.engine.breakpoints import Asked
from babysitter.engine.decisions import decision, standing
from babysitter.engine.state import OWN_STEPS
from babysitter.errors import NoSuchEffect, PersonNeeded, UsageError
from babysitter.runs.answering import Shown, decide
from babysitter.runs.assurance import ways_to_answer
from babysitter.runs.results import RECORDED, accept, find_effect

if TYPE_CHECKING:
    from babysitter.engine.state import Effect
    from babysitter.runs.results import Answer
    from babysitter.runs.run import Run

WORDS = ("feedback", "response", "option")
OF_ANSWERS = (*WORDS, "key", "name", "shown")


def _decision(command: Any) -> Any:
    for option in (
        click.option(
            "--feedback", metavar="TEXT", help="What the process should know, kept with the answer."
        ),
        click.option("--response", metavar="TEXT", help="An answer in words."),
        click.option("--option", metavar="OPTION", help="One of the breakpoint's options."),
        click.option("--as", "name", metavar="NAME", help="Who answers (default: your name here)."),
        click.option("--shown", metavar="DIGEST", help="The digest of what you have looked at."),
        click.option("--sign", is_flag=True, help="Sign the answer with your SSH key."),
        click.option("--key", metavar="FILE", help="The key to sign with (default: yours in ~/.ssh)."),
        click.option("--yes", is_flag=True, help="Do not ask."),
        runs_dir_option,
        json_option,
    ):
        command = option(command)
    command = click.argument("effect", required=False, shell_complete=complete_effect)(command)
    return run_argument(required=True)(command)


@click.command(
    epilog="""\b
Example:
  babysitter approve latest
  babysitter approve release-1-2-0 7c2x --option staging --feedback 'only eu-west'
  babysitter approve release-1-2-0 7c2x --sign
  babysitter approve release-1-2-0 --permit edit
  babysitter approve release-1-2-0 --permit repair --before 57
  babysitter approve release-1-2-0 7c2x --permit cancel"""
)
@_decision
@click.option("--permit", "what", metavar="WHAT", help="Permit what goes round the process, such as edit.")
@click.option("--before", metavar="NUMBER", help="With --permit repair: the event to go back to before.")
@click.option("--to", metavar="STEP", help="With --permit rewind: the step to go back to.")
def approve(
    run: str, effect: str | None, what: str | None, before: str | None, to: str | None, **told: Any
) -> int:
    """Answer a breakpoint of RUN with yes (EFFECT may be left out when only one is open).

    Of a run that an agent's session works on, it shows the question and asks, and needs a terminal
    outside of that session.
    """
    for option, value, owner in (("--before", before, "repair"), ("--to", to, "rewind")):
        if value is not None and what != owner:
            raise UsageError(f"{option} belongs to --permit {owner}")
    if what is None:
        return _decide(run, effect, True, told)
    is_about_run = effect is None or what == "cancel"
    if not is_about_run or told["sign"] or any(told[name] is not None for name in OF_ANSWERS):
        raise UsageError(
            "--permit is about the run; it takes no EFFECT and nothing that belongs to an answer",
            hint="only --permit cancel takes an EFFECT",
        )
    return _permit(run, what, before or to or effect or "", told)


@click.command(
    epilog="""\b
Example:
  babysitter reject latest --feedback 'the changelog is missing'"""
)
@_decision
def reject(run: str, effect: str | None, **told: Any) -> int:
    """Answer a breakpoint of RUN with no."""
    return _decide(run, effect, False, told)


def _decide(run: str, effect: str | None, approved: bool, told: dict[str, Any]) -> int:
    if told["key"] is not None and not told["sign"]:
        raise UsageError("--key is the key to sign with, and nothing is to be signed", hint="add --sign")
    found = opened(run, told["runs_dir"])
    level = level_here(
        "nobody answers a breakpoint",
        ways_to_answer(run, effect or "EFFECT", None),
        is_guarded=found.is_guarded,
    )
    target = find_effect(found, effect) if effect else only_breakpoint(found)
    if approved and target.step.startswith(OWN_STEPS):
        demand_no_agent(NO_MORE.format(run=found.run_id), is_guarded=found.is_guarded)
    shown = told["shown"]
    if level == "terminal" and target.is_pending and target.kind == "breakpoint" and shown is None:
        shown = _show_and_confirm(found, target, approved, told)
    # Whoever was shown nothing before reads afterwards what it was that they have answered.
    question = [] if told["as_json"] or shown is not None else _question(found, target)
    evidence = seen_here() if level == "terminal" else {}
    answer = decide(
        found,
        target,
        approved,
        by=told["name"] or _name_for(told),
        assurance="signed" if told["sign"] else level,
        evidence={**evidence, "user": person()} if told["name"] else evidence,
        shown=shown,
        names=tuple if told["name"] else lambda: [person(), *own_names()],
        **{name: told[name] for name in WORDS},
    )
    if told["sign"] and target.is_pending:
        _sign(found, answer, told["key"])
    verdict = accept(found, [answer])[0]
    if verdict.error is None:
        _tell_answered(question, approved)
        _warn_of_edit(found)
    if verdict.status == RECORDED and target.is_pending:
        _tell_kept(found, target, told["as_json"])
        return 0
    return tell_one(found, verdict, told["as_json"])


def _question(run: Run, effect: Effect) -> list[str]:
    """The lines of a breakpoint's question, all of them; none of one that is open no more."""
    from babysitter.views.questions import text_lines

    return text_lines(Shown(run, effect)) if effect.is_pending and effect.kind == "breakpoint" else []


def _tell_answered(question: list[str], approved: bool) -> None:
    """What an answer was to; the lines are indented, so that none of them can pass for a line of ours."""
    for number, text in enumerate(question):
        line(f"  {text}".rstrip() if number else f"{'yes' if approved else 'no'} to: {text}")


def _warn_of_edit(run: Run) -> None:
    """The process may not ask this any more; whether it does shows only when it is executed."""
    from babysitter.runs.edits import is_edited

    if is_edited(run):
        complain(
            "warning: the process was edited since this was asked;"
            f" what that means: babysitter check {run.run_id}"
        )


def _tell_kept(run: Run, effect: Effect, wants_json: bool) -> None:
    """What an answer has done that was kept beside others."""
    asked, given = Asked(run.definition_of(effect)), run.state.answers[effect.id]
    at, is_decided = standing(asked, given), decision(asked, given) is not None
    if wants_json:
        told = {"run": run.run_id, "effect": effect.id, "status": RECORDED}
        as_json({**told, "open": {**at, "isDecided": is_decided}})
    elif is_decided:
        line(f"{effect.id}: recorded; it is decided when the run goes on: babysitter iterate {run.run_id}")
    else:
        line(f"{effect.id}: recorded; {_standing_text(at)}")


def _standing_text(at: dict[str, Any]) -> str:
    needed = f" of {at['needed']} approvals" if "needed" in at else " approvals"
    left = f", waiting for {', '.join(at['waitingFor'])}" if at.get("waitingFor") else ""
    return f"{at['approvals']}{needed} so far{left}"


def _name_for(told: dict[str, Any]) -> str:
    """Who answers, where nobody says it: whoever the key belongs to, else the user of this machine."""
    if told["sign"]:
        from babysitter.approvals.signed import own_signers
        from babysitter.approvals.ssh_keys import own_key, signer_of

        found = signer_of(told["key"] or own_key(os.path.expanduser("~")), own_signers())
        return found or person()
    return person()


def _show_and_confirm(run: Run, effect: Effect, approved: bool, told: dict[str, Any]) -> str | None:
    """Show the breakpoint as it is now, where that is needed; gives the digest of what was shown."""
    shown = Shown(run, effect)
    if not (run.is_guarded or shown.files or told["sign"]):
        return None
    _show_question(run, shown, told)
    _confirm(f"answer it with {'yes' if approved else 'no'}?", told)
    return shown.digest


def only_breakpoint(run: Run) -> Effect:
    """The one breakpoint that is open.

    Raises:
        NoSuchEffect: there is none, or more than one.
    """
    waiting = [effect for effect in run.state.pending.values() if effect.kind == "breakpoint"]
    if len(waiting) == 1:
        return waiting[0]
    if not waiting:
        raise NoSuchEffect(
            f"run {run.run_id!r} has no open breakpoint", hint=f"babysitter status {run.run_id}"
        )
    shown = ", ".join(effect.id for effect in waiting[:5])
    raise NoSuchEffect(
        f"run {run.run_id!r} has {len(waiting)} open breakpoints: {shown}", hint="name one of them"
    )


def _show_question(run: Run, shown: Shown, told: dict[str, Any]) -> None:
    from babysitter.views.questions import question_lines

    words = [f"{name}: {told[name]}" for name in WORDS if told[name] is not None]
    _show([*question_lines(run, shown), *words], told["as_json"])


def _show(lines: list[str], wants_json: bool) -> None:
    """For the person who is asked; with ``--json`` standard output is for something else."""
    for text in lines:
        (complain if wants_json else line)(text)


def _confirm(question: str, told: dict[str, Any]) -> None:
    if not told["yes"] and not click.confirm(question, err=told["as_json"]):
        raise PersonNeeded("it was not confirmed, so nothing was recorded")


def _sign(run: Run, answer: Answer, key: str | None) -> None:
    from babysitter.approvals.signed import sign
    from babysitter.approvals.ssh_keys import own_key

    assert answer.evidence is not None
    answer.evidence |= sign(run, answer, key or own_key(os.path.expanduser("~")))


def _permit(run: str, what: str, name: str, told: dict[str, Any]) -> int:
    if what not in WHAT:
        raise UsageError(
            f"--permit {what!r} is nothing that can be permitted", hint=f"one of {', '.join(WHAT)}"
        )
    ways = ways_to_permit(run, what)
    found = opened(run, told["runs_dir"])
    if level_here("nobody permits anything", ways, is_guarded=found.is_guarded) != "terminal":
        raise PersonNeeded(f"to {WHAT[what]} is permitted by a person, and there is no terminal", hint=ways)
    about = about_now(found, what, name)
    _show([f"run {found.run_id}: {WHAT[what]}", *about_lines(found, about or {})], told["as_json"])
    _confirm("permit it?", told)
    permit(found, what, by=person(), assurance="terminal", evidence=seen_here(), about=about)
    if told["as_json"]:
        as_json({"run": found.run_id, "permitted": what, **({"about": about} if about else {})})
    else:
        line(f"{what}: permitted")
    return 0


commands = {"approve": approve, "reject": reject}
