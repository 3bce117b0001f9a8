"""A command of the original's that is not taken here is answered with what is done in its place."""

from __future__ import annotations

import re
import shlex

import click
import pytest

from babysitter.cli.main import COMMANDS, group
from babysitter.cli.old_names import CURES, NEVER_SUGGESTED, unknown
from tests.support.commands import call

# All that the help of the original lists, of 0.0.187 and of 6.0.0.
ORIGINAL = {
    "run": "create status events rebuild-state repair-journal iterate execute-tasks halt",
    "task": "post list show cancel",
    "session": "init associate resume state update check-iteration last-message iteration-message whoami"
    " cleanup",
    "hook": "run log",
    "skill": "discover fetch-remote",
    "process-library": "active clone update use",
    "profile": "read write merge render",
    "plugin": "install uninstall update configure list-installed list-plugins add-marketplace"
    " update-marketplace update-registry remove-from-registry",
    "tokens": "stats",
    "compression": "status toggle set reset",
    "harness": "create-run call yolo plan forever resume-run resume retrospect cleanup assimilate doctor"
    " contrib anycli help observe user-install project-install discover list install install-plugin invoke",
    "instructions": "babysit-skill process-create orchestrate breakpoint-handling",
    "breakpoint": "approve-rule remove-rule list-rules should-auto-approve history",
    "mcp": "serve",
}
PLAIN = ["log", "compress-output", "health", "configure", "version", "help"]
EVERY = [f"{family}:{name}" for family, names in ORIGINAL.items() for name in names.split()] + PLAIN


@pytest.mark.parametrize("name", [name for name in EVERY if name not in COMMANDS])
def test_every_command_of_the_original_that_is_not_taken_has_an_answer(name: str) -> None:
    error = unknown(name, list(COMMANDS))
    assert (error.message, bool(error.hint)) == (
        f"there is no command {name!r}, which is one of the original's",
        True,
    )


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("run:execute-tasks", "use: babysitter work RUN"),
        ("run:rebuild-state", "not needed: state/ is rebuilt when it is needed"),
        ("run:repair-journal", "use: babysitter repair RUN"),
        ("health", "use: babysitter doctor"),
        ("version", "use: babysitter --version"),
        ("skill:discover", "use: babysitter process list"),
    ],
)
def test_an_old_name_is_answered_with_the_new_one(name: str, use: str) -> None:
    ended = call(name, "some", "--flag")
    assert (ended.code, ended.stdout, ended.stderr) == (
        2,
        "",
        f"error: there is no command {name!r}, which is one of the original's\n  {use}\n",
    )


def advised() -> list[list[str]]:
    """The words of each command that an answer names."""
    parts = [part for cure in CURES.values() for part in re.split(r",? or |, ", cure.partition("use: ")[2])]
    return [shlex.split(part)[1:] for part in parts if part.startswith("babysitter ")]


@pytest.mark.parametrize("words", advised(), ids=" ".join)
def test_an_answer_names_a_command_that_there_is(words: list[str]) -> None:
    command: click.Command | None = group
    context = click.Context(group)
    options = [word for word in words if word.startswith("--")]
    for word in words:
        if isinstance(command, click.Group) and not word.startswith("--"):
            command = command.get_command(context, word)
    assert command is not None
    assert {*options} <= {name for option in command.params for name in option.opts} | {"--help"}


@pytest.mark.parametrize("name", ["hald", "halth", "cancle", "rewnd", "clean", "rejct", "archiv", "run:hald"])
def test_what_ends_or_takes_away_is_never_suggested(name: str) -> None:
    meant = unknown(name, list(COMMANDS)).message.partition("; ")[2]
    assert not any(f"{each}'" in meant for each in NEVER_SUGGESTED)


def test_an_old_name_that_was_mistyped_is_suggested() -> None:
    assert unknown("run:creat", list(COMMANDS)).message.endswith("did you mean 'run:create'?")
