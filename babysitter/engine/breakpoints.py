"""What a breakpoint asks, of whom, and how several answers become one decision."""

from __future__ import annotations

from babysitter.durations import seconds

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

# What a breakpoint may demand of the way in which a person answers it, weakest first; docs/security.md.
ASSURANCES = ("dialog", "command", "terminal", "signed")
SINGLE, FIRST, ALL, QUORUM = "single", "first-response", "collect-all", "quorum"
STRATEGIES = (SINGLE, FIRST, ALL, QUORUM)
# Stands for whoever has made the run.
OWNER = "owner"
LONGEST_NAME = 128
SPOKEN = {"yes": True, "no": False}
LONGEST_SECONDS = 250_000_000_000
_IN_NAMES = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")


def check_assurance(told: Any) -> None:
    """Refuse what names no level.

    Raises:
        TypeError: it is not a text.
        ValueError: there is no such level.
    """
    if not isinstance(told, str):
        raise TypeError(f"assurance={told!r} is not a text; it is one of {', '.join(ASSURANCES)}")
    if told not in ASSURANCES:
        raise ValueError(f"there is no assurance {told!r}; it is one of {', '.join(ASSURANCES)}")


def checked(told: Mapping[str, Any]) -> dict[str, Any]:
    """The description of a breakpoint, as it stands in the journal, without what is not given.

    Raises:
        TypeError, ValueError: something of it is not what it can be, or does not go together.
    """
    # What babysitter asks by itself says so by "asks"; nothing of an author's passes for that.
    kept = {name: value for name, value in told.items() if value is not None and name != "asks"}
    question = kept.get("question")
    if not isinstance(question, str) or not question.strip():
        raise TypeError(f"ctx.breakpoint needs a question, found {question!r}")
    for name, check in _CHECKS.items():
        if name in kept:
            kept[name] = check(name, kept[name])
    _check_who(kept)
    _check_when(kept)
    return kept


def _text(name: str, told: Any) -> str:
    if not isinstance(told, str):
        raise TypeError(f"{name}={told!r} is not a text")
    return told


def _name(name: str, told: Any) -> str:
    """Matched by rules in patterns, and so plain."""
    text = _text(name, told)
    if not text or len(text) > LONGEST_NAME or not _IN_NAMES.issuperset(text) or not text[0].isalnum():
        raise ValueError(
            f"{name}={told!r} is no name: letters, digits, '.', '_' and '-', at most {LONGEST_NAME}"
        )
    return text


def _texts(name: str, told: Any) -> list[str]:
    """One text or several, each once."""
    listed = [told] if isinstance(told, str) else told
    if not isinstance(listed, (list, tuple)) or not all(isinstance(each, str) and each for each in listed):
        raise TypeError(f"{name}={told!r} is neither a text nor a list of texts")
    return list(dict.fromkeys(listed))


def _options(name: str, told: Any) -> list[str]:
    if isinstance(told, str) or not hasattr(told, "__iter__"):
        raise TypeError(f"options={told!r} is not a list of texts")
    return [str(option) for option in told]


def _count(name: str, told: Any) -> int:
    if isinstance(told, bool) or not isinstance(told, int):
        raise TypeError(f"{name}={told!r} is not a number")
    if told < 1:
        raise ValueError(f"{name}={told!r} is less than 1")
    return told


def _strategy(_: str, told: Any) -> str:
    if told not in STRATEGIES:
        raise ValueError(f"there is no strategy {told!r}; it is one of {', '.join(STRATEGIES)}")
    return str(told)


def _assurance(_: str, told: Any) -> str:
    check_assurance(told)
    return str(told)


def _length(name: str, told: Any) -> float:
    length = seconds(told)
    if not length:
        raise ValueError(f"{name}={told!r} is over at once")
    # No calendar goes further, and no sum with it does either.
    return min(length, LONGEST_SECONDS)


def _files(_: str, told: Any) -> list[dict[str, str]]:
    """Paths, or mappings with a ``path`` and what else is said of it."""
    listed = [told] if isinstance(told, (str, dict)) else told
    if not isinstance(listed, (list, tuple)):
        raise TypeError(f"files={told!r} is not a list of paths")
    return [_file(each) for each in listed]


