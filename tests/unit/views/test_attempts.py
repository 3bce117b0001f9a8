"""What goes wrong and takes long, as it is shown: attempts, limits of time, cleanups, accepted edits."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from stories import Shown

from babysitter.views.marks import UNICODE, text_of
from babysitter.views.plain import PlainView
from babysitter.views.rows import Layout
from babysitter.views.summary import Outcome, summary_lines
from babysitter.views.times import Times

if TYPE_CHECKING:
    from babysitter.views.quiet import QuietView


class Told(Shown):
    """A story in which steps are tried again, take too long, and are given up."""

    def __init__(self, view: QuietView | None = None) -> None:
        super().__init__(view)
        self.event("RUN_CREATED", {})

    def ask(
        self,
        effect: str,
        step: str = "",
        attempt: int = 1,
        most: int = 3,
        *,
        kind: str = "shell",
        **described: Any,
    ) -> None:
        step = step or effect
        branch = step.rpartition(".")[0]
        path, _, name = branch.rpartition(".")
        group = {"path": path, "mode": described.pop("mode", "all"), "branch": name}
        self.event(
            "EFFECT_REQUESTED",
            {
                "effectId": effect,
                "stepId": step,
                "taskId": "task",
                "kind": kind,
                "label": described.pop("label", "Flaky"),
                "argsHash": "",
                "attempt": attempt,
                "definition": {"kind": kind, kind: described},
                **({"maxAttempts": most} if most > 1 else {}),
                **({"group": group} if path and path != "cleanup" else {}),
            },
        )

    def wait_before(self, effect: str, step: str, seconds: float) -> None:
        """The wait after a failed attempt."""
        self.ask(effect, step, most=1, kind="sleep", label="flaky: wait", seconds=seconds)

    def end(self, effect: str, message: str = "") -> None:
        error = {"name": "ShellFailed", "message": message, "exitCode": 1}
        told = {"status": "error", "error": error} if message else {"status": "ok", "value": {"exitCode": 0}}
        self.event("EFFECT_RESOLVED", {"effectId": effect, **told})

    def fail_once(self, seconds: float = 2) -> None:
        """A first attempt that has failed after a second, and a wait."""
        self.ask("1")
        self.view.executing("1", self.now)
        self.wait(1)
        self.end("1", "no network")
        self.wait_before("w", "1~retry1", seconds)

    @property
    def words(self) -> list[str]:
        """The lines of the tree without times, columns two spaces apart."""
        layout = Layout(self.view.tree, UNICODE, self.now, 110, 40)
        shown = [text_of(line) for line in layout.lines("run", 0)]
        return [re.sub(r"(?<=\S) {2,}", "  ", line[:100].rstrip()) for line in shown]

    def summary(self, status: str = "completed", error: dict[str, Any] | None = None) -> list[str]:
        lines = summary_lines(self.view.tree, Outcome(status, None, error, [], ""))
        return [re.sub(r" {2,}", "  ", text_of(line).strip()) for line in lines[1:]]


class Plain(Told):
    def __init__(self) -> None:
        self.stream = io.StringIO()
        super().__init__(PlainView(self.stream))

    @property
    def lines(self) -> list[str]:
        """What was written after the name of the run."""
        return [" ".join(line.split()) for line in self.stream.getvalue().splitlines()[1:]]


# Attempts


def test_the_first_of_several_attempts_is_shown_as_any_effect() -> None:
    told = Told()
    told.ask("1")
    assert told.words == ["run · 1 queued", "  ○ Flaky  queued"]


def test_a_wait_is_shown_at_its_step_with_what_went_wrong() -> None:
    told = Told()
    told.fail_once()
    assert told.words == [
        "run · 1 sleeping",
        "  ◔ Flaky (attempt 1 of 3)  2.0 s before attempt 2; no network",
    ]


def test_the_next_attempt_takes_the_place_of_the_one_before() -> None:
    told = Told()
    told.fail_once()
    told.end("w")
    told.ask("1b", "1", 2)
    assert told.words == ["run · 1 queued", "  ○ Flaky (attempt 2 of 3)  queued"]


def test_without_a_wait_too() -> None:
    told = Told()
    told.ask("1")
    told.end("1", "no")
    told.ask("1b", "1", 2)
    told.ask("2", most=1, label="Next")
    assert told.words == ["run · 2 queued", "  ○ Flaky (attempt 2 of 3)  queued", "  ○ Next  queued"]


def test_the_last_failure_says_which_attempt_it_was() -> None:
    told = Told()
    told.ask("1")
    told.end("1", "no")
    told.ask("1b", "1", 3)
    told.end("1b", "still no")
    assert told.words[1:] == ["  ✗ Flaky (attempt 3 of 3)  still no"]


def test_in_a_branch_the_line_of_the_branch_tells_it() -> None:
    told = Told()
    told.ask("1.a.1")
    told.end("1.a.1", "no")
    told.wait_before("w", "1.a.1~retry1", 5)
    assert told.words[2:] == ["    ◔ a: Flaky (attempt 1 of 3)  5.0 s before attempt 2; no"]


def test_a_wait_that_its_process_gives_up_is_the_end_of_its_step() -> None:
    told = Told()
    told.fail_once()
    told.event("EFFECT_CANCELLED", {"effectId": "w", "reason": "abandoned"})
    assert told.words == ["run · 1 cancelled", "  ⊘ Flaky (attempt 1 of 3)"]


def test_a_wait_that_a_person_cancels_names_who_did() -> None:
    told = Told()
    told.fail_once()
    told.event("EFFECT_CANCELLED", {"effectId": "w", "reason": "cancelled", "by": "ada"})
    assert told.words[1:] == ["  ⊘ Flaky (attempt 1 of 3)  by ada"]


def test_between_a_wait_and_the_next_attempt_a_step_is_queued() -> None:
    told = Told()
    told.fail_once()
    told.end("w")
    assert told.words == ["run · 1 queued", "  ○ Flaky (attempt 1 of 3)  queued"]


def test_the_next_attempt_stands_in_the_place_of_the_one_before_among_its_siblings() -> None:
    told = Told()
    told.ask("0", most=1, label="Before")
    told.end("0")
    told.ask("1")
    told.end("1", "no")
    told.ask("1b", "1", 2)
    told.ask("2", most=1, label="After")
    children = told.view.tree.root.children
    assert [(child.index, child.label) for child in children] == [(0, "Before"), (1, "Flaky"), (2, "After")]


def test_attempts_of_an_earlier_version_say_no_more_than_they_know() -> None:
    told = Told()
    told.ask("1", most=1)
    told.end("1", "no")
    told.ask("1b", "1", 2, most=1)
    assert told.words[1:] == ["  ○ Flaky (attempt 2)  queued"]


def test_a_wait_without_its_step_is_passed_over() -> None:
    told = Told()
    told.wait_before("w", "1~retry1", 5)
    told.end("w")
    assert told.words == ["run"]


def test_plain_lines_tell_each_attempt_and_each_wait() -> None:
    plain = Plain()
    plain.fail_once()
    plain.wait(2)
    plain.end("w")
    plain.ask("1b", "1", 2)
    plain.view.executing("1b", plain.now)
    plain.wait(1)
    plain.end("1b")
    assert plain.lines == [
        "start Flaky",
        "failed Flaky (attempt 1 of 3) 1.0 s no network",
        "retry Flaky: waits 2.0 s before attempt 2",
        "start Flaky (attempt 2 of 3)",
        "ok Flaky (attempt 2 of 3) 1.0 s",
    ]


def test_attempts_are_one_task_and_a_wait_is_no_work() -> None:
    told = Told()
    told.fail_once(60)
    told.wait(60)
    told.end("w")
    told.ask("1b", "1", 2)
    told.view.executing("1b", told.now)
    told.wait(2)
    told.end("1b")
    times = Times(told.view.tree)
    assert (times.tasks, times.work_ms, times.wall_ms) == (1, 3000, 63_000)
    assert told.summary() == [
        "+ Flaky (attempt 2 of 3)  ok  2.0 s",
        "",
        "completed in 1 m 03 s: 1 task, 3.0 s one after the other",
    ]


# Limits of time


def limited(told: Told) -> None:
    told.ask("b", "1.branch.1", most=1, mode="timeout", label="Build")
    told.ask("c", "1.clock.1", most=1, mode="timeout", kind="sleep", label="time limit", seconds=600)


def test_a_limit_is_told_with_what_is_left_of_it_and_its_clock_is_no_step() -> None:
    told = Told()
    limited(told)
    told.wait(60)
    assert told.words == ["run · 1 queued", "  ○ within 10 m  9 m 00 s left", "    ○ Build  queued"]


def test_a_branch_that_ended_in_time_is_well() -> None:
    told = Told()
    limited(told)
    told.end("b")
    told.event("EFFECT_CANCELLED", {"effectId": "c", "reason": "abandoned"})
    assert told.words == ["run · 1 ok", "  ✓ within 10 m", "    ✓ Build"]


def test_a_limit_that_has_run_out_is_a_failure() -> None:
    told = Told()
    limited(told)
    told.end("c")
    told.event("EFFECT_CANCELLED", {"effectId": "b", "reason": "abandoned"})
    assert told.words == ["run · 1 cancelled", "  ✗ within 10 m  time ran out", "    ⊘ Build"]


def test_a_limit_that_has_run_out_before_its_branch_asked_for_anything_is_a_failure() -> None:
    told = Told()
    told.ask("c", "1.clock.1", most=1, mode="timeout", kind="sleep", seconds=90)
    before = told.words[1:]
    told.end("c")
    assert (before, told.words[1:]) == (
        ["  ○ within 1 m 30 s  1 m 30 s left"],
        ["  ✗ within 1 m 30 s  time ran out"],
    )


def test_plain_lines_do_not_tell_of_a_limit_that_was_kept() -> None:
    plain = Plain()
    limited(plain)
    plain.end("b")
    plain.event("EFFECT_CANCELLED", {"effectId": "c", "reason": "abandoned"})
    assert plain.lines == ["ok Build 0 ms"]


def test_plain_lines_tell_of_a_limit_when_it_has_run_out() -> None:
    plain = Plain()
    limited(plain)
    plain.end("c")
    plain.event("EFFECT_CANCELLED", {"effectId": "b", "reason": "abandoned"})
    assert plain.lines == ["time within 10 m has run out at step 1", "abandoned Build"]


def test_a_limit_of_which_only_groups_have_asked_yet_has_its_line() -> None:
    told = Told()
    told.ask("c", "1.clock.1", most=1, mode="timeout", kind="sleep", seconds=90)
    told.ask("x", "1.branch.1.0.1", most=1, mode="all", label="Deep")
    assert told.words[1:4] == [
        "  ○ within 1 m 30 s  1 m 30 s left",
        "    ○ branch",
        "      ○ parallel.all · 1 branch",
    ]


# Cleanups


def test_what_is_done_at_last_has_a_title() -> None:
    told = Told()
    told.ask("1", most=1, label="Work")
    told.end("1")
    told.ask("x", "cleanup.2.1", most=1, label="Stop the server")
    told.end("x", "no server")
    told.ask("y", "cleanup.1.1", most=1, label="Tidy up")
    assert told.words[1:] == [
        "  ✓ Work",
        "  ○ cleanup  1 failed, 1 queued",
        "    ✗ Stop the server  no server",
        "    ○ Tidy up  queued",
    ]


def test_a_failure_in_it_fails_nothing_else() -> None:
    told = Told()
    told.ask("x", "cleanup.1.1", most=1)
    told.end("x", "no")
    assert (told.view.tree.groups["cleanup"].state, told.view.tree.root.state) == ("ok", "ok")


# Cancellations


def test_a_person_who_cancels_an_effect_is_named_and_a_process_is_not() -> None:
    told = Told()
    for name in "12":
        told.ask(name, most=1)
    told.event("EFFECT_CANCELLED", {"effectId": "1", "reason": "cancelled", "by": "ada"})
    told.event("EFFECT_CANCELLED", {"effectId": "2", "reason": "abandoned"})
    assert told.words[1:] == ["  ⊘ Flaky  by ada", "  ⊘ Flaky"]
    assert told.summary()[:2] == ["- Flaky  cancelled", "- Flaky  abandoned"]


def test_plain_lines_tell_who_cancelled_what() -> None:
    plain = Plain()
    plain.ask("1", most=1)
    plain.event("EFFECT_CANCELLED", {"effectId": "1", "reason": "cancelled", "by": "ada"})
    plain.event("RUN_CANCELLED", {"by": "ada", "reason": "not today"})
    assert plain.lines == [
        "cancelled Flaky by ada",
        "cancelled the run was given up by ada: not today; it does what it does at last, and ends",
    ]


def test_a_halted_run_says_why_and_not_that_it_is_an_error() -> None:
    told = Told()
    assert told.summary("halted", {"message": "nothing to do (by ada)", "data": {"left": 3}})[:3] == [
        "halted: nothing to do (by ada)",
        "left: 3",
        "",
    ]


def test_an_effect_that_an_agent_works_on_says_so() -> None:
    told = Told()
    told.ask("1", most=1, kind="agent")
    told.event("EFFECT_TAKEN", {"effectId": "1", "attempt": 1, "by": "session s-1", "agent": "reviewer"})
    assert told.words[1:] == ["  ◆ Flaky  taken by reviewer"]


# What counts no more


def test_after_an_accepted_edit_the_tree_begins_anew_with_what_still_counts() -> None:
    told = Told()
    for name in "123":
        told.ask(name, most=1, label=f"Step {name}")
        told.end(name)
    plan = [["asked", "1", "1"], ["answered", "1"], ["asked", "3", "2.a.1"], ["answered", "3"]]
    told.event("PROCESS_CHANGED", {"sourceDigests": {}, "accepted": "keep", "by": "ada", "plan": plan})
    assert told.words == ["run · 2 ok", "  ✓ Step 1", "  ✓ parallel · 1 branch", "    ✓ a: Step 3"]


def test_after_a_rewind_what_is_asked_for_again_is_new() -> None:
    told = Told()
    told.ask("1", most=1, label="Step 1")
    told.end("1")
    told.ask("2", most=1, label="Step 2")
    told.event("RUN_REWOUND", {"to": "2", "by": "ada", "plan": [["asked", "1", "1"], ["answered", "1"]]})
    told.ask("2b", "2", most=1, label="Step 2")
    assert told.words == ["run · 1 queued, 1 ok", "  ✓ Step 1", "  ○ Step 2  queued"]


def test_attempts_waits_and_limits_that_still_count_stand_where_they_stood() -> None:
    told = Told()
    told.fail_once()
    told.end("w")
    told.ask("1b", "1", 2)
    told.ask("c", "2.clock.1", most=1, mode="timeout", kind="sleep", seconds=90)
    told.ask("b", "2.branch.1", most=1, mode="timeout", label="Build")
    before = told.words
    plan = [
        ["asked", "1", "1"],
        ["answered", "1"],
        ["asked", "w", "1~retry1"],
        ["answered", "w"],
        ["asked", "1b", "1"],
        ["asked", "c", "2.clock.1"],
        ["asked", "b", "2.branch.1"],
        ["recorded", "", 1, "", 1],
    ]
    told.event("RUN_REWOUND", {"to": "3", "by": "ada", "plan": plan})
    assert told.words == before


def test_what_was_cancelled_and_still_counts_stays_so() -> None:
    told = Told()
    told.ask("1", most=1)
    told.event("EFFECT_CANCELLED", {"effectId": "1", "reason": "abandoned"})
    before = told.words
    told.event("RUN_REWOUND", {"to": "2", "by": "ada", "plan": [["asked", "1", "1"], ["cancelled", "1"]]})
    assert told.words == before


def test_plain_lines_tell_what_became_of_an_edit_and_of_a_rewind() -> None:
    plain = Plain()
    plain.event("PROCESS_CHANGED", {"sourceDigests": {}})
    plain.event("PROCESS_CHANGED", {"sourceDigests": {}, "accepted": "redo", "by": "ada", "plan": []})
    plain.event("RUN_REWOUND", {"to": "3", "by": "ada", "plan": []})
    assert plain.lines == [
        "changed the process was edited since; the run goes on with it",
        "changed the edited process was accepted by ada, by the rule 'redo'",
        "rewound to before step 3 by ada",
    ]


def test_a_result_that_an_edit_kept_stands_where_it_is_asked_for() -> None:
    told = Told()
    told.ask("1", most=1, label="Kept")
    told.end("1")
    told.event("PROCESS_CHANGED", {"sourceDigests": {}, "accepted": "keep", "by": "ada", "plan": []})
    before = told.words
    told.event("EFFECTS_REUSED", {"effects": [["1", "4"]]})
    assert (before, told.words) == (["run"], ["run · 1 ok", "  ✓ Kept"])


def test_an_edit_that_fits_changes_nothing_that_is_shown() -> None:
    told = Told()
    told.ask("1", most=1)
    before = told.words
    told.event("PROCESS_CHANGED", {"sourceDigests": {}})
    assert told.words == before


def test_a_late_result_of_what_counts_no_more_is_passed_over() -> None:
    told = Told()
    told.ask("1", most=1)
    told.event("RUN_REWOUND", {"to": "1", "by": "ada", "plan": []})
    told.end("1")
    assert told.words == ["run"]
