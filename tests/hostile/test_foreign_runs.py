"""Runs that somebody else has made, as a cloned repository may have them: whole journals that lie."""

from __future__ import annotations

import hashlib
import os
from typing import TYPE_CHECKING, Any

import pytest
from ground import UNSEEN, create_run

from babysitter.runs.folder import open_run
from tests.support.commands import HEAD, call

if TYPE_CHECKING:
    from pathlib import Path

    from ground import Ground

NOT_TO_BE_TRUSTED = 5
SIMPLE = """
async def process(inputs, ctx):
    return await ctx.task(ask, question="one")
"""
REFS = [
    "{outside}/secret",
    "../../../../outside/secret",
    "tasks/../../../../../outside/secret",
    "tasks/x/../../../../../../outside/secret",
    "./inputs.json",
    "tasks//x",
    "inputs.json\0",
    "",
    "/",
    7,
    None,
]


def append(ground: Ground, *drafts: tuple[str, dict[str, Any]], run: str = "r") -> None:
    """Write events that babysitter would not write."""
    opened = open_run(run, str(ground.run.parent))
    opened.journal.load(lambda event: None)
    opened.journal.append(drafts, 0)


@pytest.fixture
def secret(ground: Ground) -> bytes:
    content = f'"{UNSEEN}"'.encode()
    (ground.outside / "secret").write_bytes(content)
    return content


def ref_to(ground: Ground, ref: Any) -> Any:
    return ref.format(outside=ground.outside) if isinstance(ref, str) else ref


@pytest.mark.parametrize("ref", REFS, ids=repr)
def test_a_result_in_a_file_outside_is_not_read(ground: Ground, secret: bytes, ref: Any) -> None:
    effect = ground.effect("2.0.1").id
    data = {"effectId": effect, "status": "ok", "resultRef": ref_to(ground, ref)}
    append(ground, ("EFFECT_RESOLVED", {**data, "sha256": hashlib.sha256(secret).hexdigest()}))
    words = ["iterate", "r"] if ref == REFS[0] else ["show", "r", effect]
    ended = call(*words)
    assert (ended.code, UNSEEN in ended.stdout + ended.stderr) == (NOT_TO_BE_TRUSTED, False), ended


@pytest.mark.parametrize("ref", REFS[:3], ids=repr)
def test_a_definition_in_a_file_outside_is_not_read(ground: Ground, ref: str) -> None:
    content = b'{"kind":"shell","shell":{"argv":["touch","made"]}}'
    (ground.outside / "secret").write_bytes(content)
    asked = {"effectId": "e9", "stepId": "9", "taskId": "t", "kind": "shell", "label": "t", "argsHash": "0"}
    where = {"definitionRef": ref_to(ground, ref), "definitionSha256": hashlib.sha256(content).hexdigest()}
    append(ground, ("EFFECT_REQUESTED", {**asked, "attempt": 1, **where}))
    ended = call("show", "r", "e9")
    assert (ended.code, "touch" in ended.stdout + ended.stderr) == (NOT_TO_BE_TRUSTED, False)


@pytest.mark.parametrize("ref", REFS[:3], ids=repr)
def test_an_output_in_a_file_outside_is_not_read(ground: Ground, secret: bytes, ref: str) -> None:
    digest = hashlib.sha256(secret).hexdigest()
    append(ground, ("RUN_COMPLETED", {"outputRef": ref_to(ground, ref), "sha256": digest}))
    ended = call("status", "r")
    assert (ended.code, UNSEEN in ended.stdout + ended.stderr) == (NOT_TO_BE_TRUSTED, False), ended


@pytest.mark.parametrize(
    "effect", ["../../../../../outside/x", "/x/y", "..", "a/../../../../../../outside/x", "x" * 300, "-rf"]
)
def test_an_effect_whose_id_is_a_path_makes_no_folder(ground: Ground, effect: str) -> None:
    # The very request of the process, but for the id, which replay does not compare.
    source = "@shell\ndef say(question):\n    return ['echo', question]\n" + SIMPLE.replace("ask,", "say,")
    (ground.project / "simple.py").write_text(HEAD + source, "utf-8")
    run = create_run(ground.project, ground.project / "simple.py", "forged")
    real = requested(ground.project)
    append(ground, ("EFFECT_REQUESTED", {**real, "effectId": effect}), run="forged")
    before = ground.digest()
    ended = call("work", "forged")
    assert (ended.code, os.path.lexists(os.path.join(run.folder, "tasks"))) == (NOT_TO_BE_TRUSTED, False), (
        ended
    )
    assert ground.digest() == before


def requested(project: Path) -> dict[str, Any]:
    """What the process asks for, as its own run has it."""
    from babysitter.runs.iterate import iterate

    run = create_run(project, project / "simple.py", "honest").load()
    effect = iterate(run).new[0]
    return {
        "stepId": effect.step,
        "taskId": effect.task_id,
        "kind": effect.kind,
        "label": effect.label,
        "argsHash": effect.args_hash,
        "attempt": 1,
        "definition": run.definition_of(effect),
    }
