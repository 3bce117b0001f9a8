"""What people have answered to a breakpoint, as records: who, through what, when, and on which digest."""

from __future__ import annotations

from babysitter.runs.run import Run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.engine.state import Effect
    from babysitter.journal.events import Event

WORDS = ("approved", "option", "response", "feedback", "respondedBy")
OF_ANSWERS = ("experts", "assurance", "shown", "files")
# Of the evidence what is too long to be read here, or is told by itself.
NOT_TOLD = frozenset({"message", "signature", "publicKey", *OF_ANSWERS})


def records_of(run: Run, effect: Effect) -> list[dict[str, Any]]:
    """Every answer to a breakpoint in its order, also one that counts no more: ``voided`` says why."""
    records: dict[int, dict[str, Any]] = {}

    def look(event: Event) -> None:
        data = event.data
        if data.get("effectId") != effect.id:
            return
        if event.type == "BREAKPOINT_ANSWERED":
            records[event.seq] = _record(event, data, data["evidence"])
        elif event.type == "ANSWER_VOIDED":
            records[data["answer"]]["voided"] = data["reason"]
        elif event.type == "EFFECT_RESOLVED" and "answers" not in (data.get("evidence") or {}):
            value = run.value_of(effect)
            told = value if isinstance(value, dict) else {}
            evidence = data.get("evidence") or {}
            records[event.seq] = _record(event, {**told, **evidence}, evidence)

    Run(run.folder, run.limits).journal.load(look)
    return list(records.values())


def _record(event: Event, told: dict[str, Any], evidence: dict[str, Any]) -> dict[str, Any]:
    kept = {name: told[name] for name in (*WORDS, *OF_ANSWERS) if told.get(name) is not None}
    rest = {name: value for name, value in evidence.items() if name not in NOT_TOLD}
    until = {"untilMs": told["untilMs"]} if "untilMs" in told else {}
    return {"event": event.seq, "at": event.at, **kept, **until, **({"evidence": rest} if rest else {})}
