"""Tables for commands that look at runs: lists of runs, effects and events, the details of one.

They take what the commands print with ``--json``, so both say the same.
"""

from __future__ import annotations

import sys

from babysitter.clock import ms_of, now_ms
from babysitter.engine.state import ABANDONED, CANCELLED, FINISHED
from babysitter.views.decisions import chosen_text
from babysitter.views.marks import ASCII, UNICODE
from babysitter.views.nodes import attempt_text
from babysitter.views.scores import score_text
from babysitter.views.telling import error_text, held_text, last_output, problem_text
from babysitter.views.text import can_show_unicode, duration, printable, terminal_width
from babysitter.views.times import WORTH_TELLING_MS
from babysitter.views.values import cell, pairs, table

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from babysitter.views.marks import Marks

NOT_FOR_PEOPLE = frozenset({"prev", "batch"})
# Where a function is found again; its name is told.
NOT_ASKED = frozenset({"process", "module"})
# What is told of an open breakpoint in words.
TOLD_ABOUT = frozenset(
    {
        "attempt",
        "deadline",
        "default",
        "expert",
        "expires",
        "files",
        "previousFeedback",
        "quorum",
        "strategy",
        "tags",
    }
)
MOST_SCORES = 20


def runs_lines(runs: Sequence[dict[str, Any]]) -> list[str]:
    """A list of runs."""
    if not runs:
        return ["no runs here; make one with: babysitter run PROCESS"]
    depths: dict[str, int] = {}
    rows = []
    for run in runs:
        depth = depths[run["run"]] = depths.get(run.get("parent", ""), -1) + 1
        name = f"{'  ' * depth}{run['run']}"
        rows.append([name, run["process"], _status_of(run), moment(run["createdAt"]), _progress_of(run)])
    return lines_of_table(["run", "process", "status", "created", "effects"], rows)


def _status_of(run: dict[str, Any]) -> str:
    status = "being given up" if run.get("cancelled") else str(run["status"])
    return f"{status}, packed" if run.get("packed") else status


def _progress_of(run: dict[str, Any]) -> str:
    if "error" in run:
        return str(run["error"])
    done, pending = run["resolved"], run["pending"]
    return f"{done} done, {pending} pending" if pending else f"{done} done"


def effects_lines(effects: Sequence[dict[str, Any]]) -> list[str]:
    """A list of effects."""
    if not effects:
        return ["no effects"]
    rows = [
        [told["id"], told["step"], told["kind"], _status_of_effect(told), _title_of(told)] for told in effects
    ]
    return lines_of_table(["effect", "step", "kind", "status", "title"], rows)


def _status_of_effect(told: dict[str, Any]) -> str:
    if told.get("superseded"):
        return f"({_word_for(told)})"
    if told.get("cancelled") == ABANDONED:
        return ABANDONED
    return _word_for(told)


def _word_for(told: dict[str, Any]) -> str:
    return chosen_text(told["decision"]) if "decision" in told else str(told["status"])


def _title_of(told: dict[str, Any]) -> str:
    """The title, with which attempt it is, who works on it, and whether it still counts."""
    notes = []
    if "attempt" in told:
        notes.append(attempt_text(told["attempt"], told["maxAttempts"]))
    if "taken" in told and told["status"] == "requested":
        notes.append(f"taken by {told['taken'].get('agent') or told['taken']['by']}")
    if told.get("superseded"):
        notes.append("counts no more")
    return f"{told['title']} ({', '.join(notes)})" if notes else str(told["title"])


def tasks_lines(told: dict[str, Any], below: Sequence[dict[str, Any]]) -> list[str]:
    """The effects of a run, and below each effect that is performed by a child run those of that one."""
    children = {child["effect"]: child for child in below}
    rows: list[dict[str, Any]] = []
    waiting = [("", effect) for effect in reversed(told["tasks"])]
    while waiting:
        indent, effect = waiting.pop()
        child = children.get(effect["id"])
        title = f"{effect['title']} (run {child['run']})" if child else effect["title"]
        rows.append({**effect, "step": f"{indent}{effect['step']}", "title": title})
        waiting += [(f"{indent}  ", each) for each in reversed(child["tasks"] if child else [])]
    return effects_lines(rows)


