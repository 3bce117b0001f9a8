"""A person is asked through the host's question tool, in the words of the journal.

The question that the model wrote is replaced by ours, and only an answer to ours counts, given the
marks of a person's answer. The first option decides nothing: a stray Enter picks it.
"""

from __future__ import annotations

import os

from babysitter.approvals.place import own_names, person
from babysitter.errors import BabysitterError, ResultRejected
from babysitter.hooks.batch_text import QUESTION_MARK, name_for, question_mark_of
from babysitter.hooks.bound import bound_to, pending_in
from babysitter.hooks.doubt import doubt
from babysitter.hooks.shown import about_of, options_of, question_of, shown_digest
from babysitter.hosts import adapter_of
from babysitter.hosts.calls import ask, deny, let_go, tell
from babysitter.ids import valid_id
from babysitter.runs.answering import decide
from babysitter.runs.assurance import ways_to_answer
from babysitter.runs.results import accept
from babysitter.sessions import place
from babysitter.views.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.engine.state import Effect
    from babysitter.hosts.calls import Answer, Call
    from babysitter.runs import results
    from babysitter.runs.run import Run

QUESTIONS = "questions"
LEVEL = "dialog"
NOT_YET, APPROVE, REJECT = "Not yet", "Approve", "Reject"
# The dialog takes two to four options, and two of them are ours.
MOST_OPTIONS = 2
MOST_QUESTION = 4000
MOST_LABEL = 60
# Nobody reads a question and answers it faster; a hook that answers in a person's place does.
SHORTEST_READ_MS = 500


def question(call: Call) -> Answer:
    """Replace a question about a breakpoint by the breakpoint's own, or deny it where nobody could answer."""
    marked = _marked(call)
    if not marked:
        return let_go()
    bound = bound_to(call)
    found = None if bound is None else pending_in(bound.run, marked)
    if found is None or found[1].kind != "breakpoint":
        return deny(f"babysitter: {marked!r} is no open breakpoint of this session's run")
    run, effect = found
    options = options_of(run, effect)
    reason = _refusal(call, run, effect, options)
    if reason:
        return deny(f"babysitter: {reason}; tell the person, and do whatever else the run asks for")
    asked = {"questions": [_question(run, effect, options)]}
    issued = {
        "effect": effect.id,
        "run": run.run_id,
        "questions": asked["questions"],
        "at": call.seen_at,
    }
    place.write(call.session, os.path.join(QUESTIONS, f"{call.tool_use}.json"), issued)
    return ask(asked)


def _marked(call: Call) -> str:
    """The effect that a question is about; empty when it is no question of ours."""
    questions = call.tool_input.get("questions")
    for told in questions if isinstance(questions, list) else []:
        text = told.get("question") if isinstance(told, dict) else None
        if isinstance(text, str) and QUESTION_MARK in text:
            name = text.partition(QUESTION_MARK)[2].partition("]")[0]
            return name if valid_id(name) else "?"
    return ""


def _refusal(call: Call, run: Run, effect: Effect, options: list[str]) -> str:
    command = f"/babysitter:approve {effect.id}"
    if call.agent or not call.has_person or not valid_id(call.tool_use):
        return (
            f"no person can answer here; they can with: babysitter approve {name_for(call, run)} {effect.id}"
        )
    if len(options) > MOST_OPTIONS:
        return f"a dialog cannot show its {len(options)} options; the person types {command} OPTION"
    reason = _unshowable(_text(run, effect), options)
    if reason:
        return f"{reason}; {ways_to_answer(name_for(call, run), effect.id, None)}"
    try:
        _decision(run, effect, True, shown_digest(run, effect), option=options[0] if options else None)
    except BabysitterError as error:
        return f"{error.message}; {error.hint}"
    return ""


def _text(run: Run, effect: Effect) -> str:
    return "\n".join([question_of(run, effect), *about_of(run, effect)])


def _decision(run: Run, effect: Effect, approved: bool, shown: str, **told: Any) -> results.Answer:
    return decide(run, effect, approved, by=person(), names=own_names, assurance=LEVEL, shown=shown, **told)


def _unshowable(question: str, options: list[str]) -> str:
    """Why a dialog cannot show all of it: what is cut, or looks the same, is not what is answered."""
    shown = [printable(option) for option in options]
    if len(question) > MOST_QUESTION:
        return f"a dialog cannot show the whole question, it has {len(question)} characters"
    if any(len(option) > MOST_LABEL for option in shown):
        return f"a dialog cannot show an option of more than {MOST_LABEL} characters"
    labels = [label.strip().casefold() for label in (NOT_YET, *(shown or [APPROVE]), REJECT)]
    if len(set(labels)) < len(labels):
        return f"in a dialog its options cannot be told apart, beside {NOT_YET!r} and {REJECT!r}"
    return ""


