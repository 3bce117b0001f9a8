"""Triage for ever: look for new items, have each one judged, sleep, look again."""

from __future__ import annotations

from typing import Any

from tasks import list_items, note, triage

from babysitter import Context, TaskFailed
from babysitter.patterns import vote

UNSURE = "unsure"

Inputs = {
    "type": "object",
    "additionalProperties": False,
    "required": ["command"],
    "properties": {
        "command": {
            "description": "prints the items that there are: a JSON list of objects, each with an id",
            "type": "string",
            "minLength": 1,
        },
        "id": {"description": "the key of an item's id", "type": "string", "minLength": 1, "default": "id"},
        "labels": {
            "description": "what an item may be: a JSON list, or a text with commas",
            "type": ["array", "string"],
            "items": {"type": "string", "minLength": 1},
            "minItems": 1,
            "pattern": "[^ ,]",
            "default": "bug, feature, question, noise",
        },
        "into": {
            "description": "the file to which a line of JSON is added for each item, relative to the project",
            "type": "string",
            "minLength": 1,
            "default": "triage.jsonl",
        },
        "votes": {
            "description": "how many agents judge each item, each by itself; most of them decide",
            "type": "integer",
            "minimum": 1,
            "default": 1,
        },
        "limit": {
            "description": "how many items at a time",
            "type": "integer",
            "minimum": 1,
            "default": 4,
        },
        "every": {
            "description": "how long it sleeps between two looks: seconds, or a text such as 90s, 10m",
            "type": ["number", "string"],
            "pattern": r"^(\d+(\.\d+)?(ms|s|m|h|d)?)+$",
            "default": "10m",
        },
        "rounds": {
            "description": "how many looks in all; 0: for ever",
            "type": "integer",
            "minimum": 0,
            "default": 0,
        },
        "each": {
            "description": "how many looks belong to one run, before it goes on in a new one",
            "type": "integer",
            "minimum": 1,
            "default": 20,
        },
        "seen": {
            "description": "ids of items that are not looked at; a run hands them on to the next",
            "type": "array",
            "items": {"type": ["string", "number"]},
            "default": [],
        },
        "round": {
            "description": "how many looks there were before; a run hands it on to the next",
            "type": "integer",
            "minimum": 0,
            "default": 0,
        },
    },
}


async def process(inputs: dict[str, Any], ctx: Context) -> dict[str, Any]:
    seen, labels = list(inputs["seen"]), listed(inputs["labels"])
    counts: dict[str, int] = {}
    for number in range(inputs["round"] + 1, inputs["round"] + inputs["each"] + 1):
        items = await look(inputs, ctx)
        if items is not None:
            # What is not listed any more is forgotten, or the list of what was seen would grow for ever.
            seen = [each for each in seen if each in items]
            done = await triaged(inputs, ctx, labels, {key: items[key] for key in items if key not in seen})
            seen += done
            for label in done.values():
                counts[label] = counts.get(label, 0) + 1
        if number == inputs["rounds"]:
            return {"rounds": number, "seen": seen, "counts": dict(sorted(counts.items()))}
        await ctx.sleep(inputs["every"])
    return ctx.continue_as_new({**inputs, "seen": seen, "round": inputs["round"] + inputs["each"]})


async def look(inputs: dict[str, Any], ctx: Context) -> dict[Any, Any] | None:
    """The items by their ids; None if the command did not tell, which is no reason to end."""
    key = inputs["id"]
    try:
        told = await ctx.task(list_items, command=inputs["command"])
    except TaskFailed as error:
        ctx.log(f"the items could not be listed: {error.message}")
        return None
    items = told if isinstance(told, list) else []
    good = [each for each in items if isinstance(each, dict) and isinstance(each.get(key), (str, int))]
    if not isinstance(told, list) or len(good) < len(items):
        ctx.log(f"what the command prints is to be a JSON list of objects, each with {key!r}")
    return {each[key]: each for each in good}


async def triaged(
    inputs: dict[str, Any], ctx: Context, labels: list[str], items: dict[Any, Any]
) -> dict[Any, str]:
    """The labels of those items that could be judged. The others are tried again at the next look."""

    async def one(key: Any) -> str | None:
        votes = range(1, inputs["votes"] + 1)
        task = triage.using(returns=answer_of(labels))
        try:
            answers = await ctx.parallel.map(
                votes, lambda number: ctx.task(task, key=key, item=items[key], labels=labels, number=number)
            )
            voted = vote(answers, key=lambda answer: answer["label"])
            label: str = voted.answer["label"] if voted.is_majority else UNSURE
            line = {"id": key, "label": label, "why": voted.answer["why"], "share": round(voted.share, 2)}
            await ctx.task(note, file=inputs["into"], line=line)
        except TaskFailed as error:
            ctx.log(f"item {key!r} could not be triaged: {error.message}")
            return None
        return label

    found = await ctx.parallel.map(list(items), one, limit=inputs["limit"])
    return {key: label for key, label in zip(items, found, strict=True) if label is not None}


def answer_of(labels: list[str]) -> dict[str, Any]:
    """What an agent has to answer."""
    properties = {"label": {"enum": labels}, "why": {"type": "string"}}
    return {"type": "object", "required": ["label", "why"], "properties": properties}


def listed(labels: list[str] | str) -> list[str]:
    """Labels of a list, or of a text with commas, each once."""
    parts = labels.split(",") if isinstance(labels, str) else labels
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))
