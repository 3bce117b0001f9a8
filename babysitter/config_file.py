"""Read a configuration file: YAML, checked by pydantic. Imported only when there is a file."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError
from pydantic_core import PydanticCustomError

from babysitter.budget import checked as checked_budget
from babysitter.errors import InvalidInput
from babysitter.rate import parse as parse_rate
from babysitter.usage import MOST_MODEL
from babysitter.yamltext import load


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


# An event nests its values in a few levels of its own, and the journal writes 200 of them.
DEEPEST = 190
A_DAY = 86_400


class LimitsModel(_Strict):
    """Sizes and depths."""

    resultBytes: int | None = Field(default=None, ge=1)
    memoryBytes: int | None = Field(default=None, ge=1)
    keys: int | None = Field(default=None, ge=1)
    depth: int | None = Field(default=None, ge=1, le=DEEPEST)
    inlineBytes: int | None = Field(default=None, ge=0, le=1 << 20)


class AgentModel(_Strict):
    """An agent's command line, word by word."""

    command: list[str] = Field(min_length=1)


def _refuse(reason: str) -> PydanticCustomError:
    return PydanticCustomError("pattern", "{reason}", {"reason": reason})


def _check_pattern(pattern: str) -> str:
    if not pattern.isascii():
        raise _refuse("a pattern is ASCII; it is matched against bytes")
    try:
        re.compile(pattern.encode())
    except (re.error, OverflowError, RecursionError) as error:
        raise _refuse(f"not a regular expression: {error}") from None
    return pattern


def _check_selective_pattern(pattern: str) -> str:
    compiled = re.compile(pattern.encode())
    if any(found.end() == found.start() for text in (b"", b"a 1") for found in compiled.finditer(text)):
        raise _refuse("it matches the empty text, so it would match everywhere")
    return pattern


def _check_quick_pattern(pattern: str) -> str:
    """Refuse what could take long: a project's pattern must not be able to hang its user's commands.

    Without groups and with one bounded repetition an attempt takes some hundred steps at most.
    """
    plain = re.sub(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", "x", pattern, flags=re.DOTALL)
    if "(" in plain:
        raise _refuse("a project's pattern has no groups, so that it cannot take long")
    for alternative in plain.split("|"):
        if re.search(r"[*+]|\{\d*,\}", alternative):
            raise _refuse(
                "a project's pattern repeats with a bound, as in {8,64}, so that it cannot take long"
            )
        if len(re.findall(r"\?|\{\d*,\d*\}", alternative)) > 1:
            raise _refuse("a project's pattern has one '?' or {m,n} at most, so that it cannot take long")
        if any(int(number) > MOST_REPEATS for number in re.findall(r"\d+(?=\})", alternative)):
            raise _refuse(f"a project's pattern repeats {MOST_REPEATS} times at most")
    return pattern


MOST_REPEATS = 256
MOST_PRICE = 1e9
MOST_ADDED = 20
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.-]{3,64}$")]
Pattern = Annotated[
    str, Field(min_length=1), AfterValidator(_check_pattern), AfterValidator(_check_selective_pattern)
]
QuickPattern = Annotated[
    str,
    Field(min_length=1, max_length=500),
    AfterValidator(_check_pattern),
    AfterValidator(_check_quick_pattern),
    AfterValidator(_check_selective_pattern),
]


def _check_rate(text: str) -> str:
    try:
        parse_rate(text)
    except ValueError as error:
        raise _refuse(str(error)) from None
    return text


# Nothing is started for these: a person, the clock, or another run answers them.
UNLIMITED = ("breakpoint", "sleep", "subprocess")


def _check_kind(kind: str) -> str:
    if kind in UNLIMITED:
        raise _refuse(f"nothing is started for a {kind}, so there is nothing to limit")
    return kind


class RatedModel(_Strict):
    """How often a kind of effects, or a task, may be started."""

    limit: Annotated[str, AfterValidator(_check_rate)]


Rated = Annotated[str, Field(min_length=1, max_length=200)]


def _check_budget(told: dict[str, Any]) -> dict[str, Any]:
    try:
        return checked_budget(told)
    except (ValueError, TypeError, AttributeError) as error:
        raise _refuse(str(error)) from None


PerMillion = Annotated[float, Field(ge=0, le=MOST_PRICE, allow_inf_nan=False)]
Currency = Annotated[str, Field(pattern=r"^[A-Za-z]{1,12}$")]
ModelPattern = Annotated[str, Field(min_length=1, max_length=MOST_MODEL)]


