"""Results as their executors would give them: judged by the same code, without a process being started."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from babysitter.engine import breakpoints
from babysitter.engine.decisions import at_deadline
from babysitter.engine.outcomes import ShellResult
from babysitter.errors import InvalidInput
from babysitter.executors.output import Output
from babysitter.executors.shell import Shell
from babysitter.executors.work import Exit, Work
from babysitter.jsontext import compact
from babysitter.redaction import redaction_of
from babysitter.runs.answering import decide
from babysitter.runs.assurance import minimum_of
from babysitter.runs.results import Answer
from babysitter.testing.canned import Failure, Reply

if TYPE_CHECKING:
    from babysitter.engine.state import Effect
    from babysitter.testing.asked import Asked
    from babysitter.testing.memory import MemoryRun

# The level of an answer where the breakpoint demands none.
BY_TEST = "script"


def answer_of(run: MemoryRun, asked: Asked, result: Any) -> Answer:
    """The answer that the run would get from whoever performs the effect.

    Raises:
        InvalidInput: no executor could give such a result.
    """
    effect = run.state.effects[asked.effect_id]
    if isinstance(result, Failure):
        return Answer(effect.id, "error", None, result.as_error(), executor="local")
    if asked.kind == "breakpoint":
        return _decided(run, effect, asked, result)
    if asked.kind == "shell":
        return _ended(run, asked, result)
    return Answer(effect.id, "ok", as_json(result), executor="local" if asked.kind == "python" else "test")


def as_json(value: Any) -> Any:
    """A pydantic model as an agent would have written it; anything else as it is."""
    dump = getattr(value, "model_dump", None)
    return value if dump is None else dump(mode="json")


def _decided(run: MemoryRun, effect: Effect, asked: Asked, result: Any) -> Answer:
    if not isinstance(result, Reply):
        raise InvalidInput(
            f"the answer to the breakpoint {asked.question!r} is {result!r}; a person approves or rejects",
            hint="write approves(), approves(option=…) or rejects('why')",
        )
    # A test may play anybody, also somebody who signs, and whoever is asked.
    level, told = minimum_of(asked.definition) or BY_TEST, breakpoints.Asked(asked.definition)
    answer = decide(run, effect, result.approved, assurance=level, names=lambda: told.experts, **result.told)
    if told.is_collecting:
        # What a test gives is what several answers come to.
        answer.evidence = {"assurance": level, "answers": []}
    return answer


def undecided(asked: Asked, at: str) -> Answer:
    """What a breakpoint comes to when its time is over."""
    value = at_deadline(breakpoints.Asked(asked.definition), [])
    evidence = {"answers": list[int]()}
    return Answer(asked.effect_id, "ok", value, executor="clock", finished_at=at, evidence=evidence)


def _ended(run: MemoryRun, asked: Asked, result: Any) -> Answer:
    work = Work(
        asked.effect_id,
        "shell",
        asked.definition,
        run_id=run.run_id,
        folder="",
        project=run.project,
        run_folder=run.folder,
    )
    end = Shell(work, {}, run.limits).conclude(_exit_of(run, asked, result))
    return Answer(asked.effect_id, end.status, end.value, end.error, executor="local")


def _exit_of(run: MemoryRun, asked: Asked, result: Any) -> Exit:
    """A text is what it prints, a number its exit code, a value what it prints where that is JSON."""
    parses = asked.definition["shell"].get("parse")
    if isinstance(result, int) and not isinstance(result, bool) and not parses:
        result = ShellResult(result, "", "", 0.0)
    elif isinstance(result, str):
        result = ShellResult(0, result, "", 0.0)
    elif parses and not isinstance(result, ShellResult):
        result = ShellResult(0, compact(as_json(result)), "", 0.0)
    if not isinstance(result, ShellResult):
        raise InvalidInput(
            f"the result of shell task {asked.task!r} is {result!r}; a command gives a text and a code",
            hint="write a text, an exit code, exits(1, stderr='…') or fails('ShellFailed')",
        )
    return Exit(
        result.exit_code,
        _printed(run, result.stdout),
        _printed(run, result.stderr),
        answer=None,
        duration_ms=round(result.duration * 1000),
        is_timed_out=False,
    )


def _printed(run: MemoryRun, text: str) -> Output:
    """An output stream that has no file; secrets are redacted in it as in any other."""
    output = Output("", redaction_of(run.limits))
    output.keep(run.limits.result_bytes)
    output.take(text.encode())
    output.finish()
    return output
