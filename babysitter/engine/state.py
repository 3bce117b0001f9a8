"""The state of a run: its events, folded. Pure; the same events always give the same state."""

from __future__ import annotations

from sys import intern

from babysitter.clock import ms_of
from babysitter.engine.shapes import misfit
from babysitter.errors import CorruptEvent, UnknownLayout

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from babysitter.engine.decisions import GivenAnswer
    from babysitter.engine.meter import Meter
    from babysitter.engine.plan import Leftovers
    from babysitter.engine.scores import Standing
    from babysitter.journal.events import Event

REQUESTED, OK, ERROR, CANCELLED = "requested", "ok", "error", "cancelled"
WAITING, COMPLETED, FAILED, HALTED, STUCK = "waiting", "completed", "failed", "halted", "stuck"
CONTINUED = "continued"
FINISHED = frozenset({COMPLETED, FAILED, HALTED, CONTINUED})
SUBPROCESS = "subprocess"
# Why an effect was cancelled: its process gave it up, or a person did; a plan has a word of its own.
ABANDONED, BY_PERSON = "abandoned", "cancelled"
# What babysitter asks by itself has steps that begin so, and no process waits for it.
OWN_STEPS = "~"


class Effect:
    """One request of the process, and its answer.

    ``definition`` and ``group`` are kept while the effect is pending;
    ``definition_ref`` is where a large one is stored. ``value``, or ``error``,
    is its answer. What many effects have in common is kept once: there may be
    a hundred thousand.

    ``attempt`` counts how often its step has asked, ``max_attempts`` how often it may;
    ``takes`` how often somebody has taken this one to work on it, ``taken`` who was the
    last, at ``taken_ms``. ``usage`` is what its result has cost, as far as that was said.
    Superseded is what an accepted edit or a rewind has taken out of the script, copied
    what a fork has taken over.
    """

    __slots__ = (
        "args_hash",
        "attempt",
        "cancel_reason",
        "definition",
        "definition_ref",
        "error",
        "executor",
        "finished_at",
        "group",
        "id",
        "is_copied",
        "is_superseded",
        "kind",
        "label",
        "max_attempts",
        "requested_ms",
        "resolved_seq",
        "result_ref",
        "seq",
        "started_at",
        "status",
        "step",
        "taken",
        "taken_ms",
        "takes",
        "task_id",
        "usage",
        "value",
    )

    def __init__(self, event: Event) -> None:
        data = event.data
        self.id: str = data["effectId"]
        self.step: str = data["stepId"]
        self.task_id = intern(data["taskId"])
        self.kind = intern(data["kind"])
        self.label: str = data["label"]
        self.args_hash: str = data["argsHash"]
        self.attempt: int = data["attempt"]
        self.max_attempts: int = data.get("maxAttempts", 1)
        self.group: dict[str, Any] | None = data.get("group")
        self.definition: dict[str, Any] | None = data.get("definition")
        self.definition_ref: tuple[str, str] | None = _ref(data, "definitionRef", "definitionSha256")
        self.seq = event.seq
        self.requested_ms = event.ms
        self.status = REQUESTED
        self.value: Any = None
        self.error: dict[str, Any] | None = None
        self.result_ref: tuple[str, str] | None = None
        self.resolved_seq = 0
        self.started_at: str | None = None
        self.finished_at: str | None = None
        self.executor: str | None = None
        self.usage: dict[str, Any] | None = None
        self.cancel_reason = ""
        self.is_copied = False
        self.is_superseded = False
        self.taken: dict[str, Any] | None = None
        self.taken_ms = 0
        self.takes = 0

    @property
    def is_pending(self) -> bool:
        return self.status == REQUESTED

    def resolve(self, event: Event) -> None:
        """Take the answer; what was asked for is no longer needed."""
        data = event.data
        self.status = OK if data["status"] == OK else ERROR
        self.value = data.get("value")
        self.error = data.get("error")
        self.result_ref = _ref(data, "resultRef", "sha256")
        self.started_at = data.get("startedAt")
        self.finished_at = data.get("finishedAt")
        self.executor = intern(data["executor"]) if "executor" in data else None
        self.usage = data.get("usage")
        self.is_copied = "copiedFrom" in (data.get("evidence") or ())
        self.resolved_seq = event.seq
        self.definition = self.group = None

    def cancel(self, event: Event, reason: str) -> None:
        self.status = CANCELLED
        self.cancel_reason = reason
        self.is_copied = "copiedFrom" in event.data
        why = event.data.get("why")
        self.error = {"name": "TaskCancelled", "message": why} if why else None
        self.resolved_seq = event.seq
        self.group = None
        if self.kind != SUBPROCESS:  # its child run has to be found, to be brought to its end
            self.definition = None

    def take(self, event: Event) -> None:
        """Somebody works on it now."""
        self.taken = event.data
        self.taken_ms = event.ms
        self.takes = event.data["attempt"]