def _question(run: Run, effect: Effect, options: list[str]) -> dict[str, Any]:
    digest = shown_digest(run, effect)
    labels = [_label(printable(option), digest) for option in options or [APPROVE]]
    told = [
        {"label": NOT_YET, "description": "Decide nothing; the run goes on waiting."},
        *(
            {"label": label, "description": f"Recorded as your answer in run {run.run_id}."}
            for label in labels
        ),
        {"label": _label(REJECT, digest), "description": "Recorded as your no."},
    ]
    return {
        "question": f"{_text(run, effect)}\n{question_mark_of(effect.id)} {digest}",
        "header": "babysitter",
        "options": told,
        "multiSelect": False,
    }


def _label(text: str, digest: str) -> str:
    """An option with the digest of what is decided about, so that it fits no other question."""
    return f"{text} ({digest})"


def permission(call: Call) -> Answer:
    """The dialog opens; from now on a person reads. The event has no id, so the questions say which it is."""
    for name in place.names(call.session, QUESTIONS):
        issued = place.read(call.session, os.path.join(QUESTIONS, name))
        if issued is not None and issued.get("questions") == call.tool_input.get("questions"):
            path = os.path.join(QUESTIONS, name)
            place.write(call.session, path, {**issued, "opened": call.seen_at})
    return let_go()


def answered(call: Call) -> Answer:
    """The dialog was answered: recorded if a person chose one of our labels in our question."""
    name = os.path.join(QUESTIONS, f"{call.tool_use}.json")
    issued = place.read(call.session, name) if valid_id(call.tool_use) else None
    if issued is None:
        return let_go()
    place.remove(call.session, name)
    bound = bound_to(call)
    found = None if bound is None else pending_in(bound.run, str(issued["effect"]))
    if found is None:
        return tell("babysitter: the breakpoint is not open any more; nothing was recorded")
    said = _said(call, issued)
    reason = _doubt(call, issued) or ("" if said else "nobody chose an answer")
    if reason:
        return tell(f"babysitter: nothing was recorded, {reason}; the run still waits for the person")
    return _record(call, *found, said)


def _said(call: Call, issued: dict[str, Any]) -> str:
    answers = call.tool_response.get("answers")
    said = answers.get(issued["questions"][0]["question"]) if isinstance(answers, dict) else None
    return said if isinstance(said, str) else ""


def _doubt(call: Call, issued: dict[str, Any]) -> str:
    """Why this may be no person's answer; empty when there is no reason to doubt."""
    reason = doubt(call)
    if reason:
        return reason
    if call.tool_response.get("questions") != issued["questions"]:
        return "another question was answered than the run asks"
    if not adapter_of(os.environ).is_answered_by_person(call):
        return "the answer did not come from the dialog"
    opened = issued.get("opened", issued["at"])
    if call.seen_at - opened < SHORTEST_READ_MS:
        return "it was answered faster than anybody reads"
    return ""


def _record(call: Call, run: Run, effect: Effect, said: str) -> Answer:
    digest, options = shown_digest(run, effect), options_of(run, effect)
    labels = {_label(printable(option), digest): option for option in options}
    if said == NOT_YET:
        return tell("babysitter: not decided yet; the run still waits for the person")
    is_no = said == _label(REJECT, digest)
    if not is_no and said not in labels and not (not options and said == _label(APPROVE, digest)):
        return tell(
            f"babysitter: {said!r} is no decision, and nothing was recorded; take it as what the person wants"
            " to be done first, and ask again then"
        )
    evidence = {
        "session": call.session,
        "toolUse": call.tool_use,
        "prompt": call.prompt_id,
        "pid": call.pid,
        "label": said,
    }
    option = None if is_no else labels.get(said)
    try:
        # On what the label names, and not on what it would name by now.
        answer = _decision(run, effect, not is_no, digest, evidence=evidence, option=option)
        refused = accept(run, [answer])[0].error
    except ResultRejected as error:
        refused = error
    if refused is not None:
        return tell(f"babysitter: nothing was recorded: {refused.message}")
    return tell(f"babysitter: recorded, the person said {'no' if is_no else 'yes'} ({said})")
