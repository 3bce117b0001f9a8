"""``inbox``: what waits for a person, in all runs that are known, and the way to see to it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from babysitter.cli.options import json_option, runs_dir_option, settings
from babysitter.cli.output import as_json as print_json
from babysitter.cli.output import line
from babysitter.clock import iso, now_ms
from babysitter.paths import project_dir
from babysitter.paths import runs_dir as runs_folder
from babysitter.places import known
from babysitter.runs.asked import told_of
from babysitter.runs.folder import name_of
from babysitter.runs.inbox import Waiting, everything

if TYPE_CHECKING:
    from collections.abc import Sequence

    from babysitter.runs.folder import Unread

PROBLEM = ("name", "message", "file", "line", "hint")


@click.command(
    epilog="""\b
Example:
  babysitter inbox
  babysitter inbox --here --list
  babysitter inbox --expert owner --tag prod --json"""
)
@click.option("--here", is_flag=True, help="Only runs of this project.")
@click.option("--expert", metavar="NAME", help="Only what this expert is asked.")
@click.option("--tag", "tags", metavar="TAG", multiple=True, help="Only what has this tag (repeatable: all).")
@click.option("--list", "only_lists", is_flag=True, help="Ask nothing, also on a terminal.")
@runs_dir_option
@json_option
def inbox(
    here: bool,
    expert: str | None,
    tags: tuple[str, ...],
    only_lists: bool,
    runs_dir: str | None,
    as_json: bool,
) -> int:
    """List what waits for a person, the oldest first: breakpoints, stuck runs, edits to be accepted.

    In all folders of runs in which one was ever made, and in that of the present project. On a terminal
    outside any agent's session it then asks one breakpoint after the other.
    """
    # By what they really are: one that is reached in two ways is one.
    present, own = (os.path.realpath(runs_folder(each)) for each in (runs_dir, None))
    places = [present] if here else list(dict.fromkeys([present, *known()]))
    waiting, unread = everything(places, settings().limits)
    waiting = [each for each in waiting if each.is_for(expert, tags)]
    told = _told(waiting, unread, own)
    if as_json:
        print_json(told)
        return 0
    from babysitter.views.waiting import inbox_lines

    for text in inbox_lines(told, os.path.realpath(project_dir()), now_ms()):
        line(text)
    asked = [each for each in waiting if each.effect is not None and not each.is_decided]
    if not only_lists and asked and _is_person_here():
        from babysitter.cli.answering import answer_all

        answer_all(asked, own)
    return 0


def _is_person_here() -> bool:
    from babysitter.approvals.place import is_inside_host, is_person_there

    return is_person_there() and not is_inside_host()


def _told(waiting: Sequence[Waiting], unread: Sequence[Unread], own: str) -> dict[str, Any]:
    told = {"waiting": [_waiting_json(each, own) for each in waiting]}
    return {**told, **({"unreadable": [each.as_json() for each in unread]} if unread else {})}


def _waiting_json(each: Waiting, own: str) -> dict[str, Any]:
    run = each.run
    where = {
        "run": run.run_id,
        "process": run.state.process_id,
        "project": run.project,
        "folder": run.folder,
        "since": iso(each.since_ms),
        **_parent(run.state.created),
    }
    name = name_of(run.folder, own)
    if each.refusal is not None:
        told = {
            "name": type(each.refusal).__name__,
            "message": each.refusal.message,
            "hint": each.refusal.hint,
        }
        command = f"babysitter approve {name} --permit edit"
        return {"kind": "diverged", **where, "problem": told, "blocks": "run", "command": command}
    if each.effect is None:
        problem = run.state.problem or {}
        told = {key: problem[key] for key in PROBLEM if problem.get(key)}
        return {
            "kind": "stuck",
            **where,
            "problem": told,
            "blocks": "run",
            "command": f"babysitter iterate {name}",
        }
    return {
        "kind": "breakpoint",
        **where,
        **_asked(each),
        **_blocked(each),
        **_standing(each),
        "show": f"babysitter show {name} {each.effect.id}",
        "command": f"babysitter resume {name}" if each.is_decided else command_for(each, name),
    }


def _standing(each: Waiting) -> dict[str, Any]:
    """Who has said what so far, of one that several answer, or whose answer is not made use of yet."""
    assert each.effect is not None
    given = each.run.state.answers.get(each.effect.id, [])
    told: dict[str, Any] = {"isDecided": True} if each.is_decided else {}
    if given:
        told["answers"] = [{"by": answer.by, "approved": answer.approved} for answer in given]
    return told


def _parent(created: dict[str, Any]) -> dict[str, Any]:
    return {"parent": created["parent"]["runId"]} if "parent" in created else {}


def _asked(each: Waiting) -> dict[str, Any]:
    assert each.effect is not None
    told = told_of(each.asked, each.since_ms)
    wanted = each.asked.get("assurance")
    return {
        "effect": each.effect.id,
        "step": each.effect.step,
        "title": each.effect.label,
        **told,
        **({"assurance": wanted} if wanted is not None else {}),
    }


def _blocked(each: Waiting) -> dict[str, Any]:
    """All of the run, when nothing else in it can go on; else the branch, and how much there is beside it."""
    assert each.effect is not None
    if each.beside == 0:
        return {"blocks": "run"}
    group = {"group": each.effect.group} if each.effect.group else {}
    return {"blocks": "branch", **group, "beside": each.beside}


def command_for(each: Waiting, name: str) -> str:
    """How a breakpoint of the run that is called so here is answered with yes."""
    assert each.effect is not None
    sign = " --sign" if each.asked.get("assurance") == "signed" else ""
    return f"babysitter approve {name} {each.effect.id}{sign}"


commands = {"inbox": inbox}
