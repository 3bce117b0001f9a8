"""Why a value is not JSON: read only after the encoder has refused it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

# Far below the depth at which Python gives up, far above any limit of ours.
_TOO_DEEP = 500


def first_fault(value: Any, *, text_keys: bool) -> TypeError | ValueError:
    """Find the first part of ``value`` that is not JSON, and say so."""
    # A stack of our own: this is also where values end that are too deep.
    waiting: list[tuple[str, int, Any]] = [("", 0, value)]
    while waiting:
        path, depth, item = waiting.pop()
        item = item.as_json() if hasattr(item, "as_json") else item
        if depth > _TOO_DEEP:
            return ValueError(f"the value{_at(path[:60])} is nested too deeply or contains itself")
        if isinstance(item, dict):
            fault = _key_fault(item, path, text_keys=text_keys)
            children = [(f"{path}.{key}", depth + 1, child) for key, child in item.items()]
        elif isinstance(item, (list, tuple)):
            fault = None
            children = [(f"{path}[{index}]", depth + 1, child) for index, child in enumerate(item)]
        else:
            fault, children = _leaf_fault(item, path), []
        if fault is not None:
            return fault
        waiting += reversed(children)
    return ValueError("the value cannot be written as JSON")


def _key_fault(item: dict[Any, Any], path: str, *, text_keys: bool) -> TypeError | ValueError | None:
    for key in item:
        if isinstance(key, str):
            fault = _leaf_fault(key, path, what="key")
            if fault is not None:
                return fault
        elif text_keys or not (key is None or isinstance(key, (int, float))):
            return TypeError(f"the key {key!r}{_at(path)} is {_kind(key)}, and a JSON key is text")
    return None


def _leaf_fault(item: Any, path: str, what: str = "value") -> TypeError | ValueError | None:
    if item is None or isinstance(item, bool):
        return None
    if isinstance(item, str):
        try:
            item.encode()
        except UnicodeEncodeError as error:
            return ValueError(
                f"the {what}{_at(path)} holds a lone surrogate at character {error.start}, which is not text"
            )
        return None
    if isinstance(item, float):
        finite = item - item == 0
        return None if finite else ValueError(f"the {what}{_at(path)} is {item!r}, which JSON does not have")
    if isinstance(item, int):
        try:
            int.__repr__(item)
        except ValueError:
            return ValueError(f"the {what}{_at(path)} is an integer of more digits than Python writes")
        return None
    if hasattr(type(item), "__await__"):
        # A step of a process has a name for what it is.
        told = getattr(item, "noun", None) or _kind(item)
        return TypeError(f"the {what}{_at(path)} is {told}, which is not awaited; write `await` before it")
    return TypeError(f"the {what}{_at(path)} is {_kind(item)}, which is not JSON")


def _at(path: str) -> str:
    return f" at {path.lstrip('.')!r}" if path else ""


def _kind(value: object) -> str:
    return f"of type {type(value).__name__!r}"
