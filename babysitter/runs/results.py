"""Take results in: each is judged alone, the first one stands for ever."""

from __future__ import annotations

from babysitter.clock import iso
from babysitter.errors import (
    AlreadyResolved,
    BabysitterError,
    EffectCancelled,
    JournalError,
    NoSuchEffect,
    ResultRejected,
    RunFinished,
    StorageError,
)
from babysitter.jsontext import canonical, compact, is_deeper_than
from babysitter.runs import drafts

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from babysitter.engine.state import Effect
    from babysitter.runs.drafts import Draft
    from babysitter.runs.run import Run

RECORDED, ALREADY = "recorded", "already"
# Who performs it, where a person answers.
PERSON = "person"
# Resolved by babysitter itself: an agent cannot post a test result, it can only make the tests pass.
OWN_KINDS = {
    "shell": "its result comes from running the command: babysitter work {run}",
    "python": "its result comes from running the function: babysitter work {run}",
    "hook": "its result comes from calling the hooks: babysitter work {run}",
    "sleep": "it ends when its time has come",
    "breakpoint": "a person answers it: babysitter approve {run} {effect} (or reject)",
    "subprocess": "its result is what its child run comes to: babysitter iterate {run}",
}


class Answer:
    """A result that somebody offers for an effect: ``value`` when ``status`` is ok, else ``error``."""

    __slots__ = (
        "effect",
        "error",
        "evidence",
        "executor",
        "finished_at",
        "started_at",
        "status",
        "usage",
        "value",
    )

    def __init__(
        self,
        effect: str,
        status: str,
        value: Any = None,
        error: dict[str, Any] | None = None,
        *,
        executor: str = "outside",
        started_at: str | None = None,
        finished_at: str | None = None,
        evidence: dict[str, Any] | None = None,
        usage: dict[str, Any] | None = None,
    ) -> None:
        self.effect = effect
        self.status = status
        self.value = value
        self.error = error
        self.executor = executor
        self.started_at = started_at
        self.finished_at = finished_at
        self.evidence = evidence
        self.usage = usage


class Verdict:
    """What became of an answer: ``recorded``, ``already``, or the error that refused it."""

    __slots__ = ("effect_id", "error", "status")

    def __init__(self, effect_id: str, status: str, error: BabysitterError | None = None) -> None:
        self.effect_id = effect_id
        self.status = status
        self.error = error


def find_effect(run: Run, name: str) -> Effect:
    """An effect by its id, a unique beginning of it, or its step; else by a task or title of only one step.

    Raises:
        NoSuchEffect: nothing or more than one fits.
    """
    effects = run.state.effects
    if name in effects:
        return effects[name]
    # A whole name comes before the beginning of another: the step 1 before an id that begins with 1.
    at_step = [effect for effect in effects.values() if effect.step == name]
    if at_step:
        return latest(at_step)
    fitting = [effect for effect in effects.values() if name and effect.id.startswith(name)]
    if len(fitting) > 1:
        raise NoSuchEffect(
            f"{name!r} is the beginning of {len(fitting)} effects of run {run.run_id!r}",
            hint="write more of the id",
        )
    # Not at the top: programs call effects by their ids.
    from babysitter.runs.effect_names import named

    return named(run, name, fitting)


def ends_by(run: Run, effect: Effect) -> str:
    """How an effect of babysitter's own kinds gets its result, for whoever wanted to give it."""
    return OWN_KINDS[effect.kind].format(run=run.run_id, effect=effect.id)


def latest(at_step: list[Effect]) -> Effect:
    """Of all that a step has asked for its last attempt, as the script is now."""
    return ([effect for effect in at_step if not effect.is_superseded] or at_step)[-1]


def accept(run: Run, answers: Sequence[Answer]) -> list[Verdict]:
    """Judge answers against a loaded run and record, in one batch, those that count.

    The order of the verdicts is that of the answers. Verdicts are final and
    durable when this returns.

    Raises:
        RunBusy: other writers were first, again and again.
        JournalError, StorageError
    """
    return run.append_decided(lambda: _judge_all(run, answers))


def _judge_all(run: Run, answers: Sequence[Answer]) -> tuple[list[Verdict], list[Draft]]:
    verdicts: list[Verdict] = []
    batch: dict[str, tuple[Answer, list[Draft]]] = {}
    for answer in answers:
        try:
            effect = find_effect(run, answer.effect)
            status, told = _judge(run, effect, answer, batch)
            if status == RECORDED:
                batch[effect.id] = (answer, told)
            verdicts.append(Verdict(effect.id, status))
        except (JournalError, StorageError):
            # Not about this answer: nothing can be recorded here.
            raise
        except BabysitterError as error:
            verdicts.append(Verdict(answer.effect, "refused", error))
    return verdicts, [draft for _, told in batch.values() for draft in told]


def judge(run: Run, answer: Answer) -> Verdict:
    """What would become of an answer to a loaded run now; nothing is recorded, and nothing written.

    Raises:
        BabysitterError: it would be refused.
    """
    effect = find_effect(run, answer.effect)
    return Verdict(effect.id, _weigh(run, effect, answer, {}))


def _judge(
    run: Run, effect: Effect, answer: Answer, batch: dict[str, tuple[Answer, list[Draft]]]
) -> tuple[str, list[Draft]]:
    """What becomes of an answer, and the events that record it."""
    status = _weigh(run, effect, answer, batch)
    if status != RECORDED:
        return status, []
    if effect.kind == "breakpoint":
        from babysitter.runs.collecting import check_in_time, collected, is_collected

        if is_collected(run, effect, answer):
            return collected(run, effect, answer)
        check_in_time(run, effect, answer)
    return RECORDED, [_draft(run, effect, answer)]


