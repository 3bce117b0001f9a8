"""A model that does what it is told brings a run to its end."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tests.host.host_program import needs_host
from tests.host.lab import each_once, status
from tests.host.models import Obeying

if TYPE_CHECKING:
    from tests.host.lab import Lab

pytestmark = needs_host
GOOD = '{"verdict": "good"}'


def test_every_effect_of_a_mixed_process_is_done_once(lab: Lab) -> None:
    lab.use("mixed.py")
    model = Obeying("babysitter create mixed.py --run-id r", answers={"": GOOD})
    session = lab.session("go", model)
    assert status("r")["status"] == "completed", session
    assert each_once("r")
    assert Path("checked").read_text() == "one\ntwo\n"
    assert len(set(model.told)) == len(model.told)
