"""Deployments of small services, by the command line: a service is up when its file lies there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from small_projects import Babysitter, make_program

if TYPE_CHECKING:
    from pathlib import Path

UP = 'mkdir -p up && echo "$1" > up/$(basename "$0" .sh)'
BROKEN = "echo preparing; echo 'no space left' >&2; exit 3"
UNDO = ("-i", "rollback=rm up/{service}")


@pytest.fixture
def services(project: Path) -> Path:
    """Three services that can be deployed; gives the folder of what is up."""
    for name in ("api", "web", "worker"):
        make_program(project / "deploy" / f"{name}.sh", UP)
    return project / "up"


def deploy(babysitter: Babysitter, *words: str) -> Any:
    return babysitter("run", "deploy-services", "--json", *words)


def up(folder: Path) -> dict[str, str]:
    return {path.name: path.read_text().strip() for path in folder.glob("*")}


def test_every_service_with_a_script_is_deployed(services: Path, babysitter: Babysitter) -> None:
    ended = deploy(babysitter)
    assert (ended.data["deployed"], up(services)) == (
        ["api", "web", "worker"],
        {"api": "staging", "web": "staging", "worker": "staging"},
    )


@pytest.mark.parametrize("named", ["api, web", '["api", "web"]'])
def test_services_are_named_as_a_list_or_as_text(named: str, services: Path, babysitter: Babysitter) -> None:
    deploy(babysitter, "-i", f"services={named}", "-i", "env=test")
    assert up(services) == {"api": "test", "web": "test"}


def test_a_command_of_one_s_own_gets_the_names(project: Path, babysitter: Babysitter) -> None:
    deploy(babysitter, "-i", "services=a;b".replace(";", ","), "-i", "command=touch '{service} in {env}'")
    assert sorted(path.name for path in project.glob("* in *")) == ["a in staging", "b in staging"]


def test_one_that_fails_is_reported_and_the_others_are_done(
    project: Path, services: Path, babysitter: Babysitter
) -> None:
    make_program(project / "deploy/web.sh", BROKEN)
    ended = deploy(babysitter)
    (failed,) = ended.data["failed"]
    assert (ended.code, sorted(up(services)), failed["service"], failed["reason"].splitlines()[-2:]) == (
        1,
        ["api", "worker"],
        "web",
        ["preparing", "no space left"],
    )


def test_what_went_through_is_taken_back_when_one_fails(
    project: Path, services: Path, babysitter: Babysitter
) -> None:
    make_program(project / "deploy/web.sh", BROKEN)
    ended = deploy(babysitter, *UNDO)
    assert (up(services), ended.data["deployed"], ended.data["rolledBack"]) == ({}, [], ["api", "worker"])


def test_a_rollback_that_fails_is_reported(project: Path, services: Path, babysitter: Babysitter) -> None:
    make_program(project / "deploy/web.sh", BROKEN)
    ended = deploy(babysitter, "-i", "rollback=test {service} = api")
    assert ([failed["service"] for failed in ended.data["rollbackFailed"]], ended.data["rolledBack"]) == (
        ["worker"],
        ["api"],
    )


def test_without_a_failure_nothing_is_taken_back(services: Path, babysitter: Babysitter) -> None:
    deploy(babysitter, *UNDO)
    assert sorted(up(services)) == ["api", "web", "worker"]


def test_a_slip_in_a_name_is_noticed_before_anything_is_deployed(
    services: Path, babysitter: Babysitter
) -> None:
    ended = deploy(babysitter, "-i", "services=api,wokr")
    assert (ended.code, ended.json["error"]["message"], up(services)) == (1, "there is no deploy/wokr.sh", {})


def test_nothing_to_deploy_is_a_failure(babysitter: Babysitter) -> None:
    assert deploy(babysitter).code == 1


def test_production_waits_for_a_person(services: Path, babysitter: Babysitter) -> None:
    ended = deploy(babysitter, "-i", "env=production")
    assert (ended.code, list(ended.json["pending"]), up(services)) == (8, ["breakpoint"], {})


def test_production_goes_on_after_approval(services: Path, babysitter: Babysitter) -> None:
    deploy(babysitter, "-i", "env=production", "-i", "services=api")
    babysitter("approve", "latest")
    assert (babysitter("resume").code, up(services)) == (0, {"api": "production"})


def test_a_no_ends_the_run_and_nothing_is_deployed(services: Path, babysitter: Babysitter) -> None:
    deploy(babysitter, "-i", "env=production")
    babysitter("reject", "latest", "--feedback", "not on a Friday")
    ended = babysitter("resume", "--json")
    assert (ended.code, ended.data, up(services)) == (1, {"feedback": "not on a Friday"}, {})


def test_what_counts_as_production_can_be_said(services: Path, babysitter: Babysitter) -> None:
    assert deploy(babysitter, "-i", "env=eu", "-i", "production=eu,us").code == 8


@pytest.mark.parametrize(
    "pair", ["services=../api", 'services=["a b"]', "env=a b", "timeout=soon", "limit=0"]
)
def test_inputs_that_do_not_fit_are_refused(pair: str, babysitter: Babysitter) -> None:
    assert deploy(babysitter, "-i", pair).code == 2
