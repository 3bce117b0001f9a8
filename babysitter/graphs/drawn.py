"""The shape of a process, or of a run: everything that is known of it, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babysitter.engine.replay import DeadlineExceeded
from babysitter.errors import BabysitterError
from babysitter.graphs.arms import add_words
from babysitter.graphs.dry_run import MOST_REJECTED, DryRun, breakpoints_of, furthest
from babysitter.graphs.exploring import Exploration
from babysitter.graphs.guesses import Guesses
from babysitter.graphs.hints import hints_of
from babysitter.graphs.shape import MORE, START, Line, Node, every_line
from babysitter.graphs.stubs import STUB_FAILED
from babysitter.graphs.untaken import add_untaken, is_from_source
from babysitter.graphs.values import value_for
from babysitter.graphs.weaving import Weaver, ending, tree_of
from babysitter.runs.deadline import Aside, Deadline
from babysitter.runs.inputs import schema_of
from babysitter.testing import Recorded
from babysitter.testing.recording import record
from babysitter.testing.sites import Sites
from babysitter.views.tree import Tree

if TYPE_CHECKING:
    from babysitter.runs.run import Run
    from babysitter.testing.processes import Given

START_KEY = (START,)
# For each of them the process is played once more.
MOST_BREAKPOINTS = 20


class Drawn:
    """What is drawn.

    Attributes:
        name: of the process.
        run: the id of the run, if it is one.
        line: the process's own line of control.
        notes: what there is to know about the drawing, for people.
    """

    def __init__(self, name: str, run: str | None = None) -> None:
        self.name = name
        self.run = run
        self.notes: list[str] = []
        self.line = Line()
        start = self.line.nodes[START_KEY] = Node(START_KEY, START)
        start.titles[name] = None


def completed(source: Given, inputs: Any) -> Any:
    """Inputs in which stubs stand for what is needed and was not given."""
    schema = schema_of(source)
    if not isinstance(schema, dict) or not isinstance(inputs, dict):
        return inputs
    missing = [name for name in schema.get("required", []) if name not in inputs]
    stub = value_for({**schema, "type": "object", "required": missing}) if missing else {}
    return {**stub, **inputs}


def drawn_process(name: str, source: Given, inputs: Any) -> Drawn:
    """The shape of a process: played with stubs, once more for each breakpoint with a no, and read.

    Raises:
        BabysitterError: it cannot be begun at all.
    """
    drawn = Drawn(name)
    guesses = Guesses(hints_of(source))
    explored = Exploration(
        source, inputs, guesses, furthest(source, inputs, guesses), lambda runs: _is_open(source, runs)
    )
    first = explored.main
    last = _add_dry_run(drawn, first, is_taken=True)
    _end_dry_run(drawn, first, last)
    plays = [first, *_add_rejections(drawn, source, inputs, (guesses, first)), *explored.others]
    for dry in explored.others:
        _add_dry_run(drawn, dry, is_taken=False)
    _add_source(drawn, source, [each.play.execution.sites for each in plays])
    return drawn


def _is_open(source: Given, runs: list[DryRun]) -> bool:
    """There are steps in the source that none of the dry runs has come to."""
    scratch = Drawn("")
    for number, dry in enumerate(runs):
        _add_dry_run(scratch, dry, is_taken=number == 0)
    _add_source(scratch, source, [each.play.execution.sites for each in runs])
    return any(is_from_source(node.key) for line in every_line(scratch.line) for node in line.nodes.values())


def _add_dry_run(drawn: Drawn, dry: DryRun, *, is_taken: bool) -> Any:
    weaver = Weaver(dry.play.execution.sites, lambda effect: dry.decided(effect.id), is_taken=is_taken)
    last = weaver.add(drawn.line, tree_of(dry.events, Tree()).root, START_KEY)
    end, title = ending(dry.play.run.state)
    # That a step may fail goes without saying.
    if end and end != "stuck" and dry.error_name != STUB_FAILED:
        weaver.end(drawn.line, last, end, title)
    return last


def _end_dry_run(drawn: Drawn, dry: DryRun, last: Any) -> None:
    """Say where the dry run did not come to the end of the process, and why."""
    state, problem = dry.play.run.state, dry.problem
    why = f"{problem['name']}: {problem['message']}" if problem is not None else ""
    if not dry.is_cut and not why:
        return
    title = f"the dry run ends here: {why}" if why else "…"
    Weaver(Sites(), lambda effect: None).end(drawn.line, last, "cut", title, MORE)
    drawn.notes.append(
        f"the dry run ended with its stub results: {why}"
        if why
        else f"the dry run was ended after {len(state.effects)} steps"
    )


def _add_rejections(drawn: Drawn, source: Given, inputs: Any, known: tuple[Guesses, DryRun]) -> list[DryRun]:
    """What follows a no, for each breakpoint."""
    plays, (guesses, first) = list[DryRun](), known
    for key in breakpoints_of(first.play)[:MOST_BREAKPOINTS]:
        try:
            dry = DryRun(source, inputs, guesses, rejected=key, most=MOST_REJECTED)
        except BabysitterError:
            continue
        _add_dry_run(drawn, dry, is_taken=False)
        plays.append(dry)
    return plays


def _add_source(drawn: Drawn, source: Given, sites: list[Sites]) -> None:
    """The steps in the process's own files that nobody has come to."""
    files = {frame[0] for each in sites for site in each.steps.values() for frame in site.stack}
    texts = {}
    for file in sorted({*files, source.file}):
        try:
            with open(file, encoding="utf-8") as opened:
                texts[file] = opened.read()
        except (OSError, UnicodeDecodeError):
            drawn.notes.append(f"{file!r} cannot be read, so nothing is drawn from it")
    add_words(drawn.line, texts)
    begins = source.process.__code__.co_firstlineno
    add_untaken(drawn.line, sites, texts, source.module, (source.file, begins))