def events_lines(events: Sequence[dict[str, Any]]) -> list[str]:
    """A list of events, each with the gist of its data."""
    if not events:
        return ["no events"]
    titles = {
        str(event["data"].get("effectId")): str(event["data"].get("label", ""))
        for event in events
        if event["type"] == "EFFECT_REQUESTED"
    }
    rows = [
        [str(event["seq"]), moment(event["recordedAt"]), event["type"], gist(event, titles)]
        for event in events
    ]
    return lines_of_table(["seq", "time", "event", ""], rows, right={0})


def hooks_lines(calls: Sequence[dict[str, Any]]) -> list[str]:
    """The calls of hooks."""
    if not calls:
        return ["no hooks were called"]
    rows = [
        [
            moment(call["at"]),
            call["hook"],
            str(call["file"]),
            _length_of(call),
            str(call.get("why") or f"exit {call.get('exitCode')}"),
            str(call.get("stderr", "")).rpartition("\n")[2],
        ]
        for call in calls
    ]
    return lines_of_table(["time", "hook", "file", "took", "end", ""], rows)


def _length_of(call: dict[str, Any]) -> str:
    took = call.get("durationMs")
    return duration(took) if isinstance(took, int) and "exitCode" in call else ""


def gist(event: dict[str, Any], titles: dict[str, str]) -> str:
    """What an event says, in a line; of one that is misshaped, which other commands refuse, all there is."""
    try:
        return _gist(event, titles)
    except (KeyError, TypeError, AttributeError):
        return _all_of(event["data"])


def _gist(event: dict[str, Any], titles: dict[str, str]) -> str:
    data, kind = event["data"], event["type"]
    if kind == "RUN_CREATED":
        return f"{data.get('processId', '')} {data.get('runId', '')}"
    if kind == "EFFECT_REQUESTED":
        number, most = data.get("attempt", 1), data.get("maxAttempts", 1)
        attempt = f" ({attempt_text(number, most)})" if max(number, most) > 1 else ""
        return f"{data['effectId']} {data['stepId']} {data['kind']} {data['label']}{attempt}"
    if kind.startswith("EFFECT_"):
        why = error_text(data["error"]) if data.get("error") else titles.get(data["effectId"], "")
        return f"{data['effectId']} {_word_of(data)} {why}".rstrip()
    if kind in ("PROCESS_ERROR", "RUN_FAILED"):
        return problem_text(data.get("error") or data)
    if kind == "PROCESS_LOG":
        return _logged(data)
    told = _GISTS.get(kind)
    return told(data) if told else _all_of(data)


def _logged(data: dict[str, Any]) -> str:
    if "message" in data:
        return str(data["message"])
    if "score" in data:
        score = data["score"]
        return f"score {score_text({**score, 'values': [score['value']]})}, round {score['round']}"
    return f"progress {cell(data.get('progress'))}"


def _word_of(data: dict[str, Any]) -> str:
    """What has happened to an effect: a status, why it was cancelled, or who has taken it."""
    if "reason" in data:
        by = f" by {data['by']}" if "by" in data else ""
        why = f" ({data['why']})" if data.get("why") else ""
        return f"{data['reason']}{by}{why}"
    if "status" in data:
        return str(data["status"])
    return f"taken by {data.get('agent') or data['by']}, time {data['attempt']}"


def _by(data: dict[str, Any]) -> str:
    return f" (by {data['by']})" if data.get("by") else ""


