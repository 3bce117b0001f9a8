"""``post``: results from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from babysitter.cli.options import (
    complete_effect,
    json_option,
    opened,
    read_json,
    reading,
    run_argument,
    runs_dir_option,
)
from babysitter.cli.output import as_json, cut, error_object, line, tell_error
from babysitter.errors import InvalidInput, UsageError
from babysitter.runs.results import Answer, Verdict, accept

if TYPE_CHECKING:
    from babysitter.limits import Limits
    from babysitter.runs.run import Run

MOST_IN_BULK = 1 << 28
# All answers of one call may take this many times as much memory as one.
MOST_AT_ONCE = 4
# So much text is looked at together; looking at each short line by itself would take longer than reading it.
WORTH_A_LOOK = 1 << 16


@click.command(
    epilog="""\b
Example:
  babysitter post latest 4f9k2m --value '{"verdict": "good"}'
  babysitter post latest 4f9k2m --file answer.json
  babysitter post latest 4f9k2m --error 'the service is down'
  babysitter post latest 4f9k2m --value '"done"' --usage '{"inputTokens": 1200, "outputTokens": 80}'
  my-agent | babysitter post latest --lines -

\b
A line of --lines: {"effect": ID, "value": …} or {"effect": ID, "error": "text"}, and perhaps "usage".
The first result of an effect stands; the same one again answers `already`."""
)
@run_argument(required=True)
@click.argument("effect", required=False, shell_complete=complete_effect)
@click.option("--value", metavar="JSON", help="The result, as JSON.")
@click.option("--file", "file", metavar="FILE", help="The result in a JSON file ('-': standard input).")
@click.option("--error", "failure", metavar="TEXT", help="The effect failed; why.")
@click.option(
    "--usage", metavar="JSON", help="What it has used: tokens, money; what is not known is left out."
)
@click.option("--lines", metavar="FILE", help="Many results as JSON lines ('-': standard input).")
@runs_dir_option
@json_option
def post(
    run: str,
    effect: str | None,
    value: str | None,
    file: str | None,
    failure: str | None,
    usage: str | None,
    lines: str | None,
    runs_dir: str | None,
    as_json: bool,
) -> int:
    """Give the result of EFFECT in RUN, or of many effects at once.

    Results of shell and python effects, of sleeps and of breakpoints cannot be posted.
    """
    given = [name for name in (value, file, failure, lines) if name is not None]
    if len(given) != 1 or (effect is None) != (lines is not None):
        raise UsageError("post takes EFFECT with one of --value, --file and --error, or --lines alone")
    if usage is not None and lines is not None:
        raise UsageError(
            "--usage is that of one EFFECT", hint='each line of --lines can have its own "usage"'
        )
    found = opened(run, runs_dir)
    if lines is not None:
        return tell_bulk(found, accept(found, read_lines(lines, found.limits)), as_json)
    assert effect is not None
    answer = _answer(effect, value, file, failure, found)
    answer.usage = None if usage is None else _usage(usage, found.limits)
    return tell_one(found, accept(found, [answer])[0], as_json)


def _usage(text: str, limits: Limits) -> dict[str, Any]:
    from babysitter.jsontext import parse_strict
    from babysitter.usage import read_usage

    try:
        told = parse_strict(text, limits=limits)
    except InvalidInput as error:
        raise InvalidInput(
            f"--usage is not JSON: {error.message}",
            hint="""--usage '{"inputTokens": 1200, "outputTokens": 80}'""",
        ) from None
    return read_usage(told)


def _answer(effect: str, value: str | None, file: str | None, failure: str | None, run: Run) -> Answer:
    from babysitter.jsontext import parse_strict

    if failure is not None:
        return Answer(effect, "error", None, error_of(failure))
    if file is not None:
        return Answer(effect, "ok", read_json(file, run.limits))
    assert value is not None
    try:
        return Answer(effect, "ok", parse_strict(value, limits=run.limits))
    except InvalidInput as error:
        raise InvalidInput(
            f"--value is not JSON: {error.message}", hint="a text needs quotes inside: --value '\"text\"'"
        ) from None


def error_of(told: Any) -> dict[str, Any]:
    """The error object of a failure that was told as a text, or as an object with a message."""
    if isinstance(told, dict):
        message = told.get("message")
        return {
            **told,
            "name": str(told.get("name", "TaskFailed")),
            "message": str(message or "the task failed"),
        }
    return {"name": "TaskFailed", "message": str(told)}


def read_lines(name: str, limits: Any) -> list[Answer]:
    """Answers from JSON lines; all of them are read before any is recorded.

    Raises:
        InvalidInput: a line is not an answer; names the line.
    """
    from babysitter.jsontext import parse_strict

    answers, bulk = [], Bulk(limits)
    with reading(name) as file:
        number = 0
        # One byte more than there may be, so that "too much" shows.
        while raw := file.readline(limits.result_bytes + 2):
            number += 1
            try:
                bulk.take(raw)
                if raw.strip():
                    answers.append(_line_answer(parse_strict(raw, limits=limits)))
            except InvalidInput as error:
                raise InvalidInput(
                    f"line {number} of {name!r}: {error.message}", hint="nothing was recorded"
                ) from None
    return answers


class Bulk:
    """How much was read for one call, and about how much memory that takes."""

    def __init__(self, limits: Limits) -> None:
        self._most = MOST_AT_ONCE * limits.memory_bytes
        self._bytes = self._memory = 0
        self._unseen: list[bytes] = []
        self._unseen_bytes = 0

    def take(self, line: bytes) -> None:
        """Count a line in.

        Raises:
            InvalidInput: with this line it is too much.
        """
        self._bytes += len(line)
        self._unseen_bytes += len(line)
        self._unseen.append(line)
        if self._unseen_bytes >= WORTH_A_LOOK:
            from babysitter.jsonsize import measure

            self._memory += measure(b"".join(self._unseen).decode(errors="replace"))[0]
            self._unseen, self._unseen_bytes = [], 0
        if self._bytes > MOST_IN_BULK:
            raise InvalidInput(f"there are more than {MOST_IN_BULK} bytes")
        if self._memory > self._most:
            raise InvalidInput(
                f"the answers take about {self._memory} bytes in memory, at most {self._most} are allowed"
            )


def _line_answer(told: Any) -> Answer:
    effect = told.get("effect", told.get("effectId")) if isinstance(told, dict) else None
    if not isinstance(effect, str):
        raise InvalidInput("an answer is an object with 'effect' and 'value' or 'error'")
    unknown = set(told) - {"effect", "effectId", "status", "value", "error", "usage"}
    if unknown:
        raise InvalidInput(
            f"an answer has no {min(unknown)!r}; it has 'effect' and 'value' or 'error', and perhaps 'usage'"
        )
    if ("value" in told) == ("error" in told):
        raise InvalidInput(f"the answer for {effect!r} needs either 'value' or 'error'")
    status = "error" if "error" in told else "ok"
    if told.get("status", status) != status:
        raise InvalidInput(
            f"the answer for {effect!r} has the status {told['status']!r} and a {status} result"
        )
    if "error" not in told:
        return Answer(effect, "ok", told["value"], usage=_usage_of_line(effect, told))
    if not isinstance(told["error"], (str, dict)):
        raise InvalidInput(f"the error for {effect!r} is a text, or an object with a 'message'")
    return Answer(effect, "error", None, error_of(told["error"]), usage=_usage_of_line(effect, told))


def _usage_of_line(effect: str, told: dict[str, Any]) -> dict[str, Any] | None:
    if "usage" not in told:
        return None
    from babysitter.usage import read_usage

    try:
        return read_usage(told["usage"])
    except InvalidInput as error:
        raise InvalidInput(f"the answer for {effect!r}: {error.message}") from None


def tell_one(run: Run, verdict: Verdict, wants_json: bool) -> int:
    """Print one verdict; a refusal is an error like any other."""
    if verdict.error is not None:
        raise verdict.error
    if wants_json:
        as_json({"run": run.run_id, "effect": verdict.effect_id, "status": verdict.status})
    else:
        line(f"{verdict.effect_id}: {verdict.status}")
    return 0


def tell_bulk(run: Run, verdicts: list[Verdict], wants_json: bool) -> int:
    """Print the counts and what was refused; gives the worst exit code."""
    counts = {
        status: sum(v.status == status for v in verdicts) for status in ("recorded", "already", "refused")
    }
    refused = [verdict for verdict in verdicts if verdict.error is not None]
    if wants_json:
        errors = [{"effect": cut(v.effect_id), **error_object(v.error)} for v in refused if v.error]
        as_json({"run": run.run_id, **counts, **({"errors": errors} if errors else {})})
    else:
        line(", ".join(f"{count} {status}" for status, count in counts.items()))
        for verdict in refused:
            assert verdict.error is not None
            tell_error(verdict.error, [])
    return max((verdict.error.exit_code for verdict in refused if verdict.error), default=0)


commands = {"post": post}
