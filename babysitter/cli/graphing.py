"""``process graph``: the shape of a process, or of a run."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from babysitter.cli.options import (
    complete_process,
    input_options,
    json_option,
    read_inputs,
    read_pairs,
    runs_dir_option,
    settings,
    to_look_at,
)
from babysitter.cli.output import as_json as print_json
from babysitter.cli.output import complain, document
from babysitter.errors import BabysitterError, InvalidInput, UsageError
from babysitter.library import reopen, resolve

if TYPE_CHECKING:
    from babysitter.graphs.drawn import Drawn
    from babysitter.library import Entry
    from babysitter.limits import Limits
    from babysitter.runs.run import Run
    from babysitter.runs.source import Source
    from babysitter.testing.processes import Given

FORMATS = ("mermaid", "svg")


@click.command(
    epilog="""\b
Example:
  babysitter process graph build-and-verify
  babysitter process graph ./release.py -i version=1.2.0 --format svg --output release.svg
  babysitter process graph --run latest"""
)
@click.argument("name", required=False, shell_complete=complete_process)
@click.option("--run", metavar="RUN", help="Draw this run, with states and times.")
@click.option(
    "--format",
    "form",
    type=click.Choice(FORMATS),
    default=FORMATS[0],
    show_default=True,
    help="What to write.",
)
@click.option("--output", "file", metavar="FILE", help="Where to write it (default: standard output).")
@input_options
@runs_dir_option
@json_option
def graph(
    name: str | None,
    run: str | None,
    form: str,
    file: str | None,
    inputs_file: str | None,
    pairs: tuple[str, ...],
    runs_dir: str | None,
    as_json: bool,
) -> None:
    """Draw the shape of a process, or of a run, as a Mermaid flowchart or SVG.

    A process is played in memory: each of its steps gets a stub result that fits, and nothing is
    performed. It is played once more for each breakpoint, with a no. Inputs that are needed and not
    given are stubs too. What was not come to is drawn dashed, from the source.

    A run (--run) is drawn from its journal; its process is not needed, but where it is there and still
    does what it did, loops are drawn as loops, and what was not come to dashed.
    """
    if (name is None) == (run is None):
        raise UsageError(
            "one of the two is needed: a process, or a run with --run",
            hint="babysitter process graph NAME, or babysitter process graph --run RUN",
        )
    if run is not None and (pairs or inputs_file):
        raise UsageError("a run has its inputs already; --input and --inputs are for a process")
    drawn = _of_run(run, runs_dir) if run is not None else _of_process(name or "", inputs_file, pairs)
    _tell(drawn, form, file, as_json)


def _of_process(name: str, inputs_file: str | None, pairs: tuple[str, ...]) -> Drawn:
    entry, limits = resolve(name), settings().limits
    return drawn_with_stubs(entry, limits, read_inputs(inputs_file, pairs, limits), read_pairs(pairs))


def drawn_with_stubs(
    entry: Entry, limits: Limits, inputs: Any, typed: dict[str, str], source: Source | None = None
) -> Drawn:
    """A process from a dry run.

    ``typed`` are inputs as a person typed them; ``source`` is the process as it was loaded, if it was.

    Raises:
        BabysitterError: it cannot be begun.
    """
    from babysitter.graphs.drawn import completed, drawn_process
    from babysitter.runs.creation import ask_author
    from babysitter.runs.inputs import prepare

    played = given_of(entry, source)

    def drawing() -> Drawn:
        whole = prepare(played, completed(played, inputs), typed)
        return drawn_process(entry.process_id, played, whole)

    return ask_author(entry, limits, "is played with stub results", drawing)


def given_of(entry: Entry, source: Source | None = None) -> Given:
    """A process that can be found, as it is played."""
    from babysitter.testing.processes import given_entry

    return given_entry(entry, source)


def _of_run(name: str, runs_dir: str | None) -> Drawn:
    from babysitter.graphs.drawn import drawn_run

    with to_look_at(name, runs_dir) as run:
        return drawn_run(run, _process_of(run))


def _process_of(run: Run) -> Given | None:
    """Its process, if it can still be loaded."""
    try:
        return given_of(reopen(run.about["entrypoint"], run.project))
    except (BabysitterError, KeyError, TypeError, AttributeError):
        # It is gone, or the run is not as babysitter writes one; its journal says what is wrong with that.
        return None


def _tell(drawn: Drawn, form: str, file: str | None, as_json: bool) -> None:
    from babysitter.graphs.listing import as_json as listed

    wanted = not as_json or file is not None
    text = _text(drawn, form) if wanted else ""
    if file is not None:
        _write(file, text)
    if as_json:
        told: dict[str, Any] = listed(drawn)
        print_json({**told, "file": os.path.abspath(file)} if file is not None else told)
        return
    if file is None:
        document(text.rstrip("\n"))
    for note in drawn.notes:
        complain(f"note: {note}")


def _text(drawn: Drawn, form: str) -> str:
    if form == "svg":
        from babysitter.graphs.svg import svg

        return svg(drawn)
    from babysitter.graphs.mermaid import mermaid

    return mermaid(drawn)


def _write(file: str, text: str) -> None:
    try:
        with open(file, "w", encoding="utf-8") as opened:
            opened.write(text)
    except OSError as error:
        raise InvalidInput(f"{file!r} cannot be written: {error.strerror}") from None
