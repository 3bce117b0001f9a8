"""A breakpoint as a person is shown it, all of it: the question, who is asked, and the files."""

from __future__ import annotations

from babysitter.clock import iso
from babysitter.durations import brief
from babysitter.engine.breakpoints import ALL, FIRST, OWNER, QUORUM
from babysitter.engine.decisions import standing
from babysitter.errors import BabysitterError
from babysitter.runs import context_files
from babysitter.runs.answering import SHOWN_LENGTH
from babysitter.runs.sleeping import deadline_of_breakpoint
from babysitter.views.text import printable, whole_lines

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.runs.answering import Shown
    from babysitter.runs.run import Run

MOST_LINES, MOST_COLUMNS = 40, 200
# Of a file what is told by itself; the rest is what the author says of it.
OF_FILES = ("path", "sha256", "bytes")
HOW = {
    FIRST: "the first of them decides",
    ALL: "all of them answer",
}


def question_lines(run: Run, shown: Shown, *, is_numbered: bool = False) -> list[str]:
    """An open breakpoint as it is shown to whoever is to answer it; with numbers to choose an option by."""
    effect = shown.effect
    lines = [printable(f"run {run.run_id}, breakpoint {effect.id}: {effect.label}")]
    # Indented, so that no line of it can pass for a line of ours.
    lines += [f"  {text}" for text in text_lines(shown)]
    for number, option in enumerate(shown.asked.options, 1):
        lines.append(f"  {f'{number}.' if is_numbered else '-'} {printable(option)}")
    return [*lines, *about_lines(run, shown), digest_line(shown)]


def text_lines(shown: Shown) -> list[str]:
    """The words of the question."""
    return whole_lines(str(shown.definition["breakpoint"].get("question") or shown.effect.label))


def untold_lines(run: Run, shown: Shown) -> list[str]:
    """An open breakpoint, where there is more of it than its title says; else nothing."""
    lines = question_lines(run, shown)
    more = lines[1:] if shown.files else lines[1:-1]
    return [] if more == [f"  {printable(shown.effect.label)}"] else [lines[0], *more]


def digest_line(shown: Shown) -> str:
    """What an answer is bound to."""
    return f"what is shown has the digest {shown.digest}"


def about_lines(run: Run, shown: Shown, *, with_content: bool = True) -> list[str]:
    """What belongs to a question beside its words and options, a line each; of text files the beginning."""
    told = shown.definition["breakpoint"]
    lines = [*_who(run, shown), *_again(told), *_when(run, shown)]
    for file in shown.files:
        lines.append(_file_line(file, shown))
        if with_content:
            lines += _content_lines(run, file)
    return lines


def _who(run: Run, shown: Shown) -> list[str]:
    asked, given = shown.asked, run.state.answers.get(shown.effect.id, [])
    how = HOW.get(asked.strategy, "")
    if asked.strategy == QUORUM:
        how = f"{asked.needed} ha{'s' if asked.needed == 1 else 've'} to agree"
    lines = []
    if asked.experts or how:
        owner = run.state.created.get("createdBy")
        names = [f"{each} ({owner})" if each == OWNER and owner else each for each in asked.experts]
        experts = printable(", ".join(names)) or "anybody"
        lines.append(f"asked of   {experts}{f'; {how}' if how else ''}")
    if given:
        said = [f"{printable(each.by)} {'yes' if each.approved else 'no'}" for each in given]
        lines.append(f"so far     {', '.join(said)}")
    if asked.tags:
        lines.append(f"tags       {printable(', '.join(asked.tags))}")
    return lines


def _again(told: dict[str, Any]) -> list[str]:
    lines = []
    if told.get("attempt"):
        lines.append(f"attempt    {told['attempt']}")
    if told.get("previousFeedback"):
        first, *rest = whole_lines(str(told["previousFeedback"])) or [""]
        # Indented, so that no line of it can pass for a line of ours.
        lines += [f"feedback on the one before: {first}", *(f"  {line}" for line in rest)]
    return lines


def _when(run: Run, shown: Shown) -> list[str]:
    lines, at = [], deadline_of_breakpoint(run, shown.effect)
    if at is not None:
        default = shown.asked.default
        taken = default if isinstance(default, str) else "yes" if default else "no"
        lines.append(f"decided    at {iso(at)} by itself, if nobody does before: {printable(taken)}")
    if shown.asked.expires is not None:
        lines.append(f"a yes      counts for {brief(shown.asked.expires)}, if it is not made use of before")
    return lines


def _file_line(file: dict[str, Any], shown: Shown) -> str:
    path = printable(str(file["path"]))
    said = "".join(f"; {printable(f'{name}: {file[name]}')}" for name in file if name not in OF_FILES)
    if file["sha256"] is None:
        return f"file       {path} is not there any more{said}"
    changed = ", changed since it was asked" if file["path"] in shown.changed else ""
    return f"file       {path}, {file['bytes']} bytes, {file['sha256'][:SHOWN_LENGTH]}{changed}{said}"


def _content_lines(run: Run, file: dict[str, Any]) -> list[str]:
    """The beginning of a text file, behind a bar, so that no line of it can pass for a line of ours."""
    try:
        text = (context_files.read(run, file["path"]) or b"").decode()
    except (UnicodeDecodeError, BabysitterError):
        return []
    first = whole_lines("\n".join(_cut(line) for line in text.split("\n", MOST_LINES)[:MOST_LINES]))
    left = len(text.removesuffix("\n").split("\n")) - MOST_LINES
    return [*(f"  | {line}" for line in first), *([f"  … {left} more lines"] if left > 0 else [])]


def _cut(line: str) -> str:
    left = len(line) - MOST_COLUMNS
    return f"{line[:MOST_COLUMNS]}… {left} more characters" if left > 0 else line


def about_json(run: Run, shown: Shown) -> dict[str, Any]:
    """The same for programs: what is there beyond the definition."""
    at = deadline_of_breakpoint(run, shown.effect)
    return {
        "shown": shown.digest,
        "files": [{**file, "changed": file["path"] in shown.changed} for file in shown.files],
        **standing(shown.asked, run.state.answers.get(shown.effect.id, [])),
        "deadlineAt": None if at is None else iso(at),
    }
