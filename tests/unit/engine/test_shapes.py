"""What an event's data must look like: as much as somebody relies on, and no more."""

from __future__ import annotations

from typing import Any

import pytest

from babysitter.engine.shapes import SHAPES, misfit
from babysitter.engine.state import _HANDLERS

RESOLVED = {"effectId": "e1", "status": "error", "error": {"name": "No", "message": "no"}}


def test_every_event_that_is_known_has_a_shape() -> None:
    assert set(SHAPES) == set(_HANDLERS)


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, None),
        ({"of a later version": [1, 2]}, None),
        ({"startedAt": None}, None),
        ({"effectId": None}, "effectId"),
        ({"status": True}, "status"),
        ({"error": "no"}, "error"),
        ({"error": {}}, None),
        ({"error": {"name": ["No"]}}, "error.name"),
        ({"error": {"message": 5}}, "error.message"),
    ],
)
def test_what_does_not_fit_is_named(changes: dict[str, Any], wrong: str | None) -> None:
    assert misfit("EFFECT_RESOLVED", {**RESOLVED, **changes}) == wrong


def test_what_is_absent_is_named() -> None:
    assert misfit("EFFECT_RESOLVED", {"effectId": "e1"}) == "status"


SCORE = {"name": "score", "value": 0.5, "round": 1, "best": 1, "reached": False, "stalled": False}


@pytest.mark.parametrize(
    ("changes", "wrong"),
    [
        ({}, None),
        ({"target": 90, "lower": True, "of a later version": 1}, None),
        ({"value": True}, "score.value"),
        ({"target": None}, "score.target"),
        ({"reached": 1}, "score.reached"),
        ({"lower": "yes"}, "score.lower"),
    ],
)
def test_a_score_has_its_shape(changes: dict[str, Any], wrong: str | None) -> None:
    assert misfit("PROCESS_LOG", {"scope": "", "key": "k", "score": {**SCORE, **changes}}) == wrong


@pytest.mark.parametrize("index", [True, 1.0, "1", None])
def test_a_number_is_a_whole_number_and_nothing_like_it(index: Any) -> None:
    assert misfit("RECORDED", {"scope": "", "index": index, "name": "n"}) == "index"
