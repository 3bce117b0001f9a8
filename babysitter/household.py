"""The child runs of what is driven: made, driven with their parents, and recorded when they have ended."""

from __future__ import annotations

from babysitter.driven import Driven
from babysitter.engine.state import CANCELLED, CONTINUED
from babysitter.errors import BabysitterError, EditNeedsPerson, NondeterminismError, RunBusy, RunExists
from babysitter.journal.lock import run_lock
from babysitter.runs.children import (
    answer_of,
    answer_to_mistake,
    give_up,
    limit_child,
    living_child,
    make_child,
    next_needed,
)
from babysitter.runs.run import Run
from babysitter.runs.succession import newest, newest_there

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Protocol, TypeVar

    from babysitter.engine.state import Effect
    from babysitter.journal.lock import RunLock
    from babysitter.runs.results import Answer

    T = TypeVar("T")

    class Driver(Protocol):
        """Whoever drives them all, with one pool and one view."""

        view: Any
        locks: bool

        def begin(self, driven: Driven) -> None: ...
        def join(self, driven: Driven) -> None: ...
        def part(self, driven: Driven) -> None: ...
        def record(self, driven: Driven, answers: list[Answer]) -> None: ...
        def replay(self, work: Callable[[], T]) -> T: ...


class Household:
    """The children of one drive.

    Attributes:
        waiting: effects whose child is to be looked after: one newly asked for, given up, or resolved.
    """

    def __init__(self, driver: Driver) -> None:
        self.waiting: list[tuple[Driven, Effect]] = []
        self._driver = driver
        self._children: dict[str, Driven] = {}

    @property
    def watches(self) -> bool:
        """Somebody else drives one of the children."""
        return any(child.is_watched for child in self._children.values())

    def see_to_all(self) -> None:
        """Do what is to be done for children, until that leads to nothing more."""
        ended = self._ended()
        while self.waiting or ended:
            waiting, self.waiting = self.waiting, []
            for parent, effect in waiting:
                self._see_to(parent, effect)
            for child in ended:
                self._take_leave(child)
            ended = self._ended()
        self._take_over()

    def _ended(self) -> list[Driven]:
        return [child for child in self._children.values() if child.is_finished and child.refusal is None]

    def _see_to(self, parent: Driven, effect: Effect) -> None:
        known = self._children.get(effect.id)
        if known is not None:
            limit_child(parent.run, known.run)
            if effect.status == CANCELLED:
                give_up(known.run)
        elif effect.is_pending:
            # One that was halted has halted its children, and gets no more.
            if not parent.is_finished:
                self._make(parent, effect)
        elif effect.id in parent.run.state.children:
            self._bring_to_end(parent, effect)

    def _make(self, parent: Driven, effect: Effect) -> None:
        try:
            child = self._driver.replay(lambda: make_child(parent.run, effect))
        except BabysitterError as error:
            self._driver.record(parent, [answer_to_mistake(parent.run, effect, error)])
            return
        self._welcome(parent, effect, child)

    def _bring_to_end(self, parent: Driven, effect: Effect) -> None:
        try:
            child = living_child(parent.run, effect)
        except RunExists:
            child = None
        if child is None:
            _forget(parent, effect)
        else:
            give_up(child)
            self._welcome(parent, effect, child)

    def _welcome(self, parent: Driven, effect: Effect, found: Run) -> None:
        """Drive a child from now on; one that somebody else drives is only watched."""
        lock = self._lock(found)
        child = Driven(found, parent=parent, effect=effect, lock=lock)
        child.is_watched = self._driver.locks and lock is None
        _show(child, self._driver.view)
        self._children[effect.id] = child
        self._driver.join(child)
        if not child.is_watched:
            self._begin(child)

    def _lock(self, run: Run) -> RunLock | None:
        try:
            return run_lock(run.folder, 0) if self._driver.locks else None
        except RunBusy:
            return None

    def _begin(self, child: Driven) -> None:
        try:
            self._driver.begin(child)
        except NondeterminismError as error:
            child.refuse(error)

    def _take_over(self) -> None:
        """Whoever drove a child may have gone."""
        for child in self._children.values():
            lock = self._lock(child.run) if child.is_watched else None
            if lock is not None:
                child.take_over(lock)
                child.run.refresh()
                self._begin(child)

    def _take_leave(self, child: Driven) -> None:
        """A child has ended: its parent gets to know what it came to."""
        parent, effect = child.parent, child.effect
        assert parent is not None
        assert effect is not None
        if child.run.state.status == CONTINUED:
            self._succeed(child, parent, effect)
            return
        self._part(child, effect)
        if effect.is_pending and not parent.is_finished:
            self._driver.record(parent, [answer_of(child.run, effect)])
        else:
            _forget(parent, effect)

    def _succeed(self, child: Driven, parent: Driven, effect: Effect) -> None:
        if not _is_needed(parent, effect) and newest_there(child.run).state.is_finished:
            # Nobody needs it, so it is not even made.
            self._part(child, effect)
            _forget(parent, effect)
            return
        try:
            following = self._driver.replay(lambda: newest(child.run))
        except EditNeedsPerson as error:
            child.refuse(error)
            return
        except BabysitterError as error:
            self._part(child, effect)
            self._driver.record(parent, [answer_to_mistake(parent.run, effect, error)])
            return
        self._part(child, effect)
        if not _is_needed(parent, effect):
            give_up(following)
        self._welcome(parent, effect, following)

    def _part(self, child: Driven, effect: Effect) -> None:
        del self._children[effect.id]
        self._driver.part(child)


def _is_needed(parent: Driven, effect: Effect) -> bool:
    """The parent waits for the child of an effect, as its journal is now."""
    parent.run.refresh()
    return effect.is_pending and not parent.is_finished


def _forget(parent: Driven, effect: Effect) -> None:
    """The child of a cancelled effect has ended, so its parent need not wait for it any more."""
    parent.run.state.children.pop(effect.id, None)
    parent.stir()


def _show(child: Driven, view: Any) -> None:
    """Let the view see the child's events, the old ones too."""
    run, path = child.run, child.path

    def see(event: Any) -> None:
        view.event_below(event, path, run.run_id)

    _show_to(see, run)


def _show_to(see: Callable[[Any], None], run: Run) -> None:
    shown = Run(run.folder, run.limits)
    shown.on_event = see
    shown.load()
    run.on_event = see


def successor(driven: Driven, view: Any, *, locks: bool) -> Driven:
    """The run in which a continued one goes on, its journal read, and shown from now on.

    Raises:
        InvalidInput, NoSuchProcess, ReplayError, RunBusy, JournalError, StorageError
    """
    run = next_needed(driven.run)
    lock = run_lock(run.folder, 0) if locks else None
    view.goes_on(run.run_id, run.folder)
    _show_to(view.event, run)
    return Driven(run, lock=lock)
