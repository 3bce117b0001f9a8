"""What an agent is told when it is to go on: all that can be done now, in as few tokens as possible."""

from __future__ import annotations

from babysitter.errors import UnsafePath
from babysitter.jsontext import compact
from babysitter.paths import runs_dir
from babysitter.runs.folder import name_of
from babysitter.runs.taking import SESSIONS_OWN
from babysitter.sessions.agents import mark_of
from babysitter.views.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from babysitter.engine.state import Effect
    from babysitter.hosts.calls import Call
    from babysitter.runs.iterate import Iteration
    from babysitter.runs.run import Run

    # An effect, and what its run is called in a command.
    Offer = tuple[str, Effect]

# The host keeps at most 10,000 characters of it.
MOST_BYTES = 9000
LONGEST_TITLE, SHORTEST_TITLE = 80, 16
MOST_TRACEBACK = 3000
MOST_OUTPUT = 2000
OWN = ("shell", "python", "hook")
PEOPLE_AND_CLOCK = ("breakpoint", "sleep")
# What nobody in a session can begin.
OTHERS = (*PEOPLE_AND_CLOCK, "subprocess")


def name_for(call: Call, run: Run) -> str:
    """What to call a run in a command of the session's shell, which begins in the session's project."""
    try:
        return name_of(run.folder, runs_dir(None, call.project or None))
    except UnsafePath:
        # A project whose name is not UTF-8; no run is in it.
        return name_of(run.folder, "")


def batch_text(run: Run, name: str, offers: Sequence[Offer]) -> str:
    """What somebody has to begin: ``babysitter work``, subagents, or the agent itself."""
    own = [effect for _, effect in offers if effect.kind in OWN]
    agents = [(of, effect) for of, effect in offers if effect.kind not in (*OWN, *OTHERS, SESSIONS_OWN)]
    its_own = [(of, effect) for of, effect in offers if effect.kind == SESSIONS_OWN]
    total, done = len(run.state.effects), len(run.state.effects) - len(run.state.pending)
    begin = "Start all of this now, in one message, so that it goes on side by side:"
    lines = [f"babysitter: run {run.run_id} is not finished ({done} of {total} effects answered). {begin}"]
    if own:
        lines.append(f"- `{work_command(name)}` in the background ({_kinds(own)}); do not run them yourself.")
    # Room for the lines that are always there; what each ID takes is shared.
    room = MOST_BYTES - 900 - (300 if its_own else 0)
    share = room // max(1, len(agents) + len(its_own))
    if its_own:
        lines += [_by_itself(its_own), *_listed(its_own, share * len(its_own))]
    if agents:
        lines += [*_how_to(agents), *_listed(agents, share * len(agents))]
    lines.append(f"Then stop; you will be told what is next. Where it stands: `babysitter status {name}`.")
    return "\n".join(lines)


def going_on_text(run: Run) -> str:
    """What stands before a note where there is nothing new to begin."""
    return f"babysitter: run {run.run_id} goes on. There is nothing new to start; only:"


def needless_text(effect: Effect, agent: str) -> str:
    """A subagent works on what nobody waits for any more."""
    why = "was cancelled" if effect.status == "cancelled" else "is over"
    title = shown_title(effect.label, LONGEST_TITLE)
    return f"- effect {effect.id} ({title}) {why}: stop its subagent {agent}; its answer no longer counts."


def work_command(name: str) -> str:
    """What performs the shell and python effects of a run."""
    return f"babysitter work {name}"


def _kinds(effects: Sequence[Effect]) -> str:
    counts: dict[str, int] = {}
    for effect in effects:
        counts[effect.kind] = counts.get(effect.kind, 0) + 1
    return ", ".join(f"{count} {kind}" for kind, count in counts.items())


def _how_to(agents: Sequence[Offer]) -> list[str]:
    run, each = _named_in(agents)
    named = agents[0][1].id if len(agents) == 1 else "ID"
    who = "one subagent" if len(agents) == 1 else f"one subagent for each {each} below"
    return [
        f"- {who}, with exactly this prompt:",
        f"  {subagent_prompt(run, named)}",
        f"  Its last message is recorded by itself; without subagents: {_by_hand(run, named)}.",
    ]


def _by_itself(its_own: Sequence[Offer]) -> str:
    """How the agent of the session does what no subagent is to do."""
    run, each = _named_in(its_own)
    fetch = f"`babysitter show {run} ID --prompt`"
    return (
        f"- yourself, not by a subagent, once the rest has begun: for each {each} below {fetch},"
        f" do what it says, then {_by_hand(run, 'ID')}:"
    )


def _named_in(offers: Sequence[Offer]) -> tuple[str, str]:
    """What to call the run in a command that is for each of these, and what stands in the list below."""
    names = {name for name, _ in offers}
    return (names.pop(), "ID") if len(names) == 1 else ("RUN", "RUN and ID")


