"""How the answers to a breakpoint become its decision. Pure: the same answers always give the same one."""

from __future__ import annotations

from babysitter.engine.breakpoints import ALL, OWNER, QUORUM

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from babysitter.engine.breakpoints import Asked

# The words of an answer, as the process gets them.
WORDS = ("response", "feedback", "option", "respondedBy")
# Who has decided where nobody did in time.
BY_DEADLINE = "deadline"


class GivenAnswer:
    """One person's answer, as its event has it.

    Attributes:
        seq: the number of the event.
        data: what the event says.
        until_ms: until when a yes counts; None: for ever.
    """

    __slots__ = ("data", "seq", "until_ms")

    def __init__(self, seq: int, data: dict[str, Any]) -> None:
        self.seq = seq
        self.data = data
        self.until_ms: int | None = data.get("untilMs")

    @property
    def approved(self) -> bool:
        return bool(self.data["approved"])

    @property
    def by(self) -> str:
        return str(self.data["respondedBy"])

    @property
    def key(self) -> str | None:
        """The key that it was signed with."""
        return (self.data.get("evidence") or {}).get("fingerprint")

    @property
    def speaks_for(self) -> list[str]:
        """The experts whose answer it is."""
        return self.data.get("experts") or []

    def as_response(self) -> dict[str, Any]:
        """What the process sees of it among all responses."""
        return {"approved": self.approved, **{name: self.data.get(name) for name in WORDS}}

    def is_of(self, by: str, key: str | None) -> bool:
        """The same person has given it: under the same name, or with the same key."""
        return self.by == by or (key is not None and self.key == key)


def experts_heard(answers: Iterable[GivenAnswer]) -> set[str]:
    """The experts for whom somebody has answered."""
    return {expert for answer in answers for expert in answer.speaks_for}


def decision(asked: Asked, answers: Sequence[GivenAnswer]) -> dict[str, Any] | None:
    """What the answers come to, as the value of the breakpoint; None: it is not decided yet."""
    if asked.strategy == ALL:
        return _by_all(asked, answers)
    if asked.strategy == QUORUM:
        return _by_quorum(asked, answers)
    return _value(answers[0].approved, answers[:1], answers) if answers else None


def _by_all(asked: Asked, answers: Sequence[GivenAnswer]) -> dict[str, Any] | None:
    if not experts_heard(answers).issuperset(asked.experts):
        return None
    against = [answer for answer in answers if not answer.approved]
    return _value(not against, against or answers, answers)


def _by_quorum(asked: Asked, answers: Sequence[GivenAnswer]) -> dict[str, Any] | None:
    agreeing: dict[Any, list[GivenAnswer]] = {}
    for answer in answers:
        if answer.approved:
            option = answer.data.get("option")
            agreeing.setdefault(option, []).append(answer)
            if len(agreeing[option]) >= asked.needed:
                return _value(True, agreeing[option], answers)
    against = [answer for answer in answers if not answer.approved]
    if asked.experts:
        heard = experts_heard(answers)
        left = sum(expert not in heard for expert in asked.experts)
        is_lost = max(map(len, agreeing.values()), default=0) + left < asked.needed
    else:
        # Anybody may answer, so there is no telling who else would: as many against it end it too.
        is_lost = len(against) >= asked.needed
    return _value(False, against or answers, answers) if is_lost else None


def _value(approved: bool, deciding: Sequence[GivenAnswer], answers: Sequence[GivenAnswer]) -> dict[str, Any]:
    """The decision in the words of those who decided: of each word what all of them say, or one line each."""
    told: dict[str, Any] = {}
    for name in WORDS:
        said = list(dict.fromkeys(str(answer.data[name]) for answer in deciding if answer.data.get(name)))
        joined = ", " if name == "respondedBy" else "\n"
        told[name] = joined.join(said) if said else None
    options = {answer.data.get("option") for answer in deciding}
    told["option"] = options.pop() if approved and len(options) == 1 else None
    return {"approved": approved, **told, "allResponses": [answer.as_response() for answer in answers]}


def at_deadline(asked: Asked, answers: Sequence[GivenAnswer]) -> dict[str, Any]:
    """What is decided when the time is over: what the answers come to, or else the default."""
    decided = decision(asked, answers)
    if decided is not None:
        return decided
    default = asked.default
    option = default if isinstance(default, str) else None
    if default is True and asked.options:
        option = asked.options[0]
    told = {"response": None, "feedback": None, "option": option, "respondedBy": BY_DEADLINE}
    everyone = [answer.as_response() for answer in answers]
    return {"approved": bool(default), **told, "allResponses": everyone}


def experts_met(asked: Asked, names: set[str], owner: str | None) -> list[str]:
    """Those experts whom somebody is that goes by these names; the owner is who has made the run.

    Of a run of an earlier version nobody knows who that was, so it is anybody.
    """
    is_owner = owner is None or owner in names
    return [each for each in asked.experts if (is_owner if each == OWNER else each in names)]


def standing(asked: Asked, answers: Sequence[GivenAnswer]) -> dict[str, Any]:
    """Where a breakpoint stands that collects answers, to be shown."""
    heard = experts_heard(answers)
    return {
        "strategy": asked.strategy,
        "approvals": sum(answer.approved for answer in answers),
        "rejections": sum(not answer.approved for answer in answers),
        **({"needed": asked.needed} if asked.strategy == QUORUM else {}),
        **({"waitingFor": [each for each in asked.experts if each not in heard]} if asked.experts else {}),
    }
