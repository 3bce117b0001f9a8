"""A project with one run, worked on without commands, and what its journal tells."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

from babysitter.approvals.place import person
from babysitter.disk import Folder
from babysitter.engine.state import SUBPROCESS
from babysitter.errors import JournalError
from babysitter.ids import sha256_hex
from babysitter.journal import cache
from babysitter.jsontext import compact
from babysitter.library import resolve
from babysitter.runs.answering import Shown, decide
from babysitter.runs.children import family
from babysitter.runs.creation import create
from babysitter.runs.folder import open_run
from babysitter.runs.iterate import iterate
from babysitter.runs.results import Answer, accept
from babysitter.runs.run import Run

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from babysitter.engine.state import Effect
    from babysitter.journal.events import Event

    Told = list[tuple[str, dict[str, Any]]]

LARGE = 40_000  # more than stands in an event
MOST_ROUNDS = 50  # no process here takes so many
# What differs from one time to the next.
VOLATILE = frozenset(["prev", "batch", "startedAt", "finishedAt", "createdAt", "project", "runDigest"])
REFS = {"resultRef": "sha256", "definitionRef": "definitionSha256", "outputRef": "sha256"}


class Project:
    """A folder with ``process.py`` and its runs, worked on without commands."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.runs = folder / ".a5c" / "runs"

    @property
    def run_folder(self) -> Path:
        return self.runs / "r"

    @property
    def is_kept_out_of_git(self) -> bool:
        return (self.runs / ".gitignore").read_text() == "*\n"

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, "utf-8")

    def create(self, run_id: str = "r", **inputs: Any) -> Run:
        entry = resolve(str(self.folder / "process.py"))
        return create(
            str(self.runs), entry, inputs, project=str(self.folder), version="0", run_id=run_id
        ).load()

    def open(self) -> Run:
        return open_run("r", str(self.runs)).load()

    def begin(self, **inputs: Any) -> None:
        """Create the run and do its first iteration."""
        iterate(self.create(**inputs))

    def answer(self, *titles: str) -> None:
        """Answer the pending effects that have these titles; all of them when none is named."""
        run = self.open()
        pending = [each for each in run.state.pending.values() if not titles or each.label in titles]
        verdicts = accept(run, [answer_to(run, effect) for effect in pending])
        assert all(verdict.status == "recorded" for verdict in verdicts), verdicts

    def approve(self, by: str) -> None:
        """Somebody says yes to the one open breakpoint."""
        run = self.open()
        (effect,) = run.state.pending.values()
        (verdict,) = accept(run, [decide(run, effect, True, by=by)])
        assert verdict.status == "recorded", verdict.error

    def forget_cache(self) -> None:
        shutil.rmtree(self.run_folder / "state")

    def drive(self) -> None:
        """Bring the run to its end."""
        for _ in range(MOST_ROUNDS):
            run = self.open()
            iterate(run)
            if run.state.is_finished:
                return
            assert run.state.status == "waiting", run.state.problem
            for each in family(run):
                asked = [one for one in each.state.pending.values() if one.kind != SUBPROCESS]
                accept(each, [answer_to(each, effect) for effect in asked])
        raise AssertionError("the run does not end")


def value_for(label: str) -> Any:
    """The result of the effect with this title."""
    return {"text": label * (LARGE if label.startswith("large") else 1)}


def answer_to(run: Run, effect: Effect) -> Answer:
    if effect.kind == "breakpoint":
        return decide(run, effect, True, by=person(), shown=Shown(run, effect).digest)
    return Answer(effect.id, "ok", value_for(effect.label))


# What the journal tells


def told(project: Project) -> Told:
    """The events of the run, verified, without what differs each time; none when there is no run."""
    if not project.run_folder.exists():
        return []
    run = Run(str(project.run_folder))
    # The next command is to find the cache as the fault has left it.
    run.journal._cache._write = _nothing  # type: ignore[method-assign]
    events: list[Event] = []
    run.journal.load(events.append)
    assert run.journal.verify() == run.journal.head
    for event in events:
        _check_file(run, event)
    return steady_events(events)


def steady_events(events: Iterable[Event]) -> Told:
    return [(event.type, _steady(event.data)) for event in events]


def mended(project: Project) -> list[Any]:
    """The events of a run that was damaged and is mended; before that, that it is damaged.

    In each case every file that was in the damaged journal is still somewhere.
    """
    folder = project.run_folder
    there = {path.read_bytes() for path in folder.rglob("*.json")}
    noted = set(json.loads((project.folder / "damaged.json").read_text()))
    assert noted - _digests(there) == set()
    try:
        return told(project)
    except JournalError:
        return ["damaged"]


def forked(project: Project) -> list[Any]:
    """The events of a fork, which is there with its artifacts or not at all."""
    events = told(project)
    report = project.run_folder / "artifacts" / "report"
    return [*events, report.read_text("utf-8")] if events else []


def note_damage(project: Project) -> None:
    """Write down what is in the damaged journal, so that ``mended`` can look for it."""
    files = (project.run_folder / "journal").iterdir()
    project.write("damaged.json", json.dumps(sorted(_digests({path.read_bytes() for path in files}))))


def _digests(contents: set[bytes]) -> set[str]:
    return {sha256_hex(content) for content in contents}


def _nothing(_: bytes | None) -> None:
    """In the place of what writes the cache."""


def _check_file(run: Run, event: Event) -> None:
    """A value that is not in the event is whole in its file."""
    for ref, digest in REFS.items():
        if ref in event.data:
            assert sha256_hex(run.read_file(event.data[ref])) == event.data[digest]


def _steady(data: dict[str, Any]) -> dict[str, Any]:
    kept = {name: value for name, value in data.items() if name not in VOLATILE}
    if "proof" in kept.get("evidence", {}):
        # That of a child: by its chain it hangs on the times in there.
        kept["evidence"] = {**kept["evidence"], "proof": ""}
    return kept


def adopt_cache(project: Project, original: Project) -> None:
    """Let the cache of a copied run be about the copy: it knows its journal by its inode."""
    if original.run_folder.exists():
        with Folder(str(original.run_folder / "journal")) as journal:
            adopt_cache_of(project.run_folder, journal.identity())


def adopt_cache_of(run_folder: Path, identity: list[int]) -> None:
    marker = run_folder / "state" / cache.MARKER
    if not marker.exists() or not (run_folder / "journal").exists():
        return
    with Folder(str(run_folder / "journal")) as journal:
        now = journal.identity()
    try:
        found = json.loads(marker.read_bytes())
    except ValueError:  # it is torn, and stays so
        return
    if found.pop("journal") == identity:
        found.pop("check")
        about = {"layout": found.pop("layout"), "runId": found.pop("runId"), "journal": now, **found}
        body = compact(about).encode()[:-1]
        marker.write_bytes((body + cache._check_of(body)).ljust(cache._MARKER_SIZE - 1) + b"\n")
