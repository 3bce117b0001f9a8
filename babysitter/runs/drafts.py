"""The events that babysitter writes, in the words they have on disk."""

from __future__ import annotations

import os

from babysitter.engine.state import ABANDONED, CONTINUED, HALTED
from babysitter.errors import InvalidInput
from babysitter.files import publish
from babysitter.ids import base32, effect_id, sha256_hex, successor_id
from babysitter.jsontext import compact, is_deeper_than, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from babysitter.disk import Folder
    from babysitter.engine.branches import Branch
    from babysitter.engine.calls import Call
    from babysitter.engine.ending import End
    from babysitter.runs.run import Run

    Draft = tuple[str, dict[str, Any]]
    # An event in the author's words: type, data, and what may be too large to stand in it, also as JSON.
    Described = tuple[str, dict[str, Any], Any, str]

LABEL_LENGTH = 200
PROBLEM_LENGTH = 32_000


class EffectContext:
    """What a builder of ``define_task`` is told about the effect that it describes."""

    __slots__ = ("effect_id", "run_id", "step_id")

    def __init__(self, effect_id: str, run_id: str, step_id: str) -> None:
        self.effect_id = effect_id
        self.run_id = run_id
        self.step_id = step_id


def requested(run: Run, branch: Branch, call: Call) -> Draft:
    """EFFECT_REQUESTED, as ``described`` and ``kept`` make it."""
    return kept(run, *described(run, branch, call))


def described(run: Run, branch: Branch, call: Call) -> Described:
    """A request: the event without the definition, and this. The author's description is built here.

    Raises:
        TypeError, ValueError: the description is not JSON, or too deep.
        BaseException: whatever the author's builder raises.
    """
    task = call.task
    attempt = call.attempt
    effect = effect_id(run.run_id, call.step, task.id, call.args_hash, attempt, run.state.edit)
    definition = defined(run, call, effect, call.step)
    try:
        text = compact(definition)
    except (TypeError, ValueError) as error:
        raise TypeError(f"the description that task {task.id!r} gave is not JSON: {error}") from None
    _check_depth(text, definition, f"the description that task {task.id!r} gave", run.limits.depth)
    data: dict[str, Any] = {
        "effectId": effect,
        "stepId": call.step,
        "taskId": task.id,
        "kind": definition["kind"],
        "label": str(definition.get("title") or task.id)[:LABEL_LENGTH],
        "argsHash": call.args_hash,
        "attempt": attempt,
    }
    if task.retry is not None:
        data["maxAttempts"] = task.retry.max_attempts
    if branch.group is not None:
        data["group"] = group_of(branch)
    if definition["kind"] == "breakpoint" and definition["breakpoint"].get("files"):
        from babysitter.runs.context_files import look_at

        data["files"] = look_at(run, definition["breakpoint"]["files"])
    return "EFFECT_REQUESTED", data, definition, text


def defined(run: Run, call: Call, effect: str, step: str) -> dict[str, Any]:
    """The description of a request, built by the author's task, as that of this effect at this step.

    Raises:
        BaseException: whatever the author's builder raises.
    """
    return call.task.define(loads(call.args_text), EffectContext(effect, run.run_id, step))


def kind_of(run: Run, call: Call) -> str:
    """Whose work a request is; of what the author describes it is known from the description only.

    Raises:
        BaseException: whatever the author's builder raises.
    """
    from babysitter.engine.definitions import DEFINERS

    if call.task.kind in DEFINERS:
        return call.task.kind
    effect = effect_id(run.run_id, call.step, call.task.id, call.args_hash, call.attempt, run.state.edit)
    return str(defined(run, call, effect, call.step)["kind"])


def _check_depth(text: str, value: Any, what: str, most: int) -> None:
    # Few brackets cannot be deep, and counting them costs next to nothing.
    if text.count("[") + text.count("{") > most and is_deeper_than(value, most):
        raise ValueError(f"{what} is nested more than {most} levels deep")


def kept(run: Run, type: str, data: dict[str, Any], value: Any, text: str) -> Draft:
    """The event, with its value in it, or, when large, in a file that it names.

    Raises:
        StorageError
    """
    if type == "RUN_FAILED":
        return type, {"error": value}
    if type == "RUN_HALTED":
        return type, value
    if type == "RUN_COMPLETED":
        return type, _kept_end(run, "output", value, text.encode())
    if type == "RUN_CONTINUED":
        return type, {**data, **_kept_end(run, "inputs", value, text.encode())}
    # A sleep is looked at by every command, and is small.
    if data["kind"] == "sleep":
        return type, {**data, "definition": value}
    return type, {**data, **stored(run, data["effectId"], "definition", value, text)}


def group_of(branch: Branch) -> dict[str, Any]:
    """Where in its group a branch stands, for those who look at it."""
    assert branch.group is not None
    fork = branch.group.fork
    group = {"path": branch.group.path, "mode": fork.mode, "branch": fork.branch_name(branch.index)}
    label = fork.branch_label(branch.index)
    above = _labels_above(branch.group.parent)
    return {**group, **({"label": label} if label else {}), **({"above": above} if above else {})}


def _labels_above(branch: Branch) -> dict[str, str]:
    """The items of branches further out, by path: one that only holds a group asks for nothing itself."""
    found: dict[str, str] = {}
    while branch.group is not None:
        label = branch.group.fork.branch_label(branch.index)
        if label:
            found[branch.scope.removesuffix(".")] = label
        branch = branch.group.parent
    return found


