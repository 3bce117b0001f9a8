"""The shape of each event's data, for those who verify or repair: they import pydantic for it.

A key that is not named here is no fault: a later version may have written it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from babysitter.errors import CorruptEvent

Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}\z")]
Id = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}\z")]
Time = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z\z")]
Count = Annotated[int, Field(ge=1)]


class _Data(BaseModel):
    """The data of an event. A key with a default may be absent; it may not be null."""

    model_config = ConfigDict(strict=True)


class Failure(_Data):
    name: str
    message: str


class RunCreated(_Data):
    runId: Id
    processId: str
    entrypoint: dict[str, str]
    sourceDigests: dict[str, Digest]
    project: str = ""
    createdAt: Time = ""
    runDigest: Digest = ""
    inputsRef: str
    inputsDigest: Digest
    prompt: str | None
    engine: str
    python: str


class EffectRequested(_Data):
    effectId: Id
    stepId: str
    taskId: str
    kind: str
    label: str
    argsHash: Digest
    attempt: Count
    group: dict[str, Any] = {}
    definition: dict[str, Any] = {}
    definitionRef: str = ""
    definitionSha256: Digest = ""


class EffectResolved(_Data):
    effectId: Id
    status: Literal["ok", "error"]
    value: Any = None
    resultRef: str = ""
    sha256: Digest = ""
    error: Failure = Failure(name="", message="")
    startedAt: Time = ""
    finishedAt: Time = ""
    executor: str = ""
    evidence: dict[str, Any] = {}


class EffectCancelled(_Data):
    effectId: Id
    reason: str


class Recorded(_Data):
    scope: str
    index: Count
    name: str
    value: Any


class ProcessLog(_Data):
    scope: str
    key: str = ""
    level: str = ""
    message: str = ""
    fields: dict[str, Any] = {}
    index: Count = 1
    progress: dict[str, Any] = {}


class ProcessError(Failure):
    file: str
    line: int
    hint: str
    traceback: str
    sourceDigests: dict[str, Digest]


class ProcessChanged(_Data):
    sourceDigests: dict[str, Digest]


class RunCompleted(_Data):
    output: Any = None
    outputRef: str = ""
    sha256: Digest


class RunFailed(_Data):
    error: Failure


_SHAPES: dict[str, type[_Data]] = {
    "RUN_CREATED": RunCreated,
    "EFFECT_REQUESTED": EffectRequested,
    "EFFECT_RESOLVED": EffectResolved,
    "EFFECT_CANCELLED": EffectCancelled,
    "RECORDED": Recorded,
    "PROCESS_LOG": ProcessLog,
    "PROCESS_ERROR": ProcessError,
    "PROCESS_CHANGED": ProcessChanged,
    "RUN_COMPLETED": RunCompleted,
    "RUN_FAILED": RunFailed,
}
# Of each group one key and no other: where the value is.
_ONE_OF = {
    "EFFECT_REQUESTED": ("definition", "definitionRef"),
    "EFFECT_RESOLVED": ("value", "resultRef", "error"),
    "RUN_COMPLETED": ("output", "outputRef"),
    "PROCESS_LOG": ("key", "progress"),
}


def check_shape(seq: int, kind: str, data: dict[str, Any]) -> None:
    """Compare an event's data with the shape of its type.

    Raises:
        CorruptEvent: names the first key that does not fit.
    """
    try:
        _SHAPES[kind].model_validate(data)
    except ValidationError as error:
        problem = error.errors()[0]
        place = ".".join(map(str, problem["loc"])) or "data"
        raise CorruptEvent(f"event {seq} ({kind}) is misshapen at {place!r}: {problem['msg']}") from None
    choice = _ONE_OF.get(kind, ())
    found = [key for key in choice if key in data]
    if choice and len(found) != 1:
        raise CorruptEvent(
            f"event {seq} ({kind}) has {found or 'none'} of {', '.join(choice)}, one is expected"
        )
