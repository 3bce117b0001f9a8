"""How much room a text takes, and where it is broken into lines."""

from __future__ import annotations

from babysitter.views.text import width_of

# Of a title, and of what stands below it.
CHARACTER, SMALL_CHARACTER = 7.5, 6.5
WRAPPED_AT, SMALL_WRAPPED_AT = 34, 42


def text_width(text: str, *, is_small: bool = False) -> float:
    """How wide it is, at most."""
    return (SMALL_CHARACTER if is_small else CHARACTER) * width_of(text)


def wrapped(text: str, at: int = WRAPPED_AT) -> list[str]:
    """A text in lines that are not too long; a long word is cut."""
    lines = [""]
    for word in text.split(" "):
        rest = word
        while width_of(rest) > at:
            lines += [rest[:at]]
            rest = rest[at:]
        if width_of(lines[-1]) + 1 + width_of(rest) > at and lines[-1]:
            lines.append(rest)
        else:
            lines[-1] = f"{lines[-1]} {rest}".strip()
    return [line for line in lines if line] or [" "]