def _changed(data: dict[str, Any]) -> str:
    if data.get("isSame"):
        return "what it was stuck in is gone; the process is the same"
    if data.get("plan") is None:
        is_of_python = "sourcePython" in data
        what = (
            "the process was edited, or Python is another version"
            if is_of_python
            else "the process was edited"
        )
        return f"{what}; what is answered still fits"
    return f"an edit was accepted, by the rule {data.get('accepted')}{_by(data)}; {_kept(data)}"


def _kept(data: dict[str, Any]) -> str:
    count = sum(isinstance(entry, list) and entry[:1] == ["answered"] for entry in data["plan"])
    return f"{count} result{'s' if count != 1 else ''} still count{'' if count != 1 else 's'}"


_GISTS: dict[str, Callable[[dict[str, Any]], str]] = {
    "PROCESS_CHANGED": _changed,
    "RUN_REWOUND": lambda data: f"to before step {data['to']}{_by(data)}; {_kept(data)}",
    "RUN_CANCELLED": lambda data: f"{data['reason']}{_by(data)}",
    "RUN_HALTED": lambda data: f"{'at once: ' if data.get('isAtOnce') else ''}{data['reason']}{_by(data)}",
    "RUN_CONTINUED": lambda data: f"goes on as {data['runId']}",
    "PATCHED": lambda data: f"{data['id']}: takes the new path",
    "WORKSPACE_SAVED": lambda data: f"commit {data['commit'][:12]}",
    "EFFECTS_REUSED": lambda data: (
        "kept results answer " + ", ".join(f"step {step}" for _, step in data["effects"])
    ),
}


def _all_of(data: dict[str, Any]) -> str:
    return cell({name: value for name, value in data.items() if name not in NOT_FOR_PEOPLE})


def status_lines(told: dict[str, Any]) -> list[str]:
    """Where a run stands."""
    return pairs(_status(told).items())


def _status(told: dict[str, Any]) -> dict[str, Any]:
    lines: dict[str, Any] = {
        "run": told["run"],
        "process": told["process"],
        "status": told["status"],
        "given up": _given_up(told),
        "created": moment(told["createdAt"]),
        "last event": f"{moment(told['lastEventAt'])}, number {told['events']}",
        "took": duration(max(0, ms_of(told["lastEventAt"]) - ms_of(told["createdAt"]))) + _work(told),
        "edited": f"its process, since it went on last; what that means: babysitter check {told['run']}"
        if told.get("edited")
        else "",
        "effects": _counts(_effects(told)) or "none",
        "decided": _counts(told.get("decisions", {})),
        "waits for": _counts(told["pending"])
        + (f" ({told['decided']} decided, when it goes on)" if told.get("decided") else ""),
        "taken": told.get("taken", ""),
        "usage": _usage(told),
        "budget": _budget(told),
        "until": moment(told.get("until", "")),
        **_scores(told.get("scores", [])),
        "rate limits": [_held(held) for held in told.get("rateLimits", [])] or "",
        "folder": told.get("folder", ""),
        "packed in": told.get("archive", ""),
        "child of": told.get("parent", ""),
        "goes on from": told.get("continuedFrom", ""),
        "forked from": _fork_of(told),
        **_ending(told),
        "children": "\n".join(children_lines(told)),
    }
    if told.get("packed"):
        lines["unpack with"] = f"babysitter restore {told['run']}"
    elif told["status"] not in FINISHED:
        lines["go on with"] = f"babysitter resume {told['run']}"
    return {name: value for name, value in lines.items() if value != ""}


def _work(told: dict[str, Any]) -> str:
    """``: 6 tasks, 10.8 s one after the other, 1.7 s saved``, as the end of ``run`` has it."""
    times = told.get("times")
    if not times:
        return ""
    tasks = f"{times['tasks']} task{'s' if times['tasks'] != 1 else ''}"
    saved = f", {duration(times['savedMs'])} saved" if times["savedMs"] >= WORTH_TELLING_MS else ""
    return f": {tasks}, {duration(times['workMs'])} one after the other{saved}"


