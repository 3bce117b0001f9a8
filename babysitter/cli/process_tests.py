"""``process test``: run the tests of a process, or make one of a run."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from babysitter.cli.options import complete_process, json_option, runs_dir_option, to_look_at
from babysitter.cli.output import as_json as print_json
from babysitter.cli.output import line
from babysitter.errors import InvalidInput, NoSuchProcess, UsageError
from babysitter.library import DEFAULT_EXPORT, PROCESS_FILE, reopen, resolve
from babysitter.paths import PACKAGE

if TYPE_CHECKING:
    from babysitter.library import Entry
    from babysitter.runs.run import Run

TEMPLATE = '''"""The run {run} of {process}, played again with the results that it had.

Made by `babysitter process test --from {run}`. When the process is meant to do something else
now, make this again from a run that does.
"""

from pathlib import Path

from babysitter.testing import recorded

HERE = Path(__file__).parent
PROCESS = {place}
RUN = recorded(HERE / {results})


def test_the_same_is_asked_for_together() -> None:
    assert RUN.play(PROCESS).lines == RUN.lines


def test_it_ends_in_the_same_way() -> None:
    assert RUN.play(PROCESS).outcome == RUN.outcome
'''
PASSED, FAILED = 0, 1


@click.command(
    epilog="""\b
Example:
  babysitter process test quality-checks
  babysitter process test ./release.py --json
  babysitter process test --from latest --write test_release.py"""
)
@click.argument("name", required=False, shell_complete=complete_process)
@click.argument("pytest_arguments", metavar="[-- PYTEST-ARGUMENTS]", nargs=-1, type=click.UNPROCESSED)
@click.option("--from", "run", metavar="RUN", help="Make a test of this run instead of running tests.")
@click.option("--write", "file", metavar="FILE", help="Where to (default: test_RUN.py beside the process).")
@click.option("--force", is_flag=True, help="Write over files that are there.")
@runs_dir_option
@json_option
def test(
    name: str | None,
    pytest_arguments: tuple[str, ...],
    run: str | None,
    file: str | None,
    force: bool,
    runs_dir: str | None,
    as_json: bool,
) -> None:
    """Run the tests that lie beside a process, with pytest; or make one of a recorded run.

    Of `process.py` these are all `test_*.py` in its folder, of another FILE.py `test_FILE.py` and
    `test_FILE_*.py`. What is behind `--` goes to pytest.

    With --from a run becomes a test: a plain pytest file, and a JSON file beside it with what came
    in, which it plays again. The values are in there as the journal has them; look them through
    before you share it.
    """
    if (name is None) == (run is None):
        raise UsageError(
            "one of the two is needed: a process, or a run with --from",
            hint="babysitter process test NAME, or babysitter process test --from RUN",
        )
    if run is not None:
        with to_look_at(run, runs_dir) as opened:
            _tell_written(_write(opened, file, force=force), as_json)
        return
    assert name is not None
    code = _run_tests(resolve(name), pytest_arguments, as_json)
    if code != PASSED:
        click.get_current_context().exit(code)


# Running them


def _run_tests(entry: Entry, arguments: tuple[str, ...], as_json: bool) -> int:
    import subprocess

    tests = tests_of(entry)
    _check_pytest()
    command = [sys.executable, "-m", "pytest", *_OWN_ARGUMENTS, "--rootdir", entry.folder, *arguments, *tests]
    sys.stdout.flush()
    ended = subprocess.run(command, env=_environment(), capture_output=as_json, text=True, check=False)
    code = ended.returncode if ended.returncode in (PASSED, FAILED) else UsageError.exit_code
    if as_json:
        status = {PASSED: "passed", FAILED: "failed"}.get(code, "unusable")
        output = ended.stdout + ended.stderr
        print_json({"name": entry.process_id, "tests": tests, "status": status, "output": output})
    return code


# The project's configuration of pytest may need what is not installed here; and nothing is left behind.
_OWN_ARGUMENTS = ("-c", os.devnull, "-p", "no:cacheprovider", "-o", "verbosity_assertions=2")


def tests_of(entry: Entry) -> list[str]:
    """The test files that lie beside a process.

    Raises:
        NoSuchProcess: there is no such process.
        InvalidInput: there are no tests.
    """
    if not os.path.isfile(entry.file):
        raise NoSuchProcess(f"there is no process file {entry.file!r}")
    prefix = _prefix(entry)
    found = [name for name in _listed(entry.folder) if name.startswith((f"{prefix}.py", f"{prefix}_"))]
    if not found:
        raise InvalidInput(
            f"process {entry.process_id!r} has no tests: no {_patterns(prefix)} in {entry.folder!r}",
            hint="write one (docs/testing.md), or make one of a run: babysitter process test --from RUN",
        )
    return [os.path.join(entry.folder, name) for name in found]


def _patterns(prefix: str) -> str:
    """What test files may be called; ``test.py`` is too common a name to be told of."""
    return f"{prefix}_*.py" if prefix == "test" else f"{prefix}.py or {prefix}_*.py"


def _prefix(entry: Entry) -> str:
    """What the names of its tests begin with; a folder with `process.py` has no others in it."""
    stem = os.path.basename(entry.file).removesuffix(".py")
    return "test" if f"{stem}.py" == PROCESS_FILE else f"test_{stem}"


def _listed(folder: str) -> list[str]:
    try:
        return sorted(name for name in os.listdir(folder) if name.endswith(".py"))
    except OSError as error:
        raise InvalidInput(f"{folder!r} cannot be listed: {error.strerror}") from None


def _check_pytest() -> None:
    from importlib.util import find_spec

    if find_spec("pytest") is None:
        raise InvalidInput(
            "pytest is not installed where babysitter is",
            hint=f"install it: {sys.executable} -m pip install pytest",
        )


def _environment() -> dict[str, str]:
    path = [os.path.dirname(PACKAGE), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path), "PYTHONDONTWRITEBYTECODE": "1"}


# Making one of a run


def _write(run: Run, file: str | None, *, force: bool) -> dict[str, Any]:
    """Write the two files; gives what is told of them."""
    from babysitter.testing.recording import record
    from babysitter.testing.regrouping import regrouped

    told = record(run)
    entrypoint = run.state.created["entrypoint"]
    entry = reopen(entrypoint, run.project)
    told = regrouped(told, run, f"{entry.file}#{entry.export}")
    test = os.path.abspath(file or os.path.join(_home_of(entrypoint, entry), _test_name(entry, run.run_id)))
    if not test.endswith(".py"):
        raise InvalidInput(f"{file!r} is no name of a test file", hint="write --write test_SOMETHING.py")
    results = test.removesuffix(".py") + ".json"
    text = TEMPLATE.format(
        run=run.run_id,
        process=_in_words(entry.process_id),
        place=_place(entrypoint, entry, os.path.dirname(test)),
        results=_quoted(os.path.basename(results)),
    )
    _put({results: _as_text(told), test: text}, force=force)
    return {"run": run.run_id, "test": test, "results": results, "process": entry.file}


def _home_of(entrypoint: dict[str, Any], entry: Entry) -> str:
    """Beside the process; what comes with babysitter, or is the user's, is left as it is."""
    return os.getcwd() if entrypoint.get("library") else entry.folder


