"""Lengths of time as authors write them."""

from __future__ import annotations

UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(length: float | str) -> float:
    """Seconds of a number (already seconds) or a text such as ``"90s"``, ``"10m"``, ``"1h30m"``.

    Raises:
        ValueError: it is negative, not finite, or not a length of time.
    """
    if isinstance(length, str):
        return _parse(length)
    if isinstance(length, bool) or not isinstance(length, (int, float)) or not 0 <= length < float("inf"):
        raise ValueError(
            f"{length!r} is not a length of time; write seconds, or a text such as '10m' or '1h30m'"
        )
    return length


def brief(length: float) -> str:
    """A length of time for people, as short as it was written: ``10 m``, ``1 h 30 m``, ``2.5 s``."""
    rest, parts = length, []
    for unit in ("d", "h", "m"):
        count, rest = divmod(rest, UNITS[unit])
        parts += [f"{count:.0f} {unit}"] if count else []
    return " ".join(parts + ([f"{rest:.3g} s"] if rest or not parts else []))


def _parse(text: str) -> float:
    total: float = 0
    rest = text.strip()
    while rest:
        digits = len(rest) - len(rest.lstrip("0123456789."))
        letters = len(rest[digits:]) - len(rest[digits:].lstrip("abcdefghijklmnopqrstuvwxyz"))
        # A number alone counts seconds; behind another part, as in "1h30", it would be a guess.
        alone = "s" if digits == len(text.strip()) else ""
        unit = UNITS.get(rest[digits : digits + letters] or alone)
        number = rest[:digits]
        if unit is None or not number or number.count(".") > 1 or number == ".":
            raise ValueError(f"{text!r} is not a length of time; write it as '90s', '10m' or '1h30m'")
        total += (float(number) if "." in number else int(number)) * unit
        rest = rest[digits + letters :].lstrip()
    if not text.strip():
        raise ValueError("'' is not a length of time; write it as '90s', '10m' or '1h30m'")
    return total