def _by_hand(name: str, effect_id: str) -> str:
    return f"`babysitter post {name} {effect_id} --value JSON`"


def subagent_prompt(name: str, effect_id: str) -> str:
    """The whole prompt of a subagent: it fetches what it is to do by itself, word for word."""
    return (
        f"{mark_of(effect_id)} Run `babysitter show {name} {effect_id} --prompt` and do what it says."
        " Your last message must be nothing but the JSON value that it asks for."
    )


def _listed(agents: Sequence[Offer], room: int) -> list[str]:
    """Ids and titles, the titles as long as there is room for; the last line counts what is left out."""
    is_of_many = len({name for name, _ in agents}) > 1
    heads = [f"{name} {effect.id}" if is_of_many else effect.id for name, effect in agents]
    longest = max(len(head.encode()) for head in heads) + len("\n   ")
    title = max(SHORTEST_TITLE, min(LONGEST_TITLE, room // len(agents) - longest))
    lines: list[str] = []
    for number, (_, effect) in enumerate(agents):
        line = f"  {heads[number]} {shown_title(effect.label, title)}"
        room -= len(line.encode()) + 1
        if room < 0:
            return [*lines, f"  and {len(agents) - number} more; begin with these"]
        lines.append(line)
    return lines


def shown_title(label: str, most: int) -> str:
    """A title in so many bytes; nothing in it can pass for a line of ours."""
    text = printable(label).encode()[:most]
    return text.decode(errors="ignore")


def ended_text(run: Run) -> str:
    """How the run ended, for a model that is to tell the person."""
    if run.state.status == "completed":
        told = f"Its output: {_cut(compact(run.output()), MOST_OUTPUT)}"
    else:
        told = why_ended(run, MOST_OUTPUT)
    return (
        f"babysitter: run {run.run_id} has {shown_status(run)}; this session is free. Report it to the"
        f" person, and repair no verdict. {told}"
    )


def shown_status(run: Run) -> str:
    """What a run has done, as a word behind "has"."""
    return "been halted" if run.state.status == "halted" else run.state.status


def why_ended(run: Run, most: int) -> str:
    """Why a run ended that did not complete: its error, or who halted it for what reason."""
    ending = run.state.ending or {}
    error = ending.get("error")
    if error is not None:
        return f"{error.get('name')}: {_cut(str(error.get('message')), most)}"
    by = f" (by {ending['by']})" if ending.get("by") else ""
    return f"{_cut(str(ending.get('reason')), most)}{by}"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]} … (cut; all of it: babysitter status)"


def stuck_text(run: Run) -> str:
    """The author's mistake, with the traceback."""
    problem = run.state.problem or {}
    place = f" ({problem['file']}:{problem['line']})" if problem.get("file") else ""
    told = [
        f"babysitter: run {run.run_id} is stuck, its process has a mistake:",
        f"{problem.get('name')}: {problem.get('message')}{place}",
        *([str(problem["hint"])] if problem.get("hint") else []),
        str(problem.get("traceback") or "")[-MOST_TRACEBACK:],
        "Mend the process file and stop; nothing that was done is lost.",
        "If the edit needs a person, say so: they type `/babysitter:approve edit`.",
    ]
    return "\n".join(line for line in told if line)[:MOST_BYTES]


def blocked_text(iteration: Iteration) -> str:
    """A run below that does not go on by itself, in a line."""
    problem = iteration.run.state.problem or {}
    why = (
        iteration.diverged.message
        if iteration.diverged
        else f"{problem.get('name')}: {problem.get('message')}"
    )
    told = f"Its child run {iteration.run.run_id} is {iteration.status}: {why}"
    return printable(f"{told[:500]}; mend it when this is begun.")


def diverged_text(run: Run, message: str, hint: str) -> str:
    """An edit that does not fit, and what can be done."""
    return f"babysitter: run {run.run_id} cannot go on: {message}.\n{hint}."[:MOST_BYTES]


def question_text(run: Run, effects: Sequence[Effect], tool: str) -> str:
    """Breakpoints that the person at this session has not been asked yet."""
    how = f"with {tool}, the question being exactly its mark"
    lines = [
        f"babysitter: run {run.run_id} waits for the person. Ask each of these {how};",
        "babysitter puts in its own words. Never answer for them:",
    ]
    lines += [
        f"  {question_mark_of(effect.id)} {shown_title(effect.label, LONGEST_TITLE)}"
        for effect in effects[:20]
    ]
    lines.append("If they want to answer later, stop; they can type `/babysitter:approve`.")
    return "\n".join(lines)


QUESTION_MARK = "[breakpoint:"


def question_mark_of(effect_id: str) -> str:
    """What tells the hook which breakpoint a question is about."""
    return f"{QUESTION_MARK}{effect_id}]"