def _ref(data: dict[str, Any], name: str, digest: str) -> tuple[str, str] | None:
    return (data[name], data[digest]) if name in data else None


Line = tuple[str, "Effect | dict[str, Any]", int]


class RunState:
    """What a run's journal says, as far as it was read.

    Attributes:
        status: waiting, completed, failed, halted, continued or stuck.
        effects: every effect by id, in the order of requests; ``pending`` those without an answer.
        children: effects whose child run may be alive: pending ones, and cancelled ones until it is seen
            that theirs has ended; whoever sees it takes them out.
        script: what replay has to follow, line by line: (type, effect or data, milliseconds).
        problem: the last PROCESS_ERROR, while the run is stuck in it.
        source_digests: of the process and what it imports, as last journalled.
        source_python: the version of Python that it was executed by, where that counts: it uses asyncio.
        gates: those of its files that may hold a breakpoint or an evidence step; None: nobody has looked.
        session: the SESSION_BOUND of the agent's session that is to finish the run, while one is bound.
        guard: host and id of the session that the run was made in, or that was bound to it last. Whether a
            person is needed to go round the process is told by the run: those above it count as well.
        moved_seq: the last event that was a step forward; a mistake that is told again is none.
        answers_by_policy: breakpoints that demand nothing are answered without a person.
        permits: what people have permitted and nobody has made use of yet, in order.
        is_cancelled: a person has given the run up; it only cleans up.
        edit: the event that last changed which effect answers which step; None: none ever did.
        leftovers: results that the last accepted edit keeps for when they are asked for.
        workspace: the git tree of the project as last kept, while the run keeps it.
        patches: what ``ctx.patched`` has answered for each id, as far as that is written down.
        meter: what it has spent, where it has a budget, or a run above it has one.
        rounds: how often it has asked for something.
        answers: what people have answered to breakpoints that are not decided yet, by effect.
        voided: how many answers to a pending breakpoint no longer count.
        shown_files: the files that pending breakpoints show, each with its digest when it was asked.
        scores: (scope, name) → what ``ctx.score`` has told there and still counts, in order: the words of its
            event, and its key. Changed in place only.
    """

    def __init__(self) -> None:
        self.run_id = ""
        self.process_id = ""
        self.created: dict[str, Any] = {}
        self.created_ms = 0
        self.last_ms = 0
        self.last_seq = 0
        self.status = WAITING
        self.effects: dict[str, Effect] = {}
        self.pending: dict[str, Effect] = {}
        self.children: dict[str, Effect] = {}
        self.script: list[Line] = []
        self.records: dict[tuple[str, int], tuple[str, Any]] = {}
        self.logged: set[str] = set()
        self.marks: dict[str, int] = {}
        self.patches: dict[str, bool] = {}
        self.meter: Meter | None = None
        self.rounds = 0
        self._round = 0
        self.answers: dict[str, list[GivenAnswer]] = {}
        self.voided: dict[str, int] = {}
        self.shown_files: dict[str, list[dict[str, Any]]] = {}
        self.scores: Standing = {}
        self.is_cancelled = False
        self.edit: int | None = None
        self.leftovers: Leftovers | None = None
        self.workspace: dict[str, Any] | None = None
        self.source_digests: dict[str, str] = {}
        self.source_python: str | None = None
        self.gates: list[str] | None = None
        self.problem: dict[str, Any] | None = None
        self.session: dict[str, Any] | None = None
        self.guard: dict[str, Any] | None = None
        self.moved_seq = 0
        self.permits: list[dict[str, Any]] = []
        self.answers_by_policy = False
        self.ending: dict[str, Any] | None = None
        self.ended_ms = 0

    @property
    def is_finished(self) -> bool:
        """It has ended for good and takes no more events."""
        return self.status in FINISHED

    @property
    def made_ms(self) -> int:
        """When the run itself was made; the ``created_ms`` of a fork is that of the run it comes from."""
        return _started(self) if "forkedFrom" in self.created else self.created_ms

    def apply(self, event: Event) -> None:
        """Fold one event in.

        Raises:
            CorruptEvent: it cannot follow the events before it.
            UnknownLayout: a later version wrote it.
        """
        handle = _HANDLERS.get(event.type)
        if handle is None:
            raise UnknownLayout(
                f"event {event.seq} has the unknown type {event.type!r}",
                hint="a later version of babysitter wrote this run; use that version",
            )
        is_too_late = self.is_finished and event.type != "RUN_REWOUND"
        if is_too_late or (self.last_seq == 0) != (event.type == "RUN_CREATED"):
            raise CorruptEvent(f"event {event.seq} ({event.type}) cannot stand at this place of the journal")
        wrong = misfit(event.type, event.data)
        if wrong is not None:
            raise _misshaped(event, wrong)
        self.last_seq = event.seq
        self.last_ms = event.ms
        if event.type not in _STANDING_STILL:
            self.moved_seq = event.seq
        if self.status == STUCK and event.type in _GOING_ON:
            self.status, self.problem = WAITING, None
        try:
            handle(self, event)
        except (KeyError, TypeError, AttributeError) as error:
            raise _misshaped(event, error.args[0]) from None

    def count_round(self, event: Event) -> None:
        """Requests that are written together are those of one iteration."""
        batch = event.data.get("batch")
        first = batch[0] if batch else event.seq
        # What a fork begins with was asked for by the run that it comes from.
        if first not in (1, self._round):
            self._round = first
            self.rounds += 1
            if self.meter is not None:
                self.meter.rounds += 1

    def effect_of(self, event: Event) -> Effect:
        """The pending effect that an event ends."""
        self.check_pending(event)
        known = event.data["effectId"]
        self.answers.pop(known, None)
        return self.pending.pop(known)

    def check_pending(self, event: Event) -> None:
        """Refuse an event about an effect that is not pending."""
        if event.data["effectId"] not in self.pending:
            raise CorruptEvent(
                f"event {event.seq} ({event.type}) is about effect {event.data['effectId']!r},"
                " which is not pending"
            )


