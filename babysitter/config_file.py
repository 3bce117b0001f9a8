"""Read a configuration file: YAML, checked by pydantic. Imported only when there is a file."""

from __future__ import annotations

from difflib import get_close_matches
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from babysitter.errors import InvalidInput
from babysitter.files import read_regular
from babysitter.yamltext import MOST_BYTES, load


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


class ProjectModel(_Strict):
    """What a project may say."""

    jobs: int | None = Field(default=None, ge=1)
    agent: str | None = None
    iterateSeconds: float | None = Field(default=None, ge=0.001, le=A_DAY)
    limits: LimitsModel | None = None


class UserModel(ProjectModel):
    """What a user may say: all of that, and commands."""

    agents: dict[str, AgentModel] | None = None


def read_config(path: str, *, is_project: bool) -> dict[str, Any]:
    """The content of a configuration file.

    Raises:
        InvalidInput: not YAML, an unknown key (with the nearest known one), or a value of the wrong kind.
    """
    try:
        text = read_regular(path, MOST_BYTES, follow=True).decode("utf-8-sig")
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
    if is_project and place == "agents":
        return InvalidInput(
            f"'agents' in {path!r}: a project's configuration cannot name commands",
            hint="put the command into your own configuration, and `agent: NAME` here",
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
    return list(model.model_fields)
