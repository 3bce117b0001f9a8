"""docs/reference.md, made from the help of the commands; the shapes of their JSON are in docs/commands.md."""

from __future__ import annotations

import re
import sys
from inspect import cleandoc
from pathlib import Path

import click

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from babysitter.cli.main import COMMANDS, HIDDEN, group  # noqa: E402 - the checkout that this is part of

REFERENCE = ROOT / "docs" / "reference.md"
SHAPES = ROOT / "docs" / "commands.md"
HEAD = """# Reference of the command line

Made by `scripts/reference` from what the commands print with `--help`; do not edit it.
[commands.md](commands.md) says what they mean, the exit codes, and what each prints with `--json`.

"""
ROOT_CONTEXT = click.Context(group, info_name="babysitter")


def every_command() -> dict[str, click.Command]:
    """The commands that are shown, by what is typed to call them; those of a group after it."""
    found: dict[str, click.Command] = {}
    for name in COMMANDS:
        command = group.get_command(ROOT_CONTEXT, name)
        if name in HIDDEN or command is None:
            continue
        found[name] = command
        if isinstance(command, click.Group):
            found.update({f"{name} {inner}": each for inner, each in command.commands.items()})
    return found


def written() -> str:
    """The whole page."""
    commands = every_command()
    listed = "".join(_line(name, command) for name, command in commands.items())
    options = _options(group)
    parts = [_part(name, command) for name, command in commands.items()]
    return f"{HEAD}| command | |\n| --- | --- |\n{listed}\n{options}" + "".join(parts)


def _line(name: str, command: click.Command) -> str:
    return f"| [`{name}`](#{_anchor(_title(name, command))}) | {_cell(_paragraphs(command)[0])} |\n"


def _part(name: str, command: click.Command) -> str:
    text = "\n\n".join(_paragraphs(command))
    shape = (
        f"`--json`: [{section(name)[0]}](commands.md#{_anchor(section(name)[0])})\n" if section(name) else ""
    )
    return "\n".join(
        each
        for each in (
            f"\n## {_title(name, command)}\n",
            f"{text}\n",
            _options(command),
            _example(command),
            shape,
        )
        if each
    )


def _title(name: str, command: click.Command) -> str:
    """The command with its arguments, as usage shows them."""
    words = ["babysitter", name]
    for parameter in command.params:
        if isinstance(parameter, click.Argument):
            word = (parameter.metavar or parameter.name or "").upper().strip("[].")
            many = "..." if parameter.nargs == -1 else ""
            words.append(f"{word}{many}" if parameter.required else f"[{word}]{many}")
    return " ".join(words)


def _paragraphs(command: click.Command) -> list[str]:
    """What the command says of itself, each paragraph in one line."""
    text = cleandoc(command.help or "").partition("\f")[0]
    return [" ".join(part.split()) for part in text.split("\n\n") if part.strip() not in ("", "\b")]


def _options(command: click.Command) -> str:
    rows = [
        f"| `{_names(option)}` | {_cell(option.help or '')} |"
        for option in command.params
        if isinstance(option, click.Option) and not option.hidden
    ]
    return "\n".join(["| option | |", "| --- | --- |", *rows, ""]) if rows else ""


def _names(option: click.Option) -> str:
    names = ", ".join([*option.opts, *option.secondary_opts])
    if option.is_flag or option.count:
        return names
    if option.metavar:
        return f"{names} {option.metavar}"
    if isinstance(option.type, click.Choice):
        return f"{names} {'|'.join(map(str, option.type.choices))}"
    return f"{names} {option.type.name.upper()}"


def _example(command: click.Command) -> str:
    """The example at the end of its help, as text to be copied."""
    lines = cleandoc(command.epilog or "").replace("\b", "").splitlines()
    kept = [line.strip() for line in lines if line.strip() and not line.strip().endswith("xample:")]
    return "\n".join(["```sh", *kept, "```", ""]) if kept else ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _anchor(title: str) -> str:
    """What a heading is called in a link."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def section(name: str) -> tuple[str, str] | None:
    """Heading and text of the part of docs/commands.md that is about a command; None when there is none."""
    for heading, text in re.findall(
        r"^## (.+)\n((?:(?!## ).*\n?)*)", SHAPES.read_text("utf-8"), re.MULTILINE
    ):
        named = [each.strip() for each in heading.split(",")]
        if name in named:
            return heading, text
    return None


def main(*words: str) -> int:
    """Write the page; with ``--check`` only look whether that would change it."""
    text = written()
    if words[:1] == ("--check",):
        is_same = REFERENCE.exists() and REFERENCE.read_text("utf-8") == text
        how = "up to date" if is_same else "old: scripts/reference"
        sys.stdout.write(f"docs/reference.md is {how}\n")
        return 0 if is_same else 1
    REFERENCE.write_text(text, "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
