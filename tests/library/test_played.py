"""Shipped processes in memory: what they ask for, in every order in which results can come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from small_projects import ROOT

from babysitter.testing import approves, every_order, exits, load, play, rejects

if TYPE_CHECKING:
    from types import ModuleType

SERVICES = ["api", "web", "worker"]


@pytest.fixture
def deploy() -> ModuleType:
    return load(ROOT / "processes" / "deploy-services" / "process.py")


def results(**given: Any) -> dict[str, Any]:
    return {"find_services": SERVICES, "deploy": 0, "roll_back": 0, **given}


def test_services_are_deployed_side_by_side(deploy: ModuleType) -> None:
    played = play(deploy, {}, results=results())
    assert played.titles == [
        ["Find the services that have a script."],
        [f"deploy {name} to staging" for name in SERVICES],
    ]
    assert played.asked("deploy")[0].argv == ["deploy/api.sh", "staging"]


def test_nothing_is_deployed_to_production_before_a_yes(deploy: ModuleType) -> None:
    played = play(deploy, {"env": "production"}, results=results(), people=rejects("not now"))
    assert played.tasks == [["find_services"], ["breakpoint"]]
    assert played.error is not None
    assert played.error.data == {"feedback": "not now"}


def test_what_went_through_is_taken_back_in_whatever_order_it_ended(deploy: ModuleType) -> None:
    def ends(service: str, env: str, command: str) -> Any:
        return exits(1, stderr="no space left") if service == "web" else 0

    inputs = {"rollback": "undo {service}", "env": "production"}
    orders = every_order(deploy, inputs, results=results(deploy=ends), people=approves())
    assert orders.is_complete
    error = orders.played.error
    assert error is not None
    assert (error.data["rolledBack"], [each["service"] for each in error.data["failed"]]) == (
        ["api", "worker"],
        ["web"],
    )


def test_only_so_many_are_deployed_at_a_time(deploy: ModuleType) -> None:
    assert play(deploy, {"limit": 2}, results=results()).tasks[1:] == [["deploy", "deploy"], ["deploy"]]