def _test_name(entry: Entry, run_id: str) -> str:
    """A name under which `process test` finds it."""
    prefix, word = _prefix(entry), run_id.replace("-", "_")
    return f"test_{word}.py" if f"test_{word}".startswith(f"{prefix}_") else f"{prefix}_{word}.py"


def _place(entrypoint: dict[str, Any], entry: Entry, folder: str) -> str:
    """How the test names the process: by its name, or by its file as seen from the test's folder."""
    export = "" if entry.export == DEFAULT_EXPORT else f"#{entry.export}"
    if entrypoint.get("library"):
        return _quoted(f"{entry.process_id}{export}")
    place = f"HERE / {_quoted(os.path.relpath(entry.file, folder))}"
    return f"str({place}) + {_quoted(export)}" if export else place


def _in_words(text: str) -> str:
    """A name from a journal, which anybody may have written, as a part of a docstring."""
    return "".join(char if char.isalnum() or char in "-_." else "?" for char in text)


def _quoted(text: str) -> str:
    import json

    return json.dumps(text, ensure_ascii=False)


def _as_text(told: dict[str, Any]) -> str:
    import json

    return json.dumps(told, indent=1, ensure_ascii=False) + "\n"


def _put(files: dict[str, str], *, force: bool) -> None:
    """Write files; none of them when one is there already."""
    for path in files:
        if os.path.lexists(path) and not force:
            raise InvalidInput(
                f"{path!r} is there already", hint="name another with --write, or write over it with --force"
            )
    for path, text in files.items():
        try:
            with open(path, "w" if force else "x", encoding="utf-8") as opened:
                opened.write(text)
        except OSError as error:
            raise InvalidInput(f"{path!r} cannot be written: {error.strerror}") from None


def _tell_written(told: dict[str, Any], as_json: bool) -> None:
    if as_json:
        print_json(told)
        return
    line(f"wrote {told['test']}")
    line(f"and   {told['results']}, which has what came in as it stands in the journal")