def _misshaped(event: Event, what: object) -> CorruptEvent:
    return CorruptEvent(f"event {event.seq} ({event.type}) lacks or misshapes {what!r}")


def _created(state: RunState, event: Event) -> None:
    data = event.data
    state.run_id = data["runId"]
    state.process_id = data["processId"]
    state.created = data
    state.created_ms = event.ms
    state.source_digests = data["sourceDigests"]
    _guard(state, data.get("session"))
    state.source_python = data.get("sourcePython")
    state.gates = data.get("gates")
    options = data.get("options", {})
    state.answers_by_policy = options.get("breakpoints") == "policy"
    if "budget" in options:
        _budget(state, event, options["budget"])


def _started(state: RunState) -> int:
    """When the run was made: the events of a fork begin with the time of the run that it comes from."""
    try:
        return ms_of(state.created["createdAt"])
    except (KeyError, ValueError):
        return state.created_ms


def _guard(state: RunState, session: dict[str, Any] | None) -> None:
    """A session works on the run, or on the one that it belongs to; a run that goes on is bound at once."""
    if session is not None:
        state.guard = {"host": session["host"], "sessionId": session["sessionId"]}
        state.session = session if session.get("isBound") else None


def _requested(state: RunState, event: Event) -> None:
    effect = Effect(event)
    if effect.id in state.effects:
        raise CorruptEvent(f"event {event.seq} requests effect {effect.id!r} a second time")
    state.effects[effect.id] = state.pending[effect.id] = effect
    if state.meter is not None:
        state.meter.requested(effect, event.data)
    if effect.step.startswith(OWN_STEPS):
        return
    state.count_round(event)
    if effect.kind == SUBPROCESS:
        state.children[effect.id] = effect
    if "files" in event.data:
        state.shown_files[effect.id] = event.data["files"]
    state.script.append(("EFFECT_REQUESTED", effect, event.ms))


def _resolved(state: RunState, event: Event) -> None:
    effect, status = state.effect_of(event), event.data["status"]
    if status not in {OK, ERROR}:
        raise CorruptEvent(f"event {event.seq} ({event.type}) has status {status!r}; it is 'ok' or 'error'")
    effect.resolve(event)
    state.children.pop(effect.id, None)
    if state.meter is not None:
        state.meter.ended(effect, event.data, event.ms)
    if not effect.step.startswith(OWN_STEPS):
        state.script.append(("EFFECT_RESOLVED", effect, event.ms))