class PriceModel(_Strict):
    """What a million tokens of each kind cost; those of a cache as input, if nothing is said."""

    input: PerMillion
    output: PerMillion
    cacheRead: PerMillion | None = None
    cacheWrite: PerMillion | None = None


class PricesModel(_Strict):
    """What tokens cost, by patterns of the names of models; the longest that fits counts."""

    currency: Currency | None = None
    models: dict[ModelPattern, PriceModel] | None = None
    default: PriceModel | None = None


class ProjectRedactModel(_Strict):
    """What else is a secret in this project."""

    names: list[Name] | None = Field(default=None, max_length=MOST_ADDED)
    patterns: list[QuickPattern] | None = Field(default=None, max_length=MOST_ADDED)


class UserRedactModel(_Strict):
    """What else is a secret, and whether secrets are redacted at all."""

    enabled: bool | None = None
    names: list[Name] | None = None
    patterns: list[Pattern] | None = None


class ProjectModel(_Strict):
    """What a project may say."""

    jobs: int | None = Field(default=None, ge=1)
    agent: str | None = None
    iterateSeconds: float | None = Field(default=None, ge=0.001, le=A_DAY)
    hookSeconds: float | None = Field(default=None, ge=0.001, le=A_DAY)
    limits: LimitsModel | None = None
    redact: ProjectRedactModel | None = None
    kinds: dict[Annotated[Rated, AfterValidator(_check_kind)], RatedModel] | None = None
    tasks: dict[Rated, RatedModel] | None = None
    budget: Annotated[dict[str, Any], AfterValidator(_check_budget)] | None = None
    # Counts only once the user has trusted the file; the others narrow, and need no trust.
    agents: dict[str, AgentModel] | None = None


class UserModel(ProjectModel):
    """What a user may say: all of that, that nothing is redacted, and what tokens cost."""

    redact: UserRedactModel | None = None  # type: ignore[assignment]
    # Names and roles that breakpoints ask for, as whom this user answers.
    answersAs: list[Annotated[str, Field(min_length=1, max_length=200)]] | None = None
    prices: PricesModel | None = None


def read_config(path: str, content: bytes, *, is_project: bool) -> dict[str, Any]:
    """What a configuration file says that has this content.

    Raises:
        InvalidInput: not YAML, an unknown key (with the nearest known one), or a value of the wrong kind.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path!r} is not YAML: {error}") from None
    loaded = load(text, repr(path))
    if loaded is None:
        return {}
    model = ProjectModel if is_project else UserModel
    try:
        checked = model.model_validate(loaded)
    except ValidationError as error:
        # A misspelt key also leaves the right one missing; the misspelling is what there is to mend.
        problem = min(error.errors(), key=lambda problem: problem["type"] != "extra_forbidden")
        raise _explain(path, problem, is_project) from None
    return checked.model_dump(exclude_none=True)


def _explain(path: str, problem: Any, is_project: bool) -> InvalidInput:
    place = ".".join(map(str, problem["loc"])) or "the file"
    if problem["type"] != "extra_forbidden":
        return InvalidInput(f"{place!r} in {path!r}: {problem['msg']}", hint="mend the value")
    if is_project and place == "redact.enabled":
        return InvalidInput(
            f"'redact.enabled' in {path!r}: a project's configuration cannot have secrets written",
            hint="names and patterns can be added here; only your own configuration has this key",
        )
    if is_project and place == "prices":
        return InvalidInput(
            f"'prices' in {path!r}: a project's configuration cannot say what tokens cost",
            hint="only your own configuration has this key",
        )
    known = _keys(problem["loc"], ProjectModel if is_project else UserModel)
    near = get_close_matches(str(problem["loc"][-1]), known, n=1)
    hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(known)}"
    return InvalidInput(f"unknown key {place!r} in {path!r}", hint=hint)


def _keys(place: tuple[Any, ...], model: type[BaseModel]) -> list[str]:
    if place[0] == "limits" and len(place) > 1:
        return list(LimitsModel.model_fields)
    if place[0] == "agents" and len(place) > 1:
        return list(AgentModel.model_fields)
    if place[0] in ("kinds", "tasks") and len(place) > 1:
        return list(RatedModel.model_fields)
    if place[0] == "prices" and len(place) > 1:
        return list((PricesModel if len(place) == 2 else PriceModel).model_fields)
    if place[0] == "redact" and len(place) > 1:
        return list((ProjectRedactModel if model is ProjectModel else UserRedactModel).model_fields)
    return list(model.model_fields)
