"""The events that babysitter writes, in the words they have on disk."""

from __future__ import annotations

import os

from babysitter.files import write_once
from babysitter.ids import effect_id, sha256_hex
from babysitter.jsontext import compact, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.engine.branches import Branch
    from babysitter.engine.calls import Call
    from babysitter.engine.ending import End
    from babysitter.runs.run import Run

    Draft = tuple[str, dict[str, Any]]

LABEL_LENGTH = 200


class EffectContext:
    """What a builder of ``define_task`` is told about the effect that it describes."""

    __slots__ = ("effect_id", "run_id", "step_id")

    def __init__(self, effect_id: str, run_id: str, step_id: str) -> None:
        self.effect_id = effect_id
        self.run_id = run_id
        self.step_id = step_id


def requested(run: Run, branch: Branch, call: Call) -> Draft:
    """EFFECT_REQUESTED; this is where the author's description is built.

    Raises:
        Exception: whatever the author's builder raises, or TypeError for one that is not JSON.
    """
    task = call.task
    attempt = 1
    effect = effect_id(run.run_id, call.step, task.id, call.args_hash, attempt, None)
    described = task.define(loads(call.args_text), EffectContext(effect, run.run_id, call.step))
    data: dict[str, Any] = {
        "effectId": effect,
        "stepId": call.step,
        "taskId": task.id,
        "kind": described["kind"],
        "label": str(described.get("title") or task.id)[:LABEL_LENGTH],
        "argsHash": call.args_hash,
        "attempt": attempt,
    }
    data.update(stored(run, effect, "definition", described))
    if branch.group is not None:
        data["group"] = group_of(branch)
    return "EFFECT_REQUESTED", data


def group_of(branch: Branch) -> dict[str, Any]:
    """Where in its group a branch stands, for those who look at it."""
    assert branch.group is not None
    fork = branch.group.fork
    group = {"path": branch.group.path, "mode": fork.mode, "branch": fork.branch_name(branch.index)}
    label = fork.branch_label(branch.index)
    return {**group, "label": label} if label else group


def stored(run: Run, effect: str, name: str, value: Any) -> dict[str, Any]:
    """A value in its event, or, when large, in a file of the effect's folder with its digest in the event."""
    text = compact(value)
    if len(text) <= run.limits.inline_bytes:
        content = text.encode()
        if len(content) <= run.limits.inline_bytes:
            return {name: value}
    content = text.encode()
    digest = sha256_hex(content)
    file = keep_file(run, os.path.join("tasks", effect), f"{name}-{digest[:12]}.json", content)
    if name == "definition":
        return {"definitionRef": file, "definitionSha256": digest}
    return {"resultRef": file, "sha256": digest}


def keep_file(run: Run, folder: str, name: str, content: bytes) -> str:
    """Write a file that an event will name; its name has the digest, so a second time finds it there."""
    absolute = run.make_folder(folder)
    try:
        write_once(os.path.join(absolute, name), content)
    except FileExistsError:
        if run.read_file(os.path.join(folder, name), len(content) + 1) != content:
            # Torn by a crash before any event named it.
            os.unlink(os.path.join(absolute, name))
            write_once(os.path.join(absolute, name), content)
    run.sync_folders(folder)
    return os.path.join(folder, name)


def resolved(
    run: Run,
    effect: str,
    status: str,
    value: Any,
    error: dict[str, Any] | None,
    *,
    executor: str,
    started_at: str | None = None,
    finished_at: str | None = None,
    evidence: dict[str, Any] | None = None,
) -> Draft:
    """EFFECT_RESOLVED."""
    data: dict[str, Any] = {"effectId": effect, "status": status}
    if status == "ok":
        data.update(stored(run, effect, "value", value))
    else:
        data["error"] = error
    told = {"startedAt": started_at, "finishedAt": finished_at, "executor": executor, "evidence": evidence}
    data.update({name: item for name, item in told.items() if item is not None})
    return "EFFECT_RESOLVED", data


def cancelled(effect: str) -> Draft:
    """EFFECT_CANCELLED: its branch was given up."""
    return "EFFECT_CANCELLED", {"effectId": effect, "reason": "abandoned"}


def reported(scope: str, message: str) -> dict[str, Any]:
    """The PROCESS_LOG of something that went wrong and changed nothing."""
    key = sha256_hex(compact(["report", scope, message]).encode())[:16]
    return {"scope": scope, "key": key, "level": "warning", "message": message, "fields": {}}


def ended(run: Run, end: End) -> Draft:
    """RUN_COMPLETED or RUN_FAILED.

    Raises:
        TypeError, ValueError: the process returned something that is not JSON.
    """
    from babysitter.engine.ending import describe_failure

    if end.status == "failed":
        assert end.error is not None
        return "RUN_FAILED", {"error": loads(compact(describe_failure(end.error)))}
    content = compact(end.value).encode()
    digest = sha256_hex(content)
    if len(content) <= run.limits.inline_bytes:
        return "RUN_COMPLETED", {"output": loads(content), "sha256": digest}
    return "RUN_COMPLETED", {
        "outputRef": keep_file(run, "", f"output-{digest[:12]}.json", content),
        "sha256": digest,
    }
