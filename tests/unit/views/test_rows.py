"""The tree as lines of a terminal."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st
from stories import START, Shown
from test_tree import ACTS, tell

from babysitter.executors.rates import Wait
from babysitter.rate import KIND, Rate
from babysitter.views.marks import ASCII, FAILED, OK, UNICODE, Marks, text_of
from babysitter.views.rows import Layout
from babysitter.views.telling import held_text
from babysitter.views.text import width_of

if TYPE_CHECKING:
    import pytest


def lines(shown: Shown, height: int = 40, columns: int = 80, marks: Marks = UNICODE) -> list[str]:
    layout = Layout(shown.view.tree, marks, shown.now, columns, height)
    return [text_of(line) for line in layout.lines("checks-1", 12_300)]


def words(shown: Shown, height: int = 40) -> list[str]:
    """The lines without times, columns two spaces apart."""
    return [re.sub(r"(?<=\S) {2,}", "  ", line[:70].rstrip()) for line in lines(shown, height)]


def test_the_heading_counts_effects_and_tells_the_time() -> None:
    shown = Shown()
    shown.run("1")
    shown.request("2")
    [heading, *_] = lines(shown)
    assert (heading[:30].rstrip(), heading[-6:], len(heading)) == ("checks-1 · 1 queued, 1 ok", "12.3 s", 80)


def test_steps_stand_under_each_other_with_their_times() -> None:
    shown = Shown()
    shown.run("1", "First", 4.2)
    shown.request("2", "Second")
    shown.execute("2")
    shown.wait(63)
    assert lines(shown)[1:] == [
        "  ✓ First" + "4.2 s".rjust(71),
        "  ● Second" + "1 m 03 s".rjust(70),
    ]


def test_a_branch_is_one_line_that_tells_its_item_and_where_it_stands() -> None:
    shown = Shown()
    shown.run("1.a.1", "Read", mode="map", item="a.py")
    shown.request("1.a.2", "Write", mode="map", item="a.py")
    assert words(shown)[1:] == ["  ○ parallel.map · 1 branch", "    ○ a.py: Write  queued"]


def test_a_group_of_groups_has_a_line_for_every_level() -> None:
    shown = Shown()
    shown.request("1.left.1.0.1", "Deep", mode="race")
    assert words(shown)[1:] == [
        "  ○ parallel · 1 branch",
        "    ○ left",
        "      ○ parallel.race · 1 branch",
        "        ○ Deep  queued",
    ]


def test_a_failure_tells_why() -> None:
    shown = Shown()
    shown.request("1", "Lint")
    shown.fail("1", "3 errors\nin 2 files")
    assert words(shown)[1:] == ["  ✗ Lint  3 errors\\nin 2 files"]


def test_a_running_command_shows_its_last_line() -> None:
    shown = Shown()
    shown.request("1", "Tests")
    shown.execute("1")
    shown.view.output("effect-1", "\x1b[32m....\x1b[0m 40 %")
    assert words(shown)[1:] == ["  ● Tests  \\x1b[32m....\\x1b[0m 40 %"]


def test_a_breakpoint_shows_its_question() -> None:
    shown = Shown()
    shown.request("1", "Merge", "breakpoint", question="Really merge?")
    assert words(shown)[1:] == ["  ? Merge  Really merge?"]


def test_a_no_is_told_from_a_yes() -> None:
    shown = Shown()
    for step, value in (("1", {"approved": False, "feedback": "not yet"}), ("2", {"approved": True})):
        shown.request(step, "Merge", "breakpoint")
        shown.resolve(step, value)
    assert words(shown) == [
        "checks-1 · 1 rejected, 1 ok",
        "  ! Merge  rejected: not yet",
        "  ✓ Merge  approved",
    ]


def test_a_no_saves_a_race_like_any_result() -> None:
    shown = Shown()
    shown.request("1.0.1", "Merge", "breakpoint", mode="race")
    shown.request("1.1.1", "Lint", mode="race")
    shown.fail("1.1.1")
    shown.resolve("1.0.1", {"approved": False})
    assert shown.view.tree.groups["1"].state == OK


def test_a_sleep_shows_the_time_that_is_left() -> None:
    shown = Shown()
    shown.request("1", "Settle", "sleep", seconds=90)
    shown.wait(30)
    assert words(shown)[1:] == ["  ◔ Settle  1 m 00 s left"]


def test_progress_is_a_bar_in_the_line_of_its_branch() -> None:
    shown = Shown()
    shown.request("1.0.1", "Copy")
    shown.progress(5, 20, "files", scope="1.0.")
    assert words(shown)[2] == "    ○ Copy  " + "━" * 5 + "─" * 15 + " 5/20 files"


def test_progress_of_the_process_stands_below_the_heading() -> None:
    shown = Shown()
    shown.progress(1, 4, "stages")
    assert lines(shown)[1] == "  " + "━" * 5 + "─" * 15 + " 1/4 stages"


def test_progress_without_a_total_is_a_number() -> None:
    shown = Shown()
    shown.progress(1_234_567, None, "bytes")
    assert lines(shown)[1] == "  1234567 bytes"


def test_scores_of_the_process_stand_below_the_heading() -> None:
    shown = Shown()
    shown.progress(1, 4, "stages")
    shown.score(1, 61, target=90)
    shown.score(2, 74, target=90)
    shown.score(1, 3, name="defects")
    assert lines(shown)[2:] == ["  score 61 → 74 of 90, best 74", "  score defects: 3, best 3"]


def test_of_many_scores_of_the_process_the_last_are_shown() -> None:
    shown = Shown()
    for number in range(5):
        shown.score(1, number, name=f"n{number}")
    assert lines(shown)[1:] == [f"  score n{number}: {number}, best {number}" for number in (2, 3, 4)]


def test_a_score_stands_in_the_line_of_its_branch_while_that_goes_on() -> None:
    shown = Shown()
    shown.request("1.0.1", "Improve")
    shown.score(1, 61, scope="1.0.")
    going_on = words(shown)[2]
    shown.resolve("1.0.1", {"exitCode": 0})
    assert (going_on, words(shown)[2]) == ("    ○ Improve  score 61, best 61  queued", "    ✓ Improve")


def test_a_terminal_without_unicode_gets_ascii() -> None:
    shown = Shown()
    shown.run("1.0.1", "Tests")
    shown.progress(1, 2, scope="")
    shown.score(1, 1)
    shown.score(2, 2)
    assert all(line.isascii() for line in lines(shown, marks=ASCII))


def large_run(branches: int = 300) -> Shown:
    """Every tenth branch fails, every tenth runs, the first half of the rest is done."""
    shown = Shown()
    shown.run("1", "Prepare")
    for number in range(branches):
        step = f"2.h{number:03}.1"
        shown.request(step, "Count", mode="map", item=f"file{number:03}")
        shown.wait(0.01)
        if number % 10 == 3:
            shown.fail(step)
        elif number % 10 == 7:
            shown.execute(step)
        elif number < branches / 2:
            shown.resolve(step)
    return shown


def test_of_a_large_group_failures_come_first_then_what_runs() -> None:
    marks = [line[4] for line in lines(large_run(), height=20)[3:-1]]
    assert marks == ["✗"] * marks.count("✗") + ["●"] * marks.count("●")


def test_failures_do_not_push_out_what_runs() -> None:
    marks = [line[4] for line in lines(large_run(), height=20)[3:-1]]
    assert min(marks.count("✗"), marks.count("●")) >= 4


def test_the_branches_left_out_are_one_line() -> None:
    assert (
        " ".join(lines(large_run(), height=20)[-1].split())
        == "· 284 more 26 failed, 18 running, 120 queued, 120 ok"
    )


def test_what_was_before_is_one_line_when_there_is_no_room() -> None:
    shown = Shown()
    for number in range(1, 31):
        shown.run(str(number), f"Step {number}")
    shown.request("31", "Now")
    shown.execute("31")
    assert words(shown, height=5)[1] == "  · 28 earlier  28 ok"


def test_a_question_is_seen_among_hundreds_of_running_effects() -> None:
    shown = Shown()
    for number in range(300):
        shown.request(f"1.{number}.1", "Work")
        shown.execute(f"1.{number}.1")
    shown.request("1.300.1", "Merge", "breakpoint", question="Really?")
    assert any("Really?" in line for line in lines(shown, height=10))


def test_a_failure_that_a_branch_got_over_is_no_failure() -> None:
    shown = large_run()
    shown.run("2.h003.2", "Again", mode="map", item="file003")
    layout = Layout(shown.view.tree, UNICODE, shown.now, 80, 30)
    layout.lines("", 0)
    assert not [row for row in layout.rows if row.state == FAILED and row.label.startswith("file003")]


@given(ACTS, st.integers(1, 12), st.integers(1, 60))
def test_a_tree_is_never_higher_or_wider_than_the_terminal(
    acts: list[tuple[str, str]], height: int, columns: int
) -> None:
    shown = tell(acts)
    shown.progress(1, 3, "stages")
    drawn = lines(shown, height, columns)
    assert len(drawn) <= height
    assert max(map(width_of, drawn)) <= columns


@given(ACTS)
def test_with_room_for_all_every_branch_has_its_line(acts: list[tuple[str, str]]) -> None:
    shown = tell(acts)
    layout = Layout(shown.view.tree, UNICODE, shown.now, 80, 1000)
    layout.lines("", 0)
    assert "more" not in {row.label.split(" ")[-1] for row in layout.rows}


def test_what_a_rate_limit_holds_up_says_until_when(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "localtime", time.gmtime)
    shown = Shown()
    shown.request("1", "Review", "agent")
    shown.request("2", "Test")
    shown.view.held({"effect-1": Wait(Rate("", KIND, "agent", "1/minute"), START + 60_500)})
    assert words(shown)[1:] == ["  ◆ Review  rate limit of agent, next at 08:01:01", "  ○ Test  queued"]


def test_a_time_of_another_day_is_told_with_its_date(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "localtime", time.gmtime)
    assert held_text("agent", START + 86_400_000, START) == "rate limit of agent, next at 2027-01-16 08:00:00"
