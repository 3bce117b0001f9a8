"""What commands print: tables and lines for people, one JSON value with ``--json``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from babysitter.jsontext import compact
from babysitter.views.text import printable

if TYPE_CHECKING:
    from babysitter.errors import BabysitterError


def as_json(value: Any) -> None:
    """One line of JSON; whatever a terminal could act on is escaped in it."""
    click.echo(safe(compact(value)))


def safe(text: str) -> str:
    """JSON text in which control, format and other non-printing characters are escaped."""
    if text.isascii():
        # JSON itself escapes the ASCII control characters but DEL.
        return text.replace("\x7f", "\\u007f")
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[i] << 8 | units[i + 1]:04x}" for i in range(0, len(units), 2))


def line(text: str) -> None:
    """One line for people."""
    click.echo(printable(text))


def tell_error(error: BabysitterError, arguments: list[str], usage: str = "") -> int:
    """Tell what went wrong, and what to do; gives the exit code."""
    if "--json" in arguments:
        as_json({"error": error_object(error)})
        return error.exit_code
    if usage:
        click.echo(printable(usage), err=True)
    click.echo(f"error: {printable(error.message)}", err=True)
    if error.hint:
        click.echo(
            f"  try: {printable(error.hint)}" if _is_command(error.hint) else f"  {printable(error.hint)}",
            err=True,
        )
    return error.exit_code


def _is_command(hint: str) -> bool:
    return hint.startswith("babysitter ")


def error_object(error: BabysitterError) -> dict[str, Any]:
    """An error as JSON."""
    told: dict[str, Any] = {
        "name": type(error).__name__,
        "message": error.message,
        "exitCode": error.exit_code,
    }
    if error.hint:
        told["hint"] = error.hint
    return {**told, **error.details()}


def is_terminal() -> bool:
    """A person looks at the output."""
    return sys.stdout.isatty()
