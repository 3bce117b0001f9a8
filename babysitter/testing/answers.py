"""Which answer of a test is for which request, and what it comes to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary, ref

from babysitter.engine.tasks import Task
from babysitter.errors import InvalidInput, NoAnswer, TaskFailed
from babysitter.testing.canned import Failure, InTurn, Later, Never, Reply

if TYPE_CHECKING:
    from babysitter.testing.asked import Asked

    By = Mapping[str, Any] | Mapping[Task[..., Any], Any] | Mapping[Any, Any]
    Results = By | Callable[[Asked], Any]
    People = By | Reply | InTurn | Later | Never | Callable[[str], Any]

__tracebackhide__ = True  # pytest shows the lines of the test, not ours
MISSING = object()
# Of what a function of the test is given, when it is not the task's arguments by name.
SUBJECTS = {
    "breakpoint": "question",
    "hook": "payload",
    "subprocess": "inputs",
    "orchestrator_task": "prompt",
}


class Timed:
    """What is given for one request.

    Attributes:
        after: seconds on the clock of the play; None where nothing says when.
    """

    def __init__(self, result: Any, after: float | None = None) -> None:
        self.result = result
        self.after = after


class Answers:
    """The answers of one play; turns are counted here, so another play begins at the first again.

    Attributes:
        unused: names by which no request went yet, each with what it was given for, as ``results``.
    """

    def __init__(
        self,
        results: Results | None = None,
        people: People | None = None,
        *,
        hooks: By | None = None,
        subprocesses: By | None = None,
    ) -> None:
        self._results = results if callable(results) else by_name(results)
        self._people = by_name(people) if isinstance(people, Mapping) else people
        self._hooks = None if hooks is None else by_name(hooks)
        self._subprocesses = by_name(subprocesses)
        self._turns = WeakKeyDictionary[InTurn, int]()
        groups = (
            ("results", self._results),
            ("people", self._people),
            ("hooks", self._hooks),
            ("subprocesses", self._subprocesses),
        )
        self.unused = {
            (group, name): None for group, told in groups if isinstance(told, dict) for name in told
        }

    def __contains__(self, asked: Asked) -> bool:
        return callable(self._results) or self._find(asked) is not MISSING

    def take(self, asked: Asked) -> Timed:
        """What the test gives for a request, and when.

        Raises:
            NoAnswer: it gives nothing; says what to write.
        """
        return self._settle(self._find(asked), asked)

    def missing(self, asked: Asked) -> NoAnswer:
        """The error for a request that the test did not think of, or wrote another name for."""
        from difflib import get_close_matches

        error = no_answer(asked)
        unused = {name: group for group, name in self.unused if isinstance(name, str)}
        names = (called(asked), asked.title, asked.question or "")
        near = [each for name in names for each in get_close_matches(name, unused, n=1)]
        if near:
            error.hint += f"; {unused[near[0]]} has {near[0]!r}, by which no request goes"
        return error

    def _find(self, asked: Asked) -> Any:
        if callable(self._results):
            return self._results(asked)
        for name in (asked.step, asked.title):
            if name in self._results:
                return self._use("results", self._results, name)
        if asked.kind == "breakpoint" and self._people is not None:
            return self._person(asked)
        if asked.kind == "hook":
            # Where nothing is said of hooks there are none, as in most projects.
            return [] if self._hooks is None else self._use("hooks", self._hooks, name_of(asked))
        if asked.kind == "subprocess":
            return self._child(name_of(asked))
        return self._use("results", self._results, asked.task)

    def _use(self, group: str, given: dict[str, Any], name: str) -> Any:
        """What is given by a name, which is used by that; MISSING where nothing is."""
        self.unused.pop((group, name), None)
        return given.get(name, MISSING)

    def _child(self, process: str) -> Any:
        """The answer of a child run: by the name of its process, or of its function."""
        for name in (process, process.partition("#")[2]):
            if name in self._subprocesses:
                return self._use("subprocesses", self._subprocesses, name)
        return MISSING

    def _person(self, asked: Asked) -> Any:
        if not isinstance(self._people, dict):
            return self._people
        for name in (asked.question, asked.title):
            if name in self._people:
                return self._use("people", self._people, name)
        return MISSING

    def _settle(self, answer: Any, asked: Asked) -> Timed:
        after: float | None = None
        while True:
            if answer is MISSING:
                raise self.missing(asked)
            if isinstance(answer, InTurn):
                is_long, kept = len(answer.results) > 1, ref(answer)
                answer = self._turn(answer, asked)
                if is_long and kept() is None:
                    # Nobody has it any more, so nobody will ever ask for the second.
                    raise _made_anew(asked)
            elif isinstance(answer, Later):
                after, answer = (after or 0) + answer.seconds, answer.result
            elif callable(answer):
                answer = _called(answer, asked)
            else:
                return Timed(answer, after)

    def _turn(self, answer: InTurn, asked: Asked) -> Any:
        turn = self._turns[answer] = self._turns.get(answer, 0) + 1
        if turn > len(answer.results):
            raise NoAnswer(
                f"task {asked.task!r} is asked for the {turn}. time, by {asked} at step {asked.step!r},"
                f" and in_turn has {len(answer.results)} results",
                hint="add a result, or see why the process asks so often",
            )
        return answer.results[turn - 1]


def _made_anew(asked: Asked) -> InvalidInput:
    return InvalidInput(
        f"the function that answers {called(asked)!r} gives a new in_turn at each call,"
        " so always its first result",
        hint="make it once, outside of the function: turns = in_turn(…), then lambda …: turns",
    )


def by_name(given: By | None) -> dict[str, Any]:
    """The same with tasks named by their ids."""
    return {key.id if isinstance(key, Task) else key: value for key, value in (given or {}).items()}


def name_of(asked: Asked) -> str:
    """The name of a hook, or of the process of a child run."""
    told = asked.definition[asked.kind]
    return str(told["name"] if asked.kind == "hook" else told["process"])


def called(asked: Asked) -> str:
    """What a test calls a request by."""
    return name_of(asked) if asked.kind in ("hook", "subprocess") else asked.task


def _called(function: Any, asked: Asked) -> Any:
    """What a function gives for a request. A task's own is performed, so what it raises is a failure."""
    try:
        if asked.kind in SUBJECTS:
            return function(asked.definition[asked.kind].get(SUBJECTS[asked.kind]))
        return function(**asked.args)
    except TaskFailed as error:
        return Failure(error.name, error.message, error.data, error.exit_code)
    except Exception as error:
        if not isinstance(function, Task):
            raise
        return Failure(type(error).__name__, str(error))


# What to write for a request that has no answer.
EXAMPLES = {
    "shell": "results={{{task!r}: 'what it prints'}}, or an exit code, or fails('ShellFailed')",
    "python": "results={{{task!r}: …}}: a value, a function of its arguments, or the task itself",
    "breakpoint": "people=approves(), or people={{{question!r}: rejects('why')}}",
    "hook": "hooks={{{name!r}: …}}",
    "subprocess": "subprocesses={{{name!r}: …}}: the output of the child run",
}


def no_answer(asked: Asked) -> NoAnswer:
    """The error for a request that the test did not think of."""
    name = called(asked)
    example = EXAMPLES.get(asked.kind, "results={{{task!r}: …}}: a value, or a function of its arguments")
    return NoAnswer(
        f"the test has no answer for {asked.kind} {name!r}, asked for at step {asked.step!r} as {asked}",
        hint=f"write {example.format(task=asked.task, question=asked.question, name=name)}; or `never`",
    )
