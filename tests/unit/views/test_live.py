"""The live tree on a pseudo-terminal, read back as a person would see it."""

from __future__ import annotations

from pathlib import Path

import pytest
from terminals import Screen, run_on_terminal

PREPARE = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parent)!r})
import babysitter.views.live as live
live.SECONDS_BETWEEN_FRAMES = 0
from babysitter.views.summary import Outcome
from stories import Shown
shown = Shown(live.LiveView())
view = shown.view
def draw():
    view.tick()
"""
KILLED = "sys.stdout.flush(); import os; os._exit(0)"


def on_terminal(program: str, *, columns: int = 80, lines: int = 24, **environment: str) -> Screen:
    """What is on the screen after the program, which draws a made-up run."""
    return Screen(run_on_terminal(PREPARE + program, columns=columns, lines=lines, **environment))


def test_a_frame_replaces_the_one_before() -> None:
    screen = on_terminal(f"""
shown.request("1", "Lint"); shown.execute("1"); draw()
shown.wait(2); draw()
shown.resolve("1"); shown.request("2", "Test"); draw()
{KILLED}""")
    assert [line.split() for line in screen.lines] == [
        ["checks-1", "·", "1", "queued,", "1", "ok", "2.0", "s"],
        ["✓", "Lint", "2.0", "s"],
        ["○", "Test", "queued"],
        [],
    ]


def test_log_lines_stay_above_the_tree_in_order() -> None:
    screen = on_terminal(f"""
shown.request("1", "Lint"); shown.log("first"); draw()
shown.log("second"); view.message("third"); draw()
{KILLED}""")
    assert [line.split()[-1] for line in screen.lines[:3]] == ["first", "second", "third"]


def test_what_the_process_prints_stands_above_the_tree() -> None:
    screen = on_terminal(f"""
shown.request("1", "Lint"); draw()
print("printed by the author"); draw()
{KILLED}""")
    assert [line[:21].rstrip() for line in screen.lines] == [
        "printed by the author",
        "checks-1 · 1 queued",
        "  ○ Lint  queued",
        "",
    ]


def test_at_the_end_the_tree_gives_way_to_the_summary() -> None:
    screen = on_terminal("""
shown.run("1", "Lint"); draw()
view.finished(Outcome("completed", {"lines": 3}, None, [], ""))""")
    assert [line.strip() for line in screen.lines] == [
        "",
        "✓ Lint  ok      1.0 s",
        "",
        "lines: 3",
        "",
        "completed in 1.0 s: 1 task, 1.0 s one after the other",
        "",
    ]


def test_a_question_stands_alone_and_the_tree_comes_back_below_it() -> None:
    screen = on_terminal(f"""
shown.request("1", "Merge", "breakpoint"); draw()
view.pause()
print("Merge? [y/n]: yes")
shown.log("meanwhile"); draw()
view.resume()
shown.resolve("1", {{"approved": True}}); draw()
{KILLED}""")
    assert [line[:20].strip() for line in screen.lines] == [
        "checks · 1 for a per",
        "Merge? [y/n]: yes",
        "log       meanwhile",
        "checks-1 · 1 ok",
        "✓ Merge  approved",
        "",
    ]


def test_a_killed_command_leaves_a_visible_cursor_on_an_empty_line() -> None:
    screen = on_terminal(f'shown.request("1"); draw()\n{KILLED}')
    assert (screen.is_cursor_visible, screen.lines[screen.row], screen.column) == (True, "", 0)


def test_closing_takes_the_tree_away_and_may_be_done_twice() -> None:
    screen = on_terminal('shown.request("1"); draw(); view.close(); view.close()')
    assert (screen.is_cursor_visible, screen.text.strip()) == (True, "")


def test_a_thousand_effects_fit_the_terminal() -> None:
    screen = on_terminal(
        f"""
for number in range(1000):
    step = f"1.{{number % 300}}.{{number // 300 + 1}}"
    shown.request(step, "Work"); shown.execute(step)
    if number % 7: shown.resolve(step)
    if number % 100 == 0: draw()
draw()
{KILLED}""",
        lines=12,
        columns=60,
    )
    assert (len(screen.lines) <= 12, screen.most_up < 12, max(map(len, screen.lines)) < 60) == (True,) * 3


def test_titles_cannot_act_on_the_terminal() -> None:
    screen = on_terminal(f'shown.request("1", "\\x1b[2J\\x1b]0;title\\x07"); draw()\n{KILLED}')
    assert "\\x1b[2J\\x1b]0;title\\x07" in screen.text


@pytest.mark.parametrize(("environment", "expected"), [({}, True), ({"NO_COLOR": "1"}, False)])
def test_colours_are_for_those_who_want_them(environment: dict[str, str], expected: bool) -> None:
    program = f'shown.run("1"); shown.request("2"); shown.fail("2"); draw()\n{KILLED}'
    assert bool(on_terminal(program, **environment).colours) == expected


def test_only_colours_that_every_theme_can_show_are_used() -> None:
    program = """
for number, kind in enumerate(["shell", "agent", "breakpoint", "sleep", "shell", "shell", "shell", "shell"]):
    shown.request(str(number), "Step", kind)
shown.execute("0"); shown.resolve("4"); shown.fail("5"); shown.cancel("6")
shown.resolve("7", {"exitCode": 1})
shown.progress(1, 2); draw()
view.finished(Outcome("failed", None, {"name": "Failed", "message": "no"}, [], "x"))"""
    assert on_terminal(program).colours == {"31", "32", "33", "34", "35", "36"}


def test_a_terminal_without_unicode_gets_ascii() -> None:
    program = """
shown.run("1", "caf\\xe9"); shown.progress(1, 2); draw()
view.finished(Outcome("completed", None, None, [], ""))"""
    assert "+ caf\\xe9" in on_terminal(program, PYTHONIOENCODING="ascii").text


def test_the_library_for_terminals_is_imported_only_when_something_is_drawn() -> None:
    screen = on_terminal('shown.run("1"); print("rich" in sys.modules)')
    assert screen.lines[0] == "False"