def stored(run: Run, effect: str, name: str, value: Any, text: str) -> dict[str, Any]:
    """A value in its event, or, when large, in a file of the effect's folder with its digest in the event."""
    content = text.encode()
    if len(content) <= run.limits.inline_bytes:
        return {name: value}
    digest = sha256_hex(content)
    file = keep_file(run, os.path.join("tasks", effect), f"{name}-{digest[:12]}.json", content)
    if name == "definition":
        return {"definitionRef": file, "definitionSha256": digest}
    return {"resultRef": file, "sha256": digest}


def keep_file(run: Run, folder: str, name: str, content: bytes) -> str:
    """Write a file that an event will name; its name has the digest, so a second time finds it there."""
    with run.open_folder(folder, make=True) as kept:
        try:
            # Whole or not at all: another command may be about to name the same file in an event.
            publish(kept, name, content)
        except FileExistsError:
            if not _holds(kept, name, content):
                # Not ours as we wrote it. Put in its place, never taken away first: an event may name it.
                whole = f"{name}.{base32(os.urandom(5))}"
                publish(kept, whole, content)
                os.replace(whole, name, src_dir_fd=kept.fd, dst_dir_fd=kept.fd)
    run.sync_folders(folder)
    return os.path.join(folder, name)


def _holds(folder: Folder, name: str, content: bytes) -> bool:
    try:
        return folder.read(name, len(content)) == content
    except InvalidInput:  # it is larger
        return False


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
    usage: dict[str, Any] | None = None,
) -> Draft:
    """EFFECT_RESOLVED."""
    data: dict[str, Any] = {"effectId": effect, "status": status}
    if status == "ok":
        data.update(stored(run, effect, "value", value, compact(value)))
    else:
        data["error"] = error
    told = {
        "startedAt": started_at,
        "finishedAt": finished_at,
        "executor": executor,
        "evidence": evidence,
        "usage": usage,
    }
    data.update({name: item for name, item in told.items() if item is not None})
    return "EFFECT_RESOLVED", data


def cancelled(run: Run, effect: str) -> Draft:
    """EFFECT_CANCELLED: its branch was given up."""
    told: dict[str, Any] = {"effectId": effect, "reason": ABANDONED}
    if run.state.meter is not None:
        from babysitter.runs.begun import begun

        told |= begun(run, run.state.effects[effect])
    return "EFFECT_CANCELLED", told


def reported(scope: str, message: str) -> dict[str, Any]:
    """The PROCESS_LOG of something that went wrong and changed nothing."""
    key = sha256_hex(compact(["report", scope, message]).encode())[:16]
    return {"scope": scope, "key": key, "level": "warning", "message": message, "fields": {}}


def said(run: Run, data: dict[str, Any]) -> Draft:
    """PROCESS_LOG, without secrets. Its key is of what was said, so a replay knows the line again."""
    from babysitter.redaction import redaction_of

    redaction = redaction_of(run.limits)
    words = ("message", "fields", "progress", "score")
    told = {name: redaction.data(value) if name in words else value for name, value in data.items()}
    if "score" in told and told["score"]["name"] != data["score"]["name"]:
        # Two names of one branch must not become one: each series would take the other's place.
        told["score"]["name"] += f" {sha256_hex(data['score']['name'].encode())[:4]}"
    return "PROCESS_LOG", told


def outcome(run: Run, end: End) -> Described:
    """The event that ends a run, in the words of the process.

    Raises:
        TypeError, ValueError: it ended with something that is not JSON.
    """
    from babysitter.engine.ending import describe_failure

    event, value = "RUN_COMPLETED", end.value
    data: dict[str, Any] = {}
    if end.error is not None:
        event, value = "RUN_FAILED", describe_failure(end.error)
    elif end.status == HALTED:
        event, value = "RUN_HALTED", end.value.as_json()
    elif end.status == CONTINUED:
        event, value = "RUN_CONTINUED", end.value.value
        data = {"runId": successor_id(run.run_id)}
    try:
        text = compact(value)
    except (TypeError, ValueError) as error:
        raise TypeError(f"what the process ends with is not JSON: {error}") from None
    _check_depth(text, value, "what the process ends with", run.limits.depth)
    return event, data, value, text


def _kept_end(run: Run, name: str, value: Any, content: bytes) -> dict[str, Any]:
    digest = sha256_hex(content)
    if len(content) <= run.limits.inline_bytes:
        return {name: value, "sha256": digest}
    return {f"{name}Ref": keep_file(run, "", f"{name}-{digest[:12]}.json", content), "sha256": digest}


def problem(run: Run, end: End, digests: dict[str, str]) -> dict[str, Any]:
    """The data of a PROCESS_ERROR, without secrets and cut to what people read."""
    from babysitter.engine.ending import End, describe_stuck
    from babysitter.redaction import redaction_of

    try:
        told = describe_stuck(end)
    except Exception as failure:
        # The error's own __str__ raises.
        told = describe_stuck(
            End.stuck(TypeError(f"{type(end.error)!r} has no text: {failure!r}"), end.place)
        )
    redaction = redaction_of(run.limits)
    told.update({name: redaction.text(told[name]) for name in ("message", "traceback")})
    cut = {name: _cut(item) if isinstance(item, str) else item for name, item in told.items()}
    return {**cut, "sourceDigests": dict(digests)}


def _cut(text: str) -> str:
    # An error can hold any text, also half of a character.
    clean = text.encode(errors="backslashreplace").decode()
    if len(clean) <= PROBLEM_LENGTH:
        return clean
    return f"{clean[: PROBLEM_LENGTH // 2]} … {clean[-PROBLEM_LENGTH // 2 :]}"
