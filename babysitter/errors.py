"""Every error that babysitter raises on purpose.

    BabysitterError                   1
    ├── UsageError                    2   the caller asked wrongly
    │   ├── InvalidInput                  what came in is not what was asked for
    │   │   ├── ResultRejected            a result that cannot count for its effect
    │   │   └── CorruptRules              the user's rules cannot be read
    │   ├── NoSuchRun                 4
    │   │   └── RunPacked                     it can be read, and restored
    │   ├── NoSuchEffect              4
    │   ├── NoSuchProcess             4
    │   ├── NoAnswer                      a test has none for what its process asks
    │   └── UnsafePath                6
    ├── Conflict                      3   somebody else was first
    │   ├── RunExists
    │   ├── AlreadyResolved
    │   ├── EffectCancelled
    │   ├── EffectTaken                   somebody is at it
    │   ├── RunFinished
    │   ├── HeadMoved                     internal: load again and decide again
    │   ├── PersonNeeded                  only a person may do this
    │   └── RunBusy                  75
    ├── JournalError                  5   what is on disk cannot be trusted
    │   ├── CorruptEvent
    │   ├── MissingEvent
    │   ├── TailRemoved
    │   ├── UnknownLayout
    │   ├── BadSignature
    │   ├── WrongProof
    │   └── CorruptArchive
    ├── ReplayError                   7   the process broke the rules
    │   ├── NondeterminismError
    │   │   └── OtherPython               a process with asyncio goes on otherwise under this version
    │   ├── ForeignAwait
    │   ├── EditNeedsPerson               a process with gates was edited
    │   └── ProcessError
    └── StorageError                 74   the disk refused

    TaskFailed                            raised inside a process, meant to be caught there
    ├── TaskTimeout                       a TimeoutError as well
    └── TaskCancelled
    BranchTimeout (TimeoutError)          ``ctx.timeout``: the branch did not end within its time
    AllFailed                             every branch of ``parallel.any`` failed
    Failed                                raised by an author: ends the run as failed
    BranchCancelled (BaseException)       a branch whose group no longer needs it

The number is the exit code of the command line and belongs to the class.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any


class BabysitterError(Exception):
    """Something went wrong that has a name; ``hint`` says what to do next."""

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def details(self) -> dict[str, Any]:
        """The ids that belong to this error, as JSON."""
        return {}


class UsageError(BabysitterError):
    """The caller asked for something that cannot be asked."""

    exit_code = 2


class InvalidInput(UsageError):
    """A value, file or configuration does not have the shape that was asked for."""


class ResultRejected(InvalidInput):
    """A result that cannot count for its effect; the effect stays pending."""

    def __init__(self, effect_id: str, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.effect_id = effect_id

    def details(self) -> dict[str, Any]:
        return {"effectId": self.effect_id}


class CorruptRules(InvalidInput):
    """The user's rules cannot be read, so nobody knows for what a person wants to be asked."""


class NoSuchRun(UsageError):
    """No run by this name is in the runs folder."""

    exit_code = 4


