"""No command without help, an example, and a place in docs/commands.md; nothing in there that is not so."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from babysitter.cli.main import COMMANDS, HIDDEN, group
from tests.support.commands import call

if TYPE_CHECKING:
    from scenes import Scene

DOCUMENT = (Path(__file__).parents[2] / "docs" / "commands.md").read_text("utf-8")
CONTEXT = click.Context(group, info_name="babysitter")


# Groups, which have only commands.
GROUPS = ("process", "rule", "session", "trust")


def every_command() -> dict[str, click.Command]:
    """All commands by what is typed to call them."""
    found: dict[str, click.Command] = {}
    for name in COMMANDS:
        command = group.get_command(CONTEXT, name)
        assert command is not None
        found[name] = command
        if isinstance(command, click.Group):
            found.update({f"{name} {inner}": each for inner, each in command.commands.items()})
    return found


EVERY = every_command()
OPTIONS = [
    pytest.param(option, id=f"{name} {option.opts[0]}")
    for name, command in EVERY.items()
    for option in command.params
    if isinstance(option, click.Option)
]


@pytest.mark.parametrize("name", EVERY)
def test_a_command_says_what_it_does(name: str) -> None:
    assert EVERY[name].help


@pytest.mark.parametrize("name", EVERY)
def test_a_command_has_an_example_that_can_be_typed(name: str) -> None:
    epilog = EVERY[name].epilog or ""
    examples = [line.strip() for line in epilog.splitlines() if "babysitter " in line]
    assert any(
        shlex.split(line.rpartition("| ")[2])[1 : 1 + len(name.split())] == name.split() for line in examples
    )


@pytest.mark.parametrize("name", EVERY)
def test_the_options_of_an_example_are_there(name: str) -> None:
    known = {word for each in EVERY.values() for option in each.params for word in option.opts}
    used = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", EVERY[name].epilog or "")) - {"-p"}  # the agent's own
    assert used - known == set()


@pytest.mark.parametrize("name", EVERY)
def test_a_command_is_documented(name: str) -> None:
    assert re.search(rf"`{re.escape(name)}\b", DOCUMENT)


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_says_what_it_is_for(option: click.Option) -> None:
    assert option.help


@pytest.mark.parametrize("name", [name for name in EVERY if name not in (*HIDDEN, *GROUPS)])
def test_every_option_of_a_command_is_documented(name: str) -> None:
    options = [option for option in EVERY[name].params if isinstance(option, click.Option)]
    assert [option.opts[0] for option in options if f"{option.opts[0]}" not in DOCUMENT] == []


@pytest.mark.parametrize("name", [name for name in EVERY if name not in GROUPS])
def test_every_command_speaks_json(name: str) -> None:
    assert any("--json" in option.opts for option in EVERY[name].params)


def test_the_document_names_no_command_that_there_is_not() -> None:
    rows = re.findall(r"^\| [\w ]+ \| (.*) \|$", DOCUMENT, re.MULTILINE)
    named = {word for row in rows for word in re.findall(r"`([a-z]+)", row)}
    assert named == {name.split()[0] for name in EVERY} - HIDDEN


def test_help_is_printed_and_lists_the_commands_in_the_order_of_a_runs_life() -> None:
    ended = call("--help")
    listed = re.findall(r"^  ([a-z]+)  ", ended.stdout.partition("Commands:")[2], re.MULTILINE)
    assert (ended.code, listed) == (0, [name for name in COMMANDS if name not in HIDDEN])


@pytest.mark.parametrize("words", [[], *([name] for name in GROUPS)])
def test_no_command_at_all_prints_help_and_is_wrong_usage(words: list[str]) -> None:
    ended = call(*words)
    assert (ended.code, ended.stdout, ended.stderr.splitlines()[0][:17]) == (2, "", "Usage: babysitter")
    assert "\\n" not in ended.stderr


def test_the_version_is_printed() -> None:
    assert re.fullmatch(r"babysitter \d+\.\d+\.\d+\S*\n", call("--version").stdout)


def test_help_of_a_command_is_printed(scene: Scene) -> None:
    ended = call("post", "-h")
    assert (ended.code, "Example:" in ended.stdout, ended.stderr) == (0, True, "")