def _scores(scores: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """What loops have reached, those of branches by their path; of very many the last ones."""
    marks = UNICODE if can_show_unicode(sys.stdout) else ASCII
    lines = [_score(each, marks) for each in scores[-MOST_SCORES:]]
    if len(scores) > len(lines):
        lines.insert(0, f"{len(scores) - len(lines)} before these")
    return {"scores" if len(lines) > 1 else "score": "\n".join(lines)}


def _score(told: dict[str, Any], marks: Marks) -> str:
    path = told["scope"].rstrip(".")
    return f"{path}: {score_text(told, marks)}" if path else score_text(told, marks)


def _budget(told: dict[str, Any]) -> str:
    if "budget" not in told:
        return ""
    from babysitter.views.budgets import brief_lines

    return "; ".join(brief_lines(told["budget"], told["run"]))


def _usage(told: dict[str, Any]) -> str:
    if "usage" not in told:
        return ""
    # Here, for most runs that are looked at have nothing of the kind.
    from babysitter.views.costs import usage_text

    return usage_text(told["usage"])


def _fork_of(told: dict[str, Any]) -> str:
    fork = told.get("forkedFrom")
    return f"{fork['runId']} at step {fork['step']}" if fork else ""


def _given_up(told: dict[str, Any]) -> str:
    """Why a run only cleans up, while it does."""
    if "cancelled" not in told or told["status"] in FINISHED:
        return ""
    return f"{told['cancelled']['reason']} (by {told['cancelled']['by']}); it cleans up and ends"


def children_lines(told: dict[str, Any]) -> list[str]:
    """The runs below a run that have not ended, a line each, under their parents."""
    depths = {told["run"]: -1}
    lines = []
    for child in told.get("children", ()):
        depth = depths[child["run"]] = depths[child["parent"]] + 1
        why = problem_text(child["problem"]) if child.get("problem") else _counts(child["pending"])
        lines.append(f"{'  ' * depth}{child['run']}  {child['status']}  {why}".rstrip())
    return lines


def _held(told: dict[str, Any]) -> str:
    count, at = told["effects"], ms_of(told["next"])
    name = told.get("kind") or told.get("task") or ""
    waits = f"{count} effect{'s wait' if count != 1 else ' waits'}"
    return f"{waits} for the {held_text(name, at, now_ms())} ({told['limit']})"


def _ending(told: dict[str, Any]) -> dict[str, Any]:
    if "output" in told:
        return {"output": told["output"], "proof": told["proof"]}
    if "reason" in told:
        by = f" (by {told['by']})" if told.get("by") else ""
        return {"halted": f"{told['reason']}{by}", "data": told.get("data", "")}
    if told.get("error"):
        error = told["error"]
        printed = last_output(error.get("data"))
        more = {"printed": "\n".join(printed)} if printed else {"data": error.get("data") or ""}
        return {"error": error_text(error), **more}
    if told.get("continuedAs"):
        return {"continued as": told["continuedAs"]}
    if told.get("problem"):
        problem = told["problem"]
        more = {name: problem[name] for name in ("hint", "traceback") if problem.get(name)}
        return {"problem": problem_text(problem), **more}
    return {}


def _effects(told: dict[str, Any]) -> dict[str, int]:
    """How many effects there are of each status, in the words of a list of effects."""
    given_up = told.get("abandoned", 0)
    cancelled = told["effects"].get(CANCELLED, 0) - given_up
    counts = {**told["effects"], CANCELLED: cancelled, ABANDONED: given_up}
    return {word: count for word, count in counts.items() if count}


def _counts(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def run_lines(told: dict[str, Any]) -> list[str]:
    """A run with its prompt, its inputs and its effects."""
    more = {name: told[name] for name in ("prompt", "inputs") if told.get(name)}
    return [*pairs([*_status(told).items(), *more.items()]), "", *effects_lines(told["tasks"])]


def effect_lines(told: dict[str, Any]) -> list[str]:
    """All about one effect: what it asks for, and its result."""
    lines = {
        "effect": told["id"],
        "run": told["run"],
        "step": told["step"],
        "task": told["task"],
        "title": told["title"],
        "kind": told["kind"],
        "status": _status_of_effect(told),
        "attempt": attempt_text(told["attempt"], told["maxAttempts"]) if "attempt" in told else "",
        "taken": _taken(told),
        "branch": place_of(told.get("group")),
        "requested": moment(told["requestedAt"]),
        "took": _took(told),
        "executor": told.get("executor") or "",
        "usage": told.get("usage") or "",
    }
    head = [(name, value) for name, value in lines.items() if value != ""]
    return [*pairs([*head, *_asked(told), *_answer(told)]), *_answers(told)]


def _answers(told: dict[str, Any]) -> list[str]:
    """Of a breakpoint: how it stands, and who has answered."""
    lines = list(told.get("about", []))
    if told.get("open"):
        lines.append(f"what is shown has the digest {told['open']['shown']}")
    for record in told.get("answers", ()):
        said = "yes" if record.get("approved") else "no"
        words = [str(record[name]) for name in ("option", "response", "feedback") if record.get(name)]
        by = f"{record.get('respondedBy')} by {record.get('assurance', 'script')}{_for_whom(record)}"
        voided = f", void ({record['voided']})" if "voided" in record else ""
        shown = f", on {record['shown'][:8]}" if "shown" in record else ""
        lines.append(
            printable(f"answer     {moment(record['at'])} {': '.join([said, *words])}, {by}{shown}{voided}")
        )
    return lines


def _for_whom(record: dict[str, Any]) -> str:
    """Those who are asked and for whom somebody has answered under another name."""
    others = [each for each in record.get("experts", ()) if each != record.get("respondedBy")]
    return f" for {', '.join(others)}" if others else ""


def _taken(told: dict[str, Any]) -> str:
    taken = told.get("taken")
    return f"by {taken.get('agent') or taken['by']}, time {taken['attempt']}" if taken else ""


def place_of(group: dict[str, Any] | None) -> str:
    """The branch of a group; nothing of the main line."""
    if not group:
        return ""
    name = group.get("label") or group.get("branch")
    return f"{name} of parallel.{group.get('mode')} at step {group.get('path')}"


def _took(told: dict[str, Any]) -> str:
    try:
        return duration(ms_of(told["finishedAt"]) - ms_of(told["startedAt"]))
    except (KeyError, ValueError):
        return ""


def _asked(told: dict[str, Any]) -> list[tuple[str, Any]]:
    """What the definition says, without what only the machine needs to know."""
    definition = told["definition"]
    described = definition.get(told["kind"]) if isinstance(definition, dict) else None
    if not isinstance(described, dict):
        return [("definition", definition)]
    return [
        ("command", _command(value)) if name == "argv" else (name, value)
        for name, value in described.items()
        if value is not None and name not in NOT_ASKED and not (name in TOLD_ABOUT and "about" in told)
    ]


def _command(argv: Any) -> Any:
    """The arguments as a person would type them."""
    import shlex

    return shlex.join(map(str, argv)) if isinstance(argv, list) else argv


def _answer(told: dict[str, Any]) -> list[tuple[str, Any]]:
    if "value" in told:
        return [("result", told["value"])]
    error = told.get("error")
    if not error:
        return []
    return [("error", error_text(error)), *([("data", error["data"])] if error.get("data") else [])]


def moment(at: str) -> str:
    """A time of the journal for people: ``2026-11-24 01:48:21`` UTC; what is no such time stays as it is."""
    return f"{at[:10]} {at[11:19]}Z" if len(at) == 24 else at


def lines_of_table(
    heads: list[str], rows: list[list[str]], right: set[int] | frozenset[int] = frozenset()
) -> list[str]:
    told = [[printable(text) for text in row] for row in rows]
    return table(heads, told, right=right, width=terminal_width(sys.stdout))