def _cancelled(state: RunState, event: Event) -> None:
    effect = state.effect_of(event)
    effect.cancel(event, event.data.get("reason", ABANDONED))
    if effect.cancel_reason == BY_PERSON:
        _spend(state, "cancel", about={"effect": effect.id})
    if state.meter is not None:
        state.meter.ended(effect, event.data, event.ms)
    if not effect.step.startswith(OWN_STEPS):
        state.script.append((event.type, effect, event.ms))


def _budgeted(state: RunState, event: Event) -> None:
    _budget(state, event, event.data["budget"])


def _budget(state: RunState, event: Event, budget: dict[str, Any]) -> None:
    # Here, for hardly any run has one.
    from babysitter.engine.meter import Meter, meter_of

    try:
        if state.meter is not None:
            state.meter.change(budget)
        elif event.type == "RUN_CREATED":
            state.meter = Meter(budget, _started(state), event.data.get("carried"))
        else:
            state.meter = meter_of(budget, _started(state), state.rounds, state.effects.values())
    except (ValueError, KeyError, TypeError, AttributeError):
        raise _misshaped(event, "budget") from None


def _taken(state: RunState, event: Event) -> None:
    state.check_pending(event)
    state.pending[event.data["effectId"]].take(event)


def _answered(state: RunState, event: Event) -> None:
    # Here, because most breakpoints are answered once, and that is their result.
    from babysitter.engine.decisions import GivenAnswer

    state.check_pending(event)
    known = event.data["effectId"]
    if state.pending[known].kind != "breakpoint":
        raise _misshaped(event, "effectId")
    state.answers.setdefault(known, []).append(GivenAnswer(event.seq, event.data))


def _voided(state: RunState, event: Event) -> None:
    state.check_pending(event)
    known, seq = event.data["effectId"], event.data["answer"]
    answers = state.answers.get(known, [])
    if all(answer.seq != seq for answer in answers):
        raise _misshaped(event, "answer")
    left = [answer for answer in answers if answer.seq != seq]
    if left:
        state.answers[known] = left
    else:
        del state.answers[known]
    state.voided[known] = state.voided.get(known, 0) + 1


def _patched(state: RunState, event: Event) -> None:
    state.patches[event.data["id"]] = event.data.get("isNew", True)
    state.script.append((event.type, event.data, event.ms))


def _given_up(state: RunState, event: Event) -> None:
    _spend(state, "cancel", about={"run": state.run_id})
    state.is_cancelled = True
    state.script.append((event.type, event.data, event.ms))


def _recorded(state: RunState, event: Event) -> None:
    data = event.data
    state.records[(data["scope"], data["index"])] = (data["name"], data["value"])
    state.script.append((event.type, data, event.ms))


def _logged(state: RunState, event: Event) -> None:
    data = event.data
    if "score" in data:
        # Here, because hardly any journal has one.
        from babysitter.engine.scores import keep

        keep(state.scores, data)
    elif "key" in data:
        state.logged.add(data["key"])
    else:
        state.marks[data["scope"]] = data["index"]
    state.script.append((event.type, data, event.ms))


def _problem(state: RunState, event: Event) -> None:
    state.status = STUCK
    state.problem = event.data


def _changed(state: RunState, event: Event) -> None:
    state.source_digests = event.data["sourceDigests"]
    state.source_python = event.data.get("sourcePython", state.source_python)
    state.gates = event.data.get("gates", state.gates)
    _spend(state, "edit")
    _keep_scores(state, event.data.get("scores"))
    if event.data.get("plan") is not None:
        _replan(state, event)


def _rewound(state: RunState, event: Event) -> None:
    _spend(state, "rewind", "edit")
    state.status, state.problem = WAITING, None
    state.ending, state.ended_ms = None, 0
    state.is_cancelled = False
    if state.meter is not None:
        # Whoever goes back wants it to go on, and is asked again when that takes more.
        state.meter.is_refused = False
    state.source_digests = event.data["sourceDigests"]
    state.gates = event.data.get("gates", state.gates)
    state.source_python = event.data.get("sourcePython", state.source_python)
    _keep_scores(state, event.data.get("scores"))
    _replan(state, event)