def drawn_run(run: Run, source: Given | None) -> Drawn:
    """The shape of a run, from its journal; ``run`` is opened and not yet loaded.

    ``source`` is its process, if it can be had: played again with the results of the run it says from
    which place in the source each step comes, and has the steps that nobody has come to.

    Raises:
        JournalError
    """
    told, tree = record(run), Tree()
    run.journal.load(tree.event)
    drawn = Drawn(run.state.process_id, run.run_id)
    sites = Sites() if source is None else _sites_of(drawn, run, told, source)

    def decided(effect: Any) -> bool | None:
        known = run.state.effects.get(effect.id)
        value = run.value_of(known) if known is not None and known.status == "ok" else None
        return value.get("approved") if isinstance(value, dict) else None

    weaver = Weaver(sites, decided, has_states=True, now_ms=run.state.last_ms)
    last = weaver.add(drawn.line, tree.root, START_KEY)
    end, title = ending(run.state)
    if end:
        weaver.end(drawn.line, last, end, title)
    if source is not None and sites.steps:
        _add_source(drawn, source, [sites])
    return drawn


def _sites_of(drawn: Drawn, run: Run, told: dict[str, Any], source: Given) -> Sites:
    """Where the steps come from, as far as the process still does what it did."""
    try:
        with Aside(), Deadline(run.limits.iterate_seconds):
            play = Recorded(told).play(source)
    except (Exception, DeadlineExceeded) as error:
        why = f" ({error})" if str(error) else ""
    else:
        if _asked(play.run) == _asked(run):
            return play.execution.sites
        why = ""
    drawn.notes.append(f"its process no longer does what it did{why}, so loops are not seen as such")
    return Sites()


def _asked(run: Run) -> set[tuple[str, str]]:
    """The steps that count, each with its task."""
    return {
        (subject.step, subject.task_id)
        for kind, subject, _ in run.state.script
        if kind == "EFFECT_REQUESTED" and not isinstance(subject, dict)
    }
