"""A person's answer to a breakpoint: who may give it, on what, and what the journal keeps of it."""

from __future__ import annotations

from babysitter.engine.breakpoints import ALL, OWNER, QUORUM, Asked
from babysitter.engine.decisions import experts_heard, experts_met
from babysitter.engine.state import OWN_STEPS
from babysitter.errors import PersonNeeded, ResultRejected
from babysitter.runs import context_files
from babysitter.runs.assurance import PEOPLE, is_enough, minimum_of, shown_digest, ways_to_answer
from babysitter.runs.results import PERSON, Answer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Any

    from babysitter.engine.state import Effect
    from babysitter.runs.run import Run

# So much of a digest is shown, and has to be said at least: nobody types 64 letters.
SHOWN_LENGTH = 8


class Shown:
    """A breakpoint as it is shown to somebody at this moment.

    Attributes:
        files: those that belong to the question, with the digest that each has now.
        changed: the paths of those that have changed since the breakpoint was asked.
        digest: of the description and the files together.
    """

    __slots__ = ("asked", "changed", "definition", "digest", "effect", "files")

    def __init__(self, run: Run, effect: Effect) -> None:
        self.effect = effect
        self.definition = run.definition_of(effect)
        self.asked = Asked(self.definition)
        first = run.state.shown_files.get(effect.id, [])
        self.files = context_files.present(run, first)
        self.changed = context_files.changed(first, self.files)
        self.digest = shown_digest(self.definition, self.files)


def decide(
    run: Run,
    effect: Effect,
    approved: bool,
    *,
    by: str,
    assurance: str = "script",
    evidence: dict[str, Any] | None = None,
    response: str | None = None,
    feedback: str | None = None,
    option: str | None = None,
    shown: str | None = None,
    names: Callable[[], Iterable[str]] = tuple,
) -> Answer:
    """A person's answer to a breakpoint.

    ``assurance`` is how it was seen that a person gave it, one of
    ``assurance.LEVELS``, and ``evidence`` what there is to show for that.
    ``shown`` is the beginning of the digest of what the person has seen; without it they have seen
    what was asked at first. ``names`` gives what they go by beside ``by``.

    Raises:
        ResultRejected: the effect is no breakpoint, has no such option, demands a higher level, asks
            somebody else, or shows another file by now.
        PersonNeeded: at this level nobody answers for a run that an agent's session works on.
    """
    if effect.kind != "breakpoint":
        raise ResultRejected(
            effect.id,
            f"effect {effect.id!r} is a {effect.kind} effect, not a breakpoint",
            hint="babysitter tasks",
        )
    told: dict[str, Any] = {"response": response, "feedback": feedback, "option": option, "respondedBy": by}
    seen: dict[str, Any] = {"assurance": assurance}
    if effect.is_pending:
        at = Shown(run, effect)
        _check_option(effect.id, at.asked, option)
        if approved and option is None:
            _check_chosen(effect.id, at.asked)
        if at.asked.is_budget and effect.step.startswith(OWN_STEPS) and approved:
            told |= _more_said(effect.id, at.definition, told)
        _check_assurance(run, effect.id, at.definition, assurance)
        if assurance in PEOPLE:
            seen |= _check_expert(run, at, by, names)
            _check_seen(run, at, shown)
        seen["shown"] = at.digest
        if at.files:
            seen["files"] = at.files
    value = {"approved": approved, **told, "allResponses": [{"approved": approved, **told}]}
    return Answer(effect.id, "ok", value, executor=PERSON, evidence={**seen, **(evidence or {})})


def _check_option(effect_id: str, asked: Asked, option: str | None) -> None:
    if option is not None and option not in asked.options:
        raise ResultRejected(
            effect_id,
            f"the breakpoint has no option {option!r}",
            hint=f"its options: {', '.join(asked.options) or 'none'}",
        )


def _check_chosen(effect_id: str, asked: Asked) -> None:
    """Of several people a yes that chooses nothing agrees with nobody who has chosen something."""
    if asked.options and asked.strategy in (ALL, QUORUM):
        raise ResultRejected(
            effect_id,
            "it has to be said which option, for several people decide",
            hint=f"--option {asked.options[0]!r}; its options: {', '.join(asked.options)}",
        )


