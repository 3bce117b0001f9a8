"""What the data of each event looks like, as far as somebody here relies on it.

The chain says that an event is as it was written, not that it was written by
a babysitter in its right mind. What is looked at without care later must have
its shape; anything beyond that is the next version's business.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    Shape = Iterable[tuple[str, tuple[type, ...]]]


class Absent:
    """Stands for a key that is not there."""


ABSENT = Absent()

TEXT, NUMBER, OBJECT = (str,), (int,), (dict,)
MAY_BE_TEXT = (str, type(None), Absent)
MAY_BE_OBJECT = (dict, type(None), Absent)
_RESULT = (
    ("effectId", TEXT),
    ("status", TEXT),
    ("error", MAY_BE_OBJECT),
    ("resultRef", (str, Absent)),
    ("startedAt", MAY_BE_TEXT),
    ("finishedAt", MAY_BE_TEXT),
    ("executor", MAY_BE_TEXT),
    ("evidence", MAY_BE_OBJECT),
    ("usage", MAY_BE_OBJECT),
)
_REQUEST = (
    ("effectId", TEXT),
    ("stepId", TEXT),
    ("taskId", TEXT),
    ("kind", TEXT),
    ("label", TEXT),
    ("argsHash", TEXT),
    ("attempt", NUMBER),
    ("maxAttempts", (int, Absent)),
    ("group", MAY_BE_OBJECT),
    ("definition", MAY_BE_OBJECT),
    ("definitionRef", (str, Absent)),
    ("files", (list, Absent)),
)
SHAPES: dict[str, Shape] = {
    "RUN_CREATED": (
        ("runId", TEXT),
        ("processId", TEXT),
        ("sourceDigests", OBJECT),
        ("entrypoint", OBJECT),
        ("session", MAY_BE_OBJECT),
        ("inputsDigest", TEXT),
        ("options", (dict, Absent)),
        ("gates", (list, Absent)),
        ("parent", (dict, Absent)),
        ("continuedFrom", (dict, Absent)),
        ("forkedFrom", (dict, Absent)),
        ("sourcePython", (str, Absent)),
        ("createdBy", (str, Absent)),
        ("carried", (dict, Absent)),
    ),
    "EFFECT_REQUESTED": _REQUEST,
    "EFFECT_RESOLVED": _RESULT,
    "EFFECT_CANCELLED": (
        ("effectId", TEXT),
        ("reason", (str, Absent)),
        ("by", (str, Absent)),
        ("why", (str, Absent)),
        ("copiedFrom", (dict, Absent)),
        ("begun", (bool, Absent)),
    ),
    "BREAKPOINT_ANSWERED": (
        ("effectId", TEXT),
        ("approved", (bool,)),
        ("respondedBy", TEXT),
        ("assurance", TEXT),
        ("evidence", OBJECT),
        ("shown", TEXT),
        ("option", MAY_BE_TEXT),
        ("response", MAY_BE_TEXT),
        ("feedback", MAY_BE_TEXT),
        ("experts", (list, Absent)),
        ("files", (list, Absent)),
        ("untilMs", (int, Absent)),
    ),
    "BUDGET_CHANGED": (("budget", OBJECT), ("by", TEXT)),
    "ANSWER_VOIDED": (("effectId", TEXT), ("answer", NUMBER), ("reason", TEXT)),
    "EFFECT_TAKEN": (
        ("effectId", TEXT),
        ("attempt", NUMBER),
        ("by", TEXT),
        ("session", (str, Absent)),
        ("agent", (str, Absent)),
        ("leaseSeconds", (int, float, Absent)),
    ),
    "EFFECTS_REUSED": (("effects", (list,)),),
    "PATCHED": (("id", TEXT), ("isNew", (bool, Absent))),
    "WORKSPACE_SAVED": (("commit", TEXT), ("tree", TEXT), ("head", MAY_BE_TEXT)),
    "RECORDED": (("scope", TEXT), ("index", NUMBER), ("name", TEXT)),
    "PROCESS_LOG": (
        ("scope", TEXT),
        ("key", (str, Absent)),
        ("level", MAY_BE_TEXT),
        ("fields", MAY_BE_OBJECT),
        ("progress", (dict, Absent)),
        ("score", (dict, Absent)),
    ),
    "PROCESS_ERROR": (("name", MAY_BE_TEXT), ("message", MAY_BE_TEXT), ("file", MAY_BE_TEXT)),
    "PROCESS_CHANGED": (
        ("sourceDigests", OBJECT),
        ("gates", (list, Absent)),
        ("plan", (list, Absent)),
        ("scores", (list, Absent)),
        ("sourcePython", (str, Absent)),
        ("isSame", (bool, Absent)),
        ("begun", (list, Absent)),
    ),
    "SESSION_BOUND": (("host", TEXT), ("sessionId", TEXT)),
    "SESSION_RELEASED": (("sessionId", TEXT), ("reason", TEXT)),
    "PERMITTED": (
        ("what", TEXT),
        ("about", MAY_BE_OBJECT),
        ("by", TEXT),
        ("assurance", TEXT),
        ("evidence", OBJECT),
    ),
    "RUN_COMPLETED": (("sha256", TEXT), ("outputRef", (str, Absent))),
    "RUN_FAILED": (("error", OBJECT),),
    "RUN_CANCELLED": (("by", TEXT), ("reason", TEXT)),
    "RUN_HALTED": (
        ("reason", TEXT),
        ("isAtOnce", (bool, Absent)),
        ("by", (str, Absent)),
        ("begun", (list, Absent)),
    ),
    "RUN_CONTINUED": (("runId", TEXT), ("sha256", TEXT), ("inputsRef", (str, Absent))),
    "RUN_REWOUND": (
        ("to", TEXT),
        ("plan", (list,)),
        ("by", TEXT),
        ("sourceDigests", OBJECT),
        ("scores", (list, Absent)),
        ("sourcePython", (str, Absent)),
        ("begun", (list, Absent)),
    ),
}
_INSIDE: dict[str, Shape] = {
    "error": (("name", MAY_BE_TEXT), ("message", MAY_BE_TEXT)),
    "group": (
        ("path", TEXT),
        ("mode", TEXT),
        ("branch", TEXT),
        ("label", MAY_BE_TEXT),
        ("above", MAY_BE_OBJECT),
    ),
    "progress": (
        ("done", (int, float)),
        ("total", (int, float, type(None), Absent)),
        ("label", MAY_BE_TEXT),
    ),
    "score": (
        ("name", TEXT),
        ("value", (int, float)),
        ("target", (int, float, Absent)),
        ("round", NUMBER),
        ("best", (int, float)),
        ("reached", (bool,)),
        ("stalled", (bool,)),
        ("lower", (bool, Absent)),
    ),
    "entrypoint": (("file", TEXT), ("export", TEXT), ("library", MAY_BE_TEXT)),
    "parent": (("runId", TEXT), ("effectId", TEXT)),
    "continuedFrom": (("runId", TEXT),),
    "forkedFrom": (("runId", TEXT), ("step", TEXT)),
}


def misfit(type: str, data: Mapping[str, Any]) -> str | None:
    """The name of what an event of this type lacks or has in another shape; None when all is well."""
    return _misfit(SHAPES[type], data)


def _misfit(shape: Shape, data: Mapping[str, Any]) -> str | None:
    for name, kinds in shape:
        value = data.get(name, ABSENT)
        kind = type(value)
        if kind not in kinds:
            return name
        if kind is dict and name in _INSIDE:
            inner = _misfit(_INSIDE[name], value)
            if inner:
                return f"{name}.{inner}"
    return None
