"""Breakpoints: asked on a terminal, answered there or elsewhere; without a terminal the run waits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.driving import (
    Command,
    Terminal,
    babysitter,
    effects,
    events,
    lines,
    told,
    types,
    wait_until,
    write,
)

ONE = """
async def process(inputs, ctx):
    answer = await ctx.breakpoint("Is it good enough?", title="Release"{options})
    return [answer.approved, answer.option, answer.feedback, bool(answer.responded_by)]
"""
OPTIONS = ", options=['staging', 'production']"


PROMPT = "; words after it are kept as feedback]: "


def asked(options: str = "", *flags: str) -> Terminal:
    """A run on a terminal that waits for an answer to its question."""
    write("p.py", ONE.format(options=options))
    terminal = Terminal("run", "p.py", "--run-id", "r", *flags)
    terminal.sees("Is it good enough?")
    if options:
        terminal.sees("2. production")
    terminal.sees(f"[{'1-2, its text' if options else 'y'} or n{PROMPT}")
    return terminal


def output() -> Any:
    return events("r")[-1]["data"]["output"]


@pytest.mark.parametrize(
    ("typed", "decision"),
    [
        ("y", [True, None, None, True]),
        ("YES", [True, None, None, True]),
        ("n", [False, None, None, True]),
        ("no", [False, None, None, True]),
        ("y but only today", [True, None, "but only today", True]),
        ("n the changelog is missing", [False, None, "the changelog is missing", True]),
    ],
)
def test_a_question_is_answered_with_yes_or_no_and_feedback(typed: str, decision: list[Any]) -> None:
    with asked() as terminal:
        terminal.types(f"{typed}\r")
        assert (terminal.end(), output()) == (0, decision)


@pytest.mark.parametrize(
    ("typed", "decision"),
    [
        ("2", [True, "production", None, True]),
        ("staging", [True, "staging", None, True]),
        ("Production", [True, "production", None, True]),
        ("staging only eu-west", [True, "staging", "only eu-west", True]),
        ("1 only eu-west", [True, "staging", "only eu-west", True]),
        ("n", [False, None, None, True]),
    ],
)
def test_an_option_is_chosen_by_its_number_or_its_words(typed: str, decision: list[Any]) -> None:
    with asked(OPTIONS) as terminal:
        terminal.types(f"{typed}\r")
        assert (terminal.end(), output()) == (0, decision)


@pytest.mark.parametrize("typed", ["", "   ", "maybe", "yy", "1", "²"])
def test_what_is_no_answer_is_asked_again(typed: str) -> None:
    with asked() as terminal:
        terminal.types(f"{typed}\r")
        terminal.sees("please answer y or n: ")
        assert "EFFECT_RESOLVED" not in types("r")
        terminal.types("y\r")
        assert terminal.end() == 0


@pytest.mark.parametrize("typed", ["y", "0", "3", "-1"])
def test_what_is_no_option_is_asked_again(typed: str) -> None:
    with asked(OPTIONS) as terminal:
        terminal.types(f"{typed}\r")
        terminal.sees("please answer 1-2, its text or n: ")
        terminal.types("1\r")
        assert terminal.end() == 0


def test_what_an_answer_is_bound_to_is_shown_with_the_files() -> None:
    Path("plan.md").write_text("A way back.\n")
    write("p.py", ONE.format(options=", files=['plan.md']"))
    with Terminal("run", "p.py", "--run-id", "r") as terminal:
        terminal.sees("file       plan.md")
        digest = told(0, "show", "r", "1")["open"]["shown"]
        terminal.sees(f"what is shown has the digest {digest}")
        terminal.types("y\r")
        assert terminal.end() == 0


def test_other_branches_go_on_while_a_question_is_open() -> None:
    write(
        "p.py",
        """
        @shell
        def step(number):
            return f"echo {number} >> log"

        async def process(inputs, ctx):
            async def chain():
                for number in range(3):
                    await ctx.task(step, number=number)
            await ctx.parallel.all([lambda: ctx.breakpoint("Go on?"), chain])
        """,
    )
    with Terminal("run", "p.py", "--run-id", "r") as terminal:
        terminal.sees(PROMPT)
        wait_until(lambda: lines("log") == ["0", "1", "2"])
        terminal.types("y\r")
        assert terminal.end() == 0


def test_an_answer_from_elsewhere_takes_the_question_back() -> None:
    with asked() as terminal:
        told(0, "reject", "r", "--feedback", "from elsewhere")
        terminal.sees("no longer asked")
        assert (terminal.end(), output()[:3]) == (0, [False, None, "from elsewhere"])


TWO = """
async def process(inputs, ctx):
    answers = await ctx.parallel.all([
        lambda: ctx.breakpoint("First question?"), lambda: ctx.breakpoint("Second question?"),
    ])
    return [answer.approved for answer in answers]
