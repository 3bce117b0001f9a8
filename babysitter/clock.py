"""The wall clock in milliseconds, and its form on disk: 2026-11-24T01:48:21.123Z.

Computed by hand: ``datetime`` costs more to import than a short command has.
"""

from __future__ import annotations

import time

_MINUTE = 60_000
_DAY = 86_400_000

# The time read last: the events of a batch share it.
_last_time = ("1970-01-01T00:00:00.000Z", 0)

# The second written last; those of a batch, and most of a quick run, share it.
_last_second = (-1, "")

# The minute read last ("2026-11-24T01:48:") and its time. Events of one run
# mostly share it, so nearly every event costs two small conversions.
_last_minute = ("1970-01-01T00:00:", 0)


def now_ms() -> int:
    """Milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


def iso(ms: int) -> str:
    """The time as it is written on disk, always 24 characters, always UTC."""
    seconds, rest = divmod(ms, 1000)
    return f"{_to_the_second(seconds)}.{rest:03d}Z"


def _to_the_second(seconds: int) -> str:
    global _last_second
    known, text = _last_second
    if seconds == known:
        return text
    year, month, day, hour, minute, second, *_ = time.gmtime(seconds)
    text = f"{year:04d}-{month:02d}-{day:02d}T{hour:02d}:{minute:02d}:{second:02d}"
    _last_second = (seconds, text)
    return text


def ms_of(text: str) -> int:
    """Milliseconds since 1970 of a time that ``iso`` wrote.

    Raises:
        ValueError: any other form, also when it would be a valid ISO 8601 time.
    """
    global _last_time
    known, ms = _last_time
    if text == known:
        return ms
    minute, second, fraction = text[:17], text[17:19], text[20:23]
    if not (
        len(text) == 24
        and text[19] == "."
        and text[23] == "Z"
        and text.isascii()
        and second.isdigit()
        and second < "60"
        and fraction.isdigit()
    ):
        raise _not_a_time(text)
    ms = _minute_ms(minute, text) + int(second) * 1000 + int(fraction)
    _last_time = (text, ms)
    return ms


def _minute_ms(minute: str, text: str) -> int:
    global _last_minute
    known, ms = _last_minute
    if minute == known:
        return ms
    try:
        days = _days(int(minute[:4]), int(minute[5:7]), int(minute[8:10]))
        ms = days * _DAY + int(minute[11:13]) * 3_600_000 + int(minute[14:16]) * _MINUTE
        # Writing it again finds 31 February, hour 24 and every odd separator.
        same = iso(ms)[:17] == minute
    except (ValueError, OverflowError):
        same = False
    if not same:
        raise _not_a_time(text)
    _last_minute = (minute, ms)
    return ms


def _not_a_time(text: str) -> ValueError:
    return ValueError(f"{text[:40]!r} is not a time like '2026-11-24T01:48:21.123Z'")


def _days(year: int, month: int, day: int) -> int:
    """Days since 1970-01-01 in the Gregorian calendar; years are counted from March."""
    if month <= 2:
        year, month = year - 1, month + 12
    leap_days = year // 4 - year // 100 + year // 400
    return 365 * year + leap_days + (153 * (month - 3) + 2) // 5 + day - 719_469
