"""Shell effects: a command, its exit code and its output."""

from __future__ import annotations

import os

from babysitter.durations import seconds
from babysitter.errors import InvalidInput
from babysitter.executors.work import CannotStart, Command, Result, shown
from babysitter.jsontext import parse_strict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from babysitter.executors.work import Exit, Work
    from babysitter.limits import Limits


class Shell:
    """One shell effect."""

    usage: dict[str, Any] | None = None

    def __init__(self, work: Work, environment: Mapping[str, str], limits: Limits) -> None:
        self._project = work.project
        self._environment = environment
        self._limits = limits
        self._described = described(work)
        self._argv = self._read_argv()

    def _read_argv(self) -> list[str]:
        command, argv = self._described.get("command"), self._described.get("argv")
        if isinstance(command, str) and argv is None:
            return words(["/bin/sh", "-c", command])
        if command is None:
            return words(argv)
        raise CannotStart(
            "the definition has 'argv' and 'command', or a 'command' that is not a text; one is expected"
        )

    @property
    def _name(self) -> str:
        return shown(self._described.get("command") or " ".join(self._argv))

    def command(self) -> Command:
        told = self._described
        if told.get("parse") not in (None, "json"):
            raise CannotStart(f"the definition says parse={told['parse']!r}; only 'json' is known")
        given, folder = told.get("input"), told.get("cwd") or ""
        if not isinstance(folder, str):
            raise CannotStart(f"'cwd' is {folder!r}; a folder in the project is expected")
        return Command(
            self._argv,
            os.path.join(self._project, folder),
            env={**self._secrets(), **variables(told.get("env") or {})},
            input=str(given).encode("utf-8", "surrogateescape") if given is not None else None,
            timeout=timeout(told),
            keeps=self._limits.result_bytes if told.get("parse") else 0,
        )

    def _secrets(self) -> dict[str, str]:
        found = {}
        for name in _names(self._described.get("secrets") or []):
            if name not in self._environment:
                raise CannotStart(f"{self._name} needs the environment variable {name!r}, which is not set")
            found[name] = self._environment[name]
        return found

    def conclude(self, exit: Exit) -> Result:
        if exit.is_timed_out:
            return Result.timed_out(self._name, exit, timeout(self._described))
        if exit.code != 0 and self._described.get("check", True):
            return Result.failed("ShellFailed", f"{self._name} {exit.how()}{exit.why()}", exit)
        if not self._described.get("parse"):
            return Result.ok(exit.facts())
        try:
            output = parse_strict(bytes(exit.stdout.kept), limits=self._limits)
        except InvalidInput as error:
            return Result.failed(
                "ParseFailed", f"the output of {self._name} cannot be read: {error}{_excerpt(exit)}", exit
            )
        return Result.ok({**exit.facts(), "output": output})


def secrets_of(work: Work, environment: Mapping[str, str]) -> list[str]:
    """The values of the variables that an effect is given as secrets."""
    try:
        names = _names(described(work).get("secrets") or [])
    except CannotStart:
        return []  # nothing is going to be started
    return [environment[name] for name in names if name in environment]


def _names(told: Any) -> list[str]:
    """The names of variables, if they are such."""
    if not isinstance(told, (list, tuple)) or not all(isinstance(name, str) for name in told):
        raise CannotStart(f"'secrets' is {shown(repr(told))}; a list of names of variables is expected")
    return list(told)


def _excerpt(exit: Exit) -> str:
    beginning = exit.stdout.beginning.decode("utf-8", "replace")
    return f"; it begins with {shown(beginning, 60)}" if beginning.strip() else ""


def described(work: Work) -> dict[str, Any]:
    """The part of a definition that is for its kind."""
    found = work.definition.get(work.kind)
    if not isinstance(found, dict):
        raise CannotStart(f"the definition has no {work.kind!r} that says what to do")
    return found


def words(argv: Any) -> list[str]:
    """The words of a command, if they are such."""
    if not isinstance(argv, (list, tuple)) or not argv or not all(isinstance(word, str) for word in argv):
        raise CannotStart(
            f"the command is {shown(repr(argv))}; a list of words is expected, the program first"
        )
    for index, word in enumerate(argv):
        if "\0" in word or (index == 0 and not word):
            raise CannotStart(
                f"word {index} of the command is {shown(repr(word))}, which no program can be given"
            )
    return list(argv)


def variables(told: Any) -> dict[str, str]:
    """The variables of a definition, if they are such; numbers are taken as text."""
    if not isinstance(told, dict):
        raise CannotStart(f"'env' is {shown(repr(told))}; names and texts are expected")
    found = {}
    for name, value in told.items():
        if not name or "=" in name or isinstance(value, bool) or not isinstance(value, (str, int, float)):
            raise CannotStart(f"the variable {name!r} of 'env' cannot be set to {shown(repr(value))}")
        found[name] = str(value)
    return found


def timeout(told: Mapping[str, Any]) -> float | None:
    """The time that a definition gives, in seconds."""
    length = told.get("timeout")
    if length is None:
        return None
    try:
        return seconds(length)
    except ValueError as error:
        raise CannotStart(f"the timeout cannot be kept: {error}") from None