class RunPacked(NoSuchRun):
    """The run is packed into one file, ``archive``: it takes nothing more until it is restored."""

    def __init__(self, message: str, *, archive: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.archive = archive


class NoSuchEffect(UsageError):
    """The run has no effect by this name."""

    exit_code = 4


class NoSuchProcess(UsageError):
    """No process by this name was found, or the file holds none."""

    exit_code = 4


class NoAnswer(UsageError):
    """The process under test asks for something for which the test has no answer."""


class UnsafePath(UsageError):
    """A path or an id would lead out of the place where it belongs."""

    exit_code = 6


class Conflict(BabysitterError):
    """Somebody else was first, and the first stands."""

    exit_code = 3


class RunExists(Conflict):
    """A run by this id exists; it was not touched."""


class AlreadyResolved(Conflict):
    """The effect has another result already."""


class EffectCancelled(Conflict):
    """The effect was cancelled; nobody waits for its result any more."""


class EffectTaken(Conflict):
    """Somebody works on the effect, and their lease is not over."""


class RunFinished(Conflict):
    """The run has ended; it takes no more events."""


class HeadMoved(Conflict):
    """Another writer was first: load again and decide again."""


class PersonNeeded(Conflict):
    """Only a person may do this, and it is not seen that one does; nothing was done."""


class RunBusy(Conflict):
    """Another command works on this run and did not let go in time."""

    exit_code = 75


class JournalError(BabysitterError):
    """The journal on disk cannot be trusted; nothing was written."""

    exit_code = 5


class CorruptEvent(JournalError):
    """An event's bytes, name or place in the chain are wrong."""


class MissingEvent(JournalError):
    """An event is absent although later ones are there."""


class TailRemoved(JournalError):
    """Events that were known to exist at the end of the journal are gone."""


class UnknownLayout(JournalError):
    """The run folder was written in a layout that this version does not know."""


class BadSignature(JournalError):
    """An approval is not signed by whom it has to be, or the signature is that of something else."""


class WrongProof(JournalError):
    """A proof of completion is not that of this run."""


class CorruptArchive(JournalError):
    """A packed run is damaged, or is not what babysitter packed."""


class ReplayError(BabysitterError):
    """The process broke a rule of replay; ``step`` is where, if it was at a step."""

    exit_code = 7
    step = ""


class NondeterminismError(ReplayError):
    """The process asks for something else than its journal says it asked for."""

    def __init__(self, message: str, *, step: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.step = step

    def details(self) -> dict[str, Any]:
        return {"stepId": self.step}


class OtherPython(NondeterminismError):
    """A process that uses asyncio does something else under this version of Python than under its run's."""


class ForeignAwait(ReplayError):
    """The process awaited something that is not a step."""


class EditNeedsPerson(ReplayError):
    """A process with gates was edited under a run that an agent works on; a person has to accept that."""


class ProcessError(ReplayError):
    """The author's code raised, looped or misused a step; a fix lets the run go on."""


class StorageError(BabysitterError):
    """The disk or the file system refused; nothing was acknowledged."""

    exit_code = 74


class TaskFailed(Exception):
    """A task of the process failed. Raised at its ``await``, meant to be caught there.

    ``data`` is what the executor said about the failure, ``exit_code`` that of
    a shell task, ``partial`` (on an error that left a group) what the other
    branches had already given, in the order or under the names of the branches.
    """

    partial: Any = None

    def __init__(
        self,
        message: str,
        *,
        name: str = "TaskFailed",
        data: Any = None,
        exit_code: int | None = None,
        effect_id: str = "",
        step: str = "",
        task_id: str = "",
        attempts: int = 1,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.name = name
        self.data = data
        self.exit_code = exit_code
        self.effect_id = effect_id
        self.step = step
        self.task_id = task_id
        self.attempts = attempts


class TaskTimeout(TaskFailed, TimeoutError):
    """The task did not end within its time."""


class TaskCancelled(TaskFailed):
    """A person cancelled this effect."""


class BranchTimeout(TimeoutError):
    """The branch of ``ctx.timeout`` did not end within ``seconds``; it was given up."""

    partial: Any = None

    def __init__(self, seconds: float) -> None:
        super().__init__(f"the branch did not end within {seconds:g} s")
        self.seconds = seconds


class AllFailed(Exception):
    """Every branch of ``parallel.any`` failed; ``errors`` has one error for each, in order."""

    partial: Any = None

    def __init__(self, errors: Sequence[BaseException]) -> None:
        super().__init__("every branch failed: " + "; ".join(str(error) for error in errors))
        self.errors = list(errors)


class Failed(Exception):
    """Raise this in a process to end its run as failed, with data for the reader."""

    partial: Any = None

    def __init__(self, message: str, data: Any = None) -> None:
        super().__init__(message)
        self.message = message
        self.data = data


class BranchCancelled(BaseException):
    """The branch is no longer needed by its group.

    Raised once at the branch's ``await``. A ``BaseException``, so that an
    author's ``except Exception`` does not catch it.
    """