def _keep_scores(state: RunState, keys: list[str] | None) -> None:
    """Only these were told by the process as it is now; None: all of them."""
    if keys is not None:
        from babysitter.engine.scores import keep_only

        keep_only(state.scores, keys)


def _replan(state: RunState, event: Event) -> None:
    """From now on other steps are answered, by fewer effects."""
    # Here, because hardly any journal has a plan in it.
    from babysitter.engine.plan import replan

    replan(state, event)
    state.edit = event.seq
    # Counted from the start of each scope, and the process begins again there.
    state.marks = {}


def _bound(state: RunState, event: Event) -> None:
    _spend(state, "rebind")
    state.session = event.data
    state.guard = {"host": event.data["host"], "sessionId": event.data["sessionId"]}


def _released(state: RunState, event: Event) -> None:
    _spend(state, "release", "rebind")
    # Only its own: another session may have taken the run over since.
    if state.session is not None and state.session["sessionId"] == event.data["sessionId"]:
        state.session = None


def _permitted(state: RunState, event: Event) -> None:
    state.permits.append(event.data)
    if event.data["what"] == "policy":
        state.answers_by_policy = True


def _spend(state: RunState, *what: str, about: dict[str, Any] | None = None) -> None:
    """What was permitted is done, so the next time needs a permit of its own."""
    state.permits = [
        permit
        for permit in state.permits
        if permit["what"] not in what or about not in (None, permit.get("about"))
    ]


def _ended(state: RunState, event: Event) -> None:
    state.status = _ENDINGS[event.type]
    state.ending = event.data
    state.ended_ms = event.ms
    state.script.append((event.type, event.data, event.ms))


def _reused(state: RunState, event: Event) -> None:
    """Results that an edit has kept answer requests; all these are made before any of them is answered."""
    try:
        for effect_id, step in event.data["effects"]:
            effect = state.effects[effect_id]
            assert state.leftovers is not None
            state.leftovers.take(effect)
            effect.step, effect.is_superseded = step, False
    except (AssertionError, ValueError):
        raise _misshaped(event, "effects") from None
    reused = [state.effects[effect_id] for effect_id, _ in event.data["effects"]]
    state.script += [("EFFECT_REQUESTED", effect, event.ms) for effect in reused]
    state.script += [("EFFECT_RESOLVED", effect, event.ms) for effect in reused]


def _workspace(state: RunState, event: Event) -> None:
    state.workspace = event.data


# What an iteration writes only when the process ran on; results may come in while it is stuck.
_GOING_ON = frozenset({"PROCESS_CHANGED", "EFFECT_REQUESTED", "EFFECTS_REUSED", "RECORDED"})
# To begin is no step forward: somebody may begin again and again, and never give a result.
_STANDING_STILL = frozenset(
    {"PROCESS_ERROR", "SESSION_BOUND", "SESSION_RELEASED", "WORKSPACE_SAVED", "EFFECT_TAKEN"}
)
_ENDINGS = {
    "RUN_COMPLETED": COMPLETED,
    "RUN_FAILED": FAILED,
    "RUN_HALTED": HALTED,
    "RUN_CONTINUED": CONTINUED,
}
_HANDLERS: dict[str, Callable[[RunState, Event], None]] = {
    "RUN_CREATED": _created,
    "EFFECT_REQUESTED": _requested,
    "EFFECT_RESOLVED": _resolved,
    "EFFECT_CANCELLED": _cancelled,
    "EFFECT_TAKEN": _taken,
    "BUDGET_CHANGED": _budgeted,
    "BREAKPOINT_ANSWERED": _answered,
    "ANSWER_VOIDED": _voided,
    "EFFECTS_REUSED": _reused,
    "PATCHED": _patched,
    "WORKSPACE_SAVED": _workspace,
    "RECORDED": _recorded,
    "PROCESS_LOG": _logged,
    "PROCESS_ERROR": _problem,
    "PROCESS_CHANGED": _changed,
    "SESSION_BOUND": _bound,
    "SESSION_RELEASED": _released,
    "PERMITTED": _permitted,
    "RUN_CANCELLED": _given_up,
    "RUN_REWOUND": _rewound,
    "RUN_COMPLETED": _ended,
    "RUN_FAILED": _ended,
    "RUN_HALTED": _ended,
    "RUN_CONTINUED": _ended,
}
