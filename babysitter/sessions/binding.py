"""A session and the run that it is to finish.

The journal says who is bound (SESSION_BOUND, the last one counts); the file in the session's
folder is how a hook finds its run without looking at any other.
"""

from __future__ import annotations

import os

from babysitter import limits as limits_module
from babysitter.clock import iso, now_ms
from babysitter.errors import NoSuchRun
from babysitter.files import sync_folder
from babysitter.runs.folder import check_folder
from babysitter.runs.run import Run
from babysitter.sessions import place
from babysitter.sessions.progress import check_below, check_tail, forget_progress, keep_head, progress_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from babysitter.limits import Limits

BINDING = "binding.json"
# What becomes of it when the session ends, so that it is bound again when it is taken up again.
ENDED = "ended.json"


class Binding:
    """Which run a session is bound to; ``folder`` is absolute."""

    __slots__ = ("bound_at", "folder", "host", "run_id", "session")

    def __init__(self, host: str, session: str, run_id: str, folder: str, bound_at: str) -> None:
        self.host = host
        self.session = session
        self.run_id = run_id
        self.folder = folder
        self.bound_at = bound_at

    def open(self, limits: Limits = limits_module.DEFAULT) -> Run:
        """The run, its journal not yet read.

        Raises:
            NoSuchRun: its folder is gone.
        """
        if not os.path.isdir(self.folder):
            raise NoSuchRun(f"the run {self.folder!r} of this session is not there any more")
        check_folder(self.folder)
        return Run(self.folder, limits)


def binding_of(session: str, name: str = BINDING) -> Binding | None:
    """What a session is bound to, as far as its own files say."""
    told = place.read(session, name)
    wanted = ("host", "runId", "folder", "boundAt")
    if told is None or not all(isinstance(told.get(key), str) for key in wanted):
        return None
    return Binding(told["host"], session, told["runId"], told["folder"], told["boundAt"])


def bind(run: Run, host: str, session: str) -> None:
    """Bind a session to a loaded run; one that was bound before is told at its next stop.

    The journal comes first: killed in between, the run knows a session that knows nothing of it,
    and the same again mends that.

    Raises:
        RunFinished: nothing is left to do.
        TailRemoved: the session has seen more of this run than there is.
        RunBusy, StorageError
    """
    before = binding_of(session)
    is_the_same = before is not None and before.folder == run.folder
    if is_the_same:
        # What the session has seen stays what it has seen: a cut is not made good by binding anew.
        check_tail(run, progress_of(session))
        check_below(run, progress_of(session))
    if run.state.session is None or run.state.session["sessionId"] != session:
        run.append_whatever_comes([("SESSION_BOUND", {"host": host, "sessionId": session})])
    keep(Binding(host, session, run.run_id, run.folder, iso(now_ms())))
    if not is_the_same:
        forget_progress(session)
        keep_head(session, run.journal.head)


def keep(binding: Binding) -> None:
    """Write down what a session is bound to; durable when this returns."""
    told = {
        "host": binding.host,
        "runId": binding.run_id,
        "folder": binding.folder,
        "boundAt": binding.bound_at,
    }
    place.write(binding.session, BINDING, told)
    place.remove(binding.session, ENDED)
    sync_folder(place.folder_of(binding.session))


def unbind(session: str) -> None:
    """The session is free; the run is not touched."""
    place.remove(session, BINDING)
    place.remove(session, ENDED)
    forget_progress(session)


def set_aside(session: str) -> None:
    """The session ends; it is bound again when it is taken up again, unless another has the run then."""
    folder = place.folder_of(session)
    try:
        os.replace(os.path.join(folder, BINDING), os.path.join(folder, ENDED))
    except FileNotFoundError:
        pass


def release(run: Run, session: str, reason: str) -> None:
    """Say in the journal that a session is not to finish a run any more, if it was.

    Raises:
        RunBusy, StorageError
    """
    state = run.state
    if not state.is_finished and state.session is not None and state.session["sessionId"] == session:
        run.append_whatever_comes([("SESSION_RELEASED", {"sessionId": session, "reason": reason})])
