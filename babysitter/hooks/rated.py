"""Rate limits in a session: what of a batch may begin now, and a start for each subagent that begins."""

from __future__ import annotations

from babysitter import config
from babysitter.clock import iso, now_ms
from babysitter.errors import BabysitterError
from babysitter.executors.rates import rates_of
from babysitter.hooks.bound import bound_to, pending_in
from babysitter.hosts.calls import deny, let_go
from babysitter.runs.results import OWN_KINDS
from babysitter.sessions.agents import marked_effect
from babysitter.sessions.binding import binding_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from babysitter.engine.state import Effect
    from babysitter.executors.rates import Rates
    from babysitter.hosts.calls import Answer, Call
    from babysitter.runs.run import Run

SLEEP = "sleep"


class Held:
    """Effects that a rate limit does not admit yet: how many, and from when on the next may begin."""

    __slots__ = ("at_ms", "count")

    def __init__(self, count: int, at_ms: int) -> None:
        self.count = count
        self.at_ms = at_ms

    @property
    def text(self) -> str:
        """For the model, which has no clock, but is called when something in the background ends."""
        seconds = max(1, -(-(self.at_ms - now_ms()) // 1000))
        return (
            f"- {self.count} more effects for subagents may begin from {iso(self.at_ms)} on, by a rate limit:"
            f" `{SLEEP} {seconds}` in the background, and you are called then."
        )


def admitted(
    call: Call, folder: str, idle: list[tuple[Run, Effect]]
) -> tuple[list[tuple[Run, Effect]], Held | None]:
    """Which of these may all begin now, and what is held; what babysitter performs it admits by itself."""
    rates = _rates(call, folder) if idle else None
    if rates is None:
        return idle, None
    own = [each for each in idle if each[1].kind in OWN_KINDS]
    agents = [each for each in idle if each[1].kind not in OWN_KINDS]
    try:
        waits = rates.waits([(effect.kind, effect.task_id) for _, effect in agents], now_ms())
    except (BabysitterError, OSError):
        # What cannot be counted is denied where it is started, with what is wrong.
        return idle, None
    free = [each for each, wait in zip(agents, waits, strict=True) if wait is None]
    times = [wait.at_ms for wait in waits if wait is not None]
    return [*own, *free], Held(len(times), min(times)) if times else None


def is_slept(call: Call) -> bool:
    """Something in the background calls the session when its time has come."""
    return any(task.command.strip().startswith(f"{SLEEP} ") for task in call.background)


def _rates(call: Call, folder: str) -> Rates | None:
    try:
        return rates_of(config.load(call.project or folder))
    except (BabysitterError, OSError):
        # Every command complains about it; it is no reason to let a session go.
        return None


def may_begin(call: Call) -> Answer:
    """Take a start for the effect of a subagent that is about to be started; deny what is not admitted."""
    prompt = call.tool_input.get("prompt")
    name = marked_effect(prompt) if isinstance(prompt, str) else ""
    binding = binding_of(call.session) if name else None
    rates = _rates(call, binding.folder) if binding else None
    if rates is None:
        return let_go()
    bound = bound_to(call)
    found = pending_in(bound.run, name) if bound else None
    if found is None or found[1].kind in OWN_KINDS:
        return let_go()
    effect = found[1]
    try:
        at = rates.take(effect.kind, effect.task_id, now_ms())
    except BabysitterError as error:
        return deny(f"babysitter: {error.message}")
    if at:
        return deny(f"babysitter: a rate limit admits effect {name} at {iso(at)}; start its subagent then")
    return let_go()
