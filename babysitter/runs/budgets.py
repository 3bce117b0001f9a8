"""Budgets kept: an effect is asked for only when every budget that it is under allows for it.

What is not allowed yet stays asked for by the process and is not in the journal, so a replay does not
notice. When nothing that is at work can change that any more, a person is asked for more, once, in the
journal of the run whose budget it is; or that run is given up. A cleanup is performed all the same; what
of it would use more of a model than is left has failed.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from itertools import takewhile

from babysitter.budget import BY_BUDGET, is_asking
from babysitter.clock import iso
from babysitter.engine.budget_gate import Gate
from babysitter.runs import drafts
from babysitter.runs.budget_questions import question, reason_of, withdrawn
from babysitter.runs.spending import owners, spending_of
from babysitter.runs.stopping import cancel_run

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterable, Iterator
    from typing import Any

    from babysitter.engine.branches import Branch
    from babysitter.engine.budget_gate import Reached
    from babysitter.engine.calls import Call
    from babysitter.runs.drafts import Described, Draft
    from babysitter.runs.run import Run

    Asked = dict[str, tuple[Branch, Call]]
    # Requests that a budget does not tell apart: task, kind, and whether they belong to a cleanup.
    Sort = tuple[str, str, bool]
    Gates = list[tuple[Run, Gate]]
    Stopped = dict[Sort, list[tuple[Run, Gate, Reached]]]

# The scope of a cleanup; no step of an author begins so.
CLEANUP = "cleanup."


class Admitted:
    """What may be asked for now.

    Attributes:
        calls: the requests, in the order of asking.
        first: what is to be written before them, ``last`` what after them.
        refused: steps that are asked for and have failed at once, and why.
    """

    __slots__ = ("calls", "first", "last", "refused")

    def __init__(self, calls: Iterable[tuple[Branch, Call]]) -> None:
        self.calls = list(calls)
        self.first: list[Draft] = []
        self.last: list[Draft] = []
        self.refused: dict[str, str] = {}

    def refusals(self, run: Run, described: Iterable[Described]) -> list[Draft]:
        """EFFECT_RESOLVED of those that have failed."""
        return [
            drafts.resolved(
                run,
                data["effectId"],
                "error",
                None,
                {"name": "BudgetReached", "message": self.refused[data["stepId"]]},
                executor=BY_BUDGET,
            )
            for _, data, _, _ in described
            if data.get("stepId") in self.refused
        ]


class Budgets:
    """The budgets that one run is under, its own and those of the runs above it; and what they hold back.

    There may be thousands of requests that are held back, and each result lets one of them go. So they
    are sorted once, and of each sort no more are looked at than go, and one that does not.

    Attributes:
        held: how many requests they hold back.
        blocked: whose budget holds back which sort of them.
    """

    def __init__(self, run: Run) -> None:
        self.held = 0
        self.blocked: set[tuple[str, Sort]] = set()
        self._run = run
        self._owners: list[Run] = []
        self._looks: list[tuple[int, int]] = []
        self._sorts: dict[Sort, dict[str, int]] = {}
        self._sort_of: dict[str, Sort] = {}
        self._passed: list[str] = []
        self._count = 0

    @property
    def is_behind(self) -> bool:
        """What is spent, or at work, is another than when this was last asked."""
        return [spending_of(owner).look() for owner in self._owners] != self._looks

    def are_blocked(self, blocked: Container[tuple[str, Sort]]) -> bool:
        """All that is held back here is so, too, by what others have just found."""
        return all(any((owner.run_id, sort) in blocked for owner in self._owners) for _, sort in self.blocked)

    def take_in(self, asked: Asked, kind_of: Callable[[Call], str]) -> None:
        """Sort what the process asks for since; ``asked`` is all that it asks for, in that order.

        Raises:
            BaseException: whatever the author's builder raises.
        """
        for step in self._passed:
            # Another writer may have been first: then it is still asked for.
            if step not in asked:
                del self._sorts[self._sort_of.pop(step)][step]
        self._passed = []
        new = list(takewhile(lambda step: step not in self._sort_of, reversed(asked)))
        for step in reversed(new):
            call = asked[step][1]
            sort = (call.task.id, kind_of(call), step.startswith(CLEANUP))
            self._sort_of[step] = sort
            self._count += 1
            self._sorts.setdefault(sort, {})[step] = self._count

    def admit(self, asked: Asked) -> Admitted:
        """What of it may be asked for now.

        Raises:
            JournalError: what is spent cannot be read.
            RunBusy, UnsafePath, StorageError
        """
        self._owners = list(owners(self._run))
        self._looks = [spending_of(owner).look() for owner in self._owners]
        gates = [(owner, self._gate(owner)) for owner in self._owners]
        gates = [(owner, gate) for owner, gate in gates if gate.limits_anything]
        stopped: Stopped = {}
        let = dict.fromkeys(self._through(asked, gates, stopped))
        self.blocked = {(owner.run_id, sort) for sort, found in stopped.items() for owner, _, _ in found}
        for_good, refused = self._judged(stopped)
        admitted = Admitted(asked[step] for step in let)
        for sort, reason in refused.items():
            steps = [step for step in self._sorts[sort] if step in asked and step not in let]
            admitted.refused |= dict.fromkeys(steps, reason)
            admitted.calls += [asked[step] for step in steps]
        self._passed += [*let, *admitted.refused]
        self.held = len(asked) - len(let) - len(admitted.refused)
        if not self.held and not self._run.state.children:
            # Nobody needs to decide any more.
            admitted.first = withdrawn(self._run)
        admitted.last = [draft for owner, reached in for_good for draft in self._act(owner, reached)]
        return admitted

    def _gate(self, owner: Run) -> Gate:
        meter = owner.state.meter
        assert meter is not None
        return Gate(meter, spending_of(owner).seen(), self._run.now_ms())

    def _through(self, asked: Asked, gates: Gates, stopped: Stopped) -> Iterator[str]:
        """The steps that may go, one by one; once one does not, none of its sort does in this round."""
        rows = {sort: iter(steps.items()) for sort, steps in self._sorts.items()}
        heads = [head for sort, row in rows.items() if (head := self._next(row, sort, asked))]
        heapify(heads)
        while heads:
            _, step, sort = heappop(heads)
            found = [(owner, gate, each) for owner, gate in gates for each in self._stops(owner, gate, sort)]
            if found:
                stopped[sort] = found
                continue
            for _, gate in gates:
                gate.let_through(sort[0], sort[1])
            yield step
            head = self._next(rows[sort], sort, asked)
            if head is not None:
                heappush(heads, head)

    def _next(self, row: Iterator[tuple[str, int]], sort: Sort, asked: Asked) -> tuple[int, str, Sort] | None:
        """The next of a sort; those that the process has given up are passed over, once."""
        for step, number in row:
            if step in asked:
                return number, step, sort
            self._passed.append(step)
        return None

    def _stops(self, owner: Run, gate: Gate, sort: Sort) -> list[Reached]:
        task_id, kind, is_cleanup = sort
        return gate.stops(task_id, kind, is_cleanup=is_cleanup or self._is_cancelled(owner))

    def _is_cancelled(self, owner: Run) -> bool:
        """What it asks for now is for its cleanup, or for that of the run whose budget it is."""
        return owner.state.is_cancelled or self._run.state.is_cancelled

    def _judged(self, stopped: Stopped) -> tuple[list[tuple[Run, list[Reached]]], dict[Sort, str]]:
        """What is reached for good, by whose budget it is; and which sorts are refused for that."""
        for_good: dict[str, tuple[Run, dict[Any, Reached]]] = {}
        refused: dict[Sort, str] = {}
        for sort, found in stopped.items():
            finals = [(owner, each) for owner, gate, each in found if not gate.can_change(each)]
            refusing = [each for owner, each in finals if self._is_refused(owner, sort)]
            if refusing:
                refused[sort] = reason_of(refusing)
                continue
            for owner, each in finals:
                for_good.setdefault(owner.run_id, (owner, {}))[1].setdefault(each.key, each)
        return [(owner, list(reached.values())) for owner, reached in for_good.values()], refused

    def _is_refused(self, owner: Run, sort: Sort) -> bool:
        """It belongs to a cleanup, and there will be no more."""
        return self._is_cancelled(owner) or (sort[2] and _gets_no_more(owner))

    def _act(self, owner: Run, reached: list[Reached]) -> list[Draft]:
        """What follows from amounts that are reached for good; gives what concerns this very run."""
        if owner.observer is None and self._run.observer is not None:
            # Whoever is told of what is asked here is told of what is asked above for it.
            self._run.observer.watch_too(owner)
        if _gets_no_more(owner):
            return self._give_up(owner, reason_of(reached))
        if owner is self._run:
            return question(owner, reached)
        owner.append_decided(lambda: (None, [] if owner.state.is_finished else question(owner, reached)))
        return []

    def _give_up(self, owner: Run, reason: str) -> list[Draft]:
        told = {"by": BY_BUDGET, "reason": reason}
        if owner is self._run:
            return [("RUN_CANCELLED", told)]
        if not owner.state.is_finished:
            cancel_run(owner, **told)
        return []


def _gets_no_more(owner: Run) -> bool:
    meter = owner.state.meter
    assert meter is not None
    return meter.is_refused or not is_asking(meter.budget)


def changed(run: Run, budget: dict[str, Any], by: str, evidence: dict[str, Any] | None) -> list[Draft]:
    """BUDGET_CHANGED, and an open question for more withdrawn: whether more is needed is seen anew."""
    told = {
        "budget": budget,
        "by": by,
        **({"evidence": evidence} if evidence else {}),
        "at": iso(run.now_ms()),
    }
    return [*withdrawn(run), ("BUDGET_CHANGED", told)]