def _weigh(run: Run, effect: Effect, answer: Answer, batch: dict[str, tuple[Answer, list[Draft]]]) -> str:
    """Whether an answer counts, as far as it can be said of an answer by itself."""
    if answer.executor == "outside" and effect.kind in OWN_KINDS:
        raise ResultRejected(
            effect.id,
            f"effect {effect.id!r} is a {effect.kind} effect; nobody can post its result",
            hint=ends_by(run, effect),
        )
    if effect.id in batch:
        return _compare(effect.id, answer, _said(batch[effect.id][0]))
    if effect.status in ("ok", "error"):
        return _compare_with_first(run, effect, answer)
    if effect.status == "cancelled":
        raise EffectCancelled(f"effect {effect.id!r} was cancelled; its branch no longer needs a result")
    if run.state.is_finished:
        raise RunFinished(f"run {run.run_id!r} has {run.state.status}; it takes no more results")
    _check_value(run, effect, answer)
    if run.state.meter is not None and answer.executor == "outside" and answer.status == "ok":
        _check_usage(run, effect, answer)
    return RECORDED


def _compare_with_first(run: Run, effect: Effect, answer: Answer) -> str:
    if effect.kind == "breakpoint":
        from babysitter.runs.collecting import is_among

        if is_among(run.value_of(effect), answer):
            return ALREADY
    text = run.text_of(effect) if answer.status == "ok" else None
    if text is not None:
        # Two large values at once would take too much memory, and one is enough for nearly every answer.
        told = compact(answer.value).encode()
        if told == text:
            return ALREADY
        if len(told) != len(text):
            raise _another(effect.id)
        del told, text
    first = Answer(effect.id, effect.status, run.value_of(effect), effect.error)
    return _compare(effect.id, answer, _said(first))


def _said(answer: Answer) -> str:
    return canonical([answer.status, answer.value if answer.status == "ok" else answer.error])


def _compare(effect_id: str, answer: Answer, first: str) -> str:
    if _said(answer) == first:
        return ALREADY
    raise _another(effect_id)


def _another(effect_id: str) -> AlreadyResolved:
    return AlreadyResolved(f"effect {effect_id!r} has another result already; the first one stands")


def _check_value(run: Run, effect: Effect, answer: Answer) -> None:
    told = answer.value if answer.status == "ok" else answer.error
    _check_size(run, effect.id, told)
    schema = schema_of(run, effect) if answer.status == "ok" else None
    if schema is None:
        return
    from babysitter.runs.schemas import misfits

    problems = misfits(schema, answer.value)
    if problems:
        raise ResultRejected(
            effect.id,
            f"the result of effect {effect.id!r} does not fit its schema: {'; '.join(problems)}",
            hint=f"the effect is still pending; its schema: babysitter show {run.run_id} {effect.id}",
        )


def _check_usage(run: Run, effect: Effect, answer: Answer) -> None:
    """Where a budget counts what a result took, it has to say that."""
    from babysitter.runs.spending import unsaid

    missing = unsaid(run, effect.task_id, _priced(run, answer.usage))
    if missing:
        owner, what, _ = missing[0]
        named = " and ".join(dict.fromkeys(_named(what, currency) for _, what, currency in missing))
        raise ResultRejected(
            effect.id,
            f"run {owner!r} has a budget of {named}, and the result of effect {effect.id!r} does not say"
            " what it took of that",
            hint='say it: --usage \'{"inputTokens": 1200, "outputTokens": 80, "money": 0.01}\'; or have such'
            f" results estimated: babysitter budget {owner} --set estimate:{what}=N",
        )


def _named(what: str, currency: str) -> str:
    return f"money in {currency}" if what == "money" else what


def _check_size(run: Run, effect_id: str, told: Any) -> None:
    try:
        size = len(compact(told).encode())
    except (TypeError, ValueError) as error:
        raise ResultRejected(effect_id, f"the result of effect {effect_id!r} is not JSON: {error}") from None
    if size > run.limits.result_bytes:
        raise ResultRejected(
            effect_id,
            f"the result of effect {effect_id!r} has {size} bytes, and {run.limits.result_bytes} are allowed",
            hint="write large output to a file in the run's artifacts and give its name as the result",
        )
    if is_deeper_than(told, run.limits.depth):
        raise ResultRejected(
            effect_id,
            f"the result of effect {effect_id!r} is nested more than {run.limits.depth} levels deep",
        )


def schema_of(run: Run, effect: Effect) -> Any:
    """The schema that a pending effect's result has to fit, or None."""
    definition = run.definition_of(effect)
    described = definition.get(effect.kind)
    inner = described.get("outputSchema") if isinstance(described, dict) else None
    return inner if inner is not None else definition.get("outputSchema")


def _draft(run: Run, effect: Effect, answer: Answer) -> Draft:
    return drafts.resolved(
        run,
        effect.id,
        answer.status,
        answer.value,
        answer.error,
        executor=answer.executor,
        started_at=answer.started_at,
        finished_at=answer.finished_at or iso(run.now_ms()),
        evidence=answer.evidence,
        usage=_priced(run, answer.usage),
    )


def _priced(run: Run, usage: dict[str, Any] | None) -> dict[str, Any] | None:
    """What is recorded of a usage: from now on its money stands, whatever prices change."""
    if usage is None:
        return None
    from babysitter.prices import priced

    return priced(usage, run.limits.prices)
