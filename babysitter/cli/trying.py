"""``process try``: what a process would ask for, batch by batch."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from babysitter.cli.graphing import given_of
from babysitter.cli.options import (
    complete_process,
    input_options,
    json_option,
    read_inputs,
    read_pairs,
    settings,
    value_of,
)
from babysitter.cli.output import as_json as print_json
from babysitter.cli.output import complain, line
from babysitter.errors import InvalidInput
from babysitter.jsontext import compact
from babysitter.library import resolve
from babysitter.views.text import printable_lines, shorten

if TYPE_CHECKING:
    from collections.abc import Iterator

    from babysitter.graphs.trial import Trial

MOST_LINES = 40
MOST_COLUMNS = 100
MOST_OUTPUT_COLUMNS = 400


@click.command(
    "try",
    epilog="""\b
Example:
  babysitter process try build-and-verify
  babysitter process try ./release.py -i version=1.2.0 --result 'Release?=no'
  babysitter process try ./release.py --result find_files='["a.py", "b.py"]' --json""",
)
@click.argument("name", shell_complete=complete_process)
@input_options
@click.option(
    "--result",
    "results",
    metavar="STEP=VALUE",
    multiple=True,
    help="What a step gets instead of a stub, by its task, title or step; repeatable.",
)
@json_option
def try_process(
    name: str, inputs_file: str | None, pairs: tuple[str, ...], results: tuple[str, ...], as_json: bool
) -> int:
    """Play a process with stub results, and print what it asks for: each batch, with commands and prompts.

    Nothing is performed and no run is made. A stub is a small value that fits: of a list one item, of a
    command exit code 0, of a breakpoint a yes. Inputs that are needed and not given are stubs too.

    With --result a step gets what you say: JSON where it is JSON, else text; of a command that is what it
    prints, a number its exit code; of a breakpoint yes, no, or one of its options. Of several for one
    step each counts for one round, the last for all after it.
    """
    process, trial = _play(name, inputs_file, pairs, results)
    if as_json:
        print_json({"process": process, **trial.told})
        return trial.exit_code
    for text in _lines(trial.told):
        line(text)
    for note in trial.told["notes"]:
        complain(f"note: {note}")
    return trial.exit_code


def _play(
    name: str, inputs_file: str | None, pairs: tuple[str, ...], results: tuple[str, ...]
) -> tuple[str, Trial]:
    from babysitter.graphs.drawn import completed
    from babysitter.graphs.told import Told
    from babysitter.graphs.trial import Trial
    from babysitter.runs.creation import ask_author
    from babysitter.runs.inputs import prepare

    entry, limits = resolve(name), settings().limits
    source, given = given_of(entry), Told(_results(results, limits))
    inputs = read_inputs(inputs_file, pairs, limits)

    def playing() -> Trial:
        return Trial(source, prepare(source, completed(source, inputs), read_pairs(pairs)), given)

    return entry.process_id, ask_author(entry, limits, "is played with stub results", playing)


def _results(pairs: tuple[str, ...], limits: Any) -> list[tuple[str, Any]]:
    found = []
    for pair in pairs:
        name, equals, text = pair.partition("=")
        if not equals or not name:
            raise InvalidInput(f"--result {pair!r} is not STEP=VALUE")
        found.append((name, value_of(text, limits)))
    return found


def _lines(told: dict[str, Any]) -> Iterator[str]:
    known = set[str]()
    for number, batch in enumerate(told["batches"], 1):
        yield f"batch {number}"
        for asked in batch:
            yield from _asked(asked, is_whole=asked["task"] not in known or asked["kind"] == "breakpoint")
            known.add(asked["task"])
    yield _ending(told)
    if told.get("problem", {}).get("hint"):
        yield f"  {told['problem']['hint']}"


def _asked(asked: dict[str, Any], *, is_whole: bool) -> Iterator[str]:
    """A request; what it says is whole for the first of a task, one line for those like it."""
    title = "" if asked["title"] == asked["task"] else f": {asked['title']}"
    named = "" if asked["kind"] == asked["task"] else f" {asked['task']}"
    yield f"  {asked['kind']}{named}{title}"
    said = [text for text in printable_lines(asked["text"]) if text and text != asked["title"]]
    yield from (f"      {text}" for text in (_whole(said) if is_whole else _first(said)))
    if asked["kind"] not in ("shell", "sleep") and "result" in asked:
        yield f"    -> {shorten(_result(asked), MOST_COLUMNS)}"


def _whole(said: list[str]) -> list[str]:
    more = len(said) - MOST_LINES
    return said if more <= 0 else [*said[:MOST_LINES], f"… {more} lines more; --json has them"]


def _first(said: list[str]) -> list[str]:
    return [shorten(" ".join(said), MOST_COLUMNS)] if said else []


def _result(asked: dict[str, Any]) -> str:
    value = asked["result"]
    if asked["kind"] != "breakpoint":
        return compact(value)
    return " ".join(filter(None, ("yes" if value["approved"] else "no", value["option"])))


def _ending(told: dict[str, Any]) -> str:
    if "problem" in told:
        problem = told["problem"]
        where = f" ({problem['file']}, line {problem['line']})" if problem.get("file") else ""
        return f"stuck: {problem['name']}: {problem['message']}{where}"
    if told["status"] == "failed":
        return shorten(f"failed: {_error(told['error'])}", MOST_OUTPUT_COLUMNS)
    detail = next((compact(told[name]) for name in ("output", "inputs", "reason") if name in told), "")
    return shorten(f"{told['status']}: {detail}" if detail else told["status"], MOST_OUTPUT_COLUMNS)


def _error(error: dict[str, Any]) -> str:
    data = error.get("data")
    return str(error["message"]) if data is None else f"{error['message']} {compact(data)}"
