"""A breakpoint as a person at a session is shown it: the words of the journal, whole, and their digest."""

from __future__ import annotations

from babysitter.runs.answering import SHOWN_LENGTH, Shown
from babysitter.views.questions import about_lines
from babysitter.views.text import printable, whole_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from babysitter.engine.state import Effect
    from babysitter.runs.run import Run


def open_breakpoints(run: Run) -> list[Effect]:
    """The breakpoints that wait for a person, in the order in which they were asked."""
    return [effect for effect in run.state.pending.values() if effect.kind == "breakpoint"]


def options_of(run: Run, effect: Effect) -> list[str]:
    """What a person may choose from; empty for a yes or no."""
    listed = run.definition_of(effect)["breakpoint"].get("options")
    return [str(option) for option in listed or []]


def question_of(run: Run, effect: Effect) -> str:
    """The whole question, after its title where that says something else."""
    definition = run.definition_of(effect)
    asked = definition["breakpoint"]
    text = "\n".join(whole_lines(str(asked.get("question") or effect.label)))
    # Not the label of the effect, which is short.
    title = str(definition.get("title") or "")
    if title == asked.get("question") or printable(title) in text:
        return text
    return f"{printable(title)}\n{text}"


def asking_of(run: Run, effect: Effect) -> str:
    """Names a question as it is now: with other files, or after an answer that is void, it is another one."""
    voided = run.state.voided.get(effect.id, 0)
    files = shown_digest(run, effect) if effect.id in run.state.shown_files else ""
    return f"{effect.id} {voided} {files}".rstrip() if voided or files else effect.id


def shown_digest(run: Run, effect: Effect) -> str:
    """The beginning of the digest of what a person is shown, its files as they are now."""
    return Shown(run, effect).digest[:SHOWN_LENGTH]


def about_of(run: Run, effect: Effect) -> list[str]:
    """What belongs to the question beside its words: who is asked, and the files with their digests."""
    return about_lines(run, Shown(run, effect), with_content=False)
