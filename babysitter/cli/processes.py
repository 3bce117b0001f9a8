"""``process``: what can be run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from babysitter.cli.beginning import new
from babysitter.cli.graphing import graph
from babysitter.cli.linking import link
from babysitter.cli.options import json_option
from babysitter.cli.output import as_json as print_json
from babysitter.cli.output import complain, line
from babysitter.cli.process_checks import check
from babysitter.cli.process_tests import test
from babysitter.cli.showing import show
from babysitter.cli.trying import try_process
from babysitter.errors import BabysitterError
from babysitter.library import look_around
from babysitter.paths import project_dir
from babysitter.skills import read_skill

if TYPE_CHECKING:
    from collections.abc import Sequence

    from babysitter.library import Entry


@click.group(
    epilog="""\b
Example:
  babysitter process list
  babysitter process list review --tag agents
  babysitter process show quality-checks
  babysitter process check ./release.py -i version=1.2.0
  babysitter process test quality-checks"""
)
def process() -> None:
    """Find processes: in the project, in your own folder, in the plugin, in installed packages."""


@process.command(
    "list",
    epilog="""\b
Example:
  babysitter process list
  babysitter process list tests agent
  babysitter process list --tag review --json""",
)
@click.argument("words", nargs=-1)
@click.option("--tag", "tags", metavar="TAG", multiple=True, help="Only those with this tag; repeatable.")
@json_option
def list_processes(words: tuple[str, ...], tags: tuple[str, ...], as_json: bool) -> None:
    """List the processes that a name can stand for; with WORDS, those that have all of them.

    Words are looked for in name, description, tags and kinds of effects. The nearest of equal names
    wins: project, your own folder, plugin, installed packages.
    """
    around, faults = look_around(project_dir())
    found = [told for told in map(_listed, around) if _fits(told, words, tags)]
    if as_json:
        print_json({"processes": found})
    else:
        _tell(found, words, tags)
    for fault in faults:
        complain(f"note: {fault}")


def _listed(entries: Sequence[Entry]) -> dict[str, Any]:
    """What a list says of a process; when that cannot be read, the others are listed all the same."""
    entry, *shadowed = entries
    told: dict[str, Any] = {"name": entry.process_id, "description": "", "whenToUse": ""}
    told |= {"tags": [], "effects": [], **entry.as_json()}
    try:
        skill = read_skill(entry.folder)
    except (BabysitterError, OSError) as error:
        told["description"] = f"(cannot be read: {error})"
    else:
        if skill is not None:
            told |= {"description": skill.description, "whenToUse": skill.when_to_use}
            told |= {"tags": skill.tags, "effects": skill.effects}
    return {**told, "shadows": [each.as_json() for each in shadowed]}


def _fits(told: dict[str, Any], words: Sequence[str], tags: Sequence[str]) -> bool:
    has = {tag.casefold() for tag in told["tags"]}
    texts = [told["name"], told["description"], told["whenToUse"], *told["tags"], *told["effects"]]
    text = " ".join(texts).casefold()
    return has.issuperset(tag.casefold() for tag in tags) and all(word.casefold() in text for word in words)


def _tell(found: Sequence[dict[str, Any]], words: Sequence[str], tags: Sequence[str]) -> None:
    width = max((len(told["name"]) for told in found), default=0)
    for told in found:
        line(f"{told['name']:<{width}}  {told['origin']:<7}  {_first_sentence(told['description'])}")
        for each in told["shadows"]:
            line(f"{'':<{width}}  {'':<7}  (takes the place of {each['file']})")
    if not found:
        what = " ".join([*words, *(f"--tag {tag}" for tag in tags)])
        line(f"there is no process with {what}" if what else "there is no process")


def _first_sentence(text: str) -> str:
    sentence, dot, _ = text.partition(". ")
    return f"{sentence}." if dot else text


process.add_command(show)
process.add_command(check)
process.add_command(new)
process.add_command(graph)
process.add_command(link)
process.add_command(test)
process.add_command(try_process)
commands = {"process": process}