def _file(told: Any) -> dict[str, str]:
    described = {"path": told} if isinstance(told, str) else told
    if not isinstance(described, dict) or not isinstance(described.get("path"), str) or not described["path"]:
        raise TypeError(f"files has {told!r}, which is neither a path nor a mapping with a 'path'")
    if "\0" in described["path"]:
        raise ValueError(f"files has {told!r}, and no path has a NUL in it")
    return {_text("files", name): _text(name, described[name]) for name in described}


def _check_who(kept: dict[str, Any]) -> None:
    """Who is asked, and how many of them have to answer."""
    experts, strategy = kept.get("expert", []), kept.get("strategy")
    if "quorum" in kept and strategy not in (None, QUORUM):
        raise ValueError(f"quorum={kept['quorum']} belongs to the strategy 'quorum', and not to {strategy!r}")
    if strategy == SINGLE and len(experts) > 1:
        raise ValueError(
            f"the strategy 'single' asks one, and {len(experts)} experts are named; 'first-response' lets any"
            " of them decide, 'collect-all' asks all, 'quorum' so many of them"
        )
    if strategy == ALL and not experts:
        raise ValueError("the strategy 'collect-all' needs expert=[…], those who are all to answer")
    if strategy == QUORUM and not experts and "quorum" not in kept:
        raise ValueError("the strategy 'quorum' needs quorum=N, how many have to agree, or expert=[…]")
    if experts and kept.get("quorum", 0) > len(experts):
        raise ValueError(f"quorum={kept['quorum']} is more than the {len(experts)} experts that are named")


def _check_when(kept: dict[str, Any]) -> None:
    """What is decided when nobody has answered in time."""
    default = kept.get("default")
    if default is None:
        return
    if "deadline" not in kept:
        raise ValueError(f"default={default!r} needs deadline=…, the time after which it is taken")
    if not isinstance(default, bool) and default not in kept.get("options", ()):
        if default not in SPOKEN:
            raise ValueError(f"default={default!r} is neither True nor False nor one of the options")
        default = kept["default"] = SPOKEN[default]
    if default is not False and "assurance" in kept:
        raise ValueError(
            f"default={default!r} would let time approve what demands a person ({kept['assurance']!r})"
        )


_CHECKS = {
    "title": _text,
    "options": _options,
    "assurance": _assurance,
    "id": _name,
    "tags": _texts,
    "expert": _texts,
    "strategy": _strategy,
    "quorum": _count,
    "files": _files,
    "previousFeedback": _text,
    "attempt": _count,
    "deadline": _length,
    "expires": _length,
}


class Asked:
    """A breakpoint as its description has it.

    Attributes:
        experts: who is asked; nobody in particular when it is empty.
        needed: how many have to agree, of the strategy ``quorum``.
        files: what is shown beside the question, each with its ``path``.
        deadline: seconds after the request, when ``default`` is taken.
        expires: seconds for which a yes counts, from when it was given.
        is_budget: babysitter asks it by itself, for more to spend.
    """

    __slots__ = (
        "deadline",
        "default",
        "expires",
        "experts",
        "files",
        "id",
        "is_budget",
        "needed",
        "options",
        "strategy",
        "tags",
    )

    def __init__(self, definition: Mapping[str, Any]) -> None:
        told = definition["breakpoint"]
        self.id: str = told.get("id") or ""
        self.tags: list[str] = told.get("tags") or []
        self.options = [str(option) for option in told.get("options") or []]
        self.experts: list[str] = told.get("expert") or []
        self.files: list[dict[str, str]] = told.get("files") or []
        self.deadline: float | None = told.get("deadline")
        self.default: bool | str = told.get("default") or False
        self.expires: float | None = told.get("expires")
        self.is_budget = told.get("asks") == "budget"
        quorum = told.get("quorum")
        usual = QUORUM if quorum else FIRST if len(self.experts) > 1 else SINGLE
        self.strategy: str = told.get("strategy") or usual
        self.needed: int = quorum or len(self.experts) // 2 + 1

    @property
    def is_collecting(self) -> bool:
        """Answers are kept as they come, and decided about when the process is to go on with them."""
        return self.strategy in (ALL, QUORUM) or bool(self.files) or self.expires is not None

    def until_ms(self, given_ms: int) -> int:
        """Until when a yes counts that was given then."""
        return given_ms + round((self.expires or 0) * 1000)