def _more_said(effect_id: str, definition: dict[str, Any], told: dict[str, Any]) -> dict[str, Any]:
    """How much more there is to be spent: a response, or else the words after a yes."""
    from babysitter.engine.meter import read_more

    reached = definition["breakpoint"]["reached"]
    if told["response"] is None:
        # Nothing else is said with such a yes: a slip in the amount must not pass for a remark.
        told = {**told, "response": told["feedback"], "feedback": None}
    response = told["response"]
    try:
        said = read_more(response, reached)
    except ValueError as error:
        raise ResultRejected(
            effect_id,
            f"{response!r} does not say how much more: {error}",
            hint="as in 500k, or tokens=500k; nothing behind the yes adds as much again",
        ) from None
    for each in reached:
        if each.get("isUnknown") and "suggested" not in each and each["what"] not in said:
            raise ResultRejected(
                effect_id,
                f"it is not said how many {each['what']} a result counts as that does not say it",
                hint=f"--response {each['what']}=N",
            )
    return told


def _check_assurance(run: Run, effect_id: str, definition: dict[str, Any], level: str) -> None:
    wanted = minimum_of(definition)
    if not is_enough(level, wanted):
        raise ResultRejected(
            effect_id,
            f"the breakpoint demands the assurance {wanted!r}, and this answer has {level!r}",
            hint=ways_to_answer(run.run_id, effect_id, wanted),
        )
    if level == "script" and run.is_guarded:
        raise PersonNeeded(
            f"an agent's session works on run {run.run_id!r}, so a person answers its breakpoints",
            hint=ways_to_answer(run.run_id, effect_id, wanted),
        )
    if level == "policy" and not run.state.answers_by_policy:
        raise PersonNeeded(
            f"run {run.run_id!r} was not created to answer breakpoints by policy",
            hint=ways_to_answer(run.run_id, effect_id, wanted),
        )


def _check_expert(run: Run, at: Shown, by: str, names: Callable[[], Iterable[str]]) -> dict[str, Any]:
    """Whose answer it is, of those that are asked; nothing where nobody in particular is."""
    if not at.asked.experts:
        return {}
    owner = run.state.created.get("createdBy")
    met = experts_met(at.asked, {by, *names()}, owner)
    if not met:
        asked = ", ".join(f"{each} ({owner})" if each == OWNER else each for each in at.asked.experts)
        raise ResultRejected(
            at.effect.id,
            f"the breakpoint asks {asked}, and this is an answer of {by!r}",
            hint="who answers for one of them says so: --as NAME, or `answersAs: [NAME]` in their own"
            " config.yaml",
        )
    return {"experts": met}


def is_for(run: Run, effect: Effect, by: str, names: Callable[[], Iterable[str]]) -> bool:
    """Whether somebody is asked who has not answered yet, nor has anybody else in their place."""
    given = run.state.answers.get(effect.id, [])
    if any(answer.is_of(by, None) for answer in given):
        return False
    asked = Asked(run.definition_of(effect))
    if not asked.experts:
        return True
    met = experts_met(asked, {by, *names()}, run.state.created.get("createdBy"))
    return not experts_heard(given).issuperset(met)


def _check_seen(run: Run, at: Shown, shown: str | None) -> None:
    if shown is not None and len(shown) < SHOWN_LENGTH:
        raise _not_seen(run, at, f"{shown!r} is too short for a digest of what is shown")
    if shown is not None and not at.digest.startswith(shown):
        raise _not_seen(run, at, "something else is shown by now than what this answers")
    if shown is None and at.changed:
        raise _not_seen(run, at, f"{', '.join(at.changed)} has changed since it was asked")


def _not_seen(run: Run, at: Shown, what: str) -> ResultRejected:
    digest = at.digest[:SHOWN_LENGTH]
    return ResultRejected(
        at.effect.id,
        f"{what}; as it is now it has the digest {digest}",
        hint=f"look at it again: babysitter show {run.run_id} {at.effect.id}; then answer with"
        f" --shown {digest}, or in the session /babysitter:approve {at.effect.id} {digest} yes",
    )
