"""Record what was performed here; what cannot be recorded as a result is recorded as a failure.

But not what a person has said: they are told, and can say it otherwise.
"""

from __future__ import annotations

from babysitter.errors import ResultRejected
from babysitter.runs.results import PERSON, Answer, Verdict, accept

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from babysitter.errors import BabysitterError
    from babysitter.runs.run import Run


def record(run: Run, answers: Sequence[Answer]) -> list[Verdict]:
    """Record the answers that count; gives the verdicts on others, such as those that came too late.

    Raises:
        RunBusy, JournalError, StorageError
    """
    left, unfit = list[Verdict](), list[Answer]()
    for answer, verdict in zip(answers, accept(run, answers), strict=True):
        if isinstance(verdict.error, ResultRejected) and answer.executor != PERSON:
            unfit.append(as_failure(answer, verdict.error))
        elif verdict.error is not None:
            left.append(verdict)
    if unfit:
        accept(run, unfit)
    return left


def as_failure(answer: Answer, error: BabysitterError) -> Answer:
    """What a task gave cannot be recorded (too large, say): then the task has failed."""
    described = {"name": type(error).__name__, "message": error.message}
    return Answer(
        answer.effect,
        "error",
        None,
        described,
        executor=answer.executor,
        started_at=answer.started_at,
        finished_at=answer.finished_at,
        evidence=answer.evidence,
        usage=answer.usage,
    )
