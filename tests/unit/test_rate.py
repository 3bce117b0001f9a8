"""What a rate looks like."""

from __future__ import annotations

import pytest

from babysitter.rate import KIND, TASK, Rate, parse


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("10/minute", (10, 60_000)),
        ("1/second", (1, 1_000)),
        ("5/hour", (5, 3_600_000)),
        ("2 / day", (2, 86_400_000)),
        ("100/10m", (100, 600_000)),
        ("3/90s", (3, 90_000)),
        ("7/h", (7, 3_600_000)),
    ],
)
def test_a_rate_is_a_number_of_starts_in_a_length_of_time(text: str, found: tuple[int, int]) -> None:
    assert parse(text) == found


@pytest.mark.parametrize(
    "text",
    ["10", "/minute", "10/", "-1/minute", "1.5/minute", "10/fortnight", "10/m10", "10/minute/hour", "x/m"],
)
def test_anything_else_is_refused_with_what_one_looks_like(text: str) -> None:
    with pytest.raises(ValueError, match="is no rate; write it as 10/minute"):
        parse(text)


@pytest.mark.parametrize("text", ["0/minute", "100001/minute", "1/0s", "1/367d", f"1/{'9' * 5000}s"])
def test_what_could_not_be_counted_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"rate|counted|counts"):
        parse(text)


def test_a_rate_of_a_kind_counts_the_kind_and_one_of_a_task_the_task() -> None:
    of_kind, of_task = Rate("", KIND, "agent", "1/m"), Rate("", TASK, "review", "1/m")
    asked = [("agent", "review"), ("agent", "write"), ("shell", "review"), ("shell", "agent")]
    assert [(of_kind.is_for(*each), of_task.is_for(*each)) for each in asked] == [
        (True, True),
        (True, False),
        (False, True),
        (False, False),
    ]
