"""Breakpoints against a small model: whoever answers, whatever changes, expires and is killed.

The model says which events an operation has to write. A command that reads the newest state writes all of
them, one that has read the run long ago all or none, one that is killed a beginning of them.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

from hypothesis import given

from babysitter.errors import AlreadyResolved, BabysitterError
from babysitter.runs.answering import Shown, decide
from babysitter.runs.execution import Execution
from babysitter.runs.iterate import iterate
from babysitter.runs.results import ALREADY, RECORDED, accept
from babysitter.runs.run import Run
from babysitter.runs.verification import verify
from tests.property.strategies import chance_of, examples, seeds
from tests.support.asking import START_MS, Clock, Question

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    # What an operation writes: a word, and what it is about.
    Told = tuple[str, Any]

PROCESS = """
async def process(inputs, ctx):
    told = await ctx.breakpoint("Go?", **inputs)
    everyone = [each["respondedBy"] for each in told.all_responses]
    return [told.approved, told.option, told.responded_by, everyone]
"""
FILE, AT_FIRST = "plan.md", "one"
OPTIONS = ["eu", "us"]
MOST_STEPS = 14
# Who answers, and what else they go by.
PEOPLE = {"alice": [], "bob": [], "carol": [], "zoe": ["alice", "bob"], "dan": []}
EVENTS = {"BREAKPOINT_ANSWERED": "answer", "ANSWER_VOIDED": "void", "EFFECT_RESOLVED": "resolved"}


class Killed(BaseException):
    """The process is gone."""


# What is asked, and what happens then


def asked(chance: Random) -> dict[str, Any]:
    """What a breakpoint asks: of whom, by which strategy, with what that can make an answer void."""
    strategy = chance.choice(["single", "first-response", "collect-all", "quorum", "quorum"])
    experts = chance.sample(["alice", "bob", "carol"], chance.randint(0, 3))
    if strategy == "single":
        experts = experts[:1]
    elif strategy == "collect-all" and not experts:
        experts = ["alice", "bob"]
    told: dict[str, Any] = {"strategy": strategy, **({"expert": experts} if experts else {})}
    if strategy == "quorum" and (not experts or chance.random() < 0.7):
        told["quorum"] = chance.randint(1, len(experts) or 3)
    more: dict[str, Any] = {
        "options": OPTIONS,
        "files": [FILE],
        "expires": chance.randint(1, 4),
        "deadline": chance.randint(1, 5),
    }
    told |= {name: value for name, value in more.items() if chance.random() < 0.4}
    if "deadline" in told:
        told["default"] = chance.choice([True, False, None])
    return told


class Answer(NamedTuple):
    """Somebody says something; ``is_looking``: on what they are shown at that moment."""

    by: str
    approved: bool
    option: str | None
    is_looking: bool


def operation(chance: Random, told: dict[str, Any]) -> Any:
    """An answer, an iteration, so many seconds, or what is in the file from now on."""
    what = chance.choices(["answer", "iterate", "time", "file"], [8, 3, 2, 1 if "files" in told else 0])[0]
    if what == "answer":
        options = OPTIONS if "options" in told else [None]
        option = chance.choice(options if chance.random() < 0.9 else [None, "nowhere"])
        by = chance.choice([*told.get("expert", ()), *PEOPLE] if chance.random() < 0.8 else ["zoe", "dan"])
        return Answer(by, chance.random() < 0.75, option, chance.random() < 0.7)
    if what == "time":
        return chance.choice([1, 1, 1, 2, 4])
    return "iterate" if what == "iterate" else (chance.choice([AT_FIRST, AT_FIRST, "two", None]),)


def manner(chance: Random) -> Any:
    """By a command that reads the newest state, by one that did long ago, or killed after so many events."""
    return chance.choices(["new", "old", 0, 1], [6, 2, 1, 1])[0]


# What has to come of it


class Given(NamedTuple):
    """An answer as the model has it."""

    by: str
    experts: frozenset[str]
    approved: bool
    option: str | None
    until: float
    content: str | None


class Model:
    """A breakpoint, its answers, and what follows from them.

    Attributes:
        answers: those that were not voided, by the number of their event.
        value: what is decided: yes or no, the option, by whom, and who has said anything.
        decided_on: the answers that this rests on.
    """

    def __init__(self, told: dict[str, Any]) -> None:
        self.experts = frozenset(told.get("expert", ()))
        self.strategy = told["strategy"]
        self.needed = told.get("quorum") or len(self.experts) // 2 + 1
        self.options, self.shows = told.get("options", []), "files" in told
        self.lasts = told.get("expires", float("inf"))
        self.ends = told.get("deadline", float("inf"))
        self.default = bool(told.get("default"))
        self.is_kept = self.strategy in ("quorum", "collect-all") or self.shows or "expires" in told
        self.now: float = 0
        self.content: str | None = AT_FIRST
        self.answers: dict[int, Given] = {}
        self.value: Any = None
        self.decided_on: list[Given] = []
        self.has_ended = False
        self.events = 2

    def counts(self, answer: Given) -> bool:
        if not answer.approved:
            return True
        is_same = not self.shows or (answer.content == self.content is not None)
        return self.now < answer.until and is_same

    def counting(self) -> list[Given]:
        return [answer for answer in self.answers.values() if self.counts(answer)]

    def voids(self) -> list[Told]:
        return [("void", seq) for seq, answer in self.answers.items() if not self.counts(answer)]

    def decision(self) -> Any:
        """What the answers that count come to; None: nothing yet."""
        said = self.counting()
        if self.strategy in ("single", "first-response"):
            return self.decided(said[0].approved, said[:1]) if said else None
        against = [each for each in said if not each.approved]
        heard = frozenset[str]().union(*(each.experts for each in said))
        if self.strategy == "collect-all":
            return self.decided(not against, against or said) if heard >= self.experts else None
        votes = Counter(each.option for each in said if each.approved)
        option, most = votes.most_common(1)[0] if votes else (None, 0)
        if most >= self.needed:
            return self.decided(True, [each for each in said if each.approved and each.option == option])
        is_lost = (
            most + len(self.experts - heard) < self.needed if self.experts else len(against) >= self.needed
        )
        return self.decided(False, against or said) if is_lost else None

    def decided(self, approved: bool, deciding: list[Given]) -> Any:
        options = {each.option for each in deciding}
        option = options.pop() if approved and len(options) == 1 else None
        return approved, option, ", ".join(each.by for each in deciding), self.counting()

    def to_answer(self, told: Answer, names: set[str]) -> tuple[str, list[Told]]:
        """What becomes of an answer, in a word, and the events that it writes."""
        met = frozenset(self.experts & names)
        new = Given(told.by, met, told.approved, told.option, self.now + self.lasts, self.content)
        if self.value is not None:
            same = [each for each in self.decided_on if (each.by, *each[2:4]) == told[:3]]
            return ALREADY if same else "conflict", []
        if told.option is not None and told.option not in self.options:
            return "refused", []
        if (
            told.approved
            and told.option is None
            and self.options
            and self.strategy in ("quorum", "collect-all")
        ):
            return "refused", []
        has_changed = self.shows and self.content != AT_FIRST
        if (self.experts and not met) or (not told.is_looking and has_changed):
            return "refused", []
        if self.shows and self.content is None:
            # Nobody can be shown what is gone; a yes on it is void at once.
            new = new._replace(content="gone")
        return self._judged(new, met)

    def _judged(self, new: Given, met: frozenset[str]) -> tuple[str, list[Told]]:
        said = self.counting() if self.is_kept else []
        own = [each for each in said if each.by == new.by]
        if own:
            return ALREADY if own[0][2:4] == new[2:4] else "conflict", []
        if met and met <= frozenset[str]().union(*(each.experts for each in said)):
            return "conflict", []
        if self.now >= self.ends or (self.is_kept and self.decision() is not None):
            return "conflict", []
        if not self.is_kept:
            return RECORDED, [("resolved", (new.approved, new.option, new.by, [new]))]
        return RECORDED, [*self.voids(), ("answer", new)]

    def to_iterate(self) -> list[Told]:
        """What an iteration writes."""
        if self.has_ended:
            return []
        if self.value is not None:
            return [("end", None)]
        value = self.decision()
        if value is None and self.now >= self.ends:
            option = self.options[0] if self.default and self.options else None
            value = (self.default, option, "deadline", self.counting())
        return [*self.voids(), *([] if value is None else [("resolved", value), ("end", None)])]

    def write(self, told: list[Told]) -> None:
        """Let these events have been written."""
        for word, about in told:
            self.events += 1
            if word == "answer":
                self.answers[self.events] = about
            elif word == "void":
                del self.answers[about]
            elif word == "resolved":
                *words, self.decided_on = about
                self.value = (*words, [each.by for each in self.decided_on])
            else:
                self.has_ended = True


# Both side by side


class Trial:
    """A run and its model, and what was tried with both."""

    def __init__(self, folder: Path, clock: Clock, told: dict[str, Any]) -> None:
        self.question = Question(folder, clock)
        self.question.write(FILE, AT_FIRST)
        self.question.ask(PROCESS, **told)
        self.model = Model(told)
        self.old = self.question.open()

    def step(self, what: Any, how: Any) -> None:
        if isinstance(what, int):
            self.model.now += what
            self.question.clock.ms = START_MS + round(self.model.now * 1000)
        elif isinstance(what, tuple) and not isinstance(what, Answer):
            self.put(*what)
        elif what == "iterate":
            self.compare(self.model.to_iterate(), how, iterate)
        else:
            self.answer(what, how)

    def put(self, content: str | None) -> None:
        """The file has something else in it, or is gone."""
        if content is None:
            (self.question.project / FILE).unlink(missing_ok=True)
        else:
            self.question.write(FILE, content)
        self.model.content = content

    def answer(self, told: Answer, how: Any) -> None:
        names = {told.by, *PEOPLE[told.by]}
        expected, events = self.model.to_answer(told, names)
        became = self.compare(events, how, lambda run: self.said(run, told))
        assert became == expected or how != "new"

    def said(self, run: Run, told: Answer) -> str:
        """What becomes of an answer, in a word."""
        effect = self.question.effect(run)
        try:
            shown = Shown(run, effect).digest if told.is_looking and effect.is_pending else None
            words: dict[str, Any] = {"option": told.option, "shown": shown}
            names = PEOPLE[told.by]
            answer = decide(run, effect, told.approved, by=told.by, names=lambda: names, **words)
        except BabysitterError:
            return "refused"
        (verdict,) = accept(run, [answer])
        return "conflict" if isinstance(verdict.error, AlreadyResolved) else verdict.status

    def journal_length(self) -> int:
        return len(os.listdir(Path(self.question.runs, "r", "journal")))

    def compare(self, expected: list[Told], how: Any, act: Callable[[Run], Any]) -> Any:
        """Do it, and see that the journal has what it has to have then."""
        before, result = self.journal_length(), None
        if how == "new":
            result = act(self.question.open())
        elif how == "old":
            result = act(self.old)
        else:
            die(how, act, self.question.open())
        written = self.journal_length() - before
        if how == "new":
            assert written == len(expected), (expected, self.types()[before:])
        elif how == "old":
            assert written in (0, len(expected)), (expected, self.types()[before:])
            self.old = self.question.open()
        assert self.types()[before:] == [word for word, _ in expected[:written]]
        self.model.write(expected[:written])
        return result

    def types(self) -> list[str]:
        return [EVENTS.get(event.type, "end") for event in self.question.events()]

    def check(self) -> None:
        """What a new command reads is what the model has."""
        run = self.question.open()
        effect = self.question.effect(run)
        given = [(each.seq, each.by, each.approved) for each in run.state.answers.get(effect.id, [])]
        if self.model.value is None:
            assert given == [(seq, each.by, each.approved) for seq, each in self.model.answers.items()]
            assert effect.is_pending
            return
        value = run.value_of(effect)
        everyone = [each["respondedBy"] for each in value["allResponses"]]
        assert (value["approved"], value["option"], value["respondedBy"], everyone) == self.model.value

    def check_the_end(self) -> None:
        """Replayed from the files alone it is the same, and nothing was decided twice."""
        if self.model.value is not None and not self.model.has_ended:
            self.step("iterate", "new")
        run = verify(Run(os.path.join(self.question.runs, "r"))).run
        assert self.types().count("resolved") == (self.model.value is not None)
        assert run.state.is_finished == (self.model.value is not None)
        if self.model.value is None:
            return
        assert run.output() == [*self.model.value]
        again = Execution(run)
        again.start()
        assert again.end is not None
        assert again.end.value == run.output()


def die(after: int, act: Callable[[Run], Any], run: Run) -> None:
    """Do something, killed when so many events have their names."""
    left, real_link = after, os.link

    def link(*names: Any, **options: Any) -> None:
        nonlocal left
        if left == 0:
            raise Killed
        left -= 1
        real_link(*names, **options)

    with mock.patch("os.link", link):
        try:
            act(run)
        except Killed:
            pass


@given(seeds)
@examples(250)
def test_a_breakpoint_is_decided_as_the_model_says_once_and_for_ever(seed: int) -> None:
    clock, finders, chance = Clock(), list(sys.meta_path), chance_of(seed)
    folder = Path(tempfile.mkdtemp())
    try:
        with (
            mock.patch("babysitter.runs.run.now_ms", clock),
            # Nothing here is about power cuts, and waiting for the disk takes most of the time.
            mock.patch("os.fsync", return_value=None),
        ):
            told = asked(chance)
            trial = Trial(folder, clock, told)
            for _ in range(chance.randint(3, MOST_STEPS)):
                trial.step(operation(chance, told), manner(chance))
                trial.check()
            trial.check_the_end()
    finally:
        sys.meta_path[:] = finders
        shutil.rmtree(folder)