"""


def test_questions_are_put_one_after_the_other() -> None:
    write("p.py", TWO)
    with Terminal("run", "p.py", "--run-id", "r") as terminal:
        terminal.sees("First question?")
        terminal.sees(PROMPT)
        assert "Second" not in terminal.screen
        terminal.types("y\r")
        terminal.sees("Second question?")
        terminal.sees(PROMPT)
        terminal.types("n\r")
        assert (terminal.end(), output()) == (0, [True, False])


def test_what_was_typed_before_a_question_was_put_does_not_answer_it() -> None:
    write("p.py", TWO)
    with Terminal("run", "p.py", "--run-id", "r") as terminal:
        terminal.sees(PROMPT)
        terminal.types("y\ry\r")
        terminal.sees("Second question?")
        terminal.sees(PROMPT)
        terminal.types("n\r")
        assert (terminal.end(), output()) == (0, [True, False])


def test_the_end_of_input_leaves_the_question_open() -> None:
    with asked() as terminal:
        terminal.types("\x04")
        terminal.sees("babysitter approve r")
        assert (terminal.end(), "EFFECT_RESOLVED" in types("r")) == (8, False)


def test_ctrl_c_at_a_question_interrupts_the_run() -> None:
    with asked() as terminal:
        terminal.types("\x03")
        assert (terminal.end(), "EFFECT_RESOLVED" in types("r")) == (130, False)


def test_a_question_is_asked_again_on_resuming() -> None:
    with asked() as terminal:
        terminal.types("\x03")
        terminal.end()
    with Terminal("resume", "r") as terminal:
        terminal.sees(PROMPT)
        terminal.types("y\r")
        assert terminal.end() == 0


def test_plain_lines_on_a_terminal_ask_too() -> None:
    with asked("", "--plain") as terminal:
        terminal.types("y\r")
        assert terminal.end() == 0


def test_a_program_that_wants_json_is_asked_nothing() -> None:
    write("p.py", ONE.format(options=""))
    with Terminal("run", "p.py", "--run-id", "r", "--json") as terminal:
        assert terminal.end() == 8
        assert "[y or n" not in terminal.screen


def test_a_question_that_nobody_needs_any_more_is_taken_back() -> None:
    write(
        "p.py",
        """
        @shell
        def quick():
            return "until test -e go; do sleep 0.05; done"

        async def process(inputs, ctx):
            await ctx.parallel.race([lambda: ctx.breakpoint("Go on?"), lambda: ctx.task(quick)])
        """,
    )
    with Terminal("run", "p.py", "--run-id", "r") as terminal:
        terminal.sees(PROMPT)
        write("go", "")
        terminal.sees("no longer asked")
        assert terminal.end() == 0


def test_a_question_cannot_act_on_the_terminal_or_pass_for_lines_of_ours() -> None:
    write(
        "p.py",
        """
        async def process(inputs, ctx):
            await ctx.breakpoint("Delete?\\x1b[2K\\nreally\\n[y or n]: ", title="A\\x1b]0;title\\x07\\nb")
        """,
    )
    with Terminal("run", "p.py", "--run-id", "r") as terminal:
        terminal.sees(r"A\x1b]0;title\x07\nb")
        terminal.sees("\r\n  Delete?")
        terminal.sees("\r\n  really")
        terminal.sees("\r\n  [y or n]: ")
        terminal.sees(PROMPT)
        terminal.types("n\r")
        assert terminal.end() == 0


def test_without_a_terminal_the_run_waits_and_says_how_to_answer() -> None:
    write("p.py", ONE.format(options=""))
    ended = babysitter("run", "p.py", "--run-id", "r")
    wanted = ["Release", "babysitter approve r (or reject)", "babysitter resume r"]
    assert (ended.code, [text for text in wanted if text not in ended.stdout]) == (8, [])


def test_without_a_terminal_all_of_the_question_is_read_before_it_is_answered() -> None:
    write(
        "p.py", ONE.format(options=", options=['eu']").replace("Is it good", "All of:\\n- this\\nIs it good")
    )
    ended = babysitter("run", "p.py", "--run-id", "r", "--plain")
    asked, _, after = ended.stdout.partition("asked     run r, breakpoint ")[2].partition("waiting for")
    question = ("All of:", "- this", "Is it good enough?", "- eu")
    assert asked.splitlines()[1:5] == [f"{' ' * 12}{text}" for text in question]
    assert after.splitlines()[-1].startswith("next: ")


def test_a_question_that_its_title_says_all_of_is_not_told_twice() -> None:
    write(
        "p.py",
        """
    async def process(inputs, ctx):
        await ctx.breakpoint("Delete?")
    """,
    )
    assert "asked" not in babysitter("run", "p.py", "--plain").stdout


def test_where_more_than_one_question_is_open_the_hint_asks_for_one() -> None:
    write("p.py", TWO)
    assert "babysitter approve r EFFECT" in told(8, "run", "p.py", "--run-id", "r")["hint"]


@pytest.mark.parametrize(("verb", "approved"), [("approve", True), ("reject", False)])
def test_an_answer_lets_a_run_that_waits_go_on(verb: str, approved: bool) -> None:
    write("p.py", ONE.format(options=""))
    told(8, "run", "p.py", "--run-id", "r")
    told(0, verb, "r")
    assert told(0, "resume", "r")["output"][0] is approved


def test_an_answer_while_other_work_is_done_is_taken_in_at_once() -> None:
    write(
        "p.py",
        """
        @shell
        def busy():
            return "until test -e go; do sleep 0.05; done"

        @shell
        def after():
            return "touch go"

        async def process(inputs, ctx):
            async def gate():
                await ctx.breakpoint("Go on?")
                await ctx.task(after)
            await ctx.parallel.all([lambda: ctx.task(busy), gate])
        """,
    )
    command = Command("run", "p.py", "--run-id", "r", "--jobs", "2", "--json")
    wait_until(lambda: babysitter("approve", "r").code == 0)
    assert (command.end().code, effects("r")["Go on?"]["resolved"]) == (0, 1)
