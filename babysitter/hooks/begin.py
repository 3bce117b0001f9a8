"""A session begins, is compacted, or ends: it is told where its run stands, and keeps its binding or not."""

from __future__ import annotations

import os

from babysitter.engine.state import SUBPROCESS
from babysitter.errors import BabysitterError
from babysitter.hooks.batch_text import name_for
from babysitter.hooks.bound import bound_to, limits_of, members
from babysitter.hooks.doubt import is_called_by_host
from babysitter.hosts import OWN_VARIABLE, adapter_of, session_of
from babysitter.hosts.calls import let_go, tell
from babysitter.ids import valid_id
from babysitter.runs.folder import check_folder
from babysitter.runs.run import Run
from babysitter.sessions import place
from babysitter.sessions.binding import ENDED, Binding, bind, binding_of, release, set_aside, unbind
from babysitter.sessions.presence import presence_of
from babysitter.views.text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from babysitter.hosts.calls import Answer, Call

MOST_TITLES = 5
CLEARED_FILE = "session.json"


def session_start(call: Call) -> Answer:
    """Say where the run of the session stands, in less than a kilobyte; nothing where there is none.

    A session that was ended and is taken up again gets its run back, and one whose conversation was
    cleared hands it on, unless another session has taken it meanwhile.
    """
    _name_session(call)
    _take_up(call)
    bound = bound_to(call)
    if bound is None:
        return let_go()
    if bound.is_taken_over:
        unbind(call.session)
        return let_go(bound.taken_over_message)
    if bound.run.state.is_finished:
        from babysitter.hooks.stop import ended_message

        unbind(call.session)
        return tell(ended_message(bound.run))
    return tell(state_text(bound.run, name_for(call, bound.run)))


def _name_session(call: Call) -> None:
    """Tell the session's shell which session it is, where the host's environment does not."""
    file = os.environ.get(adapter_of(os.environ).SHELL_FILE)
    if file and valid_id(call.session) and session_of(os.environ) is None:
        with open(file, "a", encoding="utf-8") as opened:
            opened.write(f"export {OWN_VARIABLE}={call.session}\n")


def _take_up(call: Call) -> None:
    if binding_of(call.session) is not None:
        return
    ended = binding_of(call.session, ENDED) or _cleared(call)
    if ended is None or not os.path.isdir(ended.folder):
        return
    check_folder(ended.folder)
    run = Run(ended.folder, limits_of(call, ended.folder)).load()
    told = run.state.session
    # Its own: the session was killed while it ended, before the journal could say so.
    is_free = told is None or told["sessionId"] == ended.session
    if not run.state.is_finished and is_free:
        bind(run, call.host, call.session)
    place.remove(ended.session, ENDED)


def _cleared(call: Call) -> Binding | None:
    """The run of the conversation that was cleared in this very process just before."""
    before = f"{place.CLEARED}{call.pid}"
    told = place.read(before, CLEARED_FILE)
    place.remove_all(before)
    if told is None or not isinstance(told.get("session"), str):
        return None
    return binding_of(told["session"], ENDED)


def state_text(run: Run, name: str) -> str:
    """Where a run stands, for a model that has forgotten it."""
    pending = [
        effect for each in members(run) for effect in each.state.pending.values() if effect.kind != SUBPROCESS
    ]
    waits = [printable(effect.label)[:60] for effect in pending[:MOST_TITLES]]
    more = len(pending) - len(waits)
    told = f"{'; '.join(waits)}{f' and {more} more' if more > 0 else ''}" or "its next iteration"
    about = f"process {run.state.process_id[:80]}, {run.state.status}"
    return (
        f"babysitter: this session is bound to run {run.run_id} ({about}), and cannot end"
        f" before the run does. It waits for: {told}. Stop to be told what to do;"
        f" `babysitter status {name}` shows all."
    )


def compact(call: Call) -> Answer:
    """Nothing is lost by compacting, all is on the disk; if that is not so, the person should know now."""
    try:
        bound_to(call)
    except BabysitterError as error:
        return let_go(printable(f"babysitter: {error.message} ({error.hint})"))
    return let_go()


def session_end(call: Call) -> Answer:
    """The session is not bound any more; the run is not touched, and can be taken up again."""
    found = presence_of(call.session)
    if found is not None and found.pid not in (0, call.pid):
        # Another process on the same conversation, started from within it; it ends, and the session goes on.
        return let_go()
    binding = binding_of(call.session)
    try:
        if binding is not None and is_called_by_host(call):
            _end(call, binding)
    finally:
        if binding_of(call.session) is None and binding_of(call.session, ENDED) is None:
            place.remove_all(call.session)
    return let_go()


def _end(call: Call, binding: Binding) -> None:
    try:
        run = binding.open().load()
    except BabysitterError:
        unbind(call.session)
        raise
    if run.state.is_finished:
        unbind(call.session)
        return
    # First: the host gives little time, and what the journal says of a session that is gone does no harm.
    set_aside(call.session)
    if call.source == "clear":
        place.write(f"{place.CLEARED}{call.pid}", CLEARED_FILE, {"session": call.session})
    release(run, call.session, f"the session ended ({call.source or 'unknown'})")
