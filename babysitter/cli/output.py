"""What commands print: tables and lines for people, one JSON value with ``--json``."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from babysitter.jsontext import compact
from babysitter.views.text import encodable, printable

if TYPE_CHECKING:
    from babysitter.errors import BabysitterError


MESSAGE_LENGTH = 4000


def as_json(value: Any) -> None:
    """One line of JSON; whatever a terminal could act on is escaped in it."""
    _print(safe(compact(value), is_ascii=not can_print(sys.stdout)))


def can_print(stream: Any) -> bool:
    """A stream has bytes for every character."""
    return (getattr(stream, "encoding", None) or "").lower().startswith("utf")


def safe(text: str, *, is_ascii: bool = False) -> str:
    """JSON text in which control, format and other non-printing characters are escaped."""
    if text.isascii():
        # JSON itself escapes the ASCII control characters but DEL.
        return text.replace("\x7f", "\\u007f")
    return "".join(
        char if char.isprintable() and not (is_ascii and char > "~") else _escaped(char) for char in text
    )


def _escaped(char: str) -> str:
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[i] << 8 | units[i + 1]:04x}" for i in range(0, len(units), 2))


def line(text: str) -> None:
    """One line for people."""
    _print(printable(text))


def document(text: str) -> None:
    """A text as it is, lines and tabs too; only what a terminal could act on is escaped."""
    _print("\n".join("\t".join(printable(part) for part in line.split("\t")) for line in text.split("\n")))


def _print(text: str) -> None:
    try:
        click.echo(text if can_print(sys.stdout) else encodable(text, sys.stdout))
    except BrokenPipeError:
        # Nobody reads any more; what was done is done, and so is its exit code.
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for the rest of this command


def tell_error(error: BabysitterError, arguments: list[str], usage: str = "") -> int:
    """Tell what went wrong, and what to do; gives the exit code."""
    if "--json" in arguments:
        try:
            as_json({"error": error_object(error)})
        except OSError:
            # Nobody reads it; the exit code says it too.
            pass
        return error.exit_code
    lines = [usage] if usage else []
    lines.append(f"error: {cut(error.message)}")
    if error.hint:
        lines.append(f"  try: {cut(error.hint)}" if _is_command(error.hint) else f"  {cut(error.hint)}")
    for each in lines:
        complain(each)
    return error.exit_code


def complain(text: str) -> None:
    """One line on standard error."""
    try:
        click.echo(printable(text), err=True)
    except (OSError, ValueError):
        # Nobody reads it, or the process has closed it; the exit code says it too.
        pass


def _is_command(hint: str) -> bool:
    return hint.startswith("babysitter ")


def error_object(error: BabysitterError) -> dict[str, Any]:
    """An error as JSON."""
    told: dict[str, Any] = {
        "name": type(error).__name__,
        "message": _as_text(error.message),
        "exitCode": error.exit_code,
    }
    if error.hint:
        told["hint"] = _as_text(error.hint)
    return {**told, **{name: _as_text(item) for name, item in error.details().items()}}


def _as_text(told: str) -> str:
    """What a command line was given need not be text; JSON is."""
    return cut(told).encode(errors="backslashreplace").decode()


def cut(told: str) -> str:
    """A message, which may quote what somebody sent, no longer than people read."""
    if len(told) <= MESSAGE_LENGTH:
        return told
    return f"{told[: MESSAGE_LENGTH // 2]} … {told[-MESSAGE_LENGTH // 2 :]}"


def is_terminal() -> bool:
    """A person looks at the output."""
    return sys.stdout.isatty()
